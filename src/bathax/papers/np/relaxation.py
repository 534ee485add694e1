r"""Relaxation of a qubit (NP): D(t) by coupling and temperature, lifetimes, final populations.

The populations of two initial states differ by D = P11 + P00 - 1 times their initial difference.
"""

from typing import NamedTuple

import numpy as np

from bathax.papers.claims import Estimated
from bathax.papers.np.parameters import (
    COUPLINGS,
    FULL,
    LIFETIMES,
    LONGEST,
    MODERATE,
    SHORTEST,
    WARM,
    Effort,
    boltzmann,
    golden_rule,
    ohmic_qubit,
    solved,
)
from bathax.papers.times import graded
from bathax.qubit.dynamical_map import DynamicalMap
from bathax.qubit.memory import determinant_passage
from bathax.qubit.perturbative import VanHove


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
        return determinant_passage(self.exact, np.exp(-1.0))

    def final(self) -> Estimated:
        """The final excited population of all initial states, (1 - P00) / (1 - D).

        The remaining D times the distance from Boltzmann's population counts as an error.
        """
        last, error = self.exact.determinant[-1], self.exact.error
        value = float((1.0 - self.exact.p00[-1]) / (1.0 - last))
        leftover = abs(float(last) * (value - boltzmann(self.temperature)))
        return Estimated(value, float(error.p11[-1] + error.p00[-1]) + leftover)

    def shift(self) -> Estimated:
        """The final population less the Boltzmann population of the bare atom."""
        value, error = self.final()
        return Estimated(value - boltzmann(self.temperature), error)


class Relaxations(NamedTuple):
    """Relaxation at kT0 = w_s by coupling, and at one coupling by temperature."""

    couplings: dict[float, Relaxation]
    temperatures: dict[float, Relaxation]

    def exponent(self) -> float:
        """The exponent p of lifetimes ~ eta^p, up to the moderate coupling."""
        weak = [eta for eta in self.couplings if eta <= MODERATE]
        times = [self.couplings[eta].lifetime() for eta in weak]
        return float(np.polyfit(np.log(weak), np.log(times), 1)[0])


def relaxation(effort: Effort = FULL) -> Relaxations:
    """The map over several lifetimes, for several couplings and temperatures."""

    def relax(eta: float, temperature: float, stop: float) -> Relaxation:
        qubit, ts = ohmic_qubit(eta, temperature), graded(stop, effort.times)
        exact = solved(qubit, ts, effort.solver(eta, temperature))
        return Relaxation(eta, temperature, exact, solved(qubit, ts, VanHove()))

    stops = {eta: max(LIFETIMES / golden_rule(eta, WARM), SHORTEST) for eta in COUPLINGS}
    couplings = {eta: relax(eta, WARM, stop) for eta, stop in stops.items()}
    temperatures = {
        0.0: relax(MODERATE, 0.0, LONGEST),
        0.5: relax(MODERATE, 0.5, SHORTEST),
        WARM: couplings[MODERATE],
        2.0: relax(MODERATE, 2.0, SHORTEST),
    }
    return Relaxations(couplings, temperatures)
