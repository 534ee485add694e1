"""Poles, turns and settling of trajectories made by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import bathax as bx
from bathax.qubit.elements import MapElements, MapSolver
from bathax.studies import trajectory
from tests.unit.qubit.maps import returned

T = np.linspace(0.0, 2.0, 40)


def test_wide_pole(made_of):
    (pole,) = trajectory.temperature_poles(made_of(np.full(40, -1.0), 0.7 - T))
    assert pole.time == pytest.approx(0.7)
    assert pole.before < -20.0
    assert pole.after > 20.0


def test_narrow_pole_beside_a_zero_of_the_energy(made_of):
    solution = made_of(0.71 - T, 0.7 - T)
    wide, narrow = trajectory.pole_intervals(solution)
    assert (len(wide), len(narrow)) == (0, 1)
    assert T[narrow[0]] < 0.7 < T[narrow[0] + 1]


def test_no_pole_at_a_zero_of_the_energy_alone(made_of):
    wide, narrow = trajectory.pole_intervals(made_of(0.7 - T, np.ones(40)))
    assert (len(wide), len(narrow)) == (0, 0)


def test_unresolved_temperatures_have_no_poles(made_of):
    solution = made_of(np.full(40, -1.0), 0.7 - T, temperature_resolved=T < 0.5)
    assert trajectory.temperature_poles(solution) == []


class Returning(MapSolver):
    """u = e^{-it} cos t in the vacuum: the excitation goes and comes back whole."""

    def map_elements(self, qubit, ts):  # noqa: ARG002
        turn, u, du = jnp.exp(-1j * ts.astype(complex)), jnp.cos(ts), -jnp.sin(ts)
        rate = turn * lax.complex(du, -u)
        zero, slope = jnp.zeros_like(ts), 2.0 * u * du
        value = MapElements(u**2, zero + 1.0, turn * u.astype(complex), slope, zero, rate)
        error = jax.tree.map(lambda x: jnp.full(x.shape, 1e-14), value)
        return returned(ts, value, error)


def atom(initial):
    """A whole period of it, in which |u|^2 = 1/2 four times."""
    qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0)))
    return bx.solve(qubit, initial, jnp.linspace(0.0, 2.0 * jnp.pi, 150), Returning())


def test_poles_of_an_atom_are_where_half_is_left():
    """At |u|^2 = 0 and 1 dE/dt and dS/dt vanish together, without a pole."""
    solution = atom(bx.Excited())
    wide, narrow = trajectory.pole_intervals(solution)
    assert (len(wide), len(narrow)) == (4, 0)
    found = trajectory.temperature_poles(solution)
    halves = np.pi * np.array([0.25, 0.75, 1.25, 1.75])
    assert [pole.time for pole in found] == pytest.approx(halves, abs=1e-4)
    assert [pole.entropy for pole in found] == pytest.approx([np.log(2.0)] * 4, abs=1e-3)
    assert [pole.before < 0.0 for pole in found] == [True, False, True, False]


def test_poles_of_an_atom_with_coherence_are_where_its_entropy_turns():
    solution = atom(bx.Bloch(0.6, 0.0, 0.8))
    rate, resolved = np.asarray(solution.entropy_rate), np.asarray(solution.temperature_resolved)
    turning = np.flatnonzero((rate[:-1] * rate[1:] < 0.0) & resolved[:-1] & resolved[1:])
    wide, narrow = trajectory.pole_intervals(solution)
    assert turning.size > 0
    assert sorted([*wide, *narrow]) == turning.tolist()


def test_entropy_that_rises_and_one_that_turns(made_of):
    rising = made_of(np.ones(40), 1.0 + T)
    turning = made_of(np.ones(40), np.cos(4.0 * T))
    assert (trajectory.always_rises(rising), trajectory.turns(rising)) == (True, 0)
    assert (trajectory.always_rises(turning), trajectory.turns(turning)) == (False, 3)


def test_largest_fall():
    assert trajectory.largest_fall([1.0, 3.0, 2.5, 4.0, 2.0, 5.0]) == 2.0
    assert trajectory.largest_fall([1.0, 2.0]) == trajectory.largest_fall([]) == 0.0


def test_last_times(made_of):
    solution = made_of(T - 0.5, np.ones(40), energy=10.0 + np.exp(-5.0 * T))
    assert trajectory.negative_until(solution) == T[T < 0.5][-1]
    away = np.exp(-5.0 * T) > 0.1
    assert trajectory.settling_time(solution, 10.0) == T[away][-1]
    assert trajectory.settling_time(solution, 10.5) == T[-1]


def test_late_swing(made_of):
    solution = made_of(T, np.ones(40))
    assert trajectory.late_swing(solution) == pytest.approx(2.0 - T[T > 1.0][0])
