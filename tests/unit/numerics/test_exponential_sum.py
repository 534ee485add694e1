"""Integrals of sums of exponentials against closed forms and quadrature."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from scipy.integrate import quad

from bathax.numerics.exponential_sum import ExponentialSum, Terms, convolution, overlap
from bathax.numerics.quadrature import half_line

TS = jnp.array([0.3, 1.0, 4.0])


def power_law(edge, exponent, angle, branch, count=256):
    """int_e dz (z - e)^s exp(-(z - e) - izt) along a line, Gamma(s+1) e^{-iet} / (1 + it)^(s+1)."""
    r, dr = (jnp.asarray(part, complex) for part in half_line(5.0, count))
    along = jnp.exp(-1j * jnp.asarray(angle, complex))
    x = along * r
    power = jnp.exp(exponent * jnp.log(x))
    return Terms(edge + x, along * dr * power * jnp.exp(-x), branch)


def pole(*pairs):
    z, a = np.array(pairs, complex).reshape(-1, 2).T
    return Terms(jnp.asarray(z), jnp.asarray(a))


F = ExponentialSum(pole((0.7, 0.5), (0.2 - 0.3j, 1.0 + 0.2j)), (power_law(0.0, 1.0, 0.55, 0),))
G = ExponentialSum(pole((1.1 - 0.01j, 0.4j)), (power_law(0.0, 0.5, 0.8, 0),))
BAND = ExponentialSum(
    pole((0.7, 0.5)), (power_law(1.0, 0.5, 0.55, 0), power_law(3.0, 0.5, 0.55, 1))
)


def function(f):
    """The same with numpy, at a scalar time."""
    z = np.concatenate([np.asarray(part.frequencies) for part in f.parts])
    a = np.concatenate([np.asarray(part.amplitudes) for part in f.parts])
    return lambda t: np.sum(a * np.exp(-1j * z * t))


def integral(integrand, stop):
    options = {"epsabs": 1e-13, "epsrel": 1e-12, "limit": 400}
    real = quad(lambda s: integrand(s).real, 0.0, stop, **options)[0]
    return real + 1j * quad(lambda s: integrand(s).imag, 0.0, stop, **options)[0]


def test_a_line_stands_for_its_branch_cut():
    expected = (1.0 + 1j * np.asarray(TS)) ** -2
    np.testing.assert_allclose(power_law(0.0, 1.0, 0.55, 0)(TS), expected, rtol=1e-12)


def test_start_and_derivative():
    ts = jnp.array([1.0 - 1e-4, 1.0 + 1e-4])
    slope = (F(ts)[1] - F(ts)[0]) / 2e-4
    np.testing.assert_allclose(F.moment(jnp.zeros((), complex))(jnp.ones(1))[0], slope, rtol=1e-6)
    np.testing.assert_allclose(F.start, 0.5 + 1.0 + 0.2j + 1.0, rtol=1e-12)


def test_convolution():
    f, g = function(F), function(G)
    expected = [integral(lambda s, t=t: g(t - s) * f(s), t) for t in TS.tolist()]
    np.testing.assert_allclose(convolution(G, F)(TS), expected, atol=1e-10)


@pytest.mark.parametrize(("f", "g"), [(F, G), (BAND, BAND), (F, BAND)], ids=["edge", "band", "two"])
def test_overlap(f, g):
    left, right = function(f), function(g)
    expected = [integral(lambda s: left(s).conj() * right(s), t) for t in TS.tolist()]
    np.testing.assert_allclose(overlap(f, g, TS, jnp.ones(())), expected, atol=1e-10)


def test_derivatives():
    """With respect to all frequencies and amplitudes, twice and in both modes."""
    f, g = (eqx.tree_at(lambda h: h.cuts, h, (h.cuts[0][100:103],)) for h in (F, G))

    @jax.jit
    def values(f, g):
        return convolution(g, f)(TS)

    check_grads(values, (f, g), order=2, atol=1e-5, rtol=1e-5, eps=1e-5)
