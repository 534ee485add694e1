r"""Three readings of E, S, T and F at strong coupling; in the limit of weak coupling they agree.

*Bare* (AHZ): H_S = w_s a'a, and T = dE/dS along the trajectory.

*Renormalised* (Huang and Zhang): w^r = -Im(u'/u) in place of w_s; see `renormalised`. Of several
modes it is the Hermitian part of i u' u^{-1}, with which n in the end does not commute: it has no
one temperature.

*Mean force*: in equilibrium with reservoirs of temperature T modes have the state e^{-H*/T} / Z*,
with H* = h* n + c and -T ln Z* = F* of the whole less the reservoirs. In any other state, with its
entropy S and its relative entropy D to that of equilibrium (Seifert, Phys. Rev. Lett. 116, 020601),

E* = <H* - T dH*/dT>,    S* = S - <dH*/dT>,    F* = E* - T S* = F*_eq + T D,

With numbers of the equilibrium E* = E*_eq + tr[(h* - mu - T dh*/dT) (n - n_eq)], and so on.
"""

from typing import Any

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from bathax._checks import require, require_kind, shown
from bathax._programs import program
from bathax.solution.renormalised import renormalised, thermal_heat_capacity
from bathax.solution.results import (
    DrivenLinearSolution,
    DrivenSolution,
    LinearSolution,
    Outcome,
    Solution,
)
from bathax.system.linear import LinearSystem
from bathax.system.models import Cavity, as_modes
from bathax.thermodynamics.linear import entropy
from bathax.thermodynamics.mean_force import MeanForce, with_slope
from bathax.thermodynamics.reading import Reading, ReadingQuantities

Times = Float[Array, " times"]


def reading(solution: Outcome, kind: str) -> Reading:
    r"""E, S, T, F, heat, work and heat capacity of a solution in a reading of one `kind`.

    "bare" has the energy of the system alone, and T = E'/S'. "renormalised", of a cavity, or of an
    atom in the vacuum where c is u, has w^r = -Im(u'/u) for w_s, and T^r = (w^r / w_s) T.
    "mean_force", of a cavity or several modes, has the T of the reservoirs; E*, S* and F* become
    those of the joint equilibrium, `mean_force`, as the system gets there, and no work is done.

    `solution` is one that `solve` has returned, not one from a file. The renormalised reading takes
    a constant frequency, reservoirs as `Resonance` does, and five times or more, because Q is a sum
    over them: the error estimate of Q and W is the change if every second one is left out, and that
    of the others is infinite where u may vanish. Mean force takes what `mean_force` does; at T = 0
    E*, S* and F* are NaN unless n is that of equilibrium. Several modes must be constant in time.
    Works under `jit`, `vmap` and `grad`.

    Half of the critical coupling, with a reservoir of temperature 20:

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=20.0))
    >>> sol = bx.solve(cavity, bx.Thermal(5.0), jnp.linspace(0.0, 40.0, 401))
    >>> kinds = ("bare", "renormalised", "mean_force")
    >>> [f"{bx.reading(sol, kind).temperature[-1]:.2f}" for kind in kinds]
    ['40.00', '15.64', '20.00']
    """
    words = "a solution as `solve` returns it"
    require_kind("solution", words, solution, Outcome)
    require("solution", words, "one from a file", solution.origin is not None)
    require("kind", f"one of {', '.join(READINGS)}", repr(kind), kind in READINGS)
    origin: Any = solution.origin
    system = origin.parts[0]
    if isinstance(system, LinearSystem):
        system.require_static()
    return READINGS[kind](system, solution)


@program
def _bare(system: Any, solution: Any) -> Reading:
    s, error = solution, solution.error
    done, of_done = 0.0 * s.energy, 0.0 * error.energy
    if isinstance(s, DrivenSolution):
        done, of_done = s.work - s.work[0], error.work + error.work[0]
    value, doubt = (
        ReadingQuantities(
            frequency=w,
            energy=each.energy,
            entropy=each.entropy,
            temperature=each.temperature,
            free_energy=each.free_energy,
            heat=heat,
            work=work,
            heat_capacity=capacity,
        )
        for each, w, heat, work, capacity in zip(
            (s, error),
            _own_frequency(system, s),
            (s.energy - s.energy[0] - done, error.energy + error.energy[0] + of_done),
            (done, of_done),
            thermal_heat_capacity(s),
            strict=True,
        )
    )
    return _read(s, value, doubt, s.status)


