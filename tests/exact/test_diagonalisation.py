"""A cavity in separate modes: against the exponential of the Hamiltonian, and time stepping."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

import bathax as bx

RNG = np.random.default_rng(5)
FREQUENCIES, COUPLINGS = np.sort(RNG.uniform(0.1, 3.0, 30)), RNG.uniform(0.02, 0.1, 30)
FREQUENCIES[7] = FREQUENCIES[6]
TIMES = jnp.array([0.0, 1.0, 20.0, 200.0, 1e4])


def cavity(frequencies=FREQUENCIES, couplings=COUPLINGS, temperature=0.8):
    bath = bx.Reservoir(bx.DiscreteModes(frequencies, couplings), temperature)
    return bx.Cavity(1.0, bath)


def star(frequencies, couplings):
    h = np.diag(np.append(1.0, frequencies))
    h[0, 1:] = h[1:, 0] = couplings
    return h


def test_any_time_against_the_exponential_of_the_hamiltonian():
    estimate = bx.Diagonalisation().green_functions(cavity(), TIMES)
    h, n = star(FREQUENCIES, COUPLINGS), 1.0 / np.expm1(FREQUENCIES / 0.8)
    for k, t in enumerate(np.asarray(TIMES)):
        y = expm(-1j * h * t)[0]
        rate = -1j * y @ h
        bar = 1e-12 * (1.0 + t)
        assert abs(complex(estimate.value.u[k]) - y[0]) < bar
        assert abs(complex(estimate.value.du[k]) - rate[0]) < bar
        assert abs(float(estimate.value.v[k]) - n @ np.abs(y[1:]) ** 2) < bar
        assert abs(float(estimate.value.dv[k]) - 2.0 * (y[1:].conj() * rate[1:]).real @ n) < bar
    assert estimate.status == 0
    assert np.all(estimate.error.u < 1e-9)


def test_all_quantities_against_time_stepping():
    ts = jnp.linspace(0.0, 20.0, 21)
    one = bx.solve(cavity(), bx.Fock(2), ts)
    other = bx.solve(cavity(), bx.Fock(2), ts, bx.Volterra(points=4096))
    for name in ("energy", "entropy", "free_energy", "interaction_energy"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-10)
    miss = np.abs(one.v - other.v)
    assert np.all(miss <= 10.0 * (one.error.v + other.error.v))


@pytest.mark.slow
def test_several_reservoirs_sums_and_multiples_are_one_star():
    half = 0.5 * bx.DiscreteModes(FREQUENCIES, np.sqrt(2.0) * COUPLINGS)
    parts = bx.DiscreteModes(FREQUENCIES[:9], COUPLINGS[:9]) + bx.DiscreteModes(
        FREQUENCIES[9:], COUPLINGS[9:]
    )
    expected = bx.solve(cavity(), bx.Fock(1), TIMES)
    for density in (half, parts):
        got = bx.solve(bx.Cavity(1.0, bx.Reservoir(density, 0.8)), bx.Fock(1), TIMES)
        np.testing.assert_allclose(got.v, expected.v, atol=1e-9)
    split = [
        bx.Reservoir(bx.DiscreteModes(FREQUENCIES[::2], COUPLINGS[::2]), 0.8),
        bx.Reservoir(bx.DiscreteModes(FREQUENCIES[1::2], COUPLINGS[1::2]), 0.8),
    ]
    got = bx.solve(bx.Cavity(1.0, split), bx.Fock(1), TIMES)
    np.testing.assert_allclose(got.v, expected.v, atol=1e-9)


@pytest.mark.slow
def test_gradients_where_two_modes_coincide():
    ts = jnp.array([0.5, 3.0, 10.0])

    def solved(solver):
        def number(frequencies, couplings, temperature):
            of = cavity(frequencies, couplings, temperature)
            green = solver.green_functions(of, ts).value
            return jnp.sum(green.v + jnp.abs(green.u) ** 2)

        return jax.grad(number, (0, 1, 2))(
            jnp.asarray(FREQUENCIES), jnp.asarray(COUPLINGS), jnp.asarray(0.8)
        )

    pairs = zip(solved(bx.Diagonalisation()), solved(bx.Volterra(points=2048)), strict=True)
    for one, other in pairs:
        np.testing.assert_allclose(one, other, atol=1e-8)


def test_the_average_over_all_times():
    limit = bx.long_time_limit(cavity())
    ts = jnp.linspace(0.0, 2e5, 40_001)[1:]
    green = bx.Diagonalisation(rtol=1e-6).green_functions(cavity(), ts).value
    assert limit.noise == pytest.approx(float(jnp.mean(green.v)), rel=2e-2)
    assert limit.transmission == pytest.approx(float(jnp.mean(green.transmission)), rel=2e-2)


def test_every_eigenstate_is_bound_and_none_is_a_resonance():
    bound = bx.bound_states(cavity())
    h = star(FREQUENCIES, COUPLINGS)
    np.testing.assert_allclose(bound.frequencies, np.linalg.eigvalsh(h), atol=1e-13)
    assert jnp.sum(bound.residues) == pytest.approx(1.0, abs=1e-13)
    assert bx.resonances(cavity()).exist.size == 0


def test_a_continuous_density_is_refused():
    with pytest.raises(ValueError, match="must be a sum of separate modes"):
        bx.solve(
            bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0))),
            bx.Fock(1),
            TIMES,
            bx.Diagonalisation(),
        )
    with pytest.raises(ValueError, match="which `Diagonalisation\\(\\)` solves"):
        bx.solve(cavity(), bx.Fock(1), TIMES, bx.Resonance())
