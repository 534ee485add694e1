"""Linear algebra on batches of matrices: it comes to an end, and is what NumPy gives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from bathax import _linalg as linalg


def matrices(batch, n, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(batch, n, n)) + 1j * rng.normal(size=(batch, n, n))
    return jnp.asarray(values + 10.0 * np.eye(n))


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("function", "batch", "n"),
    [
        (linalg.svd, 64, 60),
        (lambda a: linalg.eigh(a + a.conj().T), 200, 40),
        (lambda a: linalg.solve(a, a[0]), 400, 64),
    ],
    ids=["svd", "eigh", "solve"],
)
def test_independent_calls_in_one_program_do_not_wait_for_each_other(function, batch, n):
    """With JAX's own batching each of these hangs on a machine of two cores."""
    both = jax.jit(jax.vmap(lambda a, b: (function(a), function(b))))
    jax.block_until_ready([both(matrices(batch, n), matrices(batch, n, 1)) for _ in range(5)])


@pytest.mark.slow
def test_solve_under_every_transformation():
    a, b = matrices(3, 5), matrices(3, 5, 1)[:, 0]
    expected = np.linalg.solve(np.asarray(a), np.asarray(b)[..., None])[..., 0]
    nested = jax.jit(jax.vmap(jax.vmap(linalg.solve, (None, 0)), (0, None)))(a, b)
    np.testing.assert_allclose(np.asarray(nested)[range(3), range(3)], expected, rtol=1e-12)

    @jax.jit
    def size(scale, turn):
        matrix = a[0] + turn.astype(complex) * b[0][:, None]
        return jnp.sum(jnp.abs(linalg.solve(matrix, scale.astype(complex) * b[1])) ** 2)

    check_grads(size, (jnp.array(1.3), jnp.array(0.2)), 2)


def test_equal_neighbours_in_a_batch_are_computed_once():
    """Those after a NaN as well; the numbers are those of each by itself."""
    calls = []

    def counted(a, b):
        def square(a, b):
            calls.append(float(a))
            return np.asarray(a * a + b)

        return jax.pure_callback(
            square, jax.ShapeDtypeStruct((), float), a, b, vmap_method="sequential"
        )

    a, b = jnp.array([1.0, 1.0, 2.0, jnp.nan, 2.0, 2.0]), jnp.ones(6)
    found = jax.jit(jax.vmap(linalg.one_by_one(counted)))(a, b)
    np.testing.assert_array_equal(found, a**2 + 1.0)
    np.testing.assert_array_equal(calls, [1.0, 2.0, np.nan, 2.0])


def test_one_by_one_with_derivatives():
    """Values and derivatives of a batch, along all arguments that have any."""

    def function(x, y, nothing):
        assert nothing is None
        return jnp.sin(x) * y, jnp.sum(y**3)

    x, y = jnp.array([0.3, 0.3, 1.1]), jnp.arange(1.0, 7.0).reshape(3, 2)
    mapped = [
        jax.vmap(f, (0, 0, None)) for f in (linalg.differentiable_one_by_one(function), function)
    ]
    found, expected = (jax.jit(each)(x, y, None) for each in mapped)
    jax.tree.map(lambda *pair: np.testing.assert_allclose(*pair, rtol=1e-14), found, expected)

    def total(of):
        return lambda x, y: jnp.sum(jnp.stack([jnp.sum(part) for part in of(x, y, None)]))

    slopes = [jax.grad(total(of), (0, 1))(x, y) for of in mapped]
    jax.tree.map(lambda *pair: np.testing.assert_allclose(*pair, rtol=1e-14), *slopes)
