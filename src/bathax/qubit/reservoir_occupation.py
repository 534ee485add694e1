r"""The occupation of the reservoirs of a qubit: the quanta that each frequency gains in time.

Heisenberg's equation of b_k, for an initially uncorrelated reservoir, gives (NP)

dn_k/dt = 2 V_k^2 Re \int_0^t ds e^{-iw_k(t-s)} {(n_k + 1) <s+(t) s-(s)> - n_k <s-(s) s+(t)>},

where n_k is the occupation at t = 0. The sum over all modes is -d rho_11/dt, because quanta are
conserved. In that sum e^{-iwt} becomes the kernels g + g~ and g~, so that it needs no frequency
grid.
"""

from dataclasses import fields
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex, Float, Int

from bathax._checks import (
    RealLike,
    as_float,
    holds,
    is_finite,
    is_valid,
    require,
    require_each,
    require_kind,
    require_times,
)
from bathax._display import Module, Table, Tabular, ending, over_time, shown
from bathax._programs import optimised
from bathax._status import Status, concluded
from bathax.numerics import gregory
from bathax.numerics.grid import TimeGrid, interpolate
from bathax.qubit.correlations import TwoTime, two_time
from bathax.qubit.hierarchy import Hierarchy
from bathax.qubit.states import QubitState
from bathax.reservoir.reservoir import Reservoir
from bathax.system.models import Qubit

ROUNDING = 1e-13
# Half the time grid is resolved if its relative error is below this; the full one is then 100 times
# as accurate.
RESOLVED = 1e-2


class FieldQuantities(Module):
    """The quantities of the reservoirs, one row for each; see `ReservoirOccupation`."""

    per_coupling: Float[Array, "reservoirs times frequencies"]
    per_coupling_rate: Float[Array, "reservoirs times frequencies"]
    quanta: Float[Array, "reservoirs times"]
    quanta_rate: Float[Array, "reservoirs times"]


class ReservoirOccupation(Tabular, FieldQuantities):
    r"""Quanta gained by the reservoirs since t = 0, at the times `t` and the `frequencies` w.

    `per_coupling` is f(w, t): a mode of coupling V_k gains n_k(t) - n_k(0) = V_k^2 f(w_k, t)
    quanta, and a continuum gains J(w) f(w, t) per unit of frequency, the property `change`.
    `quanta` is the gain of the whole reservoir, \int dw J f, computed from its kernels and not from
    the `frequencies`. Their time derivatives are `per_coupling_rate` and `quanta_rate`; each has a
    row for each of the `reservoirs`. `excited_population` is rho_11 of the qubit.

    `error` has an estimate of the absolute error of each, under the same name: the largest change
    up to each time from a smaller hierarchy and from half the time grid, for `quanta` at least the
    defect of the sum rule. It is constant to differentiation. `sum_rule_defect` is the sum of
    `quanta` less rho_11(0) - rho_11(t), zero in the exact solution. `status` is a `Status`; if
    parameters were invalid all numbers are NaN.

    >>> mode = bx.DiscreteModes(frequencies=[1.0], couplings=[0.1])
    >>> qubit, ts = bx.Qubit(1.0, bx.Reservoir(mode)), jnp.linspace(0.0, 5.0 * jnp.pi, 9)
    >>> solver = bx.Hierarchy(depth=4, modes=1)
    >>> field = bx.reservoir_occupation(qubit, bx.Excited(), ts, [1.0], solver)
    >>> round(float(0.1**2 * field.per_coupling[0, -1, 0]), 4)  # V^2 f, the quanta of the mode
    1.0
    """

    t: Float[Array, " times"]
    frequencies: Float[Array, " frequencies"]
    excited_population: Float[Array, " times"]
    error: FieldQuantities
    sum_rule_defect: Float[Array, " times"]
    status: Int[Array, ""]
    reservoirs: tuple[Reservoir, ...]

    @property
    def change(self) -> Float[Array, "reservoirs times frequencies"]:
        """Quanta gained per unit of frequency, J(w) f(w, t)."""
        return self.per_coupling * self._densities()

    @property
    def rate(self) -> Float[Array, "reservoirs times frequencies"]:
        """The time derivative of `change`."""
        return self.per_coupling_rate * self._densities()

    def _densities(self) -> Float[Array, "reservoirs 1 frequencies"]:
        densities = [bath.spectral_density(self.frequencies) for bath in self.reservoirs]
        return jnp.stack(densities)[:, None, :]

    def _table(self) -> Table:
        """The quanta of each reservoir over time."""
        names = ("quanta", "quanta_rate")
        values, errors = (
            {
                f"{name}[{k}]": getattr(quantities, name)[..., k, :]
                for name in names
                for k in range(len(self.reservoirs))
            }
            for quantities in (self, self.error)
        )
        values |= {one: getattr(self, one) for one in ("excited_population", "sum_rule_defect")}
        notes = (f"frequencies = {shown(self.frequencies)}", ending(self.status))
        return over_time(type(self).__name__, self.t, values, errors, *notes)

    @property
    def message(self) -> str:
        """The status in words; for concrete values only."""
        return Status(int(self.status)).message


