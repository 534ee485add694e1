r"""The equations of motion of several modes among damped modes, at one time.

Z = (a, B) obeys Z' = -M Z - i f, and the covariance G_ij = <Z_j' Z_i> about the mean of Z, less
what the free reservoirs have,

G' = -M G - G M' + F,    M = [[i h, i c o], [i p d', a]],    F = -i (c q' - q c').

Modes feel the fields by the numbers c, and x = d' a acts on the fields; c = d if quanta are
conserved. If not, everything is written for (a, a', B, B'): with c, d of the coupling and of the
counter and the sign s, 1 for bosons and -1 for fermions,

h -> [[h, Delta], [-Delta*, -h*]],    c -> [c, -s d] of Phi, [s d*, -c*] of Phi'.
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Complex

from bathax._checks import Scalar
from bathax.linear.damped import DampedModes
from bathax.linear.green import expectation
from bathax.system.linear import LinearSystem, Rates


class Moving(NamedTuple):
    """G, the columns of a of the propagator e^{-Mt}, and the mean of Z if it is not zero."""

    joint: Complex[Array, "all all"]
    propagator: Complex[Array, "all columns"]
    mean: Complex[Array, " all"] | None


class Equations(eqx.Module):
    """The numbers in M, F and f, for a or for (a, a')."""

    h: Complex[Array, "d d"]
    felt: Complex[Array, "fields d"]
    acting: Complex[Array, "fields d"]
    force: Complex[Array, " d"]
    modes: DampedModes

    @staticmethod
    def of(system: LinearSystem, modes: DampedModes) -> "Equations":
        """Of a system as it is at one time; that of one with pairs has mirrored modes."""
        none = jnp.zeros(system.size, complex)
        force = none if system.force is None else system.force
        if not system.is_paired:
            return Equations(system.h, system.felt, system.contacts, force, modes)
        pairing = jnp.zeros_like(system.h) if system.pairing is None else system.pairing
        h = jnp.block([[system.h, pairing], [-pairing.conj(), -system.h.conj()]])
        felt, acting = (
            jnp.concatenate([one, -jnp.roll(one, system.size, axis=1).conj()])
            for one in (system.felt, system.contacts)
        )
        return Equations(h, felt, acting, jnp.concatenate([force, -force.conj()]), modes)

    def rate(self, now: Moving) -> Moving:
        """The rates of change."""
        size = self.h.shape[0]
        half = -self._moved(now.joint)
        half = half.at[:size, size:].add(self.modes.driven(self.felt))
        mean = now.mean
        if mean is not None:
            mean = (-self._moved(mean[:, None])[:, 0]).at[:size].add(-1j * self.force)
        return Moving(half + half.conj().T, -self._moved(now.propagator), mean)

    def _moved(self, Z: Complex[Array, "all columns"]) -> Complex[Array, "all columns"]:
        """M Z."""
        size, modes = self.h.shape[0], self.modes
        a, B = Z[:size], Z[size:]
        of_modes = 1j * (self.h @ a + self.felt.T @ (modes.output @ B))
        of_damped = 1j * (modes.memory.T @ (self.acting.conj() @ a)) + modes.rates[:, None] * B
        return jnp.concatenate([of_modes, of_damped])


class Gains(NamedTuple):
    """The power of a drive, and the currents of particles and of energy into reservoirs."""

    power: Scalar
    particles: Complex[Array, " channels"]
    energy: Complex[Array, " channels"]


def gains(equations: Equations, rates: Rates, now: Moving) -> Gains:
    """What a drive that changes at these rates does, with means in all correlations.

    h' and f' act on the modes, Delta' on pairs, and contacts' on x' Phi.
    """
    size, count = rates.h.shape[0], rates.contacts.shape[0]
    width = equations.h.shape[0]
    G, met, a = now.joint[:width, :width], now.joint[width:, :width], None
    if now.mean is not None:
        Z, B = jnp.split(now.mean, [width])
        G = G + Z[:, None] * Z.conj()[None, :]
        met = met + B[:, None] * Z.conj()[None, :]
        a = Z[:size]
    field, energy_field = (each[:count] for each in equations.modes.fields(met))
    pairs = G[:size, size:].T if width > size else None
    power = expectation(rates, G[:size, :size], pairs, a)
    power += 2.0 * jnp.sum(rates.contacts * field).real
    acting = equations.acting[:count]
    particles, energy = (
        -2.0 * jnp.sum(acting * each, axis=1).imag for each in (field, energy_field)
    )
    return Gains(*(each.astype(complex) for each in (power, particles, energy)))
