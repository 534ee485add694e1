r"""Parameters of AHZ Figs. 2-5: a cavity in an Ohmic reservoir, its initial states and couplings.

Everything is in units of the cavity's frequency w_s, with an Ohmic reservoir J = eta w e^{-w/w_c}
of cutoff w_c = 5 w_s, whose critical coupling is eta_c = w_s / w_c = 0.2 (AHZ below Eq. 15).
Couplings are given as `ratio` = eta / eta_c.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Array, ArrayLike

from bathax._checks import RealLike
from bathax.cavity.resonance import Resonance
from bathax.cavity.solvers import Solver, Volterra
from bathax.qubit.elements import MapSolver
from bathax.qubit.vacuum import Vacuum
from bathax.reservoir.ohmic import Ohmic
from bathax.reservoir.reservoir import Reservoir
from bathax.solution.results import Solution
from bathax.solution.solving import solve
from bathax.system.models import Cavity
from bathax.system.states import Mixture

FREQUENCY = 1.0
CUTOFF = 5.0
CRITICAL = FREQUENCY / CUTOFF
WARM = 20.0
WEAK, INTERMEDIATE, STRONG = 0.01, 0.5, 1.5

QUANTA = (1, 5, 10)
RATIOS = ((0.003, 0.005, 0.01), (0.1, 0.3, 0.5), (1.2, 1.3, 1.5))
# The number of cavities for which limits are computed at once; the slowest decides.
CHUNK = 4


class Effort(NamedTuple):
    """How finely the cases are computed; the defaults are for publication.

    The last times of the cavity are 60 to 2000 / w_s, on which the cost of `Resonance` does not
    depend. `atom_times` and `atom_solver` are those of Fig. 6.
    """

    times: int = 601
    temperatures: int = 121
    bisections: int = 12
    solver: Solver = Resonance()
    atom_times: int = 801
    atom_solver: MapSolver = Vacuum(Volterra(rtol=1e-9, points=2**16))


FULL = Effort()


def fock(n: int) -> Mixture:
    """|n> for n <= 10, in arrays of one shape, so that programs are compiled once for all n."""
    return Mixture(np.eye(11)[n])


def ohmic_cavity(ratio: float | Array, *temperatures: RealLike) -> Cavity:
    """A cavity with total coupling `ratio` eta_c, shared by two equal reservoirs.

    A single temperature is that of both reservoirs, so that one program serves all cases.
    """
    temperatures = temperatures if len(temperatures) > 1 else 2 * temperatures
    density = Ohmic(ratio * CRITICAL / len(temperatures), CUTOFF)
    return Cavity(FREQUENCY, [Reservoir(density, temperature) for temperature in temperatures])


def solved(cavity: Cavity, n: int, ts: RealLike, solver: Solver) -> Solution:
    """The solution from n quanta with NumPy arrays, whose evaluation compiles nothing."""
    return jax.device_get(solve(cavity, fock(n), ts, solver))


def in_chunks(function: Callable[..., Any], *points: np.ndarray) -> Any:
    """A function of points, for any number of them, by one program for a fixed number."""
    count = len(points[0])
    missing = -count % CHUNK
    padded = [np.concatenate([values, values[-1:].repeat(missing, axis=0)]) for values in points]
    parts = [
        jax.device_get(function(*(values[start : start + CHUNK] for values in padded)))
        for start in range(0, count, CHUNK)
    ]
    return jax.tree.map(lambda *arrays: np.concatenate(arrays)[:count], *parts)


# --- Closed forms of weak coupling -----------------------------------------------------------


def border_temperature(n0: int) -> float:
    """w_s / ln(1 + 1/n0), where n(w_s, T) = n0."""
    return float(temperature_of(n0))


def mean_occupation(*temperatures: ArrayLike) -> np.ndarray:
    """The mean of n(w_s, T), the steady number for equal golden-rule rates."""
    with np.errstate(over="ignore", divide="ignore"):
        numbers = [1.0 / np.expm1(FREQUENCY / np.asarray(T)) for T in temperatures]
    return np.asarray(np.mean(numbers, axis=0))


def temperature_of(number: ArrayLike) -> np.ndarray:
    """w_s / ln(1 + 1/N): the temperature of a thermal mode with N quanta."""
    return np.asarray(FREQUENCY / np.log1p(1.0 / np.asarray(number)))
