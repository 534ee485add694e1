"""Values between grid points: polynomial exactness, order, and derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.polynomial.chebyshev import chebval

from bathax.numerics import grid as uniform_grid
from bathax.numerics.grid import STENCIL, TimeGrid

interpolate = jax.jit(uniform_grid.interpolate)
GRID = TimeGrid.until(jnp.asarray(4.0), 33)
BETWEEN = jnp.asarray(np.sort(np.random.default_rng(4).uniform(0.0, 4.0, 60)))
ENDS = jnp.asarray([0.0, 1e-9, 0.03, 0.12, 3.9, 3.99, 4.0 - 1e-9, 4.0])


def polynomial(degree: int, t: jax.Array) -> np.ndarray:
    """A Chebyshev polynomial on [0, 4], of order one everywhere."""
    return chebval(np.asarray(t) / 2.0 - 1.0, np.eye(STENCIL)[degree])


def test_times_of_a_grid():
    assert GRID.step == 0.125
    np.testing.assert_array_equal(GRID.times, 0.125 * np.arange(33))


def test_grid_whose_half_ends_at_the_last_time():
    grid = TimeGrid.beyond(jnp.asarray(4.0), 34)
    assert grid.times[-2] == grid.halved.times[-1] == 4.0
    np.testing.assert_array_equal(grid.halved.times, grid.times[::2])


@pytest.mark.parametrize("degree", range(STENCIL))
def test_polynomials_are_exact(degree):
    for ts in (BETWEEN, ENDS, GRID.times):
        values = interpolate(jnp.asarray(polynomial(degree, GRID.times)), GRID, ts)
        np.testing.assert_allclose(values, polynomial(degree, ts), rtol=0, atol=1e-13)


def test_nodes_return_the_samples():
    samples = jnp.asarray(np.random.default_rng(5).normal(size=33))
    np.testing.assert_allclose(interpolate(samples, GRID, GRID.times), samples, atol=1e-15)


def test_smallest_grid_is_one_stencil():
    grid = TimeGrid.until(jnp.asarray(1.0), STENCIL)
    values = interpolate(jnp.exp(grid.times), grid, jnp.asarray([0.0, 0.43, 1.0]))
    np.testing.assert_allclose(values, np.exp([0.0, 0.43, 1.0]), rtol=1e-13)


def test_order():
    def error(points):
        grid = TimeGrid.until(jnp.asarray(4.0), points)
        values = interpolate(jnp.exp(6j * grid.times.astype(complex)), grid, BETWEEN)
        return float(np.abs(values - np.exp(6j * np.asarray(BETWEEN))).max())

    assert error(33) / error(65) > 2**11
    assert error(257) < 1e-14


def test_leading_axes_and_complex_samples():
    rows = jnp.stack([jnp.sin(GRID.times), jnp.cos(GRID.times)]).astype(complex) * 1j
    values = interpolate(rows[:, None], GRID, BETWEEN)
    assert values.shape == (2, 1, 60)
    np.testing.assert_allclose(values[:, 0].imag, [np.sin(BETWEEN), np.cos(BETWEEN)], atol=1e-12)


@pytest.mark.parametrize("ts", [BETWEEN, ENDS, GRID.times])
def test_derivative_in_time(ts):
    fine = TimeGrid.until(jnp.asarray(4.0), 129)
    samples = jnp.sin(2.0 * fine.times)
    tangents = jnp.ones_like(ts)
    in_time = jax.jit(lambda ts, dt: jax.jvp(lambda t: interpolate(samples, fine, t), (ts,), (dt,)))
    slopes = in_time(ts, tangents)[1]
    np.testing.assert_allclose(slopes, 2.0 * np.cos(2.0 * np.asarray(ts)), rtol=0, atol=1e-12)
    reverse = jax.jit(jax.grad(lambda ts: jnp.sum(interpolate(samples, fine, ts))))(ts)
    np.testing.assert_allclose(reverse, slopes, rtol=0, atol=1e-12)


def test_derivative_with_respect_to_step_and_samples():
    # Samples of t^2 at times that scale with the step.
    def value(step):
        grid = TimeGrid(step, 33)
        return jnp.sum(interpolate(grid.times**2, grid, BETWEEN))

    assert jax.jit(jax.grad(value))(0.125) == pytest.approx(0.0, abs=1e-9)
    weights = jax.jit(jax.grad(lambda y: jnp.sum(interpolate(y, GRID, BETWEEN))))(jnp.zeros(33))
    assert jnp.sum(weights) == pytest.approx(60.0)


def wave(t, height, rate):
    return height.astype(complex) * jnp.exp(-rate * t).astype(complex)


def sampled(step, height, rate):
    return uniform_grid.sampled(wave, (height, rate), TimeGrid(step, 100)).real


def test_samples_and_their_derivatives():
    numbers = jnp.array([0.02, 3.0, 0.7])
    t = 0.02 * np.arange(100)
    values = 3.0 * np.exp(-0.7 * t)
    np.testing.assert_allclose(sampled(*numbers), values, rtol=1e-15)
    slopes = np.stack([-0.7 * np.arange(100) * values, values / 3.0, -t * values], axis=1)

    def of_vector(numbers):
        return sampled(*numbers)

    for jacobian in (jax.jacfwd, jax.jacrev):
        found = jax.jit(jacobian(of_vector))(numbers)
        np.testing.assert_allclose(found, slopes, rtol=1e-14, atol=1e-14)
    batch = jax.jit(jax.vmap(jax.grad(lambda rate: sampled(numbers[0], numbers[1], rate)[50])))
    rates = jnp.array([0.5, 0.7])
    np.testing.assert_allclose(batch(rates), -3.0 * t[50] * np.exp(-rates * t[50]), rtol=1e-14)
    second = jax.jit(jax.hessian(of_vector))(numbers)
    np.testing.assert_allclose(second[:, 2, 2], t**2 * values, rtol=1e-13)
    np.testing.assert_allclose(second[:, 1, 2], -t * values / 3.0, rtol=1e-13)
