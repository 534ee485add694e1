"""Functions of many points or members, evaluated in parts that stay in the cache."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_batching import custom_vmap
from jaxtyping import Array

from bathax import _loops

Function = Callable[..., Array]
Points = tuple[Array, ...]
# How many times larger blocks are on devices that have thousands of cores.
MORE = 1024


def in_blocks(size: int) -> Callable[[Function], Function]:
    """A decorator for f(shared, points): it takes about `size` points at a time, in a loop.

    `points` is a tuple of arrays over the points; the result has the points along its last axis.
    A block is small enough to stay in the cache, on devices other than the CPU large enough to
    occupy them. Under `vmap` the batch axis is merged with the points, so that a large batch takes
    as long per point as a small one. Members of a batch with different `shared` are computed one
    after the other on the CPU, all at once on other devices.
    """

    def decorated(function: Function) -> Function:
        @custom_vmap
        def call(shared: Any, points: Points) -> Array:
            return _in_turn(function, size, shared, points)

        @call.def_vmap
        def _(count: int, batched: list, shared: Any, points: Points) -> tuple[Array, bool]:
            own, of_points = batched
            points = tuple(map(_spread(count), points, of_points))
            if not any(jax.tree.leaves(own)):
                joined = call(shared, tuple(x.ravel() for x in points))
                apart = joined.reshape(*joined.shape[:-1], count, -1)
                return jnp.moveaxis(apart, -2, 0), True
            members = jax.tree.map(_spread(count), shared, own), points
            together = jax.vmap(partial(_looped, function, -(-MORE * size // count)))
            return _of_members(call, together, members), True

        return call

    return decorated


def member_by_member(function: Callable[..., Any]) -> Callable[..., Any]:
    """f(own, others), where members of a batch with different `own` follow each other on the CPU.

    So a matrix that is made of `own` stays in the cache. A batch with one `own` for all shares it.
    """

    @custom_vmap
    def call(own: Any, others: Any) -> Any:
        return function(own, others)

    @call.def_vmap
    def _(count: int, batched: list, own: Any, others: Any) -> tuple[Any, Any]:
        if any(jax.tree.leaves(batched[0])):
            members = jax.tree.map(_spread(count), (own, others), tuple(batched))
            found = _of_members(call, jax.vmap(function), members)
        else:
            axes = jax.tree.map(lambda each: 0 if each else None, batched[1])
            found = member_by_member(jax.vmap(function, (None, axes)))(own, others)
        return found, jax.tree.map(lambda _: True, found)

    return call


def _of_members(each: Callable[..., Any], together: Callable[..., Any], members: tuple) -> Any:
    """Results for all members of a batch: of each after the other on the CPU."""
    return lax.platform_dependent(
        *members,
        cpu=lambda *members: _loops.map(lambda one: each(*one), members),
        default=together,
    )


def _spread(count: int) -> Callable[[Array, bool], Array]:
    """An array with a leading axis for the batch."""
    return lambda x, batched: x if batched else jnp.broadcast_to(x, (count, *x.shape))


def _in_turn(function: Function, size: int, shared: Any, points: Points) -> Array:
    """f(shared, points), block after block if there are many points.

    A few blocks are computed at once, because a loop would take longer to compile than it saves.
    """
    if points[0].shape[0] <= 4 * size:
        return function(shared, points)
    return lax.platform_dependent(
        shared,
        points,
        cpu=partial(_looped, function, size),
        default=partial(_looped, function, MORE * size),
    )


def _looped(function: Function, size: int, shared: Any, points: Points) -> Array:
    """f(shared, points) in equal blocks, the last one filled up with the last point."""
    count = points[0].shape[0]
    blocks = max(1, -(-count // size))
    length = -(-count // blocks)
    padded = [jnp.pad(x, (0, blocks * length - count), "edge") for x in points]
    found = _loops.map(partial(function, shared), tuple(x.reshape(blocks, length) for x in padded))
    return jnp.moveaxis(found, 0, -2).reshape(*found.shape[1:-1], -1)[..., :count]
