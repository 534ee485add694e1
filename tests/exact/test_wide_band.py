"""Modes beside leads of the wide-band limit, against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import digamma

import bathax as bx

POLES = np.arange(20_000)


def filled(t, gamma, detuning, T):
    """n(t) of an empty level, from the poles of the Fermi function, or by an integral at T = 0."""
    a, t = 0.5 * gamma, np.asarray(t)
    if T == 0.0:
        return 0.5 * (1.0 - np.exp(-gamma * t)) - np.array([below(s, gamma, detuning) for s in t])
    end = 0.5 - digamma(0.5 + (a + 1j * detuning) / (2.0 * np.pi * T)).imag / np.pi
    poles = np.pi * T * (2 * POLES + 1)
    decays = np.exp(-(1j * detuning + poles) * t[:, None])
    tail = np.sum(decays / ((1j * poles - detuning) ** 2 + a**2), axis=1)
    fermi = 1.0 / (np.exp((detuning + 1j * a) / T) + 1.0)
    crossed = (fermi * np.exp(-a * t) - 2j * T * a * tail).real
    return (1.0 + np.exp(-gamma * t)) * end - 2.0 * np.exp(-a * t) * crossed


def below(t, gamma, detuning):
    """What the frequencies between mu and the level would add."""
    a = 0.5 * gamma

    def arrived(x):
        growth = 1.0 + np.exp(-gamma * t) - 2.0 * np.exp(-a * t) * np.cos(x * t)
        return growth / (x**2 + a**2) * gamma / (2.0 * np.pi)

    return quad(arrived, 0.0, detuning, epsabs=1e-14, epsrel=1e-12)[0]


def level(energy, leads):
    return bx.LinearSystem([[energy]], [bx.Channel(lead, [1.0]) for lead in leads], "fermion")


def leads(gamma, T, *potentials):
    return [bx.Reservoir(bx.WideBand(gamma), T, mu) for mu in potentials]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("gamma", "detuning", "T", "start", "stop"),
    [
        (1.0, 0.5, 0.2, 0.0, 5.0),
        (1.0, 0.5, 0.2, 0.7, 200.0),
        (0.3, -2.0, 0.05, 0.4, 40.0),
        (5.0, 20.0, 3.0, 0.2, 3.0),
        (1.0, 0.0, 0.2, 0.5, 10.0),
        (1.0, 0.5, 0.0, 1.0, 20.0),
    ],
)
def test_population_of_a_level(gamma, detuning, T, start, stop):
    ts = np.concatenate([[0.0], np.geomspace(1e-2, 1.0, 7) * stop])
    sol = bx.solve(level(detuning + 0.3, leads(gamma, T, 0.3)), bx.Covariance([[start]]), ts)
    expected = start * np.exp(-gamma * ts)
    expected[1:] += filled(ts[1:], gamma, detuning, T)
    miss = np.abs(np.asarray(sol.number) - expected)
    assert sol.status == 0
    assert miss.max() < 1e-11
    assert np.all(miss <= 10.0 * np.asarray(sol.error.number) + 1e-12)
    np.testing.assert_allclose(
        sol.u[:, 0, 0], np.exp(-(0.5 * gamma + 1j * (detuning + 0.3)) * ts), atol=1e-14
    )


@pytest.mark.slow
def test_early_times():
    """n = n(0) (1 - gamma t) + gamma t / 2, and terms of second order."""
    ts = np.geomspace(1e-6, 1e-4, 3)
    sol = bx.solve(level(0.5, leads(1.0, 0.2, 0.0)), bx.Covariance([[0.7]]), np.append(ts, 20.0))
    np.testing.assert_allclose(sol.number[:-1], 0.7 - 0.2 * ts, atol=1e-7, rtol=0.0)
    np.testing.assert_allclose(sol.number[0], 0.7 - 0.2 * ts[0], atol=1e-11, rtol=0.0)


@pytest.mark.slow
def test_values_of_a_cold_level_between_two_leads():
    cold = level(0.5, leads(0.5, 0.0, 1.0, -1.0))
    sol = bx.solve(cold, bx.Covariance([[0.0]]), [0.0, 1.0, 60.0])
    assert sol.number[1] == pytest.approx(0.2709760301, abs=1e-10)
    np.testing.assert_allclose(sol.particle_current[1], [-0.1763767413, 0.0540295915], atol=1e-10)
    end = bx.steady_state(cold)
    np.testing.assert_allclose(sol.particle_current[2], end.particle_current, atol=1e-11)
    np.testing.assert_allclose(sol.number[2], end.number, atol=1e-11)
    # What is infinite, or not known in time, is not a number; the rest is.
    assert np.isnan(sol.interaction_energy).all()
    assert np.isnan(sol.energy_current).all()
    assert np.isfinite(sol.entropy).all()
    assert np.isfinite(sol.temperature[1:]).all()


@pytest.mark.slow
def test_particles_are_conserved():
    """What the lead gains, the level has lost: one rate by two ways."""
    ts = np.linspace(0.5, 1.5, 9)
    sol = bx.solve(level(0.5, leads(1.0, 0.2, 0.0)), bx.Covariance([[0.9]]), ts)
    step = ts[1] - ts[0]
    rate = np.array([1, -8, 0, 8, -1]) @ np.asarray(sol.number)[2:7] / (12.0 * step)
    assert sol.particle_current[4, 0] == pytest.approx(-rate, abs=1e-6)
    n = np.asarray(sol.number)
    weights = np.array([989, 5888, -928, 10496, -4540, 10496, -928, 5888, 989]) / 28350.0
    gained = 8.0 * step * weights @ np.asarray(sol.particle_current)[:, 0]
    assert n[0] - n[-1] == pytest.approx(gained, abs=1e-9)


@pytest.mark.slow
def test_two_levels_in_series():
    """Bonding and antibonding modes of equal levels are filled by both leads like one level."""
    gamma, hopping, T, ts = 0.8, 0.3, 0.15, np.array([0.0, 0.4, 1.5, 6.0])
    channels = [
        bx.Channel(lead, end)
        for lead, end in zip(leads(gamma, T, 0.6, -0.2), np.eye(2), strict=True)
    ]
    dots = bx.LinearSystem([[0.1, hopping], [hopping, 0.1]], channels, "fermion")
    sol = bx.solve(dots, bx.Covariance(np.diag([1.0, 0.0])), ts)
    q = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2.0)
    modes = np.einsum("ki,tij,jk->tk", q, np.asarray(sol.n), q).real
    for k, energy in enumerate((0.1 + hopping, 0.1 - hopping)):
        expected = 0.5 * np.exp(-gamma * ts)
        for mu in (0.6, -0.2):
            expected[1:] += 0.5 * filled(ts[1:], gamma, energy - mu, T)
        np.testing.assert_allclose(modes[:, k], expected, atol=1e-11)


@pytest.mark.slow
def test_a_band_beside_one_without_ends():
    """In one reservoir, and as two with the same filling; in multiples of it."""
    flat, ts = bx.FlatBand(0.4, -3.0, 3.0), [0.0, 0.7, 3.0]
    wide, half = bx.WideBand(0.6), bx.WideBand(0.3)
    together = level(0.5, [bx.Reservoir(flat + 2.0 * half, 0.2, 0.1)])
    apart = level(0.5, [bx.Reservoir(J, 0.2, 0.1) for J in (flat, wide)])
    one, other = (bx.solve(each, bx.Covariance([[1.0]]), ts) for each in (together, apart))
    np.testing.assert_allclose(one.number, other.number, atol=1e-11)
    currents = np.sum(other.particle_current, axis=1)
    np.testing.assert_allclose(one.particle_current[:, 0], currents, atol=1e-10)
    assert np.isfinite(other.energy_current[:, 0]).all()
    assert np.isnan(other.energy_current[:, 1]).all()


@pytest.mark.slow
def test_gradients():
    """By the rate, the temperature and mu, against differences of closed forms."""
    ts = np.array([0.6, 4.0])

    @jax.jit
    @jax.jacrev
    def slopes(p):
        lead = bx.Reservoir(bx.WideBand(p[0]), p[1], p[2])
        return bx.solve(level(0.5, [lead]), bx.Covariance([[0.2]]), ts, bx.Embedding()).number

    def expected(p):
        return 0.2 * np.exp(-p[0] * ts) + filled(ts, p[0], 0.5 - p[2], p[1])

    p, step = np.array([1.0, 0.2, 0.1]), 1e-4
    for k, unit in enumerate(np.eye(3) * step):
        ahead, behind = ((expected(p + s * unit) - expected(p - s * unit)) / s for s in (1.0, 2.0))
        difference = (4.0 * ahead - behind) / (6.0 * step)
        np.testing.assert_allclose(slopes(jnp.asarray(p))[:, k], difference, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(("detuning", "T"), [(-1e6, 0.2), (-1e4, 0.2), (-300.0, 0.1)])
def test_a_large_bias(detuning, T):
    """Noise that turns faster than any grid is replaced by its slow response, as estimates tell."""
    ts = np.array([0.0, 1.0, 5.0])
    lead = bx.Reservoir(bx.WideBand(1.0), T, 0.5 - detuning)
    sol = bx.solve(level(0.5, [lead]), bx.Covariance([[0.0]]), ts, bx.Embedding(points=4096))
    miss = np.abs(np.asarray(sol.number)[1:] - filled(ts[1:], 1.0, detuning, T))
    assert miss.max() < 1e-8
    assert np.all(miss <= 10.0 * np.asarray(sol.error.number)[1:])
