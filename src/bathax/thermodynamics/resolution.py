"""Where T = E'/S' is resolved numerically, and how errors propagate."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

# A rate is known when its error is below this fraction of it.
RESOLUTION = 1e-2
# If N' is not known and its error is below this fraction of w_s (1 + N), the state is steady.
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
    """Whether E'/S' is a ratio of known rates; False where it is 0/0.

    It is 0/0 if both rates vanish, or if neither is known although the error of N' is tiny on the
    `scale` w_s (1 + N).
    """
    steady = number.error <= STEADY * scale
    at_rest = (number.value == 0.0) & (entropy.value == 0.0)
    return (number.known | entropy.known | ~steady) & ~at_rest


def propagated(slope: Float[Array, "..."], error: Float[Array, "..."]) -> Float[Array, "..."]:
    """|slope| error, where either may be infinite; infinite for a slope that overflowed."""
    product = jnp.where((slope == 0.0) | (error == 0.0), 0.0, jnp.abs(slope) * error)
    return jnp.where(jnp.isnan(product), jnp.inf, product)
