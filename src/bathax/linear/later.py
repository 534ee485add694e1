r"""Correlations of modes at two times, the first of which is the end of a run.

Of the modes a and the damped modes B that stand for reservoirs, Z = (a, B), the covariance with a
at an earlier time follows the equation of motion, Z' = -M Z, because what the free reservoirs add
later has no part in it:

<a_j'(t) Z_i(t + s)> = [e^{-Ms} G(t)]_ij,    G_ij = <Z_j' Z_i> less that of the free reservoirs.

The same exponential has u(s), by which <a_i(t + s) a_j'(t)> differs.
"""

from dataclasses import replace
from functools import partial

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex, Float

from bathax._checks import Scalar
from bathax._estimate import Estimate
from bathax._programs import optimised
from bathax.linear.comparison import NEGLIGIBLE, Attempt, compared
from bathax.linear.damped import DampedModes
from bathax.linear.driven import MOST_STEPS, begun, damped_modes, require_ends, sizes
from bathax.linear.embedding import Embedding
from bathax.linear.passage import passage
from bathax.linear.starts import Start
from bathax.numerics.grid import span
from bathax.numerics.refinement import coarse_and_fine, probed
from bathax.numerics.steps import at_times
from bathax.system.linear import LinearSystem


class Later(eqx.Module):
    """<a_j'(t) a_i(t + s)> and <a_i(t + s) a_j'(t)> at each delay s."""

    value: Complex[Array, "delays n n"]
    greater: Complex[Array, "delays n n"]


def later_correlations(
    system: LinearSystem, start: Start, delays: Float[Array, " delays"], solver: Embedding
) -> Estimate[Later]:
    """With as many steps as the solver has, or the first number to suffice."""
    require_ends(system)
    rtol = jnp.asarray(solver.rtol)
    valid, count, demand = sizes(system, start, delays, solver)

    def attempt(points: int) -> Attempt:
        return _attempt(system, start, delays, valid, points, count, rtol)

    most = min(solver.max_points, MOST_STEPS)
    return replace(solver, max_points=most).climbed(attempt, demand)


@optimised
def _attempt(
    system: LinearSystem,
    start: Start,
    delays: Float[Array, " delays"],
    valid: Bool[Array, ""],
    points: int,
    count: int,
    rtol: Scalar,
) -> Attempt:
    """The estimate with so many steps and modes, and its largest error in units of `rtol`."""
    modes = damped_modes(system, start, delays, points, count)
    found = coarse_and_fine(
        partial(_samples, points),
        (modes.coarse, jnp.asarray(2.0)),
        (modes.fine, jnp.asarray(1.0)),
        (system, start, probed(delays, span(delays))),
        together=True,
    )
    return compared(delays, valid, rtol, found, jnp.full(2, NEGLIGIBLE), modes.gain)


def _samples(
    points: int,
    modes: DampedModes,
    coarser: Scalar,
    system: LinearSystem,
    start: Start,
    delays: Float[Array, " delays"],
) -> Later:
    """At these delays, by so many steps."""
    modes, first, edges = begun(points, modes, coarser, system, start, delays)
    size, joint = system.size, first.joint
    columns = jnp.concatenate([joint[:, :size], jnp.eye(joint.shape[0], size, dtype=complex)], 1)
    _, (seen, _) = passage(system, modes, first._replace(propagator=columns), edges)
    seen = at_times(seen, edges, delays)
    value, u = jnp.split(seen.u, 2, axis=2)
    if seen.mean is not None and first.mean is not None:
        value += seen.mean.a[:, :, None] * first.mean[:size].conj()[None, None, :]
    return Later(value, u + system.sign * value)
