r"""The Green functions of several modes by Volterra equations with matrices, on a uniform grid.

In the frame that rotates with the mean energy of the modes, u + K * u = 1 with K = i h + \int g.
With C = u * g~ the noise obeys v' = C u' + h.c. (here ' of a matrix is its adjoint). For the field
of a channel, with its row psi = g_channel * (c' u),

<a_j' Phi> = i \int g~_channel (c' u')_j ds - i [psi n(0) u' + \int (psi C' + (psi * g~) u') ds]_j.

For Phi_w kernels i g' and i g~' take the places of g and g~. They are integrated by parts, which
needs u' in place of the derivatives of kernels.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex, Float

from bathax._checks import Scalar, require
from bathax._estimate import Estimate
from bathax._programs import program
from bathax.cavity.solvers import Volterra
from bathax.linear.comparison import (
    Attempt,
    Flow,
    Rotating,
    compared_rotating,
    currents,
    on_first_grid,
)
from bathax.linear.green import LinearGreenFunctions
from bathax.numerics import gregory
from bathax.numerics.elementary import phase_factor
from bathax.numerics.grid import TimeGrid, span
from bathax.numerics.matrices import adjoint, product
from bathax.numerics.refinement import coarse_and_fine
from bathax.numerics.volterra import solve_second_kind
from bathax.system.covariance import Covariance
from bathax.system.linear import LinearSystem


def green_functions(
    system: LinearSystem, initial: Covariance, ts: Float[Array, " times"], solver: Volterra
) -> Estimate[LinearGreenFunctions]:
    """The Green functions on the grid that the solver has, or on the first that suffices."""
    for bath in system.reservoirs:
        words, density = "a band with ends, or the solver `Embedding()`", bath.spectral_density
        require("spectral_density", words, density, bath.has_ends)
        bath.require_integrable()
    rtol = jnp.asarray(solver.rtol)

    def attempt(valid: Bool[Array, ""], points: int) -> Attempt:
        return _attempt(system, initial, ts, valid, points, rtol)

    return on_first_grid(system, initial, ts, solver, attempt)


@program
def _attempt(
    system: LinearSystem,
    initial: Covariance,
    ts: Float[Array, " times"],
    valid: Bool[Array, ""],
    points: int,
    rtol: Scalar,
) -> Attempt:
    """The estimate from a grid of so many points, and its largest error in units of `rtol`."""
    grid = TimeGrid.beyond(span(ts), points)
    samples = _on_two_grids(system, initial, grid)
    return compared_rotating(system, initial, ts, valid, rtol, samples, grid)


def _on_two_grids(
    system: LinearSystem, initial: Covariance, grid: TimeGrid
) -> tuple[Rotating, Rotating]:
    """The samples on half the grid, and on the grid.

    One program serves both: the coarse one is padded with zeros, which do not matter.
    """
    phase = phase_factor(system.frequency * grid.times)[None]
    memory = jnp.stack([bath.memory_kernel(grid) for bath in system.reservoirs]) * phase
    noise = jnp.stack([bath.noise_kernel(grid) for bath in system.reservoirs]) * phase
    thinned = [gregory.extended(kernel[:, ::2], grid.points) for kernel in (memory, noise)]
    return coarse_and_fine(
        _rotating,
        (*thinned, grid.halved.step),
        (memory, noise, grid.step),
        (system, initial),
        together=True,
    )


def _rotating(
    memory: Complex[Array, "channels points"],
    noise: Complex[Array, "channels points"],
    step: Scalar,
    system: LinearSystem,
    initial: Covariance,
) -> Rotating:
    """The solution for the kernels of all channels in the rotating frame."""
    c, unit = system.couplings, jnp.eye(system.size, dtype=complex)
    h = system.h - system.frequency.astype(complex) * unit
    kernel = 1j * h[:, :, None] + _between_modes(c, gregory.integrate(memory, step))
    u = solve_second_kind(kernel, jnp.broadcast_to(unit[:, :, None], kernel.shape), step)
    rows = jnp.einsum("an,nmp->amp", c.conj(), u)
    psi = _convolved(memory, rows, step)
    slope = -1j * jnp.einsum("ij,jkp->ikp", h, u) - jnp.einsum("an,amp->nmp", c, psi)
    of_noise = _between_modes(c, noise)
    spread = gregory.convolve(u, of_noise, step)
    growth = product(spread, adjoint(u))
    v = gregory.integrate(growth + adjoint(growth), step)

    # The field of each channel, by a first part of the noise and by rows psi of the system.
    def correlated(free: Array, psi: Array) -> Array:
        late = product(psi, adjoint(spread)) + product(
            gregory.convolve(psi, of_noise, step), adjoint(u)
        )
        driven = product(product(psi, initial.n[:, :, None]), adjoint(u))
        return 1j * free - 1j * (driven + gregory.integrate(late, step))

    columns = jnp.einsum("nmp,am->anp", u, c).conj()
    sloped = jnp.einsum("nmp,am->anp", slope, c).conj()
    whole = noise[:, None] * columns
    free = gregory.integrate(whole, step)
    by_parts = 1j * (whole - whole[..., :1] - gregory.integrate(noise[:, None] * sloped, step))
    further = _convolved(memory, jnp.einsum("an,nmp->amp", c.conj(), slope), step)
    starting = memory[:, None] * c.conj()[:, :, None] - memory[:, None, :1] * rows
    energy_psi = 1j * (starting + further)
    field, energy_field = correlated(free, psi), correlated(by_parts, energy_psi)
    flow = None
    if not initial.is_plain:
        rows = [-1j * each for each in (psi, energy_psi)]
        gains = [
            _gained(system, initial, u, *each, step)
            for each in zip((field, energy_field), rows, strict=True)
        ]
        flow = Flow(*rows, *gains)
    return Rotating(u, v, field, energy_field, flow)


def _gained(
    system: LinearSystem,
    initial: Covariance,
    u: Complex[Array, "n n points"],
    field: Complex[Array, "channels n points"],
    memory: Complex[Array, "channels n points"],
    step: Scalar,
) -> Float[Array, "channels points"]:
    """What reservoirs have gained; `field` is <a' Phi> about the mean."""
    of_mean = product(memory, initial.whole[:, :, None] - initial.n[:, :, None])
    whole = field + product(of_mean, adjoint(u))
    return gregory.integrate(currents(system.couplings, whole), step)


def _between_modes(
    c: Complex[Array, "channels n"], kernels: Complex[Array, "channels points"]
) -> Complex[Array, "n n points"]:
    """sum_channels c c' k, the kernels of all channels as a matrix."""
    return jnp.einsum("ai,aj,ap->ijp", c, c.conj(), kernels)


def _convolved(
    kernels: Complex[Array, "channels points"],
    rows: Complex[Array, "channels n points"],
    step: Scalar,
) -> Complex[Array, "channels n points"]:
    """The rows of each channel convolved with its kernel."""

    def of_channel(kernel: Array, rows: Array) -> Array:
        return gregory.convolve(kernel[None, None], rows[None], step)[0]

    return jax.vmap(of_channel)(kernels, rows)
