"""Entropies of evolved states at many points (|u|^2, v), and how they are differentiated.

A state gives S, S_u, S_v, S_uu, S_uv, S_vv in one pass (u and v stand for |u|^2 and v). By the
chain rule the second derivatives serve to differentiate S and its slopes, so that a gradient of T =
E'/S' does not differentiate the sum over all levels once more.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from bathax._checks import Scalar
from bathax.numerics.blocks import in_blocks
from bathax.numerics.tangents import instantiated, varies

# The number of points (|u|^2, v) at which entropies are computed at once.
AT_ONCE = 256

Points = Float[Array, " points"]
Six = tuple[Float[Array, "3 points"], Float[Array, "3 points"]]


@jax.custom_jvp
def derivatives(state: Any, transmission: Points, noise: Points) -> Six:
    """(S, S_u, S_v) and (S_uu, S_uv, S_vv) of a state, the second three as constants."""
    return _twice(state, transmission, noise)


@partial(derivatives.defjvp, symbolic_zeros=True)
def _derivatives_jvp(primals: tuple, tangents: tuple) -> tuple[Six, Six]:
    # Third derivatives, which take longest to trace, appear only if this is differentiated in turn.
    six, moves = _twice(*primals), instantiated(primals, tangents)
    if varies(tangents[0]):
        _, (change, _) = jax.jvp(_twice, primals, moves)
    else:
        change = _by_chain_rule(six, *moves[1:])
    return six, (change, jnp.zeros_like(six[1]))


@jax.custom_jvp
def _twice(state: Any, transmission: Points, noise: Points) -> Six:
    """The same, with derivatives of all six."""
    rows = _block_by_block(state, (transmission, noise))
    return rows[:3], rows[3:]


@partial(_twice.defjvp, symbolic_zeros=True)
def _twice_jvp(primals: tuple, tangents: tuple) -> tuple[Six, Six]:
    six, moves = _twice(*primals), instantiated(primals, tangents)
    _, change = jax.jvp(lambda state, *points: state._entropy_derivatives(*points), primals, moves)
    first = change[:3] if varies(tangents[0]) else _by_chain_rule(six, *moves[1:])
    return six, (first, change[3:])


def _by_chain_rule(six: Six, du: Points, dv: Points) -> Float[Array, "3 points"]:
    """How S, S_u and S_v change with |u|^2 and v."""
    (_, s_u, s_v), (s_uu, s_uv, s_vv) = six
    return jnp.stack([s_u * du + s_v * dv, s_uu * du + s_uv * dv, s_uv * du + s_vv * dv])


@in_blocks(AT_ONCE)
def _block_by_block(state: Any, points: tuple[Array, Array]) -> Float[Array, "6 points"]:
    return state._entropy_derivatives(*points)


def by_differentiation(
    entropy: Callable[[Scalar, Scalar], Scalar], transmission: Points, noise: Points
) -> Float[Array, "6 points"]:
    """The six derivatives of an entropy at each point, by differentiating it twice."""

    def value(u: Scalar, v: Scalar) -> tuple[Scalar, list[Scalar]]:
        s = entropy(u, v)
        return s, [s]

    def slopes(u: Scalar, v: Scalar) -> tuple[tuple[Scalar, Scalar], list[Scalar]]:
        (s_u, s_v), known = jax.jacfwd(value, (0, 1), has_aux=True)(u, v)
        return (s_u, s_v), [*known, s_u, s_v]

    def rows(u: Scalar, v: Scalar) -> Float[Array, " 6"]:
        ((s_uu, s_uv), (_, s_vv)), known = jax.jacfwd(slopes, (0, 1), has_aux=True)(u, v)
        return jnp.stack([*known, s_uu, s_uv, s_vv])

    return jax.vmap(rows, out_axes=1)(transmission, noise)
