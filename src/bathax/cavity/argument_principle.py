r"""The number of poles of the propagator close to the real axis, by the argument principle.

1/G is continued from an interval of the support into a wedge below it. Along the boundary of the
wedge 1/G winds about 0 as often as it has zeros in the wedge, less the number of its poles there,
which are the poles of J.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Complex, Float

from bathax.cavity.sheet import LINE_END, Sheet
from bathax.numerics.quadrature import half_line

# Angles of the wedge in radians; the second serves if a zero lies on a line of the first.
WEDGES = (1.0, 0.9)


def has_all_zeros(
    sheet: Sheet, zeros: Complex[Array, " z"], belong: Bool[Array, "sectors z"]
) -> Bool[Array, " sectors"]:
    """For each sector, whether `zeros` has all zeros of 1/G that lie in its wedge."""

    def count(z: Complex[Array, " z"], counts: Bool[Array, "sectors z"]) -> Array:
        return jnp.sum(counts[None] & _in_wedge(sheet, z), axis=-1).astype(float)

    own = sheet.density_poles
    expected = _winding(sheet)
    if own.size:
        reached = sheet.reached(np.arange(sheet.sides.size))
        expected += count(own, reached & sheet.distinct[None, :])
    return jnp.any(jnp.abs(expected - count(zeros, belong)) < 0.5, axis=0)


def _in_wedge(sheet: Sheet, z: Complex[Array, " z"]) -> Bool[Array, "wedges sectors z"]:
    """Whether z lies between the lines from the two ends of each interval."""
    low, high = (end[:, None] for end in sheet.ends_of(range(sheet.sides.size)))

    def angle(end: Array) -> Float[Array, "wedges sectors z"]:
        corner = jnp.where(jnp.isfinite(end), end, 0.0).astype(complex)
        return -jnp.angle(z[None, :] - corner)[None]

    wedges = np.reshape(WEDGES, (-1, 1, 1))
    right_of_low = (low == -jnp.inf)[None] | (angle(low) < wedges)
    return right_of_low & ((high == jnp.inf)[None] | (angle(high) > wedges))


def _winding(sheet: Sheet) -> Float[Array, "wedges sectors"]:
    r"""How often 1/G, continued from each interval, winds about 0 along the boundary of a wedge.

    On the interval Im 1/G >= 0, so that the phase of 1/G is between 0 and pi. From the ends of the
    interval the phase is followed along the lines, to where 1/G is close to z.
    """
    wedges = np.asarray(WEDGES)[:, None]
    r, _ = half_line(LINE_END, 512)
    along = sheet.ray(0.0) * (np.exp(-1j * wedges[:, :, None]) * r)
    z = sheet.edges.astype(complex)[None, :, None] + along
    first = sheet.inverse_propagator(z)
    # Continued from the interval below each edge, and from that above it.
    below = np.arange(sheet.edges.size)
    sectors = np.broadcast_to(np.stack([below, below + 1])[:, None], (2, *z.shape[:2]))
    density = sheet.continued_density(jnp.broadcast_to(z[None], (2, *z.shape)), sectors)
    values = first[None] + 2j * jnp.pi * density
    # The phases at the far ends of the lines.
    start = jnp.arctan2(jnp.maximum(values[..., 0].imag, 0.0), values[..., 0].real)
    turns = jnp.angle(values[..., 1:] * values[..., :-1].conj())
    far = start + turns @ np.ones(turns.shape[-1])
    # The first interval has no line at its lower end, the last one none at its upper end.
    right = jnp.concatenate([far[0], -wedges], axis=1)
    left = jnp.concatenate([2.0 * np.pi - wedges, far[1]], axis=1)
    return (left - right) / (2.0 * jnp.pi)
