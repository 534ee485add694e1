"""Poles, turns and settling of trajectories made by hand."""

import numpy as np
import pytest

from bathax.studies import trajectory

T = np.linspace(0.0, 2.0, 40)


def test_wide_pole(made_of):
    (pole,) = trajectory.poles(made_of(np.full(40, -1.0), 0.7 - T))
    assert pole.time == pytest.approx(0.7)
    decay = 2.0 * np.pi * 0.1 * np.exp(-0.2)
    assert pole.transmission == pytest.approx(np.exp(-0.7 * decay), rel=1e-3)
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
    assert trajectory.poles(solution) == []


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
