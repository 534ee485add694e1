"""Cavities whose Green function is known in closed form, with gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.numerics.special import jinc

TS = jnp.linspace(0.0, 20.0, 41)
SOLVER = bx.Volterra(points=4096)


def lorentzian_u(gamma0, width, ts):
    """AHZ Eq. 24, on resonance at w_s = 1."""
    root = jnp.sqrt(jnp.asarray(width**2 - 2.0 * gamma0 * width, complex))
    half = 0.5 * ts.astype(complex)
    decay = jnp.exp(-(jnp.asarray(width, complex) + 2.0j) * half)
    return decay * (jnp.cosh(root * half) + width / root * jnp.sinh(root * half))


def solved_u(gamma0, width):
    bath = bx.Reservoir(bx.Lorentzian(gamma0, width, 1.0))
    return bx.solve(bx.Cavity(1.0, bath), bx.Fock(1), TS, SOLVER)


@pytest.mark.parametrize(("gamma0", "width"), [(0.2, 1.0), (0.49, 1.0), (5.0, 1.0)])
def test_lorentzian_over_and_under_damped(gamma0, width):
    solution = solved_u(gamma0, width)
    exact = lorentzian_u(gamma0, width, TS)
    error = jnp.abs(solution.u - exact)
    assert jnp.max(error) < 1e-11
    assert jnp.all(error <= 10.0 * solution.error.u)
    assert jnp.all(solution.v == 0.0)


def test_lorentzian_critically_damped():
    """G = 0: u = e^{-i w_s t - lam t / 2} (1 + lam t / 2)."""
    exact = (1.0 + 0.5 * TS) * jnp.exp(-0.5 * TS)
    np.testing.assert_allclose(jnp.abs(solved_u(0.5, 1.0).u), exact, rtol=0, atol=1e-12)


@pytest.fixture(scope="module")
def gradients_of_survival():
    """Of the sum of |u|^2, by the solver and in closed form, by gamma0 and by the width."""

    def survival(u):
        return jnp.sum(jnp.abs(u) ** 2)

    def solved(gamma0, width):
        return survival(solved_u(gamma0, width).u)

    def exact(gamma0, width):
        return survival(lorentzian_u(gamma0.astype(complex), width.astype(complex), TS))

    point = jnp.asarray(2.0), jnp.asarray(1.0)
    return [jax.jit(jax.grad(function, (0, 1)))(*point) for function in (solved, exact)]


@pytest.mark.parametrize("argument", [0, 1])
def test_lorentzian_gradient(gradients_of_survival, argument):
    ours, exact = gradients_of_survival
    np.testing.assert_allclose(ours[argument], exact[argument], rtol=1e-10)


def test_end_of_a_uniform_chain():
    """A cavity like every other of its chain, hopping kappa: u = e^{-iwt} 2 J_1(2kt) / (2kt)."""
    hopping = 0.3
    bath = bx.Reservoir(bx.SemicircleBand(hopping**2, 1.0, 2.0 * hopping))
    solution = bx.solve(bx.Cavity(1.0, bath), bx.Fock(1), TS, SOLVER)
    exact = jnp.exp(-1j * TS.astype(complex)) * jinc(2.0 * hopping * TS).astype(complex)
    np.testing.assert_allclose(solution.u, exact, rtol=0, atol=1e-12)


def test_without_coupling_nothing_happens():
    bath = bx.Reservoir(bx.Ohmic(0.0, 5.0), 20.0)
    solution = bx.solve(bx.Cavity(1.0, bath), bx.Fock(3), TS, SOLVER)
    np.testing.assert_allclose(solution.u, jnp.exp(-1j * TS.astype(complex)), atol=1e-13)
    np.testing.assert_allclose(solution.number, 3.0, rtol=1e-13)
    np.testing.assert_allclose(solution.entropy, 0.0, atol=1e-12)


def test_uniform_occupation_fills_what_has_been_lost():
    """With n(w) = n the commutator sum rule makes v = n (1 - |u|^2)."""
    bath = bx.Reservoir(bx.Ohmic(0.15, 5.0), occupation=bx.Uniform(0.7))
    solution = bx.solve(bx.Cavity(1.0, bath), bx.Fock(1), TS, SOLVER)
    np.testing.assert_allclose(solution.v, 0.7 * (1.0 - jnp.abs(solution.u) ** 2), atol=1e-11)


def test_thermal_state_has_the_geometric_temperature():
    """S is a function of N alone, so that T = w_s / ln(1 + 1/N) at all times."""
    bath = bx.Reservoir(bx.Ohmic(0.1, 5.0), 20.0)
    solution = bx.solve(bx.Cavity(1.0, bath), bx.Thermal(0.5), TS[1:], SOLVER)
    exact = 1.0 / jnp.log1p(1.0 / solution.number)
    np.testing.assert_allclose(solution.temperature, exact, rtol=1e-9)


@pytest.mark.slow
def test_born_markov_is_the_weak_coupling_limit():
    """Relative differences shrink like eta at fixed scaled time."""
    differences = []
    for eta in (1e-3, 1e-4):
        cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), 2.0))
        ts = jnp.array([0.05, 0.1]) / eta
        exact = bx.solve(cavity, bx.Fock(1), ts, bx.Volterra(rtol=1e-8))
        markov = bx.solve(cavity, bx.Fock(1), ts, bx.BornMarkov())
        differences.append(float(jnp.max(jnp.abs(markov.v / exact.v - 1.0))))
    assert differences[0] < 0.05
    assert 5.0 < differences[0] / differences[1] < 20.0
