"""Limit cycles, Floquet multipliers and runs that go on, with a reservoir that is one damped mode.

A Lorentzian J = gamma l^2 / (2 pi ((w - c)^2 + l^2)) with a constant occupation is a mode of
frequency c that is coupled by sqrt(gamma l / 2) and decays at the rate l.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import bathax as bx

GAMMA, WIDTH, CENTER, FILLED = 0.4, 0.5, 1.1, 0.3
PERIOD = 4.0
BATH = bx.Reservoir(bx.Lorentzian(GAMMA, WIDTH, CENTER), occupation=bx.Uniform(FILLED))
COLD = bx.Reservoir(bx.Lorentzian(0.2, 0.4, 0.8), occupation=bx.Uniform(0.05))
SOLVER = bx.Embedding(points=256)


def frequency(t):
    return 1.0 + 0.4 * jnp.sin(2.0 * jnp.pi * t / PERIOD)


CAVITY = bx.Cavity(frequency, BATH)


def generator(t):
    """Of the mode and the one that is its reservoir."""
    w, g = 1.0 + 0.4 * np.sin(2.0 * np.pi * t / PERIOD), np.sqrt(0.5 * GAMMA * WIDTH)
    return np.array([[-1j * w, -1j * g], [-1j * g, -1j * CENTER - WIDTH]])


@pytest.mark.slow
def test_a_limit_cycle():
    """Against the stationary state of the two modes, found by a long run."""

    def rate(t, flat):
        C = flat.reshape(2, 2)
        moved = generator(t) @ C
        gained = np.diag([0.0, 2.0 * WIDTH * FILLED])
        return (moved + moved.conj().T + gained).ravel()

    ts = 40.0 * PERIOD + PERIOD * np.linspace(0.0, 1.0, 65)
    start = np.diag([0.0, FILLED]).astype(complex).ravel()
    found = solve_ivp(rate, (0.0, ts[-1]), start, "DOP853", ts, rtol=1e-11, atol=1e-13).y
    cycle = bx.limit_cycle(CAVITY, PERIOD)
    assert cycle.status == 0
    np.testing.assert_allclose(cycle.solution.number, found[0].real, atol=1e-9)
    assert cycle.work == pytest.approx(float(np.sum(cycle.solution.energy_gain[-1])), abs=1e-9)
    # White noise keeps n at its own occupation, so that no work is done.
    assert cycle.work == pytest.approx(0.0, abs=1e-9)
    assert np.isnan(cycle.efficiency)


def test_floquet_multipliers():
    def rate(t, flat):
        return (generator(t) @ flat.reshape(2, 2)).ravel()

    start = np.eye(2, dtype=complex).ravel()
    U = solve_ivp(rate, (0.0, PERIOD), start, "DOP853", rtol=1e-12, atol=1e-14).y[:, -1]
    expected = np.linalg.eigvals(U.reshape(2, 2))
    found = bx.floquet_multipliers(CAVITY, PERIOD)
    assert found.status == 0
    assert np.min(np.abs(found.values[0] - expected)) < 1e-9
    free = bx.Reservoir(bx.Lorentzian(1e-12, 0.5, 1.0))
    alone = bx.floquet_multipliers(bx.Cavity(frequency, free), PERIOD)
    assert alone.values[0] == pytest.approx(np.exp(-1j * PERIOD), abs=1e-9)


@pytest.mark.slow
def test_without_a_drive_a_cycle_is_the_steady_state():
    channels = [bx.Channel(BATH, [1.0, 0.0]), bx.Channel(COLD, [0.0, 1.0])]
    modes = bx.LinearSystem([[1.0, 0.2], [0.2, 0.9]], channels)
    end, cycle = bx.steady_state(modes), bx.limit_cycle(modes, 1.0)
    np.testing.assert_allclose(cycle.solution.n[7], end.n, atol=1e-8)
    currents = cycle.solution.particle_current[7]
    np.testing.assert_allclose(currents, end.particle_current, atol=1e-8)
    assert cycle.work == 0.0


@pytest.mark.slow
def test_there_is_no_cycle_where_something_is_not_damped():
    bath = bx.Reservoir(bx.SemicircleBand(0.1, 0.0, 1.0), temperature=0.1)
    outside = bx.LinearSystem([[3.0]], bx.Channel(bath, [1.0]), "fermion")
    with pytest.warns(bx.ToleranceWarning):
        cycle = bx.limit_cycle(outside, 1.0, bx.Embedding(points=128))
    assert np.all(np.isnan(cycle.solution.number))


def engine(x):
    """Coupled to one reservoir and then to the other."""

    def turn(t, phase):
        return jnp.sin(jnp.pi * t / 12.0 + phase) ** 2

    channels = [
        bx.Channel(BATH, [1.0], switch=lambda t: turn(t, x[0])),
        bx.Channel(COLD, [1.0], switch=lambda t: turn(t, x[0] + 0.5 * jnp.pi)),
    ]

    def h(t):
        return (1.0 - x[1] * jnp.cos(2.0 * jnp.pi * t / 12.0 + x[2])).astype(complex)[None, None]

    return bx.LinearSystem(h, channels)


@pytest.mark.slow
def test_gradients_of_an_engine():
    @jax.jit
    def figures(x):
        cycle = bx.limit_cycle(engine(x), 12.0, SOLVER)
        return jnp.stack([cycle.work, cycle.efficiency])

    at, step = jnp.array([0.1, 0.3, 0.6]), 1e-3
    work, efficiency = figures(at)
    assert work < 0.0
    assert 0.0 < efficiency < 1.0
    found = jax.jacrev(figures)(at)
    for k, unit in enumerate(np.eye(3)):
        a, b, c, d = (figures(at + s * step * unit) for s in (-2.0, -1.0, 1.0, 2.0))
        slope = (a - 8.0 * b + 8.0 * c - d) / (12.0 * step)
        np.testing.assert_allclose(found[:, k], slope, atol=1e-7)


# --- runs that go on -----------------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_in_parts():
    """All quantities of a Fock state, in three parts of which the first one is not driven."""
    still = bx.Cavity(1.0, BATH)
    moving = bx.Cavity(lambda t: 1.0 + 0.3 * t, BATH)
    later = bx.Cavity(lambda t: 1.0 + 0.3 * (t + 1.0), BATH)
    first = bx.solve(still, bx.Fock(2), [0.0, 1.0, 2.0], bx.Volterra())
    whole = bx.solve(moving, bx.Continue(first), [0.0, 1.0, 2.0])
    second = bx.solve(moving, bx.Continue(first), [0.0, 1.0])
    third = bx.solve(later, bx.Continue(second), [0.0, 1.0])
    assert isinstance(third, bx.DrivenSolution)
    for name in ("number", "energy", "entropy", "temperature", "interaction_energy", "u", "v"):
        one, other = getattr(whole, name)[-1], getattr(third, name)[-1]
        assert abs(one - other) < 1e-9, name
    assert whole.number[0] == pytest.approx(float(first.number[-1]), abs=1e-9)
    for name in ("work", "heat", "entropy_production"):
        parts = getattr(second, name)[-1] + getattr(third, name)[-1]
        np.testing.assert_allclose(parts, getattr(whole, name)[-1], atol=1e-9, err_msg=name)
    np.testing.assert_allclose(third.populations[0], second.populations[-1], atol=1e-9)


@pytest.mark.slow
def test_a_run_that_has_not_begun_goes_on():
    first = bx.solve(CAVITY, bx.Fock(1), [0.0])
    one = bx.solve(CAVITY, bx.Continue(first), [0.0, 1.0])
    other = bx.solve(CAVITY, bx.Fock(1), [0.0, 1.0])
    np.testing.assert_allclose(one.number, other.number, atol=1e-10)


@pytest.mark.slow
def test_a_driven_level_begins_in_a_state_of_a_qubit():
    lead = bx.Reservoir(bx.FlatBand(0.5, -3.0, 3.0), temperature=0.2)
    channel = bx.Channel(lead, [1.0])
    level = bx.LinearSystem(lambda t: 0.1 * t.astype(complex)[None, None], channel, "fermion")
    sol = bx.solve(level, bx.Excited(), [0.0, 1.0])
    assert sol.initial.n.item() == 1.0
    then = bx.solve(level, bx.Continue(sol), [0.0, 1.0])
    assert then.number[0] == pytest.approx(float(sol.number[-1]), abs=1e-9)


@pytest.mark.slow
def test_a_correlated_run_goes_on():
    """From a stationary state, with a quench in the middle."""
    before, after = (bx.LinearSystem([[w]], bx.Channel(BATH, [1.0])) for w in (1.0, 1.4))
    stationary = bx.solve(before, bx.Stationary(before), [0.0, 1.0])
    one = bx.solve(after, bx.Continue(stationary), [0.0, 1.0])
    other = bx.solve(after, bx.Stationary(before), [0.0, 1.0])
    np.testing.assert_allclose(one.number, other.number, atol=1e-9)
    np.testing.assert_allclose(one.energy_gain, other.energy_gain, atol=1e-9)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: bx.Continue(bx.Fock(1)), "Argument `solution` must be a solution of a cavity"),
        (
            lambda: bx.solve(
                bx.Cavity(1.0, COLD),
                bx.Continue(bx.solve(bx.Cavity(1.0, BATH), bx.Fock(1), [0.0, 1.0])),
                [0.0, 1.0],
            ),
            "Argument `initial` must be a system with the reservoirs of the one that is solved",
        ),
        (lambda: bx.limit_cycle(CAVITY, -1.0), "Argument `period` must be positive and finite"),
        (lambda: bx.floquet_multipliers(CAVITY, 0.0), "Argument `period` must be positive"),
    ],
)
def test_bad_input(make, words):
    with pytest.raises(ValueError, match=words):
        make()
