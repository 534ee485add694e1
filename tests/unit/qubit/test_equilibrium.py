"""The long-time limit: exact, second order in the coupling, and Boltzmann's."""

import jax
import numpy as np
import pytest

import bathax as bx
from bathax.qubit.equilibrium import _divided_difference
from tests.programs import LONG

from .modes import TEMPERATURE, W, mean_force_population

SMALL = bx.Hierarchy(depth=5, modes=8)


def qubit(eta, temperature=1.0):
    return bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), temperature))


def test_second_order_against_exact_diagonalisation():
    """The error is of fourth order in the couplings."""
    errors = []
    for scale in (1.0, 0.5):
        couplings = scale * np.array([0.1, 0.15])
        bath = bx.Reservoir(bx.DiscreteModes(W, couplings), TEMPERATURE)
        second = float(bx.mean_force_population(bx.Qubit(1.0, bath)))
        errors.append(mean_force_population(couplings) - second)
    assert abs(errors[1]) < 1e-5
    assert errors[0] / errors[1] == pytest.approx(16.0, rel=0.05)


def test_divided_difference():
    x, y = np.array([-1.0, -1.0, -1.0, -2.0, -300.0]), np.array([-1.0, -1.5, -3.0, -2.0, -1.0])
    # int_0^1 (1 - u) e^{x + u (y - x)} du
    u, weights = np.polynomial.legendre.leggauss(200)
    u, weights = (u + 1.0) / 2.0, weights / 2.0
    expected = ((1.0 - u) * np.exp(x[:, None] + u * (y - x)[:, None])) @ weights
    ours = _divided_difference(jax.numpy.asarray(x), jax.numpy.asarray(y))
    np.testing.assert_allclose(ours, expected, rtol=1e-13)


def test_weak_coupling_is_boltzmann():
    for temperature in (0.05, 1.0, 30.0):
        expected = 1.0 / (1.0 + np.exp(1.0 / temperature))
        weak = qubit(0.0, temperature)
        assert bx.boltzmann_population(weak) == pytest.approx(expected, rel=1e-13)
        assert bx.mean_force_population(weak) == pytest.approx(expected, rel=1e-13)


def test_known_number():
    found = bx.steady_state(qubit(0.1), bx.Hierarchy(depth=9, modes=10))
    assert abs(found.excited_population - 0.3359) < 5e-5
    assert bx.boltzmann_population(qubit(0.1)) == pytest.approx(0.2689, abs=5e-5)


def test_horizon_matters_as_little_as_estimated():
    short = bx.steady_state(qubit(0.02), SMALL, horizon=30.0)
    long = bx.steady_state(qubit(0.02), SMALL, horizon=120.0)
    change = abs(short.excited_population - long.excited_population)
    assert change <= 2.0 * (short.error + long.error)


@pytest.mark.slow
def test_gradients():
    def population(eta):
        return bx.steady_state(qubit(eta), SMALL).excited_population

    for function in (population, lambda eta: bx.mean_force_population(qubit(eta))):
        with_slope = jax.jit(jax.vmap(jax.value_and_grad(function)), compiler_options=LONG)
        values, slopes = with_slope(np.array([0.0499, 0.05, 0.0501]))
        assert float(slopes[1]) == pytest.approx(float(values[2] - values[0]) / 2e-4, rel=1e-6)


def test_a_batch_is_what_single_calls_give():
    def found(eta):
        state = bx.steady_state(qubit(eta), bx.Hierarchy(depth=3, modes=5))
        return state.excited_population, state.error

    etas = np.array([0.01, 0.05])
    singles = np.array([found(eta) for eta in etas]).T
    batch = jax.jit(jax.vmap(found), compiler_options=LONG)(etas)
    np.testing.assert_allclose(batch, singles, rtol=0, atol=1e-12)


def test_a_bad_point_is_marked():
    found = jax.jit(lambda eta: bx.steady_state(qubit(eta), SMALL))(-0.1)
    assert np.isnan(found.excited_population)
    assert found.message == bx.Status.INVALID.message


def test_refusals():
    bath = bx.Reservoir(bx.DiscreteModes([1.0], [0.1]), 1.0)
    with pytest.raises(ValueError, match="must be continuous, or there is no steady state"):
        bx.steady_state(bx.Qubit(1.0, bath))
    with pytest.raises(ValueError, match="positive and finite, but is -1"):
        bx.steady_state(qubit(0.1), horizon=-1.0)
    cold, warm = (bx.Reservoir(bx.Ohmic(0.1, 5.0), t) for t in (0.0, 1.0))
    flat = bx.Reservoir(bx.Ohmic(0.1, 5.0), occupation=bx.Uniform(0.5))
    for baths, found in ((cold, "[0.]"), ((cold, warm), "[0. 1.]"), (flat, "Uniform")):
        with pytest.raises(ValueError, match="one positive temperature") as caught:
            bx.mean_force_population(bx.Qubit(1.0, baths))
        assert str(caught.value).endswith(f"but is {found}.")
