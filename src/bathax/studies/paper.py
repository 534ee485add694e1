r"""The cases of AHZ Figs. 2-5, its Born-Markov comparison and its zeroth law: parameters, solved.

Everything is in units of the cavity's frequency w_s, with an Ohmic reservoir of cutoff 5 w_s, whose
critical coupling is eta_c = w_s / w_c = 0.2. Couplings are given as `ratio` = eta / eta_c.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from bathax._checks import Scalar
from bathax.cavity.critical import critical_temperature
from bathax.cavity.limits import long_time_limit
from bathax.cavity.model import Cavity
from bathax.cavity.poles import BoundStates, resonances
from bathax.cavity.resonance import Resonance
from bathax.cavity.solvers import BornMarkov, Solver
from bathax.cavity.states import Mixture
from bathax.reservoir.ohmic import Ohmic
from bathax.reservoir.reservoir import Reservoir
from bathax.solution import Solution, solve
from bathax.studies.steady import Estimated, heat_current

FREQUENCY = 1.0
CUTOFF = 5.0
CRITICAL = FREQUENCY / CUTOFF
WARM = 20.0
WEAK, INTERMEDIATE, STRONG = 0.01, 0.5, 1.5

QUANTA = (1, 5, 10)
RATIOS = ((0.003, 0.005, 0.01), (0.1, 0.3, 0.5), (1.2, 1.3, 1.5))
MARKOV_RATIOS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
PAIRS = ((10.0, 30.0), (5.0, 35.0), (1.0, 3.0), (0.2, 1.0), (0.0, 2.0))
SPREADS = (0.25, 0.5, 1.0)
WINDOWS = ((20.0, 60.0), (150.0, 250.0), (900.0, 1000.0))
# Limits are computed for so many cavities at once, of which the slowest decides.
CHUNK = 4
# An entropy counts as passing its final value when it does so by more than this.
OVERSHOOT = 1e-7


class Effort(NamedTuple):
    """How finely the cases are computed; the defaults are for publication.

    Their times reach from 60 to 2000 / w_s, which is all the same to `Resonance`.
    """

    times: int = 601
    temperatures: int = 121
    bisections: int = 12
    solver: Solver = Resonance()

    def graded(self, stop: float) -> Float[Array, " times"]:
        """Times up to `stop`, dense at the start."""
        return jnp.asarray(stop * np.linspace(0.0, 1.0, self.times) ** 2)


FULL = Effort()


def fock(n: int) -> Mixture:
    """|n> for n <= 10, as a state of one shape: programs are compiled once for all n."""
    return Mixture(np.eye(11)[n])


def ohmic_cavity(ratio: ArrayLike, *temperatures: ArrayLike) -> Cavity:
    """A cavity with total coupling `ratio` eta_c, shared by two equal reservoirs.

    One temperature is that of both: so one program serves all cases.
    """
    temperatures = temperatures if len(temperatures) > 1 else 2 * temperatures
    density = Ohmic(ratio * CRITICAL / len(temperatures), CUTOFF)
    return Cavity(FREQUENCY, [Reservoir(density, temperature) for temperature in temperatures])


def solved(cavity: Cavity, n: int, ts: ArrayLike, solver: Solver) -> Solution:
    """The solution from n quanta, of plain arrays: to look at them compiles nothing."""
    return jax.device_get(solve(cavity, fock(n), ts, solver))


def in_chunks(function: Callable[..., Any], *points: np.ndarray) -> Any:
    """A compiled function of some points at once, for any number of them.

    Always as many at a time, for which one program is compiled.
    """
    count = len(points[0])
    missing = -count % CHUNK
    padded = [np.concatenate([values, values[-1:].repeat(missing, axis=0)]) for values in points]
    parts = [
        jax.device_get(function(*(values[start : start + CHUNK] for values in padded)))
        for start in range(0, count, CHUNK)
    ]
    return jax.tree.map(lambda *arrays: np.concatenate(arrays)[:count], *parts)


# --- The figures of the paper ----------------------------------------------------------------


def figure_2(effort: Effort = FULL) -> dict[float, dict[int, Solution]]:
    """Initial Fock states at weak, intermediate and strong coupling: {ratio: {n0: ...}}."""

    def column(ratio: float, ts: Float[Array, " times"], solver: Solver) -> dict[int, Solution]:
        return {n: solved(ohmic_cavity(ratio, WARM), n, ts, solver) for n in QUANTA}

    return {
        WEAK: column(WEAK, effort.graded(600.0), effort.solver),
        INTERMEDIATE: column(INTERMEDIATE, effort.graded(40.0), effort.solver),
        STRONG: column(STRONG, effort.graded(60.0), effort.solver),
    }


def figure_3(effort: Effort = FULL) -> tuple[dict[float, Solution], ...]:
    """Couplings in the weak, intermediate and strong range from n0 = 5: columns of {ratio: ...}."""
    settings = (
        (effort.graded(2000.0), effort.solver),
        (effort.graded(40.0), effort.solver),
        (effort.graded(60.0), effort.solver),
    )
    return tuple(
        {ratio: solved(ohmic_cavity(ratio, WARM), 5, ts, solver) for ratio in ratios}
        for ratios, (ts, solver) in zip(RATIOS, settings, strict=True)
    )


def figure_4(effort: Effort = FULL) -> dict[float, Solution]:
    """A cold reservoir at weak coupling from n0 = 5: {kT0: ...}."""
    ts = effort.graded(600.0)
    return {T: solved(ohmic_cavity(WEAK, T), 5, ts, effort.solver) for T in (0.0, 3.0)}


class Map(NamedTuple):
    """Solutions over kT0, which is the leading axis of each array of `solution`."""

    temperatures: Float[np.ndarray, " temperatures"]
    solution: Solution


def figure_5(effort: Effort = FULL) -> Map:
    """Weak coupling from n0 = 5 over the temperature of the reservoir."""
    temperatures = np.linspace(0.0, 10.0, effort.temperatures)
    ts = jnp.asarray(np.linspace(0.0, 400.0, effort.times))
    rows = [solved(ohmic_cavity(WEAK, T), 5, ts, effort.solver) for T in temperatures]
    return Map(temperatures, jax.tree.map(lambda *leaves: np.stack(leaves), *rows))


def border(effort: Effort = FULL) -> Estimated:
    """The kT0 where the pole of T in AHZ Fig. 5 disappears: S no longer passes its final value.

    The overshoot falls like the square of the distance to the border, so that its threshold adds
    to the uncertainty.
    """
    low, high = 0.8 * border_temperature(5), 1.2 * border_temperature(5)
    ts = effort.graded(1000.0)
    for _ in range(effort.bisections):
        middle = 0.5 * (low + high)
        solution = solved(ohmic_cavity(WEAK, middle), 5, ts, effort.solver)
        entropy = np.asarray(solution.entropy)
        overshoots = bool(np.max(entropy) - entropy[-1] > OVERSHOOT)
        low, high = (middle, high) if overshoots else (low, middle)
    return Estimated(0.5 * (low + high), 0.5 * (high - low) + 2.0 * OVERSHOOT**0.5)


def resonant_border(effort: Effort = FULL) -> float:
    """kT0* of the same, where the resonance holds as many quanta as the cavity starts with."""
    del effort
    return float(in_chunks(borders, np.array([WEAK])).temperature[0])


class Border(NamedTuple):
    """kT0* from 5 quanta, and whether the resonance is at most half as wide as its frequency."""

    temperature: Array
    is_narrow: Array


@jax.jit
@jax.vmap
def borders(ratio: Scalar) -> Border:
    """The borders for some couplings."""
    cavity = ohmic_cavity(ratio, WARM)
    found = resonances(cavity)
    is_narrow = found.widths[0] <= 0.5 * found.frequencies[0].real
    return Border(critical_temperature(cavity, 5), is_narrow)


def border_temperature(n0: int) -> float:
    """w_s / ln(1 + 1/n0), where n(w_s, T) = n0."""
    return float(temperature_of(n0))


# --- What the text of the paper claims -------------------------------------------------------


class Comparison(NamedTuple):
    """The same case solved exactly and by the Born-Markov approximation."""

    exact: Solution
    born_markov: Solution

    def deviation(self, name: str) -> float:
        """The largest difference of a quantity over time, relative to its largest exact value."""
        exact, other = (np.asarray(getattr(solution, name)) for solution in self)
        return float(np.max(np.abs(other - exact)) / np.max(np.abs(exact)))


def markov(effort: Effort = FULL) -> dict[float, Comparison]:
    """n0 = 5, kT0 = 20 over three golden-rule lifetimes, at least 40 / w_s: {ratio: ...}."""

    def compare(ratio: float) -> Comparison:
        cavity = ohmic_cavity(ratio, WARM)
        density = ratio * CRITICAL * FREQUENCY * np.exp(-FREQUENCY / CUTOFF)
        stop = max(40.0, 3.0 / (2.0 * np.pi * density))
        ts, exact = effort.graded(stop), effort.solver
        return Comparison(solved(cavity, 5, ts, exact), solved(cavity, 5, ts, BornMarkov()))

    return {ratio: compare(ratio) for ratio in MARKOV_RATIOS}


class ZerothLaw(NamedTuple):
    """Two equal reservoirs at temperatures (T1, T2), together as weak as 0.01 eta_c.

    `relaxations` over time from n0 = 5 and their steady temperatures `limits`. `final` are steady
    temperatures for T1, T2 = mean (1 -+ spread) at the `means`, {spread: ...}, and `expected` what
    equal golden-rule rates give, n = (n1 + n2) / 2. `current` is the heat that the first pair
    exchanges in the end, from T1 to T2.
    """

    relaxations: dict[tuple[float, float], Solution]
    limits: dict[tuple[float, float], float]
    means: np.ndarray
    final: dict[float, np.ndarray]
    expected: dict[float, np.ndarray]
    current: float


def zeroth_law(effort: Effort = FULL) -> ZerothLaw:
    """Relaxations for several pairs of temperatures, and steady states over a range of them."""
    ts, means = effort.graded(800.0), np.geomspace(0.1, 100.0, 31)
    pairs = {spread: (means * (1.0 - spread), means * (1.0 + spread)) for spread in SPREADS}

    def final(low: np.ndarray, high: np.ndarray) -> np.ndarray:
        return temperature_of(_steady(np.full_like(low, WEAK), low, high).number.value)

    return ZerothLaw(
        {pair: solved(ohmic_cavity(WEAK, *pair), 5, ts, effort.solver) for pair in PAIRS},
        dict(zip(PAIRS, final(*np.transpose(PAIRS)).tolist(), strict=True)),
        means,
        {spread: final(*pair) for spread, pair in pairs.items()},
        {spread: temperature_of(mean_occupation(*pair)) for spread, pair in pairs.items()},
        float(heat_current(ohmic_cavity(WEAK, *PAIRS[0]))),
    )


def mean_occupation(*temperatures: ArrayLike) -> np.ndarray:
    """The mean of n(w_s, T): what equal golden-rule rates leave in the cavity."""
    with np.errstate(over="ignore", divide="ignore"):
        numbers = [1.0 / np.expm1(FREQUENCY / np.asarray(T)) for T in temperatures]
    return np.asarray(np.mean(numbers, axis=0))


def temperature_of(number: ArrayLike) -> np.ndarray:
    """w_s / ln(1 + 1/N): the temperature of a thermal mode with N quanta."""
    return np.asarray(FREQUENCY / np.log1p(1.0 / np.asarray(number)))


class Samples(NamedTuple):
    """v and v' at times close enough to see every extremum."""

    t: np.ndarray
    v: np.ndarray
    dv: np.ndarray

    def extrema(self) -> tuple[np.ndarray, np.ndarray]:
        """Times and values, by parabolas through a sample and the slopes around an extremum."""
        t, v, dv = self
        at = np.flatnonzero(dv[:-1] * dv[1:] < 0.0)
        delay = np.diff(t)[at] * dv[at] / (dv[at] - dv[at + 1])
        return t[at] + delay, v[at] + 0.5 * dv[at] * delay

    def amplitude(self) -> float:
        """Largest minus smallest value."""
        return float(np.ptp(np.concatenate([self.v, self.extrema()[1]])))

    def swings(self) -> tuple[np.ndarray, np.ndarray]:
        """Times in between, and the size of the change, from each extremum to the next one."""
        t, v = self.extrema()
        return 0.5 * (t[1:] + t[:-1]), np.abs(np.diff(v))


