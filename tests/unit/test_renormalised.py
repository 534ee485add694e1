"""The renormalised frequency and the thermodynamics with it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx


def ohmic(ratio, T=20.0):
    return bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.2 * ratio, 5.0), temperature=T))


def solved(ratio, stop, count, T=20.0, state=None):
    cavity = ohmic(ratio, T)
    state = bx.Thermal(5.0) if state is None else state
    sol = bx.solve(cavity, state, jnp.linspace(0.0, stop, count), bx.Resonance())
    return cavity, sol, bx.renormalised(cavity, sol)


@pytest.mark.parametrize(("ratio", "expected"), [(0.1, 19.635), (0.3, 18.245), (0.5, 15.995)])
def test_known_temperatures_on_the_plateau(ratio, expected):
    cavity, _, own = solved(ratio, 40.0, 401)
    n = bx.long_time_limit(cavity).noise
    T = own.plateau / jnp.log1p(1.0 / n)
    assert float(T) == pytest.approx(expected, abs=5e-4)


def test_the_plateau_ends():
    """w^r(t) of a tenth of the critical coupling: .8838 at t = 100, .9027 at 300, .0051 at 400."""
    _, sol, own = solved(0.1, 400.0, 401)
    np.testing.assert_allclose(
        own.frequency[np.array([100, 300, 400])], [0.8838, 0.9027, 0.0051], atol=5e-5
    )
    on = np.asarray(own.on_plateau)
    # At the start the quanta are in the bare mode, and w^r is w_s.
    assert not on[0]
    assert own.frequency[0] == 1.0
    assert 240.0 < sol.t[on][-1] < 260.0
    assert np.abs(own.frequency[on] / own.plateau - 1.0).max() < 0.1


def test_the_plateau_of_a_bound_state_lasts():
    cavity, _, own = solved(1.5, 400.0, 401)
    (bound,) = bx.bound_states(cavity).frequencies
    assert float(own.plateau) == pytest.approx(float(bound), rel=1e-12)
    assert own.plateau < 0.0
    assert jnp.all(own.on_plateau[10:])
    np.testing.assert_allclose(own.frequency[-1], own.plateau, rtol=1e-4)


def test_first_law_and_temperature():
    """Q against an integral on other times; T^r is dQ/dS at each time."""
    _, sol, own = solved(0.3, 20.0, 801)
    np.testing.assert_allclose(own.energy - own.energy[0], own.heat + own.work, atol=1e-12)
    fine, many = solved(0.3, 20.0, 6401)[1:]
    w = many.frequency
    n = fine.number
    sums = np.zeros(801)
    steps = (jnp.diff(n) * 0.5 * (w[1:] + w[:-1])).reshape(800, 8)
    sums[1:] = np.cumsum(steps.sum(axis=1))
    np.testing.assert_allclose(own.heat, sums, atol=5e-5)
    true = np.abs(own.heat - many.heat[::8])
    assert np.all(true <= 10.0 * own.error.heat + many.error.heat[::8])
    assert own.error.heat[-1] < 1e-3
    rate = own.frequency * sol.energy_rate
    np.testing.assert_allclose(own.temperature[50:], rate[50:] / sol.entropy_rate[50:], rtol=1e-6)


def test_errors_are_honest():
    """Of the frequency, against one of a finer solution."""
    cavity, ts = ohmic(0.5), jnp.linspace(0.0, 40.0, 41)
    coarse = bx.solve(cavity, bx.Fock(5), ts, bx.Volterra(rtol=1e-5))
    fine = bx.renormalised(cavity, bx.solve(cavity, bx.Fock(5), ts, bx.Resonance()))
    found = bx.renormalised(cavity, coarse)
    for name in ("frequency", "energy", "temperature", "free_energy"):
        true = np.abs(getattr(found, name) - getattr(fine, name))
        sure = 10.0 * (getattr(found.error, name) + getattr(fine.error, name))
        assert np.all(true <= sure), name


def test_under_jit_vmap_and_grad():
    ts = jnp.linspace(0.0, 40.0, 41)

    def at(eta):
        cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), temperature=20.0))
        return bx.renormalised(cavity, bx.solve(cavity, bx.Thermal(5.0), ts, bx.Resonance()))

    found = jax.jit(jax.vmap(at))(jnp.array([0.02, -0.1, 0.1]))
    assert jnp.all(jnp.isnan(found.frequency[1]))
    assert not jnp.any(found.on_plateau[1])
    np.testing.assert_allclose(
        found.plateau[jnp.array([0, 2])], [0.88355994, 0.39985772], atol=1e-8
    )
    slope = jax.grad(lambda eta: at(eta).temperature[20])(0.02)
    change = [float(at(0.02 + h).temperature[20]) for h in (1e-5, -1e-5)]
    np.testing.assert_allclose(slope, (change[0] - change[1]) / 2e-5, rtol=1e-6)


def test_without_coupling_and_at_the_critical_one():
    """A free mode is on its plateau for ever; at eta_c the pole has merged with the edge."""
    ts = jnp.linspace(0.0, 20.0, 21)
    for eta, plateau in ((0.0, 1.0), (0.2, jnp.nan)):
        cavity = bx.Cavity(1, bx.Reservoir(bx.Ohmic(eta, 5.0), temperature=0))
        own = bx.renormalised(cavity, bx.solve(cavity, bx.Fock(2), ts))
        np.testing.assert_array_equal(own.plateau, plateau)
        assert jnp.all(own.on_plateau) == (eta == 0.0)
    # Just below it is the pole that goes to 0, not the memory of the reservoir.
    _, _, own = solved(0.9995, 20.0, 21)
    assert 0.0 < own.plateau < 3e-4


def test_what_is_refused():
    cavity, ts = ohmic(0.5), jnp.linspace(0.0, 4.0, 3)
    few = bx.solve(cavity, bx.Fock(5), ts, bx.Resonance())
    with pytest.raises(ValueError, match="5 times or more"):
        bx.renormalised(cavity, few)
    other = bx.Cavity(2.0, cavity.reservoirs)
    enough = bx.solve(cavity, bx.Fock(5), jnp.linspace(0.0, 4.0, 5), bx.Resonance())
    with pytest.raises(ValueError, match="of this `cavity`"):
        bx.renormalised(other, enough)
