r"""The exact map of a qubit in any phase-invariant reservoir: hierarchical equations of motion.

With the kernels \int dw J (n+1) e^{-iwt} = o . e^{-At} a of emission and \int dw J n e^{-iwt} =
o . e^{-At} b of absorption reduced to common modes, auxiliary matrices rho with quanta on the left
(lowered by d) and on the right (by e) obey

drho/dt = -i [H_S, rho] - (d'A d + e'A* e) rho - i [s+, (o.d) rho] - i [s-, (o*.e) rho]
          - i (a.d') s- rho + i (b.d') rho s- - i (b*.e') s+ rho + i (a*.e') rho s+,

exactly for quanta without bound; the one without quanta is the state. The map is what of the state
reaches |1><1| and |1><0|, so that one run of the adjoint equation gives P11, P00 and c together.
"""

import itertools
import math
from collections.abc import Iterator
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from bathax._checks import Scalar, are_times, is_concrete, is_valid, require
from bathax._status import Status
from bathax.numerics.balancing import RANK, ReducedModes, reduced_modes
from bathax.numerics.grid import span
from bathax.numerics.refinement import envelope, largest, probed, refine
from bathax.numerics.sparse import SparseMatrix
from bathax.numerics.taylor import REACH, evolve, steps_needed
from bathax.qubit.elements import MapElements, MapEstimate, MapSolver
from bathax.qubit.index_set import Structure, count_elements, structure
from bathax.qubit.model import Qubit

# Nodes of the reservoir's quadrature, and the most modes that double precision can tell apart.
RESOLUTION, MOST_MODES = 512, 30
# The size where parameters are not yet known, inside `jit`.
DEPTH, MODES, STEPS = 7, 14, 512
# Bounds on how much smaller the elements become with each quantum.
STRONGEST, WEAKEST = 0.6, 0.01

Size = tuple[int, tuple[float, ...]]


