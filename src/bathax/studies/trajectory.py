"""Features of a solution in time: poles of T, extrema of S, settling times."""

from typing import Any, NamedTuple

import numpy as np

from bathax.solution.results import QubitSolution, Solution

Trajectory = Solution | QubitSolution


class TemperaturePole(NamedTuple):
    """A pole of the dynamical temperature T(t).

    `time` at which T goes through infinity, `entropy` S there, and T at the samples `before` and
    `after`.

    >>> qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.01, 5.0), temperature=1.0))
    >>> sol = bx.solve(qubit, bx.Excited(), jnp.linspace(0.0, 40.0, 9), bx.VanHove())
    >>> [pole] = bx.temperature_poles(sol)
    >>> f"{pole.before:.1f}, {pole.after:.1f}, {pole.entropy:.2f}"  # S near ln 2
    '-27.5, 2.6, 0.69'
    """

    time: float
    entropy: float
    before: float
    after: float


def temperature_poles(solution: Trajectory) -> list[TemperaturePole]:
    """The instants at which the dynamical temperature T(t) = E'(t) / S'(t) is infinite.

    There dS/dt = 0 while dE/dt is not: S is largest, and T jumps from minus to plus infinity (AHZ
    Eqs. 9-11, Figs. 4, 6). For a qubit without coherence these are the instants with p = 1/2. Poles
    are left out if dE/dt vanishes within one sample of dS/dt, and if T is not resolved. They are
    located between samples by linear interpolation, with an error of second order in their spacing.
    For concrete values only. Above `critical_temperature` a cavity has none.

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.002, 5.0), temperature=3.0))
    >>> ts = jnp.linspace(40.0, 80.0, 9)
    >>> solution = bx.solve(cavity, bx.Fock(5), ts, bx.BornMarkov())
    >>> [round(pole.time) for pole in bx.temperature_poles(solution)]
    [58]
    """
    t, temperature = np.asarray(solution.t), np.asarray(solution.temperature)
    signal, (intervals, _) = _signal(solution), pole_intervals(solution)
    times = t[intervals] - np.diff(t)[intervals] * signal[intervals] / np.diff(signal)[intervals]
    entropy = np.interp(times, t, solution.entropy)
    columns = (times, entropy, temperature[intervals], temperature[intervals + 1])
    return [TemperaturePole(*map(float, row)) for row in zip(*columns, strict=True)]


def pole_intervals(solution: Any) -> tuple[np.ndarray, np.ndarray]:
    """The samples just before the poles of T: of wide poles, and of narrow ones.

    `solution` has the quantities of a solution under their names.

    A pole is narrow if dE/dt vanishes within one sample of dS/dt, so that pole and zero almost
    cancel. A qubit without coherence has none: both rates have the factor dp/dt, where
    T = w_s / ln((1 - p)/p) is regular.
    """
    found = _crossings(_signal(solution))
    energy = _crossings(solution.energy_rate)
    narrow = np.any(np.abs(found[:, None] - energy[None, :]) <= 1, axis=1)
    if _is_diagonal(solution):
        narrow = np.zeros_like(narrow)
    resolved = np.asarray(solution.temperature_resolved)
    resolved = resolved[found] & resolved[found + 1]
    return found[resolved & ~narrow], found[resolved & narrow]


def _signal(solution: Any) -> np.ndarray:
    """A signal that passes zero at a pole of T: dS/dt, or 1/2 - p for a qubit without coherence."""
    if _is_diagonal(solution):
        return 0.5 - np.asarray(solution.number)
    return np.asarray(solution.entropy_rate)


def _is_diagonal(solution: Any) -> bool:
    return hasattr(solution, "coherence") and not np.any(solution.coherence)


def _crossings(values: Any) -> np.ndarray:
    values = np.asarray(values)
    return np.flatnonzero(values[:-1] * values[1:] < 0.0)


def always_rises(solution: Trajectory) -> bool:
    """Whether the entropy grows at all times, up to the error of dS/dt."""
    return bool(np.all(np.asarray(solution.entropy_rate + solution.error.entropy_rate) >= 0.0))


def turns(solution: Trajectory) -> int:
    """How often dS/dt changes its sign by more than its error."""
    rate = np.asarray(solution.entropy_rate)
    return len(_crossings(rate[np.abs(rate) > np.asarray(solution.error.entropy_rate)]))


def largest_fall(values: Any) -> float:
    """The largest fall of the values below an earlier maximum."""
    values = np.asarray(values)
    return float(np.max(np.maximum.accumulate(values) - values, initial=0.0))


def negative_until(solution: Trajectory) -> float:
    """The last time at which T is negative, 0 if there is none."""
    return _last_time(solution, np.asarray(solution.temperature) < 0.0)


def settling_time(solution: Trajectory, final: float) -> float:
    """The last time at which E is more than 1% away from `final`."""
    return _last_time(solution, np.abs(np.asarray(solution.energy) - final) > 0.01 * final)


def _last_time(solution: Trajectory, mask: np.ndarray) -> float:
    return float(np.max(np.asarray(solution.t), where=mask, initial=0.0))


def late_swing(solution: Trajectory) -> float:
    """Largest minus smallest T in the second half of the time."""
    late = np.asarray(solution.t) > 0.5 * float(solution.t[-1])
    return float(np.ptp(np.asarray(solution.temperature)[late]))
