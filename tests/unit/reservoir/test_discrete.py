"""Separate modes: exact sums, the cavity they are coupled to, what has no meaning for them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax._checks import is_valid
from bathax.numerics.grid import TimeGrid

FREQUENCIES, COUPLINGS = np.array([1.1, 0.8]), np.array([0.2, -0.1])
MODES = bx.DiscreteModes(FREQUENCIES, COUPLINGS)
GRID = TimeGrid(jnp.asarray(0.1), 64)
TS = jnp.linspace(0.0, 20.0, 5)


def exact(frequencies, couplings):
    """u(t) and the amplitudes that start in the modes, from the matrix of the whole system."""
    matrix = jnp.diag(jnp.concatenate([jnp.ones(1), frequencies]))
    matrix = matrix.at[0, 1:].set(couplings).at[1:, 0].set(couplings)
    energies, vectors = jnp.linalg.eigh(matrix)
    phases = jnp.exp(-1j * (TS[:, None] * energies[None, :]).astype(complex))
    return jnp.einsum("k,tk,jk->tj", *(x.astype(complex) for x in (vectors[0], phases, vectors)))


def test_cavity_against_exact_diagonalisation():
    cavity = bx.Cavity(1.0, bx.Reservoir(MODES, temperature=2.0))
    estimate = bx.Volterra(points=1024).green_functions(cavity, TS)
    amplitudes = exact(FREQUENCIES, COUPLINGS)
    filling = 1.0 / np.expm1(FREQUENCIES / 2.0)
    np.testing.assert_allclose(estimate.value.u, amplitudes[:, 0], rtol=0, atol=1e-12)
    noise = np.abs(amplitudes[:, 1:]) ** 2 @ filling
    np.testing.assert_allclose(estimate.value.v, noise, rtol=0, atol=1e-12)
    assert jnp.all(estimate.error.u < 1e-9)


def test_gradients_with_respect_to_modes():
    def survival(frequencies, couplings):
        bath = bx.Reservoir(bx.DiscreteModes(frequencies, couplings))
        solver = bx.Volterra(points=512)
        return jnp.abs(solver.green_functions(bx.Cavity(1.0, bath), TS).value.u[-1]) ** 2

    ours = jax.jit(jax.grad(survival, (0, 1)))(FREQUENCIES, COUPLINGS)
    closed = jax.grad(lambda *p: jnp.abs(exact(*p)[-1, 0]) ** 2, (0, 1))(FREQUENCIES, COUPLINGS)
    np.testing.assert_allclose(ours, closed, rtol=1e-9)


def test_kernels_and_self_energy_are_sums():
    times, strength = GRID.times[:, None], COUPLINGS**2
    waves = np.exp(-1j * np.asarray(times) * FREQUENCIES)
    np.testing.assert_allclose(MODES.memory_kernel(GRID), waves @ strength, atol=1e-16)
    filled = strength / np.expm1(FREQUENCIES / 2.0)
    kernel = MODES.noise_kernel(GRID, bx.BoseEinstein(2.0))
    np.testing.assert_allclose(kernel, waves @ filled, atol=1e-15)
    shift = MODES.level_shift(jnp.asarray(1.0))
    assert shift == pytest.approx(0.04 / -0.1 + 0.01 / 0.2)
    noise = bx.Reservoir(MODES, 2.0).noise_shift(jnp.asarray(1.0))
    assert noise == pytest.approx(filled[0] / -0.1 + filled[1] / 0.2)


def test_modes_in_a_sum():
    density = 2.0 * MODES + bx.Ohmic(0.1, 5.0)
    expected = 2.0 * MODES.memory_kernel(GRID) + bx.Ohmic(0.1, 5.0).memory_kernel(GRID)
    np.testing.assert_allclose(density.memory_kernel(GRID), expected, rtol=1e-14)
    assert is_valid(bx.Reservoir(density, 1.0))
    assert repr(MODES).endswith("J(w) = sum_k |V_k|^2 delta(w - w_k)")


def test_a_temperature_needs_positive_frequencies():
    both_sides = bx.DiscreteModes([-1.0, 1.0], [0.1, 0.1])
    assert is_valid(bx.Reservoir(both_sides))
    assert is_valid(bx.Reservoir(both_sides, occupation=bx.Uniform(0.5)))
    for density in (both_sides, both_sides + MODES, 2.0 * both_sides):
        with pytest.raises(ValueError, match="which has no thermal state"):
            bx.Cavity(1.0, bx.Reservoir(density, 1.0))
    valid = jax.vmap(lambda w: is_valid(bx.Reservoir(bx.DiscreteModes(w[None], [0.1]), 1.0)))
    np.testing.assert_array_equal(valid(jnp.array([-1.0, 0.0, 1.0, jnp.nan])), [0, 0, 1, 0])


REFUSED = [
    (lambda: bx.DiscreteModes([], []), "`frequencies` must be a list of at least one frequency"),
    (lambda: bx.DiscreteModes(1.0, [1.0]), "`frequencies` must be a list of at least one"),
    (lambda: bx.DiscreteModes([1.0, 2.0], [1.0]), "`couplings` must be as long as `frequencies`"),
    (lambda: bx.DiscreteModes([jnp.nan], [1.0]), "`frequencies` must be finite"),
    (lambda: bx.DiscreteModes([1.0], [jnp.inf]), "`couplings` must be finite"),
    (lambda: MODES(jnp.asarray(1.0)), "`spectral_density` must have values J"),
    (
        lambda: bx.dynamical_map(bx.Qubit(1.0, bx.Reservoir(MODES)), TS, bx.VanHove()),
        "`spectral_density` must have values J",
    ),
]


@pytest.mark.parametrize(("make", "words"), REFUSED)
def test_refusals(make, words):
    with pytest.raises(ValueError, match=words):
        make()
