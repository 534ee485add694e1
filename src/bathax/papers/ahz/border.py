"""The border in AHZ Fig. 5, below which T(t) diverges on its way to the steady state."""

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array

from bathax._checks import Scalar
from bathax.cavity.critical import critical_temperature
from bathax.cavity.poles import resonances
from bathax.papers.ahz.parameters import (
    FULL,
    WARM,
    WEAK,
    Effort,
    border_temperature,
    in_chunks,
    ohmic_cavity,
    solved,
)
from bathax.papers.claims import Estimated
from bathax.papers.times import graded

# An entropy counts as passing its final value when it does so by more than this.
OVERSHOOT = 1e-7


def border(effort: Effort = FULL) -> Estimated:
    """The kT0 where the pole of T in AHZ Fig. 5 disappears: S no longer exceeds its final value.

    The overshoot of S falls like the square of the distance to the border, so that its threshold
    contributes to the error.
    """
    low, high = 0.8 * border_temperature(5), 1.2 * border_temperature(5)
    ts = graded(1000.0, effort.times)
    for _ in range(effort.bisections):
        middle = 0.5 * (low + high)
        solution = solved(ohmic_cavity(WEAK, middle), 5, ts, effort.solver)
        entropy = np.asarray(solution.entropy)
        overshoots = bool(np.max(entropy) - entropy[-1] > OVERSHOOT)
        low, high = (middle, high) if overshoots else (low, middle)
    return Estimated(0.5 * (low + high), 0.5 * (high - low) + 2.0 * OVERSHOOT**0.5)


def resonant_border(effort: Effort = FULL) -> float:
    """kT0* of the same cavity, where the resonant occupation is the initial number of quanta."""
    del effort
    return float(in_chunks(borders, np.array([WEAK])).temperature[0])


class Border(NamedTuple):
    """kT0* from 5 quanta, and whether the resonance is at most half as wide as its frequency."""

    temperature: Array
    is_narrow: Array


@jax.jit
@jax.vmap
def borders(ratio: Scalar) -> Border:
    """The borders for some couplings."""
    cavity = ohmic_cavity(ratio, WARM)
    found = resonances(cavity)
    is_narrow = found.widths[0] <= 0.5 * found.frequencies[0].real
    return Border(critical_temperature(cavity, 5), is_narrow)
