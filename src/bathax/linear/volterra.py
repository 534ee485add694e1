r"""The Green functions of several modes by Volterra equations with matrices, on a uniform grid.

In the frame that rotates with the mean energy of the modes, u + K * u = 1 with K = i h + \int g.
With C = u * g~ the noise obeys v' = C u' + h.c. (here ' of a matrix is its adjoint). For the field
of a channel, with its row psi = g_channel * (c' u),

<a_j' Phi> = i \int g~_channel (c' u')_j ds - i [psi n(0) u' + \int (psi C' + (psi * g~) u') ds]_j.

For Phi_w kernels i g' and i g~' take the places of g and g~. They are integrated by parts, which
needs u' in place of the derivatives of kernels.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Complex, Float, Int

from bathax._checks import Scalar, are_times, is_valid
from bathax._estimate import Estimate, judged
from bathax._programs import program
from bathax.cavity.solvers import FEWEST, POINTS, Volterra
from bathax.linear.green import LinearGreenFunctions
from bathax.numerics import gregory
from bathax.numerics.elementary import phase_factor
from bathax.numerics.grid import TimeGrid, combined, span, stencils
from bathax.numerics.matrices import adjoint, product
from bathax.numerics.refinement import Convergence, coarse_and_fine, envelope, probed, relative
from bathax.numerics.volterra import solve_second_kind
from bathax.system.linear import Covariance, LinearSystem

# Parts of u, v and the correlations with reservoirs that count as zero, of their possible sizes.
NEGLIGIBLE = 1e-3


def green_functions(
    system: LinearSystem, initial: Covariance, ts: Float[Array, " times"], solver: Volterra
) -> Estimate[LinearGreenFunctions]:
    """The Green functions on the grid that the solver has, or on the first that suffices."""
    for bath in system.reservoirs:
        bath.require_integrable()
    valid, needed = _prepare(system, initial, ts)

    def attempt(points: int) -> tuple[Estimate[LinearGreenFunctions], Float[Array, ""]]:
        return _attempt(system, initial, ts, valid, points, solver.rtol)

    return solver.climbed(attempt, needed)


@program
def _prepare(
    system: LinearSystem, initial: Covariance, ts: Float[Array, " times"]
) -> tuple[Bool[Array, ""], Float[Array, ""]]:
    """Whether the input is valid, and about how many grid points it needs."""
    valid = is_valid((system, initial)) & initial.exists_in(system) & are_times(ts)
    phase = span(ts) * (system.detuning + jnp.sqrt(system.weight))
    return valid, jnp.where(valid, FEWEST + POINTS * phase, 0.0)


@program
def _attempt(
    system: LinearSystem,
    initial: Covariance,
    ts: Float[Array, " times"],
    valid: Bool[Array, ""],
    points: int,
    rtol: float,
) -> tuple[Estimate[LinearGreenFunctions], Float[Array, ""]]:
    """The estimate from a grid of so many points, and its largest error in units of `rtol`."""
    coarse, fine = _on_two_grids(system, initial, probed(ts, span(ts)), span(ts), points)
    error, worst = _errors(system, *lax.stop_gradient((coarse, fine)), ts)
    value = jax.tree.map(lambda values: values[: ts.shape[0]], fine)
    excess = jnp.where(valid, jnp.nan_to_num(worst / rtol, nan=jnp.inf), 0.0)
    return judged(ts, value, error, valid=valid, reached=worst <= rtol), excess


def _least_sizes(system: LinearSystem) -> Float[Array, " quantities"]:
    """The sizes of u, v and <x' Phi> below which they count as zero.

    Correlations with reservoirs may vanish up to rounding.
    """
    strength = jnp.sqrt(system.weight)
    energy = strength * (system.detuning + jnp.abs(system.frequency))
    return NEGLIGIBLE * jnp.stack([jnp.ones(()), jnp.ones(()), strength, energy])


def _on_two_grids(
    system: LinearSystem, initial: Covariance, ts: Float[Array, " more"], stop: Scalar, points: int
) -> tuple[LinearGreenFunctions, LinearGreenFunctions]:
    """The Green functions at any times from a grid and from half its points, the coarse ones first.

    One program serves both grids: the coarse one is padded with zeros, which do not matter.
    """
    grid = TimeGrid.beyond(stop, points)
    phase = phase_factor(system.frequency * grid.times)[None]
    memory = jnp.stack([bath.memory_kernel(grid) for bath in system.reservoirs]) * phase
    noise = jnp.stack([bath.noise_kernel(grid) for bath in system.reservoirs]) * phase
    thinned = [gregory.extended(kernel[:, ::2], points) for kernel in (memory, noise)]
    half = grid.halved
    samples = coarse_and_fine(
        _rotating,
        (*thinned, half.step),
        (memory, noise, grid.step),
        (system, initial.n),
        together=True,
    )
    return coarse_and_fine(
        _between,
        (samples[0], half.step, jnp.asarray(half.points)),
        (samples[1], grid.step, jnp.asarray(points)),
        (system.frequency, ts),
        together=True,
    )


class Rotating(eqx.Module):
    """u, v, <x' Phi> and <x' Phi_w>, less its part by the mean energy, in the rotating frame."""

    u: Complex[Array, "n n points"]
    v: Complex[Array, "n n points"]
    contact: Complex[Array, "channels points"]
    energy_contact: Complex[Array, "channels points"]


def _rotating(
    memory: Complex[Array, "channels points"],
    noise: Complex[Array, "channels points"],
    step: Scalar,
    system: LinearSystem,
    initial: Complex[Array, "n n"],
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
    def contact(free: Array, psi: Array) -> Array:
        late = product(psi, adjoint(spread)) + product(
            gregory.convolve(psi, of_noise, step), adjoint(u)
        )
        driven = product(product(psi, initial[:, :, None]), adjoint(u))
        field = 1j * free - 1j * (driven + gregory.integrate(late, step))
        return jnp.einsum("amp,am->ap", field, c)

    columns = jnp.einsum("nmp,am->anp", u, c).conj()
    sloped = jnp.einsum("nmp,am->anp", slope, c).conj()
    whole = noise[:, None] * columns
    free = gregory.integrate(whole, step)
    by_parts = 1j * (whole - whole[..., :1] - gregory.integrate(noise[:, None] * sloped, step))
    further = _convolved(memory, jnp.einsum("an,nmp->amp", c.conj(), slope), step)
    starting = memory[:, None] * c.conj()[:, :, None] - memory[:, None, :1] * rows
    return Rotating(u, v, contact(free, psi), contact(by_parts, 1j * (starting + further)))


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


def _between(
    samples: Rotating, step: Scalar, size: Int[Array, ""], frequency: Scalar, ts: Array
) -> LinearGreenFunctions:
    """The Green functions at any times, from samples on a grid of that step and size."""
    rule = stencils(ts / step, size)
    at = jax.tree.map(lambda f: jnp.moveaxis(combined(f, *rule), -1, 0), samples)
    mean = frequency.astype(complex)
    phase = phase_factor(-frequency * ts)[:, None, None]
    return LinearGreenFunctions(
        u=phase * at.u,
        v=at.v,
        contact=at.contact,
        energy_contact=at.energy_contact + mean * at.contact,
    )


def _errors(
    system: LinearSystem,
    coarse: LinearGreenFunctions,
    fine: LinearGreenFunctions,
    ts: Float[Array, " times"],
) -> tuple[LinearGreenFunctions, Float[Array, ""]]:
    """The estimated errors, each the worst up to its time, and the largest relative one."""
    leaves, structure = jax.tree.flatten(fine)
    sizes = jnp.stack([jnp.max(jnp.abs(leaf)) for leaf in leaves])
    sizes = jnp.maximum(sizes, lax.stop_gradient(_least_sizes(system)))
    changes = jnp.stack(
        [
            jnp.max(jnp.abs(b - a).reshape(a.shape[0], -1), axis=1)
            for a, b in zip(jax.tree.leaves(coarse), leaves, strict=True)
        ]
    )
    change = relative(changes, sizes)
    convergence = Convergence.of(change)
    errors = sizes[:, None] * envelope(convergence.errors(change), ts, span(ts))
    shaped = [
        jnp.broadcast_to(error.reshape(-1, *[1] * (leaf.ndim - 1)), (ts.shape[0], *leaf.shape[1:]))
        for error, leaf in zip(errors, leaves, strict=True)
    ]
    return jax.tree.unflatten(structure, shaped), convergence.worst
