r"""About the resonances of several modes: zeros of det(z - h - sum c c' Sigma(z)) below the axis.

Quadrature needs them only about as well as their width. Sigma is continued to the second sheet as
a linear function of the distance from the real axis, but for the poles p of J, close to which it is
m / (z - p). All is constant to differentiation.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float, Int

from bathax import _loops
from bathax._linalg import eigh
from bathax.numerics.matrices import solved
from bathax.numerics.panels import Panels
from bathax.reservoir.reservoir import Reservoir
from bathax.system.linear import LinearSystem

ITERATIONS, NEWTON_STEPS = 16, 4
# Places on a panel, even in the logarithm of the distance from both ends.
PLACES = np.linspace(-9.0, 9.0, 16)
# How far apart equal levels begin, relative to the largest energy.
APART = 1e-9
# A resonance between two places is at most so many times their distance away from one of them.
REACH = 2.0
# The largest last step relative to the width, to which rounding adds a part of the distance.
CONVERGED, SAME = 0.2, 1e-9
# Where resonances are put that do not exist, in units of the largest distance of places.
AWAY = 1e3


def resonances(system: LinearSystem) -> Complex[Array, " resonances"]:
    """As many numbers as there are modes and poles of J, of which most are close to resonances.

    Aberth's method, from first-order perturbation theory: each estimate moves by Newton's method
    and is repelled by all others.
    """
    system = lax.stop_gradient(system)
    start = _first_order(system)
    largest = jnp.max(jnp.abs(start))

    def moved(_: Int[Array, ""], z: Complex[Array, " z"]) -> Complex[Array, " z"]:
        step = _step(_propagator(system, z)[1], z, z)
        return jnp.where(jnp.abs(step) < largest, z - step, z)

    spread = APART * largest * jnp.arange(start.shape[0], dtype=float)
    return _loops.fori_loop(0, ITERATIONS, moved, start - 1j * spread.astype(complex))


def overlooked(
    system: LinearSystem, known: Complex[Array, " known"], panels: Panels
) -> Complex[Array, " modes"]:
    """Resonances besides those that are known, narrower than the distance of places on the panels.

    Strongly coupled modes have more than h has levels. Newton's method goes to them from all places
    at once. There are as many as modes, those of the largest weights; what does not exist is far
    away.
    """
    system, known, panels = lax.stop_gradient((system, known, panels))
    places = panels.inside(jnp.asarray(1.0 / (1.0 + np.exp(-PLACES))))
    w, spacing = places.ravel(), jnp.asarray(jnp.gradient(places, axis=1)).ravel()

    def moved(_: Int[Array, ""], state: tuple[Array, ...]) -> tuple[Array, ...]:
        z = state[0]
        propagator, slope = _propagator(system, z)
        step = _step(slope, z, known)
        return z - step, jnp.abs(step), jnp.abs(jnp.einsum("iiq->q", propagator) * step)

    start = w.astype(complex), jnp.zeros_like(w), jnp.zeros_like(w)
    z, step, weight = _loops.fori_loop(0, NEWTON_STEPS, moved, start)
    width = jnp.abs(z.imag) + SAME * spacing
    beside = (jnp.abs(z.real - w) < REACH * spacing) & (width < spacing)
    weight = jnp.where(beside & (step < CONVERGED * width), weight, 0.0)
    nothing, found = AWAY * jnp.max(spacing).astype(complex), []
    for _ in range(system.size):
        k = jnp.argmax(weight)
        found.append(jnp.where(weight[k] > 0.0, z[k], nothing))
        weight = jnp.where(jnp.abs(z - z[k]) < width[k], 0.0, weight)
    return jnp.stack(found)


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
