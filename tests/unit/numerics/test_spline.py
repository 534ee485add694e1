"""Curves of order h^8."""

import jax
import jax.numpy as jnp
import numpy as np

from bathax.numerics.spline import Spline


def test_polynomials_up_to_degree_7_are_exact():
    x = np.array([0.0, 0.1, 0.3, 0.7, 1.0, 1.6, 2.0, 2.5, 3.0, 3.1])
    powers = np.poly1d([1.0, -2.0, 0.0, 0.5, 0.0, 3.0, -1.0, 0.2])
    curve = Spline.through(x, powers(x))
    at = np.linspace(0.0, 3.1, 57)
    np.testing.assert_allclose(curve(at), powers(at), atol=1e-10)
    np.testing.assert_allclose(curve.integral()(at), powers.integ()(at), atol=1e-10)


def test_the_error_falls_like_the_eighth_power():
    def error(count):
        x = np.linspace(0.0, 3.0, count)
        at = np.linspace(0.0, 3.0, 301)
        return np.max(np.abs(Spline.through(x, np.exp(-x))(at) - np.exp(-at)))

    assert error(12) / error(23) > 100.0


def test_numpy_and_jax_agree_and_derivatives_reach_the_time():
    x = np.linspace(0.0, 3.0, 101)
    curve = Spline.through(x, np.sin(x))
    at = jnp.linspace(0.05, 2.9, 17)
    np.testing.assert_allclose(jax.jit(lambda t: curve(t))(at), curve(np.asarray(at)), rtol=1e-13)
    np.testing.assert_allclose(jax.vmap(jax.grad(curve))(at), np.cos(at), atol=1e-10)
    assert isinstance(curve(1.0), float)
