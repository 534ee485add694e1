r"""The propagator of several modes on the real axis, at nodes that resolve it.

G(w) = 1 / (w - h - sum_channels c c' Sigma(w + i0)). The field of the reservoir of channel b
drives the modes with the columns G c_b, from which all steady quantities follow as integrals. The
integrands vary fast close to the ends of bands, where J is not analytic, at a distance of pi T from
chemical potentials, and close to resonances, the complex eigenvalues of h + sum c c' Sigma. At
these points the axis is cut, and the nodes of `numerics.panels` are even in the logarithm of the
distance from them. Resonances need only be known about as well as their width.
"""

from collections.abc import Iterable

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex, Float

from bathax._checks import Scalar, require, require_kind
from bathax._linalg import eigvalsh
from bathax.linear.resonances import resonances
from bathax.numerics.matrices import solved
from bathax.numerics.panels import Nodes, Panels
from bathax.reservoir.occupation import Occupation, Thermal
from bathax.reservoir.reservoir import Reservoir
from bathax.system.linear import LinearSystem

# Nodes for each point at which the axis is cut.
NODES = 128
# Branch points are resolved in the logarithm down to this fraction of the axis of interest.
BRANCH = 1e-7


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
    def of(system: LinearSystem, multiple: int = 1) -> "Spectrum":
        """The spectrum on nodes chosen for the system, or a multiple of them."""
        panels = panels_of(system)
        density = sum(
            (bath.spectral_density(panels.probes) for bath in system.reservoirs),
            jnp.zeros_like(panels.probes),
        )
        count = NODES * multiple * (panels.ends.shape[0] + 1)
        return Spectrum.at(system, panels.nodes(jnp.any(density > 0.0, axis=1), count))

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


def _occupied(bath: Reservoir, w: Float[Array, " nodes"]) -> Float[Array, " nodes"]:
    """n(w) within the band, and 0 beyond it, where it may have no value."""
    inside = bath.spectral_density(w) > 0.0
    return jnp.where(
        inside, bath.occupation(jnp.where(inside, w, bath.spectral_density.extent[1])), 0.0
    )


def require_leads(system: object) -> None:
    """Refuse what is no system of several modes, or has separate modes as a reservoir."""
    require_kind("system", "a `LinearSystem`", system, LinearSystem)
    require_continuous(system.reservoirs)  # pyright: ignore


def require_continuous(reservoirs: Iterable[Reservoir]) -> None:
    """Refuse reservoirs of separate modes, in which dynamics recur."""
    for bath in reservoirs:
        density = bath.spectral_density
        words = "continuous, or there is no steady state"
        require("spectral_density", words, density, density.is_continuous)


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


def panels_of(system: LinearSystem) -> Panels:
    """The real axis cut wherever the spectrum of the system varies fast."""
    baths = system.reservoirs
    corners = jnp.concatenate([bath.spectral_density.corners for bath in baths])
    steps = [step for bath in baths for step in _potential(bath.occupation)]
    levels, widths = jnp.asarray(steps, float).reshape(-1, 2).T
    ends = jnp.stack([end for bath in baths for end in bath.spectral_density.extent])
    known = jnp.concatenate([corners, levels, ends, eigvalsh(system.h)])
    low, high = jnp.min(known), jnp.max(known)
    found = resonances(system)
    within = (found.real > low - (high - low)) & (found.real < high + (high - low))
    points = jnp.concatenate([corners, levels, jnp.where(within, found.real, low)])
    distances = [
        jnp.broadcast_to(BRANCH * (high - low), corners.shape),
        widths,
        jnp.where(within, jnp.abs(found.imag), jnp.inf),
    ]
    return Panels.between(points, jnp.concatenate(distances), high - low)


def _potential(occupation: Occupation) -> list[tuple[Scalar, Scalar]]:
    """Where a thermal n(w) varies fast: mu and pi T; at T = 0 it only jumps there."""
    if not isinstance(occupation, Thermal):
        return []
    temperature = occupation.temperature
    # Of bosons the pole is at mu itself, below all bands.
    width = jnp.pi * temperature if occupation.statistics == "fermion" else jnp.zeros(())
    return [(occupation.level, jnp.where(temperature > 0.0, width, jnp.inf))]
