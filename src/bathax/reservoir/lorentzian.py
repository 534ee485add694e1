"""Densities with algebraic tails: Lorentzian and Drude-Lorentz."""

from typing import ClassVar

import jax.numpy as jnp
from jax import lax
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
from bathax.numerics.grid import TimeGrid
from bathax.numerics.quadrature import composite
from bathax.numerics.special import scaled_expint1
from bathax.reservoir.continuation import Piece
from bathax.reservoir.occupation import Occupation
from bathax.reservoir.rules import Measure
from bathax.reservoir.spectral_density import SpectralDensity


class Lorentzian(SpectralDensity):
    r"""J(w) = (gamma0 lam^2 / 2 pi) / ((w - w_0)^2 + lam^2) on the whole axis (AHZ Eq. 23).

    `gamma0` (>= 0, energy), `width` lam (> 0, energy), `center` w_0. g(t) = (gamma0 lam / 2)
    e^{-(lam + i w_0) t}. Since it reaches below zero frequency it has no thermal state: vacuum, a
    `Uniform` occupation with g~ = n g, or a `Distribution` that falls off.

    >>> J = bx.Lorentzian(gamma0=0.2, width=0.5, center=1.0)
    >>> round(float(J(1.0)), 4)  # gamma0 / 2 pi
    0.0318
    """

    formula: ClassVar[str] = "J(w) = (gamma0 lam^2/2pi) / ((w - w_0)^2 + lam^2)"
    strength: ClassVar[str | None] = "gamma0"

    gamma0: Scalar = parameter(NON_NEGATIVE)
    width: Scalar = parameter(POSITIVE)
    center: Scalar = parameter(FINITE)

    @converting(as_inexact)
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        gamma0, width, center = (p.astype(w.dtype) for p in (self.gamma0, self.width, self.center))
        return gamma0 * width**2 / (2.0 * jnp.pi) / ((w - center) ** 2 + width**2)

    @property
    def lower(self) -> Scalar:
        return jnp.asarray(-jnp.inf)

    @property
    def bandwidth(self) -> Scalar:
        return jnp.abs(self.center) + self.width

    @property
    def extent(self) -> tuple[Scalar, Scalar]:
        return self.center - self.width, self.center + self.width

    @property
    def weight(self) -> Scalar:
        return 0.5 * self.gamma0 * self.width

    def measure(self, resolution: int) -> Measure:
        # w = w_0 + lam tan(theta) makes the mass uniform in theta.
        count = 64 + resolution
        theta = jnp.pi * ((jnp.arange(count, dtype=float) + 0.5) / count - 0.5)
        mass = self.gamma0 * self.width / (2.0 * count)
        return self.center + self.width * jnp.tan(theta), jnp.broadcast_to(mass, (count,))

    @property
    def continuation(self) -> tuple[Piece, ...]:
        return (Piece(-jnp.inf, jnp.inf, self, *self.contour(0)),)

    def contour(self, resolution: int) -> Measure:
        # The contour, closed in the lower half plane, leaves the residue at the pole.
        del resolution
        mass = (0.5 * self.gamma0 * self.width).astype(complex)
        return lax.complex(self.center, -self.width)[None], mass[None]

    def memory_kernel(self, grid: TimeGrid) -> Complex[Array, " points"]:
        decay = jnp.exp(-lax.complex(self.width, self.center) * grid.times.astype(complex))
        return (0.5 * self.gamma0 * self.width).astype(complex) * decay

    def noise_kernel(self, grid: TimeGrid, occupation: Occupation) -> Complex[Array, " points"]:
        # The only thermal state of bosons is the vacuum: systems refuse the others.
        if occupation.planck is not None:
            return jnp.zeros(grid.points, complex)
        return super().noise_kernel(grid, occupation)

    @converting(as_complex)
    def self_energy(self, z: Complex[Array, "..."]) -> Complex[Array, "..."]:
        """Sigma(z) = (gamma0 lam / 2) / (z - w_0 + i lam), for Im z >= 0."""
        strength = 0.5 * self.gamma0 * self.width
        return strength.astype(complex) / (z - lax.complex(self.center, -self.width))


