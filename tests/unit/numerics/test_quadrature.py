"""Quadrature rules on integrals and sums known in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import gamma

from bathax.numerics import quadrature
from bathax.numerics.grid import TimeGrid
from bathax.numerics.quadrature import (
    composite,
    counting_rule,
    gauss_legendre,
    half_line,
    half_line_position,
)

fourier_sum = jax.jit(quadrature.fourier_sum)

POWERS = [-0.49, -0.3, 0.0, 0.5, 1.0, 2.0, 3.0]
ANGLES = [0.0, -np.pi / 4, np.pi / 4]


@pytest.mark.parametrize("count", [1, 5, 12, 32])
def test_gauss_legendre_integrates_powers(count):
    x, weights = gauss_legendre(count)
    powers = np.arange(2 * count)
    np.testing.assert_allclose(weights @ x[:, None] ** powers, 1 / (powers + 1), rtol=1e-13)


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("angle", ANGLES)
def test_half_line_integrates_the_gamma_function(power, angle):
    r, weights = half_line(4.3, 342)
    z = r * np.exp(1j * angle)
    value = np.sum(z**power * np.exp(-z) * weights) * np.exp(1j * angle)
    assert abs(value / gamma(power + 1) - 1.0) < 1e-15


def test_positions_of_the_nodes_of_a_half_line():
    r, weights = half_line(4.3, 352)
    nodes = jnp.asarray(r, complex)
    position, slope = jax.jvp(
        lambda r: half_line_position(r, 4.3, 352), (nodes,), (jnp.ones_like(nodes),)
    )
    # A weight is the distance between nodes: dr / dk.
    np.testing.assert_allclose(position, np.arange(352), rtol=0.0, atol=1e-11)
    np.testing.assert_allclose(np.asarray(slope) * weights, 1.0, rtol=1e-12)


@pytest.mark.parametrize("panels", [1, 3, 8])
def test_composite_resolves_a_phase_of_fifty_per_panel(panels):
    x, weights = composite(panels)
    phase = 50.0 * panels
    assert abs(weights @ np.exp(1j * phase * x) - (np.exp(1j * phase) - 1) / (1j * phase)) < 1e-15
    assert weights.sum() == pytest.approx(1.0, rel=1e-15)
    assert np.all(np.diff(x) > 0)


# --- sums over the natural numbers ------------------------------------------------------------


def test_counting_rule_covers_8192_numbers_by_128_nodes():
    n, weights = counting_rule(32, 8)
    assert n.shape == weights.shape == (128,)
    assert weights.sum() == pytest.approx(8192, rel=1e-14)
    assert n.max() < 8191
    np.testing.assert_array_equal(n[:32], np.arange(32))
    np.testing.assert_array_equal(weights[:32], 1.0)
    assert np.all(weights > 0)
    assert np.all(np.diff(n) > 0)


@pytest.mark.parametrize("panels", [0, 1, 3, 8])
@pytest.mark.parametrize("degree", [0, 1, 2, 7, 23])
def test_counting_rule_sums_polynomials(degree, panels):
    n, weights = counting_rule(32, panels)
    last = 32 * 2**panels - 1
    plain = np.arange(last + 1) / last
    assert weights @ (n / last) ** degree == pytest.approx(np.sum(plain**degree), rel=2e-14)


@pytest.mark.parametrize("mean", [0.01, 1.0, 20.0, 100.0])
def test_counting_rule_sums_geometric_series(mean):
    n, weights = counting_rule(32, 8)
    ratio = mean / (1.0 + mean)
    p = ratio**n / (1.0 + mean)
    assert weights @ p == pytest.approx(1.0, rel=1e-14)
    assert weights @ (n * p) == pytest.approx(mean, rel=1e-13)


# --- Fourier sums -----------------------------------------------------------------------------


def cloud(count: int) -> tuple[jax.Array, jax.Array]:
    """Random amplitudes, and frequencies on and below the real axis."""
    rng = np.random.default_rng(6)
    amplitudes = rng.normal(size=count) + 1j * rng.normal(size=count)
    frequencies = rng.uniform(-3.0, 3.0, count) - 1j * rng.uniform(0.0, 0.2, count)
    return jnp.asarray(amplitudes / count), jnp.asarray(frequencies)


@jax.jit
def direct_sum(amplitudes, frequencies, grid) -> jax.Array:
    times = grid.times.astype(complex)
    return jnp.exp(-1j * times[:, None] * frequencies[None, :]) @ amplitudes


@pytest.mark.parametrize(("points", "count"), [(64, 1), (100, 50), (128, 1500), (1000, 50)])
def test_fourier_sum_is_the_direct_sum(points, count):
    grid = TimeGrid(jnp.asarray(0.1), points)
    amplitudes, frequencies = cloud(count)
    result = fourier_sum(amplitudes, frequencies, grid)
    np.testing.assert_allclose(result, direct_sum(amplitudes, frequencies, grid), atol=2e-14)


def test_fourier_sum_of_real_nodes():
    grid = TimeGrid(jnp.asarray(0.1), 64)
    amplitudes, frequencies = (part.real for part in cloud(20))
    expected = direct_sum(amplitudes.astype(complex), frequencies.astype(complex), grid)
    np.testing.assert_allclose(fourier_sum(amplitudes, frequencies, grid), expected, atol=1e-14)


def test_derivatives_of_the_fourier_sum():
    points, target = 64, jnp.asarray(np.random.default_rng(7).normal(size=64))

    def loss(sum_over_nodes, amplitudes, frequencies, step):
        values = sum_over_nodes(amplitudes, frequencies, TimeGrid(step, points))
        return jnp.sum(values.real * target)

    arguments = *cloud(1100), jnp.asarray(0.1)
    ours = jax.jit(jax.grad(lambda *x: loss(fourier_sum, *x), argnums=(0, 1, 2)))(*arguments)
    plain = jax.jit(jax.grad(lambda *x: loss(direct_sum, *x), argnums=(0, 1, 2)))(*arguments)
    for one, other in zip(ours, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-15)
