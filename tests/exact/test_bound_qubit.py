"""A qubit in a band gap: Z^2 in closed form, and D at kT0 > 0 in powers of the filling."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

import bathax as bx
from bathax.papers.np.binding import GAP_STOP, gap_qubit, share

# The band of `gap_qubit`.
ETA, MIDDLE, WIDTH = 0.02, 1.6, 0.5
TS = jnp.linspace(0.0, 40.0, 11)


def weight():
    """Z^2 = 1 / (1 - Sigma')^2 where w - 1 = Sigma(w) below the band."""

    def sigma(w):
        x = w - MIDDLE
        return 2.0 * ETA / (x - np.sqrt(x**2 - WIDTH**2))

    w = brentq(lambda w: w - 1.0 - sigma(w), 0.5, MIDDLE - WIDTH, xtol=1e-15)
    root = np.sqrt((w - MIDDLE) ** 2 - WIDTH**2)
    return 1.0 / (1.0 - sigma(w) / root) ** 2


def test_weight_of_the_bound_state():
    assert share(gap_qubit(0.0)) == pytest.approx(weight(), rel=1e-12)


@pytest.mark.slow
def test_in_the_vacuum_the_determinant_ends_at_this_weight():
    """What swings about it falls like t^{-3/2}."""
    ts = jnp.asarray(np.linspace(2000.0, 2100.0, 400))
    u = bx.solve(bx.Cavity(1.0, gap_qubit(0.0).reservoirs), bx.Fock(1), ts, bx.Resonance()).u
    np.testing.assert_allclose(jnp.abs(u) ** 2, weight(), rtol=0.0, atol=1e-4)
    early = bx.dynamical_map(gap_qubit(0.0), TS, bx.Vacuum()).determinant
    late = bx.dynamical_map(gap_qubit(0.0), TS + GAP_STOP, bx.Vacuum()).determinant
    assert jnp.max(jnp.abs(late - weight())) < 0.2 * jnp.max(jnp.abs(early[1:] - weight()))


@pytest.mark.slow
def test_a_cold_reservoir_is_like_the_vacuum():
    cold, vacuum = (bx.dynamical_map(gap_qubit(T), TS) for T in (0.05, 0.0))
    np.testing.assert_allclose(cold.determinant, vacuum.determinant, rtol=0.0, atol=1e-5)


def in_powers_of_filling(temperature, modes=16):
    """D - D(kT0 = 0) to first and to second order in x_k = e^{-w_k / T}.

    By diagonalisation, with Gauss nodes of the band, whose first echo comes before t = 2 modes /
    WIDTH. The weights of n quanta are x^n prod_k (1 - x_k), where prod = 1 - e_1 + e_2 - ...
    """
    angle = np.pi / (modes + 1) * np.arange(1, modes + 1)
    w, V = MIDDLE + WIDTH * np.cos(angle), np.sqrt(2.0 * ETA / (modes + 1)) * np.sin(angle)
    x = np.exp(-w / temperature)
    qubit = bx.Qubit(1.0, bx.Reservoir(bx.DiscreteModes(w, V), temperature=temperature))

    def kept(quanta):
        found = bx.ExactDiagonalisation(quanta=quanta).map_elements(qubit, TS).value
        return (found.p11 + found.p00) / np.prod(1.0 - x)

    sums = [kept(quanta) for quanta in range(3)]
    none, one, two = sums[0], sums[1] - sums[0], sums[2] - sums[1]
    e1, e2 = x.sum(), 0.5 * (x.sum() ** 2 - (x**2).sum())
    first = one - e1 * none
    return first, first + two - e1 * one + e2 * none


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [0.2, 0.3, 0.5])
def test_thermal_quanta_by_diagonalisation(temperature):
    """Each order is smaller by about the filling of the lower edge, and so is what is left out."""
    warm = bx.dynamical_map(gap_qubit(temperature), TS, bx.Hierarchy(rtol=1e-6))
    found = warm.determinant - bx.dynamical_map(gap_qubit(0.0), TS, bx.Vacuum()).determinant
    first, second = in_powers_of_filling(temperature)
    filling, allowed = np.exp(-(MIDDLE - WIDTH) / temperature), 1e-8 + warm.error.determinant
    assert np.all(np.abs(found - first) <= filling * np.abs(first) + allowed)
    assert np.all(np.abs(found - second) <= filling**2 * np.abs(first) + allowed)
    assert first[-1] < 0.0
