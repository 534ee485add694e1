"""Functions of Hermitian matrices, differentiable also at degenerate eigenvalues.

A second derivative of the logarithm needs the first one in forward mode: in reverse mode JAX drops
the rule for the slope, and takes its eigenvectors as constant. Of a number all are exact.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex, Float

from bathax._checks import Scalar
from bathax._linalg import eigh, eigvalsh

# Eigenvalues below this are rounding of zero.
FLOOR = 1e-17
# Eigenvalues within this fraction of their mean are close.
CLOSE = 1e-3


def logarithm(rho: Complex[Array, "n n"]) -> Complex[Array, "n n"]:
    """ln rho of a positive matrix, eigenvalues below 1e-17 taken as 1e-17."""
    if rho.shape[0] == 1:
        return jnp.log(jnp.maximum(rho.real, FLOOR)).astype(complex)
    return _logarithm(rho)


@jax.custom_jvp
def _logarithm(rho: Complex[Array, "n n"]) -> Complex[Array, "n n"]:
    values, vectors = eigh(rho)
    logarithms = jnp.log(jnp.maximum(values, FLOOR)).astype(complex)
    return (vectors * logarithms[None, :]) @ vectors.conj().T


@_logarithm.defjvp
def _logarithm_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    return _logarithm(*primals), _slope(*primals, *tangents)


@jax.custom_jvp
def _slope(rho: Complex[Array, "n n"], change: Complex[Array, "n n"]) -> Complex[Array, "n n"]:
    """Daleckii-Krein: divided differences of ln in the eigenbasis, its derivative where equal."""
    values, vectors = _spectrum(rho)
    inner = vectors.conj().T @ change @ vectors
    return vectors @ (_once(values).astype(complex) * inner) @ vectors.conj().T


@_slope.defjvp
def _slope_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    """The second derivative, with sum_k ln[x_i, x_k, x_j] (a_ik b_kj + b_ik a_kj)."""
    (rho, change), (other, further) = primals, tangents
    values, vectors = _spectrum(rho)
    a, b = (vectors.conj().T @ one @ vectors for one in (change, other))
    twice = _twice(values).astype(complex)
    inner = jnp.einsum("ikj,ik,kj->ij", twice, a, b) + jnp.einsum("ikj,ik,kj->ij", twice, b, a)
    return _slope(rho, change), _slope(rho, further) + vectors @ inner @ vectors.conj().T


def _spectrum(rho: Complex[Array, "n n"]) -> tuple[Float[Array, " n"], Complex[Array, "n n"]]:
    values, vectors = eigh(rho)
    return jnp.maximum(values, FLOOR), vectors


def _once(x: Float[Array, " n"]) -> Float[Array, "n n"]:
    """ln[x, y]."""
    ratio = x[:, None] / x[None, :]
    gap = jnp.where(ratio == 1.0, 1.0, ratio - 1.0)
    return jnp.where(ratio == 1.0, 1.0, jnp.log1p(gap) / gap) / x[None, :]


def _twice(x: Float[Array, " n"]) -> Float[Array, "n n n"]:
    """ln[x, y, z] by the two that are furthest apart, a series about the mean of close ones."""
    once, n = _once(x), x.shape[0]
    place = jnp.stack(jnp.meshgrid(*[jnp.arange(n)] * 3, indexing="ij"))
    # Eigenvalues increase.
    low, middle, high = jnp.sort(place, axis=0)
    mean = jnp.sum(x[place], axis=0) / 3.0
    d = x[place] / mean[None] - 1.0
    close = jnp.max(jnp.abs(d), axis=0) < CLOSE
    series = (-0.5 - 0.125 * jnp.sum(d**2, axis=0) + 0.2 * jnp.prod(d, axis=0)) / mean**2
    width = jnp.where(close, 1.0, x[high] - x[low])
    return jnp.where(close, series, (once[high, middle] - once[middle, low]) / width)


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


def eigenvectors(h: Complex[Array, "n n"]) -> Complex[Array, "n n"]:
    """q of h = q diag(e) q', e rising; its first derivative is without mixtures of equal levels."""
    fixed = lax.stop_gradient(h)
    values, q = eigh(fixed)
    change = q.conj().T @ (h - fixed) @ q
    gap = values[None, :] - values[:, None]
    turned = jnp.where(gap == 0.0, 0.0, change / jnp.where(gap == 0.0, 1.0, gap).astype(complex))
    return q + q @ turned
