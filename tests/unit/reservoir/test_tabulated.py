"""Measured densities: what is refused, and how well a table stands for its source."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax._checks import is_valid
from bathax.numerics.grid import TimeGrid

GRID = TimeGrid(jnp.asarray(0.02), 1024)

REFUSED = [
    ([0.0, 1.0, 2.0], [0.0, 1.0], "Argument `J` must be as long as `w`, but is (2,) long."),
    (
        [0.0, 1.0],
        [0.0, 1.0],
        "Argument `w` must be a list of at least 3 frequencies, but is [0. 1.].",
    ),
    (
        [[0.0, 1.0, 2.0]],
        [[0.0, 1.0, 2.0]],
        "Argument `w` must be a list of at least 3 frequencies, but is [[0. 1. 2.]].",
    ),
    (1.0, 2.0, "Argument `w` must be a list of at least 3 frequencies, but is 1.0."),
    (
        [0.0, 2.0, 1.0],
        [0.0, 1.0, 1.0],
        "Argument `w` must be finite and increasing, but is [0. 2. 1.].",
    ),
    (
        [0.0, 1.0, 1.0],
        [0.0, 1.0, 1.0],
        "Argument `w` must be finite and increasing, but is [0. 1. 1.].",
    ),
    (
        [0.0, 1.0, np.inf],
        [0.0, 1.0, 1.0],
        "Argument `w` must be finite and increasing, but is [ 0.  1. inf].",
    ),
    (
        [0.0, 1.0, 2.0],
        [0.0, -1.0, 1.0],
        "Argument `J` must be non-negative and finite, but is [ 0. -1.  1.].",
    ),
    (
        [0.0, 1.0, 2.0],
        [0.0, np.nan, 1.0],
        "Argument `J` must be non-negative and finite, but is [ 0. nan  1.].",
    ),
]


@pytest.mark.parametrize(("w", "J", "message"), REFUSED)
def test_refused_tables(w, J, message):
    with pytest.raises(ValueError, match="Argument") as caught:
        bx.Tabulated(w, J)
    assert str(caught.value) == message


def test_bad_tables_of_a_batch_are_marked():
    w = jnp.asarray([[0.0, 1.0, 2.0], [0.0, 2.0, 1.0], [0.0, 1.0, 2.0], [0.0, 1.0, jnp.nan]])
    J = jnp.asarray([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, -1.0, 0.0], [0.0, 1.0, 0.0]])
    valid = jax.jit(jax.vmap(lambda w, J: is_valid(bx.Tabulated(w, J))))(w, J)
    np.testing.assert_array_equal(valid, [True, False, False, False])


def table_of(density, points: int) -> bx.Tabulated:
    w = np.linspace(0.0, 60.0, points)
    return bx.Tabulated(w, density(jnp.asarray(w)))


def test_fine_table_of_an_ohmic_density():
    density = bx.Ohmic(0.1, 2.0)

    @jax.jit
    def kernels(density):
        noise = density.noise_kernel(GRID, bx.BoseEinstein(1.0))
        return jnp.stack([density.memory_kernel(GRID), noise])

    exact = np.asarray(kernels(density))
    coarse, fine = (np.asarray(kernels(table_of(density, n))) for n in (301, 601))
    scale = np.abs(exact).max(axis=1)
    error, smaller = (np.abs(k - exact).max(axis=1) / scale for k in (coarse, fine))
    assert np.all(error < [3e-5, 1e-3])
    assert np.all(error / smaller > 6.0)  # the limiter costs one order at the maximum


def test_level_shift_of_a_fine_table():
    density = bx.Ohmic(0.1, 2.0)
    w = jnp.asarray([-1.0, 0.5, 3.0, 10.0, 70.0])
    shift = jax.jit(lambda density: density.level_shift(w))
    np.testing.assert_allclose(shift(table_of(density, 601)), shift(density), rtol=0, atol=2e-5)


def test_wide_gap_of_a_table_is_resolved():
    """A kernel whose last knots are far apart is that of the same curve with more knots."""
    w = np.append(np.geomspace(1e-3, 5.0, 30), 25.0)
    table = bx.Tabulated(w, w * np.exp(-w))
    nodes, weights = np.polynomial.legendre.leggauss(400)
    half = np.diff(w)[:, None] / 2
    x = (w[:-1, None] + half + half * nodes).ravel()
    masses = np.asarray(table(jnp.asarray(x))) * (half * weights).ravel()
    few = np.array([0, 50, 500, 1023])
    expected = np.exp(-0.02j * few[:, None] * x[None, :]) @ masses
    kernel = jax.jit(lambda table: table.memory_kernel(GRID))(table)
    np.testing.assert_allclose(kernel[few], expected, rtol=0, atol=1e-13)


def test_a_table_as_a_rational_function():
    density = bx.Ohmic(0.1, 2.0)
    table = table_of(density, 301)
    fitted = table.rational()
    low, high = float(table.w[0]), float(table.w[-1])
    w = jnp.linspace(low, high, 997)
    np.testing.assert_allclose(fitted(w), density(w), rtol=0, atol=1e-10)
    assert fitted(jnp.asarray(high + 1.0)) == 0.0
    assert fitted.has_thermal_state() == table.has_thermal_state()
    z = np.array([3.0 + 0.5j, -2.0, high + 1.0])
    nodes, weights = np.polynomial.legendre.leggauss(400)
    x = low + (high - low) * (nodes + 1.0) / 2.0
    masses = 0.5 * (high - low) * weights * np.asarray(fitted(jnp.asarray(x)))
    expected = (masses / (z[:, None] - x)).sum(axis=1)
    np.testing.assert_allclose(fitted.self_energy(jnp.asarray(z)), expected, rtol=0, atol=1e-13)
    # The kernels differ by no more than the area under the difference says.
    kernels = [np.asarray(density.memory_kernel(GRID)) for density in (fitted, table)]
    missed = np.trapezoid(np.abs(kernels[0] - kernels[1]), np.asarray(GRID.times))
    assert 0.1 * missed < fitted.kernel_error < 1e-3


def test_a_rough_table_is_not_made_rational():
    w = np.linspace(0.0, 10.0, 41)
    noisy = w * np.exp(-w) * np.random.default_rng(3).uniform(0.5, 1.5, 41)
    with pytest.raises(ValueError, match=r"`J` must be smooth enough for a rational function"):
        bx.Tabulated(w, noisy).rational()
    with pytest.raises(ValueError, match="`w` must be known"):
        jax.jit(lambda J: bx.Tabulated(w, J).rational())(noisy)
