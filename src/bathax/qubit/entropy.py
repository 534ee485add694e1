"""The entropy of a two-level state as a function of the determinant d of its density matrix.

With the length r = sqrt(1 - 4 d) of the Bloch vector the eigenvalues are (1 + r)/2 and
d / ((1 + r)/2). As a function of d the entropy has no cancellation near a pure state (d -> 0), and
no 0/0 at r = 0.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from bathax.numerics.elementary import horner

# Below this determinant the logarithm counts as constant, because its second derivative would
# overflow.
SMALLEST = 1e-120
# Stands for a determinant of 0, so that the logarithm is finite.
TINY = 1e-307
# Below this r^2 the slope is a series: 2 artanh(r) / r = sum_k 2 r^{2k} / (2k + 1).
NEAR_MIXED = 0.1
SERIES = [2.0 / (2.0 * k + 1.0) for k in range(20)]


@jax.custom_jvp
def entropy(d: Float[Array, "..."]) -> Float[Array, "..."]:
    """S = -Tr[rho ln rho] as a function of the determinant d in [0, 1/4]; zero for d < 0."""
    d = jnp.maximum(d, 0.0)
    smaller = 2.0 * d / (1.0 + jnp.sqrt(jnp.maximum(1.0 - 4.0 * d, 0.0)))
    logarithm = jnp.log(jnp.maximum(smaller, TINY))
    return -(1.0 - smaller) * jnp.log1p(-smaller) - smaller * logarithm


@entropy.defjvp
def _entropy_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    return entropy(primals[0]), entropy_slope(primals[0]) * tangents[0]


def entropy_slope(d: Float[Array, "..."]) -> Float[Array, "..."]:
    """dS/dd = ln(l+/l-) / r = 2 artanh(r) / r; 2 at d = 1/4, and cut at about 700 for d -> 0."""
    near = 1.0 - 4.0 * d < NEAR_MIXED
    series = horner(SERIES, jnp.where(near, 1.0 - 4.0 * d, 0.0))
    d = jnp.where(near, 0.1, d)
    d = jnp.where(d > SMALLEST, d, lax.stop_gradient(jnp.maximum(d, TINY)))
    r = jnp.sqrt(1.0 - 4.0 * d)
    return jnp.where(near, series, (2.0 * jnp.log1p(r) - jnp.log(4.0 * d)) / r)
