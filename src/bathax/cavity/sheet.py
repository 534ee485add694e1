r"""The two Riemann sheets of the propagator G(z) = 1 / (z - w_s - Sigma(z)) below the real axis.

G has a branch cut on the support of J, which is a set of intervals of the real axis. From each of
these G is continued to the second sheet, 1 / G_II = 1 / G + 2 pi i J. Lines from the edges of the
support separate the continuation from one interval, a sector, from that of the next.
"""

import cmath
import math
from collections.abc import Iterable, Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Complex, Float

from bathax._checks import Scalar, require
from bathax.numerics.quadrature import half_line
from bathax.reservoir.continuation import Piece, continued
from bathax.system.system import System, require_system

# Lines end at a distance of e^LINE_END units, which densities with algebraic tails need.
LINE_END = 11.5
# The angle below the real axis of the lines on which G is integrated.
ANGLE = 0.55
Sector = int | Sequence[int] | np.ndarray


def require_analytic(system: System) -> None:
    """Refuse a reservoir around whose edges contours cannot be deformed."""
    require_system(system)
    for bath in system.reservoirs:
        density = bath.spectral_density
        words, found = "analytic off the ends of its support", "which is not known to be"
        if density.modes is not None:
            found = "separate modes, which `Diagonalisation()` solves"
        elif density.continuation is not None:
            words, found = f"{words}, where Sigma is finite", "where it is not"
        require("spectral_density", words, f"{density}, {found}", density.is_deformable)


