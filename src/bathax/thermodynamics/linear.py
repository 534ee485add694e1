r"""Number, energy, entropy and currents of several modes in a Gaussian state, with their errors.

n_ij = <a_j' a_i> = u n(0) u' + v. With the eigenvalues n_k of n, bosons have the entropy
S = sum_k (1 + n_k) ln(1 + n_k) - n_k ln n_k, fermions -(1 - n_k) ln(1 - n_k) - n_k ln n_k. The
reservoir of a channel gains -2 Im <x' Phi> particles and the energy -2 Im <x' Phi_w> in unit time,
and 2 Re <x' Phi> is the energy of the coupling. `slopes` has T and mu along the trajectory.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex, Float, Inexact

from bathax._checks import Scalar
from bathax._linalg import eigvalsh
from bathax.linear.green import Correlations, LinearGreenFunctions
from bathax.numerics.hermitian import von_neumann_entropy
from bathax.system.linear import LinearSystem
from bathax.thermodynamics.resolution import Rate
from bathax.thermodynamics.slopes import Motion, Slopes, slopes


class Observables(eqx.Module):
    """What is known of several modes in any state; see `LinearSolution`."""

    n: Inexact[Array, "*times n n"]
    number: Float[Array, "*times"]
    energy: Float[Array, "*times"]
    entropy: Float[Array, "*times"]
    particle_current: Float[Array, "*times channels"]
    energy_current: Float[Array, "*times channels"]
    interaction_energy: Float[Array, "*times channels"]


class Amplitudes(eqx.Module):
    """The Green functions of several modes, as matrices."""

    u: Inexact[Array, "*times n n"]
    v: Inexact[Array, "*times n n"]


class LinearQuantities(Slopes, Observables, Amplitudes):
    """All quantities of several modes at each time; see `LinearSolution`."""


def observables(system: LinearSystem, state: Correlations) -> Observables:
    """At one time."""
    n = state.n
    exist = jnp.where(system.have_ends, 0.0, jnp.nan)
    return Observables(
        n=n,
        number=jnp.trace(n).real,
        energy=jnp.sum(system.h * n.T).real,
        entropy=entropy(n, system.statistics),
        particle_current=-2.0 * state.contact.imag,
        energy_current=-2.0 * state.energy_contact.imag,
        interaction_energy=2.0 * state.contact.real + exist,
    )


def observable_errors(
    system: LinearSystem, n: Complex[Array, "n n"], bound: Correlations
) -> Observables:
    """Their estimated errors at one time, from bounds; that of n is one of its elements."""
    system, n = lax.stop_gradient((system, n))
    of_n = system.size * jnp.max(bound.n)
    exist = jnp.where(system.have_ends, 0.0, jnp.nan)
    return Observables(
        n=bound.n,
        number=of_n,
        energy=of_n * jnp.linalg.norm(system.h),
        entropy=_entropy_error(n, of_n, system.statistics),
        particle_current=2.0 * bound.contact,
        energy_current=2.0 * bound.energy_contact,
        interaction_energy=2.0 * bound.contact + exist,
    )


def quantities(
    system: LinearSystem,
    initial: Complex[Array, "n n"],
    ts: Float[Array, " times"],
    green: LinearGreenFunctions,
    error: LinearGreenFunctions,
) -> tuple[LinearQuantities, LinearQuantities]:
    """All quantities from the Green functions and n(0), and their errors."""

    def at(t: Scalar, green: LinearGreenFunctions, error: LinearGreenFunctions) -> tuple:
        now = system.at(t)
        state, bound = _state(now, initial, green), _bound(now, initial, error)
        value, doubt = observables(now, state), observable_errors(now, state.n, bound)
        names = ("energy", "entropy", "number")
        known = Motion(*(Rate(getattr(value, name), getattr(doubt, name)) for name in names))
        return (value, doubt), slopes(now, state.n, known, Rate(green.field, error.field))

    seen, derived = jax.vmap(at)(ts, green, error)
    value, doubt = (
        LinearQuantities(u=each.u, v=each.v, **vars(part), **vars(slope))
        for each, part, slope in zip((green, error), seen, derived, strict=True)
    )
    return value, lax.stop_gradient(doubt)


def _state(
    system: LinearSystem, initial: Complex[Array, "n n"], green: LinearGreenFunctions
) -> Correlations:
    n = green.u @ initial @ green.u.conj().T + green.v
    # Rounding makes it slightly other than Hermitian.
    n = 0.5 * (n + n.conj().T)
    fields = (green.field, green.energy_field)
    return Correlations(n, *(jnp.sum(field * system.couplings, axis=1) for field in fields))


def _bound(
    system: LinearSystem, initial: Complex[Array, "n n"], error: LinearGreenFunctions
) -> Correlations:
    """That of the state; all elements of a matrix have the same error."""
    system, initial = lax.stop_gradient((system, initial))
    # Norms of matrices are at most so many times their largest element.
    of_n = 2.0 * system.size * jnp.linalg.norm(initial) * error.u[0, 0] + error.v[0, 0]
    strength = jnp.sum(jnp.abs(system.couplings), axis=1)
    return Correlations(
        jnp.broadcast_to(of_n, error.v.shape),
        strength * error.field[:, 0],
        strength * error.energy_field[:, 0],
    )


def entropy(n: Complex[Array, "n n"], statistics: str) -> Scalar:
    """S of the Gaussian state with this covariance."""
    unit = jnp.eye(n.shape[0], dtype=complex)
    own = von_neumann_entropy(n)
    if statistics == "fermion":
        return own + von_neumann_entropy(unit - n)
    return own - von_neumann_entropy(unit + n)


def _entropy_error(n: Complex[Array, "n n"], error: Scalar, statistics: str) -> Scalar:
    """The change of S if every eigenvalue changes by the error: its slope, away from 0 and 1."""
    values = eigvalsh(n)
    if statistics == "fermion":
        edge = jnp.minimum(error, 0.5)
        values = jnp.clip(values, edge, 1.0 - edge)
        slope = jnp.log((1.0 - values) / values)
    else:
        slope = jnp.log1p(1.0 / jnp.maximum(values, error))
    return error * jnp.sum(1.0 + jnp.abs(slope))
