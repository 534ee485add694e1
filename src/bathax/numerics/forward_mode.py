"""Derivatives of functions of a few parameters with many results: in forward mode, always.

Reverse mode would keep all that it needs on its way back, and its program is larger by a third.
"""

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

# Beyond this number of parameters reverse mode is left to itself.
MOST = 8


def forward_differentiated(function: Callable[..., Any]) -> Callable[..., Any]:
    r"""A function whose derivatives are df = \sum_k (df/dp_k) dp_k, in either mode.

    p_k are the numbers that have a tangent. The slopes df/dp_k do not depend on the tangents, so
    that all directions share them and reverse mode has products alone to transpose.
    """
    differentiable = eqx.filter_custom_jvp(function)

    @eqx.filter_jit
    def slopes(primals: tuple, structure: Any, shapes: tuple[tuple[int, ...], ...]) -> Any:
        """The value, and its slope along each of the numbers in leaves of these shapes."""
        ends = np.cumsum([math.prod(shape) for shape in shapes])

        def along(direction: Float[Array, " parameters"]) -> tuple[Any, Any]:
            parts = jnp.split(direction, ends[:-1])
            leaves = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
            return eqx.filter_jvp(function, primals, jax.tree.unflatten(structure, leaves))

        if ends[-1] == 1:
            value, slope = along(jnp.ones(1))
            return value, jax.tree.map(lambda s: s[None], slope)
        return jax.vmap(along, out_axes=(None, 0))(jnp.eye(ends[-1]))

    @differentiable.def_jvp
    def by_slopes(primals: tuple, tangents: tuple) -> tuple[Any, Any]:
        moved, structure = jax.tree.flatten(tangents)
        if sum(one.size for one in moved) > MOST or any(map(jnp.iscomplexobj, moved)):
            return eqx.filter_jvp(function, primals, tangents)
        value, each = slopes(primals, structure, tuple(one.shape for one in moved))
        amounts = jnp.concatenate([one.ravel() for one in moved])

        def total(slope: Array) -> Array:
            along = (-1,) + (1,) * (slope.ndim - 1)
            return jnp.sum(amounts.astype(slope.dtype).reshape(along) * slope, axis=0)

        return value, jax.tree.map(total, each)

    return differentiable