class Hierarchy(MapSolver):
    """The exact map by the hierarchy, its size chosen for a tolerance.

    `rtol`: bound on the error estimate of P11, P00 and c, which are at most 1. `depth` and `modes`:
    the most quanta and the number of modes, when they should be fixed. `steps`: the number of time
    steps, when it should be fixed. `max_size`: the most elements, except in the first two sizes,
    which are always tried. Inside `jit`, where the size must be known before the parameters are,
    what is not given is 7, 14 and 512.

    The error estimate is the change from a smaller hierarchy, the largest up to each time. Where
    the size is chosen and none up to `max_size` reaches `rtol`, concrete parameters raise
    `ValueError`; where it is fixed, or inside `jit`, `status` tells.
    """

    rtol: float = eqx.field(static=True, default=1e-5)
    depth: int | None = eqx.field(static=True, default=None)
    modes: int | None = eqx.field(static=True, default=None)
    steps: int | None = eqx.field(static=True, default=None)
    max_size: int = eqx.field(static=True, default=20_000)

    def __check_init__(self) -> None:
        require("rtol", "positive", self.rtol, self.rtol > 0)
        for name, least in (("depth", 2), ("modes", 1), ("steps", 1), ("max_size", 1)):
            value = getattr(self, name)
            require(name, f"an integer, {least} or more", value, value is None or value >= least)

    def map_elements(self, qubit: Qubit, ts: Float[Array, " times"]) -> MapEstimate:
        valid, modes = _reduced(qubit, ts)
        sizes = self._sizes(modes)
        coarse, fine = refine(
            partial(self._solve, qubit, modes, ts),
            sizes,
            lambda coarse, fine: _worst(_change(coarse, fine)) / self.rtol,
        )
        estimate = _estimate(coarse, fine, ts, valid, self.rtol)
        self._refuse_failure(estimate, sizes[-1])
        return estimate

    def _sizes(self, modes: ReducedModes) -> list[Size]:
        """Hierarchies of growing depth, or two of them where the size is fixed."""
        strength, fall, rank = (largest(lax.stop_gradient(value)) for value in _character(modes))
        if self.depth or self.modes or not is_concrete(strength, fall, rank):
            depth = self.depth or DEPTH
            count = min(self.modes or MODES, modes.weight.shape[0])
            tilt = (depth - 1) / (count - 1) if count > 1 and modes.reduced else 0.0
            return [_size(depth - 1, tilt, count), _size(depth, tilt, count)]
        # Elements shrink by `strength` a quantum and by e^-fall from one mode to the next.
        tilt = float(fall) / -math.log(float(strength)) if modes.reduced else 0.0
        depth = math.ceil(math.log(self.rtol) / math.log(float(strength)))
        return list(self._growing(max(depth, 2), tilt, int(rank)))

    def _growing(self, depth: int, tilt: float, rank: int) -> Iterator[Size]:
        """Sizes from a depth on: two always, more while they are allowed.

        Each has a mode more than the one before, as long as there are some: what too few modes
        leave out would otherwise be missing from the estimated error.
        """
        for count in itertools.count():
            size = _size(depth, tilt, rank)
            if count >= 2 and count_elements(*size) > self.max_size:
                return
            yield size
            depth += max(math.ceil(tilt), 1) if tilt else math.ceil(depth / 4)

    def _solve(
        self, qubit: Qubit, modes: ReducedModes, ts: Float[Array, " times"], size: Size
    ) -> MapElements:
        pattern = structure(*size)
        matrix, norm = generator(qubit, modes, ts, pattern, len(size[1]))
        steps = self.steps
        if steps is None:
            needed = largest(lax.stop_gradient(norm))
            steps = _rounded(steps_needed(float(needed))) if is_concrete(needed) else STEPS
        return _elements(matrix, norm, ts, pattern, steps)

    def _refuse_failure(self, estimate: MapEstimate, size: Size) -> None:
        """Raise where the sizes were chosen here and did not suffice."""
        chosen = self.depth is None and self.modes is None and self.steps is None
        if not chosen or not is_concrete(estimate.status):
            return
        if bool(jnp.any(estimate.status == Status.TOLERANCE_NOT_REACHED)):
            reached = float(jnp.max(_worst(estimate.error)))
            words = (
                f"reachable: an error of {reached:.1e} is what depth {size[0]} with "
                f"{len(size[1])} modes and {count_elements(*size):,} elements gives (`max_size` is "
                f"{self.max_size:,})"
            )
            require("rtol", words, self.rtol, False)


def _size(depth: int, tilt: float, count: int) -> Size:
    """A depth, and the weight of a quantum in each mode that can have one."""
    weights = (1.0 + math.floor(1000.0 * tilt) / 1000.0 * k for k in range(count))
    return depth, tuple(weight for weight in weights if weight <= depth)