class DrudeLorentz(SpectralDensity):
    r"""J(w) = eta w w_c^2 / (w^2 + w_c^2) for w > 0.

    `eta` (>= 0, dimensionless), `cutoff` w_c (> 0, energy). It falls only like 1/w, so that
    g(t) = (eta w_c^2 / 2) [e^x E1(x) + e^{-x} E1(-x + i0)], x = w_c t, is infinite at t = 0 and
    time stepping refuses it. Its self-energy is finite, and closed: with q = z / w_c,
    Sigma(z) = eta w_c [q log(-q) - pi/2] / (1 + q^2).

    >>> J = bx.DrudeLorentz(eta=0.1, cutoff=5.0)
    >>> round(float(J(5.0)), 4)  # eta w_c / 2
    0.25
    >>> round(float(J.self_energy(0.0).real), 4)  # -eta w_c pi / 2
    -0.7854
    """

    formula: ClassVar[str] = "J(w) = eta w w_c^2 / (w^2 + w_c^2)"
    strength: ClassVar[str | None] = "eta"

    eta: Scalar = parameter(NON_NEGATIVE)
    cutoff: Scalar = parameter(POSITIVE)

    @converting(as_inexact)
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        eta, cutoff = self.eta.astype(w.dtype), self.cutoff.astype(w.dtype)
        value = eta * w * cutoff**2 / (w**2 + cutoff**2)
        return jnp.where(w.real > 0, value, jnp.zeros((), w.dtype))

    @property
    def lower(self) -> Scalar:
        return jnp.zeros(())

    @property
    def bandwidth(self) -> Scalar:
        return self.cutoff

    @property
    def continuation(self) -> tuple[Piece, ...]:
        return (Piece(0.0, jnp.inf, self),)

    def contour(self, resolution: int) -> Measure:
        # Trapezoidal in x on the ray w_c e^x e^{-i pi/4}: T may cut the integrand off at any scale.
        del resolution
        ray = self.cutoff.astype(complex) * jnp.exp(-0.25j * jnp.pi)
        nodes = ray * jnp.exp(jnp.arange(-40.0, 40.0, 0.125)).astype(complex)
        return nodes, 0.125 * self(nodes) * nodes

    @property
    def integrable(self) -> bool:
        return False

    def measure(self, resolution: int) -> Measure:
        # w = w_c u / (1 - u), u = x^2: algebraic tails become smooth at u = 1.
        x, weights = (jnp.asarray(part) for part in composite(8 + resolution // 64))
        nodes = self.cutoff * x**2 / (1.0 - x**2)
        return nodes, self(nodes) * self.cutoff * 2.0 * x / (1.0 - x**2) ** 2 * weights

    def memory_kernel(self, grid: TimeGrid) -> Complex[Array, " points"]:
        x = self.cutoff * grid.times
        positive = x > 0
        x = jnp.where(positive, x, 1.0)
        # Real arguments are on the upper side of the cut of E1.
        ends = scaled_expint1(x) + scaled_expint1(-x)
        strength = (0.5 * self.eta * self.cutoff**2).astype(complex)
        return jnp.where(positive, strength * ends, jnp.asarray(jnp.inf, complex))

    @converting(as_complex)
    def self_energy(self, z: Complex[Array, "..."]) -> Complex[Array, "..."]:
        q = z / self.cutoff.astype(complex)
        strength = (self.eta * self.cutoff).astype(complex)
        # For q just above the positive axis, log(-q) = log q - i pi; q log(-q) is 0 at q = 0.
        log = jnp.log(jnp.where(q == 0.0, jnp.ones((), complex), -q))
        return strength * (q * log - 0.5 * jnp.pi) / (1.0 + q**2)
