"""Evolution by Taylor steps, and the sparse matrices it is made for, against dense algebra."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

from bathax.numerics.sparse import Entries, SparseMatrix, pattern
from bathax.numerics.taylor import states, steps_needed

SIZE = 9


@pytest.fixture(scope="module")
def entries():
    rng = np.random.default_rng(0)
    row, column = np.nonzero(rng.uniform(size=(SIZE, SIZE)) < 0.4)
    parameter = rng.integers(0, 3, len(row))
    return Entries(row, column, parameter, rng.normal(size=len(row)) + 0j)


PARAMETERS = np.array([0.7, -0.3 + 0.2j, 1j])


@pytest.fixture(scope="module")
def dense(entries):
    matrix = np.zeros((SIZE, SIZE), complex)
    np.add.at(matrix, entries[:2], entries.factor * PARAMETERS[entries.parameter])
    return matrix


@pytest.fixture(scope="module")
def sparse(entries):
    return SparseMatrix.of(pattern(entries, SIZE), jnp.asarray(PARAMETERS))


def test_sparse_matrices(sparse, dense):
    x = jnp.arange(SIZE, dtype=complex) * (1.0 + 2j)
    np.testing.assert_allclose(sparse @ x, dense @ x, atol=1e-13)
    for n in (1, 5, SIZE):
        np.testing.assert_allclose(sparse.leading_block(n), dense[:n, :n], atol=1e-15)


@pytest.mark.parametrize("parts", [1, 4])
def test_evolution(sparse, dense, parts):
    stop, start = jnp.asarray(3.0), jnp.ones(SIZE, complex)
    steps = steps_needed(float(np.linalg.norm(dense, 2) * stop))
    path = states(sparse, start, stop, steps, parts)
    times = np.linspace(0.0, 3.0, steps * parts + 1)
    expected = np.array([expm(dense * t) @ np.ones(SIZE) for t in times])
    np.testing.assert_allclose(path, expected, rtol=1e-10, atol=1e-10)
