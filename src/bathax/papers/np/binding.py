r"""A qubit with a bound state: the technical conditions under which D -> 0 (NP).

In the vacuum D = |u|^2 tends to Z^2, the squared weight of the bound state, above the critical
coupling of an Ohmic reservoir and inside of a band gap. A mode keeps that share at any temperature,
since its equations are linear. An atom does not: a thermal quantum that meets the bound one can set
it free.
"""

from collections.abc import Iterable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from bathax.cavity.poles import bound_states
from bathax.papers.claims import Estimated
from bathax.papers.np.parameters import (
    CRITICAL,
    FREQUENCY,
    FULL,
    GAP,
    Effort,
    ohmic_qubit,
    solved,
)
from bathax.qubit.dynamical_map import DynamicalMap
from bathax.qubit.elements import MapSolver
from bathax.reservoir.reservoir import Reservoir
from bathax.system.models import Cavity, Qubit

# eta above the critical coupling; kT0 above it and inside of the gap, and how long D is followed.
ABOVE = 1.5 * CRITICAL
COLD, COLD_STOP = (0.0, 0.2, 0.5, 1.0), 40.0
WARMER, GAP_STOP = (0.0, 0.5, 1.0, 4.0), 80.0
# The grid on which D is computed at COLD_STOP.
RATIOS = (0.5, 1.0, 1.25, 1.5, 2.0)
TEMPERATURES = (0.0, 0.1, 0.2, 0.4, 0.7, 1.0)


class Bound(NamedTuple):
    """Maps of a qubit by kT0, and Z^2 of its bound state, to which D tends in the vacuum."""

    share: float
    maps: dict[float, DynamicalMap]

    def decay(self, temperature: float) -> Estimated:
        """The mean rate -d ln D/dt over the second half of the time; NaN if D is not resolved."""
        dmap = self.maps[temperature]
        half = int(np.searchsorted(dmap.t, 0.5 * dmap.t[-1]))
        ends = [half, -1]
        d, error = np.asarray(dmap.determinant)[ends], np.asarray(dmap.error.determinant)[ends]
        elapsed = float(dmap.t[-1] - dmap.t[half])
        d = np.where(d > error, d, np.nan)
        return Estimated(np.log(d[0] / d[1]) / elapsed, np.sum(error / d) / elapsed)


class Left(NamedTuple):
    """D at COLD_STOP: rows for eta / eta_c, columns for kT0."""

    ratios: np.ndarray
    temperatures: np.ndarray
    determinant: np.ndarray


class Binding(NamedTuple):
    """Above the critical coupling, inside of a gap, and over the plane of eta and kT0."""

    above: Bound
    gap: Bound
    left: Left


def gap_qubit(temperature: float) -> Qubit:
    """An atom below a band."""
    return Qubit(FREQUENCY, Reservoir(GAP, temperature))


def share(qubit: Qubit) -> float:
    """Z^2 of the bound states."""
    found = bound_states(Cavity(qubit.frequency, qubit.reservoirs))
    return float(jnp.sum(found.residues**2))


def binding(effort: Effort = FULL) -> Binding:
    """D(t) with a bound state from kT0 = 0 on, and what is left of it over the plane."""

    def of(temperature: float, warm: MapSolver) -> MapSolver:
        return effort.vacuum if temperature == 0.0 else warm

    def until(stop: float) -> Array:
        return jnp.linspace(0.0, stop, effort.times)

    def maps(qubits: Iterable[tuple[float, Qubit]], stop: float) -> dict[float, DynamicalMap]:
        return {T: solved(qubit, until(stop), of(T, effort.bound)) for T, qubit in qubits}

    def remaining(ratio: float, temperature: float) -> float:
        qubit, ts = ohmic_qubit(ratio * CRITICAL, temperature), until(COLD_STOP)
        return float(solved(qubit, ts, of(temperature, effort.plane)).determinant[-1])

    above = maps(((T, ohmic_qubit(ABOVE, T)) for T in COLD), COLD_STOP)
    gap = maps(((T, gap_qubit(T)) for T in WARMER), GAP_STOP)
    left = np.array([[remaining(ratio, T) for T in TEMPERATURES] for ratio in RATIOS])
    return Binding(
        Bound(share(ohmic_qubit(ABOVE, 0.0)), above),
        Bound(share(gap_qubit(0.0)), gap),
        Left(np.array(RATIOS), np.array(TEMPERATURES), left),
    )
