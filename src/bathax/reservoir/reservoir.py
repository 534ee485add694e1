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
from bathax.reservoir.occupation import BoseEinstein, FermiDirac, Occupation, Thermal
from bathax.reservoir.rules import Exponentials
from bathax.reservoir.spectral_density import SpectralDensity

THERMAL = {"boson": BoseEinstein, "fermion": FermiDirac}


class Reservoir(Validated):
    """Modes of spectral density J(w), initially thermal, or filled by any occupation n(w).

    `Reservoir(J, temperature=T)` is thermal, T in units of energy (k_B = 1), T = 0 the vacuum, with
    a `chemical_potential` where particles are exchanged; `Reservoir(J, occupation=Uniform(0.5))` is
    any phase-invariant Gaussian state. A thermal reservoir takes the statistics of its system. The
    fields are the `spectral_density` and the `occupation`, thermal or not.

    A thermal state of bosons needs J(w) without weight at w <= mu (an integrable J(w) / (w - mu)),
    since the energy would have no lower bound or n(w) no finite value: systems of bosons raise
    `ValueError`, or are an invalid point inside `jit`.

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
        chemical_potential: RealLike | None = None,
        *,
        occupation: Occupation | None = None,
    ) -> None:
        self.spectral_density = spectral_density
        thermal = BoseEinstein(temperature, chemical_potential)
        self.occupation = thermal if occupation is None else occupation

    def __check_init__(self) -> None:
        words = "a density like `Ohmic(0.1, 5.0)`, or `Function(J)` of a function J(w)"
        require_kind("spectral_density", words, self.spectral_density, SpectralDensity)
        words = "an occupation like `Uniform(0.5)`, or `Distribution(n)` of a function n(w)"
        require_kind("occupation", words, self.occupation, Occupation)

    def filled_with(self, statistics: str) -> "Reservoir":
        """The reservoir of a system whose quanta have these statistics, where it is thermal."""
        occupation = self.occupation
        if not isinstance(occupation, BoseEinstein):
            return self
        filled = THERMAL[statistics](occupation.temperature, occupation.chemical_potential)
        return Reservoir(self.spectral_density, occupation=filled)

    def require_consistent(self) -> None:
        """Refuse bosons in a thermal state that does not exist, or in a band without ends."""
        if not holds(Reservoir.is_consistent, self):
            mu = self.occupation.chemical_potential  # pyright: ignore
            lowest = 0 if mu is None else f"mu = {float(mu):g}"
            words = f"0 for a spectral density with weight at w <= {lowest}, which has no"
            require("temperature", f"{words} thermal state", self.temperature, False)

        if not self.has_ends:
            words = "a band with ends, like `FlatBand`, unless thermal fermions of a `LinearSystem`"
            filled = isinstance(self.occupation, FermiDirac)
            require("spectral_density", f"{words} fill it", self.spectral_density, filled)

    @property
    def has_ends(self) -> bool:
        """Whether no part of J is a `WideBand`, whose energies of coupling are infinite."""
        return self.spectral_density.background is None

    @property
    def background(self) -> Scalar:
        """gamma of the part gamma / 2 pi of J at all energies, 0 without one."""
        gamma = self.spectral_density.background
        return jnp.zeros(()) if gamma is None else gamma

    def require_continuous(self) -> None:
        """Refuse a reservoir of separate modes, in which dynamics recur."""
        words = "continuous, or there is no steady state"
        density = self.spectral_density
        require("spectral_density", words, density, density.is_continuous)

    def require_integrable(self) -> None:
        """Refuse kernels that are singular at t = 0, which no time grid resolves."""
        density = self.spectral_density
        words = "a density that falls faster than 1/w, or g(t) is singular at t = 0"
        require("spectral_density", words, f"{density}, which does not", density.integrable)

    def _given(self) -> dict[str, Any]:
        """The density, and the temperature or another occupation."""
        occupation = self.occupation
        if not isinstance(occupation, Thermal):
            return {"spectral_density": self.spectral_density, "occupation": occupation}
        mu = occupation.chemical_potential
        conserved = {} if mu is None else {"chemical_potential": mu}
        thermal = {"temperature": occupation.temperature} | conserved
        return {"spectral_density": self.spectral_density} | thermal

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
        occupation = self.occupation
        if not isinstance(occupation, BoseEinstein):
            return jnp.asarray(True)
        exists = self.spectral_density.has_thermal_state(occupation.level)
        return exists | ~(occupation.temperature > 0)

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
