r"""Several modes that change in time, among damped modes that stand for their reservoirs.

The equations of `motion` are integrated from a start of `starts`, and along with them the work that
the drive does and what reservoirs gain:

W' = tr(h' n) + Re tr(Delta'' <a a>) + 2 Re f'* <a> + 2 Re sum_channels (d/dt x') Phi.

Steps are power series of order 16. Modes that decay faster than a step resolves are replaced by
slower ones of the same response, which the comparison with half as many steps shows.
"""

import math
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from bathax._checks import Scalar, are_times, is_concrete, is_valid, require
from bathax._estimate import Estimate
from bathax._programs import optimised, program
from bathax.linear.comparison import Attempt, compared, least_sizes
from bathax.linear.damped import PHASE, DampedModes
from bathax.linear.embedding import Embedding, of_reservoirs, with_fewer
from bathax.linear.green import DrivenGreenFunctions, Mean
from bathax.linear.motion import REACH, Moving
from bathax.linear.passage import passage
from bathax.linear.starts import LESS, Start, Steps, is_possible
from bathax.numerics.balancing import RANK, ReducedModes
from bathax.numerics.grid import span
from bathax.numerics.refinement import coarse_and_fine, probed, requested
from bathax.numerics.steps import at_times, with_early_steps
from bathax.system.linear import LinearSystem

# The finer result is so many times as exact: half the step helps by 2^8, and so many times smaller
# singular values are left out.
GAIN, COARSER = 64.0, 128.0
# Modes are looked for up to MOST; a multiple of SHARED is taken.
SHARED, MOST = 4, 64
# Kernels are resolved up to the horizon as by so many points.
RESOLUTION = 2048
# No more steps than this are tried.
MOST_STEPS = 2**15


def green_functions(
    system: LinearSystem, start: Start, ts: Float[Array, " times"], solver: Embedding
) -> Estimate[DrivenGreenFunctions]:
    """The Green functions with as many steps as the solver has, or the first number to suffice."""
    require_ends(system)
    for each, stop in _runs(system, start, ts):
        each.require_drives(stop)
    rtol = jnp.asarray(solver.rtol)
    valid, count, demand = sizes(system, start, ts, solver)

    def attempt(points: int) -> Attempt:
        return _attempt(system, start, ts, valid, points, count, rtol)

    most = min(solver.max_points, MOST_STEPS)
    return replace(solver, max_points=most).climbed(attempt, demand)


def require_ends(system: LinearSystem) -> None:
    """Refuse the wide-band limit, in which the energies of drives are not known."""
    for bath in system.reservoirs:
        words, density = "a band with ends for drives or joint starts", bath.spectral_density
        require("spectral_density", words, density, bath.has_ends)


def sizes(
    system: LinearSystem, start: Start, ts: Float[Array, " times"], solver: Embedding
) -> tuple[Bool[Array, ""], int, Float[Array, ""]]:
    """Whether the input is valid, how many modes a reservoir has, and about how many steps."""
    valid, demand, rank = _needed(system, start, ts, solver.modes or MOST, jnp.asarray(solver.rtol))
    if solver.modes is not None:
        return valid, solver.modes, demand
    # One more than there are, so that those left out are known to be negligible.
    wanted = rank + 1
    count = wanted if is_concrete(wanted) else requested(wanted, start.usual_modes)
    return valid, min(SHARED * math.ceil(count / SHARED), MOST), demand


@program
def _needed(
    system: LinearSystem, start: Start, ts: Float[Array, " times"], count: int, rtol: Scalar
) -> tuple[Bool[Array, ""], Float[Array, ""], Float[Array, ""]]:
    """Whether the input is valid, about how many steps it needs, and how many modes of `count`."""
    reduced = of_reservoirs(system, start.horizon(span(ts)), RESOLUTION, count)
    modes = DampedModes.of(reduced)
    found = [_demand(each, stop, modes, rtol) for each, stop in _runs(system, start, ts)]
    valid = is_possible(start, system) & are_times(ts)
    valid &= jnp.all(jnp.stack([possible for possible, _ in found]))
    ranks = jnp.stack([jnp.sum(each.weight > RANK * each.weight[0]) for each in reduced])
    steps = jnp.max(jnp.stack([steps for _, steps in found]))
    return valid, jnp.where(valid, with_early_steps(steps), 0.0), jnp.max(ranks).astype(float)


def _runs(
    system: LinearSystem, start: Start, ts: Float[Array, " times"]
) -> list[tuple[LinearSystem, Scalar]]:
    """All systems and how long they run, those of the past first."""
    return [*zip(start.systems, start.runs, strict=True), (system, span(ts))]


