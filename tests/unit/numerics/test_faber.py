"""Evolution by Faber polynomials against matrix exponentials."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm
from scipy.special import ive, jv

from bathax.numerics.faber import TERMS, UNIT, Ellipse, evolve, measured, reach, split, steps_needed
from bathax.numerics.sparse import Entries, SparseMatrix, pattern

SIZE, STOP = 30, 10.0
ELLIPSES = {"flat": (20.0, 8.0), "round": (15.0, 15.0), "upright": (5.0, 30.0)}


def ellipse(name):
    return Ellipse(*(jnp.asarray(axis) for axis in ELLIPSES[name]))


def normal_matrix(name):
    """A normal matrix with eigenvalues everywhere in an ellipse and on its border."""
    rng = np.random.default_rng(0)
    real, imaginary = ELLIPSES[name]
    basis, _ = np.linalg.qr(rng.normal(size=(SIZE, SIZE)) + 1j * rng.normal(size=(SIZE, SIZE)))
    radius, angle = np.sqrt(np.linspace(0.0, 1.0, SIZE)), rng.uniform(0.0, 2.0 * np.pi, SIZE)
    values = real * (radius * np.cos(angle) - 1.0) + 1j * imaginary * radius * np.sin(angle)
    return basis @ np.diag(values) @ basis.conj().T


def evolved(matrix, around, steps, stop=STOP):
    start, chosen = jnp.ones(SIZE, complex), jnp.arange(SIZE)
    return evolve(sparse(matrix), start, chosen, jnp.asarray(stop), around, steps)


def sparse(matrix):
    """A full matrix among the sparse ones."""
    row, column = (index.ravel() for index in np.indices(matrix.shape))
    parameter = np.arange(matrix.size)
    entries = Entries(row, column, parameter, np.ones(matrix.size))
    return SparseMatrix.of(pattern(entries, len(matrix)), jnp.asarray(matrix).ravel())


@pytest.mark.slow
@pytest.mark.parametrize("name", ELLIPSES)
def test_values_and_derivatives(name):
    matrix, ts = normal_matrix(name), np.linspace(0.0, STOP, 23)
    steps = steps_needed(float(ellipse(name).radius) * STOP)
    path = evolved(matrix, ellipse(name), steps)
    values, slopes = path.with_derivatives(jnp.asarray(ts))
    expected = np.array([expm(matrix * t) @ np.ones(SIZE) for t in ts])
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(slopes, expected @ matrix.T, rtol=0, atol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.6, 1.0, 1.7])
@pytest.mark.parametrize("name", ELLIPSES)
def test_the_ellipse_is_measured(name, factor):
    """Whatever the size that is expected, the one found contains the spectrum, hardly more."""
    matrix, expected = normal_matrix(name), ellipse(name).enlarged(jnp.asarray(factor))
    found = measured(sparse(matrix), expected)
    assert 0.95 < found.imaginary / ELLIPSES[name][1] < 1.25
    np.testing.assert_allclose(found.asymmetry, expected.asymmetry, rtol=1e-12)
    steps = steps_needed(float(found.radius) * STOP)
    value = evolved(matrix, found, steps).with_derivatives(jnp.asarray([STOP]))[0, 0]
    np.testing.assert_allclose(value, expm(matrix * STOP) @ np.ones(SIZE), rtol=0, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("real", [0.0, 1e-9, 1e-4])
def test_frequencies_without_damping_are_measured(real):
    matrix = np.diag(1j * np.linspace(-7.0, 7.0, SIZE))
    expected = Ellipse(jnp.asarray(real), jnp.asarray(8.0))
    found = measured(sparse(matrix), expected)
    assert found.radius < 20.0
    value = evolved(matrix, found, steps_needed(20.0 * STOP)).with_derivatives(jnp.asarray([STOP]))
    np.testing.assert_allclose(value[0, 0], np.exp(np.diag(matrix) * STOP), rtol=0, atol=1e-9)


def test_coefficients_of_a_circle_and_of_an_interval():
    """e^{-at} (at)^k / k! of powers of 1 + z/a, and Bessel functions of Chebyshev polynomials."""
    k, t = np.arange(12), 0.7
    circle = Ellipse(jnp.asarray(3.0), jnp.asarray(3.0)).coefficients(jnp.asarray([t]), 64)[0, 0]
    poisson = np.exp(-3.0 * t) * np.cumprod(np.concatenate([[1.0], 3.0 * t / k[1:]]))
    np.testing.assert_allclose(circle[:12], poisson, rtol=0, atol=1e-15)
    real = Ellipse(jnp.asarray(3.0), jnp.asarray(0.0)).coefficients(jnp.asarray([t]), 64)[0, 0]
    np.testing.assert_allclose(real[:12], ive(k, 3.0 * t), rtol=0, atol=1e-15)
    upright = Ellipse(jnp.asarray(0.0), jnp.asarray(3.0)).coefficients(jnp.asarray([t]), 64)[0, 0]
    np.testing.assert_allclose(upright[:12], jv(k, 3.0 * t), rtol=0, atol=1e-15)


@pytest.mark.slow
@pytest.mark.parametrize("axes", [*ELLIPSES.values(), (40.0, 35.0), (100.0, 1.0), (1.0, 100.0)])
def test_coefficients_are_those_of_the_integral(axes):
    """From no time at all to the longest step, and their derivatives."""
    a, b = axes
    radius, count = max(0.5 * (a + b), b), TERMS
    t = np.array([0.0, 1e-200, 1e-12, 1e-3, 0.1, 0.5, 1.0]) * reach(count) / radius
    angle = np.pi * np.arange(4 * count) / (2 * count)
    z = a * (np.cos(angle) - 1.0) + 1j * b * np.sin(angle)
    exact = np.fft.fft(np.exp(t[:, None] * z), axis=1).real[:, :count] / (4 * count)
    slopes = np.fft.fft(z * np.exp(t[:, None] * z), axis=1).real[:, :count] / (4 * count)
    found = Ellipse(jnp.asarray(a), jnp.asarray(b)).coefficients(jnp.asarray(t), count)
    np.testing.assert_allclose(found[0], exact, rtol=0, atol=3e-13)
    np.testing.assert_allclose(found[1] / radius, slopes / radius, rtol=0, atol=1e-12)


@pytest.mark.slow
def test_intervals_that_nobody_needs_are_left_out():
    """Members of a batch are what each of them is alone; a bad one changes nothing but itself."""
    around, ts = ellipse("round"), jnp.linspace(0.0, STOP, 7)
    steps = 5 * steps_needed(float(around.radius) * STOP)

    def path(factor):
        scaled = normal_matrix("round") * factor.astype(complex)
        return evolved(scaled, around.enlarged(factor), steps)

    factors = jnp.array([0.5, 1.0, jnp.nan])
    both = jax.jit(jax.vmap(path))(factors)
    assert np.all(both.used < split(steps)[0])
    values = jax.vmap(lambda each: each.with_derivatives(ts))(both)
    assert np.all(np.isnan(values[2]))
    for factor, found in zip(factors[:2], values, strict=False):
        np.testing.assert_allclose(found, path(factor).with_derivatives(ts), rtol=0, atol=1e-9)
        matrix = float(factor) * normal_matrix("round")
        exact = [expm(matrix * float(t)) @ np.ones(SIZE) for t in ts]
        np.testing.assert_allclose(found[0], exact, rtol=0, atol=1e-9)


def test_steps():
    assert reach(TERMS) > 4.0 * reach(TERMS // 4)
    for phase in (0.0, 1.0, 50.0, 120.0, 5000.0):
        intervals, terms = split(steps_needed(phase))
        assert phase <= reach(terms) * intervals
        assert terms <= TERMS
    assert steps_needed(0.0) == 2
    assert split(1) == (1, UNIT)


@pytest.mark.slow
def test_too_few_steps_and_a_spectrum_outside_are_not_taken_for_a_result():
    matrix, around = normal_matrix("round"), ellipse("round")
    ts = jnp.asarray([1.0, STOP])
    assert jnp.all(jnp.isnan(evolved(matrix, around, 6).with_derivatives(ts)))
    small = Ellipse(jnp.asarray(4.0), jnp.asarray(4.0))
    steps = steps_needed(4.0 * STOP)
    assert jnp.all(jnp.isnan(evolved(matrix, small, steps).with_derivatives(ts)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ELLIPSES)
@pytest.mark.parametrize("longer", [1.0, 1.1])
def test_what_is_neglected_is_known(name, longer):
    """Steps of the usual length lose nothing that matters, longer ones more than they neglect."""
    matrix, ts = normal_matrix(name), np.linspace(0.0, STOP, 23)
    stop = longer * reach(TERMS) / float(ellipse(name).radius)
    path, ts = evolved(matrix, ellipse(name), TERMS // UNIT, stop), np.linspace(0.0, stop, 23)
    values, slopes = path.with_derivatives(jnp.asarray(ts))
    expected = np.array([expm(matrix * t) @ np.ones(SIZE) for t in ts])
    error, slope_error = path.error(jnp.asarray(ts))
    assert np.all(np.abs(values - expected).max(axis=1) <= error)
    assert np.all(np.abs(slopes - expected @ matrix.T).max(axis=1) <= slope_error)
    assert error[-1] < 1e-12 * 1e4 ** (longer > 1.0)


def test_gradient():
    """The derivative with respect to a factor of G is that with respect to time."""
    matrix, around = normal_matrix("flat"), ellipse("flat").enlarged(jnp.asarray(1.1))
    steps = steps_needed(float(around.radius) * STOP)

    def first(factor):
        path = evolved(factor.astype(complex) * matrix, around, steps)
        return path.with_derivatives(jnp.asarray([2.0]))[0, 0, 0].real

    expected = 2.0 * (matrix @ expm(2.0 * matrix) @ np.ones(SIZE))[0].real
    np.testing.assert_allclose(jax.grad(first)(jnp.asarray(1.0)), expected, rtol=0, atol=1e-9)
