"""Power-series division against dense triangular solves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import solve_triangular, toeplitz

from bathax.numerics import toeplitz as series_division

divide = jax.jit(series_division.divide)
reciprocal = jax.jit(series_division.reciprocal, static_argnums=1)
SIZES = [64, 128, 256, 1024]


def series(n: int, seed: int) -> jax.Array:
    """Random complex coefficients behind a large first one, which keeps 1/a(x) bounded."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=n) + 1j * rng.normal(size=n)
    return jnp.asarray(values * 0.9 ** np.arange(n)).at[0].set(20.0 + 1.0j)


def dense(column: jax.Array) -> np.ndarray:
    return np.tril(toeplitz(np.asarray(column)))


@pytest.mark.parametrize("n", SIZES)
def test_divide_solves_the_triangular_system(n):
    a, b = series(n, 1), series(n, 2)
    expected = solve_triangular(dense(a), np.asarray(b), lower=True)
    np.testing.assert_allclose(divide(b, a), expected, atol=1e-13 * np.abs(expected).max())


@pytest.mark.parametrize("n", [32, *SIZES])
def test_reciprocal_times_the_series_is_one(n):
    a = series(n, 3)
    unit = dense(a) @ np.asarray(reciprocal(a, n))
    np.testing.assert_allclose(unit, np.eye(n)[0], atol=1e-13)


def test_reciprocal_of_a_geometric_series():
    ones = jnp.ones(256, complex)
    expected = np.zeros(256)
    expected[:2] = 1, -1
    np.testing.assert_allclose(reciprocal(ones, 256), expected, atol=1e-13)


def test_divide_in_reverse_mode_and_mapped():
    a, b = series(128, 4), series(128, 5)
    quotient = divide(b, a)

    # d(b/a) = db/a - (b/a) da/a, with db = b and da = a along the scalings.
    def scaled(x, y):
        return jnp.sum(divide(x * b, y * a).real)

    total = float(jnp.sum(quotient.real))
    by_b, by_a = jax.grad(scaled, argnums=(0, 1))(1.0 + 0j, 1.0 + 0j)
    assert by_b.real == pytest.approx(total, rel=1e-12)
    assert by_a.real == pytest.approx(-total, rel=1e-12)
    mapped = jax.vmap(divide)(jnp.stack([b, 2.0 * b]), jnp.stack([a, a]))
    np.testing.assert_allclose(mapped[1], 2.0 * quotient, atol=1e-13)


@pytest.mark.slow
def test_division_by_a_series_of_matrices():
    """Against the dense block-triangular system, with derivatives in reverse mode."""
    n, size = 256, 3
    rng = np.random.default_rng(6)
    a = 0.9 ** np.arange(n) * (
        rng.normal(size=(size, size, n)) + 1j * rng.normal(size=(size, size, n))
    )
    a[..., 0] = 20.0 * np.eye(size) + rng.normal(size=(size, size))
    b = rng.normal(size=(size, 2, n)) + 0j
    blocks = np.zeros((n, size, n, size), complex)
    for k in range(n):
        for late in range(k, n):
            blocks[late, :, late - k] = a[..., k]
    matrix = blocks.reshape(n * size, n * size)
    flat = np.moveaxis(b, -1, 0).reshape(n * size, 2)
    expected = np.moveaxis(np.linalg.solve(matrix, flat).reshape(n, size, 2), 0, -1)
    np.testing.assert_allclose(divide(jnp.asarray(b), jnp.asarray(a)), expected, atol=1e-12)
    weights = rng.normal(size=b.shape)
    slope = jax.grad(lambda b: jnp.sum(weights * divide(b, jnp.asarray(a)).real))(jnp.asarray(b))
    of_flat = np.moveaxis(weights, -1, 0).reshape(n * size, 2)
    back = np.linalg.solve(matrix.T, of_flat).reshape(n, size, 2)
    np.testing.assert_allclose(slope.conj(), np.moveaxis(back, 0, -1).conj(), atol=1e-12)
