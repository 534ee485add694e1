"""The uniform time grid on which convolutions are taken, and values between its points."""

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array, Complex, Float, Inexact, Int

from bathax import _loops
from bathax._checks import Scalar

STENCIL = 12
# Functions are sampled in blocks of BLOCK times, which stay in the cache, and in at least BLOCKS
# blocks: in a loop the compiler does not compute anything twice.
BLOCK, BLOCKS = 4096, 2


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

    @staticmethod
    def beyond(stop: Scalar, points: int) -> "TimeGrid":
        """The grid of that many points whose last but one is `stop`, where `halved` ends."""
        return TimeGrid(stop / (points - 2), points)

    @property
    def halved(self) -> "TimeGrid":
        """Every second point, from the first one on."""
        return TimeGrid(2.0 * self.step, (self.points + 1) // 2)


def span(ts: Float[Array, " times"]) -> Float[Array, ""]:
    """The length of the grid: the last time, or any positive number if that is 0."""
    return jnp.where(ts[-1] > 0.0, ts[-1], 1.0)


def sampled(
    function: Callable[..., Array], parameters: tuple[Scalar, ...], grid: TimeGrid
) -> Complex[Array, " points"]:
    """function(t, *parameters) at every time of the grid; `function` closes over no array.

    Derivatives with respect to the parameters are sampled once, together with the values, and
    serve any number of directions; reverse mode stores nothing else.
    """
    return _samples(function, grid.points, (grid.step, *parameters))


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def _samples(
    function: Callable[..., Array], points: int, numbers: tuple[Scalar, ...]
) -> Complex[Array, " points"]:
    """Samples at multiples of the first number; the others are parameters."""
    step, *parameters = numbers
    return _by_blocks(lambda place: function(place * step, *parameters), points)


def _by_blocks(function: Callable[[Scalar], Any], points: int) -> Any:
    """A function of 0, 1, ..., points - 1."""
    size = min(BLOCK, -(-points // BLOCKS))
    count = -(-points // size)
    places = jnp.arange(count * size, dtype=float).reshape(count, size)
    values = _loops.map(jax.vmap(function), places)
    return jax.tree.map(lambda f: f.reshape(-1, *f.shape[2:])[:points], values)


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
    stencil, weights = stencils(ts / grid.step, grid.points)
    return combined(samples, stencil, weights)


def stencils(
    position: Float[Array, " times"], points: Int[Array, ""] | int
) -> tuple[Int[Array, "stencil times"], Float[Array, "stencil times"]]:
    """The grid points around each position in units of the step, and their Lagrange weights."""
    start = jnp.floor(position).astype(int) - (STENCIL // 2 - 1)
    start = jnp.clip(start, 0, points - STENCIL)
    nodes = np.arange(STENCIL)
    # As products of all other factors, so that a position on a node needs no special case.
    others = np.where(np.eye(STENCIL, dtype=bool), np.inf, nodes)[:, :, None]
    gaps = jnp.where(np.isinf(others), 1.0, (position - start.astype(float))[None, None] - others)
    scales = [1.0 / prod(k - m for m in range(STENCIL) if m != k) for k in range(STENCIL)]
    weights = jnp.prod(gaps, axis=1) * np.array(scales)[:, None]
    return start[None, :] + nodes[:, None], weights


def combined(
    samples: Inexact[Array, "... points"],
    stencil: Int[Array, "stencil times"],
    weights: Float[Array, "stencil times"],
) -> Inexact[Array, "... times"]:
    """Sums of samples with the weights of `stencils`."""
    values = samples[..., stencil]
    weights = weights.reshape((1,) * (samples.ndim - 1) + weights.shape)
    return jnp.sum(values * weights.astype(values.dtype), axis=-2)
