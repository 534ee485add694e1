"""Noise kernels where n(w) has a pole next to the lower end of a density, against mpmath."""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

import bathax as bx
from bathax.numerics.grid import TimeGrid

TIME, UPPER = 4.0, 4.0
GRID = TimeGrid(jnp.asarray(TIME / 64.0), 65)
RATIONAL = bx.PartialFractions([2.0 + 1.0j, 2.0 - 1.0j], [-0.5j, 0.5j], 0.0)
NAMES = ["flat", "semicircle", "rational", "function", "table", "Ohmic"]


def problem(name, low):
    """A density from its lower end to 4, and its formula."""
    middle, half = 0.5 * (UPPER + low), 0.5 * (UPPER - low)
    return {
        "flat": (bx.FlatBand(0.3, low, UPPER), lambda _: 0.15 / mp.pi),
        "semicircle": (
            bx.SemicircleBand(0.3, middle, half),
            lambda w: 0.6 / mp.pi / half**2 * mp.sqrt((UPPER - w) * (w - low)),
        ),
        "rational": (
            bx.Rational(RATIONAL, low=low, high=UPPER),
            lambda w: 1 / ((w - 2) ** 2 + 1),
        ),
        "function": (
            bx.Function(lambda w: 0.1 * (1.0 + w), lower=low, upper=UPPER),
            lambda w: mp.mpf(0.1) * (1 + w),
        ),
        "table": (
            bx.Tabulated(jnp.linspace(low, UPPER, 9), jnp.full(9, 0.1)),
            lambda _: mp.mpf(0.1),
        ),
        "Ohmic": (bx.Ohmic(0.1, 0.1), lambda w: w / 10 * mp.exp(-10 * w)),
    }[name]


def integral(formula, low, mu, temperature, time):
    r"""\int J n e^{-iwt} on panels that grow with the distance from the pole."""
    with mp.workdps(30):
        low, mu, T = (mp.mpf(float(x)) for x in (low, mu, temperature))
        apart = low - mu + T * mp.mpf(1e-18)
        growing = [low + apart * mp.mpf(3) ** k for k in range(-2, 44)]
        ends = [low, *(w for w in growing if w < UPPER), mp.mpf(UPPER)]
        value = mp.quad(lambda w: formula(w) / mp.expm1((w - mu) / T) * mp.expj(-w * time), ends)
        return complex(value)


def kernels(density, occupation):
    """g~ at 0 and at the last time, as time grids and as a few modes take it."""
    sampled = density.noise_kernel(GRID, occupation)[jnp.array([0, -1])]
    nodes, _, masses = density.exponentials(occupation, 32)
    times = jnp.array([0.0, TIME], complex)
    phases = -1j * times[:, None] * nodes.astype(complex)[None, :]
    return sampled, jnp.exp(phases) @ masses.astype(complex)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("low", "mu", "temperature"),
    [(0.02, 0.0, 1.0), (1e-4, 0.0, 1.0), (1e-8, 0.0, 0.3), (0.5, 0.499, 0.05), (0.02, 0.0, 0.005)],
)
def test_pole_of_bosons_next_to_an_edge(name, low, mu, temperature):
    low, mu = (0.0, mu - low) if name == "Ohmic" else (low, mu)
    density, formula = problem(name, low)
    expected = [integral(formula, low, mu, temperature, time) for time in (0.0, TIME)]
    found = jax.jit(kernels)(density, bx.BoseEinstein(temperature, mu))
    for values in found:
        np.testing.assert_allclose(values, expected, atol=4e-14 * abs(expected[0]))


def test_band_of_bosons_from_the_pole_itself():
    """J rises like a root from mu = 0, where n is infinite."""
    band, formula = problem("semicircle", 0.0)
    expected = [integral(formula, 0.0, 0.0, 0.01, time) for time in (0.0, TIME)]
    for values in jax.jit(kernels)(band, bx.BoseEinstein(0.01)):
        np.testing.assert_allclose(values, expected, atol=1e-13 * abs(expected[0]))


@pytest.mark.parametrize("name", ["function", "table"])
def test_cold_bosons_from_the_pole_itself(name):
    """J rises linearly from mu = 0, and n falls off long before the next point of a table."""
    rising = {
        "function": bx.Function(lambda w: 0.1 * w, upper=UPPER),
        "table": bx.Tabulated(jnp.linspace(0.0, UPPER, 9), 0.1 * jnp.linspace(0.0, UPPER, 9)),
    }
    expected = 0.1 * 1e-6 * np.pi**2 / 6.0
    for values in jax.jit(kernels)(rising[name], bx.BoseEinstein(1e-3)):
        np.testing.assert_allclose(values[0], expected, rtol=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["flat", "function", "table"])
def test_derivatives_next_to_a_pole(name):
    r"""d/dT \int J / (e^{w/T} - 1) dw, J constant, by the logarithm that the integral is."""
    low = 1e-3
    density = {
        "flat": bx.FlatBand(0.2 * jnp.pi, low, UPPER),
        "function": bx.Function(lambda w: 0.1 + 0.0 * w, lower=low, upper=UPPER),
        "table": problem("table", low)[0],
    }[name]

    def closed(temperature):
        upper, lower = (jnp.log(-jnp.expm1(-w / temperature)) for w in (UPPER, low))
        return 0.1 * temperature * (upper - lower)

    for k in (0, 1):
        found = jax.grad(lambda T, k=k: kernels(density, bx.BoseEinstein(T))[k][0].real)(0.7)
        np.testing.assert_allclose(found, jax.grad(closed)(0.7), rtol=1e-12)
