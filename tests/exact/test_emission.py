"""Emission spectra of steady states against propagators and sum rules."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

LEADS = [bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), 0.3, mu) for mu in (0.2, -0.4)]
H = jnp.array([[0.3, 0.2 + 0.1j], [0.2 - 0.1j, -0.5]])


def dot(leads):
    channels = [
        bx.Channel(lead, c) for lead, c in zip(leads, ([1.0, 0.2j], [0.0, 0.8]), strict=True)
    ]
    return bx.LinearSystem(H, channels, "fermion")


def nodes(low, high, count=2000):
    x, weights = np.polynomial.legendre.leggauss(count)
    return 0.5 * (high - low) * x + 0.5 * (high + low), 0.5 * (high - low) * weights


def test_fluctuations_and_dissipation_in_equilibrium():
    """S = n(w) (G' - G) / (2 pi i), with G from its definition."""
    system, w = dot([LEADS[0], LEADS[0]]), np.array([-1.0, 0.1, 0.7])
    J = LEADS[0].spectral_density
    sigma = np.asarray(J.level_shift(w)) - 1j * np.pi * np.asarray(J(w))
    c = np.asarray(system.couplings)
    for each, own in zip(w, sigma, strict=True):
        G = np.linalg.inv(each * np.eye(2) - np.asarray(H) - own * (c.T @ c.conj()))
        expected = float(system.reservoirs[0].occupation(each)) * (G.conj().T - G) / (2j * np.pi)
        found = bx.emission_spectrum(system, each)
        np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-13)


@pytest.mark.slow
def test_sum_rule():
    """Integrated over all frequencies it is n of the steady state, by other nodes."""
    system = dot(LEADS)
    w, weights = nodes(-5.0, 5.0)
    found = jnp.einsum("q,qij->ij", weights.astype(complex), bx.emission_spectrum(system, w))
    np.testing.assert_allclose(found, bx.steady_state(system).n, rtol=0.0, atol=1e-9)


def test_first_moment_is_an_energy():
    r"""\int w S dw is i d/ds <a_j'(t) a_i(t + s)> at s = 0: h and half of the coupling."""
    system = dot(LEADS)
    w, weights = nodes(-5.0, 5.0)
    moment = jnp.einsum("q,qij->ij", (weights * w).astype(complex), bx.emission_spectrum(system, w))
    end = bx.steady_state(system)
    energy = jnp.trace(H @ end.n).real + 0.5 * jnp.sum(end.interaction_energy)
    np.testing.assert_allclose(jnp.trace(moment).real, energy, rtol=0.0, atol=1e-8)


def test_a_cavity_is_one_mode():
    bath = bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=2.0)
    mode = bx.LinearSystem([[1.0]], bx.Channel(bath, [1.0]))
    w = jnp.array([[-1.0, 0.5], [0.9, 2.0]])
    found = bx.emission_spectrum(bx.Cavity(1.0, bath), w)
    assert found.shape == (2, 2, 1, 1)
    assert found[0, 0, 0, 0] == 0.0
    np.testing.assert_array_equal(found, bx.emission_spectrum(mode, w))


def test_derivative_by_a_chemical_potential():
    def line(mu):
        lead = bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), 0.3, mu)
        return bx.emission_spectrum(dot([lead, LEADS[1]]), 0.1)[0, 0].real

    step = 1e-5
    expected = (line(0.2 + step) - line(0.2 - step)) / (2.0 * step)
    np.testing.assert_allclose(jax.grad(line)(0.2), expected, rtol=1e-8)


def test_separate_modes_are_refused():
    bath = bx.Reservoir(bx.DiscreteModes([1.0], [0.1]), temperature=1.0)
    with pytest.raises(ValueError, match="no steady state"):
        bx.emission_spectrum(bx.Cavity(1.0, bath), 1.0)


@pytest.mark.slow
def test_correlations_of_two_times():
    """Against the transform on 2000 other nodes; at s = 0 they are n, and errors are honest."""
    system, delays = dot(LEADS), np.array([0.0, 0.7, 5.0, 40.0, 200.0])
    found = bx.two_time_correlation(system, delays)
    w, weights = nodes(-5.0, 5.0)
    phases = jnp.asarray(weights * np.exp(-1j * np.outer(delays, w)))
    expected = jnp.einsum("sq,qij->sij", phases, bx.emission_spectrum(system, w))
    np.testing.assert_allclose(found.value[0], bx.steady_state(system).n, rtol=0.0, atol=1e-12)
    wrong = jnp.max(jnp.abs(found.value - expected), axis=(1, 2))
    assert jnp.all(wrong[:4] < 1e-9)
    assert jnp.all(wrong <= 10.0 * found.error + 1e-9)


