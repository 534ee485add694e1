"""Limits t -> infinity against exact facts and against a long run."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx


def cavity(eta, *temperatures):
    density = bx.Ohmic(eta / len(temperatures), 5.0)
    return bx.Cavity(1.0, [bx.Reservoir(density, temperature) for temperature in temperatures])


def test_bound_state_above_the_critical_coupling_solves_the_pole_equation():
    assert not bx.bound_states(cavity(0.19, 1.0)).exist[0]
    strong = cavity(0.3, 1.0)
    bound = bx.bound_states(strong)
    frequency = bound.frequencies[0]
    assert frequency < 0.0
    assert frequency - 1.0 - strong.level_shift(frequency) == pytest.approx(0.0, abs=1e-12)
    assert 0.0 < bound.residues[0] < 1.0


@pytest.mark.parametrize("eta", [0.1, 0.3])
def test_uniform_filling_gives_what_the_commutator_leaves(eta):
    # With n(w) = 1 everywhere v(inf) = 1 - |u(inf)|^2 = 1 - Z^2.
    bath = bx.Reservoir(bx.Ohmic(eta, 5.0), occupation=bx.Uniform(1.0))
    limit = bx.long_time_limit(bx.Cavity(1.0, bath))
    assert limit.noise == pytest.approx(1.0 - float(limit.transmission), abs=1e-12)
    assert limit.error < 1e-10


def test_agrees_with_a_long_run():
    warm = cavity(0.1, 20.0)
    limit = bx.long_time_limit(warm)
    solution = bx.solve(warm, bx.Fock(5), jnp.asarray([30.0, 60.0]), bx.Volterra(points=2048))
    assert solution.v[-1] == pytest.approx(float(limit.noise), rel=1e-3)
    temperature = float(limit.temperature(bx.Fock(5)))
    assert temperature == pytest.approx(1.0 / np.log1p(1.0 / float(limit.noise)), rel=1e-12)
    assert solution.temperature[-1] == pytest.approx(temperature, rel=1e-3)


def test_bound_state_makes_the_temperature_remember():
    limit = bx.long_time_limit(cavity(0.3, 20.0))
    cold, hot = (float(limit.temperature(bx.Fock(n))) for n in (0, 5))
    assert cold + 1.0 < hot


@pytest.mark.slow
@pytest.mark.parametrize("eta", [0.1, 0.3])
def test_derivatives_of_the_temperature(eta):
    def final(eta):
        limit = bx.long_time_limit(cavity(eta, 20.0))
        return jnp.stack([limit.temperature(bx.Fock(5)), 1.0 / jnp.log1p(1.0 / limit.noise)])

    slope, step = jax.jacfwd(final)(eta), 1e-4
    numerical = (final(eta + step) - final(eta - step)) / (2.0 * step)
    np.testing.assert_allclose(slope, numerical, rtol=1e-5)
    if eta < 0.2:  # without a bound state, that of a geometric state
        np.testing.assert_allclose(slope[0], slope[1], rtol=1e-11)
    backward = jax.grad(lambda eta: final(eta)[0])(eta)
    np.testing.assert_allclose(backward, slope[0], rtol=1e-11)
