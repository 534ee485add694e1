"""Derivatives of kernels and self-energies with respect to every parameter."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.numerics.grid import TimeGrid

from .densities import HEIGHTS, KNOTS, PROBLEMS

GRID = TimeGrid(jnp.asarray(0.1), 64)
Z = jnp.asarray([-0.5 + 0j, 0.9 + 0.4j, 4.0 + 1.0j])
STENCIL = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}


def central_difference(f: Callable, x: np.ndarray, i: int) -> np.ndarray:
    """The derivative along parameter i, with an error of order 8 in the step."""
    step = 0.01 * np.abs(x[i]) * np.eye(len(x))[i]
    return (
        np.asarray(sum(c * (f(x + k * step) - f(x - k * step)) for k, c in STENCIL.items()))
        / step[i]
    )


class Compiled(NamedTuple):
    """All a density gives as a function of its parameters and the temperature, and derivatives.

    First the memory kernel, then the noise kernel, both after t = 0, then the self-energy.
    """

    values: Callable
    jacobian: Callable
    gradient: Callable


@cache
def compiled(name: str) -> Compiled:
    problem = PROBLEMS[name]

    def values(x):
        density, filling = problem.make(*x[:-1]), x[-1]
        occupation = bx.BoseEinstein(filling) if problem.is_thermal else bx.Uniform(filling)
        noise = density.noise_kernel(GRID, occupation)[1:]
        self_energy = density.self_energy(Z[0 if problem.is_thermal else 1 :])
        return jnp.concatenate([density.memory_kernel(GRID)[1:], noise, self_energy])

    def total(x):
        return jnp.sum(values(x).real) + 2.0 * jnp.sum(values(x).imag)

    return Compiled(jax.jit(values), jax.jit(jax.jacfwd(values)), jax.jit(jax.grad(total)))


def point(name: str, filling: float) -> np.ndarray:
    return np.array([*PROBLEMS[name].parameters, filling])


@pytest.mark.slow
@pytest.mark.parametrize("name", PROBLEMS)
def test_derivatives_against_differences(name):
    values, jacobian, _ = compiled(name)
    x = point(name, 1.3)
    exact = np.asarray(jacobian(x))
    for i in range(len(x)):
        difference = central_difference(values, x, i)
        for part in (slice(63), slice(63, 126), slice(126, None)):
            error = np.abs(exact[part, i] - difference[part]).max()
            assert error <= 1e-9 * np.abs(difference[part]).max(), (i, part)


@pytest.mark.slow
@pytest.mark.parametrize("name", PROBLEMS)
def test_reverse_mode_agrees_with_forward_mode(name):
    x = point(name, 1.3)
    forward = np.asarray(compiled(name).jacobian(x)).sum(axis=0)
    expected = forward.real + 2.0 * forward.imag
    np.testing.assert_allclose(compiled(name).gradient(x), expected, rtol=1e-11, atol=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n, p in PROBLEMS.items() if p.is_thermal])
@pytest.mark.parametrize("temperature", [0.0, 1e-6, 1e3])
def test_derivatives_at_the_ends_of_the_temperature_scale(name, temperature):
    x = point(name, temperature)
    jacobian = np.asarray(compiled(name).jacobian(x))
    assert np.isfinite(jacobian).all()
    assert np.isfinite(compiled(name).gradient(x)).all()
    noise, slope = compiled(name).values(x)[63:126], jacobian[63:126]
    if temperature == 0.0:
        np.testing.assert_array_equal(noise, 0.0)
        np.testing.assert_array_equal(slope, 0.0)
    if temperature == 1e3:  # g~ is nearly proportional to T
        np.testing.assert_allclose(slope[:, -1], noise / 1e3, atol=1e-2 * np.abs(slope[0, -1]))


@pytest.mark.slow
@pytest.mark.parametrize("field", ["w", "J"])
def test_derivatives_with_respect_to_a_table(field):
    table = {"w": jnp.asarray(KNOTS), "J": jnp.asarray(HEIGHTS)}
    direction = np.random.default_rng(11).uniform(0.5, 1.0, KNOTS.shape)
    direction *= {"w": 0.1 * KNOTS, "J": HEIGHTS}[field]

    @jax.jit
    def values(size):
        moved = table | {field: table[field] + size * direction}
        density = bx.Tabulated(**moved)
        noise = density.noise_kernel(GRID, bx.BoseEinstein(1.0))
        shift = density.level_shift(jnp.asarray([0.7, 2.2, 7.0]))
        return jnp.concatenate([density.memory_kernel(GRID).real, noise.imag, shift])

    exact = jax.jvp(values, (0.0,), (1.0,))[1]
    difference = sum(c * (values(1e-3 * k) - values(-1e-3 * k)) for k, c in STENCIL.items()) / 1e-3
    np.testing.assert_allclose(exact, difference, rtol=1e-8, atol=1e-10)
