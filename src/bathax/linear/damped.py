r"""The damped modes that stand for reservoirs, each decaying by itself.

Balanced truncation gives g(t) = o e^{-At} p and g~(t) = o e^{-At} q; in the eigenbasis of A the
modes of all channels decay with rates a_k.
"""

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jax.scipy.linalg import block_diag
from jaxtyping import Array, Complex, Float

from bathax._checks import Scalar
from bathax._linalg import eig
from bathax.numerics.balancing import ReducedModes

# A step is exact if it is at most so long in units of the largest rate, and of a frequency.
DECAY, PHASE = 1.1, 0.3


class DampedModes(eqx.Module):
    """Rates a_k, and for each channel o_k, p_k and q_k, zero for the modes of other channels."""

    rates: Complex[Array, " modes"]
    output: Complex[Array, "channels modes"]
    memory: Complex[Array, "channels modes"]
    noise: Complex[Array, "channels modes"]

    @staticmethod
    def of(reduced: list[ReducedModes]) -> "DampedModes":
        """The modes of all channels, from the reduced ones of each."""
        each = [_decaying(modes) for modes in reduced]
        rates = jnp.concatenate([one[0] for one in each])
        rows = (block_diag(*[one[k] for one in each]) for k in (1, 2, 3))
        return DampedModes(rates, *rows)

    def slower(self, fastest: Scalar) -> "DampedModes":
        """The same without modes of larger rates, which are left uncoupled."""
        kept = lax.stop_gradient(jnp.abs(self.rates) <= fastest).astype(complex)
        parts = (self.rates, self.output, self.memory, self.noise)
        return DampedModes(parts[0] * kept, *(part * kept[None] for part in parts[1:]))

    @property
    def demand(self) -> Float[Array, ""]:
        """About how many steps a unit of time needs, by what decays and by what oscillates."""
        oscillates = jnp.abs(self.rates.imag) > 4.0 * self.rates.real
        beats = jnp.where(oscillates, jnp.abs(self.rates.imag), 0.0)
        return jnp.maximum(jnp.max(jnp.abs(self.rates)) / DECAY, jnp.max(beats) / PHASE)


def _decaying(modes: ReducedModes) -> tuple[Array, ...]:
    """Rates, o, p and q in the eigenbasis; derivatives to first order in the change of A.

    With B = V^-1 dA V the rates change by B_kk, and V by V X with X_kl = B_kl / (a_l - a_k).
    """
    fixed = lax.stop_gradient(modes.generator)
    rates, vectors, inverse = eig(fixed)
    change = inverse @ (modes.generator - fixed) @ vectors
    gap = rates[None, :] - rates[:, None]
    turned = jnp.where(gap == 0.0, 0.0, change / jnp.where(gap == 0.0, 1.0, gap))
    unit = jnp.eye(rates.shape[0], dtype=complex)
    output = (modes.output @ vectors) @ (unit + turned)
    memory, noise = ((unit - turned) @ (inverse @ modes.excited.T)).T
    return rates + jnp.diagonal(change), output[None], memory[None], noise[None]
