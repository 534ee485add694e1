r"""Integrals along the real axis of functions with singularities at or close to known points.

The axis is cut at these points. On the panel from a to b = a + L, w = a + L / (1 + e^{-u}) with

u(x) = x - e^{p - x} + e^{x - q}

has nodes even in the logarithm of the distance from either end, down to the distances L e^p and
L e^{-q} of the next singularity, and double exponentially fewer below them. A pole at a +- i L e^p
comes to lie at a distance of about pi/2 from the axis of x, and so does every other one; an end may
be a branch point. On the panel from the last point to infinity w = a + L e^u. The trapezoidal rule
converges like e^{-2 pi^2 / 2h}: half the nodes have the square root of its error.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from bathax._checks import Scalar

# Nodes end at this distance in x beyond p and q, where the distance from an end is L e^-74.
BEYOND = 4.3
# The least logarithm p of a distance, about that of rounding.
DEEPEST = -36.0
# On a panel to infinity, q: functions are known to fall off beyond L e^q.
FAR = 3.0
# Nodes stay so far away from the ends, relative to these, and are rounded up to a larger distance.
APART, ROUNDED = 4.0 * np.finfo(float).eps, 64.0 * np.finfo(float).eps


class Nodes(eqx.Module):
    """Frequencies w = `anchor` + `offset`, and weights of some rules.

    The anchor is the end of the panel close by, from which the offset is known to full precision.
    The rules of panels are of all nodes, of half of them, and of those so close to the anchor that
    their sum with it is rounded: what these contribute is uncertain.
    """

    anchor: Float[Array, " nodes"]
    offset: Float[Array, " nodes"]
    weights: Float[Array, "rules nodes"]

    @property
    def w(self) -> Float[Array, " nodes"]:
        """The frequencies."""
        return self.anchor + self.offset


class Panels(eqx.Module):
    """The real axis cut at `ends`, in increasing order, with the distances of singularities.

    Panel 0 begins at minus infinity, the last one ends at infinity; `unit` is a length of both.
    `distances` are those of the next singularity from each end.
    """

    ends: Float[Array, " ends"]
    distances: Float[Array, " ends"]
    unit: Scalar

    @staticmethod
    def between(
        points: Float[Array, " ends"], distances: Float[Array, " ends"], unit: Scalar
    ) -> "Panels":
        """Panels cut at points in any order, which have singularities at a distance each."""
        order = jnp.argsort(points)
        ends, own = points[order], distances[order]
        nearest = jnp.min(jnp.hypot(own[None, :], ends[:, None] - ends[None, :]), axis=1)
        return Panels(ends, lax.stop_gradient(nearest), lax.stop_gradient(unit))

    def inside(self, share: Float[Array, " places"]) -> Float[Array, "panels places"]:
        """Places that divide each panel like this, of outer ones the first `unit`."""
        low = jnp.concatenate([self.ends[:1] - self.unit, self.ends])
        return low[:, None] + self._lengths[:, None] * share[None, :]

    def nodes(self, used: Bool[Array, " panels"], count: int) -> Nodes:
        """So many nodes on the panels that are used, evenly spaced in x."""
        deep, far = self._depths
        spans = jnp.where(used & (self._lengths > 0.0), far - deep + 2.0 * BEYOND, 0.0)
        stops = jnp.cumsum(spans)
        step = stops[-1] / count
        place = step * (jnp.arange(count, dtype=float) + 0.5)
        panel = jnp.sum(place[:, None] >= stops[None, :-1], axis=1)
        x = place - (stops - spans)[panel] + deep[panel] - BEYOND
        below, above = jnp.exp(deep[panel] - x), jnp.exp(x - far[panel])
        slope = step * (1.0 + below + above)
        return self._placed(panel, x - below + above, slope)

    @property
    def _lengths(self) -> Float[Array, " panels"]:
        return jnp.concatenate([self.unit[None], jnp.diff(self.ends), self.unit[None]])

    @property
    def _depths(self) -> tuple[Float[Array, " panels"], Float[Array, " panels"]]:
        """p and q of each panel."""
        length = lax.stop_gradient(jnp.maximum(self._lengths, jnp.finfo(float).tiny))
        left = jnp.log(self.distances / length[1:])
        right = -jnp.log(self.distances / length[:-1])
        deep = jnp.concatenate([jnp.full(1, -FAR), jnp.clip(left, DEEPEST, 0.0)])
        far = jnp.concatenate([jnp.clip(right, 0.0, -DEEPEST), jnp.full(1, FAR)])
        return deep, far

    def _placed(
        self, panel: Int[Array, " nodes"], u: Float[Array, " nodes"], slope: Float[Array, " nodes"]
    ) -> Nodes:
        """The nodes at u on each panel, with weights from du of a node."""
        count = self.ends.shape[0]
        first, last = panel == 0, panel == count
        length = self._lengths[panel]
        # On the panels to infinity u grows away from the only end.
        share = jnp.where(first, jnp.exp(-u), jnp.where(last, jnp.exp(u), _logistic(u)))
        rest = jnp.where(first | last, 1.0, _logistic(-u))
        left = ~first & (last | (u < 0.0))
        anchor = self.ends[jnp.where(left, panel - 1, jnp.minimum(panel, count - 1))]
        offset, scale = jnp.where(first | left, share, rest) * length, jnp.abs(anchor)
        offset = jnp.maximum(offset, lax.stop_gradient(APART * scale))
        half = 2.0 * (jnp.arange(u.shape[0]) % 2 == 0).astype(float)
        rules = jnp.stack([jnp.ones_like(half), half, (offset < ROUNDED * scale).astype(float)])
        weights = rules * (slope * share * rest * length)[None, :]
        return Nodes(anchor, jnp.where(left, offset, -offset), weights)


def _logistic(u: Float[Array, "..."]) -> Float[Array, "..."]:
    return 1.0 / (1.0 + jnp.exp(-u))
