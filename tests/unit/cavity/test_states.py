"""Initial states: moments, evolution, entropy, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import factorial

import bathax as bx
from bathax._checks import is_valid
from bathax.numerics.hermitian import logarithm, von_neumann_entropy

START = (jnp.asarray(1.0 + 0.0j), jnp.zeros(()))
LATER = (jnp.asarray(0.5 - 0.6j), jnp.asarray(0.3))
STATES = {
    "fock": bx.Fock(3),
    "mixture": bx.Mixture([0.2, 0.5, 0.3]),
    "thermal": bx.Thermal(0.8),
    "coherent": bx.Coherent(0.7 - 0.4j),
    "squeezed": bx.Squeezed(0.5, 0.7),
    "squeezed thermal": bx.Squeezed(0.3, 0.7, nbar=0.4),
    "matrix": bx.DensityMatrix([[0.5, 0.3j], [-0.3j, 0.5]]),
}


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("map_", [START, LATER], ids=["start", "later"])
def test_number_entropy_and_matrix_agree(name, map_):
    state, (u, noise) = STATES[name], map_
    rho = state.density_matrix(u, noise, 64)
    np.testing.assert_allclose(jnp.trace(rho), 1.0, atol=1e-10)
    number = jnp.diagonal(rho).real @ jnp.arange(64.0)
    transmission = u.real**2 + u.imag**2
    np.testing.assert_allclose(number, transmission * state.number + noise, atol=1e-8)
    expected = von_neumann_entropy(rho)
    np.testing.assert_allclose(state.entropy(transmission, noise), expected, atol=1e-9)
    np.testing.assert_allclose(
        state.populations(u, noise, 8), jnp.diagonal(rho).real[:8], atol=1e-13
    )


def test_coherent_state_has_poisson_populations():
    n = np.arange(8)
    expected = np.exp(-1.0) / factorial(n)
    np.testing.assert_allclose(bx.Coherent(1.0).populations(*START, 8), expected, rtol=1e-12)


def test_squeezed_vacuum_has_pairs_only():
    p = bx.Squeezed(0.8, 0.3).populations(*START, 6)
    np.testing.assert_allclose(p[1::2], 0.0, atol=1e-15)
    np.testing.assert_allclose(p[2] / p[0], 0.5 * np.tanh(0.8) ** 2, rtol=1e-12)


def test_gaussian_states_of_superposed_kinds_agree_with_the_matrix_route():
    gaussian = bx.Gaussian(0.2 + 0.1j, 0.1, 0.05 - 0.1j)
    matrix = bx.DensityMatrix(gaussian.density_matrix(*START, 20), levels=30)
    u, noise = LATER
    np.testing.assert_allclose(
        gaussian.density_matrix(u, noise, 10), matrix.density_matrix(u, noise, 10), atol=1e-10
    )


def test_logarithm_and_entropy_survive_degenerate_eigenvalues():
    rho = jnp.diag(jnp.array([0.25, 0.25, 0.5], complex))
    change = jnp.asarray([[0.1, 0.2j, 0.0], [-0.2j, -0.05, 0.3], [0.0, 0.3, -0.05]], complex)

    def along(f, h):
        return f(rho + h * change)

    step = 1e-4
    expected = (along(logarithm, step) - along(logarithm, -step)) / (2 * step)
    _, slope = jax.jvp(logarithm, (rho,), (change,))
    np.testing.assert_allclose(slope, expected, atol=1e-6)
    second = jax.grad(jax.grad(lambda h: von_neumann_entropy(rho + h * change)))(0.0)
    pieces = [along(von_neumann_entropy, h) for h in (step, 0.0, -step)]
    np.testing.assert_allclose(second, (pieces[0] - 2 * pieces[1] + pieces[2]) / step**2, rtol=1e-4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: bx.Fock(-1), "Argument `n` must be an integer from 0 to 1023, but is -1."),
        (
            lambda: bx.Thermal(-0.5),
            "Argument `excess` must be non-negative and finite, but is -0.5.",
        ),
        (
            lambda: bx.Gaussian(0.0, 0.1, 2.0),
            "Argument `anomalous` must be finite and physical, |M|^2 <= N (N + 1), but is (2+0j).",
        ),
        (
            lambda: bx.Mixture([0.5, 0.6]),
            "Argument `probabilities` must be non-negative and sum to 1, but is [0.5 0.6].",
        ),
    ],
)
def test_bad_states_are_refused_in_one_sentence(make, message):
    with pytest.raises(ValueError, match="Argument") as caught:
        make()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("rho", "rule"),
    [
        ([[0.5, 0.3], [0.2, 0.5]], "Hermitian"),
        ([[0.5, 0.0], [0.0, 0.6]], "normalised to trace 1"),
        ([[1.2, 0.0], [0.0, -0.2]], "positive"),
        ([[0.5, 0.5]], "a square matrix"),
    ],
)
def test_bad_density_matrices_are_refused(rho, rule):
    with pytest.raises(ValueError, match=f"Argument `rho` must be {rule}, but is"):
        bx.DensityMatrix(rho)


def test_traced_states_are_judged_later():
    def verdict(p):
        return is_valid(bx.Mixture(jnp.stack([p, 0.7])))

    np.testing.assert_array_equal(jax.vmap(verdict)(jnp.array([0.3, 0.4])), [True, False])
