"""Special functions against mpmath, region by region, and their derivatives against formulae.

Every region has the same number of points, so that each function compiles once.
"""

from collections.abc import Callable, Iterable

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from bathax.numerics.special import (
    bessel_j1,
    expint1,
    hurwitz_zeta,
    jinc,
    scaled_expint1,
)

SIZE = 40


@pytest.fixture(autouse=True)
def _thirty_digits():
    with mpmath.workdps(30):
        yield


def exact(value: complex) -> mpmath.mpc:
    return mpmath.mpc(value.real, value.imag)


def relative_error(values: jax.Array, references: Iterable) -> float:
    pairs = zip(np.asarray(values), references, strict=True)
    return max(float(abs(exact(v) - r) / abs(r)) for v, r in pairs)


def absolute_error(values: jax.Array, references: Iterable) -> float:
    pairs = zip(np.asarray(values), references, strict=True)
    return max(float(abs(mpmath.mpf(float(v)) - r)) for v, r in pairs)


def slope(function: Callable, x: np.ndarray) -> jax.Array:
    """The elementwise derivative of a holomorphic function."""
    return jax.jvp(function, (jnp.asarray(x),), (jnp.ones_like(x),))[1]


# --- exponential integral -------------------------------------------------------------------


def exact_e1(z: complex) -> mpmath.mpc:
    if z.imag == 0.0 and z.real < 0.0:
        side = float(np.copysign(1.0, z.imag))
        return mpmath.mpc(-mpmath.ei(mpmath.mpf(-z.real)), -side * mpmath.pi)
    # Near the cut mpmath cancels digits of its own.
    with mpmath.workdps(60):
        return mpmath.e1(exact(z))


def exact_scaled(z: complex) -> mpmath.mpc:
    return mpmath.exp(exact(z)) * exact_e1(z)


def e1_points(region: str) -> np.ndarray:
    rng = np.random.default_rng(1)
    q = np.append(
        10.0 ** rng.uniform(-8, np.log10(60), SIZE - 5), [1e-8, 0.3725, 39.999, 40.001, 60.0]
    )
    angle, edge = rng.uniform(-np.pi, np.pi, SIZE), rng.uniform(-39.0, 2.0, SIZE)
    border = edge + 1j * np.sqrt(16.0 - 8.0 * edge) * rng.choice([-1, 1], edge.size)
    return {
        "above the cut": np.array([complex(-x, 0.0) for x in q]),
        "below the cut": np.array([complex(-x, -0.0) for x in q]),
        "near the cut": -q + 1j * rng.choice([-1, 1], q.size) * 10.0 ** rng.uniform(-14, 0, q.size),
        "positive": q + 0j,
        "everywhere": 10.0 ** rng.uniform(-10, np.log10(600), SIZE) * np.exp(1j * angle),
        "inside the parabola": border * 0.999,
        "outside the parabola": border * 1.001,
        "inside the circle": 39.999 * np.exp(1j * angle),
        "outside the circle": 40.001 * np.exp(1j * angle),
    }[region]


E1_REGIONS = (
    "above the cut",
    "below the cut",
    "near the cut",
    "positive",
    "everywhere",
    "inside the parabola",
    "outside the parabola",
    "inside the circle",
    "outside the circle",
)


@pytest.mark.parametrize("region", E1_REGIONS)
def test_expint1_agrees_with_mpmath(region):
    z = e1_points(region)
    assert relative_error(expint1(z), map(exact_e1, z)) < 1e-14
    assert relative_error(scaled_expint1(z), map(exact_scaled, z)) < 1e-14


@pytest.mark.parametrize("region", E1_REGIONS)
def test_derivatives_of_expint1(region):
    z = e1_points(region)
    points = [exact(v) for v in z]
    values = [exact_scaled(v) for v in z]
    first = [f - 1 / p for f, p in zip(values, points, strict=True)]
    second = [f + 1 / p**2 for f, p in zip(first, points, strict=True)]
    assert relative_error(slope(expint1, z), [-mpmath.exp(-p) / p for p in points]) < 1e-14
    assert relative_error(slope(scaled_expint1, z), first) < 2e-13
    assert relative_error(slope(lambda z: slope(scaled_expint1, z), z), second) < 5e-12


