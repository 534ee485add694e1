"""The likelihood of data: against densities of normal errors, and beside a fit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

import bathax as bx

T = np.linspace(0.0, 4.0, 5)
ENERGIES = np.array([5.1, 3.0, np.nan, 1.2, 0.6])
ERRORS = np.array([0.1, 0.2, 0.1, 0.3, 0.1])


@pytest.fixture(scope="module")
def data():
    return bx.Data(T, energy=(ENERGIES, ERRORS))


def damped(start, rate):
    return {"energy": start * jnp.exp(-rate * T), "u": jnp.exp(-1j * T.astype(complex))}


def test_values_have_normal_errors(data):
    present = ~np.isnan(ENERGIES)
    expected = np.sum(norm.logpdf(ENERGIES, 5.0 * np.exp(-0.5 * T), ERRORS)[present])
    found = bx.log_likelihood(damped, data, {"start": 5.0, "rate": 0.5})
    assert float(found) == pytest.approx(expected, rel=1e-12)


def test_complex_values_count_twice():
    measured = np.exp(-1j * T) + 0.1
    found = bx.log_likelihood(
        damped, bx.Data(T, u=(measured, 0.2)), {"start": 5.0, "rate": jnp.array(0.5)}
    )
    expected = len(T) * (norm.logpdf(0.1, 0.0, 0.2) + norm.logpdf(0.0, 0.0, 0.2))
    assert float(found) == pytest.approx(expected, rel=1e-12)


def test_runs_add_up(data):
    other = bx.Data(T, energy=(np.ones(5), 2.0))
    parameters = {"start": 5.0, "rate": 0.5}
    one, two = (bx.log_likelihood(damped, run, parameters) for run in (data, other))

    def both(**parameters):
        return [damped(**parameters)] * 2

    assert float(bx.log_likelihood(both, [data, other], parameters)) == pytest.approx(one + two)


def test_its_curvature_at_the_maximum_is_the_covariance_of_a_fit():
    """Up to terms with the residuals, which are 0 here."""
    exact = bx.Data(T, energy=(5.0 * np.exp(-0.5 * T), ERRORS))
    found = bx.fit(damped, exact, {"start": 4.0, "rate": 0.7}, starts=1)

    def density(p):
        return bx.log_likelihood(damped, exact, found.problem.parameters.named(p))

    np.testing.assert_allclose(jax.jit(jax.grad(density))(found.best), 0.0, atol=1e-4)
    curvature = -jax.jit(jax.hessian(density))(jnp.asarray(found.best))
    np.testing.assert_allclose(np.linalg.inv(curvature), found.covariance, rtol=1e-4)


@pytest.mark.slow
def test_an_exact_solution_is_differentiated_under_jit():
    data = bx.Data(T, number=(5.0 * np.exp(-0.1 * T), 0.1))

    def model(eta):
        cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), 1.0))
        return {"number": bx.solve(cavity, bx.Fock(5), data.t, bx.Volterra(points=256)).number}

    @jax.jit
    def density(eta):
        return bx.log_likelihood(model, data, {"eta": eta})

    step = 1e-5
    slope = (density(0.02 + step) - density(0.02 - step)) / (2.0 * step)
    assert float(jax.grad(density)(0.02)) == pytest.approx(float(slope), rel=1e-6)


def test_data_without_errors_are_refused():
    with pytest.raises(ValueError, match=r"`data` must be given with errors, .*, but is without\."):
        bx.log_likelihood(damped, bx.Data(T, energy=np.ones(5)), {"start": 1.0, "rate": 1.0})
