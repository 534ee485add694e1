"""The first zero of the determinant, from both sides."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

TS = jnp.linspace(0.5, 15.0, 30)
SOLVER = bx.Hierarchy(depth=4, modes=8, steps=120)


def qubit(eta, temperature=0.5):
    return bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), temperature))


def least(eta, temperature):
    return bx.least_determinant(qubit(eta, temperature), TS, SOLVER)


def first_zero(temperature):
    return bx.find_critical(lambda eta: least(eta, temperature), (0.05, 0.1), rtol=1e-9)


least_and_slopes = jax.jit(jax.value_and_grad(least, (0, 1)))


@pytest.fixture(scope="module")
def critical_and_slope():
    """The critical coupling at a temperature of 0.5, and its derivative by the temperature."""
    return jax.jit(jax.value_and_grad(first_zero))(0.5)


@pytest.fixture(scope="module")
def critical(critical_and_slope):
    return critical_and_slope[0]


@pytest.mark.slow
def test_the_determinant_touches_zero_at_the_critical_coupling(critical):
    """Below it D > 0 at all times; above D < 0 for a while, by another and finer grid."""
    for factor, sign in ((0.99, 1.0), (1.01, -1.0)):
        ts = jnp.linspace(0.0, 15.0, 401)
        elements = SOLVER.map_elements(qubit(factor * critical), ts).value
        determinant = elements.p11 + elements.p00 - 1.0
        assert jnp.sign(jnp.min(determinant)) == sign
        found, _ = least_and_slopes(factor * critical, 0.5)
        np.testing.assert_allclose(found, jnp.min(determinant), atol=2e-6)


@pytest.mark.slow
def test_it_is_that_of_a_larger_hierarchy(critical):
    """With sizes chosen for a tolerance, D changes sign where the small one says, within 2%."""
    for factor, sign in ((0.98, 1.0), (1.02, -1.0)):
        dmap = bx.dynamical_map(qubit(factor * critical), TS, bx.Hierarchy(rtol=1e-4))
        assert dmap.status == bx.Status.SUCCESS
        assert jnp.sign(jnp.min(dmap.determinant)) == sign


@pytest.mark.slow
def test_the_critical_coupling_falls_with_the_temperature(critical_and_slope):
    """d eta / d T = -(dD/dT) / (dD/d eta), by the derivative of the implicit function."""
    critical, slope = critical_and_slope
    _, (by_coupling, by_temperature) = least_and_slopes(critical, 0.5)
    assert slope < 0.0
    np.testing.assert_allclose(slope, -by_temperature / by_coupling, rtol=1e-6)


def test_of_a_monotonic_determinant_the_last_is_the_least():
    solver = bx.VanHove()

    @jax.jit
    def both(eta):
        last = bx.dynamical_map(qubit(eta), TS, solver).determinant[-1]
        return bx.least_determinant(qubit(eta), TS, solver), last

    np.testing.assert_allclose(*both(0.01), rtol=1e-12)
    with pytest.raises(ValueError, match="`ts` must be at least two times"):
        bx.least_determinant(qubit(0.01), [1.0], solver)
