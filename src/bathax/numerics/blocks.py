"""Functions of many points, evaluated in blocks of one size, with or without a batch."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap
from jaxtyping import Array

from bathax import _loops

Function = Callable[..., Array]


def in_blocks(size: int) -> Callable[[Function], Function]:
    """A decorator for f(shared, points): it takes about `size` points at a time, in a loop.

    `points` is a tuple of arrays over the points; the result has the points along its last axis.
    A block is small enough to stay in the cache. Under `vmap` the batch axis is merged with the
    points, so that a large batch takes as long per point as a small one. Members of a batch with
    different `shared` are computed one after the other.
    """

    def decorated(function: Function) -> Function:
        @custom_vmap
        def call(shared: Any, points: tuple[Array, ...]) -> Array:
            return in_turn(lambda block: function(shared, block), points, size)

        @call.def_vmap
        def _(count: int, batched: list, shared: Any, points: tuple) -> tuple[Array, bool]:
            own, of_points = batched
            points = tuple(map(_spread(count), points, of_points))
            if any(jax.tree.leaves(own)):
                shared = jax.tree.map(_spread(count), shared, own)
                return _loops.map(lambda one: call(*one), (shared, points)), True
            joined = call(shared, tuple(x.ravel() for x in points))
            apart = joined.reshape(*joined.shape[:-1], count, -1)
            return jnp.moveaxis(apart, -2, 0), True

        return call

    return decorated


def _spread(count: int) -> Callable[[Array, bool], Array]:
    """An array with a leading axis for the batch."""
    return lambda x, batched: x if batched else jnp.broadcast_to(x, (count, *x.shape))


def in_turn(function: Function, points: tuple[Array, ...], size: int) -> Array:
    """f(points), about `size` points at a time.

    Blocks are equal, the last one filled up with the last point, so that the loop has one body. A
    few blocks are computed at once, because a loop would take longer to compile than it saves.
    """
    count = points[0].shape[0]
    if count <= 4 * size:
        return function(points)
    blocks = -(-count // size)
    length = -(-count // blocks)
    padded = [jnp.pad(x, (0, blocks * length - count), "edge") for x in points]
    found = _loops.map(function, tuple(x.reshape(blocks, length) for x in padded))
    return jnp.moveaxis(found, 0, -2).reshape(*found.shape[1:-1], -1)[..., :count]
