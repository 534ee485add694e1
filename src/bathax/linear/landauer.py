r"""Steady states of several modes by the formulas of Landauer and Buettiker.

In the steady state modes are driven by the free fields of the reservoirs alone,

n = \int dw sum_a J_a n_a (G c_a) (G c_a)',
T_ab = 4 pi^2 J_a J_b |c_a' G c_b|^2,
I_a = 1/(2 pi) \int dw sum_b T_ab (n_b - n_a),

the gain of the reservoir of channel a; an energy current has a factor w inside. The energy of the
coupling of channel a is 2 Re <x_a' Phi_a>, with Phi_a = F_a + Sigma_a x_a in terms of the free
field F_a,

<x_a' Phi_a> = \int dw [(c_a' G c_a)* J_a n_a + Sigma_a sum_b |c_a' G c_b|^2 J_b n_b].

With n_a = 1 the first formula gives 1 less the weight of bound states, which keep a part of the
initial state for ever.
"""

from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex, Float, Inexact

from bathax._checks import Scalar
from bathax.linear.green import Correlations
from bathax.linear.spectrum import Spectrum
from bathax.system.linear import LinearSystem

# The error of rounding, relative to the largest n and to gross currents.
ROUNDING = 1e-14
# The error is at most this multiple of the square of that with half the nodes.
SQUARED = 10.0
# Errors allowed by the status, relative to the largest n and to gross currents.
RTOL = 1e-9
# The least size of energies of couplings, relative to the strength of the coupling.
LEAST = 1e-3


class Integrals(eqx.Module):
    """n, 1 less the weight of bound states, energies of couplings and currents, by each rule.

    `flow` and `energy_flow` are currents that arrive from all reservoirs, the scale of errors.
    """

    n: Complex[Array, "rules n n"]
    complete: Complex[Array, "rules n n"]
    energy: Float[Array, "rules channels"]
    current: Float[Array, "rules channels"]
    energy_current: Float[Array, "rules channels"]
    flow: Float[Array, "rules channels"]
    energy_flow: Float[Array, "rules channels"]

    @staticmethod
    def over(system: LinearSystem, spectrum: Spectrum) -> "Integrals":
        """All integrals over a spectrum; energies that do not exist are left out."""
        couplings, have_ends = system.couplings, system.have_ends
        density, filled = spectrum.densities, spectrum.densities * spectrum.occupations
        amplitudes = jnp.einsum("ai,ibq->abq", couplings.conj(), spectrum.columns)
        reached = amplitudes.real**2 + amplitudes.imag**2
        own = jnp.einsum("aaq->aq", amplitudes).real
        energy = own * filled + spectrum.shifts * jnp.sum(reached * filled[None], axis=1)
        passed = 2.0 * jnp.pi * density[:, None] * density[None] * reached
        bias = spectrum.occupations[None] - spectrum.occupations[:, None]
        gain = jnp.sum(passed * bias, axis=1)
        gross = jnp.sum(passed * spectrum.occupations[None], axis=1)
        w, energy = spectrum.w[None], jnp.where(have_ends[:, None], energy, 0.0)
        rates = (2.0 * energy, gain, w * gain, gross, jnp.abs(w) * gross)
        return Integrals(
            _covariance(spectrum, filled),
            _covariance(spectrum, density),
            *(jnp.einsum("rq,aq->ra", spectrum.weights, rate) for rate in rates),
        )

    @property
    def lost(self) -> Float[Array, ""]:
        """The weight of bound states, and of what the rule of all nodes misses."""
        return jnp.abs(self.complete.shape[-1] - jnp.trace(self.complete[0]).real)


def _covariance(
    spectrum: Spectrum, masses: Float[Array, "channels nodes"]
) -> Complex[Array, "rules n n"]:
    r"""\int dw sum_a m_a (G c_a) (G c_a)'."""
    weighted = (spectrum.weights[:, None] * masses[None]).astype(complex)
    driven = spectrum.columns[None] * weighted[:, None]
    return jnp.einsum("riaq,jaq->rij", driven, spectrum.columns.conj())


class Steady(eqx.Module):
    """The state for t -> infinity with its errors, and how far to trust them.

    `current_error` is that of particle currents, `bound_weight` the weight of bound states in all
    modes, and `relative` the relative error of all integrals.
    """

    state: Correlations
    error: Correlations
    current_error: Float[Array, " channels"]
    bound_weight: Float[Array, ""]
    relative: Float[Array, ""]


def steady(system: LinearSystem) -> Steady:
    """The steady state; the weight of bound states adds to its error, as for one quantum each."""
    found = Integrals.over(system, Spectrum.of(system))
    state = Correlations(
        found.n[0],
        0.5 * lax.complex(found.energy[0], -found.current[0]),
        -0.5j * found.energy_current[0].astype(complex),
    )
    fixed, strength = lax.stop_gradient((found, jnp.sqrt(system.weight)))
    lost, sizes = fixed.lost, Sizes.of(fixed, strength)
    relative = relative_error(
        (fixed.complete, fixed.n, fixed.energy, fixed.current, fixed.energy_current),
        (jnp.ones(()), *sizes),
    )
    error = Sizes(*(relative * size for size in sizes))
    kept = lost * jnp.maximum(sizes.n, 1.0)
    bounds = (error.n + kept, 0.5 * (error.energy + kept * strength), 0.5 * error.energy_current)
    errors = [
        jnp.broadcast_to(bound, part.shape)
        for bound, part in zip(bounds, jax.tree.leaves(state), strict=True)
    ]
    # A narrow resonance that both rules miss has its weight in `lost`, too.
    current_error = jnp.broadcast_to((relative + lost) * sizes.current, found.current[0].shape)
    return Steady(state, Correlations(*errors), current_error, lost, relative)


class Sizes(NamedTuple):
    """What errors are relative to; of currents it is what arrives from all reservoirs."""

    n: Float[Array, ""]
    energy: Float[Array, ""]
    current: Float[Array, ""]
    energy_current: Float[Array, ""]

    @staticmethod
    def of(found: Integrals, strength: Scalar) -> "Sizes":
        """The sizes of integrals; energies count from a small share of the coupling's strength."""
        parts = found.n, found.energy, found.flow, found.energy_flow
        n, energy, *flows = (jnp.max(jnp.abs(part[0])) for part in parts)
        return Sizes(n, jnp.maximum(energy, LEAST * strength), *flows)


def relative_error(
    parts: Sequence[Inexact[Array, "rules ..."]], sizes: Sequence[Float[Array, ""]]
) -> Float[Array, ""]:
    """That of all integrals: about the square of the largest change by half the nodes.

    What nodes at rounded frequencies contribute is added.
    """
    each = [
        jnp.stack([jnp.max(jnp.abs(part[1] - part[0])), jnp.max(jnp.abs(part[2]))])
        / jnp.where(size > 0.0, size, 1.0)
        for part, size in zip(parts, sizes, strict=True)
    ]
    change, rounded = jnp.max(jnp.stack(each), axis=0)
    return jnp.minimum(change, SQUARED * change**2) + rounded + ROUNDING
