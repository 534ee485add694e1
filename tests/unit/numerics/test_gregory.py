"""Gregory's rule: exact on polynomials at every point, order 11 on smooth functions."""

from collections.abc import Callable
from math import factorial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bathax.numerics import gregory
from bathax.numerics.gregory import ORDER, bernoulli_numbers, end_corrections

integrate, convolve = jax.jit(gregory.integrate), jax.jit(gregory.convolve)

STEP = jnp.asarray(0.25)
DEGREES = range(ORDER)


def times(points: int) -> jax.Array:
    return STEP * jnp.arange(points, dtype=float)


def wave(points: int, frequency: complex) -> tuple[jax.Array, jax.Array]:
    """e^{z t} on [0, 8], and the step."""
    step = jnp.asarray(8.0 / points)
    return jnp.exp(frequency * (step * jnp.arange(points + 1, dtype=float)).astype(complex)), step


def test_bernoulli_numbers():
    values = [float(b) for b in bernoulli_numbers(9)]
    assert values == pytest.approx([1, -1 / 2, 1 / 6, 0, -1 / 30, 0, 1 / 42, 0, -1 / 30])


def test_corrections_of_the_trapezoidal_sum():
    assert end_corrections().sum() == pytest.approx(0.5, abs=1e-13)


@pytest.mark.parametrize("degree", DEGREES)
def test_integral_of_a_polynomial_is_exact_at_every_point(degree):
    t = times(40)
    # 1 - t at the far end keeps the powers of order one everywhere.
    expected = (1.0 - (1.0 - t / 5) ** (degree + 1)) * 5 / (degree + 1)
    np.testing.assert_allclose(
        integrate((1.0 - t / 5) ** degree, STEP), expected, rtol=0, atol=2e-13
    )


@pytest.mark.parametrize("points", [ORDER, 2 * ORDER, 70])
def test_integral_of_complex_samples_of_any_number(points):
    t = times(points)
    samples = (1.0 + 2.0j) * t.astype(complex) ** 3
    np.testing.assert_allclose(integrate(samples, STEP), (0.25 + 0.5j) * np.asarray(t) ** 4, 1e-12)


@pytest.mark.parametrize("a", DEGREES)
@pytest.mark.parametrize("b", [0, 4, 9])
def test_convolution_of_polynomials_is_exact(a, b):
    # At the first points for each polynomial alone, later for the degree of their product.
    exact = 40 if a + b < ORDER else ORDER
    t = times(40).astype(complex) / 10.0
    beta = factorial(a) * factorial(b) / factorial(a + b + 1)
    result = convolve(t**a, t**b, STEP) / 10.0
    error = result - beta * t ** (a + b + 1)
    assert jnp.abs(error[:exact]).max() < 1e-14


def test_convolution_of_matrices_is_the_sum_over_their_elements():
    t = times(64).astype(complex)
    k = jnp.stack([jnp.stack([jnp.exp(-t), t]), jnp.stack([jnp.cos(t), jnp.ones_like(t)])])
    f = jnp.stack([jnp.exp(2j * t), t**2])[:, None]
    found = convolve(k, f, STEP)
    for i in range(2):
        expected = sum(convolve(k[i, j], f[j, 0], STEP) for j in range(2))
        np.testing.assert_allclose(found[i, 0], expected, atol=1e-13)


def order_of(error: Callable[[int], float]) -> float:
    return float(np.log2(error(64) / error(128)))


def test_order_of_the_integral():
    def error(points):
        samples, step = wave(points, 4j)
        return np.abs(integrate(samples, step) - (samples - 1.0) / 4j).max()

    assert 10.5 < order_of(error) < 12.5
    assert error(512) < 1e-13


def test_order_of_the_convolution():
    def error(points):
        kernel, step = wave(points, 3j)
        f, _ = wave(points, -2.5j)
        exact = (kernel - f) / 5.5j
        return np.abs(convolve(kernel, f, step) - exact).max()

    assert 10.5 < order_of(error) < 12.5
    assert error(512) < 1e-13


def test_both_are_linear_maps_under_jit_vmap_and_grad():
    samples, step = wave(64, 2j)
    pair = jnp.stack([samples, samples.conj()])
    mapped = jax.jit(jax.vmap(integrate, in_axes=(0, None)))(pair, step)
    np.testing.assert_allclose(mapped[1], integrate(pair[1], step), atol=1e-14)
    slope = jax.grad(lambda s: integrate(s * samples, step)[-1].real)(1.0 + 0j)
    assert slope.real == pytest.approx(float(integrate(samples, step)[-1].real), rel=1e-13)
    by_step = jax.grad(lambda h: convolve(pair[0], samples, h)[-1].real)(step)
    expected = convolve(pair[0], samples, step)[-1].real / step
    assert by_step == pytest.approx(float(expected), rel=1e-12)


def test_damped_integral():
    """int_0^t cos(s) e^{a (s - t)} ds, also where e^{a t} itself would overflow."""
    t = jnp.linspace(0.0, 40.0, 4097)
    damped = jax.jit(gregory.integrate_damped)
    for rate in (0.3, 25.0):
        ours = damped(jnp.cos(t), rate * t, t[1])
        closed = (rate * jnp.cos(t) + jnp.sin(t) - rate * jnp.exp(-rate * t)) / (rate**2 + 1.0)
        np.testing.assert_allclose(ours, closed, rtol=0, atol=1e-10)
    undamped = damped(jnp.cos(t), jnp.zeros_like(t), t[1])
    np.testing.assert_allclose(undamped, integrate(jnp.cos(t), t[1]), atol=1e-12)


def test_running_weights_are_the_running_integral():
    samples, step = wave(40, 1j)
    weights = gregory.running_weights(41)
    np.testing.assert_allclose(step * (weights @ samples.real), integrate(samples.real, step))
    assert jnp.all(jnp.triu(weights, 1)[ORDER:] == 0.0)