def reservoir_occupation(
    qubit: Qubit,
    initial: QubitState,
    ts: RealLike,
    frequencies: RealLike,
    solver: Hierarchy | None = None,
    *,
    throw: bool = False,
) -> ReservoirOccupation:
    """How the occupation of the reservoirs changes from t = 0 to the increasing times `ts` >= 0.

    `frequencies` is a list in any order; occupations must be finite there, which a thermal one is
    not at 0. `solver` is `Hierarchy()` if left out. Its `rtol` bounds the error estimate of the
    two-time functions, which are at most 1, and `status` tells whether that was reached; if not,
    there is a `ToleranceWarning` outside of `jit`, or with `throw` a `ToleranceError`. Its `steps`
    are rounded up to a power of two. The time grid resolves the kernels and the frequencies with at
    most 4,096 intervals; if more were needed the error shows it. Memory grows with the square of
    the number of intervals, up to about 3 GB.

    Works under `jit` and `grad` with respect to every parameter of the qubit, the initial state,
    the times and the frequencies; inside `jit` the size of the hierarchy is that of `Hierarchy`, on
    512 time intervals.

    After half a period of the vacuum Rabi oscillation a mode has the quantum of the qubit:

    >>> mode = bx.DiscreteModes(frequencies=[1.0], couplings=[0.1])
    >>> qubit, ts = bx.Qubit(1.0, bx.Reservoir(mode)), jnp.linspace(0.0, 5.0 * jnp.pi, 9)
    >>> solver = bx.Hierarchy(depth=4, modes=1)
    >>> field = bx.reservoir_occupation(qubit, bx.Excited(), ts, [1.0], solver)
    >>> round(float(field.quanta[0, -1]), 4)
    1.0
    """
    solver = Hierarchy() if solver is None else solver
    require_kind("qubit", "a `Qubit`", qubit, Qubit)
    require_kind("initial", "a state of a qubit, like `Excited()`", initial, QubitState)
    require_kind("solver", "a `Hierarchy`", solver, Hierarchy)
    ts, frequencies = as_float(ts, "ts"), as_float(frequencies, "frequencies")
    require_times(ts)
    shape = f"of shape {frequencies.shape}"
    is_list = frequencies.ndim == 1 and frequencies.size
    require("frequencies", "a list of at least one frequency", shape, is_list)
    require_each("frequencies", "finite", frequencies, is_finite)
    words = "where every occupation is finite"
    require("frequencies", words, frequencies, holds(_are_filled_finitely, qubit, frequencies))
    qubit.require_integrable()
    highest = jnp.max(jnp.abs(frequencies - qubit.frequency))
    found = two_time(qubit, initial, ts, highest, solver)
    valid = (found.status != Status.INVALID) & is_valid(initial)
    results = [
        _on_grid(qubit, functions, frequencies)
        for functions in (found.fine, found.coarse, found.fine.thinned())
    ]
    status = jnp.where(valid, found.status, Status.INVALID)
    return concluded(_assembled(qubit, found.fine, (ts, frequencies), results, status), throw)


def _are_filled_finitely(qubit: Qubit, frequencies: Float[Array, " frequencies"]) -> Array:
    filled = [bath.occupation(frequencies) for bath in qubit.reservoirs]
    return jnp.all(jnp.isfinite(jnp.stack(filled)))


