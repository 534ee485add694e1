r"""Analytic continuation of a spectral density into the lower half plane.

Contour deformation (`bathax.cavity.resonance`) needs J off the real axis. On each interval of its
support J(w) is one analytic function, a `Piece`, which is continued from there into the lower half
plane. Sums of densities have the pieces of all terms.
"""

from collections.abc import Callable, Iterable

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex, Float

from bathax._checks import Scalar, as_complex, as_float


class Piece(eqx.Module):
    r"""J between the frequencies `low` and `high`, analytic in the lower half plane but for poles.

    `masses` are -2 pi i times the residues at the `poles`. An end that no parameter moves, like 0
    or infinity, is a float, so that reservoirs with the same end share one branch cut. `missed` is
    \int |dg| dt, the error of the kernel g where the piece is a fit to another density. If it is
    `singular`, Sigma is infinite at its ends.
    """

    low: Scalar | float
    high: Scalar | float
    density: Callable[[Complex[Array, "..."]], Complex[Array, "..."]]
    poles: Complex[Array, " poles"] = eqx.field(converter=as_complex, default=())
    masses: Complex[Array, " poles"] = eqx.field(converter=as_complex, default=())
    missed: Scalar = eqx.field(converter=as_float, default=0.0)
    singular: bool = eqx.field(static=True, default=False)

    def covers(self, w: Float[Array, "..."]) -> Bool[Array, "..."]:
        """Whether real frequencies lie in the interval."""
        return (self.low < w) & (w < self.high)

    def continued(
        self, z: Complex[Array, "..."], crossing: Float[Array, "..."]
    ) -> Complex[Array, "..."]:
        """J(z) in the lower half plane, continued from the real frequency `crossing`."""
        return jnp.where(self.covers(crossing), self.density(z), jnp.zeros((), complex))

    def scaled(self, factor: Scalar) -> "Piece":
        """The piece of J times a factor."""
        weight = factor.astype(complex)
        return Piece(
            self.low,
            self.high,
            lambda z: weight * self.density(z),
            self.poles,
            weight * self.masses,
            factor * self.missed,
            self.singular,
        )


def finite_ends(pieces: Iterable[Piece]) -> Float[Array, " ends"]:
    """The ends of all pieces that are not at infinity."""
    ends = [end for piece in pieces for end in (piece.low, piece.high)]
    finite = [end for end in ends if not (isinstance(end, float) and abs(end) == float("inf"))]
    return jnp.asarray(finite, float)


def continued(
    pieces: Iterable[Piece], z: Complex[Array, "..."], crossing: Float[Array, "..."]
) -> Complex[Array, "..."]:
    """J(z) of all pieces in the lower half plane, continued from the real frequency `crossing`."""
    return sum((piece.continued(z, crossing) for piece in pieces), jnp.zeros_like(z))
