r"""The damped modes that stand for reservoirs, each decaying by itself.

Balanced truncation gives g(t) = o e^{-At} p and g~(t) = o e^{-At} q; in the eigenbasis of A the
modes of all channels decay with rates a_k.
"""

import equinox as eqx
import jax.numpy as jnp
from jax.scipy.linalg import block_diag
from jaxtyping import Array, Complex, Float

from bathax._checks import Scalar
from bathax.numerics.balancing import ReducedModes
from bathax.numerics.eigen import decomposed
from bathax.numerics.slow_response import PLACES, shares, slower

# A step is exact if it is at most so long in units of the largest rate, and of a frequency.
DECAY, PHASE = 1.5, 1.2
# What the modes that stand for faster ones may change, in units of the tolerance.
UNCHANGED = 1e-2


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

    def within(self, fastest: Scalar) -> "DampedModes":
        """The same without modes of larger rates, whose slow response others take over."""
        kept, taken = shares(self.rates, fastest)
        memory, noise = (
            block_diag(*((self.output * part) @ taken)[:, None])
            for part in (self.memory, self.noise)
        )
        count = self.output.shape[0]
        output = jnp.kron(jnp.eye(count), jnp.ones((1, PLACES.size))).astype(complex)
        rates = jnp.tile(slower(fastest), count)
        parts = ((self.output, output), (self.memory, memory), (self.noise, noise))
        return DampedModes(
            jnp.concatenate([self.rates * kept, rates]),
            *(jnp.concatenate([own * kept[None], more], axis=1) for own, more in parts),
        )

    def mirrored(self, statistics: str) -> "DampedModes":
        """With the adjoint modes B' behind, which stand for Phi'; their noise is <Phi Phi'>."""
        sign = 1.0 if statistics == "boson" else -1.0
        empty = self.memory + sign * self.noise
        rates = jnp.concatenate([self.rates, self.rates.conj()])
        pairs = ((self.output,) * 2, (self.memory,) * 2, (self.noise, empty))
        return DampedModes(rates, *(block_diag(one, other.conj()) for one, other in pairs))

    def demand(self, frequency: Scalar, rtol: Scalar) -> Float[Array, ""]:
        """About how many steps a unit of time needs, beside modes of at most this frequency.

        They resolve what oscillates, and rates up to one beyond which `within` changes nothing.
        """
        sizes, strength = jnp.abs(self.rates), jnp.sum(jnp.abs(self.output), axis=0)
        strength *= jnp.max(jnp.abs(jnp.concatenate([self.memory, self.noise])), axis=0)
        known = jnp.where(sizes > 0.0, sizes, 1.0)
        faster = (sizes[None, :] > sizes[:, None]).astype(float)
        slowness = jnp.max(jnp.abs(PLACES)) * frequency / known
        change = slowness**PLACES.size * (faster @ (strength / known)) / frequency
        enough = (sizes > 0.0) & (change <= UNCHANGED * rtol)
        decays = jnp.min(jnp.where(enough, sizes, jnp.max(sizes)))
        beats = jnp.where(jnp.abs(self.rates.imag) > 4.0 * self.rates.real, sizes, 0.0)
        return jnp.maximum(decays / DECAY, jnp.max(beats) / PHASE)

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
