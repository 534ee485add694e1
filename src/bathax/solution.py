"""The main entry, `solve(system, initial, ts, solver)`, and the solutions that it returns."""

from collections.abc import Callable
from dataclasses import fields
from functools import singledispatch
from typing import Any, overload

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Complex, Float, Inexact, Int

from bathax._checks import (
    RealLike,
    as_float,
    is_concrete,
    is_valid,
    require,
    require_kind,
    require_times,
)
from bathax._display import Table, Tabular, ending, over_time, shown
from bathax._estimate import Estimate
from bathax._late import Exported, late
from bathax._programs import program
from bathax._status import Status, concluded
from bathax.cavity.default import default_solver
from bathax.cavity.green import GreenFunctions
from bathax.cavity.solvers import Solver
from bathax.numerics.times import at_shared_length
from bathax.qubit import dynamical_map
from bathax.qubit.elements import MapElements, MapSolver
from bathax.qubit.states import QubitState
from bathax.system.models import Cavity, Qubit
from bathax.system.preparation import prepared
from bathax.system.states import State
from bathax.thermodynamics import cavity, qubit

# The number of elements of density matrices that are computed at once.
AT_ONCE = 2**24


class Amplitudes(eqx.Module):
    """u and v with their rates, as a solution gives them; see `GreenFunctions`."""

    u: Inexact[Array, "*times"]
    du: Inexact[Array, "*times"]
    v: Float[Array, "*times"]
    dv: Float[Array, "*times"]


class Quantities(cavity.Thermodynamics, Amplitudes):
    """All quantities of a solution at its times; see `GreenFunctions` and `Thermodynamics`."""


class QubitQuantities(qubit.QubitThermodynamics):
    """All quantities of a solution at its times; see `QubitThermodynamics`.

    `number` is the excited population, `coherence` is rho_10 in the laboratory frame.
    """

    coherence: Inexact[Array, "*times"]


class Outcome(Tabular, Exported, eqx.Module):
    """The times `t` of a solution, and how far to trust it.

    `error` has an estimate of the absolute error of each quantity, under the same name. The true
    error is at most a small multiple of it, and usually far below. It is constant to
    differentiation. It does not include the errors of a `Tabulated` density itself, which
    `table_error` gives. `temperature_resolved` is False where T is 0/0 and its limit is returned.
    `status` is 0 if the requested tolerance was reached (see `Status`); if parameters were invalid
    all numbers are NaN.
    """

    t: Float[Array, " times"]
    temperature_resolved: Bool[Array, " times"]
    status: Int[Array, ""]

    def _table(self) -> Table:
        """The quantities that have an error; the rest in words."""
        own = _named(self)
        errors = _named(own["error"])
        values = {name: own[name] for name in errors}
        notes = (f"initial = {shown(own['initial'])}", ending(self.status))
        return over_time(type(self).__name__, self.t, values, errors, *notes)

    @property
    def message(self) -> str:
        """The status in words; for concrete values only."""
        return Status(int(self.status)).message


