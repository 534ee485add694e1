"""Critical couplings and temperatures against closed forms and against trajectories."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import digamma, gamma

import bathax as bx


def ohmic(eta, cutoff=5.0, exponent=1.0, temperature=0.0, frequency=1.0):
    return bx.Cavity(frequency, bx.Reservoir(bx.Ohmic(eta, cutoff, exponent), temperature))


# --- coupling ------------------------------------------------------------------------------------


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0, 3.0])
def test_critical_coupling_of_the_ohmic_family(exponent):
    """eta_c = w_s / (w_c Gamma(s)), and its derivatives."""

    def critical(frequency, cutoff, exponent):
        return 0.1 * bx.critical_coupling(ohmic(0.1, cutoff, exponent, frequency=frequency))

    eta = 1.2 / (4.0 * gamma(exponent))
    value, slopes = jax.jit(jax.value_and_grad(critical, (0, 1, 2)))(1.2, 4.0, exponent)
    np.testing.assert_allclose(value, eta, rtol=1e-12)
    expected = [eta / 1.2, -eta / 4.0, -eta * digamma(exponent)]
    np.testing.assert_allclose(slopes, expected, rtol=1e-11, atol=1e-12)


def test_a_bound_state_is_there_above_and_not_below():
    density = bx.Ohmic(0.05, 5.0) + 0.5 * bx.BandEdge(0.2, 0.8, 3.0)
    factor = bx.critical_coupling(bx.Cavity(1.0, bx.Reservoir(density)))
    for nearer, exists in ((1.0 - 1e-9, False), (1.0 + 1e-9, True)):
        cavity = bx.Cavity(1.0, bx.Reservoir(nearer * factor * density))
        assert bx.bound_states(cavity).exist[0] == exists


def test_both_edges_of_a_band():
    """At the edges w_0 -+ W, Sigma = -+ 2 eta / W."""
    cavity = bx.Cavity(1.0, bx.Reservoir(bx.SemicircleBand(0.5, 1.2, 1.0)))
    np.testing.assert_allclose(bx.critical_coupling(cavity), 0.8, rtol=1e-12)
    np.testing.assert_allclose(bx.critical_coupling(cavity, -1), 1.2, rtol=1e-12)
    outside = bx.Cavity(0.1, bx.Reservoir(bx.SemicircleBand(0.5, 1.2, 1.0)))
    assert bx.critical_coupling(outside) == 0.0


def test_what_has_no_critical_coupling():
    with pytest.raises(ValueError, match="`system` must be coupled to a density with an edge"):
        bx.critical_coupling(bx.Cavity(1.0, bx.Reservoir(bx.Lorentzian(0.1, 0.5, 1.0))))
    with pytest.raises(ValueError, match="`edge` must be 0 or -1, but is 1"):
        bx.critical_coupling(ohmic(0.1), 1)


# --- temperature ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_critical_temperature_without_coupling():
    """kT0* -> w_s / ln(1 + 1/n0), from which it departs in proportion to the coupling."""
    etas = jnp.array([1e-7, 1e-5, 2e-5])
    found = jax.vmap(lambda eta: bx.critical_temperature(ohmic(eta), 5))(etas)
    departure = found * np.log(1.2) - 1.0
    assert abs(departure[0]) < 1e-6
    np.testing.assert_allclose(departure[2] / departure[1], 2.0, rtol=1e-3)


@pytest.mark.slow
def test_quanta_beyond_the_resonant_occupation_decay():
    """The part of E(t) - E_inf that falls as e^{-Gamma t}, taken out of a trajectory."""
    cavity = ohmic(0.01, temperature=3.0)
    resonance, limit = bx.resonances(cavity), bx.long_time_limit(cavity)
    rate, period = resonance.widths[0], 2.0 * np.pi / resonance.frequencies[0].real
    x, weights = np.polynomial.legendre.leggauss(400)
    ts = 10.0 * period + 4.0 * period * (x + 1.0)
    window = weights * np.cos(0.5 * np.pi * x) ** 4
    for n0 in (0, 2, 5):
        state = bx.Mixture(np.eye(6)[n0])
        late = bx.solve(cavity, state, ts, bx.Resonance())
        excess = (late.number - limit.number(state)) * np.exp(rate * ts)
        average = np.sum(window * excess) / np.sum(window)
        expected = jnp.abs(resonance.residues[0]) ** 2 * (n0 - bx.resonant_occupation(cavity))
        np.testing.assert_allclose(average, expected, atol=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("factor", "diverges"), [(0.97, True), (1.03, False)])
def test_the_entropy_has_a_maximum_below_and_none_above(factor, diverges):
    warm = factor * bx.critical_temperature(ohmic(0.002), 5)
    ts = jnp.linspace(10.0, 400.0, 200)
    solution = bx.solve(ohmic(0.002, temperature=warm), bx.Fock(5), ts, bx.Resonance())
    falls = solution.entropy_rate < 0.0
    assert jnp.any(falls) == diverges
    assert not diverges or jnp.any(solution.temperature[jnp.argmax(falls) - 5] < 0.0)


@pytest.mark.slow
def test_gradient_of_the_critical_temperature():
    def critical(eta):
        return bx.critical_temperature(ohmic(eta), 5)

    steps, weights = np.arange(1.0, 5.0), np.array([4 / 5, -1 / 5, 4 / 105, -1 / 280])
    etas = 0.05 + 1e-3 * np.concatenate([[0.0], steps, -steps])
    values, slopes = jax.device_get(jax.jit(jax.vmap(jax.value_and_grad(critical)))(etas))
    above, below = np.split(values[1:], 2)
    np.testing.assert_allclose(slopes[0], weights @ (above - below) / 1e-3, rtol=1e-7)


def test_above_the_critical_coupling_there_is_no_critical_temperature():
    assert jnp.isnan(bx.resonant_occupation(ohmic(0.3, temperature=2.0)))
    with pytest.raises(ValueError, match="`number` must be positive, but is 0"):
        bx.critical_temperature(ohmic(0.1), 0)
