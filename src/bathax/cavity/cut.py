r"""The branch cuts of G and of the noise kernel as sums of exponentials, on lines from the edges.

Deformed into the lower half plane, a branch cut becomes lines e + r e^{-i theta} from every edge e
of the support, across which G and J jump. The integral along a line is a trapezoidal sum in log r.
A pole near the line makes such a sum inaccurate, but in a known way: if xi is the complex position
of the pole, counted in nodes, the sum contains a fraction 1 / (1 - e^{-2 pi i xi}) of its residue.
The rest is added as a pole. So it does not matter how close to a line a pole is, nor on which side.
Where a pole is close to an edge, G is taken on a ring around the edge (`ring`).
"""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex

from bathax.cavity.poles import Poles
from bathax.cavity.ring import LOWER, ORDER, Rings
from bathax.cavity.sheet import ANGLE, LINE_END, Sheet
from bathax.numerics.exponential_sum import ExponentialSum, Terms
from bathax.numerics.quadrature import half_line_position

# The angle of the lines of g~ below the real axis. The poles of n(w) are at pi/2.
NOISE_ANGLE = 0.8


class Cut(eqx.Module):
    """The branch cut of a function as exponentials, one row for the line from each edge.

    There are amplitudes of two quadrature rules: of all nodes, and of every second node.
    """

    z: Complex[Array, "edges nodes"]
    amplitudes: Complex[Array, "2 edges nodes"]

    @property
    def by_edge(self) -> tuple[Terms, ...]:
        """The exponentials of each edge."""
        return tuple(Terms(z, self.amplitudes[:, m], m) for m, z in enumerate(self.z))


def spectral_cut(sheet: Sheet, rings: Rings, poles: Poles) -> tuple[Cut, Complex[Array, "2 poles"]]:
    """The cut of G: nodes on the ring around each edge, and on the line from it.

    And the fraction of each pole that has to be added for both rules, see `part_left`.
    """
    nodes = rings.lines.shape[1]
    _, dz = sheet.lines(ANGLE, nodes)
    densities = sheet.on_all_sides(jnp.concatenate([rings.below, rings.lines], axis=1))
    on_rings, of_poles = _on_rings(sheet, rings, poles, densities[:, :, :ORDER])
    edge = np.arange(rings.edges.shape[0])
    left, right = (densities[sector, edge, ORDER:] for sector in (edge, edge + 1))
    first = rings.on_lines
    both = (first + 2j * jnp.pi * left) * (first + 2j * jnp.pi * right)
    at_nodes, window = rings.windows()
    jump = window * (right - left) / jnp.where(window == 0.0, 1.0, both)
    spectrum = dz[None] * sheet.taper(rings.lines, ANGLE) * jump
    values = jnp.concatenate(
        [at_nodes[None] * on_rings, jnp.asarray(both_rules(nodes)) * spectrum[None]], axis=2
    )
    return Cut(jnp.concatenate([rings.nodes, rings.lines], axis=1), values), of_poles


def noise_exponentials(sheet: Sheet, nodes: int) -> ExponentialSum:
    """g~(t), by both rules: poles of J, and J n on the lines."""
    baths = sheet.system.reservoirs
    poles = [
        Terms(piece.poles, (piece.masses * bath.occupation(piece.poles))[None, :] * left)
        for bath in baths
        for piece in bath.pieces
        for left in [part_left(sheet, piece.poles, (piece.low, piece.high), NOISE_ANGLE, nodes)]
    ]
    z, dz = sheet.lines(NOISE_ANGLE, nodes)
    noise = jnp.zeros_like(z)
    for bath in baths:
        left, right = sheet.both_sides(bath.pieces, z)
        noise += (right - left) * bath.occupation(z)
    noise = dz[None] * sheet.taper(z, NOISE_ANGLE) * noise
    cut = Cut(z, jnp.asarray(both_rules(nodes)) * noise[None])
    return ExponentialSum(Terms.joined(*poles), cut.by_edge)


def both_rules(nodes: int) -> Complex[np.ndarray, "2 1 nodes"]:
    """Weights of both rules: 1 for each node, and 2 for every second one."""
    rules = np.stack([np.ones(nodes), 2.0 * (np.arange(nodes) % 2 == 0)])
    return rules.astype(complex)[:, None, :]


def _on_rings(
    sheet: Sheet, rings: Rings, poles: Poles, densities: Complex[Array, "sectors edges ring"]
) -> tuple[Complex[Array, "2 edges ring"], Complex[Array, "2 poles"]]:
    """G on the rings: above the real axis as it is, below it the part that the lines leave.

    And the fraction of each pole that they leave, from the same evaluation.
    """
    sectors, count = np.arange(sheet.sides.size), poles.frequencies.shape[0]
    z = jnp.broadcast_to(rings.below[None], densities.shape)
    ends = sheet.ends_of(np.append(poles.sector, np.repeat(sectors, rings.below.size)))
    each = part_left(sheet, jnp.append(poles.frequencies, z), ends, ANGLE, rings.lines.shape[1])
    left = each[:, count:].reshape(2, *z.shape)
    inverse = rings.inverse[None] + 2j * jnp.pi * densities
    total = jnp.sum(left / inverse[None], axis=1)
    return jnp.where(LOWER, total, (1.0 / rings.inverse).conj()[None]), each[:, :count]


def weights_left(sheet: Sheet, poles: Poles, nodes: int) -> Complex[Array, "2 poles"]:
    """The fraction of each resonance that has to be added to the lines of u, for both rules.

    About 1 between the lines from the ends of its interval, and 0 beyond them.
    """
    return part_left(sheet, poles.frequencies, sheet.ends_of(poles.sector), ANGLE, nodes)


def part_left(
    sheet: Sheet, z: Complex[Array, " poles"], ends: Sequence[Any], angle: float, nodes: int
) -> Complex[Array, "2 poles"]:
    """The fraction of poles to be added to lines from the ends of an interval, for both rules."""
    if not z.size:
        return jnp.zeros((2, 0), complex)
    end = jnp.stack([jnp.broadcast_to(end, z.shape) for end in ends])
    there = jnp.isfinite(end)
    corner = jnp.where(there, end, z.real[None, :] - sheet.frequency).astype(complex)
    of_all = half_line_position((z[None, :] - corner) / sheet.ray(angle), LINE_END, 1)
    xi = jnp.array([nodes, nodes / 2], complex).reshape(2, 1, 1) * of_all[None]
    # e^{+-50} serves as 0 or infinity, and has derivatives.
    xi = lax.complex(xi.real, jnp.clip(xi.imag, -8.0, 8.0))
    above = 1.0 / (1.0 - jnp.exp(2j * jnp.pi * xi))
    # All poles are above a lower end at -infinity, none above an upper one at +infinity.
    above = jnp.where(there[None], above, np.array([1.0, 0.0], complex).reshape(1, 2, 1))
    return above[:, 0] - above[:, 1]
