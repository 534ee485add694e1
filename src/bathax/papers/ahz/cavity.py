"""The time evolution of a cavity: the cases of AHZ Figs. 2-5.

The dynamics are those of AHZ Eqs. 12-16, E, S, T and F those of Eqs. 9-11, for Fock states of the
cavity in a thermal reservoir.
"""

from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from bathax.cavity.solvers import Solver
from bathax.papers.ahz.parameters import (
    FULL,
    INTERMEDIATE,
    QUANTA,
    RATIOS,
    STRONG,
    WARM,
    WEAK,
    Effort,
    fock,
    in_chunks,
    ohmic_cavity,
    solved,
)
from bathax.papers.times import graded
from bathax.solution.results import Solution
from bathax.solution.solving import solve

# Temperatures of the reservoir around the border in Fig. 5.
AT_BORDER = (5.25, 5.55)


def figure_2(effort: Effort = FULL) -> dict[float, dict[int, Solution]]:
    """Initial Fock states at weak, intermediate and strong coupling: {ratio: {n0: ...}}."""

    def column(ratio: float, stop: float) -> dict[int, Solution]:
        cavity, ts = ohmic_cavity(ratio, WARM), graded(stop, effort.times)
        return {n: solved(cavity, n, ts, effort.solver) for n in QUANTA}

    stops = {WEAK: 600.0, INTERMEDIATE: 40.0, STRONG: 60.0}
    return {ratio: column(ratio, stop) for ratio, stop in stops.items()}


def figure_3(effort: Effort = FULL) -> tuple[dict[float, Solution], ...]:
    """Couplings in the weak, intermediate and strong range from n0 = 5: columns of {ratio: ...}."""

    def column(ratios: tuple[float, ...], stop: float) -> dict[float, Solution]:
        ts = graded(stop, effort.times)
        return {ratio: solved(ohmic_cavity(ratio, WARM), 5, ts, effort.solver) for ratio in ratios}

    return tuple(map(column, RATIOS, (2000.0, 40.0, 60.0)))


def figure_4(effort: Effort = FULL) -> dict[float, Solution]:
    """A cold reservoir at weak coupling from n0 = 5: {kT0: ...}."""
    ts = graded(600.0, effort.times)
    return {T: solved(ohmic_cavity(WEAK, T), 5, ts, effort.solver) for T in (0.0, 3.0)}


class Map(NamedTuple):
    """Solutions over kT0, which is the leading axis of each array of `solution`."""

    temperatures: Float[np.ndarray, " temperatures"]
    solution: Solution


class Maps(NamedTuple):
    """The map of Fig. 5, and that of the border; every period of 2 pi / w_s is resolved."""

    whole: Map
    border: Map


def figure_5(effort: Effort = FULL) -> Maps:
    """Weak coupling from n0 = 5 up to t = 400 / w_s over the temperature of the reservoir."""
    ts = jnp.linspace(0.0, 400.0, 2 * effort.times)

    solutions = partial(_at_temperatures, effort.solver, ts)

    def solved_map(temperatures: np.ndarray) -> Map:
        return Map(temperatures, in_chunks(solutions, temperatures))

    return Maps(
        solved_map(np.linspace(0.0, 10.0, effort.temperatures)),
        solved_map(np.linspace(*AT_BORDER, effort.temperatures // 3 + 1)),
    )


@eqx.filter_jit
def _at_temperatures(solver: Solver, ts: Array, temperatures: Array) -> Solution:
    return jax.vmap(lambda T: solve(ohmic_cavity(WEAK, T), fock(5), ts, solver))(temperatures)
