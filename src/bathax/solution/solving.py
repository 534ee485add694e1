"""`solve(system, initial, ts, solver)`: which solver, and what is derived from its result."""

from collections.abc import Callable
from functools import singledispatch
from typing import Any, overload

import jax.numpy as jnp
from jaxtyping import Array, Float

from bathax._checks import (
    RealLike,
    as_float,
    is_concrete,
    require,
    require_kind,
    require_times,
)
from bathax._status import concluded
from bathax.cavity.default import default_solver
from bathax.cavity.solvers import Solver, Volterra
from bathax.linear import driven, embedding, single, volterra
from bathax.linear.embedding import Embedding
from bathax.linear.stability import require_stable
from bathax.numerics.forward_mode import forward_differentiated
from bathax.numerics.times import at_shared_length
from bathax.qubit import dynamical_map
from bathax.qubit.elements import MapSolver
from bathax.qubit.states import QubitState
from bathax.solution.level import as_covariance
from bathax.solution.observing import (
    observe_cavity,
    observe_driven,
    observe_driven_cavity,
    observe_modes,
    observe_qubit,
)
from bathax.solution.results import (
    DrivenLinearSolution,
    DrivenSolution,
    LinearSolution,
    Origin,
    QubitSolution,
    Solution,
)
from bathax.solution.starting import is_static, start_of
from bathax.system.covariance import Covariance
from bathax.system.linear import LinearSystem
from bathax.system.models import Cavity, Qubit, as_cavity
from bathax.system.preparation import Continue, Correlated, Preparation, Uncorrelated, prepared
from bathax.system.states import State


