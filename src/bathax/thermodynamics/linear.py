r"""Number, energy, entropy and currents of several modes in a Gaussian state, with their errors.

n_ij = <a_j' a_i> = u n(0) u' + v. With the eigenvalues n_k of n, bosons have the entropy
S = sum_k (1 + n_k) ln(1 + n_k) - n_k ln n_k, fermions -(1 - n_k) ln(1 - n_k) - n_k ln n_k. The
reservoir of a channel gains -2 Im <x' Phi> particles and the energy -2 Im <x' Phi_w> in unit time,
and 2 Re <x' Phi> is the energy of the coupling.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex, Float, Inexact

from bathax._checks import Scalar
from bathax._linalg import eigvalsh
from bathax.linear.green import LinearGreenFunctions
from bathax.numerics.hermitian import von_neumann_entropy
from bathax.system.linear import LinearSystem


class LinearQuantities(eqx.Module):
    """What is known of several modes at each time; currents are gains of the reservoirs.

    `u` and `v` are the Green functions, n = u n(0) u' + v, `number` tr n, `energy` tr(h n) that of
    the modes, `entropy` S. `particle_current` and `energy_current` are what the reservoir of each
    channel gains in unit time, `interaction_energy` the energy of the coupling to it.
    """

    u: Inexact[Array, "times n n"]
    v: Inexact[Array, "times n n"]
    n: Inexact[Array, "times n n"]
    number: Float[Array, " times"]
    energy: Float[Array, " times"]
    entropy: Float[Array, " times"]
    particle_current: Float[Array, "times channels"]
    energy_current: Float[Array, "times channels"]
    interaction_energy: Float[Array, "times channels"]


def quantities(
    system: LinearSystem, initial: Complex[Array, "n n"], green: LinearGreenFunctions
) -> LinearQuantities:
    """All quantities from the Green functions and n(0)."""
    n = green.u @ initial[None] @ green.u.conj().swapaxes(1, 2) + green.v
    # Rounding makes it slightly other than Hermitian.
    n = 0.5 * (n + n.conj().swapaxes(1, 2))
    return LinearQuantities(
        u=green.u,
        v=green.v,
        n=n,
        number=jnp.trace(n, axis1=1, axis2=2).real,
        energy=jnp.einsum("ij,tji->t", system.h, n).real,
        entropy=jax.vmap(lambda n: entropy(n, system.statistics))(n),
        particle_current=-2.0 * green.contact.imag,
        energy_current=-2.0 * green.energy_contact.imag,
        interaction_energy=2.0 * green.contact.real,
    )


def entropy(n: Complex[Array, "n n"], statistics: str) -> Scalar:
    """S of the Gaussian state with this covariance."""
    unit = jnp.eye(n.shape[0], dtype=complex)
    own = von_neumann_entropy(n)
    if statistics == "fermion":
        return own + von_neumann_entropy(unit - n)
    return own - von_neumann_entropy(unit + n)


def errors(
    system: LinearSystem,
    initial: Complex[Array, "n n"],
    value: LinearQuantities,
    error: LinearGreenFunctions,
) -> LinearQuantities:
    """Estimated errors of all quantities, from those of the Green functions."""
    system, initial, value = lax.stop_gradient((system, initial, value))
    size = system.size
    # Norms of matrices are at most so many times their largest element.
    of_u, of_v = error.u[:, 0, 0], error.v[:, 0, 0]
    of_n = 2.0 * size * jnp.linalg.norm(initial) * of_u + of_v
    each = jnp.broadcast_to(of_n[:, None, None], value.n.shape)
    return LinearQuantities(
        u=error.u,
        v=error.v,
        n=each,
        number=size * of_n,
        energy=size * of_n * jnp.linalg.norm(system.h),
        entropy=jax.vmap(lambda n, by: _entropy_error(n, by, system.statistics))(
            value.n, size * of_n
        ),
        particle_current=2.0 * error.contact,
        energy_current=2.0 * error.energy_contact,
        interaction_energy=2.0 * error.contact,
    )


def _entropy_error(n: Complex[Array, "n n"], error: Scalar, statistics: str) -> Scalar:
    """The change of S if every eigenvalue changes by the error: its slope, away from 0 and 1."""
    values = jnp.maximum(eigvalsh(n), error)
    if statistics == "fermion":
        values = jnp.minimum(values, 1.0 - error)
        slope = jnp.log(jnp.maximum(1.0 - values, error) / values)
    else:
        slope = jnp.log1p(1.0 / values)
    return error * jnp.sum(1.0 + jnp.abs(slope))