@optimised
def _on_grid(
    qubit: Qubit, functions: TwoTime, frequencies: Float[Array, " frequencies"]
) -> FieldQuantities:
    """All quantities on the grid of the two-time functions."""
    grid = functions.grid
    weights = gregory.running_weights(grid.points).astype(complex) * grid.step.astype(complex)
    number, vacancy = weights * functions.number, weights * functions.vacancy
    forward, backward = _phases(frequencies, grid), _phases(-frequencies, grid)
    # e^{iw(t-s)} factorises, so that one matrix product gives the integrals at all frequencies.
    emitted, absorbed = (backward * (part @ forward) for part in (number, vacancy))
    rates, totals = [], []
    for bath in qubit.reservoirs:
        n = bath.occupation(frequencies).astype(complex)[None, :]
        rates.append(2.0 * ((n + 1.0) * emitted - n * absorbed).real)
        totals.append(_total_rate(bath, number, vacancy, grid))
    rate, total = jnp.stack(rates), jnp.stack(totals)

    def running(samples: Float[Array, " times"]) -> Float[Array, " times"]:
        return gregory.integrate(samples, grid.step)

    change = jax.vmap(jax.vmap(running, 1, 1))(rate)
    return FieldQuantities(change, rate, jax.vmap(running)(total), total)


def _phases(
    frequencies: Float[Array, " frequencies"], grid: TimeGrid
) -> Complex[Array, "times frequencies"]:
    """e^{-iwt}."""
    return jnp.exp(-1j * jnp.outer(grid.times, frequencies).astype(complex))


def _total_rate(
    bath: Reservoir, number: Array, vacancy: Array, grid: TimeGrid
) -> Float[Array, " times"]:
    """The integral over all frequencies, given both functions with the weights in time."""
    noise = bath.noise_kernel(grid)
    emission = _hermitian_toeplitz(bath.memory_kernel(grid) + noise)
    absorption = _hermitian_toeplitz(noise)
    return 2.0 * jnp.sum(emission.conj() * number - absorption.conj() * vacancy, axis=1).real


def _hermitian_toeplitz(kernel: Complex[Array, " times"]) -> Complex[Array, "times times"]:
    """k(t - s), with k(-t) = conj(k(t))."""
    both = jnp.concatenate([kernel[:0:-1].conj(), kernel])
    at = jnp.arange(kernel.shape[0])
    return both[at[:, None] - at[None, :] + kernel.shape[0] - 1]


@optimised
def _assembled(
    qubit: Qubit,
    functions: TwoTime,
    asked: tuple[Float[Array, " times"], Float[Array, " frequencies"]],
    results: list[FieldQuantities],
    status: Int[Array, ""],
) -> ReservoirOccupation:
    """The result at the requested times, with error estimates; NaN for invalid input."""
    (ts, frequencies), grid, fine = asked, functions.grid, results[0]
    valid = status != Status.INVALID
    population = jnp.diagonal(functions.number).real

    def at_times(samples: Float[Array, "reservoirs points *frequencies"]) -> Array:
        values = interpolate(jnp.moveaxis(samples, 1, -1), grid, ts)
        return jnp.where(valid, jnp.moveaxis(values, -1, 1), jnp.nan)

    values = jax.tree.map(at_times, fine)
    excited = at_times(population[None, :])[0]
    defect = jnp.sum(values.quanta, axis=0) + excited - population[0]
    error = jax.tree.map(partial(_error, grid, ts), *lax.stop_gradient(results))
    missing = lax.cummax(jnp.abs(lax.stop_gradient(defect)))[None, :]
    error = eqx.tree_at(lambda e: e.quanta, error, jnp.maximum(error.quanta, missing))
    return ReservoirOccupation(
        **{field.name: getattr(values, field.name) for field in fields(FieldQuantities)},
        t=ts,
        frequencies=frequencies,
        excited_population=excited,
        error=jax.tree.map(lambda x: jnp.where(valid, x, jnp.nan), error),
        sum_rule_defect=defect,
        status=status,
        reservoirs=qubit.reservoirs,
    )


def _error(grid: TimeGrid, ts: Array, fine: Array, coarse: Array, thinned: Array) -> Array:
    """The largest change up to each time, from a smaller hierarchy and from half the time grid.

    If half the grid is resolved, 1/16 of the latter counts; a rule of order 10 gains far more.
    """
    size = jnp.max(jnp.abs(fine)) + jnp.finfo(float).tiny
    halved = jnp.abs(fine[:, ::2] - thinned)
    resolved = jnp.max(halved) < RESOLVED * size
    change = jnp.abs(fine - coarse)[:, ::2] + jnp.where(resolved, halved / 16.0, halved)
    worst = lax.cummax(change, axis=1) + ROUNDING * size
    after = jnp.ceil(ts / (2.0 * grid.step)).astype(int)
    return worst[:, jnp.minimum(after, worst.shape[1] - 1)]
