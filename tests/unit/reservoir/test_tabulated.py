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
        "Argument `w` must be increasing (sort `w`, and J with it), but is 1 at index 2.",
    ),
    (
        [0.0, 1.0, 1.0],
        [0.0, 1.0, 1.0],
        "Argument `w` must be increasing (sort `w`, and J with it), but is 1 at index 2.",
    ),
    (
        [0.0, 1.0, np.inf],
        [0.0, 1.0, 1.0],
        "Argument `w` must be finite, but is inf at index 2.",
    ),
    (
        [0.0, 1.0, 2.0],
        [0.0, -1.0, 1.0],
        "Argument `J` must be non-negative (`Tabulated.from_noisy` smooths a measured J), but is "
        "-1 at index 1.",
    ),
    (
        [0.0, 1.0, 2.0],
        [0.0, np.nan, 1.0],
        "Argument `J` must be finite, but is nan at index 1.",
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_table_as_a_rational_function():
    density = bx.Ohmic(0.1, 2.0)
    table = table_of(density, 301)
    fitted = table.rational()
    low, high = float(table.w[0]), float(table.w[-1])
    w = jnp.linspace(low, high, 997)
    np.testing.assert_allclose(fitted(w), density(w), rtol=0, atol=1e-10)
    assert fitted(jnp.asarray(high + 1.0)) == 0.0
    zero = jnp.zeros(())
    assert fitted.has_thermal_state(zero) == table.has_thermal_state(zero)
    z = np.array([3.0 + 0.5j, -2.0, high + 1.0])
    nodes, weights = np.polynomial.legendre.leggauss(400)
    x = low + (high - low) * (nodes + 1.0) / 2.0
    masses = 0.5 * (high - low) * weights * np.asarray(fitted(jnp.asarray(x)))
    expected = (masses / (z[:, None] - x)).sum(axis=1)
    np.testing.assert_allclose(fitted.self_energy(jnp.asarray(z)), expected, rtol=0, atol=1e-13)
    # The kernel differs from that of the source by about what the estimate says.
    kernels = [np.asarray(density.memory_kernel(GRID)) for density in (fitted, density)]
    missed = np.trapezoid(np.abs(kernels[0] - kernels[1]), np.asarray(GRID.times))
    assert 0.1 * missed < fitted.kernel_error < 1e-8


@pytest.mark.slow
@pytest.mark.parametrize(("points", "most"), [(21, 0.1), (41, 1e-3), (61, 1e-6)])
def test_what_a_rational_function_misses(points, most):
    r"""\int |dg| dt against the source, of tables from too coarse to fine."""
    density = bx.Ohmic(0.1, 2.0)
    fitted = table_of(density, points).rational()
    w, step = np.linspace(0.0, 60.0, 2001, retstep=True)
    missed = np.asarray(fitted(jnp.asarray(w)) - density(jnp.asarray(w))) * step
    missed[[0, -1]] /= 2.0
    ts = np.linspace(0.0, 2.0 * np.pi * (points - 1) / 60.0, 1024)
    area = np.trapezoid(np.abs(np.exp(-1j * np.outer(ts, w)) @ missed), ts)
    assert 0.1 * area < fitted.kernel_error < most


def test_no_weight_below_zero_is_no_obstacle_to_a_temperature():
    """Zeros at w < 0 are no modes: n(w) counts from w = 0 on."""
    table = bx.Tabulated([-2.0, -1.0, 0.0, 1.0, 2.0, 4.0], [0.0, 0.0, 0.0, 1.0, 0.5, 0.0])
    assert table.lower == 0.0
    noise = jax.jit(lambda table: bx.Reservoir(table, 1.5).noise_kernel(GRID))(table)
    nodes, weights = np.polynomial.legendre.leggauss(60)
    w = (np.array([0.0, 1.0, 2.0, 3.0])[:, None] + (nodes + 1.0) / 2.0).ravel()
    masses = np.asarray(table(w)) * np.tile(weights / 2.0, 4) / np.expm1(w / 1.5)
    expected = np.exp(-1j * np.outer(GRID.times, w)) @ masses
    np.testing.assert_allclose(noise, expected, rtol=0, atol=1e-12)
    below = bx.Tabulated([-1.0, -0.5, 1.0, 2.0], [0.0, 0.0, 1.0, 0.0])
    with pytest.raises(ValueError, match="weight at w <= 0"):
        bx.Cavity(1.0, bx.Reservoir(below, 1.5))


def test_every_second_point():
    table = bx.Tabulated(np.arange(6.0), np.arange(6.0), 0.1 * np.arange(6.0)).thinned()
    np.testing.assert_array_equal(table.w, [0.0, 2.0, 4.0, 5.0])
    np.testing.assert_array_equal(table.error, 0.1 * table.w)


# --- measured points with noise -----------------------------------------------------------------

NOISY = np.linspace(0.0, 25.0, 200)
SOURCE = bx.Ohmic(0.1, 5.0)


def noisy(seed: int) -> np.ndarray:
    return np.asarray(SOURCE(NOISY)) + 0.02 * np.random.default_rng(seed).normal(size=200)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_noisy_table_is_smoothed(seed):
    """It is off by a few of its standard errors, which are far below those of the points."""
    table = bx.Tabulated.from_noisy(NOISY, noisy(seed))
    assert 0.002 < np.median(table.error) < 0.008
    off = np.asarray(table.J - SOURCE(NOISY))[1:] / np.asarray(table.error)[1:]
    assert 0.3 < np.sqrt(np.mean(off**2)) < 2.0
    assert table.J[0] == 0.0
    fitted = table.rational()
    assert len(fitted.fractions.centers) < 20
    np.testing.assert_allclose(fitted(NOISY), SOURCE(NOISY), rtol=0, atol=0.03)


def test_errors_and_order_of_noisy_points():
    """Only ratios of errors count, and the order of the points does not."""
    errors = np.linspace(0.5, 2.0, 200)
    first = bx.Tabulated.from_noisy(NOISY, noisy(0), errors)
    again = bx.Tabulated.from_noisy(NOISY[::-1], noisy(0)[::-1], 3.0 * errors[::-1])
    np.testing.assert_allclose(again.J, first.J, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(again.error, first.error, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("w", "J", "words"),
    [
        ([0.0, 1.0, 2.0], [0.0, 1.0, 0.0], "`w` must be a list of at least 5 frequencies"),
        (NOISY, NOISY[1:], "`J` must be as long as `w`"),
        (NOISY, np.nan * NOISY, "`J` must be finite, but is nan at index 0"),
        (np.round(NOISY), NOISY, "`w` must be finite and all different, but is 0 at index 1"),
    ],
)
def test_noisy_points_that_are_refused(w, J, words):
    with pytest.raises(ValueError, match=words):
        bx.Tabulated.from_noisy(w, J)


def test_a_rough_table_is_not_made_rational():
    w = np.linspace(0.0, 10.0, 41)
    noisy = w * np.exp(-w) * np.random.default_rng(3).uniform(0.5, 1.5, 41)
    with pytest.raises(ValueError, match=r"rough: the fit has 11 poles among the points"):
        bx.Tabulated(w, noisy).rational()
    with pytest.raises(ValueError, match="`w` must be known"):
        jax.jit(lambda J: bx.Tabulated(w, J).rational())(noisy)
