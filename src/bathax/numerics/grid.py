"""The uniform time grid on which convolutions are taken, and values between its points."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Inexact

from bathax._checks import Scalar

STENCIL = 12


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
    nearest = samples[..., start[:, None] + jnp.arange(STENCIL)[None, :]]
    return jnp.einsum("...tk,tk->...t", nearest, weights.astype(samples.dtype))


def _lagrange(x: Float[Array, " times"]) -> Float[Array, "times stencil"]:
    """Lagrange polynomials on 0 .. 11 at x, as products so that nodes need no special case."""
    nodes = np.arange(STENCIL)
    scale = np.array([np.prod([j - m for m in nodes if m != j], dtype=float) for j in nodes])
    factors = x[:, None] - jnp.asarray(nodes, float)[None, :]
    before = jnp.cumprod(jnp.roll(factors, 1, axis=1).at[:, 0].set(1.0), axis=1)
    after = jnp.cumprod(jnp.roll(factors[:, ::-1], 1, axis=1).at[:, 0].set(1.0), axis=1)[:, ::-1]
    return before * after / scale[None, :]
