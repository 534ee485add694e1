"""Integrals of sums of exponentials against closed forms and quadrature."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from scipy.integrate import quad

from bathax.numerics.exponential_sum import ExponentialSum, Terms, convolution, together
from bathax.numerics.overlap import overlap
from bathax.numerics.quadrature import gauss_legendre, half_line
from bathax.numerics.running_integral import NODES, running_rule

TS = jnp.array([0.3, 1.0, 4.0])
FROM_0 = jnp.concatenate([jnp.zeros(1), TS])


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
    both = F.with_moment(jnp.zeros((), complex))
    np.testing.assert_allclose(both(jnp.ones(1))[1, 0], slope, rtol=1e-6)
    np.testing.assert_allclose(both[0](ts), F(ts), rtol=1e-14)
    np.testing.assert_allclose(F.start, 0.5 + 1.0 + 0.2j + 1.0, rtol=1e-12)


def test_several_sums_over_the_same_exponentials():
    several = ExponentialSum(
        F.discrete.with_amplitudes(jnp.stack([F.discrete.amplitudes, 2.0 * F.discrete.amplitudes])),
        tuple(c.with_amplitudes(jnp.stack([c.amplitudes, 0.0 * c.amplitudes])) for c in F.cuts),
    )
    np.testing.assert_allclose(several(TS), jnp.stack([F(TS), 2.0 * F.discrete(TS)]), rtol=1e-14)
    one, other = convolution(G, several[0])(TS), convolution(G, F)(TS)
    np.testing.assert_allclose(one, other, rtol=1e-14)


def test_sums_that_are_computed_together():
    unit = F.discrete.with_amplitudes(jnp.eye(F.discrete.frequencies.size, dtype=complex))
    sums = [F.parts, G.cuts, [], [BAND.discrete, *BAND.cuts], [unit]]
    f, g, none, band, each = together(sums, TS)
    np.testing.assert_allclose(f, [function(F)(t) for t in TS.tolist()], rtol=1e-13)
    whole = np.array([function(G)(t) for t in TS.tolist()])
    np.testing.assert_allclose(g, whole - np.asarray(G.discrete(TS)), rtol=1e-12)
    assert none == 0.0
    np.testing.assert_allclose(band, [function(BAND)(t) for t in TS.tolist()], rtol=1e-13)
    expected = np.exp(-1j * np.outer(F.discrete.frequencies, TS))
    np.testing.assert_allclose(each, expected, rtol=1e-14)


def test_convolution():
    f, g = function(F), function(G)
    expected = [integral(lambda s, t=t: g(t - s) * f(s), t) for t in TS.tolist()]
    np.testing.assert_allclose(convolution(G, F)(TS), expected, atol=1e-10)


@pytest.mark.parametrize(("f", "g"), [(F, G), (BAND, BAND), (F, BAND)], ids=["edge", "band", "two"])
def test_overlap(f, g):
    left, right, origin = function(f), function(g), 0.6
    drift = function(f.with_moment(jnp.asarray(origin, complex))[1])
    found = jax.jit(overlap)(f, g, FROM_0, jnp.asarray(origin, complex), jnp.ones(()))
    for h, of_h in zip((left, drift), found.integrals[:, 1:], strict=True):
        expected = [integral(lambda s, h=h: h(s).conj() * right(s), t) for t in TS.tolist()]
        np.testing.assert_allclose(of_h, expected, atol=1e-10)


def test_derivatives_of_the_overlap_by_the_times():
    """They are the integrand, at the last time too."""
    origin = jnp.zeros((), complex)

    @jax.jit
    def slopes(ts, d_ts):
        def integrals(ts):
            times = jnp.concatenate([jnp.zeros(1), ts])
            return overlap(F, G, times, origin, jnp.ones(())).integrals[:, 1:]

        return jax.jvp(integrals, (ts,), (d_ts,))

    expected = F.with_moment(origin)(TS).conj() * G(TS)[None, :]
    np.testing.assert_allclose(slopes(TS, jnp.ones(3))[1], expected, atol=1e-12)
    curvature = jax.jvp(lambda ts: slopes(ts, jnp.ones(3))[1], (TS,), (jnp.ones(3),))[1]
    step = 1e-4
    change = [F.with_moment(origin)(TS + h).conj() * G(TS + h)[None, :] for h in (step, -step)]
    np.testing.assert_allclose(curvature, (change[0] - change[1]) / (2 * step), atol=1e-6)


def test_the_running_rule():
    y = jnp.asarray([0.0, 1e-3, 0.3, 0.9, 1.0])
    x, _ = gauss_legendre(NODES)
    for degree in range(NODES):
        expected = np.asarray(y) ** (degree + 1) / (degree + 1)
        np.testing.assert_allclose(x**degree @ np.asarray(running_rule(y)), expected, atol=3e-16)


@pytest.mark.slow
def test_derivatives():
    """With respect to all frequencies and amplitudes, twice and in both modes."""
    f, g = (eqx.tree_at(lambda h: h.cuts, h, (h.cuts[0][100:103],)) for h in (F, G))

    @jax.jit
    def values(f, g):
        return convolution(g, f)(TS)

    check_grads(values, (f, g), order=2, atol=1e-5, rtol=1e-5, eps=1e-5)
