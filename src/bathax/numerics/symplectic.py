"""Symplectic eigenvalues of covariances of bosons, and the entropy from them; differentiable once.

Sigma = [[n + 1/2, m], [m*, n* + 1/2]] of (a, a'), with n_ij = <a_j' a_i> and m_ij = <a_i a_j>.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from bathax._checks import Scalar
from bathax._linalg import eigh
from bathax.numerics.hermitian import FLOOR


def covariance(n: Complex[Array, "k k"], m: Complex[Array, "k k"]) -> Complex[Array, "twok twok"]:
    """Sigma."""
    half = 0.5 * jnp.eye(n.shape[0], dtype=complex)
    return jnp.block([[n + half, m], [m.conj(), n.conj() + half]])


def symplectic_eigenvalues(
    n: Complex[Array, "k k"], m: Complex[Array, "k k"], signs: np.ndarray
) -> Float[Array, " k"]:
    """Positive eigenvalues of Z Sigma, with Z = diag(signs, -signs).

    With Sigma = R R' they are those of R' Z R, and Sigma x = nu Z x gives d nu = x' dSigma x if
    x' Z x = 1.
    """
    sigma = covariance(n, m)
    z = jnp.asarray(np.concatenate([signs, -signs])[:, None], complex)
    values, vectors = eigh(sigma)
    root = vectors * jnp.sqrt(jnp.maximum(values, FLOOR)).astype(complex)[None, :]
    found, modes = eigh(root.conj().T @ (z * root))
    count = signs.shape[0]
    scale = jnp.sqrt(jnp.maximum(found[count:], FLOOR)).astype(complex)
    x = z * (root @ modes[:, count:]) / scale[None, :]
    return jnp.einsum("ik,ij,jk->k", x.conj(), sigma, x).real


def squeezed_entropy(n: Complex[Array, "k k"], m: Complex[Array, "k k"]) -> Scalar:
    """S = sum_k (nu_k + 1/2) ln(nu_k + 1/2) - (nu_k - 1/2) ln(nu_k - 1/2)."""
    nu = symplectic_eigenvalues(n, m, np.ones(n.shape[0]))
    above, below = nu + 0.5, nu - 0.5
    return jnp.sum(above * jnp.log(above) - below * jnp.log(jnp.maximum(below, FLOOR)))
