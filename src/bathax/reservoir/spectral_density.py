r"""The base class of spectral densities J(w), and their sums and multiples.

Convention everywhere: J(w) = sum_k |V_k|^2 delta(w - w_k), with no factor pi, so that the memory
kernel is g(t) = \int dw J(w) e^{-iwt} and the golden-rule decay rate of a population 2 pi J(w_s).
"""

import abc
import itertools
from typing import ClassVar

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Complex, Float, Inexact

from bathax._checks import (
    NON_NEGATIVE,
    RealLike,
    Scalar,
    Validated,
    as_complex,
    as_float,
    as_inexact,
    converting,
    parameter,
)
from bathax._display import shown
from bathax.numerics.grid import TimeGrid
from bathax.numerics.partial_fractions import partial_fractions
from bathax.numerics.quadrature import fourier_sum
from bathax.reservoir.continuation import Piece, finite_ends
from bathax.reservoir.contour import is_band, panelled
from bathax.reservoir.occupation import Occupation
from bathax.reservoir.rules import Exponentials, Measure, joined


class SpectralDensity(Validated):
    r"""J(w) and the integrals over it.

    A subclass gives J(w), its lower end, a bandwidth and a quadrature rule; kernels and self-energy
    follow by quadrature unless it knows closed forms. Loops of JAX in it are written out, step by
    step. Densities add, and scale: `2.0 * Ohmic(0.1, 5.0) + Lorentzian(0.1, 0.2, 1.0)`.

    >>> J = bx.Ohmic(0.1, 5.0) + 2.0 * bx.Lorentzian(0.2, 0.5, 1.0)
    >>> round(float(J(1.0)), 4)  # 0.1 e^{-1/5} + 2 (0.2 / 2 pi)
    0.1455
    """

    formula: ClassVar[str] = "J(w)"
    strength: ClassVar[str | None] = None  # the parameter that J is proportional to

    @abc.abstractmethod
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        """J(w); zero outside its support."""

    @property
    @abc.abstractmethod
    def lower(self) -> Scalar:
        """The lowest frequency of the support."""

    @property
    @abc.abstractmethod
    def bandwidth(self) -> Scalar:
        """Largest frequency of importance: how fast g(t) varies. Only a hint for step sizes."""

    @property
    def extent(self) -> tuple[Scalar, Scalar]:
        """The lowest and the highest frequency that a time grid has to resolve. Only a hint."""
        return self.lower, self.bandwidth

    @property
    def weight(self) -> Scalar:
        r"""About \int J dw. Only a hint."""
        return jnp.sum(self.measure(64)[1])

    @property
    def modes(self) -> Measure | None:
        """Frequencies and couplings where J is a sum of separate modes; None elsewhere."""
        return None

    @property
    def is_continuous(self) -> bool:
        """Whether no part of J is a sum of separate modes, in which the dynamics recur."""
        return True

    @property
    def integrable(self) -> bool:
        """Whether int J dw = g(0) is finite: a J falling only like 1/w has no smooth kernel."""
        return True

    @property
    def background(self) -> Scalar | None:
        """gamma where J has a part gamma / 2 pi at all energies; None elsewhere."""
        return None

    def has_thermal_state(self, mu: Scalar) -> Bool[Array, ""]:
        """Whether n(w) of bosons is finite on the support: no weight at w <= mu."""
        return (self.lower > mu) | ((self.lower == mu) & (self(mu) == 0))

    @abc.abstractmethod
    def measure(self, resolution: int) -> Measure:
        r"""Real nodes w_q and masses m_q, \int J(w) f(w) dw = sum_q m_q f(w_q).

        There are enough nodes for f = e^{-iwt} if a uniform grid of `resolution` times up to t
        resolves that oscillation. Where J has algebraic tails, f must fall off by itself.
        """

    def contour(self, resolution: int) -> Measure:
        """Nodes and masses along a path on which e^{-izt} decays, where J is analytic."""
        return self.measure(resolution)

    @property
    def continuation(self) -> tuple[Piece, ...] | None:
        """J as analytic functions on the intervals of its support; None if they are not known."""
        return None

    @property
    def corners(self) -> Float[Array, " corners"]:
        """The frequencies at which J is not analytic, such as the ends of bands."""
        pieces = self.continuation
        return self.lower[None] if pieces is None else finite_ends(pieces)

    @property
    def is_deformable(self) -> bool:
        """Whether contours of the propagator can be deformed around the edges of J."""
        pieces = self.continuation
        return pieces is not None and not any(piece.singular for piece in pieces)

    def memory_kernel(self, grid: TimeGrid) -> Complex[Array, " points"]:
        r"""g(t) = \int dw J(w) e^{-iwt}."""
        nodes, masses = self.contour(grid.points)
        return fourier_sum(masses, nodes, grid)

    def noise_kernel(self, grid: TimeGrid, occupation: Occupation) -> Complex[Array, " points"]:
        r"""g~(t) = \int dw J(w) n(w) e^{-iwt}."""
        if (constant := occupation.constant) is not None:
            return constant.astype(complex) * self.memory_kernel(grid)
        nodes, _, masses = self.exponentials(occupation, grid.points)
        return fourier_sum(masses, nodes, grid)

    def exponentials(self, occupation: Occupation, resolution: int) -> Exponentials:
        r"""z_q, m_q and m_q n(z_q), g(t) = sum_q m_q e^{-i z_q t}, but for a `background`."""
        nodes, masses = self.rule_for(occupation, resolution)
        return nodes, masses, masses * occupation(nodes)

    def rule_for(self, occupation: Occupation, resolution: int) -> Measure:
        """Nodes along a path on which n is known, along the real axis if there is no other."""
        if not occupation.is_analytic:
            return self.measure(resolution)
        pieces = self.continuation
        # n may have a pole close to an end of a band, which nodes on the real axis would not see.
        if pieces is not None and (occupation.breaks or is_band(pieces)):
            # The integral does not depend on the unit of rays, nor do derivatives.
            return panelled(pieces, occupation.breaks, lax.stop_gradient(self.bandwidth))
        return self.contour(resolution)

    @converting(as_complex)
    def self_energy(self, z: Complex[Array, "..."]) -> Complex[Array, "..."]:
        r"""Sigma(z) = \int dw J(w) / (z - w), for Im z >= 0, or real z below the support.

        On the support it is the limit from above, Delta(w) - i pi J(w); by quadrature along the
        real axis (`Tabulated`) it is accurate only away from the support.
        """
        nodes, masses = self.contour(1024)
        poles = nodes.astype(complex), masses.astype(complex)
        return partial_fractions(poles, z.ravel()).reshape(z.shape)

    @converting(as_float)
    def level_shift(self, w: Float[Array, "..."]) -> Float[Array, "..."]:
        r"""Delta(w) = P \int dw' J(w') / (w - w')."""
        return self.self_energy(w.astype(complex)).real

    def __add__(self, other: "SpectralDensity") -> "SpectralDensity":
        return Sum((self, other)) if isinstance(other, SpectralDensity) else NotImplemented

    def __radd__(self, zero: int) -> "SpectralDensity":
        """For `sum`, which starts at 0."""
        return self if zero == 0 else NotImplemented

    def __mul__(self, factor: RealLike) -> "SpectralDensity":
        return Scaled(self, factor)

    __rmul__ = __mul__

    def __truediv__(self, divisor: RealLike) -> "SpectralDensity":
        return self * (1.0 / as_float(divisor, "divisor"))

    def __repr__(self) -> str:
        return f"{shown(self, 10**6)}: {self.formula} = sum_k |V_k|^2 delta(w - w_k)"  # on one line


