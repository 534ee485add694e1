"""Sums and multiples of spectral densities."""

import itertools
from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex, Float, Inexact

from bathax._checks import (
    NON_NEGATIVE,
    Scalar,
    as_complex,
    as_float,
    as_inexact,
    converting,
    parameter,
)
from bathax.numerics.grid import TimeGrid
from bathax.reservoir.continuation import Piece
from bathax.reservoir.occupation import Occupation
from bathax.reservoir.rules import Exponentials, Measure, joined
from bathax.reservoir.spectral_density import SpectralDensity


class Sum(SpectralDensity):
    """J(w) = sum_i J_i(w): one reservoir with several features."""

    formula: ClassVar[str] = "J(w) = sum_i J_i(w)"

    terms: tuple[SpectralDensity, ...]

    @converting(as_inexact)
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        return sum((term(w) for term in self.terms), jnp.zeros_like(w))

    @property
    def lower(self) -> Scalar:
        return jnp.min(jnp.stack([term.lower for term in self.terms]))

    @property
    def bandwidth(self) -> Scalar:
        return jnp.max(jnp.stack([term.bandwidth for term in self.terms]))

    @property
    def extent(self) -> tuple[Scalar, Scalar]:
        lows, highs = zip(*(term.extent for term in self.terms), strict=True)
        return jnp.min(jnp.stack(lows)), jnp.max(jnp.stack(highs))

    @property
    def weight(self) -> Scalar:
        return jnp.sum(jnp.stack([term.weight for term in self.terms]))

    @property
    def modes(self) -> Measure | None:
        known = [found for term in self.terms if (found := term.modes) is not None]
        return joined(known) if len(known) == len(self.terms) else None

    @property
    def is_continuous(self) -> bool:
        return all(term.is_continuous for term in self.terms)

    @property
    def integrable(self) -> bool:
        return all(term.integrable for term in self.terms)

    @property
    def background(self) -> Scalar | None:
        known = [found for term in self.terms if (found := term.background) is not None]
        return jnp.sum(jnp.stack(known)) if known else None

    def has_thermal_state(self, mu: Scalar) -> Bool[Array, ""]:
        return jnp.all(jnp.stack([term.has_thermal_state(mu) for term in self.terms]))

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

    @property
    def corners(self) -> Float[Array, " corners"]:
        return jnp.concatenate([term.corners for term in self.terms])

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


class Scaled(SpectralDensity):
    """J(w) = factor J_0(w), with factor >= 0."""

    formula: ClassVar[str] = "J(w) = factor J_0(w)"

    density: SpectralDensity
    factor: Scalar = parameter(NON_NEGATIVE)

    @converting(as_inexact)
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        return self.factor.astype(w.dtype) * self.density(w)

    @property
    def lower(self) -> Scalar:
        return self.density.lower

    @property
    def bandwidth(self) -> Scalar:
        return self.density.bandwidth

    @property
    def extent(self) -> tuple[Scalar, Scalar]:
        return self.density.extent

    @property
    def weight(self) -> Scalar:
        return self.factor * self.density.weight

    @property
    def modes(self) -> Measure | None:
        if (found := self.density.modes) is None:
            return None
        return found[0], jnp.sqrt(self.factor) * found[1]

    @property
    def is_continuous(self) -> bool:
        return self.density.is_continuous

    @property
    def integrable(self) -> bool:
        return self.density.integrable

    @property
    def background(self) -> Scalar | None:
        return None if (found := self.density.background) is None else self.factor * found

    def has_thermal_state(self, mu: Scalar) -> Bool[Array, ""]:
        return self.density.has_thermal_state(mu)

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

    @property
    def corners(self) -> Float[Array, " corners"]:
        return self.density.corners

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
