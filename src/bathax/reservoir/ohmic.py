"""Densities with an exponential cutoff: the Ohmic family and the photonic band edge."""

import abc
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.special import gamma
from jaxtyping import Array, Complex, Inexact

from bathax._checks import (
    NON_NEGATIVE,
    POSITIVE,
    Scalar,
    as_complex,
    as_inexact,
    converting,
    parameter,
)
from bathax.numerics.elementary import damped_power, power
from bathax.numerics.grid import TimeGrid, sampled
from bathax.numerics.quadrature import composite, half_line
from bathax.numerics.special import hurwitz_zeta
from bathax.reservoir.continuation import Piece
from bathax.reservoir.occupation import Occupation
from bathax.reservoir.rules import Measure
from bathax.reservoir.spectral_density import SpectralDensity
from bathax.reservoir.strength import separated

# For ten digits a time grid has to resolve frequencies up to about four times an exponential
# cutoff, and more for a power in front of it: found by trial.
REACH = 3.75
# The ray of a contour ends at e^4.3 w_c, where e^{-w/w_c} is e^-52. The number of its nodes is a
# multiple of 32: sums of other lengths take XLA ten times as long to compile.
RAY = (4.3, 352)


class Analytic(SpectralDensity):
    """A density eta j(w), analytic to the right of its lower end, decaying like e^{-w/cutoff}.

    Its integrals run along the ray lower + r e^{-i pi/4}, where e^{-izt} decays for t > 0: some 200
    nodes serve every t, and the thermal poles on the imaginary axis stay out of reach.
    """

    strength: ClassVar[str | None] = "eta"

    eta: eqx.AbstractVar[Scalar]

    @property
    @abc.abstractmethod
    def decay(self) -> Scalar:
        """The frequency w_c of the cutoff e^{-w/w_c}."""

    @property
    def continuation(self) -> tuple[Piece, ...]:
        return (Piece(self.lower, jnp.inf, self),)

    def contour(self, resolution: int) -> Measure:
        del resolution
        ray = lax.stop_gradient(self.decay).astype(complex) * np.exp(-0.25j * np.pi)
        r, weights = (jnp.asarray(part, complex) for part in half_line(*RAY))
        nodes = self.lower.astype(complex) + ray * r
        return nodes, self(nodes) * ray * weights

    @converting(as_complex)
    def self_energy(self, z: Complex[Array, "..."]) -> Complex[Array, "..."]:
        # A batch over eta shares the sum.
        strength, unit = separated(self)
        return strength.astype(complex) * SpectralDensity.self_energy(unit, z)

    def measure(self, resolution: int) -> Measure:
        # w = lower + 45 w_c x^4: smooth at x = 0 for every power law, e^{-45} at x = 1.
        x, weights = (jnp.asarray(part) for part in composite(8 + resolution // 8))
        nodes = self.lower + 45.0 * self.decay * x**4
        return nodes, self(nodes) * 180.0 * self.decay * x**3 * weights


class Ohmic(Analytic):
    r"""J(w) = eta w^s w_c^{1-s} e^{-w/w_c} for w > 0; s = 1 Ohmic, below sub-, above super-Ohmic.

    `eta` (>= 0, dimensionless), `cutoff` w_c (> 0, energy), `exponent` s (> 0).
    Closed forms: g(t) = eta w_c^2 Gamma(s+1) / (1 + i w_c t)^{s+1} and, for a thermal reservoir,
    g~(t) = eta w_c^{1-s} Gamma(s+1) T^{s+1} zeta(s+1, 1 + T/w_c + iTt) with Hurwitz' zeta.
    A bound state appears above the critical coupling eta_c = w_s / (w_c Gamma(s)).

    >>> J = bx.Ohmic(eta=0.1, cutoff=5.0)
    >>> round(float(J(5.0)), 4)  # eta w_c / e
    0.1839
    >>> round(float(J.self_energy(0.0).real), 4)  # -eta w_c
    -0.5
    """

    formula: ClassVar[str] = "J(w) = eta w^s w_c^(1-s) exp(-w/w_c)"

    eta: Scalar = parameter(NON_NEGATIVE)
    cutoff: Scalar = parameter(POSITIVE)
    exponent: Scalar = parameter(POSITIVE, default=1.0)

    @converting(as_inexact)
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        inside = w.real > 0
        x = jnp.where(inside, w, jnp.ones((), w.dtype)) / self.cutoff.astype(w.dtype)
        value = (self.eta * self.cutoff).astype(w.dtype) * damped_power(x, self.exponent)
        return jnp.where(inside, value, jnp.zeros((), w.dtype))

    @property
    def lower(self) -> Scalar:
        return jnp.zeros(())

    @property
    def continuation(self) -> tuple[Piece, ...]:
        return (Piece(0.0, jnp.inf, self),)

    @property
    def decay(self) -> Scalar:
        return self.cutoff

    @property
    def extent(self) -> tuple[Scalar, Scalar]:
        return self.lower, self.cutoff * (REACH + REACH / 3.0 * self.exponent)

    @property
    def weight(self) -> Scalar:
        return self.eta * self.cutoff**2 * gamma(self.exponent + 1.0)

    @property
    def bandwidth(self) -> Scalar:
        return self.cutoff * (1.0 + self.exponent) / 2.0

    def memory_kernel(self, grid: TimeGrid) -> Complex[Array, " points"]:
        order = self.exponent + 1.0
        strength = self.eta * self.cutoff**2 * gamma(order)
        return strength.astype(complex) * sampled(_power_law, (self.cutoff, order), grid)

    def noise_kernel(self, grid: TimeGrid, occupation: Occupation) -> Complex[Array, " points"]:
        temperature = occupation.planck
        if temperature is None:
            return super().noise_kernel(grid, occupation)
        warm = temperature > 0
        temperature = jnp.where(warm, temperature, 1.0)
        order = self.exponent + 1.0
        strength = self.eta * self.cutoff**2 * gamma(order) * (temperature / self.cutoff) ** order
        strength, start = jnp.where(warm, strength, 0.0), 1.0 + temperature / self.cutoff
        return strength.astype(complex) * sampled(_thermal, (order, start, temperature), grid)


def _power_law(t: Scalar, cutoff: Scalar, order: Scalar) -> Complex[Array, ""]:
    """(1 + i w_c t)^{-order}."""
    return power(lax.complex(1.0, cutoff * t), -order)


def _thermal(t: Scalar, order: Scalar, start: Scalar, temperature: Scalar) -> Complex[Array, ""]:
    """zeta(order, start + iTt)."""
    return hurwitz_zeta(order, lax.complex(start, temperature * t))


class BandEdge(Analytic):
    r"""J(w) = eta sqrt(w_e (w - w_e)) / w e^{-(w - w_e)/w_c} for w > w_e: a photonic band edge.

    `eta` (>= 0, energy), `edge` w_e (> 0, energy), `cutoff` w_c (> 0, energy). J rises like a
    square root at the edge and falls like 1/sqrt(w) above it until the cutoff.

    >>> J = bx.BandEdge(eta=0.1, edge=1.0, cutoff=5.0)
    >>> float(J(0.5)), round(float(J(2.0)), 4)  # 0 in the gap, and 0.05 e^{-1/5}
    (0.0, 0.0409)
    """

    formula: ClassVar[str] = "J(w) = eta sqrt(w_e (w - w_e)) / w exp(-(w - w_e)/w_c)"

    eta: Scalar = parameter(NON_NEGATIVE)
    edge: Scalar = parameter(POSITIVE)
    cutoff: Scalar = parameter(POSITIVE)

    @converting(as_inexact)
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        edge = self.edge.astype(w.dtype)
        inside = w.real > self.edge
        x = jnp.where(inside, w - edge, jnp.ones((), w.dtype))
        shape = jnp.sqrt(edge * x) / (edge + x) * jnp.exp(-x / self.cutoff.astype(w.dtype))
        return jnp.where(inside, self.eta.astype(w.dtype) * shape, jnp.zeros((), w.dtype))

    @property
    def lower(self) -> Scalar:
        return self.edge

    @property
    def decay(self) -> Scalar:
        return self.cutoff

    @property
    def extent(self) -> tuple[Scalar, Scalar]:
        return self.edge, self.edge + REACH * self.cutoff

    @property
    def weight(self) -> Scalar:
        """The weight is at most sqrt(pi) times this."""
        return self.eta * jnp.sqrt(self.edge * self.cutoff)

    @property
    def bandwidth(self) -> Scalar:
        return self.edge + self.cutoff
