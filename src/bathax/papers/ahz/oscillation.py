"""Strong coupling: the decay of the oscillation beside a bound state (AHZ Fig. 2c)."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from bathax.papers.ahz.parameters import FULL, STRONG, WARM, Effort, ohmic_cavity, solved
from bathax.solution.results import Solution

WINDOWS = ((20.0, 60.0), (150.0, 250.0), (900.0, 1000.0))


class Samples(NamedTuple):
    """v and v' at times close enough to see every extremum."""

    t: np.ndarray
    v: np.ndarray
    dv: np.ndarray

    def extrema(self) -> tuple[np.ndarray, np.ndarray]:
        """Times and values, by parabolas through a sample and the slopes around an extremum."""
        t, v, dv = self
        at = np.flatnonzero(dv[:-1] * dv[1:] < 0.0)
        delay = np.diff(t)[at] * dv[at] / (dv[at] - dv[at + 1])
        return t[at] + delay, v[at] + 0.5 * dv[at] * delay

    def amplitude(self) -> float:
        """Largest minus smallest value."""
        return float(np.ptp(np.concatenate([self.v, self.extrema()[1]])))

    def swings(self) -> tuple[np.ndarray, np.ndarray]:
        """Times in between, and the size of the change, from each extremum to the next one."""
        t, v = self.extrema()
        return 0.5 * (t[1:] + t[:-1]), np.abs(np.diff(v))


class Oscillation(NamedTuple):
    """A solution at times in separate windows, each a slice of its arrays."""

    solution: Solution
    windows: tuple[slice, ...]

    def parts(self) -> list[Samples]:
        """The samples of v in each window."""
        t, v, dv = (np.asarray(getattr(self.solution, name)) for name in Samples._fields)
        return [Samples(t[window], v[window], dv[window]) for window in self.windows]

    def swings(self) -> tuple[np.ndarray, np.ndarray]:
        """Times, and the change of v from each extremum to the next one."""
        times, sizes = zip(*(part.swings() for part in self.parts()), strict=True)
        return np.concatenate(times), np.concatenate(sizes)

    def exponent(self) -> float:
        """The exponent p of swings ~ t^p, NaN for fewer than two swings."""
        t, sizes = self.swings()
        return float(np.polyfit(np.log(t), np.log(sizes), 1)[0]) if len(t) > 1 else float("nan")


def oscillation(effort: Effort = FULL) -> Oscillation:
    """Strong coupling from n0 = 5 in three windows up to t = 1000 / w_s, the first from t = 20."""
    ends = np.linspace(0, effort.times, len(WINDOWS) + 1).astype(int)
    windows = tuple(slice(start, stop) for start, stop in pairwise(ends))
    parts = [
        np.linspace(*span, window.stop - window.start)
        for span, window in zip(WINDOWS, windows, strict=True)
    ]
    ts = np.concatenate(parts)
    return Oscillation(solved(ohmic_cavity(STRONG, WARM), 5, ts, effort.solver), windows)
