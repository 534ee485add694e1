"""The error of the Born-Markov approximation of a cavity by coupling (text of AHZ)."""

from typing import NamedTuple

import numpy as np

from bathax.cavity.solvers import BornMarkov
from bathax.papers.ahz.parameters import (
    CRITICAL,
    CUTOFF,
    FREQUENCY,
    FULL,
    WARM,
    Effort,
    ohmic_cavity,
    solved,
)
from bathax.papers.times import graded
from bathax.solution.results import Solution

RATIOS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)


class Comparison(NamedTuple):
    """The same case solved exactly and by the Born-Markov approximation."""

    exact: Solution
    born_markov: Solution

    def deviation(self, name: str) -> float:
        """The largest difference of a quantity over time, relative to its largest exact value."""
        exact, other = (np.asarray(getattr(solution, name)) for solution in self)
        return float(np.max(np.abs(other - exact)) / np.max(np.abs(exact)))


def markov(effort: Effort = FULL) -> dict[float, Comparison]:
    """n0 = 5, kT0 = 20 over three golden-rule lifetimes, at least 40 / w_s: {ratio: ...}."""

    def compare(ratio: float) -> Comparison:
        cavity = ohmic_cavity(ratio, WARM)
        density = ratio * CRITICAL * FREQUENCY * np.exp(-FREQUENCY / CUTOFF)
        stop = max(40.0, 3.0 / (2.0 * np.pi * density))
        ts, exact = graded(stop, effort.times), effort.solver
        return Comparison(solved(cavity, 5, ts, exact), solved(cavity, 5, ts, BornMarkov()))

    return {ratio: compare(ratio) for ratio in RATIOS}