def test_absorption_and_emission_sum_to_the_anticommutator():
    system = dot(LEADS)
    w, weights = nodes(-5.0, 5.0)
    both = bx.absorption_spectrum(system, w) + bx.emission_spectrum(system, w)
    found = jnp.einsum("q,qij->ij", weights.astype(complex), both)
    np.testing.assert_allclose(found, np.eye(2), rtol=0.0, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("eta", [0.1, 0.3])
def test_commutator_of_a_cavity(eta):
    """1 less the weight of the bound state; at later times u(s) by Volterra's equation."""
    cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), temperature=2.0))
    delays = jnp.array([0.0, 0.5, 2.0, 10.0])
    found = bx.two_time_correlation(cavity, delays)
    bound = bx.bound_states(cavity)
    kept = jnp.sum(jnp.where(bound.exist, bound.residues, 0.0))
    commutator = (found.greater - found.value)[:, 0, 0]
    np.testing.assert_allclose(commutator[0], 1.0 - kept, rtol=0.0, atol=1e-12)
    u = bx.solve(cavity, bx.Fock(0), delays[1:], bx.Volterra(rtol=1e-11)).u
    turning = jnp.exp(-1j * bound.placed[None, :] * delays[1:, None].astype(complex))
    weights = jnp.where(bound.exist, bound.residues, 0.0).astype(complex)
    np.testing.assert_allclose(commutator[1:], u - turning @ weights, rtol=0.0, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("mu", [0.2, -0.4])
def test_kubo_martin_schwinger_in_frequency_and_time(mu):
    """A = e^{(w - mu) / T} S, and <a_i(s) a_j'> by the transform of the right side."""
    lead = bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), 0.3, mu)
    system, delays = dot([lead, lead]), np.array([0.0, 0.7, 5.0, 40.0])
    w, weights = nodes(-5.0, 5.0)
    heated = (
        bx.emission_spectrum(system, w) * jnp.exp((w - mu) / 0.3).astype(complex)[:, None, None]
    )
    np.testing.assert_allclose(bx.absorption_spectrum(system, w), heated, rtol=1e-12, atol=1e-13)
    phases = jnp.asarray(weights * np.exp(-1j * np.outer(delays, w)))
    found = bx.two_time_correlation(system, delays).greater
    np.testing.assert_allclose(
        found, jnp.einsum("sq,qij->sij", phases, heated), rtol=0.0, atol=1e-9
    )


def test_an_empty_reservoir_absorbs_the_excitation_spectrum():
    cavity, w = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0))), jnp.array([0.3, 0.9, 2.0])
    found = bx.absorption_spectrum(cavity, w)[:, 0, 0]
    J = bx.Ohmic(0.1, 5.0)
    expected = J(w) / ((w - 1.0 - J.level_shift(w)) ** 2 + jnp.pi**2 * J(w) ** 2)
    np.testing.assert_allclose(found, expected.astype(complex), rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [2.0, 20.0])
def test_long_delays_are_resolved(temperature):
    """The commutator is u(s), also where e^{-iws} turns fast in the tail of the spectrum."""
    cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=temperature))
    delays = jnp.array([5.0, 20.0, 100.0])
    found = bx.two_time_correlation(cavity, delays)
    u = bx.solve(cavity, bx.Fock(0), delays, bx.Resonance()).u
    wrong = jnp.abs((found.greater - found.value)[:, 0, 0] - u)
    assert jnp.all(wrong < 1e-9)
    assert jnp.all(wrong <= 2.0 * found.error + 1e-12)


@pytest.mark.slow
def test_estimates_of_few_nodes_are_honest():
    """Inside `jit` there are 512 nodes for each edge, too few for these delays."""
    cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=20.0))
    delays = jnp.array([2.0, 5.0, 10.0, 20.0, 40.0, 100.0])
    exact = bx.two_time_correlation(cavity, delays)
    found = jax.jit(lambda delays: bx.two_time_correlation(cavity, delays))(delays)
    for few, enough in ((found.value, exact.value), (found.greater, exact.greater)):
        assert jnp.all(jnp.abs(few - enough)[:, 0, 0] <= found.error + exact.error)
