"""Integrals on a grid that is refined towards t = 0."""

import jax.numpy as jnp
import numpy as np

from bathax.numerics import graded


def test_an_integral_of_an_integral():
    r"""\int \int t ln t = t^3 ln(t) / 6 - 5 t^3 / 36, on a grid refined towards t = 0."""
    points, step = 64, 0.1
    t = np.asarray(graded.times(jnp.asarray(step), points))
    values = t * np.log(np.maximum(t, 1e-300))
    found = graded.integrate_twice(jnp.asarray(values), jnp.asarray(step), points)
    even = t[:points]
    expected = even**3 * (np.log(np.maximum(even, 1e-300)) / 6.0 - 5.0 / 36.0)
    np.testing.assert_allclose(found, expected, atol=1e-11)
