r"""The cases of AHZ Figs. 2-5, its Born-Markov comparison and its zeroth law: parameters, solved.

Everything is in units of the cavity's frequency w_s, with an Ohmic reservoir of cutoff 5 w_s, whose
critical coupling is eta_c = w_s / w_c = 0.2. Couplings are given as `ratio` = eta / eta_c.
"""

from itertools import pairwise
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, ArrayLike, Float

from bathax._checks import Scalar
from bathax.cavity.model import Cavity
from bathax.cavity.solvers import BornMarkov, Volterra
from bathax.cavity.states import Mixture
from bathax.reservoir.ohmic import Ohmic
from bathax.reservoir.reservoir import Reservoir
from bathax.solution import Solution, solve

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
# An entropy counts as passing its final value when it does so by more than this.
OVERSHOOT = 1e-7


class Effort(NamedTuple):
    """How finely the cases are computed; the defaults are for publication.

    `span` scales every time span. `short`, `middle` and `long` solve spans of some 60, 400 and
    1000 / w_s, `middle` for the many rows of a map only to graphical accuracy; their numbers of
    points are fixed so that few programs are compiled.
    """

    times: int = 601
    temperatures: int = 161
    bisections: int = 12
    span: float = 1.0
    short: Volterra = Volterra(rtol=1e-8, points=2**14)
    middle: Volterra = Volterra(rtol=1e-4, points=2**15)
    long: Volterra = Volterra(rtol=1e-6, points=2**18)

    def graded(self, stop: float) -> Float[Array, " times"]:
        """Times up to `stop`, dense at the start."""
        return stop * self.span * jnp.linspace(0.0, 1.0, self.times) ** 2


FULL = Effort()


def fock(n: int) -> Mixture:
    """|n> for n <= 10, as a state of one shape: programs are compiled once for all n."""
    return Mixture(np.eye(11)[n])


def ohmic_cavity(ratio: float, *temperatures: ArrayLike) -> Cavity:
    """A cavity with total coupling `ratio` eta_c, shared by equal reservoirs."""
    density = Ohmic(ratio * CRITICAL / len(temperatures), CUTOFF)
    return Cavity(FREQUENCY, [Reservoir(density, temperature) for temperature in temperatures])


# --- The figures of the paper ----------------------------------------------------------------


def figure_2(effort: Effort = FULL) -> dict[float, dict[int, Solution]]:
    """Initial Fock states at weak, intermediate and strong coupling: {ratio: {n0: ...}}."""

    def column(ratio: float, ts: Float[Array, " times"], solver: Volterra) -> dict[int, Solution]:
        return {n: solve(ohmic_cavity(ratio, WARM), fock(n), ts, solver) for n in QUANTA}

    return {
        WEAK: column(WEAK, effort.graded(600.0), effort.long),
        INTERMEDIATE: column(INTERMEDIATE, effort.graded(40.0), effort.short),
        STRONG: column(STRONG, effort.graded(60.0), effort.short),
    }


def figure_3(effort: Effort = FULL) -> tuple[dict[float, Solution], ...]:
    """Couplings in the weak, intermediate and strong range from n0 = 5: columns of {ratio: ...}."""
    settings = (
        (effort.graded(2000.0), effort.long),
        (effort.graded(40.0), effort.short),
        (effort.graded(60.0), effort.short),
    )
    return tuple(
        {ratio: solve(ohmic_cavity(ratio, WARM), fock(5), ts, solver) for ratio in ratios}
        for ratios, (ts, solver) in zip(RATIOS, settings, strict=True)
    )


def figure_4(effort: Effort = FULL) -> dict[float, Solution]:
    """A cold reservoir at weak coupling from n0 = 5: {kT0: ...}."""
    ts = effort.graded(600.0)
    return {T: solve(ohmic_cavity(WEAK, T), fock(5), ts, effort.long) for T in (0.0, 3.0)}


class Map(NamedTuple):
    """Solutions over kT0, which is the leading axis of each array of `solution`."""

    temperatures: Float[Array, " temperatures"]
    solution: Solution


def figure_5(effort: Effort = FULL) -> Map:
    """Weak coupling from n0 = 5 over the temperature of the reservoir."""
    temperatures = jnp.linspace(0.0, 10.0, effort.temperatures)
    ts = jnp.linspace(0.0, 400.0 * effort.span, effort.times)
    rows = [solve(ohmic_cavity(WEAK, T), fock(5), ts, effort.middle) for T in temperatures]
    return Map(temperatures, jax.tree.map(lambda *leaves: jnp.stack(leaves), *rows))


class Border(NamedTuple):
    """The temperature above which the entropy no longer passes its final value."""

    temperature: float
    error: float


