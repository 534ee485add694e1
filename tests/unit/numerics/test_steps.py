"""Polynomials within steps in time."""

import jax
import jax.numpy as jnp
import numpy as np

from bathax.numerics.steps import at_places


def test_values_and_derivatives_of_a_polynomial():
    """1 + 2 x + 3 x^2 with two derivatives, in reverse mode and at x = 0 too."""
    coefficients = jnp.array([1.0, 2.0, 3.0])

    def f(x):
        return at_places(coefficients, x)

    x = jnp.array([0.0, 0.5, 1.0])
    np.testing.assert_allclose(f(x), 1.0 + 2.0 * x + 3.0 * x**2, rtol=1e-15)
    slope = jax.jit(jax.vmap(jax.grad(f)))
    np.testing.assert_allclose(slope(x), 2.0 + 6.0 * x, rtol=1e-15)
    np.testing.assert_allclose(jax.vmap(jax.jacfwd(jax.grad(f)))(x), 6.0, rtol=1e-15)
