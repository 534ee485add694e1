r"""Joint stationary states of modes and reservoirs, in which a quench starts.

In terms of the damped modes that stand for the reservoirs, M G + G M' = F (see `driven`), which in
the eigenbasis of M is G_kl = F_kl / (m_k + m_l*). A bound state b has m_b = i w_b, and its own
element is not determined. In equilibrium it is the occupation f(w_b) of the bound state, less what
the free reservoirs have in it,

f(w_b) - sum_a |c_a' r|^2 \int J_a f / (w - w_b)^2 dw,    r r' the residue of the propagator.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from bathax.linear.bound_states import bound_states
from bathax.linear.damped import DampedModes
from bathax.linear.late_times import brought
from bathax.linear.spectrum import Spectrum
from bathax.numerics.eigen import decomposed
from bathax.system.linear import LinearSystem

# Eigenvalues of M that agree to this with a bound state are those of it.
CLOSE = 1e-6


class BoundOccupation(NamedTuple):
    """Frequencies of bound states, their residues, and the elements of G in them."""

    frequencies: Float[Array, " states"]
    residues: Complex[Array, "states n n"]
    filled: Float[Array, " states"]

    @staticmethod
    def of(system: LinearSystem, *, thermal: bool) -> "BoundOccupation":
        """Of a system in equilibrium if `thermal`; else nothing but what reservoirs bring."""
        spectrum, found = Spectrum.of(system), bound_states(system)
        residues = jnp.where(found.exist[:, None, None], found.residues, 0.0)
        weight = jnp.trace(residues, axis1=1, axis2=2).real
        known = jnp.where(weight > 0.0, weight, 1.0)
        own = jnp.einsum("bbij->bij", brought(system, spectrum, found)[0])
        free = jnp.einsum("bij,bjk,bki->b", residues, own, residues).real / known
        filling: Any = system.reservoirs[0].occupation
        whole = found.filled(filling) if thermal else free
        filled = jnp.where(found.exist & (weight > 0.0), whole - free, 0.0)
        return BoundOccupation(found.placed, residues, filled)


def joint_state(
    system: LinearSystem, modes: DampedModes, bound: BoundOccupation
) -> Complex[Array, "all all"]:
    """G of the stationary state."""
    size = system.size
    M = modes.generator(system.h, system.couplings)
    F = jnp.zeros_like(M).at[:size, size:].set(modes.driven(system.couplings))
    rates, vectors, inverse = decomposed(M)
    source = inverse @ (F + F.conj().T) @ inverse.conj().T
    frequencies = bound.frequencies.astype(complex)[None]
    off = jnp.abs(rates[:, None] - 1j * frequencies)
    exist = jnp.any(bound.residues != 0.0, axis=(1, 2))[None]
    own = jnp.any((off <= CLOSE * (1.0 + jnp.abs(frequencies))) & exist, axis=1)
    total = rates[:, None] + rates.conj()[None, :]
    excluded = (own[:, None] & own[None, :]) | (total == 0.0)
    inner = jnp.where(excluded, 0.0, source / jnp.where(excluded, 1.0, total))
    G = vectors @ inner @ vectors.conj().T
    for k in range(bound.frequencies.shape[0]):
        column = vectors[:, jnp.argmin(off[:, k])]
        share = jnp.sum(jnp.abs(column[:size]) ** 2)
        scale = bound.filled[k] * jnp.trace(bound.residues[k]).real
        factor = scale / jnp.where(share > 0.0, share, 1.0)
        G += factor.astype(complex) * column[:, None] * column.conj()[None, :]
    return G
