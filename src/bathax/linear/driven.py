r"""Several modes that change in time, among damped modes that stand for their reservoirs.

The equations of `motion` are integrated from a start of `starts`, and along with them the work that
the drive does and what reservoirs gain:

W' = tr(h' n) + Re tr(Delta'' <a a>) + 2 Re f'* <a> + 2 Re sum_channels (d/dt x') Phi.

Steps are explicit, of order 8. Modes that decay faster than a step resolves are left out, which the
comparison with half as many steps shows.
"""

import math
from dataclasses import replace
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from bathax._checks import Scalar, are_times, is_concrete, is_valid
from bathax._estimate import Estimate
from bathax._programs import program
from bathax.linear.comparison import NEGLIGIBLE, Attempt, between, compared, least_sizes
from bathax.linear.damped import PHASE, DampedModes
from bathax.linear.embedding import Embedding, of_reservoirs, require_ends, with_fewer
from bathax.linear.green import DrivenGreenFunctions, Mean
from bathax.linear.motion import Equations, Gains, Moving, gains
from bathax.linear.starts import LESS, Product, Start, Steps, is_possible
from bathax.numerics.balancing import RANK, ReducedModes
from bathax.numerics.grid import span
from bathax.numerics.refinement import coarse_and_fine, probed
from bathax.numerics.runge_kutta import REACH, Clock, evolved, with_early_steps
from bathax.system.linear import LinearSystem

# The finer result is so many times as exact: half the step helps by 2^8, and so many times smaller
# singular values are left out.
GAIN, COARSER = 64.0, 128.0
# Energies count as zero below this part of the largest energy of coupling.
LEAST_ENERGY = 1e-2
# A start with a past takes so many modes more.
EXTRA = 12
# Modes are counted with those for so many steps; numbers of them are multiples of SHARED, at most
# MOST.
FIRST, SHARED, MOST = 256, 4, 128
# No more steps than this are tried.
MOST_STEPS = 2**15


def green_functions(
    system: LinearSystem, start: Start, ts: Float[Array, " times"], solver: Embedding
) -> Estimate[DrivenGreenFunctions]:
    """The Green functions with as many steps as the solver has, or the first number to suffice."""
    require_ends(system)
    for each, stop in _runs(system, start, ts):
        each.require_drives(stop)
    past = 0 if isinstance(start, Product) or solver.modes is not None else EXTRA
    rtol = jnp.asarray(solver.rtol)
    valid, demand, rank = needed(system, start, ts, solver.modes_for(FIRST) + past)

    def attempt(points: int) -> Attempt:
        count = solver.modes_for(max(points, FIRST)) + past
        if is_concrete(rank):
            count = min(count, SHARED * math.ceil(rank / SHARED))
        return _attempt(system, start, ts, valid, points, count, rtol)

    most = min(solver.max_points, MOST_STEPS)
    return replace(solver, max_points=most).climbed(attempt, demand)


@program
def needed(
    system: LinearSystem, start: Start, ts: Float[Array, " times"], count: int
) -> tuple[Bool[Array, ""], Float[Array, ""], Int[Array, ""]]:
    """Whether the input is valid, about how many steps it needs, and how many modes there are."""
    reduced = of_reservoirs(system, start.horizon(span(ts)), FIRST, count)
    modes = DampedModes.of(reduced)
    found = [_demand(each, stop, modes) for each, stop in _runs(system, start, ts)]
    valid = is_possible(start, system) & are_times(ts)
    valid &= jnp.all(jnp.stack([possible for possible, _ in found]))
    ranks = jnp.stack([jnp.sum(each.weight > RANK * each.weight[0]) for each in reduced])
    # Where none of them is negligible there may be more.
    rank = jnp.where(jnp.max(ranks) < count, jnp.max(ranks), MOST)
    steps = jnp.max(jnp.stack([steps for _, steps in found]))
    return valid, jnp.where(valid, with_early_steps(steps), 0.0), rank


def _runs(
    system: LinearSystem, start: Start, ts: Float[Array, " times"]
) -> list[tuple[LinearSystem, Scalar]]:
    """All systems and how long they run, those of the past first."""
    return [*zip(start.systems, start.runs, strict=True), (system, span(ts))]


def _demand(
    system: LinearSystem, stop: Scalar, modes: DampedModes
) -> tuple[Bool[Array, ""], Float[Array, ""]]:
    """Whether a system is valid at all times, and how many even steps it needs."""
    seen = jax.vmap(system.at)(stop * jnp.linspace(0.0, 1.0, 257))
    sizes = jnp.linalg.norm(seen.h, axis=(1, 2)) + jnp.sqrt(jax.vmap(lambda now: now.weight)(seen))
    if seen.pairing is not None:
        pairing = jnp.broadcast_to(seen.pairing, seen.h.shape)
        sizes += jnp.linalg.norm(pairing, axis=(1, 2))
    steps = stop * jnp.maximum(modes.demand, jnp.max(sizes) / PHASE)
    return jnp.all(jax.vmap(is_valid)(seen)), steps


