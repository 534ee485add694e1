"""Volterra equations with closed solutions, their order, derivatives and refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

from bathax.numerics import gregory, volterra
from bathax.numerics.volterra import require_regular

solve_integro_differential = jax.jit(volterra.solve_integro_differential)
solve_second_kind = jax.jit(volterra.solve_second_kind)
STOP = 10.0


def grid(points: int) -> tuple[jax.Array, jax.Array]:
    step = jnp.asarray(STOP / points)
    return (step * jnp.arange(points, dtype=float)).astype(complex), step


def constant_kernel(t, strength=1.0):
    """k = w^2: y = cos(w t)."""
    return strength**2 * jnp.ones_like(t), jnp.cos(strength * t)


def exponential_kernel(t, strength=2.0, rate=0.7 + 0.4j):
    """k = c e^{-a t}: y'' + a y' + c y = 0, y(0) = 1, y'(0) = 0."""
    strength = jnp.asarray(strength, complex)
    root = jnp.sqrt(rate**2 / 4 - strength)
    exact = jnp.exp(-rate * t / 2) * (jnp.cosh(root * t) + rate / 2 * jnp.sinh(root * t) / root)
    return strength * jnp.exp(-rate * t), exact


def ramp_kernel(t):
    """k = t: y''' = -y, the sum of exponentials over the cube roots of -1 divided by three."""
    roots = np.exp(1j * np.pi * np.array([1, 3, 5]) / 3)
    return t, sum(jnp.exp(r * t) for r in roots) / 3


INTEGRO_DIFFERENTIAL = [constant_kernel, exponential_kernel, ramp_kernel]


def oscillating(t):
    """K = e^{iwt}, f = 1: y = 1 - int e^{(iw-1)s} ds."""
    rate = 3j - 1.0
    return jnp.exp(3j * t), jnp.ones_like(t), 1.0 - (jnp.exp(rate * t) - 1.0) / rate


def forced(t):
    """K = -t, f = t: y = sinh t."""
    return -t, t, jnp.sinh(t)


def chosen(t):
    """A source made for the solution y = cos 2t with K = e^{-t}."""
    convolved = (jnp.cos(2 * t) + 2 * jnp.sin(2 * t) - jnp.exp(-t)) / 5
    return jnp.exp(-t), jnp.cos(2 * t) + convolved, jnp.cos(2 * t)


SECOND_KIND = [oscillating, forced, chosen]


def relative_error(result, exact) -> float:
    return float(jnp.abs(result - exact).max() / jnp.abs(exact).max())


def error_integro_differential(problem, points: int) -> float:
    t, step = grid(points)
    kernel, exact = problem(t)
    return relative_error(solve_integro_differential(kernel, step), exact)


def error_second_kind(problem, points: int) -> float:
    t, step = grid(points)
    kernel, source, exact = problem(t)
    return relative_error(solve_second_kind(kernel, source, step), exact)


@pytest.mark.parametrize("problem", INTEGRO_DIFFERENTIAL)
def test_integro_differential_equation(problem):
    assert error_integro_differential(problem, 512) < 1e-13


@pytest.mark.parametrize("problem", SECOND_KIND)
def test_equation_of_the_second_kind(problem):
    assert error_second_kind(problem, 512) < 1e-13


@pytest.mark.parametrize("problem", [constant_kernel, exponential_kernel])
def test_order_of_the_integro_differential_solver(problem):
    # 64 points resolve the oscillation, 128 are still far from rounding.
    coarse, fine = (error_integro_differential(problem, n) for n in (64, 128))
    assert coarse / fine > 2**10


@pytest.mark.parametrize("problem", [oscillating, chosen])
def test_order_of_the_second_kind_solver(problem):
    coarse, fine = (error_second_kind(problem, n) for n in (64, 128))
    assert coarse / fine > 2**10


@pytest.mark.parametrize("problem", [constant_kernel, exponential_kernel])
def test_derivative_with_respect_to_the_strength(problem):
    t, step = grid(256)

    def solution(strength):
        return solve_integro_differential(problem(t, strength)[0], step)

    def exact(strength):
        return problem(t, strength)[1]

    @jax.jit
    def slopes(s):
        forward = jax.jvp(solution, (s,), (1.0,))[1]
        reverse = jax.grad(lambda s: jnp.sum(solution(s).real))(s)
        return forward, reverse, jax.jvp(exact, (s,), (1.0,))[1]

    forward, reverse, expected = slopes(1.3)
    np.testing.assert_allclose(forward, expected, rtol=0, atol=1e-11)
    assert reverse == pytest.approx(float(jnp.sum(expected.real)), rel=1e-9)


def test_derivative_against_differences_around_a_circle():
    """The solution is holomorphic in a factor of the kernel: Cauchy's formula, to rounding."""
    t, step = grid(256)
    kernel = jnp.exp(-0.5 * t)

    def solution(factor):
        return solve_integro_differential(factor.astype(complex) * kernel, step)

    forward = jax.jvp(solution, (jnp.asarray(0.8),), (jnp.asarray(1.0),))[1]
    circle = np.exp(2j * np.pi * np.arange(16) / 16)
    values = jnp.stack([solution(jnp.asarray(0.8 + 0.2 * z)) for z in circle])
    np.testing.assert_allclose(forward, circle.conj() @ values / 3.2, rtol=0, atol=1e-12)


def test_batched_solutions_are_the_single_ones():
    t, step = grid(64)
    kernels = jnp.stack([constant_kernel(t)[0], exponential_kernel(t)[0]])
    batch = jax.jit(jax.vmap(volterra.solve_integro_differential, in_axes=(0, None)))(kernels, step)
    for kernel, row in zip(kernels, batch, strict=True):
        np.testing.assert_allclose(row, solve_integro_differential(kernel, step), atol=1e-13)


@pytest.mark.slow
def test_equations_for_matrices():
    """k = a e^{-Bt} c: a' = -y, a linear system whose exponential is known."""
    rng = np.random.default_rng(1)
    a, b, c = rng.normal(size=(3, 2, 2)) + 1j * rng.normal(size=(3, 2, 2))
    b = b @ b.conj().T
    t, step = grid(512)
    times = np.asarray(t.real)
    kernel = jnp.asarray(a @ expm(-b * times[:, None, None]) @ c).transpose(1, 2, 0)
    generator = np.block([[np.zeros((2, 2)), -a], [c, -b]])
    exact = expm(generator * times[:, None, None])[:, :2, :2].transpose(1, 2, 0)
    scale = np.abs(exact).max()
    np.testing.assert_allclose(solve_integro_differential(kernel, step), exact, atol=1e-12 * scale)
    # y = (1 + K)^{-1} f for a source of other columns
    source = jnp.asarray(rng.normal(size=(2, 1, 1)) + 0j) * jnp.cos(t)[None, None]
    found = solve_second_kind(kernel, source, step)
    left = found + gregory.convolve(kernel, found, step)
    np.testing.assert_allclose(left, source, atol=1e-12)


@pytest.mark.parametrize("value", [jnp.inf, jnp.nan])
def test_singular_kernel_is_refused(value):
    t, step = grid(64)
    kernel = jnp.ones_like(t).at[0].set(value)
    first = kernel[0]
    message = f"Argument `kernel` must be finite at t = 0, but is {first}."
    for solve in (
        lambda: volterra.solve_integro_differential(kernel, step),
        lambda: volterra.solve_second_kind(kernel, jnp.ones_like(t), step),
        lambda: require_regular(kernel),
    ):
        with pytest.raises(ValueError, match="kernel") as caught:
            solve()
        assert str(caught.value) == message
    traced = solve_second_kind(kernel, jnp.ones_like(t), step)
    assert jnp.isnan(traced[-1])
