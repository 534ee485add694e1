"""Noise kernels of fermions in densities with poles, with slow tails, or without a formula."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.numerics.grid import TimeGrid

GRID = TimeGrid(jnp.asarray(0.05), 256)
TS = np.asarray(GRID.times)
OHMIC = bx.Ohmic(0.1, 5.0)
W = np.linspace(0.0, 60.0, 601)
# Of mu and T: where the level is above or below the axis of a peak, jumps, and far away.
FILLINGS = [(0.3, 0.0), (3.3, 0.01), (2.0, 1.0), (-1.0, 0.3)]


def noise(density, mu, temperature):
    return jax.jit(lambda f: density.noise_kernel(GRID, f))(bx.FermiDirac(temperature, mu))


def peak(gamma0, width, center, mu, temperature, ts):
    """The sum over the pole of a Lorentzian and those of f below the real axis."""
    pole = center - 1j * width
    levels = mu - 1j * np.pi * temperature * (2.0 * np.arange(4000) + 1.0)
    J = gamma0 * width**2 / (2.0 * np.pi) / ((levels - center) ** 2 + width**2)
    own = 0.5 * gamma0 * width / (np.exp((pole - mu) / temperature) + 1.0)
    thermal = np.exp(-1j * np.outer(ts, levels)) @ J
    return own * np.exp(-1j * pole * ts) + 2j * np.pi * temperature * thermal


# A peak whose pole lies on the path from mu, between two paths, and beside it.
@pytest.mark.slow
@pytest.mark.parametrize(("mu", "width"), [(1.3, 1.0), (-0.7, 1.0), (0.31, 0.2), (4.0, 0.05)])
@pytest.mark.parametrize("temperature", [0.05, 2.0])
def test_peak_of_fermions(mu, width, temperature):
    found = noise(bx.Lorentzian(0.1, width, 0.3), mu, temperature)
    expected = peak(0.1, width, 0.3, mu, temperature, TS[1:])
    np.testing.assert_allclose(found[1:], expected, atol=1e-14)


@pytest.mark.parametrize("mu", [1.3, -0.7, 0.3])
def test_filled_part_of_a_peak_at_zero_temperature(mu):
    r"""g~(0) = \int^mu J dw."""
    found = noise(bx.Lorentzian(0.1, 1.0, 0.3), mu, 0.0)[0]
    expected = 0.1 / (2.0 * np.pi) * (np.arctan(mu - 0.3) + 0.5 * np.pi)
    np.testing.assert_allclose(found, expected, atol=1e-14)


def test_pole_of_a_density_at_a_pole_of_the_occupation():
    found = noise(bx.Lorentzian(0.1, 1.0, 0.3), 0.3, 1.0 / np.pi)
    beside = peak(0.1, 1.0, 0.3, 0.3, 1.0 / np.pi + 1e-6, TS[40:])
    np.testing.assert_allclose(found[40:], beside, atol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize(("mu", "temperature"), FILLINGS)
def test_densities_without_a_formula(mu, temperature):
    """Along the real axis, or through poles of a rational function: as along the path of J."""
    table = bx.Tabulated(W, OHMIC(W))
    expected = np.asarray(noise(OHMIC, mu, temperature))
    own = bx.Function(lambda w: 0.1 * w * jnp.exp(-w / 5.0), scale=5.0)
    np.testing.assert_allclose(noise(own, mu, temperature), expected, atol=1e-14)
    np.testing.assert_allclose(noise(table.rational(), mu, temperature), expected, atol=1e-10)
    np.testing.assert_allclose(noise(table, mu, temperature), expected, atol=1e-6)
    np.testing.assert_allclose(noise(2.0 * table + own, mu, temperature), 3.0 * expected, atol=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [0.0, 0.02])
def test_derivatives_by_the_chemical_potential(temperature):
    """Also where J is known on the real axis only, at a jump of f."""
    own = bx.Function(lambda w: 0.1 * w * jnp.exp(-w / 5.0), scale=5.0)

    def value(density, mu):
        return density.noise_kernel(GRID, bx.FermiDirac(temperature, mu))[100].real

    slopes = [jax.grad(lambda mu, J=J: value(J, mu))(1.5) for J in (OHMIC, own)]
    np.testing.assert_allclose(slopes[1], slopes[0], rtol=1e-10)