@overload
def solve(
    system: Cavity,
    initial: State | Preparation,
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


@overload
def solve(
    system: LinearSystem,
    initial: State,
    ts: RealLike,
    solver: Solver | None = None,
    *,
    throw: bool = False,
) -> Solution:
    """Of one mode of bosons in any state of a cavity."""


@overload
def solve(
    system: LinearSystem,
    initial: Covariance | Preparation,
    ts: RealLike,
    solver: Volterra | Embedding | None = None,
    *,
    throw: bool = False,
) -> LinearSolution:
    """Of several modes."""


def solve(
    system: Any, initial: Any, ts: RealLike, solver: Any = None, *, throw: bool = False
) -> Solution | QubitSolution | LinearSolution:
    """Exact dynamics and thermodynamics of a `Cavity`, `Qubit` or `LinearSystem` at the times `ts`.

    `ts` are increasing times >= 0; the start is always t = 0. `initial` is a `Preparation`, or a
    state of the system, which is then uncorrelated with the reservoirs. If `solver` is left out, a
    cavity takes `Volterra()`, or `Resonance()` where a time grid would be too long or cannot
    resolve the kernel (see `Automatic`), and a qubit the exact solver that fits its reservoirs.
    Several modes take `Volterra()`; with a `WideBand`, or if they change in time, `Embedding()`,
    and the solution of a system that changes has the work of the drive. A `LinearSystem` of one
    mode of bosons in a `State`, like `Fock(5)`, is solved as the `Cavity` that it is.
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
    words = "a `Cavity`, a `Qubit` or a `LinearSystem`"
    require("system", words, f"a `{type(system).__name__}`", False)


@_solve.register(Cavity)
def _(system: Cavity, initial: Any, ts: Float[Array, " times"], solver: Any) -> Solution:
    preparation = prepared(initial)
    correlated = isinstance(preparation, Correlated | Continue)
    if correlated and not isinstance(preparation.state, State):
        return _solve(system.as_modes, initial, ts, solver)
    given: Any = preparation.state
    require_kind("initial", "a state of a cavity, like `Fock(1)`", given, State)
    state = given.of_shared_shape()
    if system.is_driven or correlated:
        return _solve_driven(system, preparation, state, ts, solver)
    solver = default_solver(system) if solver is None else solver
    require_kind("solver", "a solver of a cavity, like `Volterra()`", solver, Solver)

    observe = _observed_forward if solver.forward else _observed

    def observed(ts: Float[Array, " times"]) -> dict[str, Any]:
        return observe(system, state, preparation, ts, solver)

    found = _at(ts, observed, system, preparation)
    origin = Origin.of(system, preparation)
    return Solution(**found, t=ts, initial=preparation.state, origin=origin)


def _observed(
    system: Cavity,
    state: State,
    preparation: Preparation,
    ts: Float[Array, " times"],
    solver: Solver,
) -> dict[str, Any]:
    return observe_cavity(system, state, solver.from_preparation(system, preparation, ts))


_observed_forward = forward_differentiated(_observed)


def _solve_driven(
    system: Cavity, preparation: Preparation, state: State, ts: Float[Array, " times"], solver: Any
) -> DrivenSolution:
    """Of a cavity whose frequency is a function of the time, or that goes on."""
    solver = Embedding() if solver is None else solver
    words = "`Embedding()` for a frequency that changes in time, or to go on"
    require_kind("solver", words, solver, Embedding)
    one = Covariance(jnp.reshape(state.number, (1, 1)))
    start, modes = start_of(system.as_modes, preparation, one)
    entropy = preparation.entropy if isinstance(preparation, Continue) else state.initial_entropy

    def observed(ts: Float[Array, " times"]) -> dict[str, Any]:
        of_mode = driven.green_functions(modes, start, ts, solver)
        of_cavity = single.green_functions(system, state.number, of_mode)
        return observe_driven_cavity(system, state, entropy, of_cavity, of_mode)

    found = _at(ts, observed, system, preparation)
    origin = Origin.of(system, preparation)
    return DrivenSolution(**found, t=ts, initial=preparation.state, origin=origin)


@_solve.register(Qubit)
def _(system: Qubit, initial: Any, ts: Float[Array, " times"], solver: Any) -> QubitSolution:
    solver = dynamical_map.chosen_solver(system, solver)
    preparation = prepared(initial)
    state = preparation.state
    require_kind("initial", "a state of a qubit, like `Excited()`", state, QubitState)

    def observed(ts: Float[Array, " times"]) -> dict[str, Any]:
        return observe_qubit(system, state, solver.from_preparation(system, preparation, ts))

    found = _at(ts, observed, system, preparation)
    return QubitSolution(**found, t=ts, initial=state, origin=Origin.of(system, preparation))


@_solve.register(LinearSystem)
def _(
    system: LinearSystem, initial: Any, ts: Float[Array, " times"], solver: Any
) -> LinearSolution | Solution:
    preparation = prepared(initial)
    is_mode = system.size == 1 and system.statistics == "boson"
    if is_mode and isinstance(preparation.state, State):
        return _solve(as_cavity(system), initial, ts, solver)
    state = preparation.state
    if not isinstance(preparation, Correlated):
        state = as_covariance(system, state)
        words = "a Gaussian state of the modes, `Covariance(n)`"
        require_kind("initial", words, state, (Covariance, Correlated))
    if isinstance(state, Covariance):
        state.require_fits(system)
    if not is_static(system, preparation):
        return _solve_driven_modes(system, preparation, state, ts, solver)
    if solver is None:
        solver = Volterra() if system.has_ends else Embedding()
    words = "a solver of several modes, `Volterra()` or `Embedding()`"
    require_kind("solver", words, solver, (Volterra, Embedding))
    engine: Any = embedding if isinstance(solver, Embedding) else volterra

    observe = observe_modes if state.is_plain else observe_driven
    kind = LinearSolution if state.is_plain else DrivenLinearSolution

    def observed(ts: Float[Array, " times"]) -> dict[str, Any]:
        return observe(system, state, engine.green_functions(system, state, ts, solver))

    found = _at(ts, observed, system, preparation)
    origin = Origin.of(system, preparation)
    return kind(**found, t=ts, initial=state, origin=origin)


def _solve_driven_modes(
    system: LinearSystem, preparation: Preparation, state: Any, ts: Array, solver: Any
) -> DrivenLinearSolution:
    """Of modes that are driven or paired, or correlated with reservoirs."""
    solver = Embedding() if solver is None else solver
    words = "`Embedding()` for a system that changes in time or makes pairs"
    if not isinstance(preparation, Uncorrelated):
        words = "`Embedding()` for a correlated start"
    require_kind("solver", words, solver, Embedding)
    require_stable(system)
    start, modes = start_of(system, preparation, state)

    def observed(ts: Float[Array, " times"]) -> dict[str, Any]:
        green = driven.green_functions(modes, start, ts, solver)
        return observe_driven(modes, start.state, green)

    found = _at(ts, observed, system, preparation)
    initial = state if isinstance(preparation, Uncorrelated) else preparation
    origin = Origin.of(system, preparation)
    return DrivenLinearSolution(**found, t=ts, initial=initial, origin=origin)


def _at(
    ts: Float[Array, " times"], observed: Callable[[Array], dict[str, Any]], *parameters: Any
) -> dict[str, Any]:
    """What is observed at some times; concrete ones are padded, so that lists share programs."""
    known = is_concrete(ts, *parameters)
    return at_shared_length(observed, ts) if known else observed(ts)
