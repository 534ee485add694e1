r"""Linear evolution x' = G x by long Taylor steps, with all components at many times.

x(t + h) = sum_k (h G)^k / k! x(t). The Taylor polynomial of a step gives them at any time within
it. There is no interpolation, and steps are as long as stability allows. For a few components
`faber` takes fewer products.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex

from bathax import _loops
from bathax._checks import Scalar
from bathax.numerics.sparse import SparseMatrix

ORDER = 24
# Largest h |G| of a step: the polynomial is stable on the left half plane and its last term small.
REACH = 7.0


def steps_needed(norm: float, reach: float = REACH) -> int:
    """How many steps `states` needs, given the norm of the generator times the span of time."""
    return max(1, math.ceil(norm / reach))


def states(
    matrix: SparseMatrix,
    start: Complex[Array, " n"],
    stop: Scalar,
    steps: int,
    parts: int,
) -> Complex[Array, "times n"]:
    """e^{G t} start at steps parts + 1 uniform times from 0 to `stop`, each step cut into parts.

    The polynomial of a step serves all its parts: a finer grid needs no more products with G.
    """
    h = stop / steps
    fractions = jnp.arange(1.0, parts + 1.0)[:, None] / parts

    def advance(x: Array, _: None) -> tuple[Array, Array]:
        def term(k: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
            power, totals = carry
            power = matrix.scaled(h / k.astype(float)) @ power
            return power, totals + (fractions**k).astype(complex) * power[None, :]

        before = jnp.broadcast_to(x, (parts, *x.shape))
        _, totals = _loops.fori_loop(1, ORDER + 1, term, (x, before))
        return totals[-1], totals

    _, later = _loops.scan(jax.checkpoint(advance), start, None, length=steps)
    return jnp.concatenate([start[None, :], later.reshape(-1, start.shape[0])])
