r"""What G does close to an edge of the support where a pole is, or almost.

With x = (z - e) / rho and the window W = x^m / (1 + x^m), G = W G + (1 - W) G. The first part
vanishes at the edge, with whatever pole is near, and is integrated along lines and over poles as it
is elsewhere, the poles z_k of W included, m of them on a ring of radius rho about e. The second
part falls like z^{-m} while e^{-izt} is a polynomial where it matters, if rho t is small: the
contour is closed above the real axis, around the upper poles of W. Either way each z_k contributes
(z_k - e) G(z_k) / m e^{-i z_k t}, the mean of (z - e) G over the ring. The error is
(rho t)^m / m!, wherever the poles of G are.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Complex, Float

from bathax._checks import Scalar
from bathax.cavity.poles import BoundStates, Poles
from bathax.cavity.sheet import Sheet

# Poles of a window, half of them below the real axis, and rho times the last time.
ORDER, TURN = 8, 0.05
# The least and the largest radius, in units of w_s.
LEAST, WIDEST = 1e-13, 1e-2
# Within so much of the radius the window is 0: it would be 1e-16.
INSIDE = 1e-2
# A pole is near where 1/G changes on the ring by more than this part of itself.
CHANGING = 0.1
ANGLES = np.pi / ORDER * (2.0 * np.arange(ORDER) + 1.0 - ORDER)
DIRECTIONS, LOWER = np.exp(1j * ANGLES), ANGLES < 0.0
BELOW = np.where(LOWER, DIRECTIONS, DIRECTIONS.conj())


class Rings(eqx.Module):
    """Circles about the edges of the support, `needed` about those that a pole is near to."""

    edges: Float[Array, " edges"]
    radius: Float[Array, " edges"]
    inverse: Complex[Array, "edges ring"]
    needed: Bool[Array, " edges"]

    @staticmethod
    def of(sheet: Sheet, last: Scalar) -> "Rings":
        """So small that e^{-izt} hardly turns within them up to the last time."""
        corners, unit = lax.stop_gradient((sheet.edges, sheet.frequency))
        widest = WIDEST * unit
        turned = TURN / jnp.maximum(last, TURN / widest)
        # Edges may coincide, as those of two reservoirs do: their rings must not.
        growing = 1.0 + 0.07 * np.arange(corners.shape[0])
        radius = jnp.maximum(turned, LEAST * unit) * growing
        inverse = sheet.inverse_propagator(_on_circles(corners, radius, BELOW))
        middle = jnp.mean(inverse, axis=1, keepdims=True)
        change = jnp.max(jnp.abs(inverse - middle) / jnp.abs(middle), axis=1)
        return Rings(corners, radius, inverse, lax.stop_gradient(change > CHANGING))

    @property
    def nodes(self) -> Complex[Array, "edges ring"]:
        """Where the windows have poles."""
        return _on_circles(self.edges, self.radius, DIRECTIONS)

    @property
    def below(self) -> Complex[Array, "edges ring"]:
        """The nodes, those above the real axis mirrored at it: where `inverse` is 1/G."""
        return _on_circles(self.edges, self.radius, BELOW)

    def window(self, z: Complex[Array, "..."]) -> Complex[Array, "..."]:
        """The product of the windows of all edges that need one."""
        return jnp.prod(self._windows(z), axis=-1)

    def mean(self, values: Complex[Array, "2 edges ring"]) -> Complex[Array, "2 edges ring"]:
        """Residues at the nodes, of the window times a function with these values there."""
        itself = np.eye(self.edges.shape[0], dtype=bool)[:, None, :]
        others = jnp.prod(jnp.where(itself, 1.0, self._windows(self.nodes)), axis=-1)
        ring = self.radius.astype(complex)[:, None] / ORDER * DIRECTIONS[None, :] * others
        return jnp.where(self.needed[:, None], ring, 0.0)[None] * values

    def _windows(self, z: Complex[Array, "..."]) -> Complex[Array, "... edges"]:
        along = (1,) * z.ndim + (-1,)
        apart = z[..., None] - self.edges.astype(complex).reshape(along)
        radius = self.radius.reshape(along)
        seen = jnp.abs(apart) > INSIDE * radius
        inverse = radius.astype(complex) / jnp.where(seen, apart, jnp.ones((), complex))
        windows = jnp.where(seen, 1.0 / (1.0 + inverse**ORDER), 0.0)
        return jnp.where(self.needed.reshape(along), windows, 1.0)

    def without(self, bound: BoundStates, poles: Poles) -> tuple[BoundStates, Poles]:
        """Poles with the window as a factor of their residues, where anything is left of them."""
        of_bound, of_poles = self.window(bound.placed), self.window(poles.frequencies)
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
