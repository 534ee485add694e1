"""Occupations on the real axis, on the rotated contour, and their limits."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax._checks import Scalar, is_valid, parameter
from bathax.numerics.grid import TimeGrid
from bathax.reservoir.spectral_density import SpectralDensity

W = jnp.asarray([1e-9, 0.1, 1.0, 7.0, 600.0, 1e5])
GRID = TimeGrid(jnp.asarray(0.1), 128)


class Bump(eqx.Module):
    """A filling around one frequency: n(w) = height e^{-(w - 1)^2}."""

    height: Scalar = parameter()

    def __call__(self, w):
        return self.height.astype(w.dtype) * jnp.exp(-((w - 1.0) ** 2))


def _second(function):
    return jax.jit(jax.jacfwd(jax.jacfwd(function)))


@pytest.mark.parametrize("temperature", [1e-3, 1.0, 1e3])
def test_bose_einstein_on_the_real_axis(temperature):
    with np.errstate(over="ignore"):
        expected = 1.0 / np.expm1(np.asarray(W) / temperature)
    np.testing.assert_allclose(bx.BoseEinstein(temperature)(W), expected, rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize("temperature", [1e-3, 1.0, 1e3])
def test_bose_einstein_on_the_contour(temperature):
    z = W.astype(complex) * np.exp(-0.25j * np.pi)
    x = np.asarray(z)[:4] / temperature
    values = bx.BoseEinstein(temperature)(z)
    assert jnp.isfinite(values).all()
    expected = 1.0 / np.expm1(np.where(x.real < 700.0, x, 700.0))
    np.testing.assert_allclose(values[:4], expected, rtol=1e-13, atol=1e-300)


@pytest.mark.parametrize("w", [W, W.astype(complex) * np.exp(-0.25j * np.pi)])
def test_vacuum_is_empty_and_differentiable(w):
    np.testing.assert_array_equal(bx.BoseEinstein(0.0)(w), 0.0)
    slope = jax.jit(jax.jacfwd(lambda t: bx.BoseEinstein(t)(w)))(0.0)
    np.testing.assert_array_equal(slope, 0.0)


@pytest.mark.parametrize("angle", [0.0, -np.pi / 4])
def test_second_derivative_with_respect_to_temperature(angle):
    """n'' = (w/T^2) n' (2 n + 1) - 2 n' / T, and for w << T, where n = T/w - 1/2, none."""
    w = np.array([1e-200, 1e-120, 0.3, 5.0, 600.0]) * (np.exp(1j * angle) if angle else 1.0)

    def filled(temperature):
        return bx.BoseEinstein(temperature)(jnp.asarray(w))

    curvature = _second(filled)(2.0)
    n, slope = (np.asarray(f(2.0))[2:] for f in (filled, jax.jacfwd(filled)))
    expected = w[2:] / 4.0 * slope * (2.0 * n + 1.0) - slope
    np.testing.assert_allclose(curvature[2:], expected, rtol=1e-12)
    assert np.all(np.abs(curvature[:2] * w[:2]) < 1e-15)


@pytest.mark.parametrize("temperature", [1e-3, 1e-2, 1.0, 1e3])
@pytest.mark.parametrize("angle", [0.0, -np.pi / 4])
def test_derivative_with_respect_to_temperature(temperature, angle):
    """dn/dT = (w/T^2) n (n + 1), also where e^{w/T} is near overflow."""
    w = np.array([0.1, 0.35, 0.5, 0.69, 5.0]) * (np.exp(1j * angle) if angle else 1.0)
    slope = jax.jit(jax.jacfwd(lambda t: bx.BoseEinstein(t)(jnp.asarray(w))))(temperature)
    n = np.asarray(bx.BoseEinstein(temperature)(jnp.asarray(w)))
    expected = w / temperature**2 * n * (n + 1.0)
    np.testing.assert_allclose(slope[:4], expected[:4], rtol=1e-12, atol=1e-290)
    assert jnp.isfinite(slope).all()


def test_uniform_keeps_shape_and_type():
    for w in (W, W.astype(complex), jnp.asarray(1.0)):
        filled = bx.Uniform(0.5)(w)
        assert (filled.shape, filled.dtype) == (w.shape, w.dtype)
        np.testing.assert_array_equal(filled, 0.5)


@pytest.mark.parametrize("make", [bx.BoseEinstein, bx.Uniform])
def test_negative_occupations_are_refused(make):
    field = "temperature" if make is bx.BoseEinstein else "number"
    message = f"Argument `{field}` must be non-negative and finite, but is -0.5."
    with pytest.raises(ValueError, match="non-negative") as caught:
        make(-0.5)
    assert str(caught.value) == message
    valid = jax.vmap(lambda x: is_valid(make(x)))(jnp.asarray([0.0, -0.5, 2.0, jnp.nan]))
    np.testing.assert_array_equal(valid, [True, False, True, False])


@pytest.mark.parametrize(
    "density", [bx.Ohmic(0.1, 2.0), bx.SemicircleBand(0.1, 1.0, 0.5), bx.Lorentzian(0.1, 0.3, 1.0)]
)
def test_noise_of_a_distribution(density: SpectralDensity):
    occupation = bx.Distribution(Bump(0.4))
    kernel = jax.jit(lambda d, o: d.noise_kernel(GRID, o))(density, occupation)
    w = np.linspace(-8.0, 10.0, 200001)
    weight = np.asarray(density(jnp.asarray(w))) * 0.4 * np.exp(-((w - 1.0) ** 2))
    few = np.array([0, 7, 60])
    waves = np.exp(-0.1j * few[:, None] * w[None, :])
    np.testing.assert_allclose(kernel[few], np.trapezoid(weight * waves, w), rtol=0, atol=1e-8)


def test_parameters_of_a_distribution_are_differentiated():
    density = bx.Ohmic(0.1, 2.0)

    def start(height):
        return density.noise_kernel(GRID, bx.Distribution(Bump(height)))[0].real

    assert jax.jit(jax.grad(start))(0.4) == pytest.approx(float(start(1.0)), rel=1e-12)
