r"""The cases of a two-level atom, solved: AHZ Fig. 6, relaxation, memory and the reservoir (NP).

Everything is in units of the atom's frequency w_s. Fig. 6 has a Lorentzian vacuum, the others an
Ohmic reservoir of cutoff 5 w_s at temperature T0, for which NP has D -> e^{-Gamma t} at weak
coupling, Gamma = 2 pi J(w_s) (2 n + 1).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from bathax.cavity.solvers import Volterra
from bathax.qubit.dynamical_map import DynamicalMap, dynamical_map
from bathax.qubit.elements import MapSolver
from bathax.qubit.field import ReservoirOccupation, reservoir_occupation
from bathax.qubit.hierarchy import Hierarchy
from bathax.qubit.model import Qubit
from bathax.qubit.perturbative import VanHove
from bathax.qubit.states import Excited
from bathax.qubit.vacuum import Vacuum
from bathax.reservoir.lorentzian import Lorentzian
from bathax.reservoir.occupation import Uniform
from bathax.reservoir.ohmic import Ohmic
from bathax.reservoir.reservoir import Reservoir
from bathax.solution import QubitSolution, solve
from bathax.studies.steady import Estimated

FREQUENCY = 1.0
CUTOFF = 5.0
# The width lam of the Lorentzian of Fig. 6, narrow enough to end above zero frequency, and
# gamma0 / lam in its two regimes.
WIDTH = 0.1
REGIMES = (0.2, 5.0)

WARM = 1.0
COUPLINGS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
# The coupling at which temperatures are compared, and the largest that takes the weak solver.
MODERATE, WEAK = 0.02, 0.01
# What relaxation is followed for: lifetimes 1 / Gamma, but at least some memory times; and in the
# vacuum, where D is known to the last digit, until it is no longer exponential.
LIFETIMES, SHORTEST, LONGEST = 6.0, 40.0, 300.0
# A coupling and a temperature at which D passes zero, and a single mode with loss that does so.
STRONG = (0.1, 0.5)
MODE = Lorentzian(0.1, 0.2, FREQUENCY)
# n(w_s) at kT0 = w_s.
FILLING = 1.0 / np.expm1(1.0)

# The coupling that the moderate one is compared with, a frequency off resonance, where a mode is
# back after 2 pi / (w - w_s), and those over which the occupation of the reservoir is followed.
FAINT, DETUNED = 0.005, 2.0
FREQUENCIES = np.linspace(0.01, 3.0, 300)


class Effort(NamedTuple):
    """How finely the cases are computed; the defaults are for publication.

    `weak` and `strong` are of fixed size, so that few programs are compiled, each large enough for
    an error of some 1e-5; `single` is for a reservoir that is one mode with loss, `field` for what
    a reservoir gains, which is followed up to the time `exchanged`: here four lifetimes.
    """

    times: int = 401
    vacuum: MapSolver = Vacuum(Volterra(rtol=1e-9, points=2**16))
    weak: MapSolver = Hierarchy(rtol=1e-3, depth=5, modes=16)
    strong: MapSolver = Hierarchy(rtol=1e-3, depth=9, modes=14)
    single: MapSolver = Hierarchy(rtol=1e-6, depth=12, modes=1)
    field: Hierarchy = Hierarchy(rtol=1e-3, depth=6, modes=11)
    exchanged: float = 17.0

    def solver(self, eta: float, temperature: float) -> MapSolver:
        """The solver of an Ohmic reservoir."""
        if temperature == 0.0:
            return self.vacuum
        return self.weak if eta <= WEAK else self.strong

    def graded(self, stop: float) -> Float[Array, " times"]:
        """Times up to `stop`, dense at the start."""
        return jnp.asarray(stop * np.linspace(0.0, 1.0, self.times) ** 2)


FULL = Effort()


def ohmic_qubit(eta: float, temperature: float) -> Qubit:
    """An atom in an Ohmic reservoir."""
    return Qubit(FREQUENCY, Reservoir(Ohmic(eta, CUTOFF), temperature))


def _map(qubit: Qubit, ts: Array, solver: MapSolver) -> DynamicalMap:
    """The map, of plain arrays: to look at them compiles nothing."""
    return jax.device_get(dynamical_map(qubit, ts, solver))


# --- AHZ Fig. 6 ------------------------------------------------------------------------------


def figure_6(effort: Effort = FULL) -> dict[float, QubitSolution]:
    """An excited atom in a Lorentzian vacuum, up to 20 / lam: {gamma0 / lam: ...}."""
    ts = jnp.asarray(np.linspace(0.0, 20.0 / WIDTH, 2 * effort.times - 1))

    def decay(ratio: float) -> QubitSolution:
        bath = Reservoir(Lorentzian(ratio * WIDTH, WIDTH, FREQUENCY))
        return jax.device_get(solve(Qubit(FREQUENCY, bath), Excited(), ts, effort.vacuum))

    return {ratio: decay(ratio) for ratio in REGIMES}


# --- Relaxation ------------------------------------------------------------------------------


class Relaxation(NamedTuple):
    """The exact map, its van Hove limit, and their reservoir's eta and kT0."""

    eta: float
    temperature: float
    exact: DynamicalMap
    van_hove: DynamicalMap

    @property
    def rate(self) -> float:
        """Gamma = 2 pi J(w_s) (2 n + 1), the golden rule."""
        return golden_rule(self.eta, self.temperature)

    def deviation(self) -> float:
        """The largest difference of D from e^{-Gamma t}."""
        return float(np.max(np.abs(self.exact.determinant - self.van_hove.determinant)))

    def lifetime(self) -> float:
        """The first time at which D = 1/e, NaN if there is none."""
        t, d = np.asarray(self.exact.t), np.asarray(self.exact.determinant)
        return _first_passage(t, d - np.exp(-1.0))

    def final(self) -> Estimated:
        """The excited population at which both initial states arrive, (1 - P00) / (1 - D).

        What is left of D counts as an error, times its own share of the difference.
        """
        last, error = self.exact.determinant[-1], self.exact.error
        value = float((1.0 - self.exact.p00[-1]) / (1.0 - last))
        leftover = abs(float(last) * (value - boltzmann(self.temperature)))
        return Estimated(value, float(error.p11[-1] + error.p00[-1]) + leftover)

    def shift(self) -> Estimated:
        """How far that is above the Boltzmann factor of the bare atom."""
        value, error = self.final()
        return Estimated(value - boltzmann(self.temperature), error)


