"""Sums of simple poles, f(z) = sum_q m_q / (z - x_q), at many z."""

from functools import partial
from itertools import accumulate, repeat
from operator import mul

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex

from bathax.numerics.blocks import in_blocks
from bathax.numerics.elementary import reciprocal
from bathax.numerics.tangents import instantiated, varies

# The number of points z at which sums are computed at once; four times as many are not divided, so
# that the nodes of a line are not.
AT_ONCE = 144

Poles = tuple[Complex[Array, " poles"], Complex[Array, " poles"]]


def partial_fractions(poles: Poles, z: Complex[Array, " z"]) -> Complex[Array, " z"]:
    """f(z) of the poles x_q and their residues m_q, off the poles."""
    return _powers(1, poles, z)[0]


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _powers(count: int, poles: Poles, z: Complex[Array, " z"]) -> Complex[Array, "count z"]:
    """sum_q m_q / (z - x_q)^k for k = 1, ..., `count`."""
    blocks = in_blocks(AT_ONCE)(lambda poles, points: _at_once(count, poles, *points))
    return blocks(poles, (z,))


@partial(_powers.defjvp, symbolic_zeros=True)
def _powers_jvp(count: int, primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    (poles, z), (of_poles, dz) = primals, tangents
    if varies(of_poles):
        return jax.jvp(partial(_at_once, count), primals, instantiated(primals, tangents))
    found = _powers(count + 1, poles, z)
    factors = -np.arange(1, count + 1).astype(complex)[:, None]
    return found[:-1], factors * found[1:] * dz[None, :]


def _at_once(count: int, poles: Poles, z: Complex[Array, " z"]) -> Complex[Array, "count z"]:
    nodes, masses = poles
    inverse = reciprocal(z[None, :] - nodes[:, None])
    return jnp.stack([masses @ power for power in accumulate(repeat(inverse, count), mul)])
