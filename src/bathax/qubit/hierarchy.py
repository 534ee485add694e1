r"""The exact map of a qubit in phase-invariant Gaussian reservoirs: the hierarchy of equations.

Balanced truncation (`numerics.balancing`) writes the kernels of emission and absorption in common
modes, \int dw J (n+1) e^{-iwt} = o . e^{-At} a and \int dw J n e^{-iwt} = o . e^{-At} b. Auxiliary
matrices rho have quanta in these modes, on their left (lowered by d) and on their right (lowered by
e), and obey

drho/dt = -i [H_S, rho] - (d'A d + e'A* e) rho - i [s+, (o.d) rho] - i [s-, (o*.e) rho]
          - i (a.d') s- rho + i (b.d') rho s- - i (b*.e') s+ rho + i (a*.e') rho s+,

which is exact if the number of quanta is not bounded. The matrix without quanta is the state. The
map needs only the components |1><1| and |1><0| of the final state, so that one run of the adjoint
equation gives P11, P00 and c together.
"""

import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Complex, Float

from bathax._checks import Scalar, is_concrete, require_positive, require_whole
from bathax._estimate import Estimate, judged
from bathax._programs import optimised
from bathax.numerics.balancing import ReducedModes
from bathax.numerics.faber import EXACT, TERMS, UNIT, evolve, reach, steps_needed
from bathax.numerics.grid import span
from bathax.numerics.refinement import PROBES, envelope, probed, requested
from bathax.qubit.elements import MapElements, MapSolver
from bathax.qubit.generator import ellipse, generator, spectrum
from bathax.qubit.hierarchy_size import Sizes, climbed, first_sizes, stride
from bathax.qubit.index_set import Size, count_elements, size_of
from bathax.qubit.modes import Character, reduced
from bathax.qubit.structure import Structure, structure
from bathax.system.models import Qubit

# The usual depth and number of steps inside `jit`, where parameters are not yet known, and the
# ratio of modes to depth.
DEPTH, STEPS, MODES_TO_DEPTH = 7, 128, 2
# This is added to the depth that keeps every element above the tolerance.
MARGIN = 1.25
# The first depth that is tried is so much less; the difference of two depths inside `jit`, if none
# is fixed.
APART = 2
# There are steps for a spectrum so many times as large as expected; those too many cost nothing. If
# numbers overflow, they are computed once more in an ellipse that is larger by the same factor.
SPARE = 1.5
# Coefficients of the evolution in time that are below this part of the tolerance are left out.
NEGLECTED = 1e-5
# P11, P00 and c are wrong by this part of the largest of their changes at least: one of them may
# agree by chance.
COMMON = 0.2
# The most sizes to choose from inside `jit`.
RUNGS = 12


class Evolved(eqx.Module):
    """P11, 1 - P00 and c with their derivatives, and the error that evolution in time adds."""

    values: Complex[Array, "2 times 3"]
    error: Float[Array, "2 times"]


