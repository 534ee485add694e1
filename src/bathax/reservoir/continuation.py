r"""A spectral density off the real axis, where contours are deformed to.

On each interval of its support J(w) is one analytic function, which is continued from there into
the lower half plane. Densities that are known so give a `Piece` for each interval; sums of
densities have the pieces of their terms.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Complex, Float

from bathax._checks import Scalar

NO_POLES: Any = np.zeros(0, complex)


class Piece(NamedTuple):
    r"""J between the frequencies `low` and `high`, analytic in the lower half plane but for poles.

    `masses` are -2 pi i times the residues at the `poles`. Ends that are known numbers are floats,
    also infinite ones: reservoirs that begin at the same one share it. `missed` is \int |dg| dt, by
    how much the kernel misses that of the density it stands for.
    """

    low: Scalar | float
    high: Scalar | float
    density: Callable[[Complex[Array, "..."]], Complex[Array, "..."]]
    poles: Complex[Array, " poles"] = NO_POLES
    masses: Complex[Array, " poles"] = NO_POLES
    missed: Scalar | float = 0.0

    def covers(self, w: Float[Array, "..."]) -> Bool[Array, "..."]:
        """Whether real frequencies are in the interval."""
        return (self.low < w) & (w < self.high)

    def continued(
        self, z: Complex[Array, "..."], through: Float[Array, "..."]
    ) -> Complex[Array, "..."]:
        """J in the lower half plane, continued from the real frequencies `through`."""
        return jnp.where(self.covers(through), self.density(z), jnp.zeros((), complex))

    def scaled(self, factor: Scalar) -> "Piece":
        """The piece of factor J."""
        return self._replace(
            density=lambda z: factor.astype(complex) * self.density(z),
            masses=factor.astype(complex) * self.masses,
            missed=factor * self.missed,
        )


def continued(
    pieces: Iterable[Piece], z: Complex[Array, "..."], through: Float[Array, "..."]
) -> Complex[Array, "..."]:
    """A density in the lower half plane, continued from the real frequencies `through`."""
    return sum((piece.continued(z, through) for piece in pieces), jnp.zeros_like(z))
