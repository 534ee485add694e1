"""When a ratio of two rates is known, and how errors multiply."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

# A rate is known when its error is below this fraction of it.
RESOLUTION = 1e-2
# A rate N' that is not known, with an error below this fraction of w_s (1 + N), is a steady state.
STEADY = 1e-8


class Rate(NamedTuple):
    """A rate of change and an estimate of its absolute error."""

    value: Float[Array, "..."]
    error: Float[Array, "..."]

    @property
    def known(self) -> Bool[Array, "..."]:
        """Whether the error leaves about two digits."""
        return self.error < RESOLUTION * jnp.abs(self.value)


def is_resolved(number: Rate, entropy: Rate, scale: Float[Array, "..."]) -> Bool[Array, "..."]:
    """False where E'/S' is 0/0: both rates drown in their errors, though those are tiny.

    Tiny is said of N' on the `scale` w_s (1 + N).
    """
    steady = number.error <= STEADY * scale
    at_rest = (number.value == 0.0) & (entropy.value == 0.0)
    return (number.known | entropy.known | ~steady) & ~at_rest


def propagated(slope: Float[Array, "..."], error: Float[Array, "..."]) -> Float[Array, "..."]:
    """|slope| error, where either may be infinite; a slope that overflowed leaves no bound."""
    product = jnp.where((slope == 0.0) | (error == 0.0), 0.0, jnp.abs(slope) * error)
    return jnp.where(jnp.isnan(product), jnp.inf, product)