class Hierarchy(MapSolver):
    """The exact map by the hierarchy, its size chosen for a tolerance.

    `rtol`: bound on the error estimate of P11, P00 and c, which are at most 1. `depth`, `modes` and
    `steps`: the most quanta, the number of modes and the number of time steps, if they are to be
    fixed. `max_size`: the most elements. Inside `jit` the size must be known before the parameters
    are: it is depth 7, 14 modes and 128 steps where nothing is given.

    The error estimate follows from the changes from smaller hierarchies, the largest ones up to
    twice each time; `status` tells whether it is within `rtol`.

    >>> bath = bx.Reservoir(bx.Lorentzian(0.01, 0.5, 1.0), occupation=bx.Uniform(0.5))
    >>> qubit, ts = bx.Qubit(1.0, bath), jnp.linspace(0.0, 40.0, 9)
    >>> dmap = bx.dynamical_map(qubit, ts, bx.Hierarchy(depth=5, modes=1))
    >>> round(float(dmap.gamma_plus[-1]), 3)  # gamma0 n, where memory is short
    0.005
    """

    rtol: float = eqx.field(static=True, default=1e-5)
    depth: int | None = eqx.field(static=True, default=None)
    modes: int | None = eqx.field(static=True, default=None)
    steps: int | None = eqx.field(static=True, default=None)
    max_size: int = eqx.field(static=True, default=100_000)

    def __check_init__(self) -> None:
        require_positive("rtol", self.rtol)
        for name, least in (("depth", 2), ("modes", 1), ("steps", 1), ("max_size", 1)):
            value = getattr(self, name)
            if value is not None:
                require_whole(name, value, least)

    def map_elements(self, qubit: Qubit, ts: Float[Array, " times"]) -> Estimate[MapElements]:
        valid, modes, sizes = prepared(self, qubit, ts)

        room = 1.0

        def solve(*sizes: Size) -> tuple[Evolved, ...]:
            nonlocal room
            steps = self.steps_for(qubit, modes, ts, sizes[-1])
            problem = ((qubit.frequency, modes, ts), sizes, steps, self._neglected)
            found = _solved(*problem, jnp.asarray(room))
            overflown = jnp.isnan(found[-1].values).any()
            # Spectra close to the imaginary axis do not show how far they are outside.
            if room == SPARE or not is_concrete(overflown) or not overflown:
                return found
            room = SPARE
            return _solved(*problem, jnp.asarray(room))

        coarse, fine = climbed(solve, sizes, _worst, self.rtol)
        return _estimate(coarse, fine, ts, valid, self.rtol)

    def steps_for(
        self, qubit: Qubit, modes: ReducedModes, ts: Float[Array, " times"], size: Size
    ) -> int:
        """The number of time steps; `size` is the largest hierarchy that is solved with them."""
        if self.steps is not None:
            return self.steps
        phase = SPARE * ellipse(qubit.frequency, modes, size).radius * span(ts)
        phase = lax.stop_gradient(phase)
        if is_concrete(phase):
            return steps_needed(float(phase), self._neglected)
        # The phase grows like the depth. The demand and the answer refer to the usual depth.
        deeper = size[0] / DEPTH
        demand = phase * TERMS / (UNIT * reach(TERMS) * deeper)
        asked = requested(demand, 0) * deeper * UNIT * reach(TERMS) / TERMS
        return steps_needed(asked, self._neglected) if asked else STEPS

    @property
    def _neglected(self) -> float:
        """The size of coefficients left out in time; none that matter at a fixed size."""
        fixed = self.depth or self.modes
        return EXACT if fixed else max(NEGLECTED * self.rtol, EXACT)

    def sizes(self, modes: ReducedModes, character: Character) -> Sizes:
        """The first sizes and how they grow, or two fixed ones."""
        if self.depth or self.modes or not is_concrete(character):
            return Sizes(self._two_sizes(modes, character))
        costs = np.asarray(character.costs)[: int(character.rank)]
        weights = costs / costs[0] if modes.reduced else np.ones_like(costs)
        depth = math.ceil(-0.5 * math.log(self.rtol) / float(costs[0]) + MARGIN)
        apart = stride(float(costs[0]))
        weights = tuple(np.round(weights, 3).tolist())
        return first_sizes(max(depth - APART - 2 * apart, 1), weights, self.max_size, apart)

    def _two_sizes(self, modes: ReducedModes, character: Character) -> tuple[Size, Size]:
        """A fixed size, or the one taken inside `jit`, preceded by one of less depth."""
        depth, most = self.depth or DEPTH, modes.weight.shape[0]
        if not self.depth and not self.modes:
            depth = self._depth_inside_jit(modes, character)
        count = min(self.modes or MODES_TO_DEPTH * (DEPTH if self.depth else depth), most)
        tilt = (depth - 1) / (count - 1) if count > 1 and modes.reduced else 0.0
        apart = 1 if self.depth else APART
        return size_of(max(depth - apart, 1), tilt, count), size_of(depth, tilt, count)

    def _depth_inside_jit(self, modes: ReducedModes, character: Character) -> int:
        """The usual depth, or the one with the number of elements that a sweep provides.

        The demand is the number of elements of the first depth at which the elements left out are
        as small as those that `sizes` leaves out.
        """
        ladder = _ladder(modes.weight.shape[0], modes.reduced, self.max_size)
        depths = np.array([depth for depth, _, _ in ladder], float)
        tilts = np.array([tilt for _, tilt, _ in ladder])
        elements = np.array([count for _, _, count in ladder], float)
        scale = character.costs[0]
        wanted = 0.5 * math.log(1.0 / self.rtol) / scale
        # The weight of the last mode here and there; it may not be cut off at less.
        last = jnp.minimum(MODES_TO_DEPTH * depths, character.rank)
        tilt = jax.vmap(character.fall)(last) / scale if modes.reduced else 0.0
        stretched = wanted * jnp.maximum((1.0 + tilts * last) / (1.0 + tilt * last), 1.0)
        enough = (depths >= stretched + MARGIN) | (depths == depths[-1])
        usual = next((count for d, _, count in ladder if d >= DEPTH), ladder[-1][2])
        given = requested(jnp.asarray(elements)[jnp.argmax(enough)], usual)
        return next((d for d, _, count in ladder if count >= given), ladder[-1][0])


def prepared(
    solver: Hierarchy, qubit: Qubit, ts: Float[Array, " times"]
) -> tuple[Bool[Array, ""], ReducedModes, Sizes]:
    """Whether the input is valid, the modes of the kernels up to ts[-1], and the sizes to try."""
    valid, modes, character = reduced(qubit, ts)
    return valid, modes, solver.sizes(modes, character)