class Relaxations(NamedTuple):
    """Relaxation at kT0 = w_s by coupling, and at one coupling by temperature."""

    couplings: dict[float, Relaxation]
    temperatures: dict[float, Relaxation]

    def exponent(self) -> float:
        """p of the power law eta^p that the lifetimes follow up to the moderate coupling."""
        weak = [eta for eta in self.couplings if eta <= MODERATE]
        times = [self.couplings[eta].lifetime() for eta in weak]
        return float(np.polyfit(np.log(weak), np.log(times), 1)[0])


def relaxation(effort: Effort = FULL) -> Relaxations:
    """The map over several lifetimes, for several couplings and temperatures."""

    def relax(eta: float, temperature: float, stop: float) -> Relaxation:
        qubit, ts = ohmic_qubit(eta, temperature), effort.graded(stop)
        exact = _map(qubit, ts, effort.solver(eta, temperature))
        return Relaxation(eta, temperature, exact, _map(qubit, ts, VanHove()))

    stops = {eta: max(LIFETIMES / golden_rule(eta, WARM), SHORTEST) for eta in COUPLINGS}
    couplings = {eta: relax(eta, WARM, stop) for eta, stop in stops.items()}
    temperatures = {
        0.0: relax(MODERATE, 0.0, LONGEST),
        0.5: relax(MODERATE, 0.5, SHORTEST),
        WARM: couplings[MODERATE],
        2.0: relax(MODERATE, 2.0, SHORTEST),
    }
    return Relaxations(couplings, temperatures)


