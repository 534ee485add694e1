"""The steady temperature of a cavity between two reservoirs (the zeroth law of AHZ)."""

from typing import NamedTuple

import numpy as np

from bathax.cavity.transport import heat_current
from bathax.papers.ahz.parameters import (
    FULL,
    WEAK,
    Effort,
    mean_occupation,
    ohmic_cavity,
    solved,
    temperature_of,
)
from bathax.papers.ahz.steady import steady_states
from bathax.papers.times import graded
from bathax.solution.results import Solution

PAIRS = ((10.0, 30.0), (5.0, 35.0), (1.0, 3.0), (0.2, 1.0), (0.0, 2.0))
SPREADS = (0.25, 0.5, 1.0)


class ZerothLaw(NamedTuple):
    """Two equal reservoirs at temperatures (T1, T2), together as weak as 0.01 eta_c.

    `relaxations` has the solutions from n0 = 5, and `limits` their steady temperatures. `final` has
    the steady temperatures for T1, T2 = mean (1 -+ spread) at the `means`, {spread: ...}, and
    `expected` those of equal golden-rule rates, n = (n1 + n2) / 2. `current` is the steady heat
    current of the first pair, from T1 to T2.
    """

    relaxations: dict[tuple[float, float], Solution]
    limits: dict[tuple[float, float], float]
    means: np.ndarray
    final: dict[float, np.ndarray]
    expected: dict[float, np.ndarray]
    current: float


def zeroth_law(effort: Effort = FULL) -> ZerothLaw:
    """Relaxations for several pairs of temperatures, and steady states over a range of them."""
    ts, means = graded(800.0, effort.times), np.geomspace(0.1, 100.0, 31)
    pairs = {spread: (means * (1.0 - spread), means * (1.0 + spread)) for spread in SPREADS}

    def final(low: np.ndarray, high: np.ndarray) -> np.ndarray:
        return temperature_of(steady_states(np.full_like(low, WEAK), low, high).number.value)

    return ZerothLaw(
        {pair: solved(ohmic_cavity(WEAK, *pair), 5, ts, effort.solver) for pair in PAIRS},
        dict(zip(PAIRS, final(*np.transpose(PAIRS)).tolist(), strict=True)),
        means,
        {spread: final(*pair) for spread, pair in pairs.items()},
        {spread: temperature_of(mean_occupation(*pair)) for spread, pair in pairs.items()},
        float(heat_current(ohmic_cavity(WEAK, *PAIRS[0])).value),
    )
