"""Every solver and its gradient lowers for an NVIDIA GPU, on a machine that need not have one.

What a GPU cannot run shows when a program is lowered: an operation without a kernel there, or a
call back into Python, which would also keep the program out of JAX's persistent cache. Programs
are lowered only, not compiled, and are small.
"""

import re

import jax
import jax.numpy as jnp
import pytest

import bathax as bx

TS = jnp.linspace(0.0, 4.0, 5)
HIERARCHY = bx.Hierarchy(depth=3, modes=4, steps=16)
# Libraries of NVIDIA and of JAX for linear algebra, sorting and random numbers on the GPU.
LIBRARIES = ("cusolver_", "cublas_", "cu_", "cusparse_", "cudnn", "mhlo.topk", "Sharding")


def cavity(eta, temperature=2.0):
    return bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), temperature))


def mode(eta, temperature=0.5):
    bath = bx.Reservoir(bx.Ohmic(eta, 5.0), temperature)
    return bx.LinearSystem([[1.0]], bx.Channel(bath, [1.0]))


def qubit(eta, temperature=0.5):
    return bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), temperature))


def solved(solver, initial=None):
    """Green functions and thermodynamics of a cavity."""

    def quantities(eta):
        sol = bx.solve(cavity(eta), bx.Fock(2) if initial is None else initial, TS, solver)
        return sol.u, sol.v, sol.energy, sol.entropy, sol.temperature, sol.free_energy, sol.error

    return quantities


def mapped(solver, temperature=0.5):
    """The map of a qubit, with its rates."""

    def quantities(eta):
        found = bx.dynamical_map(qubit(eta, temperature), TS, solver)
        return found.p11, found.p00, found.coherence, found.gamma_minus, found.gamma_z, found.error

    return quantities


def atom(eta):
    """Thermodynamics of a qubit."""
    sol = bx.solve(qubit(eta), bx.Bloch(0.3, 0.1, 0.5), TS, HIERARCHY)
    return sol.energy, sol.entropy, sol.temperature, sol.free_energy


def gained(eta):
    """What the reservoir of a qubit gains."""
    frequencies = jnp.linspace(0.5, 2.0, 3)
    found = bx.reservoir_occupation(qubit(eta), bx.Excited(), TS, frequencies, HIERARCHY)
    return found.change, found.quanta


def limits(eta):
    """The end of a cavity: numbers, entropy and temperature."""
    found = bx.long_time_limit(cavity(eta))
    state = bx.Fock(2)
    return found.noise, found.number(state), found.entropy(state), found.temperature(state)


COHERENT = bx.DensityMatrix(jnp.asarray([[0.5, 0.2j], [-0.2j, 0.5]]), levels=6)
PROGRAMS = {
    "Volterra": solved(bx.Volterra(points=64)),
    "Resonance": solved(bx.Resonance(nodes=64)),
    "BornMarkov": solved(bx.BornMarkov()),
    "the default of a cavity": solved(None),
    "Mixture": solved(bx.BornMarkov(), bx.Mixture([0.2, 0.3, 0.5])),
    "Thermal": solved(bx.BornMarkov(), bx.Thermal(0.7)),
    "Coherent": solved(bx.BornMarkov(), bx.Coherent(1.0 + 0.5j)),
    "Squeezed": solved(bx.BornMarkov(), bx.Squeezed(0.4, 0.3, 0.2)),
    "DensityMatrix": solved(bx.BornMarkov(), COHERENT),
    "Hierarchy": mapped(HIERARCHY),
    "Vacuum": mapped(bx.Vacuum(bx.Volterra(points=64)), 0.0),
    "TimeConvolutionless": mapped(bx.TimeConvolutionless()),
    "VanHove": mapped(bx.VanHove()),
    "the default of a qubit": mapped(None),
    "solve of a qubit": atom,
    "steady_state": lambda eta: bx.steady_state(qubit(eta), HIERARCHY).excited_population,
    "steady_state of a mode": lambda eta: bx.steady_state(mode(eta)),
    "reservoir_occupation": gained,
    "long_time_limit": limits,
    "critical_coupling": lambda eta: bx.critical_coupling(cavity(eta)),
    "critical_temperature": lambda eta: bx.critical_temperature(cavity(eta), 2),
    "resonances": lambda eta: bx.resonances(cavity(eta)),
    "bound_states": lambda eta: bx.bound_states(cavity(eta)),
}


def total(result):
    """One real number made of all numbers of a result, for reverse mode."""
    numbers = [x for x in jax.tree.leaves(result) if jnp.issubdtype(x.dtype, jnp.inexact)]
    return sum((jnp.sum(x.real) + jnp.sum(x.imag) for x in numbers), jnp.zeros(()))


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_lowers_for_cuda(name):
    """The value with its gradient: custom calls go to libraries of the GPU, none to the host."""
    program = jax.jit(jax.value_and_grad(lambda eta: total(PROGRAMS[name](eta))))
    # `export` itself refuses calls that it does not know to be stable, callbacks among them.
    module = jax.export.export(program, platforms=["cuda"])(jnp.asarray(0.1)).mlir_module()
    targets = set(re.findall(r"custom_call @([\w.$]+)", module))
    targets |= set(re.findall(r'call_target_name = "([^"]+)"', module))
    foreign = {target for target in targets if not target.startswith(LIBRARIES)}
    assert not foreign, foreign
