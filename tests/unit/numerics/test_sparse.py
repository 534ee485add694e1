"""Rows of all lengths, entries that are equal, and the derivatives of products."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bathax.numerics.contraction import WIDTH
from bathax.numerics.sparse import Entries, SparseMatrix, pattern

SIZE = 60


@pytest.mark.slow
def test_rows_of_all_lengths_and_derivatives():
    """One row is longer than two pieces, one is empty, one entry has two terms, many are equal."""
    rng = np.random.default_rng(1)
    lengths = rng.integers(0, WIDTH + 3, SIZE)
    lengths[:3] = 2 * WIDTH + 5, 0, WIDTH
    row = np.repeat(np.arange(SIZE), lengths)
    column = np.concatenate([rng.choice(SIZE, n, replace=False) for n in lengths])
    row, column = np.append(row, row[0]), np.append(column, column[0])
    entries = Entries(row, column, rng.integers(0, 2, len(row)), rng.integers(1, 6, len(row)) / 3.0)
    x, parameters = jnp.asarray(rng.normal(size=SIZE) + 1j), jnp.array([0.5 + 1j, -2.0])
    third = jnp.asarray(1.0 / 3.0)

    def dense(parameters):
        values = entries.factor.astype(complex) * parameters[entries.parameter]
        return jnp.zeros((SIZE, SIZE), complex).at[row, column].add(values)

    def total(matrix, x):
        return jnp.sum(jnp.abs(matrix(x)) ** 2)

    def of_sparse(parameters, x):
        matrix = SparseMatrix.of(pattern(entries, SIZE), parameters)
        return total(lambda x: matrix.scaled(third) @ x, x)

    def of_dense(parameters, x):
        return total(lambda x: third.astype(complex) * (dense(parameters) @ x), x)

    sparse = SparseMatrix.of(pattern(entries, SIZE), parameters)
    assert sparse.values.size < len(row) / 5
    np.testing.assert_allclose(sparse @ x, dense(parameters) @ x, atol=1e-13)
    np.testing.assert_allclose(sparse.leading_block(SIZE), dense(parameters), atol=1e-15)
    for found, expected in zip(
        jax.jit(jax.grad(of_sparse, (0, 1)))(parameters, x),
        jax.jit(jax.grad(of_dense, (0, 1)))(parameters, x),
        strict=True,
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
