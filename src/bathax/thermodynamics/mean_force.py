r"""The equilibrium of a system with its reservoirs at any coupling: the reading of mean force.

All of H = H_S + H_B + H_I is in a thermal state of temperature T. What it has beyond the free
reservoirs is ascribed to the system: with Z* = Z / Z_B, F* = -T ln Z*, S* = -dF*/dT,
E* = F* + T S* and C = T dS*/dT. A quadratic system is a gas of free quanta, whose number below the
frequency w is changed by N(w) = (1/pi) arg det M, so that with n(w) of the reservoirs

F* = -\int dw n(w) N(w),    M(w) = h - w + sum_channels c c' [Delta(w) + i pi J(w)].

M has no negative imaginary part. Neither have its pivots, each of which has an argument between 0
and pi, with a jump by pi at a bound state. The part of free modes with the energies e_k is known,
F* = sum_k F_k - \int dw n (N - sum_k theta(w - e_k)).
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Inexact, Int

from bathax import _loops
from bathax._checks import Scalar, holds, is_valid, require, require_kind
from bathax._display import Table, Tabular, ending, shown
from bathax._linalg import eigvalsh
from bathax._programs import program
from bathax._status import Status, concluded
from bathax.linear.bound_states import LinearBoundStates, bound_states
from bathax.linear.cuts import Cuts
from bathax.linear.landauer import RTOL, Integrals, relative_error
from bathax.linear.spectrum import NODES, Spectrum, require_leads, resolved
from bathax.numerics.panels import Nodes
from bathax.reservoir.occupation import Thermal
from bathax.system.linear import LinearSystem
from bathax.system.models import Cavity, as_modes
from bathax.thermodynamics.slopes import Modular

# A free mode within this fraction of its energy from a bound state is not coupled.
SAME = 1e-12


class MeanForceQuantities(eqx.Module):
    """What belongs to the system in equilibrium with its reservoirs; see `MeanForce`."""

    free_energy: Float[Array, "..."]
    energy: Float[Array, "..."]
    entropy: Float[Array, "..."]
    heat_capacity: Float[Array, "..."]
    n: Inexact[Array, "*batch n n"]
    hamiltonian: Inexact[Array, "*batch n n"]


class MeanForce(Tabular, MeanForceQuantities):
    r"""The joint equilibrium of a system and its reservoirs, as `mean_force` finds it.

    Of the whole, less the free reservoirs: `free_energy` F* = -T ln Z*, `energy` E* = F* + T S*,
    `entropy` S* and `heat_capacity` C = T dS*/dT. With a chemical potential they belong to
    H - mu N, so that F* is the grand potential. The `temperature` is that of the reservoirs.

    Of the modes alone, as matrices: `n`, n_ij = <a_j' a_i>, and `hamiltonian`, h* of mean force,
    with which their state is e^{-sum (h* - mu)_ij a_i' a_j / T} up to its norm. That of a cavity
    is the number T ln(1 + 1/n).

    `error` has an estimate of the absolute error of each, under the same name. `status` is 0 if all
    errors are below 1e-9 of the scale of each quantity.

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=20.0))
    >>> found = bx.mean_force(cavity)
    >>> f"{found.n[0, 0].real:.4f}, {found.hamiltonian[0, 0].real:.4f}"
    '39.5042, 0.5000'
    """

    temperature: Float[Array, "..."]
    error: MeanForceQuantities
    status: Int[Array, "..."]

    def _table(self) -> Table:
        own, errors = vars(self), vars(self.error)
        rows = [["temperature", shown(self.temperature), ""]]
        rows += [[name, shown(own[name]), shown(error)] for name, error in errors.items()]
        return Table(type(self).__name__, ("", "", "error"), rows, [ending(self.status)])

    @property
    def message(self) -> str:
        """The status in words; for concrete values only."""
        return Status(int(self.status)).message


def mean_force(system: Cavity | LinearSystem, *, throw: bool = False) -> MeanForce:
    r"""The joint equilibrium of a `Cavity` or a `LinearSystem` with its reservoirs.

    F* = -(1/pi) \int dw n(w) arg[w_s + Delta(w) - w + i pi J(w)] of a cavity; S*, E* and C are its
    derivatives, and dF* = -S* dT + <a'a> dw_s. All reservoirs must be thermal, continuous and of
    one temperature and chemical potential. The state of the modes is that in which they end,
    `steady_state`, if no bound state keeps a part of the start; here bound states are thermal too.

    Bosons have no equilibrium if there is a bound state at w <= mu, as of a cavity beyond its
    `critical_coupling`: the energy of the whole has no minimum. This is an error, and NaN in a
    batch. Error estimates are about the square of the change from half the nodes, and constant to
    differentiation; that of a `Tabulated` density itself is not in them. If the `status` is not 0
    there is a `ToleranceWarning` outside of `jit`, or with `throw` a `ToleranceError`. Works under
    `jit`, `vmap` and `grad`.

    At half the critical coupling, where T ln(1 + 1/n) is half of w_s:

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=20.0))
    >>> found = bx.mean_force(cavity)
    >>> f"{found.free_energy:.4f}, {found.energy:.4f}, {found.entropy:.4f}"
    '-74.2652, 19.5247, 4.6895'
    """
    modes = _with_one_temperature(system)
    found = _mean_force(modes, tuple(bath.occupation for bath in modes.reservoirs))
    _require_equilibrium(found)
    return concluded(found, throw)


def with_slope(system: Cavity | LinearSystem) -> tuple[MeanForce, Array]:
    """The joint equilibrium, and dh*/dT at constant mu; NaN at T = 0, where it is infinite."""
    found, slope = _with_slope(_with_one_temperature(system))
    _require_equilibrium(found)
    return found, slope


def _with_one_temperature(system: Cavity | LinearSystem) -> LinearSystem:
    """The modes; refuses reservoirs without a common thermal state."""
    require_kind("system", "a `Cavity` or a `LinearSystem`", system, (Cavity, LinearSystem))
    modes = as_modes(system)
    require_leads(modes)
    words = "thermal, of one temperature and one chemical potential"
    for bath in modes.reservoirs:
        thermal = isinstance(bath.occupation, Thermal)
        require("reservoirs", words, type(bath.occupation).__name__, thermal)
        ends = "a band with ends, like `FlatBand`: energies of couplings are infinite without"
        require("spectral_density", ends, bath.spectral_density, bath.has_ends)
    fillings = tuple(bath.occupation for bath in modes.reservoirs)
    require("reservoirs", words, list(fillings), holds(_are_equal, *fillings))
    return modes


def _require_equilibrium(found: MeanForce) -> None:
    words = "without a bound state at w <= mu, or bosons have no thermal state"
    require("system", words, "one with it", holds(np.isfinite, found.energy))


@program
def _with_slope(modes: LinearSystem) -> tuple[MeanForce, Array]:
    def temperatures(modes: LinearSystem) -> list[Any]:
        return [bath.occupation.temperature for bath in modes.reservoirs]

    def at(modes: LinearSystem) -> MeanForce:
        return _mean_force(modes, tuple(bath.occupation for bath in modes.reservoirs))

    at_rest = jax.tree.map(lambda _: None, modes)
    rise = [jnp.ones(())] * len(modes.channels)
    moving = eqx.tree_at(temperatures, at_rest, rise, is_leaf=lambda x: x is None)
    found, slope = eqx.filter_jvp(at, (modes,), (moving,))
    return found, slope.hamiltonian


def _are_equal(*fillings: Thermal) -> Bool[Array, ""]:
    numbers = jnp.stack([jnp.stack([each.temperature, each.level]) for each in fillings])
    return jnp.all(numbers == numbers[:1])


@program
def _mean_force(system: LinearSystem, fillings: tuple[Thermal, ...]) -> MeanForce:
    filling, bound = fillings[0], bound_states(system)
    T, mu = filling.temperature, filling.level
    nodes = _nodes(system, bound, mu)
    spectrum = Spectrum.at(system, nodes)
    whole = _whole(system, nodes, spectrum, Free(filling, _levels(system, bound)))
    n = _filled(system, spectrum, bound, filling)
    modular = Modular.of(n.value, n.error, system.statistics)
    blur = T * jnp.max(jnp.sum(modular.blur, axis=1))
    unit = jnp.eye(system.size, dtype=complex)
    hamiltonian = T.astype(complex) * modular.K + mu.astype(complex) * unit
    value = _quantities(whole.value, T, n.value, hamiltonian)
    of_modes = (jnp.full(n.value.shape, error) for error in (n.error, blur))
    error = _quantities(whole.error, T, *of_modes)
    valid = is_valid(system) & _are_equal(*fillings) & _is_stable(system, bound, mu)
    value, error, T = jax.tree.map(lambda x: jnp.where(valid, x, jnp.nan), (value, error, T))
    reached = jnp.maximum(whole.relative, n.relative) <= RTOL
    status = jnp.where(reached, Status.SUCCESS, Status.TOLERANCE_NOT_REACHED)
    status = jnp.where(valid, status, Status.INVALID)
    return MeanForce(**vars(value), temperature=T, error=lax.stop_gradient(error), status=status)


class Free(NamedTuple):
    """Free modes in a thermal state, of the energies `levels` or any others."""

    filling: Thermal
    levels: Float[Array, " n"]

    def of(self, w: Float[Array, " w"]) -> Float[Array, "3 w"]:
        """-T ln Z = (w - mu) n - T S, entropy and heat capacity of modes."""
        filling, T = self.filling, self.filling.temperature
        warm, above = T > 0.0, w - filling.level
        x = jnp.abs(jnp.where(warm, above / jnp.where(warm, T, 1.0), 1.0))
        fermion = filling.statistics == "fermion"
        sign, gap = (-1.0, 1.0 + jnp.exp(-x)) if fermion else (1.0, -jnp.expm1(-x))
        m = jnp.exp(-x) / gap
        entropy = jnp.where(warm, x * m - sign * jnp.log(gap), 0.0)
        heat = jnp.where(warm, x**2 * m * (1.0 + sign * m), 0.0)
        return jnp.stack([above * filling(w) - T * entropy, entropy, heat])


class Found(NamedTuple):
    """Numbers with their errors, and the largest relative one."""

    value: Array
    error: Array
    relative: Scalar


def _quantities(
    whole: Float[Array, "3"], T: Scalar, n: Array, hamiltonian: Array
) -> MeanForceQuantities:
    free, entropy, heat = whole
    return MeanForceQuantities(
        free_energy=free,
        energy=free + T * entropy,
        entropy=entropy,
        heat_capacity=heat,
        n=n,
        hamiltonian=hamiltonian,
    )


def _is_stable(system: LinearSystem, bound: LinearBoundStates, mu: Scalar) -> Bool[Array, ""]:
    """Whether bosons have a thermal state."""
    if system.statistics == "fermion":
        return jnp.asarray(True)
    return ~jnp.any(bound.exist & (bound.placed <= mu))


def _levels(system: LinearSystem, bound: LinearBoundStates) -> Float[Array, " n"]:
    """The energies of free modes, constant; one that is a bound state moves with it."""
    e, w = eigvalsh(system.h), bound.frequencies
    apart = jnp.where(bound.exist[None], jnp.abs(e[:, None] - w[None]), jnp.inf)
    same = jnp.min(apart, axis=1) < SAME * (1.0 + jnp.abs(e))
    return jnp.where(same, w[jnp.argmin(apart, axis=1)], e)


def _nodes(system: LinearSystem, bound: LinearBoundStates, mu: Scalar) -> Nodes:
    """Nodes that resolve M and n, of bosons above mu alone."""
    cuts = Cuts.of(system)
    states = jnp.where(bound.exist, bound.frequencies, cuts.low)
    # A resonance that is a bound state is cut where this is, and moves with it.
    cuts = cuts.at_steps(jnp.concatenate([states, _levels(system, bound)]))
    cuts = resolved(system, cuts)
    middle = cuts.panels.inside(jnp.full(1, 0.5))[:, 0]
    used = (middle > mu) | (system.statistics == "fermion")
    return cuts.panels.nodes(used, NODES * (cuts.points.shape[0] + 1))


def _whole(system: LinearSystem, nodes: Nodes, spectrum: Spectrum, free: Free) -> Found:
    """-T ln Z*, S* and C."""
    _, slopes = jax.jvp(free.of, (nodes.w,), (jnp.ones_like(nodes.w),))
    apart = (nodes.anchor[None] - free.levels[:, None]) + nodes.offset[None]
    free_count = jnp.sum(jnp.where(apart > 0.0, 1.0, 0.0), axis=0)
    changed = slopes * (_counted(system, nodes, spectrum) - free_count)[None]
    alone, integrals = free.of(free.levels), changed @ nodes.weights.T
    sizes = jnp.sum(jnp.abs(alone), axis=1) + jnp.abs(changed) @ nodes.weights[0]
    relative = [
        relative_error((rules,), (size,))
        for rules, size in zip(*lax.stop_gradient((integrals, sizes)), strict=True)
    ]
    value = jnp.sum(alone, axis=1) - integrals[:, 0]
    return Found(value, sizes * jnp.stack(relative), jnp.max(jnp.stack(relative)))


def _counted(system: LinearSystem, nodes: Nodes, spectrum: Spectrum) -> Float[Array, " nodes"]:
    """N(w), from the arguments of the pivots of M."""
    c = system.couplings
    sigma = lax.complex(spectrum.shifts, jnp.pi * spectrum.densities)
    unit = jnp.eye(system.size, dtype=complex)[:, :, None]
    M = system.h[:, :, None] - unit * nodes.anchor.astype(complex)[None, None]
    M += jnp.einsum("ai,aj,aq->ijq", c, c.conj(), sigma)
    M -= unit * nodes.offset.astype(complex)[None, None]

    def eliminated(k: Array, state: tuple[Array, Array]) -> tuple[Array, Array]:
        M, total = state
        pivot = M[k, k]
        angle = jnp.arctan2(jnp.maximum(pivot.imag, 0.0), pivot.real)
        below = M[:, k, None] * (M[None, k] / jnp.where(pivot == 0.0, 1.0, pivot)[None, None])
        return M - below, total + angle / jnp.pi

    return _loops.fori_loop(0, system.size, eliminated, (M, jnp.zeros(nodes.anchor.shape)))[1]


def _filled(
    system: LinearSystem, spectrum: Spectrum, bound: LinearBoundStates, filling: Thermal
) -> Found:
    """n of the modes: what the continuum has, and thermal bound states."""
    every = Integrals.over(system, spectrum)
    thermal = bound.filled(filling).astype(complex)
    n = every.n[0] + jnp.einsum("b,bij->ij", thermal, bound.residues)
    weight = jnp.trace(every.complete[0] + jnp.sum(bound.residues, axis=0)).real
    missed = jnp.abs(system.size - weight)
    size = jnp.max(jnp.abs(n))
    relative = relative_error((every.complete, every.n), (jnp.ones(()), size)) + missed
    return Found(n, lax.stop_gradient(size * relative), lax.stop_gradient(relative))
