"""The system: one bosonic mode coupled to one or several reservoirs."""

from collections.abc import Iterable

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from bathax._checks import POSITIVE, Scalar, Validated, parameter
from bathax.numerics.grid import TimeGrid
from bathax.reservoir.reservoir import Reservoir


def _as_tuple(reservoirs: Reservoir | Iterable[Reservoir]) -> tuple[Reservoir, ...]:
    return (reservoirs,) if isinstance(reservoirs, Reservoir) else tuple(reservoirs)


class Cavity(Validated):
    """H = w_s a'a + sum_k w_k b_k'b_k + sum_k (V_k a'b_k + h.c.) (AHZ Eq. 12).

    `frequency` w_s > 0 and one `Reservoir` or several; their kernels add. At the start the cavity
    is uncorrelated with its reservoirs.
    """

    frequency: Scalar = parameter(POSITIVE)
    reservoirs: tuple[Reservoir, ...] = eqx.field(converter=_as_tuple)  # pyright: ignore

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

    def spectral_density(self, w: Float[Array, "..."]) -> Float[Array, "..."]:
        """J(w) of all reservoirs together."""
        return sum((bath.spectral_density(w) for bath in self.reservoirs), jnp.zeros_like(w))

    def level_shift(self, w: Float[Array, "..."]) -> Float[Array, "..."]:
        """Delta(w) of all reservoirs together."""
        return sum(
            (bath.spectral_density.level_shift(w) for bath in self.reservoirs), jnp.zeros_like(w)
        )

    def noise_density(self, w: Float[Array, "..."]) -> Float[Array, "..."]:
        """J(w) n(w) of all reservoirs together."""
        return sum(
            (bath.spectral_density(w) * bath.occupation(w) for bath in self.reservoirs),
            jnp.zeros_like(w),
        )

    @property
    def bandwidth(self) -> Scalar:
        """How fast the kernels vary in the frame rotating with the cavity; a hint only."""
        widths = [bath.spectral_density.bandwidth for bath in self.reservoirs]
        return self.frequency + jnp.max(jnp.stack(widths))
