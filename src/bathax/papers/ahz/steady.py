"""The steady states of a cavity in AHZ Figs. 2 and 3 (AHZ Eqs. 17-19)."""

from typing import NamedTuple

import jax
import numpy as np

from bathax._checks import Scalar
from bathax.cavity.limits import long_time_limit
from bathax.cavity.poles import BoundStates
from bathax.papers.ahz.parameters import (
    FULL,
    QUANTA,
    RATIOS,
    WARM,
    Effort,
    fock,
    in_chunks,
    ohmic_cavity,
)
from bathax.papers.claims import Estimated


class Steady(NamedTuple):
    """The limit t -> infinity at kT0 = 20: v, the bound state, and T for each initial n0."""

    number: Estimated
    bound: BoundStates
    temperatures: dict[int, float]


def steady(effort: Effort = FULL) -> dict[float, Steady]:
    """The steady states of AHZ Figs. 2 and 3, closed forms at any effort: {ratio: ...}."""
    del effort

    ratios = [ratio for column in RATIOS for ratio in column]
    warm = np.full(len(ratios), WARM)
    found = steady_states(np.array(ratios), warm, warm)
    return {ratio: jax.tree.map(lambda x, i=i: x[i], found) for i, ratio in enumerate(ratios)}


def steady_states(ratios: np.ndarray, *temperatures: np.ndarray) -> Steady:
    """Steady states of some cavities, each number an array."""
    return in_chunks(_limits, ratios, *temperatures)


@jax.jit
@jax.vmap
def _limits(ratio: Scalar, *temperatures: Scalar) -> Steady:
    end = long_time_limit(ohmic_cavity(ratio, *temperatures))
    reached = {n: end.temperature(fock(n)) for n in QUANTA}
    return Steady(Estimated(end.noise, end.error), end.bound_states, reached)
