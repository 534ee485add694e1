r"""The equations of motion of several modes among damped modes, and their power series in a step.

Z = (a, B) obeys Z' = -M Z - i f, and the covariance G_ij = <Z_j' Z_i> about the mean of Z, less
what the free reservoirs have,

G' = -M G - G M' + F,    M = [[i h, i c o], [i p d', a]],    F = -i (c q' - q c').

Modes feel the fields by the numbers c, and x = d' a acts on the fields; c = d if quanta are
conserved. If not, everything is written for (a, a', B, B'): with c, d of the coupling and of the
counter and the sign s, 1 for bosons and -1 for fermions,

h -> [[h, Delta], [-Delta*, -h*]],    c -> [c, -s d] of Phi, [s d*, -c*] of Phi'.

In a step h, c, d and f are polynomials in the time, and G, Z power series: their coefficients
follow one from another,

(k + 1) Z_{k+1} = -sum_j M_j Z_{k-j} - i f_k,

in which only the few rows of a and of the fields o B have a past.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from bathax import _loops
from bathax._checks import Scalar
from bathax.linear.damped import DampedModes
from bathax.linear.green import Mean, expectation
from bathax.numerics.steps import NODES
from bathax.system.linear import LinearSystem, Rates

# The order of the series; steps are stable up to REACH times the largest rate of decay.
ORDER, REACH = 16, 3.0


class Moving(NamedTuple):
    """G, the columns of a of the propagator e^{-Mt}, and the mean of Z if it is not zero."""

    joint: Complex[Array, "all all"]
    propagator: Complex[Array, "all columns"]
    mean: Complex[Array, " all"] | None


class Equations(eqx.Module):
    """The numbers in M, F and f, for a or for (a, a'); coefficients have a first axis of powers."""

    h: Complex[Array, "*powers d d"]
    felt: Complex[Array, "*powers fields d"]
    acting: Complex[Array, "*powers fields d"]
    force: Complex[Array, "*powers d"]

    @staticmethod
    def of(system: LinearSystem) -> "Equations":
        """Of a system as it is at one time."""
        none = jnp.zeros(system.size, complex)
        force = none if system.force is None else system.force
        if not system.is_paired:
            return Equations(system.h, system.felt, system.contacts, force)
        pairing = jnp.zeros_like(system.h) if system.pairing is None else system.pairing
        h = jnp.block([[system.h, pairing], [-pairing.conj(), -system.h.conj()]])
        felt, acting = (
            jnp.concatenate([one, -jnp.roll(one, system.size, axis=1).conj()])
            for one in (system.felt, system.contacts)
        )
        return Equations(h, felt, acting, jnp.concatenate([force, -force.conj()]))


class Seen(NamedTuple):
    """What is seen of `Moving`: rows of a and of the fields o B, and columns of a of G."""

    u: Complex[Array, "*powers d columns"]
    memory: Complex[Array, "*powers fields columns"]
    n: Complex[Array, "*powers d d"]
    field: Complex[Array, "*powers fields d"]
    energy_field: Complex[Array, "*powers fields d"]
    mean: Mean | None

    @staticmethod
    def of(now: Moving, modes: DampedModes, size: int) -> "Seen":
        """Of modes whose a has this size."""
        field, energy_field = modes.fields(now.joint[size:, :size])
        mean = now.mean
        if mean is not None:
            mean = Mean(mean[:size], *(each[:, 0] for each in modes.fields(mean[size:, None])))
        u, below = now.propagator[:size], modes.output @ now.propagator[size:]
        return Seen(u, below, now.joint[:size, :size], field, energy_field, mean)


def series(
    equations: Equations, modes: DampedModes, length: Scalar, start: Moving
) -> tuple[Moving, Seen]:
    """The end of a step, and the coefficients of what is seen in it.

    `equations` are the coefficients of powers of the time in units of the step's `length`.
    """
    size, length = equations.h.shape[-1], length.astype(complex)
    powers = jax.tree.map(lambda c: length * c, equations)
    rates = length * modes.rates

    def rows(Z: Array) -> Array:
        return jnp.concatenate([Z[:size], modes.output @ Z[size:]])

    def moved(past: Array, Z: Array) -> Array:
        """sum_j M_j Z_{k-j}, from rows of the past, the newest first."""
        a, field = past[:, :size], past[:, size:]
        of_modes = jnp.einsum("jmn,jnc->mc", powers.h, a)
        of_modes += jnp.einsum("jfm,jfc->mc", powers.felt, field)
        on_fields = jnp.einsum("jfm,jmc->fc", powers.acting.conj(), a)
        of_damped = 1j * (modes.memory.T @ on_fields) + rates[:, None] * Z[size:]
        return jnp.concatenate([1j * of_modes, of_damped])

    def term(
        state: tuple[Moving, Moving, Moving], order: tuple[Array, Array]
    ) -> tuple[tuple[Moving, Moving, Moving], Seen]:
        (now, past, total), (k, factor) = state, order
        columns = now._replace(mean=None if now.mean is None else now.mean[:, None])
        past = jax.tree.map(
            lambda old, Z: jnp.concatenate([rows(Z)[None], old[:-1]]), past, columns
        )
        joint, propagator, mean = jax.tree.map(lambda old, Z: -moved(old, Z), past, columns)
        felt, force = (jnp.where(k < NODES, c[k % NODES], 0.0) for c in (powers.felt, powers.force))
        joint = joint.at[:size, size:].add(modes.driven(felt))
        if mean is not None:
            mean = mean[:, 0].at[:size].add(-1j * force)
        after = Moving(joint + joint.conj().T, propagator, mean)
        after = jax.tree.map(lambda Z: factor * Z, after)
        total = jax.tree.map(jnp.add, total, after)
        return (after, past, total), Seen.of(now, modes, size)

    count = size + modes.output.shape[0]
    none = jax.tree.map(lambda Z: jnp.zeros((NODES, count, *(Z.shape[1:] or (1,))), complex), start)
    factors = (1.0 / jnp.arange(1.0, ORDER + 1.0)).astype(complex)
    orders = jnp.arange(ORDER), factors
    (last, _, total), seen = _loops.scan(term, (start, none, start), orders)
    final = Seen.of(last, modes, size)
    return total, jax.tree.map(lambda c, end: jnp.concatenate([c, end[None]]), seen, final)


class Gains(NamedTuple):
    """The power of a drive, and the currents of particles and of energy into reservoirs."""

    power: Float[Array, "*powers"]
    particles: Float[Array, "*powers channels"]
    energy: Float[Array, "*powers channels"]


def gains(equations: Equations, rates: Rates, seen: Seen) -> Gains:
    """What a drive that changes at these rates does, with means in all correlations.

    h' and f' act on the modes, Delta' on pairs, and contacts' on x' Phi.
    """
    size, count = rates.h.shape[0], rates.contacts.shape[0]
    n, fields, a = seen.n, (seen.field, seen.energy_field), None
    if seen.mean is not None:
        mean = seen.mean
        n = n + mean.a[:, None] * mean.a.conj()[None, :]
        fields = [
            field + moved[:, None] * mean.a.conj()[None, :]
            for field, moved in zip(fields, (mean.field, mean.energy_field), strict=True)
        ]
        a = mean.a[:size]
    field, energy_field = (each[:count] for each in fields)
    pairs = n[:size, size:].T if n.shape[0] > size else None
    power = expectation(rates, n[:size, :size], pairs, a)
    power += 2.0 * jnp.sum(rates.contacts * field).real
    acting = equations.acting[:count]
    particles, energy = (
        -2.0 * jnp.sum(acting * each, axis=1).imag for each in (field, energy_field)
    )
    return Gains(power, particles, energy)