class Solution(Quantities, Outcome):
    """The quantities of a cavity at the times `t`, their errors, and its state at those times.

    `u`, `v` and their rates `du`, `dv` are the Green functions (AHZ Eq. 14), v that of equal times.
    `number` N = <a'a>, `energy` E = w_s N, `entropy` S = -Tr[rho ln rho], their rates `energy_rate`
    and `entropy_rate`, `temperature` T = E'/S', `chemical_potential` mu = dE/dN, `free_energy`
    F = E - T S. `interaction_energy` is that of the coupling, <H_I>, and `entropy_production`
    Delta S - (Delta E + <H_I>) / T0 for reservoirs of one temperature T0, NaN for several.

    `error` has an estimate of the absolute error of each of these, under the same name; the true
    error is at most a small multiple of it. `temperature_resolved` is False where T is 0/0 and its
    limit is returned. `status` is 0 if the requested tolerance was reached (see `Status`), and
    `initial` the state at t = 0. Energies are in units of hbar, entropies of k_B.

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=20.0))
    >>> sol = bx.solve(cavity, bx.Fock(5), jnp.linspace(0.0, 40.0, 9))
    >>> f"{sol.energy[0]:.1f}, {sol.entropy[0]:.1f}; {sol.energy[-1]:.1f}, {sol.entropy[-1]:.1f}"
    '5.0, 0.0; 39.5, 4.7'
    """

    error: Quantities
    initial: State

    @property
    def populations(self) -> Float[Array, "times 64"]:
        """Probabilities of the first 64 Fock states, less than 1 by `population_above`."""
        return self.fock_populations(64)

    @property
    def population_above(self) -> Float[Array, " times"]:
        """The probability of all Fock states that `populations` leaves out."""
        return 1.0 - jnp.sum(self.populations, axis=-1)

    @program
    def fock_populations(self, levels: int) -> Float[Array, "times levels"]:
        """p_n(t) for n below `levels` (AHZ Eq. 16); the sum falls short of 1 by those above."""
        return lax.map(
            lambda point: self.initial.populations(point[0], point[1], levels),
            (self.u, self.v),
            batch_size=max(AT_ONCE // levels**2, 1),
        )

    def populations_within(self, missing: float = 1e-6) -> Float[Array, "times levels"]:
        """p_n(t) of so many Fock states that the probability of all others is below `missing`.

        There are at most 4,096 levels, or 256 for states that evolve as matrices, even if more
        would be needed. For concrete values only.
        """
        levels, found = 64, self.populations
        while levels < self.initial.most_levels and bool(
            jnp.max(1.0 - jnp.sum(found, axis=-1)) > missing
        ):
            levels *= 4
            found = self.fock_populations(levels)
        return found

    @program
    def density_matrix(self, levels: int) -> Complex[Array, "times levels levels"]:
        """rho(t) in the Fock basis, cut at `levels`, in the laboratory frame."""
        return jax.vmap(lambda u, v: self.initial.density_matrix(u, v, levels))(self.u, self.v)

    def to_qutip(self, levels: int) -> list[Any]:
        """rho(t) at each time as a `qutip.Qobj` of so many Fock states."""
        return late("interchange.qutip", "states")(self.density_matrix(levels))


class QubitSolution(QubitQuantities, Outcome):
    """The quantities of a qubit at the times `t`, their errors, and its state at those times.

    `number` is the excited population p and `coherence` rho_10 in the laboratory frame. `energy`
    E = w_s p, `entropy` S = -Tr[rho ln rho], their rates `energy_rate` and `entropy_rate`,
    `temperature` T = E'/S', negative in an inverted state, `chemical_potential` mu = dE/dN,
    `free_energy` F = E - T S.

    `error` has an estimate of the absolute error of each of these, under the same name; the true
    error is at most a small multiple of it. `temperature_resolved` is False where T is 0/0 and its
    limit is returned. `status` is 0 if the requested tolerance was reached (see `Status`), and
    `initial` the state at t = 0. Energies are in units of hbar, entropies of k_B.

    >>> qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.01, 5.0), temperature=1.0))
    >>> sol = bx.solve(qubit, bx.Excited(), jnp.linspace(0.0, 400.0, 9), bx.VanHove())
    >>> round(float(sol.number[-1]), 4)  # 1 / (1 + e)
    0.2689
    >>> round(float(sol.temperature[-1]), 4)
    1.0
    """

    error: QubitQuantities
    initial: QubitState

    @property
    @program
    def populations(self) -> Float[Array, "times 2"]:
        """Probabilities of the ground state and of the excited state."""
        return jnp.stack([1.0 - self.number, self.number], axis=-1)

    @program
    def density_matrix(self) -> Complex[Array, "times 2 2"]:
        """rho(t) in the basis of quanta (ground, excited), in the laboratory frame."""
        ground, excited = jnp.unstack(self.populations.astype(complex), axis=-1)
        rows = [[ground, self.coherence.conj()], [self.coherence, excited]]
        return jnp.stack([jnp.stack(row, axis=-1) for row in rows], axis=-2)

    def to_qutip(self) -> list[Any]:
        """rho(t) at each time as a `qutip.Qobj`, in the basis of quanta, of `qutip.destroy(2)`."""
        return late("interchange.qutip", "states")(self.density_matrix())


@overload
def solve(
    system: Cavity,
    initial: State,
    ts: RealLike,
    solver: Solver | None = None,
    *,
    throw: bool = False,
) -> Solution:
    """Of a cavity."""


@overload
def solve(
    system: Qubit,
    initial: QubitState,
    ts: RealLike,
    solver: MapSolver | None = None,
    *,
    throw: bool = False,
) -> QubitSolution:
    """Of a qubit."""


def solve(
    system: Any, initial: Any, ts: RealLike, solver: Any = None, *, throw: bool = False
) -> Solution | QubitSolution:
    """Exact dynamics and thermodynamics of a `Cavity` or a `Qubit` at the times `ts`.

    `ts` are increasing times >= 0; the start is always t = 0. `initial` is a `Preparation`, or a
    state of the system, which is then uncorrelated with the reservoirs. If `solver` is left out, a
    cavity takes `Volterra()`, or `Resonance()` where a time grid would be too long or cannot
    resolve the kernel (see `Automatic`), and a qubit the exact solver that fits its reservoirs.
    Works under `jit`, `vmap` and `grad` with respect to every parameter of the system, the initial
    state and the times. Bad input raises `ValueError`; inside `jit` or `vmap` a bad point is NaN,
    with its `status`. A tolerance that is not reached gives a `ToleranceWarning` outside of `jit`,
    or with `throw` a `ToleranceError`.

    At half the critical coupling the steady temperature is not that of the reservoir (AHZ Fig. 2b):

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=20.0))
    >>> sol = bx.solve(cavity, bx.Fock(5), jnp.linspace(0.0, 40.0, 9))
    >>> round(float(sol.temperature[-1]), 1)
    40.0
    """
    if isinstance(ts, State | QubitState):
        require(
            "ts", "a list of times after the state, `solve(system, state, ts)`", "a state", False
        )
    ts = as_float(ts, "ts")
    require_times(ts)
    return concluded(_solve(system, initial, ts, solver), throw)


@singledispatch
def _solve(system: object, initial: object, ts: Array, solver: object) -> Any:
    """How one kind of system is solved; another one is refused."""
    del initial, ts, solver
    require("system", "a `Cavity` or a `Qubit`", f"a `{type(system).__name__}`", False)


@_solve.register(Cavity)
def _(system: Cavity, initial: Any, ts: Float[Array, " times"], solver: Any) -> Solution:
    solver = default_solver(system) if solver is None else solver
    preparation = prepared(initial)
    require_kind("solver", "a solver of a cavity, like `Volterra()`", solver, Solver)
    require_kind("initial", "a state of a cavity, like `Fock(1)`", preparation.state, State)
    state = preparation.state.of_shared_shape()

    def observed(ts: Float[Array, " times"]) -> dict[str, Any]:
        return _observe_cavity(system, state, solver.from_preparation(system, preparation, ts))

    return Solution(**_at(ts, observed, system, preparation), t=ts, initial=preparation.state)


@_solve.register(Qubit)
def _(system: Qubit, initial: Any, ts: Float[Array, " times"], solver: Any) -> QubitSolution:
    solver = dynamical_map.chosen_solver(system, solver)
    preparation = prepared(initial)
    state = preparation.state
    require_kind("initial", "a state of a qubit, like `Excited()`", state, QubitState)

    def observed(ts: Float[Array, " times"]) -> dict[str, Any]:
        return _observe_qubit(system, state, solver.from_preparation(system, preparation, ts))

    return QubitSolution(**_at(ts, observed, system, preparation), t=ts, initial=state)


def _at(
    ts: Float[Array, " times"], observed: Callable[[Array], dict[str, Any]], *parameters: Any
) -> dict[str, Any]:
    """What is observed at some times; concrete ones are padded, so that lists share programs."""
    known = is_concrete(ts, *parameters)
    return at_shared_length(observed, ts) if known else observed(ts)


@program
def _observe_cavity(
    system: Cavity, initial: State, estimate: Estimate[GreenFunctions]
) -> dict[str, Any]:
    value, bound, resolved = cavity.thermodynamics(initial, system, estimate)

    def joined(green: GreenFunctions, thermal: cavity.Thermodynamics) -> Quantities:
        return Quantities(u=green.u, du=green.du, v=green.v, dv=green.dv, **_named(thermal))

    known, unknown = joined(estimate.value, value), joined(estimate.error, bound)
    usable = estimate.valid & is_valid(initial)
    return _marked(usable, estimate.status, resolved, value=known, error=unknown)


@program
def _observe_qubit(
    system: Qubit, initial: QubitState, estimate: Estimate[MapElements]
) -> dict[str, Any]:
    value, bound, resolved = qubit.thermodynamics(initial, system, estimate)
    known = QubitQuantities(coherence=initial.coherence(estimate.value), **_named(value))
    of_coherence = lax.stop_gradient(jnp.abs(initial.rho[1, 0]) * estimate.error.c)
    unknown = QubitQuantities(coherence=of_coherence, **_named(bound))
    usable = estimate.valid & is_valid(initial)
    return _marked(usable, estimate.status, resolved, value=known, error=unknown)


def _marked(
    usable: Bool[Array, ""],
    status: Int[Array, ""],
    resolved: Bool[Array, " times"],
    *,
    value: eqx.Module,
    error: eqx.Module,
) -> dict[str, Any]:
    """The fields of a solution; all numbers are NaN if a parameter is invalid."""
    value, error = jax.tree.map(lambda x: jnp.where(usable, x, jnp.nan), (value, error))
    status = jnp.where(usable, status, Status.INVALID)
    outcome = {"error": error, "temperature_resolved": resolved & usable, "status": status}
    return _named(value) | outcome


def _named(module: eqx.Module) -> dict[str, Any]:
    return {field.name: getattr(module, field.name) for field in fields(module)}
