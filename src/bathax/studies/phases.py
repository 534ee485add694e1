"""Where a cavity thermalises, and where it does not: its phases over coupling, kT0 and exponent.

Three of them from n0 = 5 quanta: above the critical coupling a bound state remembers the start;
below it the cavity comes to a steady state, on the way to which T(t) diverges and is negative for a
while (kT0 < kT0*), or not. Units as in `paper`.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from bathax._checks import Scalar
from bathax.cavity.critical import critical_coupling, critical_temperature, resonant_occupation
from bathax.cavity.limits import long_time_limit
from bathax.cavity.model import Cavity
from bathax.cavity.poles import resonances
from bathax.numerics.critical import critical_line, find_critical
from bathax.reservoir.ohmic import Ohmic
from bathax.reservoir.reservoir import Reservoir
from bathax.studies import paper
from bathax.studies.paper import CRITICAL, CUTOFF, FREQUENCY, fock

QUANTA = 5
# Largest eta / eta_c and kT0 of the one plane; exponents and kT0 of the other.
COUPLING, TEMPERATURE = 1.5, 8.0
EXPONENTS, WARM = (0.6, 2.5), 4.0


class Plane(NamedTuple):
    """T(inf) / T0 over a plane, and the critical lines in it, as points (x, y).

    `bound` is the coupling from which on there is a bound state, `divergence` kT0 = kT0*, up to
    where the resonance is half as wide as its frequency.
    """

    x: np.ndarray
    y: np.ndarray
    warming: np.ndarray
    bound: np.ndarray
    divergence: np.ndarray


def cavity(ratio: Scalar, exponent: Scalar, temperature: Scalar) -> Cavity:
    """With a coupling of `ratio` times the critical one of an Ohmic reservoir of exponent 1."""
    return Cavity(FREQUENCY, Reservoir(Ohmic(ratio * CRITICAL, CUTOFF, exponent), temperature))


@partial(jax.jit, static_argnums=0)
def _over(function: Callable[[Cavity], Array], *points: Array) -> Array:
    """A function of a cavity for many of them, a few at a time."""
    return lax.map(lambda point: function(cavity(*point)), points, batch_size=16)


def _warming(system: Cavity) -> Scalar:
    """T(inf) / T0 from n0 quanta."""
    return long_time_limit(system).temperature(fock(QUANTA)) / system.reservoirs[0].temperature


def _is_narrow(system: Cavity) -> Array:
    """Whether the resonance is at most half as wide as its frequency."""
    found = resonances(system)
    return found.widths[0] <= 0.5 * found.frequencies[0].real


def _count(effort: paper.Effort) -> int:
    """Points along an axis: half of those of Fig. 5, for there are as many along the other."""
    return (effort.temperatures + 1) // 2


def of_temperature(effort: paper.Effort = paper.FULL) -> Plane:
    """eta / eta_c from 0 on, and kT0, for an Ohmic reservoir."""
    steps = (np.arange(_count(effort)) + 0.5) / _count(effort)
    x, y = COUPLING * steps, TEMPERATURE * steps
    ratios, temperatures = (grid.ravel() for grid in np.meshgrid(x, y))
    warming = _over(_warming, ratios, np.ones_like(ratios), temperatures)
    bound = np.array([[1.0, 0.0], [1.0, TEMPERATURE]])
    below = x[x < 1.0]
    ones = np.ones_like(below)
    border = _over(partial(critical_temperature, number=QUANTA), below, ones, ones)
    narrow = np.asarray(_over(_is_narrow, below, ones, ones))
    divergence = np.stack([below, border], axis=1)[narrow]
    return Plane(x, y, np.reshape(warming, (len(y), len(x))), bound, divergence)


def of_exponent(effort: paper.Effort = paper.FULL) -> Plane:
    """eta / eta_c of exponent 1, and the exponent, at kT0 = 4."""
    count = _count(effort)
    x = COUPLING * (np.arange(count) + 0.5) / count
    y = np.linspace(*EXPONENTS, count)
    ratios, exponents = (grid.ravel() for grid in np.meshgrid(x, y))
    warming = _over(_warming, ratios, exponents, np.full_like(ratios, WARM))

    def binding(point: Array) -> Scalar:
        """Above 0 where there is a bound state."""
        return 1.0 - critical_coupling(cavity(point[0], point[1], jnp.asarray(WARM)))

    def excess(point: Array) -> Scalar:
        """Above 0 where T(t) does not diverge."""
        return resonant_occupation(cavity(point[0], point[1], jnp.asarray(WARM))) - QUANTA

    step = jnp.array([0.02, 2.4 * (EXPONENTS[1] - EXPONENTS[0]) / count])
    follow = jax.jit(critical_line, static_argnums=(0, 3))
    first = EXPONENTS[0]
    start = find_critical(lambda ratio: excess(jnp.stack([ratio, first])), (0.02, 0.35))
    bound = follow(binding, jnp.array([0.5, first]), step, count)
    divergence = follow(excess, jnp.stack([start, first]), step * jnp.array([-1.0, 1.0]), count)
    return Plane(
        x, y, np.reshape(warming, (count, count)), np.asarray(bound), np.asarray(divergence)
    )


class Results(NamedTuple):
    """Everything computed here."""

    of_temperature: Plane
    of_exponent: Plane
