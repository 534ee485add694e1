r"""A spectral density off the real axis, where contours are deformed to.

On each interval of its support J(w) is one analytic function, which is continued from there into
the lower half plane. Densities that are known so give a `Piece` for each interval; sums of
densities have the pieces of their terms.
"""

from collections.abc import Callable, Iterable

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex, Float

from bathax._checks import Scalar, as_complex, as_float


class Piece(eqx.Module):
    r"""J between the frequencies `low` and `high`, analytic in the lower half plane but for poles.

    `masses` are -2 pi i times the residues at the `poles`. Ends that are known numbers are floats,
    also infinite ones: reservoirs that begin at the same one share it. `missed` is \int |dg| dt, by
    how much the kernel misses that of the density it stands for.
    """

    low: Scalar | float
    high: Scalar | float
    density: Callable[[Complex[Array, "..."]], Complex[Array, "..."]]
    poles: Complex[Array, " poles"] = eqx.field(converter=as_complex, default=())
    masses: Complex[Array, " poles"] = eqx.field(converter=as_complex, default=())
    missed: Scalar = eqx.field(converter=as_float, default=0.0)

    def covers(self, w: Float[Array, "..."]) -> Bool[Array, "..."]:
        """Whether real frequencies are in the interval."""
        return (self.low < w) & (w < self.high)

    def continued(
        self, z: Complex[Array, "..."], crossing: Float[Array, "..."]
    ) -> Complex[Array, "..."]:
        """J in the lower half plane, continued across the real axis at `crossing`."""
        return jnp.where(self.covers(crossing), self.density(z), jnp.zeros((), complex))

    def scaled(self, factor: Scalar) -> "Piece":
        """The piece of factor J."""
        weight = factor.astype(complex)
        return Piece(
            self.low,
            self.high,
            lambda z: weight * self.density(z),
            self.poles,
            weight * self.masses,
            factor * self.missed,
        )


def continued(
    pieces: Iterable[Piece], z: Complex[Array, "..."], crossing: Float[Array, "..."]
) -> Complex[Array, "..."]:
    """A density in the lower half plane, continued across the real axis at `crossing`."""
    return sum((piece.continued(z, crossing) for piece in pieces), jnp.zeros_like(z))
