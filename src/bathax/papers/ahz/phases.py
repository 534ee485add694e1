"""Phase diagrams of a cavity over coupling, kT0 and exponent of the reservoir.

There are three phases for n0 = 5 initial quanta. Above the critical coupling a bound state keeps
the memory of the initial state. Below it the cavity comes to a steady state: for kT0 < kT0* T(t)
diverges on the way, and is negative before; for kT0 > kT0* it does not. This goes beyond AHZ
Fig. 5. Units as in `parameters`.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from bathax._checks import Scalar
from bathax.cavity.critical import critical_coupling, resonant_occupation
from bathax.cavity.limits import long_time_limit
from bathax.numerics.critical import critical_line, find_critical
from bathax.papers.ahz.border import borders
from bathax.papers.ahz.parameters import (
    CRITICAL,
    CUTOFF,
    FREQUENCY,
    FULL,
    Effort,
    fock,
    in_chunks,
)
from bathax.reservoir.ohmic import Ohmic
from bathax.reservoir.reservoir import Reservoir
from bathax.system.models import Cavity

QUANTA = 5
# Largest eta / eta_c and kT0 of the one plane; exponents and kT0 of the other.
COUPLING, TEMPERATURE = 1.5, 8.0
EXPONENTS, WARM = (0.6, 2.5), 4.0


class Plane(NamedTuple):
    """T(inf) / T0 over a plane, and the critical lines in it, as points (x, y).

    `bound` is the critical coupling, `divergence` the line kT0 = kT0*, which ends where the
    resonance is half as wide as its frequency.
    """

    x: np.ndarray
    y: np.ndarray
    warming: np.ndarray
    bound: np.ndarray
    divergence: np.ndarray


def cavity(ratio: Scalar, exponent: Scalar, temperature: Scalar) -> Cavity:
    """With a coupling of `ratio` times the critical one of an Ohmic reservoir of exponent 1."""
    return Cavity(FREQUENCY, Reservoir(Ohmic(ratio * CRITICAL, CUTOFF, exponent), temperature))


@jax.jit
@jax.vmap
def _warming(ratio: Scalar, exponent: Scalar, temperatures: Array) -> Array:
    """T(inf) / T0 from n0 quanta, of some reservoirs, each at several temperatures."""

    def at(temperature: Scalar) -> Scalar:
        end = long_time_limit(cavity(ratio, exponent, temperature))
        return end.temperature(fock(QUANTA)) / temperature

    # The poles, which do not depend on the temperature, are computed once.
    return jax.vmap(at)(temperatures)


def _count(effort: Effort) -> int:
    """The number of points along each axis: half of those along the one axis of Fig. 5."""
    return (effort.temperatures + 1) // 2


def phases_over_temperature(effort: Effort = FULL) -> Plane:
    """eta / eta_c from 0 on, and kT0, for an Ohmic reservoir."""
    steps = (np.arange(_count(effort)) + 0.5) / _count(effort)
    x, y = COUPLING * steps, TEMPERATURE * steps
    warming = in_chunks(_warming, x, np.ones_like(x), np.tile(y, (len(x), 1))).T
    bound = np.array([[1.0, 0.0], [1.0, TEMPERATURE]])
    below = x[x < 1.0]
    found = in_chunks(borders, below)
    divergence = np.stack([below, found.temperature], axis=1)[found.is_narrow]
    return Plane(x, y, warming, bound, divergence)


def phases_over_exponent(effort: Effort = FULL) -> Plane:
    """eta / eta_c of exponent 1, and the exponent, at kT0 = 4."""
    count = _count(effort)
    x = COUPLING * (np.arange(count) + 0.5) / count
    y = np.linspace(*EXPONENTS, count)
    ratios, exponents = (grid.ravel() for grid in np.meshgrid(x, y))
    warming = in_chunks(_warming, ratios, exponents, np.full((ratios.size, 1), WARM))

    bound, divergence = jax.device_get(_lines(count))
    return Plane(x, y, np.reshape(warming, (count, count)), bound, divergence)


@partial(jax.jit, static_argnums=0)
def _lines(count: int) -> tuple[Array, Array]:
    """Where there is a bound state, and where T(t) diverges, over the exponent."""

    def binding(point: Array) -> Scalar:
        """Above 0 where there is a bound state."""
        return 1.0 - critical_coupling(cavity(point[0], point[1], jnp.asarray(WARM)))

    def excess(point: Array) -> Scalar:
        """Above 0 where T(t) does not diverge."""
        return resonant_occupation(cavity(point[0], point[1], jnp.asarray(WARM))) - QUANTA

    step = np.array([0.02, 2.4 * (EXPONENTS[1] - EXPONENTS[0]) / count])
    first = EXPONENTS[0]
    start = find_critical(lambda ratio: excess(jnp.stack([ratio, first])), (0.02, 0.35))
    bound = critical_line(binding, jnp.array([0.5, first]), jnp.asarray(step), count)
    back = jnp.asarray(step * np.array([-1.0, 1.0]))
    return bound, critical_line(excess, jnp.stack([start, first]), back, count)