def _own_frequency(system: Any, solution: Any) -> tuple[Array, Array]:
    """w_s at each time, or h, and their errors."""
    if not isinstance(solution, LinearSolution):
        return solution.chemical_potential, solution.error.chemical_potential
    h = jnp.broadcast_to(system.h, solution.n.shape)
    return h, jnp.zeros(h.shape)


def _read(
    solution: Any, value: ReadingQuantities, error: ReadingQuantities, status: Array
) -> Reading:
    """A reading whose frequency is what it means at all times."""
    return Reading(
        **vars(value),
        t=solution.t,
        plateau=value.frequency[-1],
        on_plateau=jnp.isfinite(value.energy),
        error=lax.stop_gradient(error),
        status=status,
    )


def _of_mean_force(system: Any, solution: Any) -> Reading:
    words = "of a `Cavity` or a `LinearSystem` for the reading of mean force"
    require("solution", words, shown(solution), isinstance(system, Cavity | LinearSystem))
    found, slope = with_slope(system)
    return _about_equilibrium(as_modes(system), solution, found, slope)


@program
def _about_equilibrium(
    modes: LinearSystem, solution: Any, found: MeanForce, slope: Array
) -> Reading:
    """E*, S* and F* from those in equilibrium, and from what n and S differ by."""
    (n, of_n), T, doubt = _covariance(solution), found.temperature, found.error
    apart, of_apart = n - found.n[None], of_n + doubt.n[0, 0]
    # At T = 0 neither h* nor its slope is known.
    warm = jnp.where(T > 0.0, T, jnp.nan)
    mu = modes.reservoirs[0].occupation.level.astype(complex)
    h = found.hamiltonian - mu * jnp.eye(modes.size, dtype=complex)
    of_h = doubt.hamiltonian[0, 0] / warm

    def by(M: Array, of_M: Array) -> tuple[Times, Times]:
        """tr[M (n - n_eq)], and its error."""
        terms = jnp.where(apart == 0.0, 0.0, M.T[None] * apart)
        error = jnp.sum(jnp.abs(M)) * of_apart + jnp.sum(jnp.abs(apart), (1, 2)) * of_M
        return jnp.sum(terms, (1, 2)).real, error

    K, dh = h / warm.astype(complex), slope + 0.0 * warm.astype(complex)
    (moved, of_moved), (turned, of_turned) = by(K, of_h), by(dh, of_h)
    missed = solution.entropy - entropy(found.n, modes.statistics)
    of_missed = solution.error.entropy + jnp.sum(jnp.abs(K)) * doubt.n[0, 0]
    E = found.energy + T * (moved - turned)
    of_E = doubt.energy + T * (of_moved + of_turned)
    none = jnp.zeros_like(E)
    value = ReadingQuantities(
        frequency=_over_times(solution, found.hamiltonian),
        energy=E,
        entropy=found.entropy + missed - turned,
        temperature=none + T,
        free_energy=found.free_energy + T * (moved - missed),
        heat=E - E[0],
        work=0.0 * E,
        heat_capacity=none + found.heat_capacity,
    )
    error = ReadingQuantities(
        frequency=_over_times(solution, doubt.hamiltonian),
        energy=of_E,
        entropy=doubt.entropy + of_missed + of_turned,
        temperature=none,
        free_energy=doubt.free_energy + T * (of_moved + of_missed),
        heat=of_E + of_E[0],
        work=none,
        heat_capacity=none + doubt.heat_capacity,
    )
    return _read(solution, value, error, jnp.maximum(solution.status, found.status))


def _covariance(solution: Any) -> tuple[Array, Times]:
    """n as a matrix at each time, and the error of an element."""
    if isinstance(solution, Solution):
        return solution.number.astype(complex)[:, None, None], solution.error.number
    n = solution.n.astype(complex)
    if isinstance(solution, DrivenLinearSolution):
        mean = solution.displacement
        n = n + mean[:, :, None] * mean.conj()[:, None, :]
    return n, jnp.max(solution.error.n, axis=(1, 2))


def _over_times(solution: Any, h: Array) -> Array:
    """The same at each time, of a cavity as a number."""
    if isinstance(solution, Solution):
        return jnp.broadcast_to(h[0, 0].real, solution.t.shape)
    return jnp.broadcast_to(h, (*solution.t.shape, *h.shape))


READINGS = {"bare": _bare, "renormalised": renormalised, "mean_force": _of_mean_force}