class Oscillation(NamedTuple):
    """A solution at times in separate windows, each a slice of its arrays."""

    solution: Solution
    windows: tuple[slice, ...]

    def parts(self) -> list[Samples]:
        """The samples of v in each window."""
        t, v, dv = (np.asarray(getattr(self.solution, name)) for name in Samples._fields)
        return [Samples(t[window], v[window], dv[window]) for window in self.windows]

    def swings(self) -> tuple[np.ndarray, np.ndarray]:
        """Times, and the change of v from each extremum to the next one."""
        times, sizes = zip(*(part.swings() for part in self.parts()), strict=True)
        return np.concatenate(times), np.concatenate(sizes)

    def exponent(self) -> float:
        """p of the power law t^p that the swings follow, NaN for fewer than two of them."""
        t, sizes = self.swings()
        return float(np.polyfit(np.log(t), np.log(sizes), 1)[0]) if len(t) > 1 else float("nan")


def oscillation(effort: Effort = FULL) -> Oscillation:
    """Strong coupling from n0 = 5 in three windows up to t = 1000 / w_s, the first from t = 20."""
    ends = np.linspace(0, effort.times, len(WINDOWS) + 1).astype(int)
    windows = tuple(slice(start, stop) for start, stop in pairwise(ends))
    parts = [
        np.linspace(*span, window.stop - window.start)
        for span, window in zip(WINDOWS, windows, strict=True)
    ]
    ts = np.concatenate(parts)
    return Oscillation(solved(ohmic_cavity(STRONG, WARM), 5, ts, effort.solver), windows)


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
    found = _steady(np.array(ratios), warm, warm)
    return {ratio: jax.tree.map(lambda x, i=i: x[i], found) for i, ratio in enumerate(ratios)}


def _steady(ratios: np.ndarray, *temperatures: np.ndarray) -> Steady:
    """Steady states of some cavities, each number an array."""
    return in_chunks(_limits, ratios, *temperatures)


@jax.jit
@jax.vmap
def _limits(ratio: Scalar, *temperatures: Scalar) -> Steady:
    end = long_time_limit(ohmic_cavity(ratio, *temperatures))
    reached = {n: end.temperature(fock(n)) for n in QUANTA}
    return Steady(Estimated(end.noise, end.error), end.bound_states, reached)


class Results(NamedTuple):
    """Everything computed here."""

    figure_2: dict[float, dict[int, Solution]]
    figure_3: tuple[dict[float, Solution], ...]
    figure_4: dict[float, Solution]
    figure_5: Map
    markov: dict[float, Comparison]
    zeroth_law: ZerothLaw
    oscillation: Oscillation
    steady: dict[float, Steady]
    border: Estimated
    resonant_border: float
