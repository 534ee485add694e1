"""Two-time correlations after a run, against whole systems of many modes and steady states."""

import jax
import numpy as np
import pytest
from scipy.linalg import expm

import bathax as bx

BAND = bx.SemicircleBand(0.08, 0.2, 1.5)
H = np.array([[0.3, 0.25 - 0.1j], [0.25 + 0.1j, -0.2]])
C = np.array([0.8, 0.5j])
START = np.array([[0.7, 0.2j], [-0.2j, 0.3]])
DELAYS = np.array([0.0, 0.8, 3.0])
COUNT = 300


def modes(statistics, T, mu):
    lead = bx.Reservoir(BAND, T, mu)
    return bx.LinearSystem(H, bx.Channel(lead, C), statistics)


def whole(statistics, T, mu, t):
    """<a_j'(t) a_i(t + s)> and the other order, by exponentials of the whole's matrix."""
    k = np.arange(1, COUNT + 1) * np.pi / (COUNT + 1)
    w = 0.2 + 1.5 * np.cos(k)
    V = np.sqrt(0.08 * 2.0 / (COUNT + 1)) * np.sin(k)
    h = np.zeros((COUNT + 2, COUNT + 2), complex)
    h[:2, :2], h[2:, 2:] = H, np.diag(w)
    h[:2, 2:] = np.outer(C, V)
    h[2:, :2] = h[:2, 2:].conj().T
    n = np.zeros_like(h)
    n[:2, :2] = START
    n[2:, 2:] = np.diag(1.0 / (np.exp((w - mu) / T) + (1.0 if statistics == "fermion" else -1.0)))
    now = expm(-1j * h * t)
    joint, sign = now @ n @ now.conj().T, 1.0 if statistics == "boson" else -1.0
    later = [expm(-1j * h * s) for s in DELAYS]
    value = np.array([(u @ joint)[:2, :2] for u in later])
    return value, np.array([u[:2, :2] for u in later]) + sign * value


@pytest.mark.slow
@pytest.mark.parametrize(("statistics", "T", "mu"), [("fermion", 0.3, 0.1), ("boson", 0.7, -1.9)])
def test_two_modes(statistics, T, mu):
    sol = bx.solve(modes(statistics, T, mu), bx.Covariance(START), [0.0, 1.0, 2.5])
    found = bx.two_time_correlation(sol, DELAYS)
    value, greater = whole(statistics, T, mu, 2.5)
    np.testing.assert_allclose(found.value, value, atol=1e-9)
    np.testing.assert_allclose(found.greater, greater, atol=1e-9)
    np.testing.assert_allclose(found.value[0], sol.n[-1], atol=1e-9)
    miss = np.max(np.abs(np.asarray(found.value) - value), axis=(1, 2))
    assert np.all(miss <= 10.0 * np.asarray(found.error) + 1e-11)


@pytest.mark.slow
def test_in_the_end_it_is_that_of_the_steady_state():
    cavity = bx.Cavity(1.0, bx.Reservoir(bx.Lorentzian(0.2, 1.0, 1.0), occupation=bx.Uniform(0.6)))
    late = bx.solve(cavity, bx.Fock(3), [0.0, 120.0])
    found, steady = (bx.two_time_correlation(each, DELAYS) for each in (late, cavity))
    np.testing.assert_allclose(found.value, steady.value, atol=1e-8)
    np.testing.assert_allclose(found.greater, steady.greater, atol=1e-8)


@pytest.mark.slow
def test_a_coherent_start_in_the_vacuum():
    """<a'(t) a(t + s)> = |alpha|^2 u(t)* u(t + s)."""
    cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 2.0)))
    every = np.concatenate([[0.0], 2.0 + DELAYS])
    u = np.asarray(bx.solve(cavity, bx.Fock(1), every).u)
    sol = bx.solve(cavity, bx.Coherent(0.6 - 0.3j), [0.0, 2.0])
    found = bx.two_time_correlation(sol, DELAYS)
    np.testing.assert_allclose(found.value[:, 0, 0], 0.45 * u[1].conj() * u[1:], atol=1e-9)
    modes = bx.solve(cavity.as_modes, bx.Covariance([[0.0]], displacement=[0.6 - 0.3j]), [0.0, 2.0])
    again = bx.two_time_correlation(modes, DELAYS)
    np.testing.assert_allclose(again.value, found.value, atol=1e-9)


@pytest.mark.slow
def test_after_a_drive():
    """What a level that was driven first does later: n at delay 0, and u after that."""
    lead = bx.Channel(bx.Reservoir(bx.FlatBand(0.4, -3.0, 3.0), 0.2, 0.1), [1.0])
    ramp = bx.LinearSystem([[bx.Ramp(-0.5, 0.5, 1.0, 0.4)]], lead, "fermion")
    first = bx.solve(ramp, bx.Covariance([[0.0]]), [0.0, 2.0])
    level = bx.LinearSystem([[0.5]], lead, "fermion")
    then = bx.solve(level, bx.Continue(first), [0.0, 1.0])
    found = bx.two_time_correlation(then, DELAYS)
    np.testing.assert_allclose(found.value[0], then.n[-1], atol=1e-9)
    u = bx.solve(level, bx.Covariance([[1.0]]), DELAYS).u
    np.testing.assert_allclose(found.value + found.greater, u, atol=1e-9)
    with pytest.raises(ValueError, match="Argument `h` must be constant in time here"):
        bx.two_time_correlation(first, DELAYS)
    with pytest.raises(ValueError, match="Argument `delays` must be increasing"):
        bx.two_time_correlation(then, [1.0, 0.5])


@pytest.mark.slow
def test_derivative_by_a_coupling():
    def late(eta):
        cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, 2.0), 0.5))
        sol = bx.solve(cavity, bx.Thermal(0.2), [0.0, 1.5], bx.Volterra(points=512))
        return bx.two_time_correlation(sol, DELAYS).value[-1, 0, 0].real

    step = 1e-3
    ahead, far = ((late(0.1 + s) - late(0.1 - s)) / (2.0 * s) for s in (step, 2.0 * step))
    slope = jax.jit(jax.grad(late))(0.1)
    assert slope == pytest.approx(float((4.0 * ahead - far) / 3.0), abs=1e-7)