def _demand(
    system: LinearSystem, stop: Scalar, modes: DampedModes, rtol: Scalar
) -> tuple[Bool[Array, ""], Float[Array, ""]]:
    """Whether a system is valid at all times, and how many even steps it needs."""
    seen = jax.vmap(system.at)(stop * jnp.linspace(0.0, 1.0, 257))
    sizes = jnp.linalg.norm(seen.h, axis=(1, 2)) + jnp.sqrt(jax.vmap(lambda now: now.weight)(seen))
    if seen.pairing is not None:
        pairing = jnp.broadcast_to(seen.pairing, seen.h.shape)
        sizes += jnp.linalg.norm(pairing, axis=(1, 2))
    frequency = jnp.max(sizes)
    steps = stop * jnp.maximum(modes.demand(frequency, rtol), frequency / PHASE)
    return jnp.all(jax.vmap(is_valid)(seen)), steps


@optimised
def _attempt(
    system: LinearSystem,
    start: Start,
    ts: Float[Array, " times"],
    valid: Bool[Array, ""],
    points: int,
    count: int,
    rtol: Scalar,
) -> Attempt:
    """The estimate with so many steps and modes, and its largest error in units of `rtol`."""
    modes = damped_modes(system, start, ts, points, count)
    found = coarse_and_fine(
        partial(_samples, points),
        (modes.coarse, jnp.asarray(2.0)),
        (modes.fine, jnp.asarray(1.0)),
        (system, start, probed(ts, span(ts))),
        together=True,
    )
    least = least_sizes(system.at(jnp.zeros(())), found[1])
    return compared(ts, valid, rtol, found, least, modes.gain)


class Pair(NamedTuple):
    """The modes of a coarse result and of a fine one, and how many times as exact that is."""

    coarse: DampedModes
    fine: DampedModes
    gain: Scalar


def damped_modes(
    system: LinearSystem, start: Start, ts: Float[Array, " times"], points: int, count: int
) -> Pair:
    """So many modes of each reservoir. What others would add need not follow their weights."""

    def reduced(horizon: Scalar) -> list[ReducedModes]:
        return of_reservoirs(system, horizon, max(points, RESOLUTION), count)

    horizon = start.horizon(span(ts))
    if start.is_endless:
        both = jax.vmap(reduced)(horizon * jnp.array([LESS, 1.0]))
        less, full = (jax.tree.map(lambda leaf, k=k: leaf[k], both) for k in (0, 1))
    else:
        less = full = reduced(horizon)
    fewer = [with_fewer(each, COARSER) for each in less]
    complete = jnp.all(jnp.stack([each.weight[-1] <= RANK * each.weight[0] for each in full]))
    gain = jnp.where(complete, GAIN, 1.0)
    return Pair(DampedModes.of(fewer), DampedModes.of(full), gain)


def begun(
    points: int,
    modes: DampedModes,
    coarser: Scalar,
    system: LinearSystem,
    start: Start,
    ts: Float[Array, " times"],
) -> tuple[DampedModes, Moving, Float[Array, " edges"]]:
    """The modes that steps resolve, how everything is at t = 0, and the ends of the steps."""
    steps = Steps(points, coarser)
    runs = [steps.edges(run) for run in (*start.runs, span(ts))]
    longest = jnp.max(jnp.stack([jnp.max(jnp.diff(edges)) for edges in runs]))
    modes = modes.within(REACH / longest)
    if system.is_paired:
        modes = modes.mirrored(system.statistics)
    return modes, start.moving(modes, steps, system), runs[-1]


def _samples(
    points: int,
    modes: DampedModes,
    coarser: Scalar,
    system: LinearSystem,
    start: Start,
    ts: Float[Array, " times"],
) -> DrivenGreenFunctions:
    """The Green functions at these times, by so many steps."""
    modes, first, edges = begun(points, modes, coarser, system, start, ts)
    _, (seen, gained) = passage(system, modes, first, edges)
    seen, gained = at_times((seen, gained), edges, ts)
    count = len(system.channels)
    own = _own(start, system, seen.n.shape[-1])
    mean = seen.mean
    if mean is not None:
        mean = Mean(mean.a, mean.field[:, :count], mean.energy_field[:, :count])
    return DrivenGreenFunctions(
        u=seen.u,
        v=seen.n - seen.u @ own @ jnp.swapaxes(seen.u.conj(), 1, 2),
        field=seen.field[:, :count],
        energy_field=seen.energy_field[:, :count],
        memory=seen.memory[:, :count],
        work=gained.power,
        particles=gained.particles,
        energy=gained.energy,
        mean=mean,
    )


def _own(start: Start, system: LinearSystem, size: int) -> Array:
    """The covariance that the propagator carries on."""
    state = start.state
    if state is None:
        return jnp.zeros((size, size), complex)
    return state.doubled(system.statistics) if system.is_paired else state.n
