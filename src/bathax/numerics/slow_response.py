r"""Slower modes that stand for faster ones: the same response to all that varies slowly.

Decaying modes respond by sum_k m_k / (s + a_k). With the rate A of those that are kept, modes of
the rates A / x_i, x_i = 1 .. 3, respond by sum_i w_i / (s + A / x_i). The two agree up to a power
of s if

w_i = sum_k m_k L_i(A / a_k),

with polynomials L_i that are 1 at x_i and 0 at the other places.
"""

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex

from bathax._checks import Scalar

# The places x_i, and the other ones of each.
PLACES = np.linspace(1.0, 3.0, 6).astype(complex)
OTHERS = np.array([np.delete(PLACES, i) for i in range(PLACES.size)])
APART = PLACES[:, None] - OTHERS


def shares(
    rates: Complex[Array, " modes"], fastest: Scalar, lowest: int = 0
) -> tuple[Complex[Array, " modes"], Complex[Array, "modes places"]]:
    """1 for modes that are kept and 0 for others, and L_i(A / a_k) of the others.

    The polynomials have the powers from the `lowest` on: with 0 the total sum_k m_k stays the same
    too, which 1 leaves out, for totals without limit.
    """
    small = jnp.abs(rates) <= fastest
    kept = lax.stop_gradient(small).astype(complex)
    fastest = lax.stop_gradient(fastest).astype(complex)
    places = fastest * (1.0 - kept) / jnp.where(small, 1.0, rates)
    # As products: sums of powers would cancel.
    lagrange = jnp.prod((places[:, None, None] - OTHERS[None]) / APART[None], axis=2)
    scale = lax.integer_pow(places[:, None] / PLACES[None], lowest)
    return kept, (1.0 - kept)[:, None] * scale * lagrange


def slower(fastest: Scalar) -> Complex[Array, " places"]:
    """The rates A / x_i."""
    return lax.stop_gradient(fastest).astype(complex) / PLACES
