r"""The propagator of several modes on the real axis, at nodes that resolve it.

G(w) = 1 / (w - h - sum_channels c c' Sigma(w + i0)). The field of the reservoir of channel b
drives the modes with the columns G c_b, from which all steady quantities follow as integrals.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float

from bathax._checks import require_kind
from bathax.linear.cuts import Cuts
from bathax.linear.resonances import overlooked, resonances
from bathax.numerics.matrices import solved
from bathax.numerics.panels import APART, Nodes
from bathax.reservoir.reservoir import Reservoir
from bathax.system.linear import LinearSystem

# Nodes for each point at which the axis is cut.
NODES = 112


class Spectrum(eqx.Module):
    """All reservoirs and the propagator at frequencies w, with the weights of several rules.

    `densities` and `shifts` are J and Re Sigma, `occupations` n, and `columns` G c of each channel.
    """

    w: Float[Array, " nodes"]
    weights: Float[Array, "rules nodes"]
    densities: Float[Array, "channels nodes"]
    shifts: Float[Array, "channels nodes"]
    occupations: Float[Array, "channels nodes"]
    columns: Complex[Array, "n channels nodes"]

    @staticmethod
    def of(system: LinearSystem, nodes: int = NODES) -> "Spectrum":
        """The spectrum on so many nodes for each point at which the axis is cut."""
        cuts = resolved(system, Cuts.of(system))
        return Spectrum.at(system, cuts.nodes(system, nodes))

    @staticmethod
    def at_frequencies(system: LinearSystem, w: Float[Array, " w"]) -> "Spectrum":
        """The spectrum at given frequencies, at the end of a band its limit from above."""
        corners = jnp.concatenate([bath.spectral_density.corners for bath in system.reservoirs])
        at_end = jnp.any(w[:, None] == corners[None, :], axis=1)
        above = jnp.where(at_end, jnp.maximum(APART * jnp.abs(w), np.finfo(float).tiny), 0.0)
        return Spectrum.at(system, Nodes(w, above, jnp.ones((1, *w.shape))))

    @staticmethod
    def at(system: LinearSystem, nodes: Nodes) -> "Spectrum":
        """The spectrum at given nodes."""
        w, baths = nodes.w, system.reservoirs
        densities = jnp.stack([bath.spectral_density(w) for bath in baths])
        shifts = jnp.stack([bath.spectral_density.level_shift(w) for bath in baths])
        occupations = jnp.stack([_occupied(bath, w) for bath in baths])
        return Spectrum(
            w,
            nodes.weights,
            densities,
            shifts,
            occupations,
            propagated(system, nodes, lax.complex(shifts, -jnp.pi * densities)),
        )


def resolved(system: LinearSystem, cuts: Cuts) -> Cuts:
    """These cuts and those that resolve the propagator, at its resonances."""
    found = resonances(system)
    cuts = cuts.at_resonances(found)
    return cuts.at_resonances(overlooked(system, found, cuts.panels))


def _occupied(bath: Reservoir, w: Float[Array, " nodes"]) -> Float[Array, " nodes"]:
    """n(w) within the band, and 0 beyond it, where it may have no value."""
    inside = bath.spectral_density(w) > 0.0
    return jnp.where(
        inside, bath.occupation(jnp.where(inside, w, bath.spectral_density.extent[1])), 0.0
    )


def require_leads(system: object) -> None:
    """Refuse what is no system of several modes, or has separate modes as a reservoir."""
    require_kind("system", "a `LinearSystem`", system, LinearSystem)
    modes: LinearSystem = system  # pyright: ignore
    modes.require_static()
    for bath in modes.reservoirs:
        bath.require_continuous()


def propagated(
    system: LinearSystem, nodes: Nodes, sigma: Complex[Array, "channels nodes"]
) -> Complex[Array, "n channels nodes"]:
    """The columns G c of all channels at each node."""
    c, unit = system.couplings, jnp.eye(system.size, dtype=complex)
    # Close to a narrow resonance w - h is small; the anchor of a node is exact.
    above = unit[:, :, None] * nodes.anchor.astype(complex)[None, None, :] - system.h[:, :, None]
    above += unit[:, :, None] * nodes.offset.astype(complex)[None, None, :]
    inverse = above - jnp.einsum("ai,aj,aq->ijq", c, c.conj(), sigma)
    columns = jnp.broadcast_to(c.T[:, :, None], (*c.T.shape, nodes.anchor.shape[0]))
    return solved(inverse, columns)
