"""Transmission, noise and thermoelectric coefficients: closed forms, symmetries, sum rules."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

import bathax as bx

W = jnp.array([-1.9, -0.7, 0.0, 0.4, 2.0, 2.5])
POTENTIALS, TEMPERATURES = [0.3, -0.4, 0.1], [0.2, 0.05, 0.0]


def modes(sign=1.0):
    """Two levels and three leads in a magnetic field, which `sign` reverses."""
    h = np.array([[0.3, 0.2 + 0.3j * sign], [0.2 - 0.3j * sign, -0.4]])
    c = np.array([[0.9, 0.2], [0.3, 1.1], [-0.6, 0.5]]) + sign * 0.4j * np.eye(3, 2)
    J = bx.FlatBand(gamma=0.1, low=-2.0, high=2.0)
    leads = [bx.Reservoir(J, T, mu) for T, mu in zip(TEMPERATURES, POTENTIALS, strict=True)]
    channels = [bx.Channel(lead, row) for lead, row in zip(leads, c, strict=True)]
    return bx.LinearSystem(h, channels, "fermion")


def level(temperatures, potentials, energy=0.3):
    """A level between two leads of constant density."""
    J = bx.FlatBand(gamma=0.5, low=-4.0, high=4.0)
    leads = [bx.Reservoir(J, T, mu) for T, mu in zip(temperatures, potentials, strict=True)]
    channels = [bx.Channel(lead, [c]) for lead, c in zip(leads, (1.0, 0.7), strict=True)]
    return bx.LinearSystem([[energy]], channels, "fermion")


def test_a_magnetic_field_reversed_exchanges_the_leads():
    """T_ab(B) = T_ba(-B); and sum_b T_ab = sum_b T_ba at each B."""
    there, back = bx.transmission(modes(), W), bx.transmission(modes(-1.0), W)
    np.testing.assert_allclose(there, back.swapaxes(1, 2), atol=1e-14)
    assert jnp.abs(there - there.swapaxes(1, 2)).max() > 0.02
    np.testing.assert_allclose(there.sum(axis=1), there.sum(axis=2), atol=1e-14)
    assert jnp.all(there[W >= 2.0] == 0.0)


def test_transmission_of_a_level():
    """4 pi^2 J_1 J_2 / |w - e - Sigma|^2, for one frequency and for many."""
    dot = level([0.1, 0.1], [0.0, 0.0])
    gamma = 0.5 * np.array([1.0, 0.49])
    shift = gamma.sum() / (2.0 * np.pi) * np.log((W + 4.0) / (4.0 - W))
    expected = gamma.prod() / ((W - 0.3 - shift) ** 2 + gamma.sum() ** 2 / 4.0)
    found = bx.transmission(dot, W)
    np.testing.assert_allclose(found[:, 0, 1], expected, rtol=1e-13)
    assert float(bx.transmission(dot, 0.4)[0, 1]) == pytest.approx(float(expected[3]))


def test_noise_of_three_leads():
    """Particles are conserved at all times, and no combination of currents has negative noise."""
    noise = bx.current_noise(modes())
    assert noise.error < 1e-11
    np.testing.assert_allclose(noise.value.sum(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(noise.value, noise.value.T)
    assert np.linalg.eigvalsh(noise.value).min() > -1e-12
    assert jnp.all(noise.value - jnp.diag(jnp.diag(noise.value)) <= 0.0)


def test_shot_noise_at_zero_temperature():
    """1/(2 pi) \\int T (1 - T) dw between the chemical potentials."""
    dot = level([0.0, 0.0], [0.6, -0.2])
    passed = jax.jit(lambda w: bx.transmission(dot, w)[0, 1])
    expected = quad(lambda w: float(passed(w) * (1.0 - passed(w))), -0.2, 0.6, epsabs=1e-12)[0]
    noise = bx.current_noise(dot).value
    np.testing.assert_allclose(noise[0, 0], expected / (2.0 * np.pi), atol=1e-11)
    np.testing.assert_allclose(noise[0, 1], -noise[0, 0], atol=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("statistics", ["fermion", "boson"])
def test_fluctuations_tell_of_dissipation(statistics):
    """In equilibrium S = 2 T dI/dmu; coefficients of Onsager are derivatives of currents."""
    J = bx.SemicircleBand(eta=0.1, center=1.0, half_width=1.0)

    def system(mu, T):
        leads = [bx.Reservoir(J, T, mu), bx.Reservoir(J, 0.4, -0.3)]
        channels = [bx.Channel(lead, [c]) for lead, c in zip(leads, (0.8, 0.5), strict=True)]
        return bx.LinearSystem([[1.3]], channels, statistics)

    def flows(mu, T):
        end = bx.steady_state(system(mu, T))
        heat = end.energy_current + 0.3 * end.particle_current
        return end.particle_current[1], heat[1]

    (by_mu, by_T), (heat_by_mu, heat_by_T) = jax.jit(jax.jacfwd(flows, (0, 1)))(-0.3, 0.4)
    balanced = system(-0.3, 0.4)
    found = bx.thermoelectric_coefficients(balanced)
    expected = [by_mu, 0.4 * by_T, 0.4 * heat_by_T]
    np.testing.assert_allclose(found.moments, expected, atol=1e-11)
    assert heat_by_mu == pytest.approx(float(found.moments[1]), abs=1e-11)
    noise = bx.current_noise(balanced)
    np.testing.assert_allclose(noise.value[1, 1], 0.8 * found.conductance, atol=1e-11)
    loss = found.heat_conductance - heat_by_T + found.thermopower * heat_by_mu
    assert loss == pytest.approx(0.0, abs=1e-11)


def test_a_narrow_level_reaches_the_efficiency_of_carnot():
    """Particles of one energy carry heat without loss (Mahan and Sofo)."""
    J = bx.FlatBand(gamma=1e-6, low=-4.0, high=4.0)
    channels = [bx.Channel(bx.Reservoir(J, 0.1, 0.0), [1.0]) for _ in range(2)]
    found = bx.thermoelectric_coefficients(bx.LinearSystem([[0.2]], channels, "fermion"))
    assert found.thermopower == pytest.approx(2.0, rel=1e-4)
    assert 0.95 < found.maximal_efficiency < 1.0


def test_what_is_refused():
    with pytest.raises(ValueError, match="`channels` must be two, but is 3"):
        bx.thermoelectric_coefficients(modes())
    with pytest.raises(ValueError, match="one temperature > 0 and one chemical potential"):
        bx.thermoelectric_coefficients(level([0.1, 0.2], [0.0, 0.0]))
