"""What a solution does in time: poles of T, turns of S, when it settles."""

from typing import Any, NamedTuple

import numpy as np

from bathax.solution import Solution


class Pole(NamedTuple):
    """An instant at which T goes through infinity: dS/dt has a zero there and dE/dt has none."""

    time: float
    entropy: float
    transmission: float
    before: float
    after: float


def poles(solution: Solution) -> list[Pole]:
    """The poles of T, with S and |u|^2 there and T at the samples before and after."""
    t, rate, temperature = (
        np.asarray(getattr(solution, name)) for name in ("t", "entropy_rate", "temperature")
    )
    intervals, _ = pole_intervals(solution)
    times = t[intervals] + np.diff(t)[intervals] * rate[intervals] / -np.diff(rate)[intervals]
    entropy = np.interp(times, t, solution.entropy)
    transmission = np.interp(times, t, np.abs(solution.u) ** 2)
    columns = (times, entropy, transmission, temperature[intervals], temperature[intervals + 1])
    return [Pole(*map(float, row)) for row in zip(*columns, strict=True)]


def pole_intervals(solution: Solution) -> tuple[np.ndarray, np.ndarray]:
    """Which samples come just before a pole of T: of wide poles, and of narrow ones.

    A pole is narrow where dE/dt vanishes within a sample of dS/dt, so that the two almost cancel.
    """
    entropy, energy = _crossings(solution.entropy_rate), _crossings(solution.energy_rate)
    narrow = np.any(np.abs(entropy[:, None] - energy[None, :]) <= 1, axis=1)
    resolved = np.asarray(solution.temperature_resolved)
    resolved = resolved[entropy] & resolved[entropy + 1]
    return entropy[resolved & ~narrow], entropy[resolved & narrow]


def _crossings(values: Any) -> np.ndarray:
    values = np.asarray(values)
    return np.flatnonzero(values[:-1] * values[1:] < 0.0)


def always_rises(solution: Solution) -> bool:
    """Whether the entropy grows at all times, up to the error of dS/dt."""
    return bool(np.all(np.asarray(solution.entropy_rate + solution.error.entropy_rate) >= 0.0))


def turns(solution: Solution) -> int:
    """How often the entropy turns, beyond the error of dS/dt."""
    rate = np.asarray(solution.entropy_rate)
    return len(_crossings(rate[np.abs(rate) > np.asarray(solution.error.entropy_rate)]))


def largest_fall(values: Any) -> float:
    """How far the values fall below what they had reached before."""
    values = np.asarray(values)
    return float(np.max(np.maximum.accumulate(values) - values, initial=0.0))


def negative_until(solution: Solution) -> float:
    """The last time at which T is negative, 0 if there is none."""
    return _last_time(solution, np.asarray(solution.temperature) < 0.0)


def settling_time(solution: Solution, final: float) -> float:
    """The last time at which E is more than 1% away from `final`."""
    return _last_time(solution, np.abs(np.asarray(solution.energy) - final) > 0.01 * final)


def _last_time(solution: Solution, mask: np.ndarray) -> float:
    return float(np.max(np.asarray(solution.t), where=mask, initial=0.0))


def late_swing(solution: Solution) -> float:
    """Largest minus smallest T in the second half of the time."""
    late = np.asarray(solution.t) > 0.5 * float(solution.t[-1])
    return float(np.ptp(np.asarray(solution.temperature)[late]))
