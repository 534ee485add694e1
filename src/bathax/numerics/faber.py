r"""Linear evolution x' = G x by Faber polynomials of an ellipse that contains the spectrum of G.

The map z = psi(w) = -a + (a + b) w / 2 + (a - b) / (2 w) takes |w| = 1 to the ellipse with
semi-axes a along the real and b along the imaginary axis, whose rightmost point is 0. With its
Faber polynomials F_k,

e^{Gt} x = sum_k c_k(t) F_k(G) x,    c_k(t) = (1 / 2 pi) \int_0^{2 pi} e^{t psi(w)} w^{-k} darg w.

The derivative of e^{t psi(w)} with respect to w is a recurrence between the coefficients,

k c_k = t ((a + b) c_{k-1} - (a - b) c_{k+1}) / 2,

which holds for all whole k, with c_{-k} = ((a - b) / (a + b))^k c_k. Downwards it is stable
(Miller's algorithm), and the sum of all c_k is e^{t psi(1)} = 1.

F_k(G) x stays bounded where powers of G grow, so that steps are long: not much more than b t
products with G suffice (Beckermann, Reichel, SIAM J. Numer. Anal. 47, 3849). If the ellipse is too
small, F_k(G) x grows like |w|^k for the eigenvalue psi(w) that is farthest outside, which tells how
large it has to be.
"""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex, Float, Int

from bathax import _loops
from bathax._checks import Scalar
from bathax.numerics.recurrence import Recurrence, Series, extended
from bathax.numerics.refinement import largest
from bathax.numerics.sparse import SparseMatrix

# The most terms of a step, and how many a step adds: more save little, but hold more memory.
TERMS, UNIT = 576, 24
# A coefficient that is smaller than this is rounding.
EXACT = 1e-14
# F_k(G) x may be so many times as large as x, and its rounding as well; if it is larger, the
# ellipse is too small.
GROWTH = 1e8
# Points of the spectrum may be so far outside that F_k grows by this part with each order.
OUTSIDE = 0.02
# A step may be so much longer than `reach` says before it is refused.
REFUSED = 0.7
# c_k(t) is at most about e^{k (1 + log(phase / k))}; where that is below e^TINY it counts as 0.
# The recurrence begins with a number so small that its last ones do not overflow.
TINY, SEED = -80.0, 1e-290
# The ellipse is measured from this size on, twice over twice so many orders, and is made a little
# larger than the result. It begins as wide as the part THIN of its height if that is below LINE.
SMALL, ORDERS, AMPLE, THIN, LINE = 0.5, 10, 1.02, 0.16, 1e-3
# Rounding of the start and of a few sums, in units of the precision of a number.
ROUNDING = 256.0


