"""The uniform time grid on which convolutions are taken, and values between its points."""

from collections.abc import Callable
from functools import partial
from itertools import accumulate
from math import prod
from operator import mul
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array, Complex, Float, Inexact

from bathax._checks import Scalar

STENCIL = 12
# Functions are sampled at so many times at once that all they compute stays in the cache, and in
# so many blocks or more: a loop, out of which the compiler repeats nothing.
BLOCK, BLOCKS = 4096, 4


class TimeGrid(eqx.Module):
    """The times t_j = j step, j = 0 .. points - 1."""

    step: Scalar
    points: int = eqx.field(static=True)

    @property
    def times(self) -> Float[Array, " points"]:
        return self.step * jnp.arange(self.points, dtype=float)

    @staticmethod
    def until(stop: Scalar, points: int) -> "TimeGrid":
        """The grid of that many points whose last one is `stop`."""
        return TimeGrid(stop / (points - 1), points)


def span(ts: Float[Array, " times"]) -> Float[Array, ""]:
    """The length of the grid: up to the last time, or anything where only t = 0 is asked for."""
    return jnp.where(ts[-1] > 0.0, ts[-1], 1.0)


def sampled(
    function: Callable[..., Array], parameters: tuple[Scalar, ...], grid: TimeGrid
) -> Complex[Array, " points"]:
    """function(t, *parameters) at every time of the grid; `function` closes over no array.

    Its derivatives by each of the parameters are sampled once, with the values, for however many
    directions they are asked for; reverse mode keeps nothing else.
    """
    return _samples(function, grid.points, (grid.step, *parameters))


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def _samples(
    function: Callable[..., Array], points: int, numbers: tuple[Scalar, ...]
) -> Complex[Array, " points"]:
    """At multiples of the first of the numbers, with the others as parameters."""
    step, *parameters = numbers
    return _by_blocks(lambda place: function(place * step, *parameters), points)


def _by_blocks(function: Callable[[Scalar], Any], points: int) -> Any:
    """A function of 0, 1, ..., points - 1."""
    block = min(BLOCK, -(-points // BLOCKS))
    return lax.map(function, jnp.arange(points, dtype=float), batch_size=block)


@partial(_samples.defjvp, symbolic_zeros=True)
def _samples_jvp(
    function: Callable[..., Array], points: int, primals: tuple, tangents: tuple
) -> tuple[Array, Array]:
    (numbers,), (changes,) = primals, tangents
    varied = [k for k, change in enumerate(changes) if not isinstance(change, SymbolicZero)]

    def at(place: Scalar) -> tuple[Array, list[Array]]:
        def along(k: int) -> tuple[Array, Array]:
            def of_one(number: Scalar) -> Array:
                step, *parameters = (*numbers[:k], number, *numbers[k + 1 :])
                return function(place * step, *parameters)

            return jax.jvp(of_one, (numbers[k],), (jnp.ones_like(numbers[k]),))

        found = [along(k) for k in varied]
        return found[0][0], [slope for _, slope in found]

    values, slopes = _by_blocks(at, points)
    directions = jnp.stack([changes[k] for k in varied]).astype(values.dtype)
    return values, directions @ jnp.stack(slopes)


def interpolate(
    samples: Inexact[Array, "... points"], grid: TimeGrid, ts: Float[Array, " times"]
) -> Inexact[Array, "... times"]:
    """Values at any `ts` on the grid, by the degree-11 polynomial through the 12 nearest points.

    The error is of order step^12, below that of the integration rules in `gregory`; outside the
    grid the polynomial extrapolates and the error grows fast.
    """
    position = ts / grid.step
    start = jnp.floor(position).astype(int) - (STENCIL // 2 - 1)
    start = jnp.clip(start, 0, grid.points - STENCIL)
    weights = _lagrange(position - start.astype(float))
    stencil = start[None, :] + jnp.arange(STENCIL)[:, None]

    def between(row: Inexact[Array, " points"]) -> Inexact[Array, " times"]:
        terms = (w.astype(row.dtype) * f for w, f in zip(weights, row[stencil], strict=True))
        return sum(terms, jnp.zeros(ts.shape, row.dtype))

    rows = jax.vmap(between)(samples.reshape(-1, grid.points))
    return rows.reshape(*samples.shape[:-1], *ts.shape)


def _lagrange(x: Float[Array, " times"]) -> list[Float[Array, " times"]]:
    """Lagrange polynomials on 0 .. 11 at x, as products so that nodes need no special case."""
    factors = [x - k for k in range(STENCIL)]
    before = list(accumulate(factors[:-1], mul, initial=jnp.ones_like(x)))
    after = list(accumulate(factors[:0:-1], mul, initial=jnp.ones_like(x)))[::-1]
    scales = [prod(k - m for m in range(STENCIL) if m != k) for k in range(STENCIL)]
    return [b * a / s for b, a, s in zip(before, after, scales, strict=True)]
