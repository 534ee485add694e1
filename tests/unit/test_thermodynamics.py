"""Estimates of errors where Green functions come from a grid that is too coarse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import bathax as bx
from bathax._estimate import judged
from bathax._status import Status
from bathax.cavity.green import GreenFunctions
from bathax.numerics.grid import TimeGrid
from bathax.thermodynamics.cavity import thermodynamics

CAVITY = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), 0.0))
NAMES = ("temperature", "free_energy", "entropy", "entropy_rate")


@jax.jit
def in_vacuum(transmission, error):
    """Quantities of a mode that loses its quanta to the vacuum, |u|^2 known up to an error."""
    u, zero = jnp.sqrt(transmission), jnp.zeros_like(transmission)
    ts, of_u = jnp.arange(1.0, 1.0 + u.size), 0.5 * error / u

    def in_time(value, rate):
        return GreenFunctions(u=value, du=rate, v=zero, dv=zero, interaction_noise=zero)

    green = in_time(lax.complex(u, zero), lax.complex(-0.1 * u, -u))
    bound = jax.tree.map(jnp.abs, in_time(lax.complex(of_u, zero), lax.complex(of_u, zero)))
    right = jnp.asarray(True)
    estimate = judged(ts, green, bound, valid=right, reached=right)
    return thermodynamics(bx.Fock(5), CAVITY, estimate)[:2]


def assert_within_error(names, transmission, size, truths):
    """The quantities at |u|^2 differ from those at its true values by no more than they say."""
    value, error = in_vacuum(transmission, size)
    for at in truths:
        truth = in_vacuum(at, np.zeros_like(size))[0]
        for name in names:
            missed = jnp.abs(getattr(truth, name) - getattr(value, name))
            assert jnp.all(missed <= getattr(error, name)), name
    return error


def test_beyond_the_pure_states_nothing_is_surer_than_the_grid():
    """At |u|^2 > 1 T is -w_s over the largest logarithm: near 0, whatever it is in truth."""
    size = np.array([1e-14, 1e-8, 1e-4, 1e-2, 0.1, 0.3])
    truths = [1.0 - fraction * size for fraction in (0.5, 0.05, 0.005)]
    error = assert_within_error(NAMES, 1.0 + 0.5 * size, size, truths)
    # A few per cent from a pure state no logarithm is known to be large.
    np.testing.assert_array_equal(jnp.isfinite(error.temperature), size < 1e-3)


def test_temperature_near_its_pole_is_known_as_far_as_the_entropy_rate_has_a_sign():
    """In the vacuum S' vanishes at |u|^2 = 1/2."""
    transmission, size = np.array([0.3, 0.45, 0.48, 0.52, 0.55, 0.7]), np.full(6, 0.03)
    truths = [transmission - size, transmission + size]
    error = assert_within_error(["temperature"], transmission, size, truths)
    known = [True, True, False, False, True, True]
    np.testing.assert_array_equal(jnp.isfinite(error.temperature), known)


@pytest.mark.slow
@pytest.mark.parametrize("solver", [bx.Volterra(points=4096), bx.Resonance()])
def test_the_temperature_just_after_a_pure_start_knows_its_error(solver):
    """To leading order in t five quanta lose one at 5 (a + b) and gain one at 6 b.

    a = g(0) t^2 and b = g~(0) t^2: T = w_s E' / S' is of the order of w_s / ln p there.
    """
    ts = np.concatenate([[0.0], 10.0 ** np.arange(-14.0, -5.0, 0.25)])
    cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), 2.0))
    solution = bx.solve(cavity, bx.Fock(5), ts, solver)
    grid = TimeGrid.beyond(jnp.asarray(1.0), 64)
    gain = float(cavity.noise_kernel(grid)[0].real)
    down, up = 5.0 * (2.5 + gain), 6.0 * gain
    t = ts[1:]
    entropy_rate = -down * np.log(down * t**2) - up * np.log(up * t**2)
    expected = np.append(0.0, (up - down) / entropy_rate)
    miss = np.abs(solution.temperature - expected)
    assert np.all(miss <= 10.0 * solution.error.temperature + 1e-6 * np.abs(expected))
    assert solution.error.temperature[0] == 0.0


def test_the_entropy_of_a_fock_state_in_a_very_hot_reservoir():
    """Late it is that of a geometric state, however hot: (v + 1) ln (v + 1) - v ln v."""
    for temperature in (1e5, 1e7, 1e9):
        bath = bx.Reservoir(bx.Ohmic(0.05, 5.0), temperature)
        solution = bx.solve(bx.Cavity(1.0, bath), bx.Fock(1), [40.0, 60.0], bx.Resonance())
        v = np.asarray(solution.v)
        expected = np.log1p(v) + v * np.log1p(1.0 / v)
        np.testing.assert_allclose(solution.entropy, expected, rtol=1e-8)


@pytest.mark.parametrize("r", [1.0, 6.0, 10.0])
def test_the_entropy_of_strongly_squeezed_states_in_the_vacuum(r):
    """(n + 1/2)^2 = 1/4 + (1 - d) d sinh^2 r for a loss d."""
    cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.05, 5.0), 0.0))
    solution = bx.solve(cavity, bx.Squeezed(r), [1e-4, 0.1, 5.0])
    d = 1.0 - np.abs(np.asarray(solution.u)) ** 2
    product = (1.0 - d) * d * np.sinh(r) ** 2
    n = 2.0 * product / (1.0 + np.sqrt(1.0 + 4.0 * product))
    expected = (n + 1.0) * np.log1p(n) - n * np.log(n)
    np.testing.assert_allclose(solution.entropy, expected, rtol=1e-6)


def test_a_grid_that_resolves_nothing_has_an_entropy_with_an_infinite_error():
    """u grows to 1e33 there, of which powers overflow."""
    cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.7375, 2.825, 1.65), 16.33))
    solution = bx.solve(cavity, bx.Fock(5), jnp.linspace(0.0, 57.15, 41), bx.Volterra(points=512))
    assert solution.status == Status.TOLERANCE_NOT_REACHED
    assert jnp.max(jnp.abs(solution.u)) > 1e10
    assert not jnp.any(jnp.isnan(solution.entropy))
    assert solution.error.entropy[-1] == jnp.inf