class Ellipse(eqx.Module):
    """The semi-axes along the real and the imaginary axis; the rightmost point is 0."""

    real: Scalar
    imaginary: Scalar

    @property
    def radius(self) -> Scalar:
        """So many terms per unit of time are needed."""
        return jnp.maximum(0.5 * (self.real + self.imaginary), self.imaginary)

    @property
    def capacity(self) -> Scalar:
        """The largest factor by which polynomials of the next order grow."""
        return 0.5 * (self.real + self.imaginary)

    @property
    def asymmetry(self) -> Scalar:
        """(a - b) / (a + b)."""
        return (self.real - self.imaginary) / (self.real + self.imaginary)

    def enlarged(self, factor: Scalar) -> "Ellipse":
        """Longer axes."""
        return Ellipse(factor * self.real, factor * self.imaginary)

    @property
    def shared(self) -> "Ellipse":
        """One that contains the ellipses of all members of a batch, so that they share its c_k."""
        axes = lax.stop_gradient((self.real, self.imaginary))
        # Members that are not finite are NaN by their own G; they must not be so for all.
        return Ellipse(*(largest(jnp.where(jnp.isfinite(axis), axis, 0.0)) for axis in axes))

    def scaled(self, matrix: SparseMatrix) -> tuple[SparseMatrix, Scalar]:
        """G 2 / (a + b) and the number in (G + a) 2 / (a + b), the argument of polynomials."""
        return matrix.scaled(1.0 / self.capacity), self.real / self.capacity

    def containing(self, z: Complex[Array, " points"]) -> "Ellipse":
        """So high that F_k(z) hardly grows: frequencies may be high where there is no damping."""
        right = jnp.maximum(self.real + jnp.minimum(z.real, 0.0), 0.0)
        beside = right / (self.real + OUTSIDE * self.imaginary)
        height = jnp.max(jnp.abs(z.imag) / jnp.sqrt(1.0 - beside**2))
        return Ellipse(self.real, jnp.maximum(self.imaginary, height))

    def coefficients(self, t: Float[Array, " times"], count: int) -> Float[Array, "2 times count"]:
        """c_k(t) and c_k'(t) for k < count."""
        c = jnp.where((t > 0.0)[None], self._from_above(t, count), jnp.eye(count + 1, 1))
        before = jnp.concatenate([self.asymmetry * c[1:2], c[:-2]])
        slopes = self.capacity * (before + self.asymmetry * c[1:]) - self.real * c[:-1]
        return jnp.stack([c[:-1], slopes]).mT

    def _from_above(self, t: Float[Array, " times"], count: int) -> Float[Array, "more times"]:
        """c_k(t) for k <= count and t > 0, from twice as large k on, or where c_k is tiny."""
        phase = jnp.where(t > 0.0, self.capacity * t, 1.0)
        q, widest = self.asymmetry, 1.0 + jnp.log(phase)

        def down(carry: tuple[Array, Array, Array], k: Scalar) -> tuple[Any, Array]:
            above, now, total = carry
            tiny = k * (widest - jnp.log(k)) < TINY
            now, total = (jnp.where(tiny, 0.0, part) for part in (now, total))
            below = jnp.where(tiny, SEED, k / phase * now + q * above)
            return (now, below, total + (1.0 + q**k) * now), now

        start = (jnp.zeros_like(t), jnp.full_like(t, SEED), jnp.zeros_like(t))
        (_, first, total), rest = _loops.scan(down, start, jnp.arange(2.0 * count, 0.0, -1.0))
        return jnp.concatenate([first[None], rest[: count - 1 : -1]]) / (total + first)[None]


class FaberSeries(eqx.Module):
    """sum_k c_k(s) f_k on every interval of length `step`, s from 0 to `step`.

    There are `used` intervals, followed by others of which nothing is known.
    `neglected` is about as large as what terms beyond the last would add to values and derivatives
    in each interval.
    """

    step: Scalar
    used: Scalar
    ellipse: Ellipse
    moments: Complex[Array, "intervals terms components"]
    neglected: Float[Array, "intervals 2"]

    def with_derivatives(self, ts: Float[Array, " times"]) -> Complex[Array, "2 times components"]:
        """The values at any times, and the derivatives with respect to time."""
        own = self._interval(ts)
        c = self.ellipse.coefficients(ts - own * self.step, self.moments.shape[1])
        # Real products of all times with each interval: moments are not gathered for each time.
        parts = jnp.concatenate([self.moments.real, self.moments.imag], axis=2)

        def add(values: Array, which: tuple[Scalar, Array]) -> tuple[Array, None]:
            number, moments = which

            def found(values: Array) -> Array:
                return jnp.where((own == number)[:, None], c @ moments, values)

            return lax.cond(number < self.used, found, lambda values: values, values), None

        numbered = jnp.arange(float(parts.shape[0])), parts
        zeros = jnp.zeros((2, ts.shape[0], parts.shape[2]))
        return lax.complex(*jnp.split(_loops.scan(add, zeros, numbered)[0], 2, axis=2))

    def error(self, ts: Float[Array, " times"]) -> Float[Array, "2 times"]:
        """The error of values and derivatives: terms neglected up to each time, and rounding.

        Phases are rounded like their size, derivatives like the largest frequency as well.
        """
        rate = self.ellipse.radius
        rounding = jnp.finfo(float).eps * (ROUNDING + rate * ts)
        neglected = jnp.cumsum(self.neglected, axis=0)[self._interval(ts).astype(int)].T
        return neglected + jnp.stack([rounding, jnp.maximum(rate, 1.0) * rounding])

    def _interval(self, ts: Float[Array, " times"]) -> Float[Array, " times"]:
        return jnp.clip(jnp.floor(ts / self.step), 0.0, self.used - 1.0)


