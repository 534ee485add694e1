r"""Two-time functions of a qubit in any phase-invariant Gaussian reservoir, by the hierarchy.

An operator on the qubit at time s acts in the same way on every auxiliary matrix, so that

<s+(s) s-(t)> = y(t - s) . [x(s) s+],    <s-(t) s+(s)> = y(t - s) . [s+ x(s)],    t >= s,

where x are the elements of charge 0 (`index_set`), evolved from the initial populations, and y the
elements of charge 1 of the adjoint equation, evolved from the coherence |1><0|. One run gives both,
and two matrix products give the functions at all pairs of times.
"""

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float, Int

from bathax._checks import Scalar, is_concrete
from bathax._programs import optimised
from bathax._status import Status
from bathax.numerics.balancing import ReducedModes
from bathax.numerics.grid import TimeGrid, span
from bathax.numerics.refinement import largest
from bathax.numerics.taylor import states, steps_needed
from bathax.qubit.generator import generator, norm_bound
from bathax.qubit.hierarchy import Hierarchy, prepared
from bathax.qubit.hierarchy_size import climbed
from bathax.qubit.index_set import Size
from bathax.qubit.states import QubitState
from bathax.qubit.structure import Regression, regression
from bathax.system.models import Qubit

# Grid intervals per unit of phase, of the kernels and of e^{i(w - w_s)t}, which is smooth at t = 0
# too; the fewest and the most intervals.
KERNEL, FOURIER, FEWEST_NODES, MOST_NODES = 12.0, 4.0, 64, 4096
# Their number inside `jit`.
INTERVALS = 512
# The usual and the largest allowed step times `norm_bound`, which is about twice the norm.
REACH, REFUSED = 9.5, 15.0


class TwoTime(eqx.Module):
    """Two-time functions at the pairs (t, s) of times of a grid; row t, column s.

    `number` <s+(s) s-(t)> and `vacancy` <s-(t) s+(s)> are Hermitian matrices; on the diagonal they
    are the populations of the excited and of the ground state.
    """

    grid: TimeGrid
    number: Complex[Array, "times times"]
    vacancy: Complex[Array, "times times"]

    def thinned(self) -> "TwoTime":
        """Every second time."""
        grid = TimeGrid(2.0 * self.grid.step, (self.grid.points + 1) // 2)
        return TwoTime(grid, self.number[::2, ::2], self.vacancy[::2, ::2])


class TwoTimeEstimate(eqx.Module):
    """Two-time functions from a hierarchy and from a smaller one, and a `Status`."""

    fine: TwoTime
    coarse: TwoTime
    status: Int[Array, ""]


def two_time(
    qubit: Qubit,
    initial: QubitState,
    ts: Float[Array, " times"],
    highest: Scalar,
    solver: Hierarchy,
) -> TwoTimeEstimate:
    """The functions up to ts[-1], on a grid that resolves e^{iwt} for |w - w_s| up to `highest`.

    They depend on the populations of the initial state alone. For N elements of the hierarchy and
    n times the memory is N n + 4 n^2 complex numbers.
    """
    valid, modes, sizes = prepared(solver, qubit, ts)
    intervals = _intervals(qubit, ts, highest)

    def solve(*sizes: Size) -> tuple[TwoTime, ...]:
        steps = solver.steps or _steps(qubit, modes, ts, sizes[-1]) or intervals
        counts = (_power_of_two(steps), intervals)
        patterns = (regression(size) for size in sizes)
        return tuple(
            _functions(qubit.frequency, modes, initial, ts, pattern, counts) for pattern in patterns
        )

    coarse, fine = climbed(solve, sizes, _change, solver.rtol)
    reached = lax.stop_gradient(_change(coarse, fine)) <= solver.rtol
    status = jnp.where(reached, Status.SUCCESS, Status.TOLERANCE_NOT_REACHED)
    return TwoTimeEstimate(fine, coarse, jnp.where(valid, status, Status.INVALID))


def _steps(qubit: Qubit, modes: ReducedModes, ts: Float[Array, " times"], size: Size) -> int:
    """The number of time steps that is needed; 0 inside `jit`, where it is not known."""
    bound = norm_bound(qubit.frequency, modes, size) * span(ts)
    return steps_needed(float(bound), REACH) if is_concrete(bound) else 0


def _power_of_two(count: int | float) -> int:
    return 2 ** math.ceil(math.log2(count))


def _intervals(qubit: Qubit, ts: Float[Array, " times"], highest: Scalar) -> int:
    """The number of grid intervals, a power of two; fixed inside `jit`."""
    fastest = jnp.maximum(KERNEL * qubit.bandwidth, FOURIER * highest)
    wanted = largest(lax.stop_gradient(span(ts) * fastest))
    if not is_concrete(wanted):
        return INTERVALS
    return min(_power_of_two(max(float(wanted), FEWEST_NODES)), MOST_NODES)


@optimised
def _functions(
    frequency: Scalar,
    modes: ReducedModes,
    initial: QubitState,
    ts: Float[Array, " times"],
    pattern: Regression,
    counts: tuple[int, int],
) -> TwoTime:
    """Both functions; NaN if the time steps are too long."""
    (steps, intervals), both = counts, pattern.structure
    matrix = generator(frequency, modes, both)
    places = np.array([both.ground, both.excited, both.coherence])[:, 0]
    values = jnp.stack([*initial.populations, jnp.ones(())]).astype(complex)
    start = jnp.zeros(both.size, complex).at[places].set(values)
    parts, stride = max(intervals // steps, 1), max(steps // intervals, 1)
    path = states(matrix, start, span(ts), steps, parts)[::stride]
    bound = lax.stop_gradient(norm_bound(frequency, modes, both.sizes[-1]) * span(ts))
    path = jnp.where(bound <= REFUSED * steps, path, jnp.nan)
    grid = TimeGrid.until(span(ts), intervals + 1)
    number, vacancy = (
        _hermitian(path[:, after] @ path[:, before].T)
        for before, after in (pattern.right, pattern.left)
    )
    return TwoTime(grid, number, vacancy)


def _hermitian(values: Complex[Array, "lags times"]) -> Complex[Array, "times times"]:
    """f(t - s, s) from f(tau, s), with the upper triangle by conjugation."""
    count = values.shape[0]
    lag = jnp.arange(count)[:, None] - jnp.arange(count)[None, :]
    lower = jnp.where(lag >= 0, values[jnp.abs(lag), jnp.arange(count)[None, :]], 0.0)
    return lower + jnp.where(lag < 0, lower.conj().T, 0.0)


@optimised
def _change(coarse: TwoTime, fine: TwoTime) -> Scalar:
    """The largest change of both functions, which are at most 1; infinite for overflow."""
    changes = [
        jnp.max(jnp.abs(coarse.number - fine.number)),
        jnp.max(jnp.abs(coarse.vacancy - fine.vacancy)),
    ]
    return jnp.nan_to_num(jnp.max(jnp.stack(changes)), nan=jnp.inf)
