"""Initial states: moments, evolution, entropy, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import factorial

import bathax as bx
from bathax._checks import is_valid
from bathax.numerics.hermitian import logarithm, von_neumann_entropy

START = (jnp.asarray(1.0 + 0.0j), jnp.asarray(0.0))
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


@jax.jit
def evolved(state, u, noise):
    """The matrix and its entropy; number, entropy and populations by the state itself."""
    rho, transmission = state.density_matrix(u, noise, 64), u.real**2 + u.imag**2
    own = (
        transmission * state.number + noise,
        state.entropy(transmission, noise),
        state.populations(u, noise, 8),
    )
    return rho, von_neumann_entropy(rho), *own


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("map_", [START, LATER], ids=["start", "later"])
def test_number_entropy_and_matrix_agree(name, map_):
    rho, expected, number, entropy, populations = jax.device_get(evolved(STATES[name], *map_))
    np.testing.assert_allclose(np.trace(rho), 1.0, atol=1e-10)
    diagonal = np.diagonal(rho).real
    np.testing.assert_allclose(diagonal @ np.arange(64.0), number, atol=1e-8)
    np.testing.assert_allclose(entropy, expected, atol=1e-9)
    np.testing.assert_allclose(populations, diagonal[:8], atol=1e-13)


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

    @jax.jit
    @jax.vmap
    def along(h):
        """The logarithm, its slope, the entropy and its second derivative."""

        def moved(h):
            return rho + h.astype(complex) * change

        def entropy(h):
            return von_neumann_entropy(moved(h))

        value, slope = jax.jvp(logarithm, (moved(h),), (change,))
        return value, slope, entropy(h), jax.grad(jax.grad(entropy))(h)

    step = 1e-4
    values, slopes, entropies, seconds = jax.device_get(along(np.array([-step, 0.0, step])))
    np.testing.assert_allclose(slopes[1], (values[2] - values[0]) / (2 * step), atol=1e-6)
    expected = (entropies[2] - 2 * entropies[1] + entropies[0]) / step**2
    np.testing.assert_allclose(seconds[1], expected, rtol=1e-4)


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
