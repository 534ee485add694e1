r"""Linear evolution x' = G x by long Taylor steps, with chosen components at every time.

x(t + h) = sum_k (h G)^k / k! x(t). The Taylor polynomial of a step gives the chosen components, and
their derivatives, at any time within the step. There is no interpolation, and steps are as long as
stability allows.
"""

import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float, Int

from bathax._checks import Scalar

ORDER = 24
# Largest h |G| of a step: the polynomial is stable on the left half plane and its last term small.
REACH = 7.0

# G x times a number.
Product = Callable[[Array, Scalar], Array]


class PiecewisePolynomial(eqx.Module):
    """sum_k c_k s^k on every interval of length `step`, s from 0 to 1, for several components."""

    step: Scalar
    coefficients: Complex[Array, "intervals terms components"]

    def __call__(self, ts: Float[Array, " times"]) -> Complex[Array, "times components"]:
        """The values at any times."""
        return self.with_derivatives(ts)[0]

    def with_derivatives(self, ts: Float[Array, " times"]) -> Complex[Array, "2 times components"]:
        """The values at any times, and the derivatives with respect to time."""
        position = ts / self.step
        last = self.coefficients.shape[0] - 1
        interval = jnp.clip(jnp.floor(position).astype(int), 0, last)
        s = (position - interval.astype(float))[None, :, None]
        # s^k, and k s^{k-1} / step, which are s^exponents times factors.
        k, order = np.arange(self.coefficients.shape[1]), np.array([0, 1])[:, None, None]
        exponents, factors = np.maximum(k - order, 0.0), np.where(order, k, 1.0)
        scale = jnp.where(jnp.asarray(order) == 1, 1.0 / self.step, 1.0)
        powers = (scale * factors * s**exponents).astype(complex)
        return jnp.sum(self.coefficients[interval][None] * powers[..., None], axis=2)


def steps_needed(norm: float, reach: float = REACH) -> int:
    """How many steps `evolve` needs, given the norm of the generator times the span of time."""
    return max(1, math.ceil(norm / reach))


def evolve(
    apply: Product,
    start: Complex[Array, " n"],
    chosen: Int[Array, " components"],
    stop: Scalar,
    steps: int,
) -> PiecewisePolynomial:
    """The chosen components of e^{G t} start for t from 0 to `stop`.

    Too few steps (see `steps_needed`) give numbers that grow without bound.
    """
    h = stop / steps

    def advance(x: Array, _: None) -> tuple[Array, Array]:
        def term(k: Array, carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
            power, total, taken = carry
            power = apply(power, h / k.astype(float))
            return power, total + power, taken.at[k].set(power[chosen])

        taken = jnp.zeros((ORDER + 1, chosen.shape[0]), complex).at[0].set(x[chosen])
        _, total, taken = lax.fori_loop(1, ORDER + 1, term, (x, x, taken))
        return total, taken

    _, coefficients = lax.scan(jax.checkpoint(advance), start, None, length=steps)
    return PiecewisePolynomial(h, coefficients)


def states(
    apply: Product,
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
            power = apply(power, h / k.astype(float))
            return power, totals + (fractions**k).astype(complex) * power[None, :]

        before = jnp.broadcast_to(x, (parts, *x.shape))
        _, totals = lax.fori_loop(1, ORDER + 1, term, (x, before))
        return totals[-1], totals

    _, later = lax.scan(jax.checkpoint(advance), start, None, length=steps)
    return jnp.concatenate([start[None, :], later.reshape(-1, start.shape[0])])