class Combined(SpectralDensity):
    """Made of other densities."""

    @property
    @abc.abstractmethod
    def _parts(self) -> tuple[SpectralDensity, ...]:
        """These densities."""

    @property
    def lower(self) -> Scalar:
        return jnp.min(jnp.stack([term.lower for term in self._parts]))

    @property
    def bandwidth(self) -> Scalar:
        return jnp.max(jnp.stack([term.bandwidth for term in self._parts]))

    @property
    def extent(self) -> tuple[Scalar, Scalar]:
        lows, highs = zip(*(term.extent for term in self._parts), strict=True)
        return jnp.min(jnp.stack(lows)), jnp.max(jnp.stack(highs))

    @property
    def is_continuous(self) -> bool:
        return all(term.is_continuous for term in self._parts)

    @property
    def integrable(self) -> bool:
        return all(term.integrable for term in self._parts)

    def has_thermal_state(self, mu: Scalar) -> Bool[Array, ""]:
        return jnp.all(jnp.stack([term.has_thermal_state(mu) for term in self._parts]))

    @property
    def corners(self) -> Float[Array, " corners"]:
        return jnp.concatenate([term.corners for term in self._parts])


class Sum(Combined):
    """J(w) = sum_i J_i(w): one reservoir with several features."""

    formula: ClassVar[str] = "J(w) = sum_i J_i(w)"

    terms: tuple[SpectralDensity, ...]

    @property
    def _parts(self) -> tuple[SpectralDensity, ...]:
        return self.terms

    @converting(as_inexact)
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        return sum((term(w) for term in self.terms), jnp.zeros_like(w))

    @property
    def weight(self) -> Scalar:
        return jnp.sum(jnp.stack([term.weight for term in self.terms]))

    @property
    def modes(self) -> Measure | None:
        known = [found for term in self.terms if (found := term.modes) is not None]
        return joined(known) if len(known) == len(self.terms) else None

    @property
    def background(self) -> Scalar | None:
        known = [found for term in self.terms if (found := term.background) is not None]
        return jnp.sum(jnp.stack(known)) if known else None

    def measure(self, resolution: int) -> Measure:
        return joined([term.measure(resolution) for term in self.terms])

    def contour(self, resolution: int) -> Measure:
        return joined([term.contour(resolution) for term in self.terms])

    def exponentials(self, occupation: Occupation, resolution: int) -> Exponentials:
        return joined([term.exponentials(occupation, resolution) for term in self.terms])

    @property
    def continuation(self) -> tuple[Piece, ...] | None:
        known = [pieces for term in self.terms if (pieces := term.continuation) is not None]
        return tuple(itertools.chain(*known)) if len(known) == len(self.terms) else None

    def memory_kernel(self, grid: TimeGrid) -> Complex[Array, " points"]:
        return jnp.sum(jnp.stack([term.memory_kernel(grid) for term in self.terms]), axis=0)

    def noise_kernel(self, grid: TimeGrid, occupation: Occupation) -> Complex[Array, " points"]:
        kernels = [term.noise_kernel(grid, occupation) for term in self.terms]
        return jnp.sum(jnp.stack(kernels), axis=0)

    @converting(as_complex)
    def self_energy(self, z: Complex[Array, "..."]) -> Complex[Array, "..."]:
        return sum((term.self_energy(z) for term in self.terms), jnp.zeros_like(z))

    @converting(as_float)
    def level_shift(self, w: Float[Array, "..."]) -> Float[Array, "..."]:
        return sum((term.level_shift(w) for term in self.terms), jnp.zeros_like(w))