@lru_cache
def _ladder(available: int, reduced: bool, max_size: int) -> tuple[tuple[int, float, int], ...]:
    """Depths for use inside `jit`, the tilt of the weights of their modes, numbers of elements."""
    found: list[tuple[int, float, int]] = []
    depth = 3
    while len(found) < RUNGS:
        count, tilt = _modes_inside_jit(depth, available, reduced)
        elements = count_elements(*size_of(depth, tilt, count))
        if depth > DEPTH and elements > max_size:
            break
        found.append((depth, tilt, elements))
        # If modes are few, one more quantum changes little: larger steps.
        depth += 1 if count < available else max(1, depth // 4)
    return tuple(found)


def _modes_inside_jit(depth: int, available: int, reduced: bool) -> tuple[int, float]:
    """The number of modes at a depth, and the difference in weight from one mode to the next."""
    count = min(MODES_TO_DEPTH * depth, available)
    return count, (depth - 1) / (count - 1) if count > 1 and reduced else 0.0


# w_s, the modes and the times.
Known = tuple[Scalar, ReducedModes, Float[Array, " times"]]


@eqx.filter_custom_jvp
def _solved(
    known: Known, sizes: tuple[Size, ...], steps: int, tolerance: float, room: Scalar
) -> tuple[Evolved, ...]:
    """The map of each hierarchy. The last one has derivatives; others tell its error alone."""
    return _elements(known, structure(*sizes), steps, tolerance, room)


@_solved.def_jvp
def _solved_jvp(primals: tuple, tangents: tuple) -> tuple[Any, Any]:
    known, (*others, last), steps, tolerance, room = primals

    def alone(*sizes: Size) -> Callable[[Known], tuple[Evolved, ...]]:
        return lambda known: _elements(known, structure(*sizes), steps, tolerance, room)

    first = alone(*others)(known) if others else ()
    fine, change = eqx.filter_jvp(alone(last), (known,), tangents[:1])
    return (*first, *fine), (*jax.tree.map(jnp.zeros_like, first), *change)


@optimised
def _elements(
    known: Known, pattern: Structure, steps: int, tolerance: float, room: Scalar
) -> tuple[Evolved, ...]:
    """The map of each hierarchy at the requested times and at probes in between.

    The ellipse of the spectrum is made larger by `room`. NaN if steps are too long.
    """
    frequency, modes, ts = known
    matrix = generator(frequency, modes, pattern)
    places = np.array([pattern.excited, pattern.ground, pattern.coherence]).T.ravel()
    start = np.zeros(pattern.size, complex)
    start[[*pattern.excited, *pattern.coherence]] = 1.0
    around = spectrum(*lax.stop_gradient((matrix, frequency, modes)), pattern.sizes[-1])
    chosen = (jnp.asarray(start), jnp.asarray(places))
    path = evolve(matrix, *chosen, span(ts), around.enlarged(room), steps, tolerance)
    times = probed(ts, span(ts))
    values = jnp.split(path.with_derivatives(times), len(pattern.sizes), axis=2)
    error = lax.stop_gradient(path.error(times))
    return tuple(Evolved(each, error) for each in values)


@optimised
def _worst(coarse: Evolved, fine: Evolved) -> Scalar:
    """The largest change of P11, P00 and c; infinite for numbers that overflowed."""
    change = jnp.max(_change(coarse, fine)[0])
    return jnp.where(jnp.isnan(change), jnp.inf, change)


def _change(coarse: Evolved, fine: Evolved) -> Float[Array, "2 all 3"]:
    """Differences of two results, with what both lack because of their evolution in time."""
    return lax.stop_gradient(jnp.abs(fine.values - coarse.values)) + fine.error[..., None]


@optimised
def _estimate(
    coarse: Evolved,
    fine: Evolved,
    ts: Float[Array, " times"],
    valid: Bool[Array, ""],
    rtol: float,
) -> Estimate[MapElements]:
    """The elements at the requested times, each with the largest error up to twice that time."""
    change = _change(coarse, fine)
    change = jnp.maximum(change, COMMON * jnp.max(change, axis=-1, keepdims=True))
    (p11, q00, c), (dp11, dq00, dc) = jnp.moveaxis(fine.values[:, : ts.shape[0]], -1, 1)
    value = MapElements(
        p11=p11.real, p00=1.0 - q00.real, c=c, dp11=dp11.real, dp00=-dq00.real, dc=dc
    )
    running = partial(envelope, ts=_later(ts), span=span(ts))
    worst = jax.vmap(running)(jnp.moveaxis(change, 1, 2).reshape(6, -1))
    reached = _worst(coarse, fine) <= rtol
    return judged(ts, value, MapElements(*worst), valid=valid, reached=reached)


def _later(ts: Float[Array, " times"]) -> Float[Array, " times"]:
    """Twice each time, or a probe later; at the first times an error may vanish by chance."""
    later = jnp.minimum(2.0 * ts + span(ts) / (PROBES - 1), span(ts))
    return jnp.where(ts > 0.0, later, 0.0)
