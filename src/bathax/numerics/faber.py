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
products with G suffice (Beckermann, Reichel, SIAM J. Numer. Anal. 47, 3849).
"""

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex, Float, Int

from bathax._checks import Scalar
from bathax.numerics.refinement import largest

# The most terms of a step, and how many a step adds: more save little, but hold more memory.
TERMS, UNIT = 288, 24
# A coefficient that is smaller than this is rounding.
EXACT = 1e-14
# F_k(G) x may be so many times as large as x; if it is larger, the ellipse is too small.
GROWTH = 1e4
# Points of the spectrum may be so far outside that F_k grows by this part with each order.
OUTSIDE = 0.04
# A step may be so much longer than `reach` says before it is refused.
REFUSED = 0.7
# c_k(t) is at most about e^{k (1 + log(phase / k))}; where that is below e^TINY it counts as 0.
TINY = -80.0
# The ellipse is enlarged by the root of this factor where there are steps enough.
AMPLE = 1.3
# Rounding of the start and of a few sums, in units of the precision of a number.
ROUNDING = 256.0

# G x times a number.
Product = Callable[[Array, Scalar], Array]


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

    def containing(self, z: Complex[Array, " points"]) -> "Ellipse":
        """So high that F_k(z) hardly grows: frequencies may be high where there is no damping."""
        beside = (self.real + jnp.minimum(z.real, 0.0)) / (self.real + OUTSIDE * self.imaginary)
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
            below = jnp.where(tiny, 1.0, k / phase * now + q * above)
            return (now, below, total + (1.0 + q**k) * now), now

        start = (jnp.zeros_like(t), jnp.ones_like(t), jnp.zeros_like(t))
        start, _ = lax.scan(lambda *each: (down(*each)[0], None), start, _falling(2 * count, count))
        (_, first, total), rest = lax.scan(down, start, _falling(count, 0))
        return jnp.concatenate([first[None], rest[::-1]]) / (total + first)[None]


def _falling(start: int, stop: int) -> Float[Array, " orders"]:
    """start, start - 1, ..., stop + 1."""
    return jnp.arange(float(start), float(stop), -1.0)


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
        interval = self._interval(ts)
        since = ts - interval.astype(float) * self.step
        c = self.ellipse.coefficients(since, self.moments.shape[1])
        # One real product for all intervals takes less time than to gather moments at each time.
        parts = jnp.stack([self.moments.real, self.moments.imag])
        everywhere = jnp.einsum("dtk,pikc->dptic", c, parts)
        real, imaginary = jnp.moveaxis(everywhere[:, :, jnp.arange(ts.shape[0]), interval], 1, 0)
        return lax.complex(real, imaginary)

    def error(self, ts: Float[Array, " times"]) -> Float[Array, "2 times"]:
        """The error of values and derivatives: terms neglected up to each time, and rounding.

        Phases are rounded like their size, derivatives like the largest frequency as well.
        """
        rate = self.ellipse.radius
        rounding = jnp.finfo(float).eps * (ROUNDING + rate * ts)
        neglected = jnp.cumsum(self.neglected, axis=0)[self._interval(ts)].T
        return neglected + jnp.stack([rounding, jnp.maximum(rate, 1.0) * rounding])

    def _interval(self, ts: Float[Array, " times"]) -> Int[Array, " times"]:
        return jnp.clip(jnp.floor(ts / self.step), 0.0, self.used - 1.0).astype(int)


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
    spread = math.sqrt(-2.0 * math.log(tolerance))
    return (math.sqrt(terms - spread + 0.25 * spread**2) - 0.5 * spread) ** 2


def split(steps: int) -> tuple[int, int]:
    """The number of intervals that have up to TERMS terms, and their number of terms."""
    intervals = -(-UNIT * steps // TERMS)
    return intervals, -(-UNIT * steps // intervals)


def evolve(
    apply: Product,
    start: Complex[Array, " n"],
    chosen: Int[Array, " components"],
    stop: Scalar,
    ellipse: Ellipse,
    steps: int,
) -> FaberSeries:
    """The chosen components of e^{G t} start for t from 0 to `stop`, with UNIT steps products.

    More steps than are needed serve a larger ellipse and a higher order alike; many more are left
    out, and a batch under `vmap` leaves out what none of its members needs. NaN if there are too
    few steps, or if F_k(G) x grows because the ellipse does not contain the spectrum.
    """
    intervals, terms = split(steps)
    used = _intervals_needed(ellipse.radius * stop, intervals, terms)
    h = stop / used
    room = reach(terms) / (ellipse.radius * h)
    ellipse = lax.stop_gradient(ellipse.enlarged(jnp.sqrt(jnp.maximum(room, 1.0))))
    c, slopes = ellipse.coefficients(h[None], terms)[:, 0]
    last_factors = lax.stop_gradient(jnp.abs(jnp.stack([c[-1], slopes[-1]])))
    q, center = ellipse.asymmetry, (ellipse.real / ellipse.capacity).astype(complex)

    def scaled(x: Array) -> Array:
        return apply(x, 1.0 / ellipse.capacity) + center * x

    def advance(x: Array, _: None) -> tuple[Array, tuple[Array, Array]]:
        def term(carry: tuple[Array, ...], factors: tuple[Array, Array]) -> tuple[Any, Array]:
            (before, now, total), (weight, back) = carry, factors
            after = scaled(now) - back.astype(complex) * before
            return (now, after, total + weight.astype(complex) * now), now[chosen]

        # F_2 = z F_1 - 2 q F_0, and F_{k+1} = z F_k - q F_{k-1} after it.
        first = scaled(x)
        backs = jnp.full(terms - 1, q).at[0].set(2.0 * q)
        carry = (x, first, c[0].astype(complex) * x)
        carry, moments = lax.scan(jax.checkpoint(term), carry, (c[1:], backs))
        last, total = carry[0], carry[2]
        largest = lax.stop_gradient(jnp.max(jnp.abs(last)))
        bounded = largest <= GROWTH * jnp.max(jnp.abs(x))
        moments = jnp.concatenate([x[chosen][None], moments])
        kept = jnp.where(bounded, moments, jnp.nan)
        return jnp.where(bounded, total, jnp.nan), (kept, last_factors * largest)

    def skip(x: Array, _: None) -> tuple[Array, tuple[Array, Array]]:
        return x, (jnp.zeros((terms, chosen.size), x.dtype), jnp.zeros(2))

    def interval(x: Array, number: Scalar) -> tuple[Array, tuple[Array, Array]]:
        return lax.cond(number < used, jax.checkpoint(advance), skip, x, None)

    _, (moments, neglected) = lax.scan(interval, start, jnp.arange(float(intervals)))
    return FaberSeries(h, used, ellipse, jnp.where(room >= REFUSED, moments, jnp.nan), neglected)


def _intervals_needed(phase: Scalar, available: int, terms: int) -> Scalar:
    """How many of the available intervals leave AMPLE room for this phase; one for NaN."""
    wanted = jnp.ceil(AMPLE * phase / reach(terms))
    needed = jnp.where(wanted > 1.0, jnp.minimum(wanted, float(available)), 1.0)
    return largest(lax.stop_gradient(needed))
