"""A system that exchanges quanta with its reservoirs: what a cavity and a qubit share."""

from collections.abc import Iterable
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from bathax._checks import (
    POSITIVE,
    Scalar,
    Validated,
    as_complex,
    as_float,
    converting,
    parameter,
    require,
    require_kind,
)
from bathax.numerics.grid import TimeGrid
from bathax.reservoir.reservoir import Reservoir
from bathax.reservoir.rules import joined


def _as_tuple(reservoirs: Reservoir | Iterable[Reservoir]) -> tuple[Reservoir, ...]:
    """Several reservoirs as a tuple, anything else as the only one in it."""
    return tuple(reservoirs) if isinstance(reservoirs, Iterable) else (reservoirs,)


class System(Validated):
    """One transition of frequency w_s coupled to reservoirs so that quanta are conserved.

    `frequency` w_s > 0 and one `Reservoir` or several; their kernels add. `statistics` is that of
    the quanta in the reservoirs.
    """

    statistics: ClassVar[str] = "boson"

    frequency: Scalar = parameter(POSITIVE)
    reservoirs: tuple[Reservoir, ...] = eqx.field(converter=_as_tuple)  # pyright: ignore

    def __check_init__(self) -> None:
        words = "one `Reservoir(J, temperature)` or several"
        require("reservoirs", words, "none", self.reservoirs)
        for bath in self.reservoirs:
            require_kind("reservoirs", words, bath, Reservoir)
            of, found = self.statistics, bath.occupation.statistics
            require("reservoirs", f"of {of}s", f"of {found}s", found == of)
            bath.require_consistent()

    def _given(self) -> dict[str, Any]:
        """The only reservoir as itself, several as a tuple."""
        first, *others = self.reservoirs
        return super()._given() | ({} if others else {"reservoirs": first})

    @property
    def has_modes(self) -> bool:
        """Whether all reservoirs are sums of separate modes."""
        return all(bath.spectral_density.modes is not None for bath in self.reservoirs)

    @property
    def modes(self) -> tuple[Float[Array, " modes"], ...]:
        """Frequencies, couplings and occupations of all separate modes."""
        known = [
            (bath, found) for bath in self.reservoirs if (found := bath.spectral_density.modes)
        ]
        each = [(w, couplings, bath.occupation(w)) for bath, (w, couplings) in known]
        return tuple(jnp.concatenate(parts) for parts in zip(*each, strict=True))

    @property
    def common_filling(self) -> Scalar | None:
        """n if the only reservoir is filled uniformly: g~ = n g and g~ * u = -n (u' + i w_s u)."""
        first, *others = self.reservoirs
        return None if others else first.occupation.constant

    def require_integrable(self) -> None:
        """Refuse a reservoir whose kernels are singular at t = 0, which no time grid resolves."""
        for bath in self.reservoirs:
            bath.require_integrable()

    def memory_kernel(self, grid: TimeGrid) -> Complex[Array, " points"]:
        """g(t) of all reservoirs together."""
        return sum(
            (bath.memory_kernel(grid) for bath in self.reservoirs),
            jnp.zeros(grid.points, complex),
        )

    def noise_kernel(self, grid: TimeGrid) -> Complex[Array, " points"]:
        """g~(t) of all reservoirs together."""
        return sum(
            (bath.noise_kernel(grid) for bath in self.reservoirs),
            jnp.zeros(grid.points, complex),
        )

    def exponentials(self, resolution: int) -> tuple[Array, ...]:
        """Nodes and masses of g and g~ of all reservoirs together."""
        return joined([bath.exponentials(resolution) for bath in self.reservoirs])

    @converting(as_float)
    def spectral_density(self, w: Float[Array, "..."]) -> Float[Array, "..."]:
        """J(w) of all reservoirs together."""
        return sum((bath.spectral_density(w) for bath in self.reservoirs), jnp.zeros_like(w))

    @converting(as_complex)
    def self_energy(self, z: Complex[Array, "..."]) -> Complex[Array, "..."]:
        """Sigma(z) of all reservoirs together, for Im z >= 0."""
        return sum(
            (bath.spectral_density.self_energy(z) for bath in self.reservoirs), jnp.zeros_like(z)
        )

    @converting(as_float)
    def level_shift(self, w: Float[Array, "..."]) -> Float[Array, "..."]:
        """Delta(w) of all reservoirs together."""
        return sum(
            (bath.spectral_density.level_shift(w) for bath in self.reservoirs), jnp.zeros_like(w)
        )

    @converting(as_float)
    def noise_density(self, w: Float[Array, "..."]) -> Float[Array, "..."]:
        """J(w) n(w) of all reservoirs together."""
        return sum(
            (bath.spectral_density(w) * bath.occupation(w) for bath in self.reservoirs),
            jnp.zeros_like(w),
        )

    @converting(as_float)
    def noise_shift(self, w: Scalar, resolution: int = 1024) -> Scalar:
        r"""P \int dw' J(w') n(w') / (w - w') of all reservoirs together."""
        shifts = (bath.noise_shift(w, resolution) for bath in self.reservoirs)
        return sum(shifts, jnp.zeros(()))

    @property
    def bandwidth(self) -> Scalar:
        """How fast the kernels vary in the frame rotating with the system; a hint only."""
        widths = [bath.spectral_density.bandwidth for bath in self.reservoirs]
        return self.frequency + jnp.max(jnp.stack(widths))

    @property
    def detuning(self) -> Scalar:
        """The largest distance from w_s to an end of the reservoirs' bands; a hint only."""
        ends = [end for bath in self.reservoirs for end in bath.spectral_density.extent]
        return jnp.max(jnp.abs(jnp.stack(ends) - self.frequency))

    @property
    def weight(self) -> Scalar:
        r"""\int J dw of all reservoirs together; a hint only."""
        return jnp.sum(jnp.stack([bath.spectral_density.weight for bath in self.reservoirs]))


def require_system(system: object) -> None:
    """Refuse what is no system, like a density or a reservoir by itself."""
    require_kind("system", "a `Cavity` or a `Qubit`", system, System)
