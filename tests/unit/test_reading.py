"""The three readings of a solution; most of it on the renormalised one, which has a plateau."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

KINDS = ("bare", "renormalised", "mean_force")


def ohmic(ratio, T=20.0):
    return bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.2 * ratio, 5.0), temperature=T))


def solved(ratio, stop, count, T=20.0, state=None):
    cavity = ohmic(ratio, T)
    state = bx.Thermal(5.0) if state is None else state
    sol = bx.solve(cavity, state, jnp.linspace(0.0, stop, count), bx.Resonance())
    return cavity, sol, bx.reading(sol, "renormalised")


@pytest.mark.slow
@pytest.mark.parametrize(("ratio", "expected"), [(0.1, 19.635), (0.3, 18.245), (0.5, 15.995)])
def test_known_temperatures_on_the_plateau(ratio, expected):
    cavity, _, own = solved(ratio, 40.0, 401)
    n = bx.long_time_limit(cavity).noise
    T = own.plateau / jnp.log1p(1.0 / n)
    assert float(T) == pytest.approx(expected, abs=5e-4)


@pytest.mark.slow
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


@pytest.mark.slow
def test_first_law_and_temperature():
    """Q against an integral on other times; T^r is dQ/dS at each time."""
    _, sol, own = solved(0.3, 20.0, 801)
    on, start = np.asarray(own.on_plateau), 5.0
    np.testing.assert_allclose((own.energy - own.heat - own.work)[on], start, rtol=1e-13)
    fine, many = solved(0.3, 20.0, 6401)[1:]
    w = many.frequency
    n = fine.number
    sums = np.zeros(801)
    steps = (jnp.diff(n) * 0.5 * (w[1:] + w[:-1])).reshape(800, 8)
    sums[1:] = np.cumsum(steps.sum(axis=1))
    np.testing.assert_allclose(own.heat[on], sums[on], atol=5e-5)
    true = np.abs(own.heat - many.heat[::8])[on]
    assert np.all(true <= (10.0 * own.error.heat + many.error.heat[::8])[on])
    assert own.error.heat[-1] < 1e-3
    rate = own.frequency * sol.energy_rate
    np.testing.assert_allclose(own.temperature[50:], rate[50:] / sol.entropy_rate[50:], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_errors_are_honest(kind):
    """Against those of a finer solution."""
    cavity, ts = ohmic(0.5), jnp.linspace(0.0, 40.0, 41)
    coarse = bx.solve(cavity, bx.Fock(5), ts, bx.Volterra(rtol=1e-5))
    exact = bx.solve(cavity, bx.Fock(5), ts, bx.Resonance())
    fine, found = (bx.reading(sol, kind) for sol in (exact, coarse))
    for name, error in vars(found.error).items():
        true = np.abs(getattr(found, name) - getattr(fine, name))[fine.on_plateau]
        sure = 10.0 * (error + getattr(fine.error, name))[fine.on_plateau]
        assert np.all(true <= sure), name


@pytest.mark.slow
def test_under_jit_vmap_and_grad():
    ts = jnp.linspace(0.0, 40.0, 41)

    def at(eta):
        cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), temperature=20.0))
        return bx.reading(bx.solve(cavity, bx.Thermal(5.0), ts, bx.Resonance()), "renormalised")

    found = jax.jit(jax.vmap(at))(jnp.array([0.02, -0.1, 0.1]))
    assert jnp.all(jnp.isnan(found.frequency[1]))
    assert not jnp.any(found.on_plateau[1])
    np.testing.assert_allclose(
        found.plateau[jnp.array([0, 2])], [0.88355994, 0.39985772], atol=1e-8
    )
    slope = jax.grad(lambda eta: at(eta).temperature[20])(0.02)
    change = [float(at(0.02 + h).temperature[20]) for h in (1e-5, -1e-5)]
    np.testing.assert_allclose(slope, (change[0] - change[1]) / 2e-5, rtol=1e-6)


@pytest.mark.slow
def test_without_coupling_and_at_the_critical_one():
    """A free mode is on its plateau for ever; at eta_c the pole has merged with the edge."""
    ts = jnp.linspace(0.0, 20.0, 21)
    for eta, plateau in ((0.0, 1.0), (0.2, jnp.nan)):
        cavity = bx.Cavity(1, bx.Reservoir(bx.Ohmic(eta, 5.0), temperature=0))
        own = bx.reading(bx.solve(cavity, bx.Fock(2), ts), "renormalised")
        np.testing.assert_array_equal(own.plateau, plateau)
        assert jnp.all(own.on_plateau) == (eta == 0.0)
    # Just below it is the pole that goes to 0, not the memory of the reservoir.
    _, _, own = solved(0.9995, 20.0, 21)
    assert 0.0 < own.plateau < 3e-4


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_where_it_is_masked(kind):
    """Only the frequency is known off the plateau; the other readings have none to leave."""
    sol = solved(0.1, 400.0, 41)[1]
    own = bx.reading(sol, kind)
    gone = ~np.asarray(own.on_plateau)
    assert gone.any() == (kind == "renormalised")
    for name, error in vars(own.error).items():
        value = getattr(own, name)
        known = np.zeros(41, bool) if name == "frequency" else gone
        np.testing.assert_array_equal(np.isnan(value), known, name)
        np.testing.assert_array_equal(np.isinf(error), known, name)
    assert own.status == 0
    assert "The requested tolerance was reached." in repr(own)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_derivatives(kind):
    """By coupling and temperature, against differences."""
    ts, names = jnp.linspace(0.0, 20.0, 11), ("energy", "entropy", "temperature", "heat")

    @jax.jit
    def at(x):
        cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(x[0], 5.0), temperature=x[1]))
        own = bx.reading(bx.solve(cavity, bx.Thermal(2.0), ts, bx.Resonance()), kind)
        return jnp.stack([getattr(own, name)[-1] for name in (*names, "free_energy")])

    x, h = jnp.array([0.05, 2.0]), 1e-4
    for k, slope in enumerate(jax.jacfwd(at)(x).T):
        step = h * jnp.eye(2)[k]
        near, far = ((at(x + m * step) - at(x - m * step)) / (2 * m * h) for m in (1, 2))
        np.testing.assert_allclose(slope, (4.0 * near - far) / 3.0, rtol=2e-8, atol=1e-9)


@pytest.mark.slow
def test_the_bare_one_of_a_driven_cavity_has_its_work():
    bath = bx.Reservoir(bx.Ohmic(0.1, 2.0), temperature=1.0)
    cavity = bx.Cavity(lambda t: 1.5 + 0.5 * jnp.tanh(2.0 * (t - 4.0)), bath)
    sol = bx.solve(cavity, bx.Thermal(0.5), jnp.linspace(0.0, 8.0, 801))
    own = bx.reading(sol, "bare")
    w, n = np.asarray(own.frequency), np.asarray(sol.number)
    np.testing.assert_allclose(own.work[-1], np.sum(np.diff(w) * 0.5 * (n[1:] + n[:-1])), rtol=1e-5)
    np.testing.assert_allclose(own.heat[-1], np.sum(np.diff(n) * 0.5 * (w[1:] + w[:-1])), rtol=1e-4)
    with pytest.raises(ValueError, match="constant in time"):
        bx.reading(sol, "renormalised")
    with pytest.raises(ValueError, match="constant in time"):
        bx.reading(sol, "mean_force")


def test_what_is_refused():
    cavity, ts = ohmic(0.5), jnp.linspace(0.0, 4.0, 3)
    few = bx.solve(cavity, bx.Fock(5), ts, bx.Resonance())
    with pytest.raises(ValueError, match="5 times or more"):
        bx.reading(few, "renormalised")
    with pytest.raises(ValueError, match="one of bare, renormalised, mean_force"):
        bx.reading(few, "local")
    with pytest.raises(ValueError, match="as `solve` returns it"):
        bx.reading(dataclasses.replace(few, origin=None), "bare")
    atom = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.01, 5.0), temperature=1.0))
    warm = bx.solve(atom, bx.Excited(), jnp.linspace(0.0, 4.0, 5), bx.VanHove())
    with pytest.raises(ValueError, match="empty"):
        bx.reading(warm, "renormalised")
    with pytest.raises(ValueError, match="a `Cavity` or a `LinearSystem`"):
        bx.reading(warm, "mean_force")


@pytest.mark.slow
def test_bad_points_of_a_batch():
    ts = jnp.linspace(0.0, 4.0, 5)

    def at(ratio, kind):
        cavity = ohmic(ratio)
        return bx.reading(bx.solve(cavity, bx.Thermal(1.0), ts, bx.Resonance()), kind)

    for kind in KINDS:
        found = jax.jit(jax.vmap(lambda ratio, kind=kind: at(ratio, kind)))(jnp.array([0.5, -0.1]))
        assert found.status.tolist() == [0, 2]
        for name in vars(found.error):
            assert jnp.all(jnp.isnan(getattr(found, name)[1])), (kind, name)
