"""Roots and lines of roots with implicit derivatives, against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bathax.numerics.critical import critical_line, find_critical


def cube_root(p):
    return find_critical(lambda x: x**3 - p, (0.0, 5.0))


@pytest.mark.slow
def test_root_and_its_derivatives():
    points = jnp.array([1.0, 2.0, 27.0])
    np.testing.assert_allclose(jax.jit(jax.vmap(cube_root))(points), np.cbrt(points), rtol=1e-12)
    slope = jax.vmap(jax.grad(cube_root))(points)
    np.testing.assert_allclose(slope, np.cbrt(points) / (3.0 * points), rtol=1e-11)
    second = jax.grad(jax.grad(cube_root))(2.0)
    np.testing.assert_allclose(second, -2.0 / 9.0 * 2.0 ** (-5.0 / 3.0), rtol=1e-9)


@pytest.mark.parametrize("function", [jnp.sin, lambda x: -1e-9 * jnp.sin(x)])
def test_neither_sign_nor_scale_matters(function):
    np.testing.assert_allclose(find_critical(function, (2.0, 4.0)), np.pi, rtol=1e-12)


@pytest.mark.parametrize(
    ("function", "bracket", "root"),
    [
        (jnp.log, (0.0, 5.0), 1.0),
        (lambda x: jnp.exp(20.0 * x) - 2.0, (-5.0, 5.0), np.log(2.0) / 20.0),
        (lambda x: jnp.arctan(50.0 * (x - 0.123)), (-5.0, 5.0), 0.123),
        (lambda x: x, (0.0, 1.0), 0.0),
        (lambda x: x - 1.0, (0.0, 1.0), 1.0),
        # Steeper than the bracket is narrow, and much larger at the root than at the ends.
        (lambda x: jnp.tanh(1e9 * (x - 0.3)), (0.0, 1.0), 0.3),
        (lambda x: (x - 0.1) * jnp.exp(-90.0 * (x - 0.1) ** 2), (-1.0, 1.0), 0.1),
    ],
)
def test_steep_functions_and_roots_at_an_end(function, bracket, root):
    np.testing.assert_allclose(find_critical(function, bracket), root, rtol=1e-11)


@pytest.mark.parametrize("rtol", [0.3, 1e-2, 1e-4])
def test_a_coarse_tolerance_is_met(rtol):
    root = find_critical(lambda x: jnp.exp(5.0 * x) - 7.0, (0.0, 1.0), rtol=rtol)
    np.testing.assert_allclose(root, np.log(7.0) / 5.0, atol=rtol)


@pytest.mark.parametrize(
    "function", [lambda x: 1.0 / (x - 0.3), lambda x: jnp.where(abs(x) < 0.9, jnp.nan, x)]
)
def test_without_a_root_it_is_nan(function):
    assert jnp.isnan(find_critical(function, (-1.0, 1.0)))


def test_the_program_has_the_function_once():
    program = jax.make_jaxpr(lambda p: find_critical(lambda x: jnp.sinh(x) - p, (0.0, 2.0)))(1.0)
    assert str(program).count("= sinh ") == 1


def test_brackets_are_checked():
    with pytest.raises(ValueError, match=r"`bracket` must be two increasing numbers, but is \(1"):
        find_critical(jnp.sin, (1.0, 0.5))
    with pytest.raises(ValueError, match=r"`bracket` must be where the function changes sign"):
        find_critical(jnp.sin, (1.0, 2.0))
    assert jnp.isnan(jax.jit(cube_root)(-1.0))


def test_a_closed_line_is_followed_around():
    def ellipse(p):
        return p[0] ** 2 + p[1] ** 2 / 4.0 - 1.0

    line = critical_line(ellipse, (1.0, 0.0), (0.05, 0.1), 140)
    np.testing.assert_allclose(jax.vmap(ellipse)(line), 0.0, atol=1e-14)
    # In units of the steps it is a circle of radius 20 with points at nearly equal angles.
    angles = np.unwrap(np.arctan2(line[:, 1] / 2.0, line[:, 0]))
    np.testing.assert_allclose(np.abs(np.diff(angles)), 0.05, rtol=1e-2)
    assert abs(angles[-1]) > 2.0 * np.pi
    with pytest.raises(ValueError, match="`start` must be a point"):
        critical_line(ellipse, (1.0,), (0.1, 0.1), 3)


def test_a_line_moves_with_a_parameter():
    def radius(r):
        return critical_line(lambda p: jnp.sum(p**2) - r**2, (r, 0.0), (-0.1, 0.1), 5)

    moved = jax.jacfwd(lambda r: jnp.linalg.norm(radius(r), axis=1))(2.0)
    np.testing.assert_allclose(moved, 1.0, rtol=1e-10)
