"""Bound states at the very edge of the support, where they appear: values, errors and gradients."""

from math import gamma

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import j1

import bathax as bx

TIMES = jnp.array([0.0, 0.01, 1.0, 5.0, 10.0])
# Couplings on both sides of the critical one, as close as numbers allow.
DISTANCES = 10.0 ** -np.arange(1.0, 17.0, 3.0)
FACTORS = jnp.asarray(np.concatenate([1.0 + DISTANCES, [1.0], 1.0 - DISTANCES]))


def batch(solver):
    """u, v, their derivatives by the coupling and the estimate, for exponents and couplings."""

    def one(exponent, eta):
        def values(eta):
            bath = bx.Reservoir(bx.Ohmic(eta, 5.0, exponent), 0.5)
            estimate = solver.green_functions(bx.Cavity(1.0, bath), TIMES)
            green = estimate.value
            return jnp.stack([green.u.real, green.u.imag, green.v]), estimate

        (value, estimate), (slope, _) = jax.jvp(values, (eta,), (1.0,))
        return value, slope, estimate

    return jax.jit(jax.vmap(one))


RESONANCE, VOLTERRA = batch(bx.Resonance()), batch(bx.Volterra(points=16384))


@pytest.mark.slow
@pytest.mark.parametrize("exponent", [0.5, 0.9, 1.0, 1.5, 2.0, 3.0])
def test_ohmic_reservoirs_around_the_critical_coupling(exponent):
    etas = FACTORS / (5.0 * gamma(exponent))
    exponents = jnp.full_like(etas, exponent)
    value, slope, estimate = RESONANCE(exponents, etas)
    expected, expected_slope, _ = VOLTERRA(exponents, etas)
    np.testing.assert_allclose(value, expected, atol=2e-13)
    size = np.max(np.abs(expected_slope), axis=(0, 2))[None, :, None]
    np.testing.assert_allclose(slope / size, expected_slope / size, atol=2e-10)
    assert np.all(estimate.status == 0)
    miss = np.max(np.abs(value - expected), axis=1)
    claimed = np.maximum(estimate.error.u, estimate.error.v)
    assert np.all(miss < 10.0 * claimed + 1e-14)
    assert np.all(claimed < 1e-10)


@pytest.mark.parametrize(
    ("density", "times", "expected"),
    [
        (bx.Ohmic(0.2, 5.0, 2.0), [1.0, 5.0, 20.0], [0.8385, 0.8337, 0.8334]),
        (bx.Ohmic(0.2, 5.0), [1.0, 5.0, 20.0], [0.71467, 0.58307, 0.50428]),
    ],
)
def test_known_values_at_the_critical_coupling(density, times, expected):
    """Of a star of discrete modes, diagonalised."""
    cavity = bx.Cavity(1.0, bx.Reservoir(density, 0.5))
    solution = bx.solve(cavity, bx.Fock(1), times, bx.Resonance())
    np.testing.assert_allclose(jnp.abs(solution.u), expected, atol=6e-5)
    assert solution.status == 0


@pytest.mark.slow
def test_a_reorganisation_energy_equal_to_the_frequency():
    density = bx.DrudeLorentz(200.0 / jnp.pi / 106.2, 106.2)
    solution = bx.solve(
        bx.Cavity(100.0, bx.Reservoir(density, 208.5)), bx.Fock(1), [0.05, 0.1, 0.2]
    )
    np.testing.assert_allclose(solution.v[-1], 8.89, atol=5e-3)
    assert solution.status == 0


@pytest.mark.slow
@pytest.mark.parametrize("weight", [0.5, 0.5 + 1e-9, 0.5 + 1e-3, 0.5 - 1e-6])
def test_a_band_with_bound_states_at_both_ends(weight):
    """g(t) of the semicircle band of half width W is known: Volterra's equation as the judge."""
    cavity = bx.Cavity(1.0, bx.Reservoir(bx.SemicircleBand(weight * 0.01, 1.0, 0.1), 0.5))
    ts = jnp.linspace(0.0, 200.0, 41)
    got = bx.Resonance().green_functions(cavity, ts)
    expected = bx.Volterra(points=4096).green_functions(cavity, ts)
    np.testing.assert_allclose(got.value.u, expected.value.u, atol=1e-12)
    np.testing.assert_allclose(got.value.v, expected.value.v, atol=1e-11)
    assert got.status == 0


