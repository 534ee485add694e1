r"""The Green functions seen from the reservoirs: an independent check of the time domain.

A quantum that starts in the cavity is found in a mode of frequency w with an amplitude proportional
to U(w, t) = \int_0^t u(s) e^{iws} ds. Commutators are conserved, |u|^2 + \int dw J |U|^2 = 1, and
the noise is v = \int dw J n |U|^2 (AHZ Eq. 14b).
"""

import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from bathax._checks import RealLike, Scalar, as_float
from bathax._programs import program
from bathax.cavity import green
from bathax.numerics import gregory
from bathax.numerics.grid import TimeGrid
from bathax.numerics.quadrature import grid_transform
from bathax.system.models import Cavity


def commutator_defect(cavity: Cavity, t: RealLike, points: int = 8192) -> Scalar:
    r"""|u(t)|^2 + \int dw J(w) |U(w, t)|^2 - 1, zero in the exact solution.

    `points` (a power of two) is the number of grid points from 0 to t; the frequency nodes grow
    with it. A defect well above rounding says that the time step or the frequency rule is too
    coarse.

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=20.0))
    >>> bool(abs(bx.commutator_defect(cavity, 5.0, points=512)) < 1e-8)
    True
    """
    u, transferred, _ = _spectral_weights(cavity, as_float(t, "t"), points)
    return u.real**2 + u.imag**2 + transferred - 1.0


def noise_from_spectrum(cavity: Cavity, t: RealLike, points: int = 8192) -> Scalar:
    r"""v(t, t) = \int dw J(w) n(w) |U(w, t)|^2, independent of the noise kernel.

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=20.0))
    >>> by_spectrum = bx.noise_from_spectrum(cavity, 5.0, points=512)
    >>> sol = bx.solve(cavity, bx.Fock(5), jnp.linspace(0.0, 40.0, 9))
    >>> f"{by_spectrum:.3f}, {sol.v[1]:.3f}"
    '21.692, 21.692'
    """
    return _spectral_weights(cavity, as_float(t, "t"), points)[2]


def excitation_spectrum(
    cavity: Cavity, t: RealLike, frequencies: RealLike, points: int = 8192
) -> Complex[Array, " nodes"]:
    r"""U(w, t) = \int_0^t u(s) e^{iws} ds.

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=20.0))
    >>> spectrum = bx.excitation_spectrum(cavity, 0.01, jnp.array([1.0]), points=512)
    >>> round(float(abs(spectrum[0])), 4)  # t at first
    0.01
    """
    grid = TimeGrid.until(as_float(t, "t"), points)
    return _transform(green.on_grid(cavity, grid).u, as_float(frequencies, "frequencies"), grid)


@program
def _spectral_weights(cavity: Cavity, t: Scalar, points: int) -> tuple[Array, Scalar, Scalar]:
    """u(t), and the integrals of J |U|^2 and J n |U|^2 over all reservoirs."""
    grid = TimeGrid.until(t, points)
    u = green.on_grid(cavity, grid).u
    transferred, noise = jnp.zeros(()), jnp.zeros(())
    for bath in cavity.reservoirs:
        nodes, masses = bath.spectral_density.measure(points)
        amplitude = _transform(u, nodes, grid)
        share = masses * (amplitude.real**2 + amplitude.imag**2)
        transferred += jnp.sum(share)
        noise += jnp.sum(share * bath.occupation(nodes))
    return u[-1], transferred, noise


def _transform(
    u: Complex[Array, " points"], frequencies: Float[Array, " nodes"], grid: TimeGrid
) -> Complex[Array, " nodes"]:
    """U at the end of the grid, by the Gregory rule."""
    c = jnp.asarray(gregory.end_corrections(), complex)
    weights = jnp.ones(grid.points, complex).at[: len(c)].add(-c)
    weights *= grid.step.astype(complex) * weights[::-1]
    return grid_transform(weights * u, as_float(frequencies, "frequencies"), grid)
