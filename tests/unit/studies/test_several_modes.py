"""Sweeps of several modes and of their steady states, and fits to what was measured of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

TS = jnp.linspace(0.0, 4.0, 9)
BIASES = [0.0, 0.5, 1.0]


def dot(energy, bias, gamma=0.5):
    density = bx.FlatBand(gamma, -5.0, 5.0)
    leads = [bx.Reservoir(density, 0.2, sign * bias) for sign in (0.5, -0.5)]
    return bx.resonant_level(energy, leads)


def filling(energy, gamma):
    solver = bx.Volterra(points=128)
    return bx.solve(dot(energy, 1.0, gamma), bx.Covariance([[0.0]]), TS, solver)


@pytest.mark.slow
def test_a_sweep_of_steady_states():
    found = bx.sweep(
        lambda bias: bx.steady_state(dot(0.3, bias)), {"bias": BIASES}, derivatives=["bias"]
    )
    assert found.particle_current.dims == ("bias", "channel")
    assert found.n.dims == ("bias", "mode", "other_mode")
    assert found.particle_current_by_bias.dims == ("bias", "channel")
    assert found.particle_current.attrs["units"] == "energy"
    one = bx.steady_state(dot(0.3, 1.0))
    np.testing.assert_allclose(found.particle_current[-1], one.particle_current, rtol=1e-12)
    np.testing.assert_array_equal(found.status, [0, 0, 0])
    slope = jax.jacfwd(lambda bias: bx.steady_state(dot(0.3, bias)).particle_current)(1.0)
    np.testing.assert_allclose(found.particle_current_by_bias[-1], slope, rtol=1e-10)


@pytest.mark.slow
def test_a_sweep_of_solutions_keeps_elements():
    found = bx.sweep(
        lambda energy: filling(energy, 0.5),
        {"energy": [0.0, 0.3]},
        ["particle_current_1", "n_0_0", "energy_current"],
    )
    assert set(found.data_vars) == {
        *("particle_current_1", "particle_current_1_error", "n_0_0", "n_0_0_error"),
        *("energy_current", "energy_current_error", "status"),
    }
    assert found.energy_current.dims == ("energy", "time", "channel")
    sol = filling(0.3, 0.5)
    np.testing.assert_allclose(found.particle_current_1[1], sol.particle_current[:, 1], atol=1e-10)
    np.testing.assert_allclose(found.n_0_0[1], sol.number, atol=1e-10)
    assert not np.iscomplexobj(found.n_0_0)


def test_an_axis_is_not_called_like_a_dimension():
    with pytest.raises(ValueError, match="named unlike the quantities, time and their dimensions"):
        bx.sweep(lambda channel: bx.steady_state(dot(channel, 1.0)), {"channel": [0.0]})


@pytest.mark.slow
def test_a_fit_to_currents_and_populations():
    sol = filling(0.3, 0.5)
    data = bx.Data(
        TS,
        particle_current_1=(sol.particle_current[:, 1], 1e-3),
        n_0_0=(sol.number, 1e-3),
        abs_u_0_0=(jnp.abs(sol.u[:, 0, 0]), 1e-3),
    )
    found = bx.fit(filling, data, {"energy": 0.2, "gamma": 0.4}, starts=1)
    assert found.converged
    np.testing.assert_allclose(found.best, [0.3, 0.5], atol=1e-6)


@pytest.mark.slow
def test_a_fit_to_a_steady_curve():
    """The bias takes the place of the time."""

    def curve(energy, gamma):
        def one(bias):
            return bx.steady_state(dot(energy, bias, gamma)).particle_current[1]

        return {"current": jax.lax.map(one, data.t)}

    exact = [bx.steady_state(dot(0.3, bias)).particle_current[1].item() for bias in BIASES]
    data = bx.Data(BIASES, current=(exact, 1e-4))
    found = bx.fit(curve, data, {"energy": 0.2, "gamma": 0.4}, starts=1)
    np.testing.assert_allclose(found.best, [0.3, 0.5], atol=1e-6)
