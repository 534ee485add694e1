r"""Parameters of the qubit of NP, and closed forms of weak coupling.

Everything is in units of the qubit's frequency w_s. Its reservoir is Ohmic, J = eta w e^{-w/w_c}
with w_c = 5 w_s, at temperature T0. At weak coupling, in the limit of van Hove, the determinant of
the map of the populations is D = e^{-Gamma t}, Gamma = 2 pi J(w_s) (2n + 1), and the excited
population ends at Boltzmann's.
"""

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array

from bathax.cavity.solvers import Volterra
from bathax.qubit.dynamical_map import DynamicalMap, dynamical_map
from bathax.qubit.elements import MapSolver
from bathax.qubit.hierarchy import Hierarchy
from bathax.qubit.vacuum import Vacuum
from bathax.reservoir.band import SemicircleBand
from bathax.reservoir.lorentzian import Lorentzian
from bathax.reservoir.ohmic import Ohmic
from bathax.reservoir.reservoir import Reservoir
from bathax.system.models import Qubit

FREQUENCY = 1.0
CUTOFF = 5.0

WARM = 1.0
COUPLINGS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
# The coupling at which temperatures are compared, and the largest for which `weak` is used.
MODERATE, WEAK = 0.02, 0.01
# How long relaxation is followed: LIFETIMES / Gamma, but at least SHORTEST; in the vacuum, where D
# has no numerical noise, to LONGEST, where D is no longer exponential.
LIFETIMES, SHORTEST, LONGEST = 6.0, 40.0, 300.0
# A coupling and a temperature at which D passes zero, and a single mode with loss that does so.
STRONG = (0.1, 0.5)
MODE = Lorentzian(0.1, 0.2, FREQUENCY)
# n(w_s) at kT0 = w_s.
FILLING = 1.0 / np.expm1(1.0)

# The Ohmic coupling above which there is a bound state, w_s / w_c, and a band above w_s.
CRITICAL, GAP = FREQUENCY / CUTOFF, SemicircleBand(0.02, 1.6, 0.5)

# The coupling that is compared with the moderate one; a frequency off resonance, where a mode
# returns after 2 pi / (w - w_s); the frequencies at which the reservoir's occupation is computed.
WEAKER, DETUNED = 0.005, 2.0
FREQUENCIES = np.linspace(0.01, 3.0, 300)


class Effort(NamedTuple):
    """How finely the cases are computed; the defaults are for publication.

    `weak` and `strong` have a fixed size, so that few programs are compiled, and an error of about
    1e-5. `single` is for a reservoir that is one mode with loss. `field` is for the occupation of
    the reservoir, up to the time `exchanged`, here four lifetimes. `bound` is for qubits with a
    bound state, with an error of about 0.004, and `plane` for them over the plane of coupling and
    temperature, with one of 0.03 at most.
    """

    times: int = 401
    vacuum: MapSolver = Vacuum(Volterra(rtol=1e-9, points=2**16))
    weak: MapSolver = Hierarchy(rtol=1e-3, depth=5, modes=16)
    strong: MapSolver = Hierarchy(rtol=1e-3, depth=9, modes=14)
    single: MapSolver = Hierarchy(rtol=1e-6, depth=12, modes=1)
    field: Hierarchy = Hierarchy(rtol=1e-3, depth=6, modes=11)
    exchanged: float = 17.0
    bound: MapSolver = Hierarchy(rtol=2e-2, depth=9, modes=14, steps=144)
    plane: MapSolver = Hierarchy(rtol=5e-2, depth=9, modes=10, steps=144)

    def solver(self, eta: float, temperature: float) -> MapSolver:
        """The solver of an Ohmic reservoir."""
        if temperature == 0.0:
            return self.vacuum
        return self.weak if eta <= WEAK else self.strong


FULL = Effort()


def ohmic_qubit(eta: float, temperature: float) -> Qubit:
    """An atom in an Ohmic reservoir."""
    return Qubit(FREQUENCY, Reservoir(Ohmic(eta, CUTOFF), temperature))


def solved(qubit: Qubit, ts: Array, solver: MapSolver) -> DynamicalMap:
    """The map with NumPy arrays, whose evaluation compiles nothing."""
    return jax.device_get(dynamical_map(qubit, ts, solver))


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
