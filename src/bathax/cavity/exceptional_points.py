r"""Two poles of the propagator that merge, as they do at an exceptional point.

Their residues grow like 1 / distance and cancel. The moments of the pair stay regular,
mu_k = (1 / 2 pi i) \oint G(z) (z - c)^k dz on a circle around both. mu_0 is the sum of the
residues; the mean m and the squared half distance D of the poles follow from mu_0 to mu_3. The pair
is replaced by six exponentials at m + x_n, x_n^6 = h^6, with the same moments mu_0 to mu_5. Their
amplitudes are

a_n = (1/6) sum_{k<3} (D / x_n^2)^k (mu_0 + mu_1 / x_n),

with mu_1 taken about m. For h^2 = D they are the two poles themselves and four of amplitude 0.
Where the poles are too close for the phases e^{-izt} to differ, h is larger, with an error of
(ht)^6 / 6!.
"""

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Complex

from bathax._checks import Scalar
from bathax.cavity.poles import NOWHERE, Poles
from bathax.cavity.sheet import Sheet
from bathax.numerics.elementary import square_root

# The circle has NODES nodes. Its radius is WIDTH times the distance to the nearest other pole or
# edge; two poles are a pair if they are closer than CLOSE times that distance.
NODES, WIDTH, CLOSE = 32, 0.35, 0.1
# Residues above 1 / SINGULAR belong to a pair, even if rounding hides that they cancel.
SINGULAR = 1e-3
CIRCLE = np.exp(2j * np.pi * (np.arange(NODES) + 0.5) / NODES)
# The least h, as a fraction of 1 / (last time), of the width of the resonance, and of the distance
# to an edge. For larger ones the error exceeds 1e-12, for smaller ones amplitudes are large.
TURN, PART, NARROW = 0.03, 1.0 / 150.0, 5e-4
SIX = 6
CORNERS = np.exp(2j * np.pi * np.arange(SIX) / SIX)[[0, 3, 1, 2, 4, 5]]


def merged(sheet: Sheet, poles: Poles, last: Scalar) -> Poles:
    """The poles, with pairs replaced; the list grows by four for each pair that is looked for."""
    for sector in sorted(set(poles.sector)):
        members = np.asarray(poles.sector) == sector
        for _ in range(_most(poles.sector.count(sector), sheet.edges.shape[0] > 0)):
            poles = _without_pair(sheet, poles, (sector, members), last)
            members = np.append(members, np.zeros(SIX - 2, bool))
    return poles


def _most(count: int, searched: bool) -> int:
    """How many pairs to look for; of many resonances only the least damped ones matter."""
    return min(count // 2, 1 if searched else 2)


def _without_pair(
    sheet: Sheet, poles: Poles, chosen: tuple[int, np.ndarray], last: Scalar
) -> Poles:
    """The poles, with six exponentials for the closest two of a sector if they are a pair."""
    sector, members = chosen
    first, second, apart = _closest(lax.stop_gradient(poles), members)
    center = lax.stop_gradient(jnp.sum(jnp.where(first | second, 0.5 * poles.frequencies, 0.0)))
    room = _room(sheet, poles, ~(first | second) & members, (center, sector))
    close = apart < CLOSE * room
    away = sheet.sides[sector].astype(complex) - NOWHERE * sheet.level
    center = jnp.where(close, center, away)
    room = jnp.where(close, room, sheet.frequency)
    z, amplitudes = _exponentials(sheet, (center, room, sector), last)

    def replaced(values: Array, new: Array, none: Array) -> Array:
        new = jnp.where(close, new, none)
        old = jnp.where(first & close, new[0], jnp.where(second & close, new[1], values))
        return jnp.concatenate([old, new[2:]])

    return Poles(
        replaced(poles.frequencies, z, away),
        replaced(poles.residues, amplitudes, jnp.zeros((), complex)),
        jnp.append(poles.exist, jnp.broadcast_to(close, SIX - 2)),
        (*poles.sector, *[sector] * (SIX - 2)),
    )


def _closest(
    poles: Poles, members: np.ndarray
) -> tuple[Bool[Array, " poles"], Bool[Array, " poles"], Scalar]:
    """The closest two poles among those whose residues cancel, and their distance."""
    weightless = poles.residues == 0.0
    slope = jnp.where(weightless, 0.0, 1.0 / jnp.where(weightless, 1.0, poles.residues))
    one, other = np.triu_indices(slope.shape[0], 1)
    largest = jnp.maximum(jnp.abs(slope[one]), jnp.abs(slope[other]))
    cancel = (jnp.abs(slope[one] + slope[other]) <= 0.5 * largest) | (largest < SINGULAR)
    usable = poles.exist & members
    apart = jnp.abs(poles.frequencies[one] - poles.frequencies[other])
    apart = jnp.where(cancel & usable[one] & usable[other], apart, jnp.inf)
    closest, each = jnp.argmin(apart), np.arange(slope.shape[0])
    return each == jnp.asarray(one)[closest], each == jnp.asarray(other)[closest], jnp.min(apart)


def _room(
    sheet: Sheet, poles: Poles, others: Bool[Array, " poles"], place: tuple[Array, int]
) -> Scalar:
    """The distance to other poles, edges and poles of J; constant to differentiation."""
    center, sector = place
    distances = [
        jnp.where(others & poles.exist, jnp.abs(poles.frequencies - center), jnp.inf),
        jnp.abs(sheet.edges.astype(complex) - center),
        jnp.where(sheet.reached(sector), jnp.abs(sheet.density_poles - center), jnp.inf),
    ]
    return lax.stop_gradient(jnp.min(jnp.concatenate(distances)))


def _exponentials(
    sheet: Sheet, circle: tuple[Array, Array, int], last: Scalar
) -> tuple[Complex[Array, " six"], Complex[Array, " six"]]:
    """Frequencies and amplitudes of the exponentials that replace the poles within a circle."""
    center, room, sector = circle
    radius = WIDTH * room.astype(complex)
    z = center + radius * CIRCLE
    powers = CIRCLE[None, :] ** (1.0 + np.arange(4.0)[:, None])
    zeroth, first, second, third = (powers @ (radius / _inverse(sheet, z, sector))) / NODES
    determinant = first**2 - zeroth * second
    determinant = jnp.where(determinant == 0.0, 1.0, determinant)
    mean = 0.5 * (first * second - zeroth * third) / determinant
    squared = mean**2 - (second**2 - first * third) / determinant
    least = jnp.maximum(TURN / last, -2.0 * PART * center.imag)
    from_edge = jnp.min(jnp.abs(sheet.edges.astype(complex) - center), initial=jnp.inf)
    least = jnp.minimum(least, jnp.minimum(NARROW * from_edge, CLOSE * room)) / radius.real
    wide = jnp.abs(squared) > least**2
    h = jnp.where(wide, square_root(jnp.where(wide, squared, 1.0)), least.astype(complex))
    x = h * CORNERS
    ratio = squared / x**2
    amplitudes = (1.0 + ratio + ratio**2) * (zeroth + (first - mean * zeroth) / x) / SIX
    return center + radius * (mean + x), amplitudes


def _inverse(sheet: Sheet, z: Complex[Array, " z"], sector: int) -> Complex[Array, " z"]:
    """1/G continued from a sector; above the real axis that is 1/G itself."""
    above = z.imag > 0.0
    first = sheet.inverse_propagator(jnp.where(above, z.conj(), z))
    density = sheet.continued_density(z, sector)
    return jnp.where(above, first.conj(), first + 2j * jnp.pi * density)
