r"""A level of fermions between two leads, and a cavity between two reservoirs at any coupling.

AHZ say that a system and two reservoirs at T1 and T2 all come to (T1 + T2)/2. Here they are
infinite: the system has a steady state in which currents flow for ever, by Landauer's formulas.
Energies of the level are in units of its own, and chemical potentials count from mu = 0. Each lead
has a flat band and empties the level at the rate Gamma/2.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from bathax._checks import Scalar
from bathax.linear.transport import current_noise
from bathax.papers.ahz.parameters import FULL, Effort, in_chunks, temperature_of
from bathax.papers.ahz.steady import steady_states
from bathax.papers.claims import Estimated
from bathax.papers.times import graded
from bathax.reservoir.band import FlatBand
from bathax.reservoir.reservoir import Reservoir
from bathax.solution.solving import solve
from bathax.solution.steady import steady_state
from bathax.system.covariance import Covariance
from bathax.system.lattices import resonant_level
from bathax.system.linear import LinearSystem

# Half the width of the bands.
WIDE = 20.0
# The rate of the curves over bias, and that of those in time.
NARROW, BROAD = 0.2, 0.5
TEMPERATURES = (0.0, 0.05, 0.2)
BIASES = np.linspace(0.05, 5.0, 100)
# T1, T2 and the bias of the levels that are followed in time.
TRANSIENTS = ((0.0, 0.0, 4.0), (0.5, 0.5, 4.0), (0.2, 1.0, 0.0))
PAIRS = ((10.0, 30.0), (1.0, 3.0), (0.0, 2.0))
LEVEL_PAIRS = ((1.0, 3.0), (0.5, 1.5), (0.0, 2.0))
RATIOS = 1.0 - np.geomspace(0.99, 0.1, 24)
RATES = np.geomspace(0.01, 3.0, 28)


class Steady(NamedTuple):
    """The steady state of a level, each with its error.

    `current` and `energy_current` are what the right lead gains, and `noise` is the variance of its
    number of particles per unit time.
    """

    number: Estimated
    current: Estimated
    energy_current: Estimated
    noise: Estimated

    @property
    def fano(self) -> np.ndarray:
        """Noise over current: 1 for independent particles."""
        return self.noise.value / self.current.value


class Transient(NamedTuple):
    """A level that is empty at first, [cases, times], currents [cases, times, leads].

    `steady` is the state in which Landauer's formulas let it end.
    """

    t: np.ndarray
    number: Estimated
    current: Estimated
    energy_current: Estimated
    steady: Steady


class Zeroth(NamedTuple):
    """Steady states between T1 and T2 by coupling, {(T1, T2): ...}: quanta of a cavity, a level."""

    cavities: dict[tuple[float, float], Estimated]
    levels: dict[tuple[float, float], Steady]


def transport_iv(effort: Effort = FULL) -> dict[float, Steady]:
    """Current and noise of a level over bias, by temperature; the effort is always the same."""
    del effort
    each = np.ones_like(BIASES)
    return {T: steady_levels(NARROW * each, T * each, T * each, BIASES) for T in TEMPERATURES}


def transport_transient(effort: Effort = FULL) -> Transient:
    """A level from the time when leads are coupled to it."""
    ts, cases = graded(20.0, effort.times), np.transpose(TRANSIENTS)
    number, current, energy_current = jax.device_get(_followed(ts, *cases))
    steady = steady_levels(np.full(len(TRANSIENTS), BROAD), *cases)
    return Transient(np.asarray(ts), number, current, energy_current, steady)


def transport_zeroth(effort: Effort = FULL) -> Zeroth:
    """From weak to strong coupling; the effort is always the same."""
    del effort
    one, each = np.ones_like(RATIOS), np.ones_like(RATES)
    return Zeroth(
        {(a, b): steady_states(RATIOS, a * one, b * one).number for a, b in PAIRS},
        {(a, b): steady_levels(RATES, a * each, b * each, 0.0 * each) for a, b in LEVEL_PAIRS},
    )


def steady_levels(
    rates: np.ndarray, left: np.ndarray, right: np.ndarray, biases: np.ndarray
) -> Steady:
    """Steady states of levels by Gamma, both temperatures and bias."""
    return in_chunks(_steady, rates, left, right, biases)


def cavity_temperature(number: Estimated) -> np.ndarray:
    """The temperature at which a free mode has this number of quanta."""
    return temperature_of(number.value)


def level_temperature(number: np.ndarray | float) -> np.ndarray:
    """1 / ln(1/n - 1), the temperature at which a free level at mu = 0 is filled like this."""
    return np.asarray(1.0 / np.log(1.0 / np.asarray(number) - 1.0))


def fermi(temperature: float) -> float:
    """How far a lead of this temperature fills a free level at mu = 0."""
    return float(1.0 / (1.0 + np.exp(1.0 / temperature))) if temperature else 0.0


def share(number: np.ndarray, pair: tuple[float, float]) -> np.ndarray:
    """(n - f1) / (f2 - f1): between 0 and 1 if n is between what the leads alone would give."""
    low, high = map(fermi, pair)
    return (number - low) / (high - low)


def _level(rate: Scalar, left: Scalar, right: Scalar, bias: Scalar) -> LinearSystem:
    band = FlatBand(0.5 * rate, -WIDE, WIDE)
    leads = Reservoir(band, left, 0.5 * bias), Reservoir(band, right, -0.5 * bias)
    return resonant_level(1.0, leads)


@jax.jit
@jax.vmap
def _steady(rate: Scalar, left: Scalar, right: Scalar, bias: Scalar) -> Steady:
    system = _level(rate, left, right, bias)
    end, noise = steady_state(system), current_noise(system)
    return Steady(
        Estimated(end.number, end.error.number),
        Estimated(end.particle_current[1], end.error.particle_current[1]),
        Estimated(end.energy_current[1], end.error.energy_current[1]),
        Estimated(noise.value[1, 1], noise.error),
    )


@jax.jit
def _followed(
    ts: Float[Array, " times"], *cases: Float[Array, " cases"]
) -> tuple[Estimated, Estimated, Estimated]:
    def one(left: Scalar, right: Scalar, bias: Scalar) -> tuple[Estimated, Estimated, Estimated]:
        system = _level(jnp.asarray(BROAD), left, right, bias)
        found = solve(system, Covariance([[0.0]]), ts)
        return (
            Estimated(found.number, found.error.number),
            Estimated(found.particle_current, found.error.particle_current),
            Estimated(found.energy_current, found.error.energy_current),
        )

    return jax.vmap(one)(*cases)
