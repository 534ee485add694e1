"""From the start of a run to its end, step by step."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from bathax import _loops
from bathax._checks import Scalar
from bathax.linear.damped import DampedModes
from bathax.linear.motion import Equations, Gains, Moving, Seen, gains, series
from bathax.numerics.steps import PLACES, at_places, fitted, integrated, node_times
from bathax.system.linear import LinearSystem


def passage(
    system: LinearSystem, modes: DampedModes, start: Moving, edges: Float[Array, " edges"]
) -> tuple[Moving, tuple[Seen, Gains]]:
    """The end, and for each step the coefficients of what is seen and of what is gained till then.

    Reverse mode stores `Moving` at each step, and does the steps again.
    """
    count = len(system.channels)

    @jax.checkpoint
    def step(
        state: tuple[Moving, Gains], ends: tuple[Scalar, Scalar]
    ) -> tuple[tuple[Moving, Gains], tuple[Seen, Gains]]:
        (now, gained), (first, last) = state, ends
        ts = node_times(first, last - first)
        equations = jax.vmap(lambda t: Equations.of(system.at(t)))(ts)
        after, seen = series(fitted(equations), modes, last - first, now)
        there = at_places(seen, jnp.asarray(PLACES))
        power = jax.vmap(gains)(equations, jax.vmap(system.rates)(ts), there)
        rising = integrated(fitted(power), last - first)
        rising = jax.tree.map(lambda c, before: c.at[0].add(before), rising, gained)
        return (after, jax.tree.map(partial(jnp.sum, axis=0), rising)), (seen, rising)

    none = jnp.zeros(count)
    begin = start, Gains(jnp.zeros(()), none, none)
    (end, _), path = _loops.scan(step, begin, (edges[:-1], edges[1:]))
    return end, path
