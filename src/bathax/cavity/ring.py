r"""The propagator G near an edge e of the support, if a pole of G is at the edge or close to it.

A window W = x^m / (1 + x^m), x = (z - e) / rho, splits G = W G + (1 - W) G. W has m poles z_k on a
ring of radius rho around e.

- W G vanishes at the edge, and so does the residue of a pole there. It is integrated along the
  lines and over the poles as G is elsewhere, with the lower z_k as additional poles.
- (1 - W) G falls like z^{-m}. If rho t is small, e^{-izt} is a polynomial where this matters, and
  the contour can be closed above the real axis, around the upper z_k.

In both cases z_k contributes (z_k - e) G(z_k) / m e^{-i z_k t}. The error is (rho t)^m / m!,
wherever the poles of G are.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Complex, Float

from bathax._checks import Scalar
from bathax.cavity.poles import BoundStates, Poles
from bathax.cavity.sheet import ANGLE, Sheet

# The number m of poles of a window, half of them below the real axis; rho times the last time.
ORDER, TURN = 8, 0.05
# The least and the largest radius, in units of w_s.
LEAST, WIDEST = 1e-13, 1e-2
# Within this fraction of the radius the window is set to 0; it would be 1e-16.
INSIDE = 1e-2
# A pole is close if 1/G changes on the ring by more than this fraction of its mean.
CHANGING = 0.1
ANGLES = np.pi / ORDER * (2.0 * np.arange(ORDER) + 1.0 - ORDER)
DIRECTIONS, LOWER = np.exp(1j * ANGLES), ANGLES < 0.0
BELOW = np.where(LOWER, DIRECTIONS, DIRECTIONS.conj())


class Rings(eqx.Module):
    """Circles around the edges of the support, `needed` where a pole is close to the edge.

    And the `lines` from the edges, because 1/G is evaluated on both at once.
    """

    edges: Float[Array, " edges"]
    radius: Float[Array, " edges"]
    inverse: Complex[Array, "edges ring"]
    needed: Bool[Array, " edges"]
    lines: Complex[Array, "edges nodes"]
    on_lines: Complex[Array, "edges nodes"]

    @staticmethod
    def of(sheet: Sheet, last: Scalar, nodes: int) -> "Rings":
        """Circles so small that e^{-izt} hardly changes on them up to the last time."""
        corners, unit = lax.stop_gradient((sheet.edges, sheet.frequency))
        widest = WIDEST * unit
        turned = TURN / jnp.maximum(last, TURN / widest)
        # The edges of two reservoirs may coincide; their rings must not.
        growing = 1.0 + 0.07 * np.arange(corners.shape[0])
        radius = jnp.maximum(turned, LEAST * unit) * growing
        below, (lines, _) = _on_circles(corners, radius, BELOW), sheet.lines(ANGLE, nodes)
        both = sheet.inverse_propagator(jnp.concatenate([below, lines], axis=1))
        inverse, on_lines = both[:, :ORDER], both[:, ORDER:]
        middle = jnp.mean(inverse, axis=1, keepdims=True)
        change = jnp.max(jnp.abs(inverse - middle) / jnp.abs(middle), axis=1)
        needed = lax.stop_gradient(change > CHANGING)
        return Rings(corners, radius, inverse, needed, lines, on_lines)

    @property
    def nodes(self) -> Complex[Array, "edges ring"]:
        """Where the windows have poles."""
        return _on_circles(self.edges, self.radius, DIRECTIONS)

    @property
    def below(self) -> Complex[Array, "edges ring"]:
        """The nodes, with those above the real axis reflected: `inverse` is 1/G there."""
        return _on_circles(self.edges, self.radius, BELOW)

    def windows(self) -> tuple[Complex[Array, "edges ring"], Complex[Array, "edges nodes"]]:
        """Residues of the product of all windows at the nodes, and this product on the lines."""
        windows = self._windows(jnp.concatenate([self.nodes, self.lines], axis=1))
        itself = np.eye(self.edges.shape[0], dtype=bool)[:, None, :]
        others = jnp.prod(jnp.where(itself, 1.0, windows[:, :ORDER]), axis=-1)
        ring = self.radius.astype(complex)[:, None] / ORDER * DIRECTIONS[None, :] * others
        residues = jnp.where(self.needed[:, None], ring, 0.0)
        return residues, jnp.prod(windows[:, ORDER:], axis=-1)

    def _windows(self, z: Complex[Array, "..."]) -> Complex[Array, "... edges"]:
        along = (1,) * z.ndim + (-1,)
        apart = z[..., None] - self.edges.astype(complex).reshape(along)
        radius = self.radius.reshape(along)
        seen = jnp.abs(apart) > INSIDE * radius
        inverse = radius.astype(complex) / jnp.where(seen, apart, jnp.ones((), complex))
        windows = jnp.where(seen, 1.0 / (1.0 + inverse**ORDER), 0.0)
        return jnp.where(self.needed.reshape(along), windows, 1.0)

    def without(self, bound: BoundStates, poles: Poles) -> tuple[BoundStates, Poles]:
        """The poles, with their residues times the window; those with nothing left do not exist."""
        z, count = jnp.concatenate([bound.placed, poles.frequencies]), bound.residues.shape[0]
        windows = jnp.prod(self._windows(z), axis=-1)
        of_bound, of_poles = windows[:count], windows[count:]
        exist = bound.exist & (of_bound != 0.0)
        bound = BoundStates(
            jnp.where(exist, bound.frequencies, jnp.nan),
            jnp.where(exist, bound.residues * of_bound.real, 0.0),
            exist,
        )
        exist = poles.exist & (of_poles != 0.0)
        return bound, Poles(
            jnp.where(exist, poles.frequencies, lax.stop_gradient(poles.frequencies)),
            jnp.where(exist, poles.residues * of_poles, 0.0),
            exist,
            poles.sector,
        )


def _on_circles(
    edges: Float[Array, " edges"], radius: Float[Array, " edges"], directions: np.ndarray
) -> Complex[Array, "edges ring"]:
    return edges.astype(complex)[:, None] + radius.astype(complex)[:, None] * directions[None, :]
