"""Quanta that a qubit and its reservoirs exchange, and where the qubit comes to rest."""

import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

SOLVER = bx.Hierarchy(depth=6, modes=11)
ETA, CUTOFF = 0.005, 5.0


def reservoir(temperature, eta=ETA):
    return bx.Reservoir(bx.Ohmic(eta, CUTOFF), temperature)


@pytest.fixture(scope="module")
def warm():
    """Below the resonance, on it, and far above, where w - w_s = 2 pi."""
    ts, frequencies = [0.5, 1.0, 2.0, 4.0], [0.5, 1.0, 1.0 + 2.0 * np.pi]
    qubit = bx.Qubit(1.0, reservoir(1.0))
    return bx.reservoir_occupation(qubit, bx.Excited(), ts, frequencies, SOLVER)


@pytest.mark.slow
def test_quanta_are_conserved(warm):
    """The field gains what the qubit loses."""
    assert warm.status == bx.Status.SUCCESS
    np.testing.assert_allclose(warm.quanta[0], 1.0 - warm.excited_population, atol=1e-8)
    assert jnp.all(jnp.abs(warm.sum_rule_defect) < 1e-8)
    assert jnp.all(jnp.abs(warm.sum_rule_defect) <= warm.error.quanta[0])


@pytest.mark.slow
def test_the_population_is_that_of_the_map(warm):
    qubit = bx.Qubit(1.0, reservoir(1.0))
    dmap = bx.dynamical_map(qubit, warm.t, SOLVER)
    np.testing.assert_allclose(warm.excited_population, dmap.p11, atol=1e-8)
    np.testing.assert_allclose(warm.quanta_rate[0], -dmap.dp11, atol=1e-7)


@pytest.mark.slow
def test_the_sum_over_frequencies_is_what_the_reservoir_gains():
    bath = reservoir(1.0)
    nodes, masses = bath.spectral_density.measure(64)
    kept = nodes < 150.0  # e^{-30} is left out
    qubit = bx.Qubit(1.0, bath)
    field = bx.reservoir_occupation(qubit, bx.Excited(), [0.5, 1.0], nodes[kept], SOLVER)
    total = field.per_coupling[0] @ masses[kept]
    np.testing.assert_allclose(total, field.quanta[0], atol=1e-8)


@pytest.mark.slow
def test_vacuum_spectrum():
    """At T = 0 one quantum is shared: J |int_0^t u e^{iws} ds|^2, exactly known."""
    frequencies = jnp.linspace(0.1, 8.0, 9)
    bath = reservoir(0.0, eta=0.02)
    field = bx.reservoir_occupation(
        bx.Qubit(1.0, bath), bx.Excited(), [2.0, 4.0], frequencies, SOLVER
    )
    for i, t in enumerate(field.t):
        amplitude = bx.excitation_spectrum(bx.Cavity(1.0, bath), t, frequencies)
        expected = bath.spectral_density(frequencies) * jnp.abs(amplitude) ** 2
        np.testing.assert_allclose(field.change[0, i], expected, atol=1e-8)


@pytest.mark.slow
def test_on_shell_grows_and_off_shell_returns(warm):
    """At weak coupling only w = w_s keeps what it gains: n_k(t) ~ sin^2((w_k - w_s) t / 2)."""
    emission = 1.0 + 1.0 / np.expm1(warm.frequencies)
    below, resonant, above = (warm.per_coupling[0] / emission[None, :]).T
    np.testing.assert_allclose(resonant[0], 0.5**2, rtol=0.05)
    assert jnp.all(jnp.diff(resonant) > 0.0)
    assert resonant[3] > 30.0 * resonant[0]
    assert jnp.all(below < resonant)
    # After one, two and four periods of w - w_s.
    assert jnp.all(jnp.abs(above[1:]) < 0.1 * above[0])


@pytest.mark.slow
def test_quanta_flow_from_hot_to_cold():
    qubit = bx.Qubit(1.0, [reservoir(5.0, 0.02), reservoir(0.1, 0.02)])
    field = bx.reservoir_occupation(qubit, bx.Bloch(0.0, 0.0, -0.1), [3.0, 6.0], [1.0], SOLVER)
    hot, cold = field.per_coupling_rate[:, -1, 0]
    assert hot < 0.0 < cold
    assert field.quanta_rate[0, -1] < field.quanta_rate[1, -1]
    assert jnp.all(jnp.abs(field.sum_rule_defect) <= field.error.quanta[0])


def test_the_steady_state_is_the_mean_force_gibbs_state():
    """The difference from the second order of the coupling is of order eta^2."""
    solver, errors = bx.Hierarchy(depth=7, modes=12), []
    for eta in (0.02, 0.01):
        qubit = bx.Qubit(1.0, reservoir(1.0, eta))
        exact = bx.steady_state(qubit, solver)
        errors.append(float(exact.excited_population - bx.mean_force_population(qubit)))
        assert errors[-1] > 10.0 * exact.error
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.05)


@pytest.mark.slow
def test_long_times_reach_the_steady_state():
    qubit, solver = bx.Qubit(1.0, reservoir(1.0, 0.1)), bx.Hierarchy(depth=8, modes=9)
    late = bx.dynamical_map(qubit, [30.0], solver)
    end = bx.steady_state(qubit, solver).excited_population
    np.testing.assert_allclose([late.p11[0], 1.0 - late.p00[0]], end, atol=2e-3)
