"""States of the qubit: conventions, evolution, the entropy in closed form, what is refused."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import bathax as bx
from bathax._checks import is_valid
from bathax.qubit.elements import MapElements
from bathax.qubit.entropy import entropy, entropy_slope


def elements(p11, p00, c):
    values = [jnp.asarray(x) for x in (p11, p00, c, -0.3, -0.2, 0.1j)]
    return MapElements(*values)


def test_named_states():
    np.testing.assert_array_equal(bx.Ground().rho, np.diag([1.0, 0.0]))
    np.testing.assert_array_equal(bx.Excited().rho, np.diag([0.0, 1.0]))
    np.testing.assert_array_equal(bx.Bloch(0.0, 0.0, 1.0).rho, bx.Excited().rho)
    np.testing.assert_array_equal(bx.Bloch(0.0, 0.0, -1.0).rho, bx.Ground().rho)


def test_bloch_vector_is_the_mean_of_the_pauli_matrices():
    """In the basis (ground, excited), where s+ = |1><0| = (sx + i sy) / 2."""
    raising = np.array([[0.0, 0.0], [1.0, 0.0]])
    pauli = [raising + raising.T, -1j * (raising - raising.T), np.diag([-1.0, 1.0])]
    vector = (0.3, -0.5, 0.4)
    rho = np.asarray(bx.Bloch(*vector).rho)
    np.testing.assert_allclose([np.trace(rho @ s).real for s in pauli], vector, atol=1e-15)


def test_evolution_is_the_map():
    state = bx.QubitState([[0.3, 0.1 - 0.2j], [0.1 + 0.2j, 0.7]])
    map_ = elements(0.6, 0.9, 0.5 - 0.4j)
    np.testing.assert_allclose(state.excited_population(map_), 0.6 * 0.7 + 0.1 * 0.3)
    np.testing.assert_allclose(state.excited_rate(map_), -0.3 * 0.7 + 0.2 * 0.3)
    np.testing.assert_allclose(state.coherence(map_), (0.5 - 0.4j) * (0.1 + 0.2j))
    np.testing.assert_allclose(state.coherence_rate(map_), 0.1j * (0.1 + 0.2j))


def test_the_identity_changes_nothing():
    state, identity = bx.Bloch(0.3, -0.5, 0.4), elements(1.0, 1.0, 1.0 + 0.0j)
    np.testing.assert_allclose(state.excited_population(identity), 0.7)
    np.testing.assert_allclose(state.coherence(identity), state.rho[1, 0])


# --- The entropy -------------------------------------------------------------------------------

# From pure to completely mixed, with both sides of where the series takes over.
DETERMINANTS = [1e-100, 1e-30, 1e-12, 1e-3, 0.1, 0.2249, 0.2251, 0.24, 0.25 - 1e-9, 0.25]


def exact_entropy(d):
    """S and its first three derivatives in d, from 250 digits."""
    with mpmath.workdps(250):
        if d == 0.25:
            return float(mpmath.log(2)), 2.0, 8.0 / -3.0, 32.0 * 2.0 / 5.0
        d = mpmath.mpf(d)
        r = mpmath.sqrt(1 - 4 * d)
        high, low = (1 + r) / 2, (1 - r) / 2
        slope = mpmath.log(high / low) / r
        # From dr/dd = -2/r and d(r slope)/dd = -1 / (d r).
        second = (2 * slope - 1 / d) / r**2
        third = (2 * second + 1 / d**2 + 4 * second) / r**2
        value = -high * mpmath.log(high) - low * mpmath.log(low)
        return tuple(float(x) for x in (value, slope, second, third))


@jax.jit
def with_derivatives(d):
    """S, its slope as a function and two derivatives of that; two derivatives of S itself."""
    slope, second = jax.grad(entropy_slope), jax.grad(jax.grad(entropy_slope))
    by_slope = entropy(d), entropy_slope(d), slope(d), second(d)
    return by_slope, (jax.grad(entropy)(d), jax.grad(jax.grad(entropy))(d))


@pytest.mark.parametrize("d", DETERMINANTS)
def test_entropy_and_three_derivatives(d):
    by_slope, differentiated = with_derivatives(d)
    # XLA's log1p is good to 1e-14 only.
    for found, expected, rtol in zip(
        by_slope, exact_entropy(d), (1e-14, 1e-14, 1e-13, 1e-11), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=rtol)
    np.testing.assert_allclose(differentiated[0], by_slope[1], rtol=1e-15)
    np.testing.assert_allclose(differentiated[1], by_slope[2], rtol=3e-15)


@pytest.mark.parametrize("d", [0.0, -1e-17, -1e-3])
def test_a_pure_state_has_no_entropy_and_finite_derivatives(d):
    (value, *_), (first, second) = with_derivatives(d)
    assert value == 0.0
    assert 100.0 < first < 1000.0
    assert second == 0.0


# --- What is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rho", "rule"),
    [
        ([[0.5, 0.3], [0.2, 0.5]], "Hermitian"),
        ([[0.5, 0.0], [0.0, 0.6]], "normalised to trace 1"),
        ([[1.2, 0.0], [0.0, -0.2]], "positive"),
        (np.eye(3) / 3.0, "a matrix of shape (2, 2)"),
    ],
)
def test_bad_density_matrices_are_refused(rho, rule):
    with pytest.raises(ValueError, match="Argument") as caught:
        bx.QubitState(rho)
    assert str(caught.value).startswith(f"Argument `rho` must be {rule}, but is ")


def test_a_long_bloch_vector_is_refused():
    with pytest.raises(ValueError, match="Argument") as caught:
        bx.Bloch(0.0, 0.8, 0.8)
    words = "a vector of length 1 or less, but is (0.0, 0.8, 0.8)"
    assert str(caught.value) == f"Argument `x, y, z` must be {words}."


def test_traced_states_are_judged_later():
    verdicts = jax.vmap(lambda z: is_valid(bx.Bloch(0.6, 0.0, z)))(jnp.array([0.8, 0.9]))
    np.testing.assert_array_equal(verdicts, [True, False])