@eqx.filter_jit
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
    samples = coarse_and_fine(
        partial(_samples, points),
        (modes[0], jnp.asarray(2.0)),
        (modes[1], jnp.asarray(1.0)),
        (system, start, ts),
        together=True,
    )
    clock = Clock.until(span(ts), points)
    places = clock.place(probed(ts, span(ts)))
    found = between(samples, places, (clock.doubled.step, clock.step), points)
    least = _least_sizes(system, found[1].mean)
    return compared(ts, valid, rtol, found, least, GAIN)


def damped_modes(
    system: LinearSystem, start: Start, ts: Float[Array, " times"], points: int, count: int
) -> tuple[DampedModes, DampedModes]:
    """Those of a coarse result and of a fine one."""

    def reduced(horizon: Scalar) -> list[ReducedModes]:
        return of_reservoirs(system, horizon, points, count)

    horizon = start.horizon(span(ts))
    if start.is_endless:
        both = jax.vmap(reduced)(horizon * jnp.array([LESS, 1.0]))
        less, full = (jax.tree.map(lambda leaf, k=k: leaf[k], both) for k in (0, 1))
    else:
        less = full = reduced(horizon)
    fewer = [with_fewer(each, COARSER) for each in less]
    return DampedModes.of(fewer), DampedModes.of(full)


def _least_sizes(system: LinearSystem, mean: Mean | None) -> Float[Array, " quantities"]:
    """Those of the Green functions; of particles, of energy for what is gained; of means."""
    start = system.at(jnp.zeros(()))
    sizes = least_sizes(start)
    energy = sizes[3] * LEAST_ENERGY / NEGLIGIBLE
    work = NEGLIGIBLE * jnp.linalg.norm(start.h)
    gained = jnp.stack([energy, sizes[2], work, sizes[0], energy])
    return jnp.concatenate([sizes[:3], gained, sizes[1:] if mean is not None else sizes[:0]])


def _samples(
    points: int,
    modes: DampedModes,
    coarser: Scalar,
    system: LinearSystem,
    start: Start,
    ts: Float[Array, " times"],
) -> DrivenGreenFunctions:
    """At each step; the last axis is that of times."""
    steps, stop = Steps(points, coarser), span(ts)
    clock, count = steps.clock(stop), len(system.channels)
    longest = jnp.max(jnp.stack([steps.clock(run).step for run in (*start.runs, stop)]))
    modes = modes.slower(REACH / longest)
    if system.is_paired:
        modes = modes.mirrored(system.statistics)
    first = start.moving(modes, steps, system)
    size = first.propagator.shape[1]
    own = _own(start, system, size)

    def rate(t: Scalar, state: tuple[Moving, Gains]) -> tuple[Moving, Gains]:
        # Samples beyond the last time are not used, and drives may not be finite there.
        t = jnp.minimum(t, stop)
        now = Equations.of(system.at(t), modes)
        return now.rate(state[0]), gains(now, system.rates(t), state[0])

    def observed(state: tuple[Moving, Gains]) -> DrivenGreenFunctions:
        now, gained = state
        u, below = jnp.split(now.propagator, [size])
        fields = modes.fields(now.joint[size:, :size])
        return DrivenGreenFunctions(
            u=u,
            v=now.joint[:size, :size] - u @ own @ u.conj().T,
            field=fields[0][:count],
            energy_field=fields[1][:count],
            memory=(modes.output @ below)[:count],
            work=gained.power.real,
            particles=gained.particles.real,
            energy=gained.energy.real,
            mean=_mean(modes, now.mean, size, count),
        )

    none = jnp.zeros(count, complex)
    found = evolved(rate, observed, (first, Gains(none[0], none, none)), clock, points)
    return jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, -1), found)


def _own(start: Start, system: LinearSystem, size: int) -> Array:
    """The covariance that the propagator carries on."""
    state = start.state
    if state is None:
        return jnp.zeros((size, size), complex)
    return state.doubled(system.statistics) if system.is_paired else state.n


def _mean(modes: DampedModes, Z: Array | None, size: int, count: int) -> Mean | None:
    if Z is None:
        return None
    fields = modes.fields(Z[size:, None])
    return Mean(Z[:size], *(field[:count, 0] for field in fields))
