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
from jaxtyping import Array, ArrayLike

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


class Region(NamedTuple):
    """T(inf) / T0 at the points (x, y) of a grid on one side of the critical coupling."""

    x: np.ndarray
    y: np.ndarray
    warming: np.ndarray


class Plane(NamedTuple):
    """T(inf) / T0 below and above the critical coupling, and critical lines as points (x, y).

    `bound` is the critical coupling, `divergence` the line kT0 = kT0*, which ends where the
    resonance is half as wide as its frequency.
    """

    regions: tuple[Region, Region]
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
    """The number of points along an axis: a third of those along the one axis of Fig. 5."""
    return (effort.temperatures + 2) // 3


def _couplings(critical: ArrayLike, count: int) -> tuple[np.ndarray, np.ndarray]:
    """eta / eta_c of grids below and above some critical couplings, dense just above them."""
    steps = np.linspace(1e-3, 1.0 - 1e-3, count)
    onwards = np.linspace(0.03, 1.0, count // 2 + 1) ** 2
    critical = np.asarray(critical)[..., None]
    return critical * steps, critical + (COUPLING - critical) * onwards


def phases_over_temperature(effort: Effort = FULL) -> Plane:
    """eta / eta_c from 0 on, and kT0, for an Ohmic reservoir."""
    count = _count(effort)
    y = TEMPERATURE * np.linspace(0.02, 1.0, count) ** 2

    def region(x: np.ndarray) -> Region:
        warming = in_chunks(_warming, x, np.ones_like(x), np.tile(y, (len(x), 1)))
        return Region(*np.meshgrid(x, y, indexing="ij"), warming)

    below, above = _couplings(1.0, count)
    found = in_chunks(borders, below)
    divergence = np.stack([below, found.temperature], axis=1)[found.is_narrow]
    bound = np.array([[1.0, 0.0], [1.0, TEMPERATURE]])
    return Plane((region(below), region(above)), bound, divergence)


def phases_over_exponent(effort: Effort = FULL) -> Plane:
    """eta / eta_c of exponent 1, and the exponent, at kT0 = 4."""
    count = _count(effort)
    exponents = np.linspace(*EXPONENTS, count)
    critical = in_chunks(_critical_ratio, exponents)

    def region(x: np.ndarray) -> Region:
        y = np.broadcast_to(exponents[:, None], x.shape)
        warming = in_chunks(_warming, x.ravel(), y.ravel(), np.full((x.size, 1), WARM))
        return Region(x, y, np.reshape(warming, x.shape))

    below, above = _couplings(critical, count)
    bound, divergence = np.stack([critical, exponents], axis=1), jax.device_get(_divergence(count))
    return Plane((region(below), region(above)), bound, divergence)


@jax.jit
@jax.vmap
def _critical_ratio(exponent: Scalar) -> Scalar:
    """The critical coupling of an exponent, over that of exponent 1."""
    return critical_coupling(cavity(jnp.asarray(1.0), exponent, jnp.asarray(WARM)))


@partial(jax.jit, static_argnums=0)
def _divergence(count: int) -> Array:
    """The line kT0 = kT0* over the exponent."""

    def excess(point: Array) -> Scalar:
        """Above 0 where T(t) does not diverge."""
        return resonant_occupation(cavity(point[0], point[1], jnp.asarray(WARM))) - QUANTA

    step = jnp.array([-0.02, 2.4 * (EXPONENTS[1] - EXPONENTS[0]) / count])
    start = find_critical(lambda ratio: excess(jnp.stack([ratio, EXPONENTS[0]])), (0.02, 0.35))
    return critical_line(excess, jnp.stack([start, EXPONENTS[0]]), step, count)
