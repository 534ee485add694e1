"""The occupation of the reservoir of a qubit (NP): how long each frequency is disturbed."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from bathax.papers.np.parameters import (
    DETUNED,
    FREQUENCIES,
    FREQUENCY,
    FULL,
    MODERATE,
    WARM,
    WEAKER,
    Effort,
    ohmic_qubit,
)
from bathax.qubit.reservoir_occupation import ReservoirOccupation, reservoir_occupation
from bathax.qubit.states import Excited


class Exchange(NamedTuple):
    """The quanta that the reservoir of an excited atom gains, at moderate and weak coupling."""

    moderate: ReservoirOccupation
    weak: ReservoirOccupation


def exchange(effort: Effort = FULL) -> Exchange:
    """The occupation of the reservoir by frequency and time, at kT0 = w_s."""
    ts = jnp.asarray(np.linspace(0.0, effort.exchanged, effort.times))

    def gained(eta: float) -> ReservoirOccupation:
        qubit = ohmic_qubit(eta, WARM)
        return reservoir_occupation(qubit, Excited(), ts, FREQUENCIES, effort.field)

    return Exchange(gained(MODERATE), gained(WEAKER))


def gain_of_mode(field: ReservoirOccupation, frequency: float) -> np.ndarray:
    """Quanta gained over time by the mode nearest to a frequency, over the square of its coupling.

    At first it is (n + 1) sin^2(d t / 2) / (d / 2)^2 with d = w - w_s, whatever the coupling.
    """
    place = int(np.argmin(np.abs(np.asarray(field.frequencies) - frequency)))
    return np.asarray(field.per_coupling[0, :, place])


class Return(NamedTuple):
    """The time of the first minimum of a mode's gain after its maximum, and their ratio."""

    time: float
    left: float


def first_return(field: ReservoirOccupation, frequency: float) -> Return:
    """The first return of the mode nearest to a frequency to its initial occupation."""
    gain = gain_of_mode(field, frequency)
    most = int(np.argmax(gain))
    least = most + int(np.argmin(gain[most:]))
    return Return(float(field.t[least]), float(gain[least] / gain[most]))


def resonant_share(field: ReservoirOccupation, width: float) -> float:
    """The part of the quanta gained in the end that is nearer than `width` to w_s."""
    w, change = np.asarray(field.frequencies), np.asarray(field.change[0, -1])
    near = np.abs(w - FREQUENCY) <= width
    return float(np.trapezoid(change[near], w[near]) / field.quanta[0, -1])


def off_resonance(field: ReservoirOccupation) -> float:
    """The largest |J f| at any time as far from w_s as the frequency off resonance, or farther."""
    w = np.asarray(field.frequencies)
    away = np.abs(w - FREQUENCY) >= DETUNED - FREQUENCY
    return float(np.max(np.abs(field.change[0][:, away])))