def golden_rule(eta: float, temperature: float) -> float:
    """Gamma = 2 pi J(w_s) (2 n + 1)."""
    with np.errstate(divide="ignore"):
        coldness = np.divide(FREQUENCY, temperature)
    j = eta * FREQUENCY * np.exp(-FREQUENCY / CUTOFF)
    return float(2.0 * np.pi * j / np.tanh(0.5 * coldness))


def boltzmann(temperature: float) -> float:
    """1 / (1 + e^{w_s/T}), the excited population of the bare atom in equilibrium."""
    with np.errstate(divide="ignore"):
        return float(0.5 - 0.5 * np.tanh(0.5 * np.divide(FREQUENCY, temperature)))


# --- Memory ----------------------------------------------------------------------------------


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

    def solved(qubit: Qubit, stop: float, solver: MapSolver) -> DynamicalMap:
        return _map(qubit, jnp.asarray(np.linspace(0.0, stop, effort.times)), solver)

    return Memory(
        solved(ohmic_qubit(MODERATE, WARM), 20.0, effort.strong),
        solved(ohmic_qubit(*STRONG), 20.0, effort.strong),
        solved(mode, 60.0, effort.single),
    )


def first_zero(dmap: DynamicalMap) -> float:
    """The first time at which D passes zero beyond its error, NaN if there is none."""
    t, d = np.asarray(dmap.t), np.asarray(dmap.determinant)
    below = np.flatnonzero(d < -np.asarray(dmap.error.determinant))
    if not below.size:
        return float("nan")
    return _first_passage(t[: below[0] + 1], d[: below[0] + 1])


def _first_passage(t: np.ndarray, values: np.ndarray) -> float:
    """Where positive values first become negative, between samples."""
    negative = np.flatnonzero(values <= 0.0)
    if not negative.size:
        return float("nan")
    i = max(int(negative[0]), 1)
    return float(np.interp(0.0, -values[i - 1 : i + 1], t[i - 1 : i + 1]))


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


# --- The reservoir ---------------------------------------------------------------------------


class Exchange(NamedTuple):
    """What the reservoir of an excited atom gains, at a moderate and at a weak coupling."""

    moderate: ReservoirOccupation
    weak: ReservoirOccupation


def exchange(effort: Effort = FULL) -> Exchange:
    """The occupation of the reservoir by frequency and time, at kT0 = w_s."""
    ts = jnp.asarray(np.linspace(0.0, effort.exchanged, effort.times))

    def gained(eta: float) -> ReservoirOccupation:
        qubit = ohmic_qubit(eta, WARM)
        return reservoir_occupation(qubit, Excited(), ts, FREQUENCIES, effort.field)

    return Exchange(gained(MODERATE), gained(FAINT))


def gain_of_mode(field: ReservoirOccupation, frequency: float) -> np.ndarray:
    """Quanta gained over time by the mode nearest to a frequency, over the square of its coupling.

    At first it is (n + 1) sin^2(d t / 2) / (d / 2)^2 with d = w - w_s, whatever the coupling.
    """
    place = int(np.argmin(np.abs(np.asarray(field.frequencies) - frequency)))
    return np.asarray(field.per_coupling[0, :, place])


class Return(NamedTuple):
    """When a mode holds least after it held most, and how much of the most that is."""

    time: float
    left: float


def first_return(field: ReservoirOccupation, frequency: float) -> Return:
    """How far the mode nearest to a frequency comes back to where it began."""
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


class Results(NamedTuple):
    """Everything computed here."""

    figure_6: dict[float, QubitSolution]
    relaxation: Relaxations
    memory: Memory
    exchange: Exchange
