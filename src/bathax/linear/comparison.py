r"""What the engines for several modes share: how large grids are, two results compared, errors.

An engine samples the Green functions in the frame that rotates with the mean energy of the modes,
once as exactly as it is asked to and once more coarsely. Both results are taken at the requested
times; their difference gives the errors.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Complex, Float, Int

from bathax._checks import Scalar, are_times, is_valid
from bathax._estimate import Estimate, judged
from bathax._programs import program
from bathax.cavity.solvers import FEWEST, POINTS
from bathax.linear.green import LinearGreenFunctions
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
from bathax.system.linear import Covariance, LinearSystem

# Parts of u, v and the correlations with reservoirs that count as zero, of their possible sizes.
NEGLIGIBLE = 1e-3


class Rotating(eqx.Module):
    """u, v and <a_j' Phi> in the rotating frame, <a_j' Phi_w> less its part by the mean energy."""

    u: Complex[Array, "n n points"]
    v: Complex[Array, "n n points"]
    field: Complex[Array, "channels n points"]
    energy_field: Complex[Array, "channels n points"]


Attempt = tuple[Estimate[LinearGreenFunctions], Float[Array, ""]]


def on_first_grid(
    system: LinearSystem,
    initial: Covariance,
    ts: Float[Array, " times"],
    solver: Refining,
    attempt: Callable[[Bool[Array, ""], int], Attempt],
) -> Estimate[LinearGreenFunctions]:
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
    phase = span(ts) * (system.detuning + jnp.sqrt(system.weight))
    return valid, jnp.where(valid, FEWEST + POINTS * phase, 0.0)


def compared(
    system: LinearSystem,
    ts: Float[Array, " times"],
    valid: Bool[Array, ""],
    rtol: float,
    samples: tuple[Rotating, Rotating],
    grid: TimeGrid,
) -> Attempt:
    """The estimate from samples on half the grid and on the grid, and its largest error / rtol."""
    half, more = grid.halved, probed(ts, span(ts))
    coarse, fine = coarse_and_fine(
        _between,
        (samples[0], half.step, jnp.asarray(half.points)),
        (samples[1], grid.step, jnp.asarray(grid.points)),
        (system.frequency, more),
        together=True,
    )
    error, worst = _errors(system, *lax.stop_gradient((coarse, fine)), ts)
    value = jax.tree.map(lambda values: values[: ts.shape[0]], fine)
    excess = jnp.where(valid, jnp.nan_to_num(worst / rtol, nan=jnp.inf), 0.0)
    return judged(ts, value, error, valid=valid, reached=worst <= rtol), excess


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
        field=at.field,
        energy_field=at.energy_field + mean * at.field,
    )


def _least_sizes(system: LinearSystem) -> Float[Array, " quantities"]:
    """The sizes of u, v and <a_j' Phi> below which they count as zero.

    Correlations with reservoirs may vanish up to rounding.
    """
    strength = jnp.sqrt(system.weight)
    energy = strength * (system.detuning + jnp.abs(system.frequency))
    return NEGLIGIBLE * jnp.stack([jnp.ones(()), jnp.ones(()), strength, energy])


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
