"""Where the real axis is cut for integrals over the spectrum of several modes.

Integrands vary fast close to the ends of bands, where J is not analytic, at a distance of pi T from
chemical potentials, and close to resonances, which need only be known about as well as their width.
The nodes of `numerics.panels` are even in the logarithm of the distance from these points.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from bathax._checks import Scalar
from bathax._linalg import eigvalsh
from bathax.numerics.panels import Nodes, Panels
from bathax.reservoir.occupation import Occupation, Thermal
from bathax.system.linear import LinearSystem

# Branch points are resolved in the logarithm down to this fraction of the axis of interest.
BRANCH = 1e-7
# Points closer than this fraction of it are one.
SAME = 1e-12


class Cuts(eqx.Module):
    """Points of the axis, the distances of singularities from them, and the ends of interest."""

    points: Float[Array, " cuts"]
    distances: Float[Array, " cuts"]
    low: Scalar
    high: Scalar

    @staticmethod
    def of(system: LinearSystem) -> "Cuts":
        """The ends of bands and the chemical potentials."""
        baths = system.reservoirs
        corners = jnp.concatenate([bath.spectral_density.corners for bath in baths])
        steps = [step for bath in baths for step in _potential(bath.occupation)]
        levels, widths = jnp.asarray(steps, float).reshape(-1, 2).T
        ends = jnp.stack([end for bath in baths for end in bath.spectral_density.extent])
        known = jnp.concatenate([corners, levels, ends, eigvalsh(system.h)])
        low, high = jnp.min(known), jnp.max(known)
        branches = jnp.broadcast_to(BRANCH * (high - low), corners.shape)
        points, distances = (
            jnp.concatenate(pair) for pair in ((corners, levels), (branches, widths))
        )
        return Cuts(points, distances, low, high)

    def at_resonances(self, z: Complex[Array, " resonances"]) -> "Cuts":
        """These points and the resonances that are not far away."""
        length = self.high - self.low
        close = (z.real > self.low - length) & (z.real < self.high + length)
        w = jnp.where(close, z.real, self.low)
        if self.points.size:
            # Points that are the same but for rounding become the same.
            away = jnp.abs(w[:, None] - self.points[None, :])
            same = jnp.min(away, axis=1) < SAME * length
            w = jnp.where(same, self.points[jnp.argmin(away, axis=1)], w)
        points = jnp.concatenate([self.points, w])
        own = jnp.where(close, jnp.abs(z.imag), jnp.inf)
        return Cuts(points, jnp.concatenate([self.distances, own]), self.low, self.high)

    def at_steps(self, w: Float[Array, " steps"]) -> "Cuts":
        """These points and others where integrands only jump."""
        points, distances = jnp.concatenate([self.points, w]), jnp.full(w.shape, jnp.inf)
        return Cuts(points, jnp.concatenate([self.distances, distances]), self.low, self.high)

    @property
    def panels(self) -> Panels:
        """The axis cut at these points."""
        return Panels.between(self.points, self.distances, self.high - self.low)

    def nodes(self, system: LinearSystem, each: int) -> Nodes:
        """So many nodes for each point, wherever a density is not zero."""
        probes = self.panels.inside(jnp.asarray([0.23, 0.51, 0.74]))
        density = sum(
            (bath.spectral_density(probes) for bath in system.reservoirs), jnp.zeros_like(probes)
        )
        used = jnp.any(density > 0.0, axis=1)
        return self.panels.nodes(used, each * (self.points.shape[0] + 1))


def _potential(occupation: Occupation) -> list[tuple[Scalar, Scalar]]:
    """Where a thermal n(w) varies fast: mu and pi T; at T = 0 it only jumps there."""
    if not isinstance(occupation, Thermal):
        return []
    temperature = occupation.temperature
    # Of bosons the pole is at mu itself, below all bands.
    width = jnp.pi * temperature if occupation.statistics == "fermion" else jnp.zeros(())
    return [(occupation.level, jnp.where(temperature > 0.0, width, jnp.inf))]
