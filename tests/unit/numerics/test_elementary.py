"""Powers and phase factors against mpmath, and their derivatives."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from bathax.numerics import elementary
from bathax.numerics.elementary import damped_power, horner

power, phase_factor = jax.jit(elementary.power), jax.jit(elementary.phase_factor)
BASES = np.array([1.0, 0.3 - 2.0j, 1e-3 + 1e-3j, 1.0 + 1e5j, 7.0 - 0.1j])
ANGLES = np.concatenate([np.linspace(-20.0, 20.0, 161), np.pi / 2 * np.arange(-5, 6), [999999.7]])


def test_horner():
    assert horner([1.0, -2.0, 3.0], jnp.asarray(2.0)) == 9.0


@pytest.mark.parametrize("exponent", [-3.5, -1.0, 0.0, 0.5, 2.0])
def test_power_agrees_with_mpmath(exponent):
    exact = np.array([complex(mpmath.power(mpmath.mpmathify(w), exponent)) for w in BASES])
    result = power(jnp.asarray(BASES), jnp.asarray(exponent))
    assert np.abs(result / exact - 1.0).max() < 1e-14


def test_derivatives_of_the_power():
    w, s = jnp.asarray(BASES), jnp.asarray(-1.7)
    by_base = jax.jvp(lambda w: power(w, s), (w,), (jnp.ones_like(w),))[1]
    by_exponent = jax.jvp(lambda s: power(w, s), (s,), (jnp.ones_like(s),))[1]
    np.testing.assert_allclose(by_base, s * BASES**-2.7, rtol=1e-13)
    np.testing.assert_allclose(by_exponent, np.log(BASES) * BASES**-1.7, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("s", [0.5, 1.0, 2.7])
def test_damped_power_and_its_derivatives_agree_with_mpmath(s):
    x = np.array([1.0, 0.3 - 2.0j, 1e-6 - 1e-6j, 7.0 - 0.1j, 30.0 - 40.0j])
    points, exponent = jnp.asarray(x), jnp.asarray(s)

    def exact(order, z):
        value = mpmath.mpmathify(z) ** s * mpmath.exp(-mpmath.mpmathify(z))
        rates = [1, s / mpmath.mpmathify(z) - 1, mpmath.log(mpmath.mpmathify(z))]
        return complex(value * rates[order])

    by_x = jax.jvp(lambda x: damped_power(x, exponent), (points,), (jnp.ones_like(points),))
    by_s = jax.jvp(lambda s: damped_power(points, s), (exponent,), (jnp.ones(()),))
    for order, found in enumerate([by_x[0], by_x[1], by_s[1]]):
        expected = np.array([exact(order, z) for z in x])
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-300)
    real = damped_power(jnp.asarray(2.0), exponent)
    assert real.dtype == float
    assert float(real) == pytest.approx(exact(0, 2.0).real, rel=1e-15)


ON_THE_CUT = [-1.0, complex(-1.0, -0.0), -1e-9 + 1e-18j, -1e-9 - 1e-18j]
EXTREME = [1e-200, 1e-160 - 1e-155j, -1e300 + 1e299j]
POINTS = np.array([1.0, 1j, -2j, 3.0 - 4.0j, 1.0 - 1e-9j, *ON_THE_CUT, *EXTREME])


@pytest.mark.parametrize("name", ["square_root", "logarithm"])
def test_roots_and_logarithms_agree_with_numpy(name):
    """On both sides of the cut, with derivatives."""
    ours, numpys = getattr(elementary, name), {"square_root": np.sqrt, "logarithm": np.log}[name]
    values, slopes = jax.jit(lambda w: jax.jvp(ours, (w,), (jnp.ones_like(w),)))(POINTS)
    np.testing.assert_allclose(values, numpys(POINTS), rtol=1e-15, atol=1e-16)
    expected = {"square_root": 0.5 / np.sqrt(POINTS), "logarithm": 1.0 / POINTS}[name]
    np.testing.assert_allclose(slopes[:-3], expected[:-3], rtol=1e-14)
    assert elementary.square_root(jnp.zeros((), complex)) == 0.0


def test_reciprocal_and_its_slope():
    w = jnp.asarray([1.0, -2.0j, 3.0 - 4.0j, 1e-100 + 1e-140j, -1e140 + 1e139j], complex)
    found, slope = jax.jvp(elementary.reciprocal, (w,), (jnp.ones_like(w),))
    np.testing.assert_allclose(found, 1.0 / np.asarray(w), rtol=1e-15)
    np.testing.assert_allclose(slope[:3], -1.0 / np.asarray(w)[:3] ** 2, rtol=1e-15)


def test_phase_factor_agrees_with_mpmath():
    exact = np.array([complex(mpmath.expj(mpmath.mpf(x))) for x in ANGLES])
    np.testing.assert_allclose(phase_factor(ANGLES), exact, rtol=0, atol=3e-16)


def test_derivative_of_the_phase_factor():
    slopes = jax.jvp(phase_factor, (jnp.asarray(ANGLES),), (jnp.ones(ANGLES.shape),))[1]
    np.testing.assert_array_equal(slopes, 1j * phase_factor(ANGLES))
