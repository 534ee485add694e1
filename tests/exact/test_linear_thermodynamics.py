"""T, mu and F of several modes: the cavity, differences in time, thermal states."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

TS = jnp.linspace(0.0, 20.0, 9)


def chain(statistics, hopping=0.3, temperature=0.5):
    """Two modes, one of them coupled to a reservoir."""
    if statistics == "boson":
        bath = bx.Reservoir(bx.Ohmic(0.05, 3.0), temperature)
    else:
        bath = bx.Reservoir(bx.FlatBand(0.2, -5.0, 5.0), temperature, 0.2)
    h = jnp.array([[1.0, 0.0], [0.0, 0.7]]) + hopping * jnp.array([[0.0, 1.0], [1.0, 0.0]])
    return bx.LinearSystem(h, bx.Channel(bath, [1.0, 0.0]), statistics)


MIXED = bx.Covariance([[0.6, 0.1j], [-0.1j, 0.2]])


@pytest.mark.slow
def test_one_mode_is_a_cavity():
    bath = bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=2.0)
    mode = bx.LinearSystem([[1.0]], bx.Channel(bath, [1.0]))
    sol = bx.solve(mode, bx.Covariance([[0.3]]), TS)
    cavity = bx.solve(bx.Cavity(1.0, bath), bx.Thermal(0.3), TS, bx.Volterra())
    names = ("energy_rate", "entropy_rate", "temperature", "chemical_potential", "free_energy")
    for name in names:
        expected = np.asarray(getattr(cavity, name))
        np.testing.assert_allclose(getattr(sol, name), expected, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(sol.grand_potential, sol.free_energy - sol.number, atol=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("statistics", ["boson", "fermion"])
def test_slopes_of_the_trajectory(statistics):
    """Five-point differences of E, S and N in time."""
    t, d = jnp.array([0.7, 3.0, 8.0]), 2e-3
    around = (t[:, None] + d * jnp.arange(-2.0, 3.0)[None, :]).ravel()
    sol = bx.solve(chain(statistics), MIXED, around)
    slope = np.array([1.0, -8.0, 0.0, 8.0, -1.0]) / (12.0 * d)
    of = {
        name: np.asarray(getattr(sol, name)).reshape(3, 5) @ slope
        for name in ("energy", "entropy", "number")
    }
    middle = slice(2, None, 5)
    np.testing.assert_allclose(sol.energy_rate[middle], of["energy"], rtol=1e-8)
    np.testing.assert_allclose(sol.entropy_rate[middle], of["entropy"], rtol=1e-8)
    np.testing.assert_allclose(sol.temperature[middle], of["energy"] / of["entropy"], rtol=1e-7)
    np.testing.assert_allclose(
        sol.chemical_potential[middle], of["energy"] / of["number"], rtol=1e-7
    )
    helmholtz = sol.energy - sol.temperature * sol.entropy
    np.testing.assert_allclose(sol.free_energy, helmholtz, rtol=1e-13)
    grand = helmholtz - sol.chemical_potential * sol.number
    np.testing.assert_allclose(sol.grand_potential, grand, rtol=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("statistics", ["boson", "fermion"])
def test_errors_hold(statistics):
    """A coarse grid against a fine one, poles of T and nearly pure starts included."""
    starts = MIXED, bx.Covariance([[1.0, 0.0], [0.0, 0.0]])
    for start in starts:
        ts = jnp.linspace(0.0, 20.0, 41)
        known = bx.solve(chain(statistics), start, ts)
        rough = bx.solve(chain(statistics), start, ts, bx.Volterra(points=128, rtol=1e-2))
        names = ("energy_rate", "entropy_rate", "temperature", "chemical_potential")
        for name in (*names, "free_energy", "grand_potential"):
            miss = np.abs(np.asarray(getattr(rough, name) - getattr(known, name)))
            bound = getattr(rough.error, name) + getattr(known.error, name)
            assert np.all(miss <= 3.0 * bound + 1e-13), name
        assert np.all(known.error.temperature[1:] < 1e-6 * (1.0 + np.abs(known.temperature[1:])))


@pytest.mark.slow
def test_gradient_of_temperature():
    @jax.jit
    def temperature(x):
        sol = bx.solve(chain("fermion", 0.3 + x, 0.5 - x), MIXED, TS, bx.Volterra(points=512))
        return sol.temperature[5]

    slope, d = jax.grad(temperature)(0.0), 1e-4
    near, far = ((temperature(x) - temperature(-x)) / (2.0 * x) for x in (d, 2.0 * d))
    np.testing.assert_allclose(slope, (4.0 * near - far) / 3.0, rtol=1e-7)


@pytest.mark.slow
def test_at_rest():
    """Along a rise of all modes alike; a pure start has T = 0."""
    pure = bx.solve(chain("fermion"), bx.Covariance([[1.0, 0.0], [0.0, 0.0]]), TS[:1])
    assert pure.temperature[0] == 0.0
    thermal = bx.solve(chain("boson"), bx.Covariance([[0.5, 0.1], [0.1, 0.5]]), TS[:1])
    modular = np.linalg.eigvalsh([[0.5, 0.1], [0.1, 0.5]])
    expected = 1.7 / np.log1p(1.0 / modular).sum()
    np.testing.assert_allclose(thermal.temperature[0], expected, rtol=1e-13)
    np.testing.assert_allclose(thermal.chemical_potential[0], 0.85, rtol=1e-13)
    assert thermal.error.temperature[0] > 0.01


# --- thermal states ------------------------------------------------------------------------------


@pytest.mark.parametrize("statistics", ["boson", "fermion"])
@pytest.mark.parametrize(("T", "mu"), [(0.5, 0.2), (0.05, 0.1), (3.0, -1.0), (-0.5, 2.0)])
def test_a_thermal_state_is_found(statistics, T, mu):
    system = chain(statistics)
    e = np.linalg.eigvalsh(system.h)
    sign = 1.0 if statistics == "fermion" else -1.0
    f = 1.0 / (np.exp((e - mu) / T) + sign)
    state = bx.gibbs_state(system, e @ f, f.sum())
    np.testing.assert_allclose([state.temperature, state.chemical_potential], [T, mu], rtol=1e-9)
    of_fermions = -f * np.log(f) - (1.0 - f) * np.log(1.0 - f) if sign > 0.0 else 0.0
    of_bosons = (1.0 + f) * np.log(1.0 + f) - f * np.log(f) if sign < 0.0 else 0.0
    np.testing.assert_allclose(state.entropy, (of_fermions + of_bosons).sum(), rtol=1e-10)
    np.testing.assert_allclose(state.free_energy, e @ f - T * state.entropy, rtol=1e-10)
    np.testing.assert_allclose(state.grand_potential, state.free_energy - mu * f.sum(), rtol=1e-10)


@pytest.mark.slow
def test_partial_derivatives_of_the_thermal_state():
    """dE = T dS + mu dN, and derivatives by h."""
    system = chain("fermion")

    def entropy(E, N):
        return bx.gibbs_state(system, E, N).entropy

    state = bx.gibbs_state(system, 0.6, 0.8)
    by_energy, by_number = jax.grad(entropy, (0, 1))(0.6, 0.8)
    np.testing.assert_allclose(by_energy, 1.0 / state.temperature, rtol=1e-9)
    np.testing.assert_allclose(by_number, -state.chemical_potential / state.temperature, rtol=1e-8)

    def temperature(x):
        return bx.gibbs_state(chain("fermion", x), 0.6, 0.8).temperature

    expected = (temperature(0.3 + 1e-4) - temperature(0.3 - 1e-4)) / 2e-4
    np.testing.assert_allclose(jax.grad(temperature)(0.3), expected, rtol=1e-6)


def test_thermal_states_that_do_not_exist():
    system = chain("fermion")
    states = bx.gibbs_state(system, [0.0, 5.0, 0.5], [0.0, 1.0, 0.7])
    assert np.isnan(states.temperature).tolist() == [True, True, False]
    equal = bx.LinearSystem(2.0 * np.eye(2), system.channels, "fermion")
    state = bx.gibbs_state(equal, 1.0, 0.5)
    np.testing.assert_allclose(state.temperature, 2.0 / np.log(3.0), rtol=1e-13)
    assert state.chemical_potential == 0.0


@pytest.mark.slow
def test_both_readings_agree_in_slow_thermal_motion():
    """A weak bath of photons moves weakly coupled modes through nearly thermal states."""
    bath = bx.Reservoir(bx.Ohmic(1e-3, 3.0), 0.8)
    modes = bx.LinearSystem(
        [[1.0, 0.0], [0.0, 1.0]], [bx.Channel(bath, [1.0, 0.0]), bx.Channel(bath, [0.0, 1.0])]
    )
    n = 1.0 / np.expm1(1.0 / 0.4)
    sol = bx.solve(modes, bx.Covariance(n * np.eye(2)), [50.0, 150.0])
    state = bx.gibbs_state(modes, sol.energy, sol.number)
    np.testing.assert_allclose(sol.temperature, state.temperature, rtol=1e-9)
