r"""What the engines for several modes share: how large grids are, two results compared, errors.

An engine samples the Green functions in the frame that rotates with the mean energy of the modes,
once as exactly as it is asked to and once more coarsely. Both results are taken at the requested
times; their difference gives the errors.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Complex, Float, Int

from bathax._checks import Scalar, are_times, is_valid
from bathax._estimate import Estimate, judged
from bathax._programs import program
from bathax.cavity.solvers import FEWEST, POINTS
from bathax.linear.green import DrivenGreenFunctions, LinearGreenFunctions, Mean
from bathax.numerics.elementary import phase_factor
from bathax.numerics.grid import TimeGrid, combined, span, stencils
from bathax.numerics.refinement import (
    Convergence,
    Refining,
    coarse_and_fine,
    envelope,
    probed,
    relative,
)
from bathax.system.covariance import Covariance
from bathax.system.linear import LinearSystem

# Parts of u, v and the correlations with reservoirs that count as zero, of their possible sizes;
# and parts of the largest energy of coupling, for energies.
NEGLIGIBLE, LEAST_ENERGY = 1e-3, 0.1
# Noise that turns by more than this is not followed, but replaced by modes of its slow response.
FAR = 2e4


Samples = TypeVar("Samples")
Green = TypeVar("Green", bound=eqx.Module)


class Flow(eqx.Module):
    """What u does to fields and their energies, and what reservoirs have gained of both."""

    memory: Complex[Array, "channels n points"]
    energy_memory: Complex[Array, "channels n points"]
    particles: Float[Array, "channels points"]
    energy: Float[Array, "channels points"]


class Rotating(eqx.Module):
    """u, v and <a_j' Phi> in the rotating frame, <a_j' Phi_w> less its part by the mean energy.

    Of states that are not plain the `flow` too, in which energies are without that part as well.
    """

    u: Complex[Array, "n n points"]
    v: Complex[Array, "n n points"]
    field: Complex[Array, "channels n points"]
    energy_field: Complex[Array, "channels n points"]
    flow: Flow | None


def currents(
    c: Complex[Array, "channels n"], field: Complex[Array, "channels n points"]
) -> Float[Array, "channels points"]:
    """-2 Im <x' Phi>, what each reservoir gains in unit time, from <a_j' Phi>."""
    return -2.0 * jnp.einsum("an,anp->ap", c, field).imag


def _in_the_laboratory(
    system: LinearSystem, initial: Covariance, at: Rotating, ts: Array
) -> LinearGreenFunctions:
    frequency = system.frequency
    turn, mean = phase_factor(-frequency * ts)[:, None, None], frequency.astype(complex)
    green = LinearGreenFunctions(
        u=turn * at.u,
        v=at.v,
        field=at.field,
        energy_field=at.energy_field + mean * at.field,
    )
    if at.flow is None:
        return green
    memory, moved = turn * at.flow.memory, initial.displacement
    energy_memory = turn * at.flow.energy_memory + mean * memory
    return DrivenGreenFunctions(
        **vars(green),
        memory=memory,
        work=jnp.zeros(ts.shape),
        particles=at.flow.particles,
        energy=at.flow.energy + frequency * at.flow.particles,
        mean=None
        if moved is None
        else Mean(green.u @ moved, memory @ moved, energy_memory @ moved),
    )


Attempt = tuple[Estimate[Any], Float[Array, ""]]


def on_first_grid(
    system: LinearSystem,
    initial: Covariance,
    ts: Float[Array, " times"],
    solver: Refining,
    attempt: Callable[[Bool[Array, ""], int], Attempt],
) -> Estimate[Any]:
    """What is attempted on the grid that the solver has, or on the first that suffices.

    `attempt` takes whether the input is valid, and the number of points; see `compared`.
    """
    valid, needed = _prepare(system, initial, ts)
    return solver.climbed(lambda points: attempt(valid, points), needed)


@program
def _prepare(
    system: LinearSystem, initial: Covariance, ts: Float[Array, " times"]
) -> tuple[Bool[Array, ""], Float[Array, ""]]:
    """Whether the input is valid, and about how many grid points it needs."""
    valid = is_valid((system, initial)) & initial.exists_in(system) & are_times(ts)
    turns = span(ts) * system.biases
    bias = jnp.max(jnp.where(turns > FAR, 0.0, turns))
    phase = bias + span(ts) * (system.detuning + jnp.sqrt(system.weight))
    return valid, jnp.where(valid, FEWEST + POINTS * phase, 0.0)


def compared_rotating(
    system: LinearSystem,
    initial: Covariance,
    ts: Float[Array, " times"],
    valid: Bool[Array, ""],
    rtol: Scalar,
    samples: tuple[Rotating, Rotating],
    grid: TimeGrid,
    gain: float | Scalar = 16.0,
    rounding: float = 0.0,
) -> Attempt:
    """As `compared`, of samples on half a grid and on it, in the frame of the mean energy."""
    more = probed(ts, span(ts))
    found = between(samples, more, (grid.halved.step, grid.step), grid.points)
    coarse, fine = (_in_the_laboratory(system, initial, at, more) for at in found)
    return compared(ts, valid, rtol, (coarse, fine), least_sizes(system, fine), gain, rounding)


def compared(
    ts: Float[Array, " times"],
    valid: Bool[Array, ""],
    rtol: Scalar,
    found: tuple[Green, Green],
    least: Float[Array, " quantities"],
    gain: float | Scalar = 16.0,
    rounding: float = 0.0,
) -> Attempt:
    """The estimate from a coarse and a fine result at `probed` times, and largest error / rtol.

    Quantities count as zero below their `least` sizes. The finer result is `gain` times as exact;
    both lack the part `rounding` of the least sizes.
    """
    coarse, fine = found
    error, worst = _errors(least, *lax.stop_gradient((coarse, fine)), ts, gain, rounding)
    value = jax.tree.map(lambda values: values[: ts.shape[0]], fine)
    excess = jnp.where(valid, jnp.nan_to_num(worst / rtol, nan=jnp.inf), 0.0)
    return judged(ts, value, error, valid=valid, reached=worst <= rtol), excess


def between(
    samples: tuple[Samples, Samples],
    places: Float[Array, " times"],
    steps: tuple[Scalar, Scalar],
    points: int,
) -> tuple[Samples, Samples]:
    """Samples on half of so many points, and on all, at any places of a uniform grid."""
    half = jnp.asarray((points + 1) // 2)
    coarse, fine = ((samples[k], steps[k]) for k in (0, 1))
    return coarse_and_fine(
        _between, (*coarse, half), (*fine, jnp.asarray(points)), (places,), together=True
    )


def _between(samples: Samples, step: Scalar, size: Int[Array, ""], ts: Array) -> Samples:
    """Samples at any times, from those on a grid of that step and size."""
    rule = stencils(ts / step, size)
    return jax.tree.map(lambda f: jnp.moveaxis(combined(f, *rule), -1, 0), samples)


def least_sizes(system: LinearSystem, green: LinearGreenFunctions) -> Float[Array, " quantities"]:
    """The sizes of the Green functions below which they count as zero.

    Correlations with reservoirs may vanish up to rounding.
    """
    strength, one = jnp.sqrt(system.weight), jnp.ones(())
    energy = strength * (system.detuning + jnp.abs(system.frequency))
    sizes = NEGLIGIBLE * jnp.stack([one, one, strength, energy])
    if not isinstance(green, DrivenGreenFunctions):
        return sizes
    energy, work = LEAST_ENERGY * energy, NEGLIGIBLE * jnp.linalg.norm(system.h)
    gained = jnp.stack([energy, sizes[2], work, sizes[0], energy])
    return jnp.concatenate([sizes[:3], gained, sizes[1:] if green.mean is not None else sizes[:0]])


def _errors(
    least: Float[Array, " quantities"],
    coarse: Green,
    fine: Green,
    ts: Float[Array, " times"],
    gain: float | Scalar,
    rounding: float,
) -> tuple[Green, Float[Array, ""]]:
    """The estimated errors, each the worst up to its time, and the largest relative one."""
    leaves, structure = jax.tree.flatten(fine)
    sizes = jnp.stack([jnp.max(jnp.abs(leaf)) for leaf in leaves])
    least = lax.stop_gradient(least)
    sizes = jnp.maximum(sizes, least)
    changes = jnp.stack(
        [
            jnp.max(jnp.abs(b - a).reshape(a.shape[0], -1), axis=1)
            for a, b in zip(jax.tree.leaves(coarse), leaves, strict=True)
        ]
    )
    change = relative(changes, sizes)
    convergence = Convergence.of(change, gain)
    errors = sizes[:, None] * envelope(convergence.errors(change), ts, span(ts))
    errors = jnp.where(ts > 0.0, errors + rounding * least[:, None], errors)
    shaped = [
        jnp.broadcast_to(error.reshape(-1, *[1] * (leaf.ndim - 1)), (ts.shape[0], *leaf.shape[1:]))
        for error, leaf in zip(errors, leaves, strict=True)
    ]
    return jax.tree.unflatten(structure, shaped), convergence.worst
