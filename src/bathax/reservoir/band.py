"""Bands: the semicircle, the flat one and the one without ends."""

from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex, Inexact

from bathax._checks import (
    FINITE,
    NON_NEGATIVE,
    POSITIVE,
    Scalar,
    as_complex,
    as_inexact,
    converting,
    holds,
    parameter,
    require,
)
from bathax.numerics.elementary import logarithm, phase_factor, square_root
from bathax.numerics.grid import TimeGrid
from bathax.numerics.quadrature import composite
from bathax.numerics.special import jinc
from bathax.reservoir.continuation import Piece
from bathax.reservoir.occupation import Occupation
from bathax.reservoir.rules import Exponentials, Measure
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
    strength: ClassVar[str | None] = "eta"

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
        low, high = self.lower.astype(complex), (self.center + self.half_width).astype(complex)
        scale = (2.0 / jnp.pi) * (self.eta / self.half_width**2).astype(complex)
        # As differences from the ends, J is exact close to them.
        return scale * square_root(high - z) * square_root(z - low)

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


class FlatBand(SpectralDensity):
    r"""J(w) = gamma / 2 pi for low < w < high: an electronic lead of constant density of states.

    `gamma` (>= 0, energy) is the decay rate of the population of a level inside a wide band, which
    reaches from `low` to `high`.
    g(t) = (gamma / 2 pi) (e^{-i low t} - e^{-i high t}) / (it), and
    Sigma(z) = (gamma / 2 pi) ln[(z - low) / (z - high)], which is infinite at the edges.

    >>> J = bx.FlatBand(gamma=0.5, low=-5.0, high=5.0)
    >>> round(float(-2.0 * J.self_energy(0.0).imag), 4)  # gamma, the decay rate
    0.5
    """

    formula: ClassVar[str] = "J(w) = gamma / 2 pi, low < w < high"
    strength: ClassVar[str | None] = "gamma"

    gamma: Scalar = parameter(NON_NEGATIVE)
    low: Scalar = parameter(FINITE)
    high: Scalar = parameter(FINITE)

    def __check_init__(self) -> None:
        super().__check_init__()
        words = f"above `low`, {self.low}"
        require("high", words, self.high, holds(lambda low, high: low < high, self.low, self.high))

    def is_consistent(self) -> Bool[Array, ""]:
        return self.low < self.high

    @converting(as_inexact)
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        inside = (self.low < w.real) & (w.real < self.high)
        return jnp.where(inside, self._level.astype(w.dtype), jnp.zeros((), w.dtype))

    @property
    def _level(self) -> Scalar:
        return self.gamma / (2.0 * jnp.pi)

    @property
    def _half_width(self) -> Scalar:
        return 0.5 * (self.high - self.low)

    @property
    def _center(self) -> Scalar:
        return 0.5 * (self.high + self.low)

    @property
    def lower(self) -> Scalar:
        return self.low

    @property
    def bandwidth(self) -> Scalar:
        return jnp.abs(self._center) + self._half_width

    @property
    def extent(self) -> tuple[Scalar, Scalar]:
        return self.low, self.high

    @property
    def weight(self) -> Scalar:
        return 2.0 * self._level * self._half_width

    @property
    def continuation(self) -> tuple[Piece, ...]:
        flat = lambda z: self._level.astype(complex) + jnp.zeros_like(z)  # noqa: E731
        return (Piece(self.low, self.high, flat, singular=True),)

    def measure(self, resolution: int) -> Measure:
        x, weights = (jnp.asarray(part) for part in composite(4 + resolution // 16))
        return self.low + 2.0 * self._half_width * x, self.weight * weights

    def memory_kernel(self, grid: TimeGrid) -> Complex[Array, " points"]:
        phase = phase_factor(-self._center * grid.times)
        turn = self._half_width * grid.times
        return phase * (self.weight * jnp.sinc(turn / jnp.pi)).astype(complex)

    @converting(as_complex)
    def self_energy(self, z: Complex[Array, "..."]) -> Complex[Array, "..."]:
        low, high = self.low.astype(complex), self.high.astype(complex)
        spread = logarithm(z - low) - logarithm(z - high)
        return self._level.astype(complex) * spread


class WideBand(SpectralDensity):
    r"""J(w) = gamma / 2 pi at all energies: the wide-band limit of a lead of fermions.

    `gamma` (> 0, energy) is the decay rate of the population of a level, Sigma(z) = -i gamma / 2,
    and g(t) = gamma delta(t). It is for thermal fermions, in a steady state and, by `Embedding`, on
    the way there; g~(t) is singular like 1/t, and systems with drives refuse it. The energy of the
    coupling grows with the logarithm of the width of a band: in this limit it is NaN. Energy
    currents exist, but are computed for steady states only, and NaN elsewhere.

    >>> lead = bx.Reservoir(bx.WideBand(1.0), temperature=0.2, chemical_potential=0.0)
    >>> dot = bx.LinearSystem([[0.5]], bx.Channel(lead, [1.0]), statistics="fermion")
    >>> round(float(bx.steady_state(dot).number), 4)
    0.2834
    """

    formula: ClassVar[str] = "J(w) = gamma / 2 pi"

    gamma: Scalar = parameter(POSITIVE)

    @converting(as_inexact)
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        return jnp.broadcast_to((self.gamma / (2.0 * jnp.pi)).astype(w.dtype), w.shape)

    @property
    def lower(self) -> Scalar:
        return jnp.asarray(-jnp.inf)

    @property
    def bandwidth(self) -> Scalar:
        return self.gamma

    @property
    def extent(self) -> tuple[Scalar, Scalar]:
        return -self.gamma, self.gamma

    @property
    def weight(self) -> Scalar:
        # There is no other scale than gamma.
        return self.gamma**2

    @property
    def integrable(self) -> bool:
        return False

    @property
    def background(self) -> Scalar | None:
        return self.gamma

    @property
    def continuation(self) -> tuple[Piece, ...]:
        return (Piece(-jnp.inf, jnp.inf, self),)

    def exponentials(self, occupation: Occupation, resolution: int) -> Exponentials:
        # f - 1/2 is odd about mu: its integral to both sides is gamma delta(t) / 2 less than g~.
        nodes, masses = self.rule_for(occupation, resolution)
        half = jnp.asarray(0.5, masses.dtype)
        return nodes, jnp.zeros_like(masses), masses * (occupation(nodes) - half)

    def measure(self, resolution: int) -> Measure:
        # w = gamma tan(theta): what is integrated falls off by itself.
        count = 64 + resolution
        theta = jnp.pi * ((jnp.arange(count, dtype=float) + 0.5) / count - 0.5)
        return self.gamma * jnp.tan(theta), self.gamma**2 / (2.0 * count) / jnp.cos(theta) ** 2

    @converting(as_complex)
    def self_energy(self, z: Complex[Array, "..."]) -> Complex[Array, "..."]:
        return jnp.broadcast_to(-0.5j * self.gamma.astype(complex), z.shape)
