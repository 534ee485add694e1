"""Memory of a qubit (NP): rates that change sign, and a determinant that passes zero."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from bathax.papers.np.parameters import (
    FILLING,
    FREQUENCY,
    FULL,
    MODE,
    MODERATE,
    STRONG,
    WARM,
    Effort,
    ohmic_qubit,
    solved,
)
from bathax.qubit.dynamical_map import DynamicalMap
from bathax.qubit.elements import MapSolver
from bathax.reservoir.occupation import Uniform
from bathax.reservoir.reservoir import Reservoir
from bathax.system.models import Qubit


class Memory(NamedTuple):
    """Maps whose rates change sign: two Ohmic reservoirs, and one mode with loss."""

    moderate: DynamicalMap
    strong: DynamicalMap
    mode: DynamicalMap


def memory(effort: Effort = FULL) -> Memory:
    """Moderate coupling at kT0 = w_s, strong coupling at half of it, and a resonant mode.

    The mode is a Lorentzian of constant occupation n(w_s), gamma0 = 0.1 and width 0.2.
    """
    mode = Qubit(FREQUENCY, Reservoir(MODE, occupation=Uniform(FILLING)))

    def until(stop: float, qubit: Qubit, solver: MapSolver) -> DynamicalMap:
        return solved(qubit, jnp.asarray(np.linspace(0.0, stop, effort.times)), solver)

    return Memory(
        until(20.0, ohmic_qubit(MODERATE, WARM), effort.strong),
        until(20.0, ohmic_qubit(*STRONG), effort.strong),
        until(60.0, mode, effort.single),
    )


class Rise(NamedTuple):
    """When D first grows, and what it is then."""

    time: float
    determinant: float


def first_rise(dmap: DynamicalMap) -> Rise | None:
    """The first growth of D, where dD/dt exceeds its error, if there is one."""
    growing = np.flatnonzero(np.asarray(dmap.ddeterminant > dmap.error.ddeterminant))
    if not growing.size:
        return None
    return Rise(float(dmap.t[growing[0]]), float(dmap.determinant[growing[0]]))
