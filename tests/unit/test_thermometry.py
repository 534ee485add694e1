"""Fisher information about the temperature of reservoirs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

TS = jnp.array([0.0, 0.5, 2.0, 10.0, 40.0])


def cavity(T, eta=0.05):
    return bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), temperature=T))


@pytest.mark.slow
@pytest.mark.parametrize(("T", "start"), [(0.2, 0.0), (1.0, 2.0)])
def test_from_the_populations_of_a_cavity(T, start):
    """sum_n (dp_n/dT)^2 / p_n of the number of quanta, with differences of solutions."""
    found = bx.thermal_information(cavity(T), bx.Thermal(start), TS)
    h = 1e-3 * T

    def populations(T):
        sol = bx.solve(cavity(T), bx.Thermal(start), TS, bx.Volterra(rtol=1e-12))
        return np.asarray(sol.fock_populations(128))

    steps = [populations(T + k * h) for k in (-2, -1, 1, 2)]
    slope = (steps[0] - 8.0 * steps[1] + 8.0 * steps[2] - steps[3]) / (12.0 * h)
    p = populations(T)
    classical = np.sum(np.where(p > 1e-14, slope**2 / np.maximum(p, 1e-14), 0.0), axis=1)
    np.testing.assert_allclose(found.information, classical, rtol=1e-6, atol=1e-12)
    assert found.information[0] == found.error[0] == 0.0


def test_errors_are_honest():
    coarse = bx.thermal_information(cavity(0.2), bx.Thermal(0.5), TS, bx.Volterra(rtol=1e-4))
    fine = bx.thermal_information(cavity(0.2), bx.Thermal(0.5), TS, bx.Volterra(rtol=1e-11))
    true = np.abs(coarse.information - fine.information)
    assert np.all(true <= 10.0 * coarse.error + fine.error)


def test_displacement_tells_nothing_of_temperature():
    still = bx.thermal_information(cavity(0.3), bx.Thermal(0.4), TS)
    moved = bx.thermal_information(cavity(0.3), bx.Gaussian(1.0 + 2.0j, 0.4), TS)
    np.testing.assert_allclose(moved.information, still.information, rtol=1e-12)


def test_strong_coupling_helps_in_the_cold():
    """At weak coupling F is exponentially small, (w_s/T^2)^2 n (n + 1); here it is not."""
    T = 0.05
    weak = T**-4 * np.exp(-1.0 / T) / (1.0 - np.exp(-1.0 / T)) ** 2
    found = bx.thermal_information(cavity(T, 0.1), bx.Thermal(0.0), TS)
    assert found.information[-1] > 1000.0 * weak
    assert found.information.max() <= found.information[jnp.searchsorted(TS, found.best_time)]


@pytest.mark.slow
def test_the_cold():
    """An empty cavity has n = a T^2 in an Ohmic reservoir, and F = 4 a for T -> 0."""
    T, empty = 1e-5, bx.Thermal(0.0)
    found = bx.thermal_information(cavity(T), empty, TS)
    n = bx.solve(cavity(T), empty, TS).number
    np.testing.assert_allclose(found.information[1:], (4.0 * n / T**2)[1:], rtol=1e-3)
    with pytest.raises(ValueError, match="positive for one reservoir"):
        bx.thermal_information(cavity(0.0), empty, TS)
    baths = [bx.Reservoir(bx.Ohmic(0.05, 5.0), T) for T in (0, 1)]
    assert bx.thermal_information(bx.Cavity(1, baths), empty, [0, 5]).status == 0


@pytest.mark.slow
def test_two_reservoirs_that_are_one():
    """Both temperatures rise."""
    bath = bx.Reservoir(bx.Ohmic(0.025, 5.0), temperature=0.4)
    two = bx.thermal_information(bx.Cavity(1.0, [bath, bath]), bx.Thermal(0.5), TS)
    one = bx.thermal_information(cavity(0.4), bx.Thermal(0.5), TS)
    np.testing.assert_allclose(two.information, one.information, rtol=1e-8)


def test_a_qubit_and_a_thermal_mode():
    """dp/dT of the Jaynes-Cummings sum, p = sum_n p_n cos^2(V t sqrt(n + 1))."""
    V, T = 0.1, 0.4
    qubit = bx.Qubit(1.0, bx.Reservoir(bx.DiscreteModes([1.0], [V]), temperature=T))
    ts = jnp.array([0.0, 3.0, 11.0, 20.0])
    found = bx.thermal_information(qubit, bx.Excited(), ts)
    n = np.arange(200.0)

    def excited(T):
        weights = np.exp(-n / T) * -np.expm1(-1.0 / T)
        return np.cos(V * np.sqrt(n + 1.0) * np.asarray(ts)[:, None]) ** 2 @ weights

    h = 1e-3
    slope = (excited(T - 2 * h) - 8 * excited(T - h) + 8 * excited(T + h) - excited(T + 2 * h)) / (
        12 * h
    )
    p = excited(T)
    expected = np.append(0.0, (slope**2)[1:] / (p * (1.0 - p))[1:])
    np.testing.assert_allclose(found.information, expected, rtol=1e-5)
    true = np.abs(found.information - expected)
    assert np.all(true <= 10.0 * found.error + 1e-9)


def test_a_qubit_with_coherence():
    """|dr|^2 + (r . dr)^2 / (1 - r^2) is the limit of 4 (2 - 2 sqrt(fidelity)) / dT^2."""

    def qubit(T):
        modes = bx.DiscreteModes([1.0, 1.2], [0.1, 0.1])
        return bx.Qubit(1.0, bx.Reservoir(modes, temperature=T))

    T, ts, h = 0.4, jnp.array([2.0, 9.0]), 1e-2
    plus = bx.Bloch(0.8, 0.0, 0.1)
    found = bx.thermal_information(qubit(T), plus, ts)
    one, two = (bx.solve(qubit(T + d), plus, ts).density_matrix() for d in (-h / 2, h / 2))
    # Of qubits: F = tr(rho sigma) + 2 sqrt(det rho det sigma).
    overlap = jnp.einsum("tij,tji->t", one, two).real
    both = jnp.linalg.det(one).real * jnp.linalg.det(two).real
    fidelity = overlap + 2.0 * jnp.sqrt(both)
    expected = 8.0 * (1.0 - jnp.sqrt(fidelity)) / h**2
    np.testing.assert_allclose(found.information, expected, rtol=2e-3)


def test_what_is_refused():
    with pytest.raises(ValueError, match="without squeezing"):
        bx.thermal_information(cavity(1.0), bx.Squeezed(0.3), TS)
    bath = bx.Reservoir(bx.Ohmic(0.1, 5.0), occupation=bx.Uniform(1.0))
    with pytest.raises(ValueError, match="thermal"):
        bx.thermal_information(bx.Cavity(1.0, bath), bx.Thermal(0.0), TS)


@pytest.mark.slow
def test_under_jit_vmap_and_grad():
    def at(eta, T=0.2):
        return bx.thermal_information(cavity(T, eta), bx.Thermal(0.0), TS).information[2]

    found = jax.jit(jax.vmap(at))(jnp.array([0.05, -1.0, 0.05]), jnp.array([0.2, 0.2, 0.0]))
    assert jnp.isnan(found[1:]).all()
    np.testing.assert_allclose(found[0], at(0.05), rtol=1e-8)
    slope = jax.grad(at)(0.05)
    np.testing.assert_allclose(slope, (at(0.0501) - at(0.0499)) / 2e-4, rtol=1e-5)
