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
from bathax.numerics.panels import Nodes
from bathax.reservoir.reservoir import Reservoir
from bathax.system.linear import LinearSystem

ITERATIONS, REFINEMENTS = 16, 3
# How far apart equal levels begin, relative to the largest energy.
APART = 1e-9
# A resonance between two nodes is at most so many times their distance away from one of them.
REACH = 2.0
# Where resonances are put that do not exist, in units of the largest frequency.
AWAY = 1e3


def resonances(system: LinearSystem) -> Complex[Array, " resonances"]:
    """As many numbers as there are modes and poles of J, of which most are close to resonances.

    Aberth's method, from first-order perturbation theory.
    """
    system = lax.stop_gradient(system)
    start = _first_order(system)
    spread = APART * jnp.max(jnp.abs(start)) * jnp.arange(start.shape[0], dtype=float)
    return _aberth(system, start - 1j * spread.astype(complex), start[:0], ITERATIONS)


def overlooked(
    system: LinearSystem, known: Complex[Array, " known"], nodes: Nodes
) -> Complex[Array, " modes"]:
    """Resonances besides those that are known, narrower than the distance of the nodes around them.

    Strongly coupled modes have more than h has levels. From the nodes beside it Newton's method
    finds a narrow one at once. There are as many as modes, those of the largest weights; what does
    not exist is far away.
    """
    system, known, nodes = lax.stop_gradient((system, known, nodes))
    w, spacing = nodes.w.astype(complex), nodes.weights[0]
    propagator, slope = _propagator(system, w)
    step = _step(slope, w, known)
    narrow = (jnp.abs(step.real) < REACH * spacing) & (jnp.abs(step.imag) < spacing)
    # A node is the better the closer it is; close to the ends of bands resonances weigh little.
    weight = jnp.abs(jnp.einsum("iiq->q", propagator) * step)
    score, found = jnp.where(narrow, weight * spacing / jnp.abs(step), 0.0), []
    nothing = AWAY * jnp.max(jnp.abs(w)).astype(complex)
    for _ in range(system.size):
        k = jnp.argmax(score)
        found.append(jnp.where(score[k] > 0.0, w[k] - step[k], nothing))
        score = jnp.where(jnp.abs(w - w[k]) < 2.0 * REACH * spacing[k], 0.0, score)
    return _aberth(system, jnp.stack(found), known, REFINEMENTS)


def _aberth(
    system: LinearSystem, z: Complex[Array, " z"], known: Complex[Array, " known"], steps: int
) -> Complex[Array, " z"]:
    """Each estimate moves by Newton's method and is repelled by all others, and by known ones."""
    largest = jnp.max(jnp.abs(known)) if known.size else jnp.max(jnp.abs(z))

    def moved(_: Int[Array, ""], z: Complex[Array, " z"]) -> Complex[Array, " z"]:
        step = _step(_propagator(system, z)[1], z, jnp.concatenate([z, known]))
        return jnp.where(jnp.abs(step) < largest, z - step, z)

    return lax.fori_loop(0, steps, moved, z)


def _step(
    slope: Complex[Array, " z"], z: Complex[Array, " z"], others: Complex[Array, " others"]
) -> Complex[Array, " z"]:
    """The step of Newton's method once all other zeros are divided out."""
    apart = z[:, None] - others[None, :]
    return 1.0 / (slope - jnp.sum(jnp.where(apart == 0.0, 0.0, 1.0 / apart), axis=1))


def _first_order(system: LinearSystem) -> Complex[Array, " resonances"]:
    """The levels of h, shifted by perturbation theory, and the poles of J."""
    levels, vectors = eigh(system.h)
    overlaps = jnp.abs(system.couplings.conj() @ vectors) ** 2
    sigma = jnp.stack([_sigma(bath, levels) for bath in system.reservoirs])
    shifted = levels.astype(complex) + jnp.sum(overlaps.astype(complex) * sigma, axis=0)
    return jnp.concatenate([shifted, *(_poles(bath)[0] for bath in system.reservoirs)])


def _propagator(
    system: LinearSystem, z: Complex[Array, " z"]
) -> tuple[Complex[Array, "n n z"], Complex[Array, " z"]]:
    """G, and the derivative of ln[det(1 / G) prod_p (z - p)]."""
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
    found = solved(inverse, jnp.broadcast_to(unit[:, :, None], inverse.shape))
    return found, jnp.einsum("ijq,jiq->q", found, change) + sum(of_poles, jnp.zeros_like(z))


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
