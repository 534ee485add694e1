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
from bathax.numerics.balancing import ReducedModes
from bathax.numerics.eigen import decomposed

# A step is exact if it is at most so long in units of the largest rate, and of a frequency.
DECAY, PHASE = 2.2, 1.2


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

    def mirrored(self, statistics: str) -> "DampedModes":
        """With the adjoint modes B' behind, which stand for Phi'; their noise is <Phi Phi'>."""
        sign = 1.0 if statistics == "boson" else -1.0
        empty = self.memory + sign * self.noise
        rates = jnp.concatenate([self.rates, self.rates.conj()])
        pairs = ((self.output,) * 2, (self.memory,) * 2, (self.noise, empty))
        return DampedModes(rates, *(block_diag(one, other.conj()) for one, other in pairs))

    @property
    def demand(self) -> Float[Array, ""]:
        """About how many steps a unit of time needs, by what decays and by what oscillates."""
        oscillates = jnp.abs(self.rates.imag) > 4.0 * self.rates.real
        beats = jnp.where(oscillates, jnp.abs(self.rates.imag), 0.0)
        return jnp.maximum(jnp.max(jnp.abs(self.rates)) / DECAY, jnp.max(beats) / PHASE)

    def generator(
        self, h: Complex[Array, "n n"], c: Complex[Array, "channels n"]
    ) -> Complex[Array, "all all"]:
        """M, with Z' = -M Z for Z = (a, B)."""
        return jnp.block(
            [
                [1j * h, 1j * c.T @ self.output],
                [1j * self.memory.T @ c.conj(), jnp.diag(self.rates)],
            ]
        )

    def fields(
        self, contact: Complex[Array, "modes n"]
    ) -> tuple[Complex[Array, "channels n"], Complex[Array, "channels n"]]:
        """<a_j' Phi> and <a_j' Phi_w> from <a_j' B>."""
        return self.output @ contact, -1j * ((self.output * self.rates[None]) @ contact)

    def driven(self, c: Complex[Array, "channels n"]) -> Complex[Array, "n modes"]:
        """The rows of a and columns of B of F."""
        return -1j * (c.T @ self.noise.conj())


def _decaying(modes: ReducedModes) -> tuple[Array, ...]:
    """Rates, o, p and q in the eigenbasis of A."""
    rates, vectors, inverse = decomposed(modes.generator)
    memory, noise = (inverse @ modes.excited.T).T
    return rates, (modes.output @ vectors)[None], memory[None], noise[None]