@pytest.mark.slow
def test_a_band_whose_propagator_does_not_fall_off_on_its_second_sheet():
    """At a weight of W^2 / 4 its pole is at infinity, and u = 2 J_1(Wt) / (Wt)."""
    cavity = bx.Cavity(1.0, bx.Reservoir(bx.SemicircleBand(0.0025, 1.0, 0.1), 0.5))
    ts = np.concatenate([[0.0, 1e-6, 1e-3, 0.1], np.linspace(10.0, 200.0, 37)])
    got = bx.Resonance().green_functions(cavity, jnp.asarray(ts))
    x = 0.1 * ts[1:]
    u = np.append(1.0, 2.0 * j1(x) / x) * np.exp(-1j * ts)
    np.testing.assert_allclose(got.value.u, u, atol=2e-8)
    assert np.all(np.abs(np.asarray(got.value.u) - u) <= 10.0 * got.error.u)
    expected = bx.Volterra(points=4096).green_functions(cavity, jnp.asarray(ts))
    np.testing.assert_allclose(got.value.v, expected.value.v, atol=1e-9)


@pytest.mark.slow
def test_the_critical_factor_times_any_density():
    """Also of a sum, whose critical coupling is no round number."""
    density = bx.Ohmic(0.1, 5.0, 0.7) + bx.BandEdge(0.2, 0.3, 4.0) + bx.Ohmic(0.02, 3.0, 2.0)
    cavity = bx.Cavity(1.0, bx.Reservoir(density, 0.3))
    cavity = bx.Cavity(1.0, bx.Reservoir(bx.critical_coupling(cavity) * density, 0.3))
    got = bx.Resonance().green_functions(cavity, TIMES)
    expected = bx.Volterra(points=16384).green_functions(cavity, TIMES)
    np.testing.assert_allclose(got.value.u, expected.value.u, atol=1e-12)
    np.testing.assert_allclose(got.value.v, expected.value.v, atol=1e-12)
    assert got.status == 0


# --- edges that coincide, and the limit of late times --------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "reservoirs",
    [
        [bx.Reservoir(bx.SemicircleBand(0.05, 1.0, 0.9), t) for t in (0.5, 1.0)],
        [bx.Reservoir(bx.BandEdge(0.05, 0.8, 2.0), t) for t in (0.5, 1.0)],
        [bx.Reservoir(bx.SemicircleBand(0.05, w, 0.4), 0.5) for w in (0.5, 1.3)],
        [bx.Reservoir(bx.SemicircleBand(0.05, 1.0, 0.9), occupation=bx.Uniform(n)) for n in (1, 2)],
    ],
)
def test_reservoirs_that_share_edges(reservoirs):
    cavity, ts = bx.Cavity(1.0, reservoirs), jnp.array([1.0, 10.0, 40.0])
    got = bx.Resonance().green_functions(cavity, ts)
    expected = bx.Volterra(points=4096).green_functions(cavity, ts)
    np.testing.assert_allclose(got.value.u, expected.value.u, atol=1e-10)
    np.testing.assert_allclose(got.value.v, expected.value.v, atol=1e-9)


def test_the_limit_of_late_times_knows_where_a_pole_is_missed():
    """With one quantum in each mode |u|^2 + v is 1 for ever."""

    @jax.jit
    @jax.vmap
    def limit(factor):
        bath = bx.Reservoir(bx.Ohmic(0.2 * factor, 5.0), occupation=bx.Uniform(1.0))
        found = bx.long_time_limit(bx.Cavity(1.0, bath))
        return found.transmission + found.noise, found.error

    total, error = limit(jnp.array([0.5, 0.99, 1.0, 1.0 - 1e-14, 1.0 - 1e-8, 1.0 + 1e-8, 1.1]))
    assert np.all(np.abs(total - 1.0) <= 10.0 * error + 1e-13)
    assert np.all(np.isfinite(error[np.array([0, 1, 6])]))


@pytest.mark.slow
def test_a_bound_state_at_a_root_like_edge_has_no_weight():
    cavity = bx.Cavity(1.0, bx.Reservoir(bx.SemicircleBand(0.245 * (1.0 + 1e-8), 1.0, 0.7), 0.5))
    assert not jnp.any(jnp.isnan(bx.bound_states(cavity).residues))
    assert jnp.isfinite(bx.long_time_limit(cavity).noise)
