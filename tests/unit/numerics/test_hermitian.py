"""The logarithm of a positive matrix and its derivatives, against mpmath."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from bathax.numerics.hermitian import logarithm, von_neumann_entropy

VALUES = {
    "apart": [0.02, 0.3, 1.7],
    "equal": [0.4, 0.4, 0.4],
    "two equal": [0.1, 0.4, 0.4],
    "close": [0.4, 0.4 * (1.0 + 3e-4), 0.4 * (1.0 - 1e-4)],
    "just apart": [0.4, 0.4 * (1.0 + 2e-3), 0.4 * (1.0 - 1e-3)],
    "of any size": [1e-3, 0.05, 30.0],
}


def hermitian(key):
    a, b = np.random.default_rng(key).normal(size=(2, 3, 3))
    return (a + 1j * b + (a + 1j * b).conj().T) / 2.0


def exact(rho, a, b):
    """d2/ds dt ln(rho + s a + t b), from the logarithm of a matrix of blocks."""
    zero = np.zeros((3, 3))
    rows = [[rho, a, b, zero], [zero, rho, zero, b], [zero, zero, rho, a], [zero, zero, zero, rho]]
    with mpmath.workdps(40):
        found = mpmath.logm(mpmath.matrix(np.block(rows).tolist()))
    return np.array(found.tolist(), complex)[:3, -3:]


@pytest.mark.slow
@pytest.mark.parametrize("name", VALUES)
def test_second_derivatives(name):
    values, vectors = np.array(VALUES[name]), np.linalg.eigh(hermitian(0))[1]
    rho = jnp.asarray((vectors * values) @ vectors.conj().T)
    a, b = (jnp.asarray(values.min() * hermitian(k)) for k in (1, 2))

    def along(f, at, change):
        return jax.jvp(f, (at,), (change,))[1]

    found = along(lambda x: along(logarithm, x, a), rho, b)
    size = np.abs(found).max()
    np.testing.assert_allclose(found, exact(rho, a, b), rtol=0, atol=1e-9 * size)


@pytest.mark.slow
def test_third_derivatives_of_the_entropy():
    """d3 (-x ln x) = 1/x^2 of each eigenvalue, forward over reverse."""

    def S(x):
        return von_neumann_entropy(jnp.diag(jnp.stack([x, 2.0 * x])).astype(complex))

    third = jax.jacfwd(jax.jacfwd(jax.grad(S)))(0.3)
    np.testing.assert_allclose(third, (1.0 + 2.0) / 0.3**2, rtol=1e-12)


def test_a_number():
    """ln x of one mode, by reverse mode twice; and below the floor."""

    def f(x):
        return logarithm(jnp.full((1, 1), x).astype(complex))[0, 0].real

    np.testing.assert_allclose(jax.grad(jax.grad(f))(0.3), -1.0 / 0.09, rtol=1e-14)
    np.testing.assert_allclose(f(0.0), np.log(1e-17), rtol=1e-14)
