r"""A uniform grid with ever finer ones at its start, for functions that are not smooth at t = 0.

Below the first 2 HALF points of a grid lie levels k = 0 .. LEVELS - 1, with the points HALF ..
2 HALF of a grid of step / 2^k: each ends where the next coarser one begins. The first 2 HALF points
of the finest grid reach to t = 0. On every level a function like t log t is smooth, and Gregory's
rule integrates it.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Inexact

from bathax import _loops
from bathax._checks import Scalar
from bathax.numerics import gregory
from bathax.numerics.matrices import doubled, exponential_change, orbit

HALF, LEVELS = 16, 20


def exponentials(
    generator: Complex[Array, "d d"],
    excited: Complex[Array, "d columns"],
    observed: Complex[Array, "rows d"],
    step: Scalar,
    points: int,
) -> Complex[Array, "rows columns all"]:
    """observed e^{Gt} excited at the points of the grid, followed by those of all levels.

    The step is doubled from the finest level to the next. On the grid, with t = (a B + b) step, the
    exponential is a product of one of B and one of points / B matrices.
    """
    before = exponential_change((step * 0.5**LEVELS).astype(complex) * generator)
    seed = _through(doubled(before), excited)

    def level(carry: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], Array]:
        half, start = carry
        change = doubled(half)
        found = _through(change, start)
        return (change, found[-1]), observed @ found

    (change, _), levels = _loops.scan(level, (before, seed[-1]), None, LEVELS)
    inner = 2 ** math.ceil(math.log2(points) / 2)
    late, stride = orbit(change, excited, inner)
    early, _ = orbit(stride.T, observed.T, points // inner)
    even = jnp.einsum("kdr,jdc->rckj", early, late).reshape(*_sides(observed, excited), points)
    graded = jnp.moveaxis(jnp.concatenate([(observed @ seed)[None], levels]), (0, 1), (2, 3))
    return jnp.concatenate([even, graded.reshape(*_sides(observed, excited), -1)], axis=-1)


def _through(
    change: Complex[Array, "d d"], start: Complex[Array, "d columns"]
) -> Complex[Array, "points d columns"]:
    """The columns at all points of a level."""

    def onwards(columns: Array, _: None) -> tuple[Array, Array]:
        return columns + change @ columns, columns

    return _loops.scan(onwards, start, None, HALF + 1)[1]


def _sides(observed: Array, excited: Array) -> tuple[int, int]:
    return observed.shape[0], excited.shape[1]


def integrate(
    values: Inexact[Array, "... all"], step: Scalar, points: int
) -> Inexact[Array, "... points"]:
    """The running integral on the grid, of a function known there and on all levels."""
    if values.ndim > 1:
        return jax.vmap(lambda row: integrate(row, step, points))(values)
    even, early = values[:points], values[points:].reshape(LEVELS + 1, HALF + 1)
    running = gregory.integrate(early, step) * _steps().astype(early.dtype)
    total = running[:, -1]
    running += (jnp.cumsum(total) - total)[:, None]
    # Points 1 .. 2 HALF - 1 of the grid are on levels too: j 2^k with HALF <= j 2^k < 2 HALF.
    j = np.arange(1, 2 * HALF)
    k = int(math.log2(HALF)) - np.floor(np.log2(j)).astype(int)
    begin = running[LEVELS - k, j * 2**k - HALF]
    later = gregory.integrate(even[2 * HALF :], step) + running[-1, -1]
    return jnp.concatenate([jnp.zeros_like(begin[:1]), begin, later])


def integrate_twice(
    values: Float[Array, "... all"], step: Scalar, points: int
) -> Float[Array, "... points"]:
    r"""The running integral of the running integral, t \int f ds - \int s f ds."""
    if values.ndim > 1:
        return jax.vmap(lambda row: integrate_twice(row, step, points))(values)
    at = times(step, points)
    whole, first = integrate(jnp.stack([values, at * values]), step, points)
    return at[:points] * whole - first


def times(step: Scalar, points: int) -> Float[Array, " all"]:
    """The times of the grid, followed by those of all levels."""
    begin = np.array([0.0] + [HALF] * LEVELS)[:, None]
    early = _steps() * (begin + np.arange(HALF + 1.0)[None])
    return step * np.concatenate([np.arange(float(points)), early.ravel()])


def _steps() -> Float[np.ndarray, "levels 1"]:
    """The step of each level in units of that of the grid; the first one begins at t = 0."""
    return 0.5 ** np.array([LEVELS - 1, *range(LEVELS - 1, -1, -1)], float)[:, None]
