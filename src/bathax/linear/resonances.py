r"""About the resonances of several modes: zeros of det(z - h - sum c c' Sigma(z)) below the axis.

Quadrature needs them only about as well as their width. Sigma is continued to the second sheet as
a linear function of the distance from the real axis, but for the poles p of J, close to which it is
m / (z - p). All is constant to differentiation.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex, Float, Int

from bathax._linalg import eigh
from bathax.numerics.matrices import solved
from bathax.reservoir.reservoir import Reservoir
from bathax.system.linear import LinearSystem

ITERATIONS = 16
# How far apart equal levels begin, relative to the largest energy.
APART = 1e-9


def resonances(system: LinearSystem) -> Complex[Array, " resonances"]:
    """As many numbers as there are modes and poles of J, of which most are close to resonances.

    Aberth's method: each estimate moves by Newton's method and is repelled by all others.
    """
    system = lax.stop_gradient(system)
    start = _first_order(system)
    size = jnp.max(jnp.abs(start))

    def moved(_: Int[Array, ""], z: Complex[Array, " z"]) -> Complex[Array, " z"]:
        apart = z[:, None] - z[None, :]
        repulsion = jnp.sum(jnp.where(apart == 0.0, 0.0, 1.0 / apart), axis=1)
        step = 1.0 / (_logarithmic_slope(system, z) - repulsion)
        return jnp.where(jnp.abs(step) < size, z - step, z)

    spread = APART * size * jnp.arange(start.shape[0], dtype=float)
    return lax.fori_loop(0, ITERATIONS, moved, start - 1j * spread.astype(complex))


def _first_order(system: LinearSystem) -> Complex[Array, " resonances"]:
    """The levels of h, shifted by perturbation theory, and the poles of J."""
    levels, vectors = eigh(system.h)
    overlaps = jnp.abs(system.couplings.conj() @ vectors) ** 2
    sigma = jnp.stack([_sigma(bath, levels) for bath in system.reservoirs])
    shifted = levels.astype(complex) + jnp.sum(overlaps.astype(complex) * sigma, axis=0)
    return jnp.concatenate([shifted, *(_poles(bath)[0] for bath in system.reservoirs)])


def _logarithmic_slope(system: LinearSystem, z: Complex[Array, " z"]) -> Complex[Array, " z"]:
    """The derivative of ln[det(z - h - sum c c' Sigma(z)) prod_p (z - p)]."""
    unit, c = jnp.eye(system.size, dtype=complex), system.couplings
    sigma, slope = (
        jnp.stack(part)
        for part in zip(*(_continued(bath, z) for bath in system.reservoirs), strict=True)
    )
    inverse = unit[:, :, None] * z[None, None, :] - system.h[:, :, None]
    inverse -= jnp.einsum("ai,aj,aq->ijq", c, c.conj(), sigma)
    change = unit[:, :, None] - jnp.einsum("ai,aj,aq->ijq", c, c.conj(), slope)
    of_poles = [
        jnp.sum(1.0 / (z[:, None] - _poles(bath)[0][None, :]), axis=1) for bath in system.reservoirs
    ]
    return jnp.einsum("iiq->q", solved(inverse, change)) + sum(of_poles, jnp.zeros_like(z))


def _continued(
    bath: Reservoir, z: Complex[Array, " z"]
) -> tuple[Complex[Array, " z"], Complex[Array, " z"]]:
    """Sigma and its derivative below the real axis."""
    w, (poles, masses) = z.real, _poles(bath)

    def regular(w: Float[Array, " w"]) -> Complex[Array, " w"]:
        return _sigma(bath, w) - (1.0 / (w[:, None].astype(complex) - poles[None, :])) @ masses

    value, slope = jax.jvp(regular, (w,), (jnp.ones_like(w),))
    close = 1.0 / (z[:, None] - poles[None, :])
    return value + slope * (1j * z.imag.astype(complex)) + close @ masses, slope - close**2 @ masses


def _sigma(bath: Reservoir, w: Float[Array, " w"]) -> Complex[Array, " w"]:
    """Sigma(w + i0)."""
    density = bath.spectral_density
    return lax.complex(density.level_shift(w), -jnp.pi * density(w))


def _poles(bath: Reservoir) -> tuple[Complex[Array, " poles"], Complex[Array, " poles"]]:
    """The poles p of J below the real axis, and m of the self-energy m / (z - p) close to them."""
    none = jnp.zeros(0, complex)
    poles = jnp.concatenate([none, *(piece.poles for piece in bath.pieces)])
    return poles, jnp.concatenate([none, *(piece.masses for piece in bath.pieces)])