def steps_needed(phase: float, tolerance: float = EXACT) -> int:
    """How many steps of UNIT terms are needed, given `Ellipse.radius` times the span of time."""
    whole = TERMS // UNIT
    if phase > reach(TERMS, tolerance):
        return whole * math.ceil(phase / reach(TERMS, tolerance))
    return next(n for n in range(2, whole + 1) if phase <= reach(UNIT * n, tolerance))


def reach(terms: int, tolerance: float = EXACT) -> float:
    r"""The largest radius times the length of a step of so many terms.

    c_k is below the tolerance for k > phase + s sqrt(phase) + s with s = sqrt(2 log(1/tolerance)).
    """
    spread = _spread(tolerance)
    return (math.sqrt(terms - spread + 0.25 * spread**2) - 0.5 * spread) ** 2


def _spread(tolerance: float) -> float:
    return math.sqrt(-2.0 * math.log(tolerance))


def split(steps: int) -> tuple[int, int]:
    """The number of intervals that have up to TERMS terms, and their number of terms."""
    intervals = -(-UNIT * steps // TERMS)
    return intervals, UNIT * -(-steps // intervals)


def measured(matrix: SparseMatrix, ellipse: Ellipse) -> Ellipse:
    """The ellipse scaled so that it contains the spectrum of G narrowly.

    F_k(G) x grows by |w| with each order in a smaller ellipse. The larger one is as high or as wide
    as the curve of all psi(w) with this |w|: first the smaller of both, then what that still lacks.
    """
    # A line, the ellipse of frequencies without damping, would have no width to compare with.
    is_line = ellipse.real < LINE * ellipse.imaginary
    real = jnp.where(is_line, THIN * ellipse.imaginary, ellipse.real)
    ellipse = Ellipse(real, ellipse.imaginary)
    q = ellipse.asymmetry

    def larger(now: tuple[Array, Ellipse], first: Array) -> tuple[tuple[Array, Ellipse], None]:
        x, growth = _growth(matrix, *now)
        height = (growth - q / growth) / (1.0 - q)
        width = 0.5 + 0.5 * (growth + q / growth) / (1.0 + q)
        factor = jnp.where(first, jnp.minimum(height, width), jnp.maximum(height, width))
        return (x, now[1].enlarged(factor)), None

    start = jnp.ones(matrix.size, complex), ellipse.enlarged(jnp.asarray(SMALL))
    (_, found), _ = _loops.scan(larger, start, jnp.array([True, False]))
    return lax.stop_gradient(found.enlarged(jnp.asarray(AMPLE)))


def _growth(matrix: SparseMatrix, x: Array, ellipse: Ellipse) -> tuple[Array, Scalar]:
    """F_k(G) x for a high order, normalised, and the factor by which it grows with each order."""
    backs = jnp.broadcast_to(ellipse.asymmetry, (2 * ORDERS,))
    found = Recurrence(*ellipse.scaled(matrix), backs).rows(jnp.zeros_like(x), x)[2:]
    sizes = jnp.max(jnp.abs(found), axis=1)
    early, late = jnp.max(sizes.reshape(2, ORDERS), axis=1)
    growth = jnp.maximum((late / early) ** (1.0 / ORDERS), 1.0)
    return found[-1] / sizes[-1].astype(complex), growth


def evolve(
    matrix: SparseMatrix,
    start: Complex[Array, " n"],
    chosen: Int[Array, " components"],
    stop: Scalar,
    ellipse: Ellipse,
    steps: int,
    tolerance: float = EXACT,
) -> FaberSeries:
    """The chosen components of e^{G t} start for t from 0 to `stop`, with UNIT steps products.

    Coefficients below the tolerance are left out. So are intervals and blocks of UNIT terms that
    are not needed, or that no member of a batch under `vmap` needs; a batch shares the largest
    ellipse, and with it the coefficients. NaN if there are too few steps, or if F_k(G) x grows
    because the ellipse does not contain the spectrum.
    """
    intervals, terms = split(steps)
    ellipse, spread = ellipse.shared, _spread(tolerance)
    phase = ellipse.radius * stop
    used = _needed(phase / reach(terms, tolerance), intervals)
    h, each = stop / used, phase / used
    blocks = _needed((each + spread * (jnp.sqrt(each) + 1.0)) / UNIT, terms // UNIT)
    c, slopes = ellipse.coefficients(h[None], terms)[:, 0]
    rounding = jnp.finfo(float).eps * jnp.stack([jnp.ones_like(h), ellipse.radius])
    last = (blocks * UNIT - 1.0).astype(int)
    lost = lax.stop_gradient(jnp.abs(jnp.stack([c[last], slopes[last]]))) + rounding

    def advance(x: Array) -> tuple[Array, tuple[Array, Array]]:
        total, moments, (first, largest) = _step(matrix, x, chosen, ellipse, c, blocks)
        bounded = largest <= GROWTH * first
        kept = jnp.where(bounded, moments, jnp.nan)
        return jnp.where(bounded, total, jnp.nan), (kept, lost * largest)

    def skip(x: Array) -> tuple[Array, tuple[Array, Array]]:
        return x, (jnp.zeros((terms, chosen.size), x.dtype), jnp.zeros(2))

    def interval(x: Array, number: Scalar) -> tuple[Array, tuple[Array, Array]]:
        return lax.cond(number < used, advance, skip, x)

    _, (moments, neglected) = _loops.scan(interval, start, jnp.arange(float(intervals)))
    enough = reach(terms, tolerance) >= REFUSED * each
    return FaberSeries(h, used, ellipse, jnp.where(enough, moments, jnp.nan), neglected)


def _step(
    matrix: SparseMatrix,
    x: Complex[Array, " n"],
    chosen: Int[Array, " components"],
    ellipse: Ellipse,
    c: Float[Array, " terms"],
    blocks: Scalar,
) -> tuple[Array, Array, Array]:
    """sum_k c_k F_k(G) x, the chosen components of each F_k(G) x, and the first and last size."""
    # F_1 = z F_0, F_2 = z F_1 - 2 q F_0, and F_{k+1} = z F_k - q F_{k-1} after it.
    q = ellipse.asymmetry
    backs = jnp.full(c.size, q).at[:2].set(jnp.stack([jnp.zeros_like(q), 2.0 * q]))
    argument = ellipse.scaled(matrix)

    def block(series: Series, which: tuple[Scalar, Array, Array]) -> tuple[Series, Array]:
        number, weights, backs = which
        none = jnp.zeros((UNIT, chosen.size), complex)
        return lax.cond(
            number < blocks,
            lambda series: extended(Recurrence(*argument, backs), series, weights, chosen),
            lambda series: (series, none),
            series,
        )

    start = Series(jnp.zeros_like(x), x, jnp.zeros_like(x))
    count = c.size // UNIT
    numbered = (jnp.arange(float(count)), c.reshape(count, UNIT), backs.reshape(count, UNIT))
    (before, _, total), moments = _loops.scan(jax.checkpoint(block), start, numbered)
    sizes = lax.stop_gradient(jnp.max(jnp.abs(jnp.stack([x, before])), axis=1))
    return total, moments.reshape(c.size, chosen.size), sizes


def _needed(wanted: Scalar, available: int) -> Scalar:
    """How many of those available to use, the same for all of a batch; one for NaN."""
    whole = jnp.ceil(lax.stop_gradient(wanted))
    return largest(jnp.where(whole > 1.0, jnp.minimum(whole, float(available)), 1.0))