def border(effort: Effort = FULL) -> Border:
    """Where the pole of T in AHZ Fig. 5 disappears, by bisection on whether S overshoots.

    The overshoot falls like the square of the distance to the border, so that its threshold adds
    to the uncertainty.
    """
    low, high = 0.8 * border_temperature(5), 1.2 * border_temperature(5)
    ts = effort.graded(1000.0)
    for _ in range(effort.bisections):
        middle = 0.5 * (low + high)
        entropy = solve(ohmic_cavity(WEAK, middle), fock(5), ts, effort.long).entropy
        overshoots = bool(jnp.max(entropy) - entropy[-1] > OVERSHOOT)
        low, high = (middle, high) if overshoots else (low, middle)
    return Border(0.5 * (low + high), 0.5 * (high - low) + 2.0 * OVERSHOOT**0.5)


def border_temperature(n0: float) -> float:
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
        rate = 2.0 * np.pi * float(cavity.spectral_density(cavity.frequency))
        stop = max(40.0, 3.0 / rate)
        ts, exact = effort.graded(stop), effort.short if stop <= 60.0 else effort.long
        return Comparison(
            solve(cavity, fock(5), ts, exact), solve(cavity, fock(5), ts, BornMarkov())
        )

    return {ratio: compare(ratio) for ratio in MARKOV_RATIOS}


class ZerothLaw(NamedTuple):
    """Two equal reservoirs at temperatures (T1, T2), together as weak as 0.01 eta_c.

    `relaxations` over time from n0 = 5. `final` holds the steady temperature of the cavity for
    T1, T2 = mean (1 -+ spread) at the `means`, {spread: ...}, and `expected` what equal golden-rule
    rates give, n = (n1 + n2) / 2.
    """

    relaxations: dict[tuple[float, float], Solution]
    means: Float[np.ndarray, " means"]
    final: dict[float, np.ndarray]
    expected: dict[float, np.ndarray]


def zeroth_law(effort: Effort = FULL) -> ZerothLaw:
    """Relaxations for several pairs of temperatures, and steady states over a range of them."""
    ts, means = effort.graded(800.0), np.geomspace(0.1, 100.0, 31)
    pairs = {spread: (means * (1.0 - spread), means * (1.0 + spread)) for spread in SPREADS}
    return ZerothLaw(
        {pair: solve(ohmic_cavity(WEAK, *pair), fock(5), ts, effort.long) for pair in PAIRS},
        means,
        {spread: temperature_of(_final_numbers(*pair)) for spread, pair in pairs.items()},
        {spread: temperature_of(mean_occupation(*pair)) for spread, pair in pairs.items()},
    )


@jax.jit
@jax.vmap
def _final_numbers(low: Float[Array, ""], high: Float[Array, ""]) -> Float[Array, ""]:
    # The response of the cavity is the same for all temperatures and is computed once.
    return _steady_number(ohmic_cavity(WEAK, low, high), 2**14)


def mean_occupation(*temperatures: ArrayLike) -> np.ndarray:
    """The mean of n(w_s, T): what equal golden-rule rates leave in the cavity."""
    with np.errstate(over="ignore", divide="ignore"):
        numbers = [1.0 / np.expm1(FREQUENCY / np.asarray(T)) for T in temperatures]
    return np.mean(numbers, axis=0)


def temperature_of(number: ArrayLike) -> np.ndarray:
    """w_s / ln(1 + 1/N): the temperature of a thermal mode with N quanta."""
    return FREQUENCY / np.log1p(1.0 / np.asarray(number))


