"""Conditions on vectors and matrices of systems of several modes, for NumPy and JAX."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from bathax._linalg import eigvalsh

# Matrices are Hermitian up to rounding, and occupations bounded up to it.
ROUNDING = 1e-10


def magnitude(values: Any) -> Any:
    """|Re c| + |Im c|, which is finite wherever c is, unlike squares."""
    return abs(values.real) + abs(values.imag)


def all_finite(values: Any) -> Any:
    """Whether all numbers are."""
    return magnitude(values).max(initial=0.0) < np.inf


def is_hermitian(matrix: Any, scale: float = 0.0) -> Any:
    """Up to rounding of the largest element, or of a scale."""
    return _vanishes(matrix - matrix.conj().T, matrix, scale)


def is_positive(matrix: Any) -> Any:
    """Whether a Hermitian matrix has no negative eigenvalue, up to rounding."""
    scale = 1.0 + magnitude(matrix).max()
    return eigvalsh(jnp.asarray(matrix)).min() > -ROUNDING * scale


def has_symmetry(matrix: Any, sign: float) -> Any:
    """Whether it is its transpose times a sign, up to rounding."""
    return _vanishes(matrix - sign * matrix.T, matrix, 0.0)


def _vanishes(difference: Any, matrix: Any, scale: float) -> Any:
    return magnitude(difference).max() <= ROUNDING * (scale + magnitude(matrix).max())