class Sheet(eqx.Module):
    """The lower half plane below a system, cut along lines from the `edges` of the support of J.

    `sides` are real frequencies, one in each interval between the edges and one beyond the first
    and the last edge. The intervals are the sectors 0, 1, ... from which G and J are continued.
    `unit` is the unit of distance along the lines.
    """

    system: System
    edges: Float[Array, " edges"]
    sides: Float[Array, " sectors"]
    unit: Scalar

    @staticmethod
    def of(system: System) -> "Sheet":
        """The lower half plane of a system; its unit is the bandwidth, rounded to 2^(k/2).

        Rounded, the unit does not move with the parameters, and neither do the nodes on the lines.
        """
        require_analytic(system)
        edges = _edges(system)
        around, middles = system.frequency, 0.5 * (edges[1:] + edges[:-1])
        outer = [edges[:1] - around, middles, edges[-1:] + around]
        sides = jnp.concatenate(outer) if edges.size else around[None]
        unit = jnp.exp2(0.5 * jnp.round(2.0 * jnp.log2(lax.stop_gradient(system.bandwidth))))
        return Sheet(system, edges, sides, unit)

    # --- the system ---------------------------------------------------------------------------

    @property
    def frequency(self) -> Scalar:
        """w_s."""
        return self.system.frequency

    @property
    def level(self) -> Complex[Array, ""]:
        """w_s, as a complex number."""
        return self.frequency.astype(complex)

    @property
    def pieces(self) -> list[Piece]:
        """J of all reservoirs as analytic functions."""
        return _pieces(self.system)

    @property
    def density_poles(self) -> Complex[Array, " own"]:
        """Poles of the spectral densities themselves."""
        return jnp.concatenate([jnp.zeros(0, complex), *(piece.poles for piece in self.pieces)])

    @property
    def density_masses(self) -> Complex[Array, " own"]:
        """-2 pi i times the residues of J there."""
        return jnp.concatenate([jnp.zeros(0, complex), *(piece.masses for piece in self.pieces)])

    @property
    def distinct(self) -> Bool[Array, " own"]:
        """Which poles of J are the first at their place, and have a residue."""
        own, masses = self.density_poles, self.density_masses
        same = own[:, None] == own[None, :]
        repeated = jnp.any(same & np.tri(own.size, k=-1, dtype=bool), axis=1)
        total = jnp.sum(jnp.where(same, masses[None, :], 0.0), axis=1)
        return ~repeated & (total != 0.0)

    # --- sectors ------------------------------------------------------------------------------

    @property
    def covered(self) -> list[bool | None]:
        """For each sector, whether J covers its interval; None if that depends on parameters."""
        endless = [[_is_endless(end) for end in (p.low, p.high)] for p in self.pieces]
        if [True, True] in endless:
            return [True] * self.sides.size
        from_below, to_above = (any(ends) for ends in zip(*endless, strict=True))
        return [from_below, *[None] * (self.sides.size - 2), to_above]

    @property
    def is_finite(self) -> bool:
        """Whether all densities end on both sides."""
        covered = self.covered
        return len(covered) > 2 and covered[0] is False and covered[-1] is False

    def ends_of(self, sector: Sector) -> tuple[Array, Array]:
        """The lower and the upper ends, finite or infinite, of the intervals of some sectors."""
        ends = jnp.concatenate([np.full(1, -np.inf), self.edges, np.full(1, np.inf)])
        m = np.asarray(sector, int)
        return ends[m], ends[m + 1]

    def reached(self, sector: Sector) -> Bool[Array, "*z own"]:
        """Which poles of the densities are in their continuation from some sectors."""
        crossing = self.sides[np.asarray(sector, int)]
        found = [
            jnp.broadcast_to(piece.covers(crossing)[..., None], (*crossing.shape, piece.poles.size))
            for piece in self.pieces
        ]
        return jnp.concatenate(found, axis=-1)

    # --- functions of z -----------------------------------------------------------------------

    def inverse_propagator(self, z: Complex[Array, "..."]) -> Complex[Array, "..."]:
        """1 / G(z) in the lower half plane on the first sheet."""
        return z - self.level - self.self_energy(z)

    def self_energy(self, z: Complex[Array, "..."]) -> Complex[Array, "..."]:
        """Sigma(z) in the lower half plane on the first sheet, by Sigma(z*) = Sigma(z)*."""
        return self.system.self_energy(z.conj()).conj()

    def continued_inverse(self, z: Complex[Array, "..."], sector: Sector) -> Complex[Array, "..."]:
        """1 / G(z) on the second sheet, continued from a sector."""
        return self.inverse_propagator(z) + 2j * jnp.pi * self.continued_density(z, sector)

    def continued_density(self, z: Complex[Array, "..."], sector: Sector) -> Complex[Array, "..."]:
        """J(z) in the lower half plane, each row of z continued from its own sector."""
        crossing = self.sides[np.asarray(sector, int)]
        return continued(self.pieces, z, _beside(crossing, z))

    def both_sides(
        self, pieces: Iterable[Piece], z: Complex[Array, "edges nodes"]
    ) -> tuple[Complex[Array, "edges nodes"], Complex[Array, "edges nodes"]]:
        """A density on lines from each edge, continued from the left and the right of them."""
        left = right = jnp.zeros_like(z)
        for piece in pieces:
            value, covers = piece.density(z), piece.covers(self.sides)[:, None]
            left += jnp.where(covers[:-1], value, 0.0)
            right += jnp.where(covers[1:], value, 0.0)
        return left, right

    def on_all_sides(
        self, z: Complex[Array, "edges nodes"]
    ) -> Complex[Array, "sectors edges nodes"]:
        """J(z) continued from each of the sectors."""
        total = jnp.zeros((self.sides.size, *z.shape), complex)
        for piece in self.pieces:
            total += jnp.where(piece.covers(self.sides)[:, None, None], piece.density(z)[None], 0.0)
        return total

    # --- lines --------------------------------------------------------------------------------

    def ray(self, angle: float) -> Complex[Array, ""]:
        """One unit of distance along a line at an angle below the real axis."""
        return self.unit.astype(complex) * cmath.exp(-1j * angle)

    def lines(
        self, angle: float, nodes: int
    ) -> tuple[Complex[Array, "edges nodes"], Complex[Array, " nodes"]]:
        """Nodes on lines at an angle below the real axis from each edge, and dz."""
        r, dr = (part.astype(complex) for part in half_line(LINE_END, nodes))
        ray = self.ray(angle)
        return self.edges.astype(complex)[:, None] + ray * r[None, :], ray * dr

    def taper(self, z: Complex[Array, "..."], angle: float) -> Complex[Array, "..."]:
        r"""1 / (1 + ((z - c) e^{i angle} / R)^8), which cuts the lines off if all bands are finite.

        Continued from a finite band, G and J may grow like z. Multiplied by the taper they fall off
        along the lines. R is 100 times as large as all frequencies on the real axis, so that the
        taper is 1 there to 1e-16. Its poles are midway between lines.
        """
        if not self.is_finite:
            return jnp.ones_like(z)
        ends, system = lax.stop_gradient(self.edges), self.system
        center = 0.5 * (ends[0] + ends[-1])
        reach = ends[-1] - center + jnp.abs(system.frequency - center) + jnp.sqrt(system.weight)
        far = (100.0 * lax.stop_gradient(reach)).astype(complex) * cmath.exp(-1j * angle)
        return 1.0 / (1.0 + ((z - center.astype(complex)) / far) ** 8)


def _pieces(system: System) -> list[Piece]:
    return [piece for bath in system.reservoirs for piece in bath.pieces]


def _edges(system: System) -> Float[Array, " edges"]:
    """The real frequencies where the spectral density begins or ends, in increasing order."""
    ends = [end for piece in _pieces(system) for end in (piece.low, piece.high)]
    # Ends that are floats, like 0, are one edge for all reservoirs that have them.
    known = sorted({end for end in ends if isinstance(end, float) and not math.isinf(end)})
    others = [end for end in ends if not isinstance(end, float)]
    if not others:
        return jnp.asarray(np.asarray(known, float))
    return jnp.sort(jnp.stack([*map(jnp.asarray, known), *others]))


def _is_endless(end: Scalar | float) -> bool:
    return isinstance(end, float) and math.isinf(end)


def _beside(values: Float[Array, "..."], z: Complex[Array, "..."]) -> Float[Array, "..."]:
    """One value for each row of z."""
    return values.reshape(values.shape + (1,) * (z.ndim - values.ndim))
