"""Steady states: of a qubit by its hierarchy, of several modes by Landauer's formulas."""

from typing import overload

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from bathax._checks import RealLike, Scalar, is_valid, require, require_kind
from bathax._display import Table, Tabular, ending, shown
from bathax._programs import program
from bathax._status import Status, concluded
from bathax.linear.landauer import RTOL, steady
from bathax.qubit import equilibrium
from bathax.qubit.equilibrium import SteadyState
from bathax.qubit.hierarchy import Hierarchy
from bathax.solution.results import named
from bathax.system.linear import LinearSystem
from bathax.system.models import Qubit
from bathax.thermodynamics.linear import Observables, observable_errors, observables


class LinearSteadyState(Tabular, Observables):
    """The steady state of several modes, and the currents that flow in it.

    `n` is n_ij = <a_j' a_i>, and `number` tr n, `energy` tr(h n) and `entropy` are those of the
    modes. `particle_current` and `energy_current` are what the reservoir of each channel gains in
    unit time, and `interaction_energy` is that of the coupling to it.

    `bound_weight` is the weight of bound states in all modes together. They keep a part of the
    initial state for ever: where it is not zero there is no unique steady state, and this one is
    that of empty bound states. `error` has an estimate of the absolute error of each quantity,
    under the same name, in which the weight of bound states counts as if there were one quantum in
    each. `status` is 0 if all errors are below 1e-9 of the largest element of n, of the energy of
    coupling, or of the current that arrives from all reservoirs.

    >>> J = bx.FlatBand(gamma=0.5, low=-5.0, high=5.0)
    >>> leads = [bx.Reservoir(J, 0.1, mu) for mu in (0.5, -0.5)]
    >>> channels = [bx.Channel(lead, [1.0]) for lead in leads]
    >>> end = bx.steady_state(bx.LinearSystem([[0.0]], channels, "fermion"))
    >>> f"{end.number:.4f}, {end.particle_current[1]:.4f}"
    '0.5000, 0.1229'
    """

    bound_weight: Scalar
    error: Observables
    status: Int[Array, ""]

    def _table(self) -> Table:
        own, errors = named(self), named(self.error)
        rows = [[name, shown(own[name]), shown(error)] for name, error in errors.items()]
        rows.append(["bound_weight", shown(self.bound_weight), ""])
        columns = ("", "", "error")
        return Table(type(self).__name__, columns, rows, [ending(self.status)])

    @property
    def message(self) -> str:
        """The status in words; for concrete values only."""
        return Status(int(self.status)).message


@overload
def steady_state(system: LinearSystem, *, throw: bool = False) -> LinearSteadyState:
    """Of several modes."""


@overload
def steady_state(
    system: Qubit,
    solver: Hierarchy | None = None,
    horizon: RealLike | None = None,
    *,
    throw: bool = False,
) -> SteadyState:
    """Of a qubit."""


def steady_state(
    system: Qubit | LinearSystem,
    solver: Hierarchy | None = None,
    horizon: RealLike | None = None,
    *,
    throw: bool = False,
) -> SteadyState | LinearSteadyState:
    r"""The state for t -> infinity, of a `Qubit` or of a `LinearSystem`.

    Of a `LinearSystem` by Landauer's formulas, integrals along the real axis with
    G(w) = 1 / (w - h - sum_channels c c' Sigma(w + i0)):

    n = \int dw sum_a J_a n_a (G c_a) (G c_a)',
    I_a = 2 pi \int dw J_a sum_b J_b |c_a' G c_b|^2 (n_b - n_a),

    and energy currents with a factor w. The error estimate is about the square of the change from
    half the nodes. Bound states, of which the weight is returned, and modes that no reservoir
    reaches keep a part of the start.

    Of a `Qubit` from the null vector of the generator of the hierarchy. `solver` is
    `Hierarchy(max_size=6000)` if left out; a dense matrix of half its elements is solved. `horizon`
    is the time up to which the memory kernels are reduced to modes, 60 / w_s if left out. The error
    estimate is the change from a smaller hierarchy plus the change of a small one from half the
    horizon. The steady state is unique only without bound states, below the critical coupling.

    The reservoirs may have several temperatures, but must have continuous spectra. Errors are
    constant to differentiation. If the `status` is not 0, there is a `ToleranceWarning` outside of
    `jit`, or with `throw` a `ToleranceError`. Works under `jit`, `vmap` and `grad`; inside `jit`
    the size of a hierarchy is that of `Hierarchy`.

    >>> bath = bx.Reservoir(bx.Lorentzian(0.01, 0.5, 1.0), occupation=bx.Uniform(0.5))
    >>> end = bx.steady_state(bx.Qubit(1.0, bath), bx.Hierarchy(depth=5, modes=1))
    >>> round(float(end.excited_population), 4)  # n / (2n + 1)
    0.25
    >>> hot, cold = (bx.Reservoir(bx.Ohmic(0.05, 3.0), T) for T in (2.0, 0.2))
    >>> channels = [bx.Channel(hot, [1.0, 0.0]), bx.Channel(cold, [0.0, 1.0])]
    >>> end = bx.steady_state(bx.LinearSystem([[1.0, 0.3], [0.3, 1.2]], channels))
    >>> f"{end.energy_current[1]:.6f}"  # into the cold reservoir
    '0.134491'
    """
    require_kind("system", "a `Qubit` or a `LinearSystem`", system, (Qubit, LinearSystem))
    if isinstance(system, LinearSystem):
        system.require_static()
        for bath in system.reservoirs:
            bath.require_continuous()
    if isinstance(system, Qubit):
        return concluded(equilibrium.steady_state(system, solver, horizon), throw)
    words = "left out with `horizon` for a `LinearSystem`"
    require("solver", words, shown(solver), solver is None and horizon is None)
    return concluded(_of_modes(system), throw)


@program
def _of_modes(system: LinearSystem) -> LinearSteadyState:
    """The steady state of several modes."""
    found = steady(system)
    value = observables(system, found.state)
    error = eqx.tree_at(
        lambda error: error.particle_current,
        observable_errors(system, found.state, found.error),
        found.current_error,
    )
    valid = is_valid(system)
    value, error, bound_weight = jax.tree.map(
        lambda x: jnp.where(valid, x, jnp.nan), (value, error, found.bound_weight)
    )
    reached = jnp.where(
        found.relative + found.bound_weight <= RTOL, Status.SUCCESS, Status.TOLERANCE_NOT_REACHED
    )
    return LinearSteadyState(
        **named(value),
        bound_weight=bound_weight,
        error=error,
        status=jnp.where(valid, reached, Status.INVALID),
    )
