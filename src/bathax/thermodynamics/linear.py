r"""Number, energy, entropy and currents of several modes in a Gaussian state, with their errors.

n_ij = <a_j' a_i> = u n(0) u' + v. With the eigenvalues n_k of n, bosons have the entropy
S = sum_k (1 + n_k) ln(1 + n_k) - n_k ln n_k, fermions -(1 - n_k) ln(1 - n_k) - n_k ln n_k. The
reservoir of a channel gains -2 Im <x' Phi> particles and the energy -2 Im <x' Phi_w> in unit time,
and 2 Re <x' Phi> is the energy of the coupling. `slopes` has T and mu along the trajectory.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float, Inexact

from bathax._checks import Scalar
from bathax._linalg import eigvalsh
from bathax._programs import program
from bathax.linear.green import Correlations, LinearGreenFunctions, expectation
from bathax.numerics.hermitian import eigenvectors, von_neumann_entropy
from bathax.numerics.symplectic import squeezed_entropy, symplectic_eigenvalues
from bathax.system.covariance import doubled
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

    u: Inexact[Array, "*times d d"]
    v: Inexact[Array, "*times d d"]


class LinearQuantities(Slopes, Observables, Amplitudes):
    """All quantities of several modes at each time; see `LinearSolution`."""


def observables(system: LinearSystem, state: Correlations) -> Observables:
    """At one time."""
    whole, exist = state.whole, jnp.where(system.have_ends, 0.0, jnp.nan)
    return Observables(
        n=state.n,
        number=jnp.trace(whole.n).real,
        energy=expectation(system, whole.n, whole.pairs, whole.mean),
        entropy=entropy(state.n, system.statistics, state.pairs),
        particle_current=-2.0 * state.contact.imag,
        energy_current=-2.0 * state.energy_contact.imag,
        interaction_energy=2.0 * state.contact.real + exist,
    )


def observable_errors(
    system: LinearSystem, state: Correlations, bound: Correlations
) -> Observables:
    """Their estimated errors at one time, from bounds; that of n is one of its elements."""
    system, state = lax.stop_gradient((system, state))
    exist = jnp.where(system.have_ends, 0.0, jnp.nan)
    of_n = system.size * jnp.max(bound.n)
    strength, number = jnp.linalg.norm(system.h), of_n
    if system.pairing is not None:
        strength += jnp.linalg.norm(system.pairing)
    if state.mean is not None and bound.mean is not None:
        number += 2.0 * jnp.sum(jnp.abs(state.mean) * bound.mean)
    energy = number * strength
    if system.force is not None and bound.mean is not None:
        energy += 2.0 * jnp.sum(jnp.abs(system.force) * bound.mean)
    return Observables(
        n=bound.n,
        number=number,
        energy=energy,
        entropy=entropy_error(state.n, state.pairs, of_n, system.statistics),
        particle_current=2.0 * bound.contact,
        energy_current=2.0 * bound.energy_contact,
        interaction_energy=2.0 * bound.contact + exist,
    )


def quantities(
    system: LinearSystem,
    initial: Complex[Array, "n n"],
    green: LinearGreenFunctions,
    error: LinearGreenFunctions,
) -> tuple[LinearQuantities, LinearQuantities]:
    """All quantities from the Green functions and n(0), and their errors."""

    def at(green: LinearGreenFunctions, error: LinearGreenFunctions) -> tuple:
        state, bound = _state(system, initial, green), _bound(system, initial, error)
        value, doubt, known = described(system, state, bound)
        return (value, doubt), slopes(system, state.n, known, Rate(green.field, error.field))

    seen, derived = jax.vmap(at)(green, error)
    value, doubt = (
        LinearQuantities(u=each.u, v=each.v, **vars(part), **vars(slope))
        for each, part, slope in zip((green, error), seen, derived, strict=True)
    )
    return value, lax.stop_gradient(doubt)


def described(
    system: LinearSystem, state: Correlations, bound: Correlations
) -> tuple[Observables, Observables, Motion]:
    """Observables at one time, their errors, and E, S and N with theirs."""
    value, doubt = observables(system, state), observable_errors(system, state, bound)
    names = ("energy", "entropy", "number")
    return value, doubt, Motion(*(Rate(getattr(value, k), getattr(doubt, k)) for k in names))


def _state(
    system: LinearSystem, initial: Complex[Array, "n n"], green: LinearGreenFunctions
) -> Correlations:
    n = green.u @ initial @ green.u.conj().T + green.v
    # Rounding makes it slightly other than Hermitian.
    n = 0.5 * (n + n.conj().T)
    fields = (green.field, green.energy_field)
    contact, energy = (jnp.sum(field * system.couplings, axis=1) for field in fields)
    return Correlations(n, contact, on_the_way(system, energy))


def on_the_way(
    system: LinearSystem, energy: Inexact[Array, " channels"]
) -> Inexact[Array, " channels"]:
    """What concerns energies of reservoirs before a steady state; NaN in bands without ends."""
    unknown = np.asarray(complex(np.nan, np.nan) if jnp.iscomplexobj(energy) else np.nan)
    return jnp.where(system.have_ends, energy, unknown)


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


def entropy(
    n: Complex[Array, "n n"], statistics: str, pairs: Complex[Array, "n n"] | None = None
) -> Scalar:
    """S of the Gaussian state with these <a_j' a_i> and <a_i a_j>."""
    unit = jnp.eye(n.shape[0], dtype=complex)
    if pairs is not None:
        if statistics == "boson":
            return squeezed_entropy(n, pairs)
        return von_neumann_entropy(doubled(n, pairs, statistics))
    own = von_neumann_entropy(n)
    if statistics == "fermion":
        return own + von_neumann_entropy(unit - n)
    return own - von_neumann_entropy(unit + n)


def entropy_error(
    n: Complex[Array, "n n"], pairs: Complex[Array, "n n"] | None, error: Scalar, statistics: str
) -> Scalar:
    """The change of S if every eigenvalue changes by the error: its slope, away from 0 and 1."""
    if statistics == "fermion":
        values = eigvalsh(n if pairs is None else doubled(n, pairs, statistics))
        edge = jnp.minimum(error, 0.5)
        values = jnp.clip(values, edge, 1.0 - edge)
        slope = jnp.log((1.0 - values) / values)
    else:
        known = eigvalsh(n) if pairs is None else _thermal_occupations(n, pairs)
        slope = jnp.log1p(1.0 / jnp.maximum(known, error))
        if pairs is not None:
            # Squeezing magnifies what symplectic eigenvalues change by.
            error *= 1.0 + 2.0 * jnp.trace(n).real
    return error * jnp.sum(1.0 + jnp.abs(slope))


def _thermal_occupations(
    n: Complex[Array, "n n"], pairs: Complex[Array, "n n"]
) -> Float[Array, " n"]:
    """Those of the normal modes of squeezed bosons."""
    return symplectic_eigenvalues(n, pairs, np.ones(n.shape[0])) - 0.5


@program
def in_eigenmodes(
    system: LinearSystem, t: Float[Array, " times"], n: Complex[Array, "times n n"]
) -> Float[Array, "times n"]:
    """The populations of the eigenmodes of h at each time, e rising."""

    def at(t: Scalar, n: Complex[Array, "n n"]) -> Float[Array, " n"]:
        q = eigenvectors(system.at(t).h)
        return jnp.einsum("ik,ij,jk->k", q.conj(), n, q).real

    return jax.vmap(at)(t, n)