@pytest.mark.parametrize("side", [0.0, -0.0])
def test_imaginary_part_on_the_cut(side):
    q = np.resize([1e-8, 0.3725, 5.0, 38.0, 41.0, 60.0], SIZE)
    z = np.array([complex(-x, side) for x in q])
    half_turn = -np.copysign(np.pi, side)
    np.testing.assert_allclose(expint1(z).imag, half_turn, rtol=1e-15)
    np.testing.assert_allclose(scaled_expint1(z).imag, half_turn * np.exp(-q), rtol=1e-14)


def test_real_argument_is_on_the_upper_side():
    q = np.linspace(0.1, 50.0, SIZE)
    np.testing.assert_allclose(expint1(-q).imag, -np.pi, rtol=1e-15)


def test_expint1_far_from_the_origin():
    far = np.resize([1e5, 1e300, -715.0, -800 + 1j, -1e5 + 3j, -1e300 + 1e300j, 1e200j], SIZE)
    deviation = np.abs(far * np.asarray(scaled_expint1(far)) - 1.0)
    assert (deviation < 2.0 / np.abs(far) + 1e-15).all()
    values = expint1(far)
    assert not jnp.isnan(values).any()
    assert values[0] == 0.0
    assert jnp.isfinite(values[2])
    assert jnp.isinf(values[3])


def test_expint1_in_reverse_mode():
    z = e1_points("everywhere")
    reverse = jax.vmap(jax.grad(scaled_expint1, holomorphic=True))(z)
    np.testing.assert_allclose(reverse, slope(scaled_expint1, z), rtol=1e-14)
    assert jax.grad(lambda x: expint1(x).real)(2.0) == pytest.approx(-np.exp(-2.0) / 2.0)


# --- Hurwitz zeta function ------------------------------------------------------------------

ZETA_REGIONS = ("real", "moderate", "large")