class Scaled(Combined):
    """J(w) = factor J_0(w), with factor >= 0."""

    formula: ClassVar[str] = "J(w) = factor J_0(w)"
    strength: ClassVar[str | None] = "factor"

    density: SpectralDensity
    factor: Scalar = parameter(NON_NEGATIVE)

    @property
    def _parts(self) -> tuple[SpectralDensity, ...]:
        return (self.density,)

    @converting(as_inexact)
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        return self.factor.astype(w.dtype) * self.density(w)

    @property
    def weight(self) -> Scalar:
        return self.factor * self.density.weight

    @property
    def modes(self) -> Measure | None:
        if (found := self.density.modes) is None:
            return None
        return found[0], jnp.sqrt(self.factor) * found[1]

    @property
    def background(self) -> Scalar | None:
        return None if (found := self.density.background) is None else self.factor * found

    def measure(self, resolution: int) -> Measure:
        nodes, masses = self.density.measure(resolution)
        return nodes, self.factor.astype(masses.dtype) * masses

    def contour(self, resolution: int) -> Measure:
        nodes, masses = self.density.contour(resolution)
        return nodes, self.factor.astype(masses.dtype) * masses

    def exponentials(self, occupation: Occupation, resolution: int) -> Exponentials:
        nodes, *masses = self.density.exponentials(occupation, resolution)
        memory, noise = (self.factor.astype(each.dtype) * each for each in masses)
        return nodes, memory, noise

    @property
    def continuation(self) -> tuple[Piece, ...] | None:
        if (pieces := self.density.continuation) is None:
            return None
        return tuple(piece.scaled(self.factor) for piece in pieces)

    def memory_kernel(self, grid: TimeGrid) -> Complex[Array, " points"]:
        return self.factor.astype(complex) * self.density.memory_kernel(grid)

    def noise_kernel(self, grid: TimeGrid, occupation: Occupation) -> Complex[Array, " points"]:
        return self.factor.astype(complex) * self.density.noise_kernel(grid, occupation)

    @converting(as_complex)
    def self_energy(self, z: Complex[Array, "..."]) -> Complex[Array, "..."]:
        return self.factor.astype(complex) * self.density.self_energy(z)

    @converting(as_float)
    def level_shift(self, w: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.factor * self.density.level_shift(w)
