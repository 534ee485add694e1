r"""The two sheets of the propagator G(z) = 1 / (z - w_s - Sigma(z)) in the lower half plane.

The support of J is a set of intervals of the real axis. From each of them G is continued into the
lower half plane, 1 / G_II = 1 / G + 2 pi i J. Lines from the edges of the support separate what is
continued from one interval from what is continued from the next.
"""

import cmath
import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Complex, Float

from bathax._checks import Scalar, require
from bathax.numerics.quadrature import half_line
from bathax.reservoir.rules import Interval, joined_poles
from bathax.reservoir.system import OpenSystem, require_system

# Lines end at e^LAST bandwidths, for densities with algebraic tails.
LAST = 11.5


def require_analytic(system: OpenSystem) -> None:
    """Refuse a reservoir whose spectral density has no analytic continuation."""
    require_system(system)
    for bath in system.reservoirs:
        density = bath.spectral_density
        known = density.support is not None
        found = "which is not known to be"
        if density.modes is not None:
            found = "separate modes, which `Diagonalisation()` solves"
        words = "analytic off the ends of its support"
        require("spectral_density", words, f"{density}, {found}", known)


def edges(system: OpenSystem) -> Float[Array, " edges"]:
    """The real frequencies where the spectral density begins or ends, in increasing order."""
    points = [point for interval in _supports(system) for point in interval]
    # Reservoirs that begin at a known number, zero, share one edge.
    known = sorted({p for p in points if isinstance(p, float) and not math.isinf(p)})
    others = [p for p in points if not isinstance(p, float)]
    if not others:
        return jnp.asarray(np.asarray(known, float))
    return jnp.sort(jnp.stack([*map(jnp.asarray, known), *others]))


def _supports(system: OpenSystem) -> list[Interval]:
    """Intervals of the real axis that the densities cover, which may overlap."""
    return [pair for bath in system.reservoirs for pair in bath.spectral_density.support or ()]


def coverage(system: OpenSystem) -> list[bool | None]:
    """For each interval between the edges, whether J covers it; None where values decide."""
    endless = [
        tuple(isinstance(p, float) and math.isinf(p) for p in ab) for ab in _supports(system)
    ]
    count = edges(system).shape[0]
    if (True, True) in endless:
        return [True] * (count + 1)
    from_below, to_above = (any(ends) for ends in zip(*endless, strict=True))
    return [from_below, *[None] * (count - 1), to_above]


def ends_of(system: OpenSystem, sector: Sequence[int] | np.ndarray) -> tuple[Array, Array]:
    """The lower and upper ends of some of the intervals between the edges, infinite ones too."""
    ends = jnp.concatenate([np.full(1, -np.inf), edges(system), np.full(1, np.inf)])
    m = np.asarray(sector, int)
    return ends[m], ends[m + 1]


def intervals(system: OpenSystem) -> Float[Array, " intervals"]:
    """A frequency within each interval between the edges, and outside of the first and last."""
    ends = edges(system)
    if not ends.shape[0]:
        return system.frequency[None]
    unit = system.frequency
    middles = 0.5 * (ends[1:] + ends[:-1])
    return jnp.concatenate([ends[:1] - unit, middles, ends[-1:] + unit])


def first_inverse(system: OpenSystem, z: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """1 / G(z) in the lower half plane on the first sheet, where Sigma(z*) = Sigma(z)*."""
    return z - system.frequency.astype(complex) - system.self_energy(z.conj()).conj()


def inverse(
    system: OpenSystem, z: Complex[Array, "..."], through: Float[Array, "..."]
) -> Complex[Array, "..."]:
    """1 / G(z) in the lower half plane, continued from the real frequencies `through`."""
    return first_inverse(system, z) + 2j * jnp.pi * continued(system.continued_density, z, through)


def continued(
    density: Callable[[Array, Scalar], Array],
    z: Complex[Array, "..."],
    through: Float[Array, "..."],
) -> Complex[Array, "..."]:
    """A density in the lower half plane, each z[n] continued from a frequency of its own."""
    if not z.size:
        return z
    for _ in range(through.ndim):
        density = jax.vmap(density)
    return density(z, through)


def lines(
    system: OpenSystem, angle: float, nodes: int
) -> tuple[Complex[Array, "edges nodes"], Complex[Array, " nodes"]]:
    """Nodes on lines at an angle below the real axis from each edge, and dz."""
    r, dr = (part.astype(complex) for part in half_line(LAST, nodes))
    along = direction(system, angle)
    return edges(system).astype(complex)[:, None] + along * r[None, :], along * dr


def direction(system: OpenSystem, angle: float) -> Complex[Array, ""]:
    """One unit of distance along a line: the bandwidth, to a power of the root of 2.

    So nodes stay where they are while parameters vary: integrals along lines do not depend on them,
    and their derivatives are those of the sums that stand for them.
    """
    bandwidth = jnp.exp2(0.5 * jnp.round(2.0 * jnp.log2(lax.stop_gradient(system.bandwidth))))
    return bandwidth.astype(complex) * cmath.exp(-1j * angle)


def taper(system: OpenSystem, z: Complex[Array, "..."], angle: float) -> Array:
    r"""1 / (1 + ((z - c) e^{i angle} / R)^8), by which lines end where all bands are finite.

    G and J are continued from a band as functions that may grow like z. R being 100 times as large
    as anything on the real axis, times this they are the same there to 1e-16, and along the lines
    they fall off. Its poles are midway between lines.
    """
    if not is_finite(system):
        return jnp.ones_like(z)
    ends = lax.stop_gradient(edges(system))
    center = 0.5 * (ends[0] + ends[-1])
    reach = ends[-1] - center + jnp.abs(system.frequency - center) + jnp.sqrt(system.weight)
    far = (100.0 * lax.stop_gradient(reach)).astype(complex) * cmath.exp(-1j * angle)
    return 1.0 / (1.0 + ((z - center.astype(complex)) / far) ** 8)


def is_finite(system: OpenSystem) -> bool:
    """Whether all densities end on both sides."""
    covered = coverage(system)
    return len(covered) > 2 and covered[0] is False and covered[-1] is False


def own_poles(
    system: OpenSystem, through: Float[Array, "*z 1"]
) -> tuple[Complex[Array, " own"], Bool[Array, "*z own"]]:
    """Poles of the spectral densities themselves, and which `through` leads to."""
    poles = [bath.spectral_density.poles for bath in system.reservoirs]
    z, _, low, high = joined_poles(poles)
    shape = (1,) * (through.ndim - 1) + z.shape
    return z, (low.reshape(shape) < through) & (through < high.reshape(shape))