class Oscillation(NamedTuple):
    """A solution at times in separate windows, each a slice of its arrays."""

    solution: Solution
    windows: tuple[slice, ...]

    def amplitudes(self) -> list[float]:
        """Largest minus smallest v in each window."""
        v = np.asarray(self.solution.v)
        return [float(np.ptp(v[window])) for window in self.windows]

    def swings(self) -> tuple[np.ndarray, np.ndarray]:
        """Times, and the change of v from each extremum to the next one."""
        parts = [_swings(*self._samples(window)) for window in self.windows]
        return tuple(np.concatenate(column) for column in zip(*parts, strict=True))

    def exponent(self) -> float:
        """p of the power law t^p that the swings follow."""
        t, sizes = self.swings()
        return float(np.polyfit(np.log(t), np.log(sizes), 1)[0])

    def _samples(self, window: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return tuple(np.asarray(getattr(self.solution, n))[window] for n in ("t", "v", "dv"))


def _swings(t: np.ndarray, v: np.ndarray, dv: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    at = np.flatnonzero(dv[:-1] * dv[1:] < 0.0)
    # Parabolas through a sample and the slopes on both sides of the extremum.
    delay = np.diff(t)[at] * dv[at] / (dv[at] - dv[at + 1])
    times, extrema = t[at] + delay, v[at] + 0.5 * dv[at] * delay
    return 0.5 * (times[1:] + times[:-1]), np.abs(np.diff(extrema))


def oscillation(effort: Effort = FULL) -> Oscillation:
    """Strong coupling from n0 = 5 in three windows up to t = 1000 / w_s, the first from t = 20."""
    ends = np.linspace(0, effort.times, len(WINDOWS) + 1).astype(int)
    windows = tuple(slice(start, stop) for start, stop in pairwise(ends))
    parts = [
        np.linspace(*span, window.stop - window.start)
        for span, window in zip(WINDOWS, windows, strict=True)
    ]
    ts = np.concatenate(parts) * effort.span
    return Oscillation(solve(ohmic_cavity(STRONG, WARM), fock(5), ts, effort.long), windows)


class Results(NamedTuple):
    """Everything computed here."""

    figure_2: dict[float, dict[int, Solution]]
    figure_3: tuple[dict[float, Solution], ...]
    figure_4: dict[float, Solution]
    figure_5: Map
    markov: dict[float, Comparison]
    zeroth_law: ZerothLaw
    oscillation: Oscillation
    border: Border


# --- Long times, from the spectral form of the Green functions (AHZ Eq. 15) ------------------


class Estimated(NamedTuple):
    """A number and an estimate of its error."""

    value: float
    error: float


class BoundState(eqx.Module):
    """A real solution w_b of w - w_s - Sigma(w) = 0 below the reservoir, and its residue Z.

    Without one, Z = 0 and the frequency is minus infinity.
    """

    frequency: Scalar
    residue: Scalar


@eqx.filter_jit
def bound_state(cavity: Cavity) -> BoundState:
    """The bound state below the support: Newton's method on a convex, increasing function."""
    lower = jnp.min(jnp.stack([bath.spectral_density.lower for bath in cavity.reservoirs]))

    def excess(w: Scalar) -> Scalar:
        return w - cavity.frequency - cavity.level_shift(w)

    def step(_: int, w: Scalar) -> Scalar:
        value, slope = jax.value_and_grad(excess)(w)
        return w - value / slope

    start = lower - 1e-9 * cavity.frequency
    exists = excess(start) > 0.0
    frequency = lax.fori_loop(0, 50, step, start)
    residue = 1.0 / jax.grad(excess)(frequency)
    return BoundState(jnp.where(exists, frequency, -jnp.inf), jnp.where(exists, residue, 0.0))


def steady_number(cavity: Cavity) -> Estimated:
    r"""v(t) for t -> infinity, \int dw J n [1 / |w - w_s - Sigma|^2 + Z^2 / (w - w_b)^2].

    What a cavity that starts empty ends up with, after every oscillation has decayed. The weaker
    the coupling the finer the quadrature; the error is its change from a quarter of the nodes.
    """
    fine, error = float("inf"), float("inf")
    for resolution in (2**12, 2**14, 2**16):
        coarse, fine = fine, float(_steady_number(cavity, resolution))
        error = abs(fine - coarse)
        if error < 1e-11 * fine:
            break
    return Estimated(fine, error + 1e-14 * fine)


def steady_temperature(cavity: Cavity, n0: int) -> float:
    """lim T(t) from |n0>, where v(t) still changes but |u|^2 = Z^2 no longer does.

    w_s / (dS/dv); without a bound state the temperature of a thermal mode, the same for all n0.
    """
    kept = bound_state(cavity).residue ** 2
    return float(FREQUENCY / _entropy_slope(fock(n0), kept, steady_number(cavity).value))


@eqx.filter_jit
def _entropy_slope(state: Mixture, transmission: Scalar, noise: float) -> Scalar:
    return jax.grad(state.entropy, 1)(transmission, jnp.asarray(noise, float))


@eqx.filter_jit
def _steady_number(cavity: Cavity, resolution: int) -> Scalar:
    total = jnp.zeros(())
    for bath in cavity.reservoirs:
        nodes, masses = bath.spectral_density.measure(resolution)
        total += jnp.sum(masses * bath.occupation(nodes) * _response(cavity, nodes))
    return total


def _response(cavity: Cavity, w: Float[Array, " nodes"]) -> Float[Array, " nodes"]:
    r"""|\int_0^t u e^{iws} ds|^2 for t -> infinity, without the terms that average to zero."""
    bound = bound_state(cavity)
    self_energy = jnp.zeros(w.shape, complex)
    for bath in cavity.reservoirs:
        self_energy += bath.spectral_density.self_energy(w.astype(complex))
    gap = w - cavity.frequency - self_energy.real
    continuum = 1.0 / (gap**2 + self_energy.imag**2)
    return continuum + (bound.residue / (w - bound.frequency)) ** 2


@eqx.filter_jit
def heat_current(cavity: Cavity) -> Scalar:
    r"""The steady energy current from the first of two reservoirs to the second.

    2 pi \int dw w J_1 J_2 (n_1 - n_2) / |w - w_s - Sigma|^2, without a bound state.
    """
    first, second = cavity.reservoirs
    w, masses = first.spectral_density.measure(2**16)
    bias = first.occupation(w) - second.occupation(w)
    flow = w * masses * second.spectral_density(w) * bias * _response(cavity, w)
    return 2.0 * jnp.pi * jnp.sum(flow)