def _rounded(steps: int) -> int:
    """Up to four significant bits, so that similar problems share a compiled program."""
    unit = 2 ** max(steps.bit_length() - 4, 0)
    return -(-steps // unit) * unit


@eqx.filter_jit
def _reduced(qubit: Qubit, ts: Float[Array, " times"]) -> tuple[Bool[Array, ""], ReducedModes]:
    """Whether the input is valid, and the modes of both kernels."""
    valid = is_valid(qubit) & are_times(ts)
    nodes, memory, noise = qubit.exponentials(RESOLUTION)
    kernels = jnp.where(valid, jnp.stack([memory + noise, noise]), jnp.zeros((), memory.dtype))
    horizon = jnp.where(valid, span(ts), 1.0)
    return valid, reduced_modes(nodes, kernels, horizon, MOST_MODES)


@eqx.filter_jit
def _character(modes: ReducedModes) -> tuple[Scalar, Scalar, Scalar]:
    """How elements shrink with a quantum, from mode to mode, and how many modes there are."""
    weight = modes.weight
    rate = jnp.maximum(jnp.abs(modes.generator[0, 0]), jnp.finfo(float).tiny)
    strength = jnp.clip(jnp.sqrt(weight[0] / rate), WEAKEST, STRONGEST)
    kept = weight > RANK * weight[0]
    rank = jnp.sum(kept)
    last = jnp.maximum(rank - 1, 1)
    smallest = jnp.min(jnp.where(kept, weight, jnp.inf))
    fall = jnp.log(weight[0] / smallest) / last.astype(float)
    return strength, fall, rank.astype(float)


@eqx.filter_jit
def generator(
    qubit: Qubit, modes: ReducedModes, ts: Float[Array, " times"], pattern: Structure, count: int
) -> tuple[SparseMatrix, Scalar]:
    """The matrix of a pattern, and a bound on its norm times the span of time.

    It serves any arrangement of the generators of the two charges, adjoint or not.
    """
    leading = modes.leading(count)
    _, memory, noise = qubit.exponentials(RESOLUTION)
    emission, absorption = leading.kernel(memory + noise), leading.kernel(noise)
    vectors = jnp.concatenate([leading.output, emission, absorption])
    generator = leading.generator.ravel()
    frequency = qubit.frequency.astype(complex)[None]
    matrix = SparseMatrix.of(
        pattern.pattern,
        jnp.concatenate([generator, generator.conj(), vectors, vectors.conj(), frequency]),
    )
    return matrix, matrix.norm_bound() * span(ts)


@eqx.filter_jit
def _elements(
    matrix: SparseMatrix, norm: Scalar, ts: Float[Array, " times"], pattern: Structure, steps: int
) -> MapElements:
    """The map at the times asked for and at probes in between; NaN where steps are too long."""
    places = jnp.asarray([pattern.excited, pattern.ground, pattern.coherence])
    start = jnp.zeros(pattern.size, complex).at[places[0]].set(1.0).at[places[2]].set(1.0)
    path = evolve(matrix.__matmul__, start, places, span(ts), steps)
    times = probed(ts, span(ts))
    stable = norm <= 1.5 * REACH * steps
    p11, q00, c = jnp.where(stable, path(times), jnp.nan).T
    dp11, dq00, dc = jnp.where(stable, path.derivative(times), jnp.nan).T
    return MapElements(times, p11.real, 1.0 - q00.real, c, dp11.real, -dq00.real, dc)


@eqx.filter_jit
def _change(coarse: MapElements, fine: MapElements) -> MapElements:
    """Differences of two results, with rounding."""
    rounding = 256.0 * jnp.finfo(float).eps
    return jax.tree.map(lambda a, b: lax.stop_gradient(jnp.abs(b - a)) + rounding, coarse, fine)


def _worst(change: MapElements) -> Scalar:
    """The largest change of P11, P00 and c; infinite for numbers that overflowed."""
    largest_change = jnp.max(jnp.stack([change.p11, change.p00, change.c]))
    return jnp.where(jnp.isnan(largest_change), jnp.inf, largest_change)


@eqx.filter_jit
def _estimate(
    coarse: MapElements,
    fine: MapElements,
    ts: Float[Array, " times"],
    valid: Bool[Array, ""],
    rtol: float,
) -> MapEstimate:
    """Split what was asked for from the probes, and give each time the worst error before it."""
    change = _change(coarse, fine)
    status = jnp.where(_worst(change) <= rtol, Status.SUCCESS, Status.TOLERANCE_NOT_REACHED)

    def asked(values: Array) -> Array:
        return jnp.where(valid, values[: ts.shape[0]], jnp.nan)

    def worst(values: Array) -> Array:
        return jnp.where(valid, envelope(values, ts, span(ts)), jnp.nan)

    return MapEstimate(
        jax.tree.map(asked, fine),
        jax.tree.map(worst, change),
        jnp.where(valid, status, Status.INVALID),
    )


def prepared(
    solver: Hierarchy, qubit: Qubit, ts: Float[Array, " times"]
) -> tuple[Bool[Array, ""], ReducedModes, list[Size]]:
    """Whether the input is valid, the modes of the kernels up to ts[-1], and the sizes to try."""
    valid, modes = _reduced(qubit, ts)
    return valid, modes, solver._sizes(modes)
