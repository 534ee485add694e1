"""Fits through the exact dynamics: the truth comes back, and the Jacobian is exact."""

import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

TIMES = np.linspace(0.25, 8.0, 24)
TRUTH = {"gamma0": 1.5, "width": 0.8}


def closed_form(gamma0, width):
    """|u| on resonance, AHZ Eq. (24): over- and underdamped."""
    d = np.sqrt(complex(width**2 - 2.0 * gamma0 * width))
    u = np.cosh(0.5 * d * TIMES) + width / d * np.sinh(0.5 * d * TIMES)
    return np.abs(np.exp(-0.5 * width * TIMES) * u)


def damped(gamma0, width):
    cavity = bx.Cavity(1.0, bx.Reservoir(bx.Lorentzian(gamma0, width, 1.0)))
    solver = bx.Resonance(nodes=64)
    return {"u": solver.green_functions(cavity, jnp.asarray(TIMES)).value.u}


@pytest.fixture(scope="module")
def found():
    """Without noise, from data that the closed form gives."""
    data = bx.Data(TIMES, abs_u=(closed_form(**TRUTH), 0.01))
    return bx.fit(damped, data, {"gamma0": 1.0, "width": 1.5}, starts=3)


@pytest.mark.slow
def test_the_truth_comes_back(found):
    assert found.converged
    assert found.agreeing >= 2
    for name, value in TRUTH.items():
        np.testing.assert_allclose(found.parameters[name], value, rtol=1e-8)


@pytest.mark.slow
def test_the_covariance_is_that_of_differences(found):
    """J of the closed form by differences of sixth order, its covariance by plain inversion."""
    weights, steps = np.array([1, -9, 45, -45, 9, -1]) / 60, np.array([3, 2, 1, -1, -2, -3])

    def column(name):
        h = 3e-3 * TRUTH[name]
        moved = [closed_form(**TRUTH | {name: TRUTH[name] + k * h}) for k in steps]
        return weights @ np.array(moved) / h / 0.01

    jacobian = np.stack([column(name) for name in found.labels], axis=1)
    np.testing.assert_allclose(found.covariance, np.linalg.inv(jacobian.T @ jacobian), rtol=1e-7)
