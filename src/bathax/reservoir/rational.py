"""A rational spectral density between two frequencies, as `Tabulated.rational` makes them."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Complex, Inexact

from bathax._checks import (
    NON_NEGATIVE,
    Scalar,
    Validated,
    as_complex,
    as_inexact,
    converting,
    holds,
    parameter,
    require,
)
from bathax.numerics.quadrature import PANEL, on_panels
from bathax.reservoir.continuation import Piece
from bathax.reservoir.rules import Measure
from bathax.reservoir.spectral_density import SpectralDensity


class PartialFractions(Validated):
    """c + sum_j R_j / (w - p_j): `centers` p_j and `residues` R_j in conjugate pairs, `constant` c.

    >>> f = bx.PartialFractions([2.0 + 1.0j, 2.0 - 1.0j], [-0.5j, 0.5j], 0.0)
    >>> round(float(f(3.0).real), 4)  # 1 / ((w - 2)^2 + 1)
    0.5
    """

    centers: Complex[Array, " poles"] = eqx.field(converter=as_complex)
    residues: Complex[Array, " poles"] = eqx.field(converter=as_complex)
    constant: Scalar = parameter()

    @converting(as_complex)
    def __call__(self, z: Complex[Array, "..."]) -> Complex[Array, "..."]:
        return self.constant.astype(complex) + self.sum(z, jnp.ones_like(self.residues))

    def sum(self, z: Complex[Array, "..."], factors: Array) -> Complex[Array, "..."]:
        """sum_j R_j f_j / (z - p_j)."""
        return (1.0 / jnp.subtract.outer(z, self.centers)) @ (self.residues * factors)


class Rational(SpectralDensity):
    r"""J(w) = c + sum_j R_j / (w - p_j), the `fractions`, for `low` < w < `high`; zero outside.

    `kernel_error` is \int |dg(t)| dt, where dg is the error of the kernel g(t) against the density
    that was fitted; `Resonance` includes it in its error estimate. No other density of the
    reservoirs should begin or end where this one does.

    >>> f = bx.PartialFractions([2.0 + 1.0j, 2.0 - 1.0j], [-0.5j, 0.5j], 0.0)
    >>> J = bx.Rational(f, low=0.0, high=4.0)
    >>> round(float(J(3.0)), 4), float(J(5.0))
    (0.5, 0.0)
    """

    formula: ClassVar[str] = "J(w) = c + sum_j R_j / (w - p_j)"

    fractions: PartialFractions
    low: Scalar = parameter()
    high: Scalar = parameter()
    kernel_error: Scalar = parameter(NON_NEGATIVE, default=0.0)

    def __check_init__(self) -> None:
        require("high", "above `low`", self.high, holds(Rational.is_consistent, self))

    def is_consistent(self) -> Bool[Array, ""]:
        return self.low < self.high

    @converting(as_inexact)
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        inside = (w.real >= self.low) & (w.real <= self.high)
        value = self.fractions(w.astype(complex))
        value = value if jnp.iscomplexobj(w) else value.real
        return jnp.where(inside, value, jnp.zeros((), w.dtype))

    @property
    def lower(self) -> Scalar:
        return self.low

    @property
    def bandwidth(self) -> Scalar:
        return jnp.maximum(jnp.abs(self.low), jnp.abs(self.high))

    @property
    def extent(self) -> tuple[Scalar, Scalar]:
        return self.low, self.high

    def has_thermal_state(self, mu: Scalar) -> Bool[Array, ""]:
        # Zero but for the rounding of the sum.
        size = jnp.sum(
            jnp.abs(self.fractions.residues / (self.low.astype(complex) - self.fractions.centers))
        )
        vanishes = jnp.abs(self(self.low)) <= 1e-12 * size
        return (self.low > mu) | ((self.low == mu) & vanishes)

    @property
    def continuation(self) -> tuple[Piece, ...]:
        centers, residues = self.fractions.centers, self.fractions.residues
        below = centers.imag < 0.0
        # The list has a fixed length: poles above the axis are moved far away, with mass 0.
        aside = lax.complex(self.low, -1e3 * self.bandwidth)
        poles = jnp.where(below, centers, aside)
        masses = jnp.where(below, -2j * jnp.pi * residues, 0.0)
        return (Piece(self.low, self.high, self.fractions, poles, masses, self.kernel_error),)

    def measure(self, resolution: int) -> Measure:
        edges = jnp.linspace(self.low, self.high, 9 + resolution // 8)
        nodes, lengths = on_panels(edges, PANEL)
        return nodes, self(nodes) * lengths

    @converting(as_complex)
    def self_energy(self, z: Complex[Array, "..."]) -> Complex[Array, "..."]:
        r"""Sigma(z) = r(z) ln[(z - low)/(z - high)] + sum_j R_j l_j / (z - p_j), Im z >= 0.

        l_j = ln[(high - p_j)/(low - p_j)].
        """
        z = lax.complex(z.real, jnp.where(z.imag == 0.0, 0.0, z.imag))
        low, high = self.low.astype(complex), self.high.astype(complex)
        centers = self.fractions.centers
        logarithms = jnp.log((high - centers) / (low - centers))
        # At the ends Sigma is infinite unless J vanishes there; here it is a large number.
        spread = _log(z - low) - _log(z - high)
        return self.fractions(z) * spread + self.fractions.sum(z, logarithms)


def _log(z: Complex[Array, "..."]) -> Complex[Array, "..."]:
    return jnp.log(jnp.where(z == 0.0, 1e-300, z))
