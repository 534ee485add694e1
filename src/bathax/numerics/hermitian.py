"""Functions of Hermitian matrices, differentiable also at degenerate eigenvalues."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex

from bathax._checks import Scalar
from bathax._linalg import eigh, eigvalsh

# Eigenvalues below this are rounding of zero.
FLOOR = 1e-17


@jax.custom_jvp
def logarithm(rho: Complex[Array, "n n"]) -> Complex[Array, "n n"]:
    """ln rho of a positive matrix, eigenvalues below 1e-17 taken as 1e-17."""
    values, vectors = eigh(rho)
    logarithms = jnp.log(jnp.maximum(values, FLOOR)).astype(complex)
    return (vectors * logarithms[None, :]) @ vectors.conj().T


@logarithm.defjvp
def _logarithm_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    """Daleckii-Krein: divided differences of ln in the eigenbasis, its derivative where equal."""
    (rho,), (change,) = primals, tangents
    values, vectors = eigh(jax.lax.stop_gradient(rho))
    values = jnp.maximum(values, FLOOR)
    ratio = values[:, None] / values[None, :]
    gap = jnp.where(ratio == 1.0, 1.0, ratio - 1.0)
    slope = jnp.where(ratio == 1.0, 1.0, jnp.log1p(gap) / gap) / values[None, :]
    inner = vectors.conj().T @ change @ vectors
    return logarithm(rho), vectors @ (slope.astype(complex) * inner) @ vectors.conj().T


@jax.custom_jvp
def von_neumann_entropy(rho: Complex[Array, "n n"]) -> Scalar:
    """S = -Tr[rho ln rho], with dS = -Tr[d rho (ln rho + 1)]."""
    values = jnp.maximum(eigvalsh(rho), FLOOR)
    return 0.0 - jnp.sum(values * jnp.log(values))


@von_neumann_entropy.defjvp
def _entropy_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (rho,), (change,) = primals, tangents
    slope = logarithm(rho) + jnp.eye(rho.shape[0], dtype=complex)
    return von_neumann_entropy(rho), -jnp.sum(change * slope.T).real
