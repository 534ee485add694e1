"""A reservoir: which modes there are, and how they are filled."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex

from bathax._checks import (
    RealLike,
    Scalar,
    Validated,
    as_float,
    converting,
    holds,
    require,
    require_kind,
)
from bathax._late import late
from bathax.numerics.grid import TimeGrid
from bathax.reservoir.continuation import Piece
from bathax.reservoir.occupation import BoseEinstein, Occupation
from bathax.reservoir.rules import Exponentials
from bathax.reservoir.spectral_density import SpectralDensity


class Reservoir(Validated):
    """Modes of spectral density J(w), initially thermal, or filled by any occupation n(w).

    `Reservoir(J, temperature=T)` is thermal, T in units of energy (k_B = 1), T = 0 the vacuum;
    `Reservoir(J, occupation=Uniform(0.5))` is any phase-invariant Gaussian state. A thermal state
    needs J(w) without weight at w <= 0 (an integrable J(w) / w), since the energy of the reservoir
    would have no lower bound or its occupation no finite value: `ValueError`, or an invalid point
    inside `jit`. The fields are the `spectral_density` and the `occupation`, thermal or not.

    >>> bath = bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=2.0)
    >>> round(float(bath.occupation(1.0)), 4)  # 1 / (e^{1/2} - 1)
    1.5415
    """

    spectral_density: SpectralDensity
    occupation: Occupation

    def __init__(
        self,
        spectral_density: SpectralDensity,
        temperature: RealLike = 0.0,
        *,
        occupation: Occupation | None = None,
    ) -> None:
        self.spectral_density = spectral_density
        self.occupation = BoseEinstein(temperature) if occupation is None else occupation

    def __check_init__(self) -> None:
        words = "a density like `Ohmic(0.1, 5.0)`, or `Function(J)` of a function J(w)"
        require_kind("spectral_density", words, self.spectral_density, SpectralDensity)
        words = "an occupation like `Uniform(0.5)`, or `Distribution(n)` of a function n(w)"
        require_kind("occupation", words, self.occupation, Occupation)
        words = "0 for a spectral density with weight at w <= 0, which has no thermal state"
        require("temperature", words, self.temperature, holds(Reservoir.is_consistent, self))

    def _given(self) -> dict[str, Any]:
        """The density, and the temperature or another occupation."""
        known = self.occupation.temperature
        named = {"temperature": known} if known is not None else {"occupation": self.occupation}
        return {"spectral_density": self.spectral_density} | named

    @staticmethod
    def from_qutip(environment: Any, frequencies: RealLike | None = None) -> "Reservoir":
        """The thermal reservoir of a `qutip.BosonicEnvironment`, J = J_QuTiP / pi.

        One with a formula that bathax has not becomes a `Tabulated` at the `frequencies`.
        """
        return late("interchange.qutip", "reservoir")(environment, frequencies)

    def to_qutip(self) -> Any:
        """A `qutip.BosonicEnvironment` with the same correlation function, J_QuTiP = pi J.

        Its correlation function is g(t) + g~(t) + conj(g~(t)), that of sum_k V_k (b_k + b_k').
        """
        return late("interchange.qutip", "environment")(self)

    @property
    def temperature(self) -> Scalar:
        """T of a thermal reservoir, NaN for another occupation."""
        known = self.occupation.temperature
        return jnp.asarray(jnp.nan) if known is None else known

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """J as analytic functions, where it is known as such."""
        return self.spectral_density.continuation or ()

    def is_consistent(self) -> Bool[Array, ""]:
        """Whether the occupation is finite wherever the reservoir has modes."""
        return self.spectral_density.has_thermal_state() | ~(self.temperature > 0)

    def memory_kernel(self, grid: TimeGrid) -> Complex[Array, " points"]:
        r"""g(t) = \int dw J(w) e^{-iwt}."""
        return self.spectral_density.memory_kernel(grid)

    def noise_kernel(self, grid: TimeGrid) -> Complex[Array, " points"]:
        r"""g~(t) = \int dw J(w) n(w) e^{-iwt}."""
        return self.spectral_density.noise_kernel(grid, self.occupation)

    def exponentials(self, resolution: int) -> Exponentials:
        """g and g~ as sums of exponentials; see `SpectralDensity.exponentials`."""
        return self.spectral_density.exponentials(self.occupation, resolution)

    @converting(as_float)
    def noise_shift(self, w: Scalar, resolution: int = 1024) -> Scalar:
        r"""P \int dw' J(w') n(w') / (w - w') at one frequency w.

        As n(w) Delta(w) + \int dw' J(w') [n(w') - n(w)] / (w - w'), whose integrand is as smooth as
        J and n; by quadrature on some `resolution` nodes.
        """
        nodes, masses = self.spectral_density.measure(resolution)
        here, slope = jax.jvp(self.occupation, (w,), (jnp.ones_like(w),))
        gap = w - nodes
        close = jnp.abs(gap) < 1e-8 * jnp.abs(w)
        quotient = (self.occupation(nodes) - here) / jnp.where(close, 1.0, gap)
        smooth = masses @ jnp.where(close, -slope, quotient)
        return here * self.spectral_density.level_shift(w) + smooth
