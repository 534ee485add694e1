"""Doubling a resolution until two successive results agree, eagerly or inside `jit`."""

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax import lax

from bathax._checks import Scalar, is_concrete

Result = TypeVar("Result")


@jax.custom_batching.custom_vmap
def largest(x: Scalar) -> Scalar:
    """The value itself; under `vmap` the largest of the batch, the same for all its members.

    A decision taken on it is one decision for the whole batch: it stays a branch under `vmap`
    and needs not run both sides. Outside `jit` it is a concrete number.
    """
    return x


@largest.def_vmap
def _largest_of_batch(size: int, batched: list[bool], x: jax.Array) -> tuple[jax.Array, bool]:
    del size, batched
    return largest(jnp.max(x, axis=0)), False


def refine(
    solve: Callable[[int], Result],
    points: int,
    max_points: int,
    discrepancy: Callable[[Result, Result], Scalar],
) -> tuple[Result, Result]:
    """The results on the first two grids of n and 2n points whose discrepancy is at most 1.

    Starts with points/2 and points, doubles up to `max_points`, and returns (coarse, fine).
    Called with concrete values, it computes only what it needs; inside `jit` each doubling is a
    `lax.cond`. In a batch all members share the number of points of the most demanding one.
    """

    def climb(coarse: Result, fine: Result, points: int) -> tuple[Result, Result]:
        if 2 * points > max_points:
            return coarse, fine
        excess = largest(lax.stop_gradient(discrepancy(coarse, fine)))
        return _branch(
            excess <= 1.0,
            lambda: (coarse, fine),
            lambda: climb(fine, solve(2 * points), 2 * points),
        )

    return climb(solve(points // 2), solve(points), points)


def _branch(condition: jax.Array, yes: Callable[[], Any], no: Callable[[], Any]) -> Any:
    if is_concrete(condition):
        return yes() if bool(condition) else no()
    return lax.cond(condition, yes, no)
