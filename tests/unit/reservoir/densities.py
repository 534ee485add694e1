"""The table of spectral densities that the tests of this folder run through.

Each has its formula written a second time, for Python numbers and as in the papers, and integrals
over that formula by SciPy's adaptive quadrature.
"""

from collections.abc import Callable
from itertools import pairwise
from math import cos, exp, expm1, inf, isfinite, pi, sin, sqrt
from typing import NamedTuple

import numpy as np
from scipy.integrate import quad
from scipy.interpolate import PchipInterpolator

import bathax as bx
from bathax.reservoir.spectral_density import SpectralDensity

KNOTS = np.array([0.0, 0.4, 1.0, 1.5, 2.5, 3.0, 4.5, 6.0])
HEIGHTS = np.array([0.0, 0.1, 0.15, 0.12, 0.2, 0.11, 0.05, 0.0])
curve = PchipInterpolator(KNOTS, HEIGHTS)


def one(w: float) -> float:  # noqa: ARG001
    """No weight."""
    return 1.0


def bose(temperature: float) -> Callable[[float], float]:
    """1 / (e^{w/T} - 1)."""
    return lambda w: 1.0 / expm1(w / temperature) if w < 700.0 * temperature else 0.0


def integral(f: Callable[[float], float], a: float, b: float, **weight) -> float:
    if not a < b:
        return 0.0
    tolerance = 1e-10 if weight else 1e-12
    return quad(f, a, b, limit=1000, epsabs=tolerance, epsrel=tolerance, **weight)[0]


def oscillating(f: Callable[[float], float], t: float, name: str, a: float, b: float) -> float:
    """The integral of f times the cosine or sine of wt, with the rule for infinite ends."""
    if t == 0.0:
        return integral(f, a, b) if name == "cos" else 0.0
    if isfinite(b - a):
        wave = {"cos": cos, "sin": sin}[name]
        return integral(lambda w: f(w) * wave(w * t), a, b)
    return quad(f, a, b, weight=name, wvar=t, limlst=500, limit=1000, epsabs=1e-11)[0]


class Problem(NamedTuple):
    """A density as a function of its parameters, and the same J(w) written by hand."""

    make: Callable[..., SpectralDensity]
    parameters: tuple[float, ...]
    formula: Callable[..., float]
    lower: float
    upper: float

    @property
    def density(self) -> SpectralDensity:
        return self.make(*self.parameters)

    @property
    def is_thermal(self) -> bool:
        """Whether it may have a temperature."""
        return self.lower >= 0.0

    def J(self, w: float) -> float:
        """J(w) by hand."""
        return self.formula(w, *self.parameters) if self.lower < w < self.upper else 0.0

    def fourier(self, t: float, weight: Callable[[float], float] = one, end=inf) -> complex:
        r"""\int dw J(w) weight(w) e^{-iwt}, up to `end`."""
        end = min(end, self.upper)
        edges = [self.lower, *(k for k in KNOTS.tolist() if self.lower < k < end), end]
        f = lambda w: self.J(w) * weight(w)  # noqa: E731
        spans = list(pairwise(edges))
        real, imaginary = (
            sum(oscillating(f, t, name, *span) for span in spans) for name in ("cos", "sin")
        )
        return complex(real, -imaginary)

    def level_shift(self, w: float) -> float:
        r"""P \int dx J(x) / (w - x)."""
        a, b = max(self.lower, w - 0.7), min(self.upper, w + 0.7)
        inside = a < w < b
        principal = integral(self.J, a, b, weight="cauchy", wvar=w) if inside else 0.0
        f = lambda x: self.J(x) / (w - x)  # noqa: E731
        a, b = (a, b) if inside else (self.upper, self.upper)
        return integral(f, self.lower, a) + integral(f, b, self.upper) - principal


def ohmic(w, eta, cutoff, exponent):
    return eta * w**exponent * cutoff ** (1 - exponent) * exp(-w / cutoff)


def band_edge(w, eta, edge, cutoff):
    return eta * sqrt(edge * (w - edge)) / w * exp(-(w - edge) / cutoff)


def lorentzian(w, gamma0, width, center):
    return gamma0 * width**2 / (2 * pi) / ((w - center) ** 2 + width**2)


def drude_lorentz(w, eta, cutoff):
    return eta * w * cutoff**2 / (w**2 + cutoff**2)


def semicircle(w, eta, center, half_width):
    return 2 * eta / (pi * half_width**2) * sqrt(half_width**2 - (w - center) ** 2)


def flat(w, gamma, low, high):
    return gamma / (2 * pi) if low < w < high else 0.0


def make_sum(eta, cutoff, gamma0, edge):
    return bx.Ohmic(eta, cutoff) + bx.BandEdge(gamma0, edge, cutoff)


def sum_by_hand(w, eta, cutoff, gamma0, edge):
    step = band_edge(w, gamma0, edge, cutoff) if w > edge else 0.0
    return ohmic(w, eta, cutoff, 1.0) + step


def make_scaled(factor, eta, cutoff):
    return factor * bx.Ohmic(eta, cutoff)


def scaled_by_hand(w, factor, eta, cutoff):
    return factor * ohmic(w, eta, cutoff, 1.0)


def make_table(height):
    return bx.Tabulated(KNOTS, height * HEIGHTS)


def table_by_hand(w, height):
    return height * float(curve(w))


PROBLEMS = {
    "Ohmic": Problem(bx.Ohmic, (0.1, 2.0, 1.0), ohmic, 0.0, 80.0),
    "sub-Ohmic": Problem(bx.Ohmic, (0.1, 2.0, 0.5), ohmic, 0.0, 80.0),
    "super-Ohmic 2": Problem(bx.Ohmic, (0.1, 2.0, 2.0), ohmic, 0.0, 90.0),
    "super-Ohmic 3": Problem(bx.Ohmic, (0.1, 2.0, 3.0), ohmic, 0.0, 100.0),
    "band edge": Problem(bx.BandEdge, (0.3, 0.8, 2.0), band_edge, 0.8, 80.0),
    "Lorentzian": Problem(bx.Lorentzian, (0.3, 0.5, 1.2), lorentzian, -inf, inf),
    "Drude-Lorentz": Problem(bx.DrudeLorentz, (0.1, 2.0), drude_lorentz, 0.0, inf),
    "semicircle": Problem(bx.SemicircleBand, (0.2, 1.2, 0.9), semicircle, 0.3, 2.1),
    "flat": Problem(bx.FlatBand, (0.4, 0.3, 2.1), flat, 0.3, 2.1),
    "tabulated": Problem(make_table, (1.5,), table_by_hand, 0.0, 6.0),
    "sum": Problem(make_sum, (0.1, 2.0, 0.3, 0.8), sum_by_hand, 0.0, 80.0),
    "scaled": Problem(make_scaled, (2.5, 0.1, 2.0), scaled_by_hand, 0.0, 80.0),
}