def zeta_points(region: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    s = np.concatenate([rng.uniform(1.05, 5.0, SIZE - 5), [1.5, 2.0, 3.0, 4.0, 5.0]])
    real = 1.0 + np.where(rng.random(SIZE) < 0.5, 0.0, 10.0 ** rng.uniform(-2, 2, SIZE))
    imaginary = {
        "real": np.zeros(SIZE),
        "moderate": rng.uniform(-10.0, 10.0, SIZE),
        "large": rng.choice([-1, 1], SIZE) * 10.0 ** rng.uniform(1, 6, SIZE),
    }[region]
    return s, real + 1j * imaginary


def exact_zeta(s: np.ndarray, a: np.ndarray, derivative: int = 0) -> list:
    pairs = zip(s, a, strict=True)
    return [mpmath.zeta(mpmath.mpf(float(x)), exact(y), derivative) for x, y in pairs]


@pytest.mark.parametrize("region", ZETA_REGIONS)
def test_hurwitz_zeta_agrees_with_mpmath(region):
    s, a = zeta_points(region)
    assert relative_error(hurwitz_zeta(s, a), exact_zeta(s, a)) < 1e-14


@pytest.mark.parametrize("region", ZETA_REGIONS)
def test_derivatives_of_hurwitz_zeta(region):
    s, a = zeta_points(region)
    shifted = exact_zeta(s + 1.0, a)
    by_a = [-mpmath.mpf(float(x)) * z for x, z in zip(s, shifted, strict=True)]
    assert relative_error(slope(lambda a: hurwitz_zeta(s, a), a), by_a) < 2e-14
    assert relative_error(slope(lambda s: hurwitz_zeta(s, a), s), exact_zeta(s, a, 1)) < 2e-14


@pytest.mark.slow
def test_second_derivatives_of_hurwitz_zeta():
    s, a = zeta_points("moderate")
    twice_a = np.asarray(slope(lambda a: slope(lambda a: hurwitz_zeta(s, a), a), a))
    np.testing.assert_allclose(twice_a / (s * (s + 1.0)), hurwitz_zeta(s + 2.0, a), rtol=1e-13)
    twice_s = slope(lambda s: slope(lambda s: hurwitz_zeta(s, a), s), s)
    assert relative_error(twice_s, exact_zeta(s, a, 2)) < 1e-13


def test_hurwitz_zeta_obeys_its_recurrence():
    s, a = zeta_points("moderate")
    np.testing.assert_allclose(
        hurwitz_zeta(s, a), a**-s + hurwitz_zeta(s, a + 1.0), rtol=1e-13, atol=1e-15
    )


def test_hurwitz_zeta_broadcasts_and_maps():
    s, a = np.array([2, 3]), zeta_points("moderate")[1]
    table = hurwitz_zeta(s[:, None], a)
    assert table.shape == (2, a.size)
    mapped = jax.jit(jax.vmap(hurwitz_zeta, in_axes=(0, None)))(s, a)
    np.testing.assert_allclose(mapped, table, rtol=1e-14)


def test_hurwitz_zeta_in_reverse_mode():
    a = zeta_points("moderate")[1]

    def total(s, shift):
        return jnp.sum(hurwitz_zeta(s, a + shift).real)

    by_s, by_a = jax.grad(total, argnums=(0, 1))(2.5, 0.5)
    s = np.full(a.size, 2.5)
    expected_s = float(mpmath.re(mpmath.fsum(exact_zeta(s, a + 0.5, 1))))
    expected_a = -2.5 * float(mpmath.re(mpmath.fsum(exact_zeta(s + 1.0, a + 0.5))))
    assert by_s == pytest.approx(expected_s, rel=1e-13)
    assert by_a == pytest.approx(expected_a, rel=1e-13)


# --- Bessel functions -----------------------------------------------------------------------

BESSEL_REGIONS = ("tiny", "recursion", "border", "Hankel", "far")


def bessel_points(region: str) -> np.ndarray:
    rng = np.random.default_rng(3)
    return {
        "tiny": 10.0 ** rng.uniform(-12, 0, SIZE),
        "recursion": rng.uniform(0.0, 25.0, SIZE),
        "border": np.append(rng.uniform(24.0, 26.0, SIZE - 2), [np.nextafter(25.0, 0.0), 25.0]),
        "Hankel": rng.uniform(25.0, 100.0, SIZE),
        "far": 10.0 ** rng.uniform(2, 6, SIZE),
    }[region]


@pytest.mark.parametrize("region", BESSEL_REGIONS)
def test_bessel_functions_agree_with_mpmath(region):
    x = bessel_points(region)
    points = [mpmath.mpf(float(v)) for v in x]
    j0, j1, j2 = ([mpmath.besselj(n, p) for p in points] for n in range(3))
    assert absolute_error(bessel_j1(x), j1) < 1e-15
    assert absolute_error(jinc(x), [2 * j / p for j, p in zip(j1, points, strict=True)]) < 1e-15
    slopes = [a - b / p for a, b, p in zip(j0, j1, points, strict=True)]
    assert absolute_error(slope(bessel_j1, x), slopes) < 1e-15
    slopes = [-2 * j / p for j, p in zip(j2, points, strict=True)]
    assert absolute_error(slope(jinc, x), slopes) < 1e-15


def test_jinc_keeps_its_relative_accuracy_near_zero():
    x = bessel_points("tiny")
    slopes = [-mpmath.mpf(v) / 4 * mpmath.hyp0f1(3, -(mpmath.mpf(v) ** 2) / 4) for v in x.tolist()]
    assert relative_error(slope(jinc, x), slopes) < 1e-15


def test_bessel_functions_at_zero_and_parity():
    x = np.linspace(0.0, 60.0, SIZE)
    assert jinc(x)[0] == 1.0
    assert bessel_j1(x)[0] == 0.0
    assert slope(jinc, x)[0] == 0.0
    assert slope(bessel_j1, x)[0] == 0.5
    np.testing.assert_array_equal(jinc(-x), jinc(x))
    np.testing.assert_array_equal(bessel_j1(-x), -bessel_j1(x))


@pytest.mark.parametrize("function", [jinc, bessel_j1])
def test_bessel_functions_in_reverse_mode_and_mapped(function):
    x = np.linspace(0.0, 60.0, SIZE)
    reverse = jax.vmap(jax.grad(function))(x)
    np.testing.assert_allclose(reverse, slope(function, x), rtol=1e-14, atol=1e-16)


def test_second_derivative_of_bessel_j1_obeys_its_equation():
    x = np.linspace(1.0, 60.0, SIZE)
    first = slope(bessel_j1, x)
    second = slope(lambda x: slope(bessel_j1, x), x)
    np.testing.assert_allclose(
        second + first / x + (1.0 - x**-2) * bessel_j1(x), np.zeros(SIZE), atol=1e-15
    )
