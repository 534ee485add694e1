"""Eigenvalues and eigenvectors of general matrices, with their first derivatives."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex

from bathax._linalg import eig


def decomposed(
    matrix: Complex[Array, "n n"],
) -> tuple[Complex[Array, " n"], Complex[Array, "n n"], Complex[Array, "n n"]]:
    """Eigenvalues a, eigenvectors V and V^-1 of a matrix that has them.

    With B = V^-1 dA V the eigenvalues change by B_kk, and V by V X with X_kl = B_kl / (a_l - a_k);
    X_kl is 0 for equal eigenvalues. Second derivatives are not right.
    """
    fixed = lax.stop_gradient(matrix)
    values, vectors, inverse = eig(fixed)
    change = inverse @ (matrix - fixed) @ vectors
    gap = values[None, :] - values[:, None]
    turned = jnp.where(gap == 0.0, 0.0, change / jnp.where(gap == 0.0, 1.0, gap))
    unit = jnp.eye(values.shape[0], dtype=complex)
    return values + jnp.diagonal(change), vectors @ (unit + turned), (unit - turned) @ inverse
