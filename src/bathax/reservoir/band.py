"""Densities of finite support: the semicircle band."""

from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Complex, Inexact

from bathax._checks import (
    FINITE,
    NON_NEGATIVE,
    POSITIVE,
    Scalar,
    as_complex,
    as_inexact,
    converting,
    parameter,
)
from bathax.numerics.elementary import square_root
from bathax.numerics.grid import TimeGrid
from bathax.numerics.special import jinc
from bathax.reservoir.continuation import Piece
from bathax.reservoir.rules import Measure
from bathax.reservoir.spectral_density import SpectralDensity


class SemicircleBand(SpectralDensity):
    r"""J(w) = (2 eta / pi W^2) sqrt(W^2 - (w - w_0)^2): the end of a chain of coupled cavities.

    `eta` (>= 0, energy^2) is the weight \int J dw, `center` w_0 the middle and `half_width` W
    (> 0) half the width of the band. g(t) = eta e^{-i w_0 t} 2 J_1(Wt) / (Wt). With two edges
    there can be two bound states.

    >>> J = bx.SemicircleBand(eta=0.01, center=1.0, half_width=0.5)
    >>> round(float(J.self_energy(1.5).real), 4)  # 2 eta / W at the upper edge
    0.04
    """

    formula: ClassVar[str] = "J(w) = (2 eta / pi W^2) sqrt(W^2 - (w - w_0)^2)"

    eta: Scalar = parameter(NON_NEGATIVE)
    center: Scalar = parameter(FINITE)
    half_width: Scalar = parameter(POSITIVE)

    @converting(as_inexact)
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        x = (w - self.center.astype(w.dtype)) / self.half_width.astype(w.dtype)
        inside = jnp.abs(x) < 1.0
        root = jnp.sqrt(1.0 - jnp.where(inside, x, jnp.zeros((), w.dtype)) ** 2)
        scale = (2.0 / jnp.pi) * (self.eta / self.half_width).astype(w.dtype)
        return jnp.where(inside, scale * root, jnp.zeros((), w.dtype))

    @property
    def lower(self) -> Scalar:
        return self.center - self.half_width

    @property
    def bandwidth(self) -> Scalar:
        return jnp.abs(self.center) + self.half_width

    @property
    def extent(self) -> tuple[Scalar, Scalar]:
        return self.lower, self.center + self.half_width

    @property
    def weight(self) -> Scalar:
        return self.eta

    @property
    def continuation(self) -> tuple[Piece, ...]:
        return (Piece(self.lower, self.center + self.half_width, self._continued),)

    def _continued(self, z: Complex[Array, "..."]) -> Complex[Array, "..."]:
        x = (z - self.center.astype(complex)) / self.half_width.astype(complex)
        scale = (2.0 / jnp.pi) * (self.eta / self.half_width).astype(complex)
        return scale * square_root(1.0 - x) * square_root(1.0 + x)

    def measure(self, resolution: int) -> Measure:
        # w = w_0 + W cos(theta) makes J dw periodic in theta, for which the midpoint rule is best.
        count = 64 + resolution // 2
        theta = jnp.pi / count * (jnp.arange(count, dtype=float) + 0.5)
        nodes = self.center + self.half_width * jnp.cos(theta)
        return nodes, 2.0 * self.eta / count * jnp.sin(theta) ** 2

    def memory_kernel(self, grid: TimeGrid) -> Complex[Array, " points"]:
        phase = jnp.exp(-1j * (self.center * grid.times).astype(complex))
        return phase * (self.eta * jinc(self.half_width * grid.times)).astype(complex)

    @converting(as_complex)
    def self_energy(self, z: Complex[Array, "..."]) -> Complex[Array, "..."]:
        """Sigma(z) = 2 eta / [z - w_0 + sqrt(z - w_0 - W) sqrt(z - w_0 + W)]."""
        low, high = self.lower.astype(complex), (self.center + self.half_width).astype(complex)
        root = square_root(z - high) * square_root(z - low)
        return 2.0 * self.eta.astype(complex) / (z - self.center.astype(complex) + root)
