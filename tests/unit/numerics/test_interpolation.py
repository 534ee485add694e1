"""The monotone cubic against SciPy's, and what it promises about sign and shape."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from bathax.numerics.interpolation import monotone_cubic

UNEVEN = np.array([0.2, 0.5, 1.1, 1.3, 2.9, 3.0, 4.6, 5.0, 6.2, 6.9, 7.7, 8.0])
ROUGH = np.array([0.3, 0.9, 0.1, 0.2, 0.8, 0.7, 0.0, 0.4, 0.5, 0.6, 0.9, 0.2])
CURVES = {
    "smooth": (np.linspace(0.0, 5.0, 12), np.sin(np.linspace(0.0, 5.0, 12)) + 1.0),
    "uneven and rough": (UNEVEN, ROUGH),
    "uneven and rising": (UNEVEN, np.sqrt(UNEVEN)),
    "steps": (UNEVEN, np.repeat([0.0, 1.0, 0.5], 4)),
    "three knots": (np.array([0.0, 1.0, 4.0]), np.array([0.0, 2.0, 1.0])),
    "end slope too steep": (np.array([0.0, 1.0, 1.1]), np.array([0.0, 0.1, -5.0])),
}


def curve(name: str) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The knots, and points at and between them."""
    x, y = CURVES[name]
    between = np.random.default_rng(8).uniform(x[0], x[-1], 100)
    return jnp.asarray(x), jnp.asarray(y), jnp.asarray(np.sort(np.append(between, x)))


@jax.jit
def gradients(x: jax.Array, y: jax.Array, at: jax.Array) -> tuple:
    total = lambda *arguments: jnp.sum(monotone_cubic(*arguments))  # noqa: E731
    return jax.grad(total, argnums=(0, 1, 2))(x, y, at)


@pytest.mark.parametrize("name", CURVES)
def test_same_curve_as_scipy(name):
    x, y, at = curve(name)
    np.testing.assert_allclose(monotone_cubic(x, y, at), PchipInterpolator(x, y)(at), atol=1e-14)


@pytest.mark.parametrize("name", CURVES)
def test_curve_stays_between_neighbouring_values(name):
    x, y, at = (np.asarray(part) for part in curve(name))
    values = np.asarray(monotone_cubic(x, y, at))
    k = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    assert np.all(values >= np.minimum(y[k], y[k + 1]) - 1e-15)
    assert np.all(values <= np.maximum(y[k], y[k + 1]) + 1e-15)


def test_zero_outside_and_any_shape():
    x, y, _ = curve("uneven and rising")
    at = jnp.asarray([[x[0] - 1e-9, x[-1] + 1e-9], [x[0], x[-1]]])
    np.testing.assert_allclose(monotone_cubic(x, y, at), [[0.0, 0.0], [y[0], y[-1]]], atol=1e-15)
    assert monotone_cubic(x, y, jnp.asarray(-1e300)).shape == ()


@pytest.mark.parametrize("name", CURVES)
def test_slope_of_the_curve(name):
    x, y, at = curve(name)
    expected = PchipInterpolator(x, y).derivative()(at)
    np.testing.assert_allclose(gradients(x, y, at)[2], expected, atol=1e-12)


@pytest.mark.parametrize("name", ["smooth", "uneven and rough", "uneven and rising"])
@pytest.mark.parametrize("argument", [0, 1])
def test_derivatives_with_respect_to_the_knots(name, argument):
    x, y, _ = curve(name)
    at = 0.3 * x[:-1] + 0.7 * x[1:]  # away from the knots, where the curvature jumps
    direction = jnp.asarray(np.random.default_rng(9).normal(size=x.shape))

    def moved(size):
        x_and_y = [x, y]
        x_and_y[argument] = x_and_y[argument] + size * direction
        return float(jnp.sum(monotone_cubic(*x_and_y, at)))

    difference = (8 * (moved(1e-4) - moved(-1e-4)) - (moved(2e-4) - moved(-2e-4))) / 12e-4
    assert gradients(x, y, at)[argument] @ direction == pytest.approx(difference, rel=1e-7)


def test_derivatives_are_finite_on_flat_and_turning_data():
    x, y, at = curve("steps")
    for gradient in gradients(x, y, at + 0.1):
        assert jnp.isfinite(gradient).all()
