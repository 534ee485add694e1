r"""Several modes whose h and couplings change in time, among damped modes for their reservoirs.

With the modes B of `damped` and couplings c(t), Z = (a, B) obeys Z' = -M(t) Z, and the covariance
G_ij = <Z_j' Z_i>, less what the free reservoirs have,

G' = -M G - G M' + F,    M = [[i h, i c o], [i p c', a]],    F = -i (c q' - q c'),

from G(0) = diag(n(0), 0). The work done by the drive and what reservoirs gain are integrated along:

W' = tr(h' n) + 2 Re sum_channels (d/dt ln c) <x' Phi>.

Steps are explicit, of order 8. Modes that decay faster than a step resolves are left out, which the
comparison with half as many steps shows.
"""

import math
from dataclasses import replace
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex, Float, Int

from bathax._checks import Scalar, are_times, is_concrete, is_valid
from bathax._estimate import Estimate
from bathax._programs import program
from bathax.linear.comparison import NEGLIGIBLE, Attempt, between, compared, least_sizes
from bathax.linear.damped import PHASE, DampedModes
from bathax.linear.embedding import Embedding, of_reservoirs, require_ends, with_fewer
from bathax.linear.green import DrivenGreenFunctions
from bathax.linear.stationary import BoundOccupation, joint_state
from bathax.numerics.balancing import RANK
from bathax.numerics.grid import span
from bathax.numerics.refinement import coarse_and_fine, probed
from bathax.numerics.runge_kutta import REACH, Clock, evolved, with_early_steps
from bathax.system.linear import Covariance, LinearSystem

# The finer result is so many times as exact: half the step helps by 2^8, and so many times smaller
# singular values are left out.
GAIN, COARSER = 64.0, 128.0
# Energies count as zero below this part of the largest energy of coupling.
LEAST_ENERGY = 1e-2
# The past of a correlated start is so many times as long as what follows, and takes more modes.
PAST, EXTRA = 8.0, 12
# Modes are counted with those for so many steps; numbers of them are multiples of SHARED, at most
# MOST.
FIRST, SHARED, MOST = 256, 4, 128
# No more steps than this are tried.
MOST_STEPS = 2**15


class Before(eqx.Module):
    """A system whose stationary state with its reservoirs is the start, `thermal` or not."""

    system: LinearSystem
    thermal: bool = eqx.field(static=True)

    def joint(self, modes: DampedModes) -> Complex[Array, "all all"]:
        """G(0)."""
        bound = BoundOccupation.of(self.system, thermal=self.thermal)
        return joint_state(self.system, modes, bound)


Start = Covariance | Before


def green_functions(
    system: LinearSystem, initial: Start, ts: Float[Array, " times"], solver: Embedding
) -> Estimate[DrivenGreenFunctions]:
    """The Green functions with as many steps as the solver has, or the first number to suffice.

    From a correlated start, v is n.
    """
    require_ends(system)
    system.require_drives(span(ts))
    past = EXTRA if isinstance(initial, Before) and solver.modes is None else 0
    rtol = jnp.asarray(solver.rtol)
    valid, needed, rank = _prepare(system, initial, ts, solver.modes_for(FIRST) + past)

    def attempt(points: int) -> Attempt:
        count = solver.modes_for(max(points, FIRST)) + past
        if is_concrete(rank):
            count = min(count, SHARED * math.ceil(rank / SHARED))
        return _attempt(system, initial, ts, valid, points, count, rtol)

    most = min(solver.max_points, MOST_STEPS)
    return replace(solver, max_points=most).climbed(attempt, needed)


@program
def _prepare(
    system: LinearSystem, initial: Start, ts: Float[Array, " times"], count: int
) -> tuple[Bool[Array, ""], Float[Array, ""], Int[Array, ""]]:
    """Whether the input is valid, about how many steps it needs, and how many modes there are."""
    probes = span(ts) * jnp.linspace(0.0, 1.0, 257)
    seen = jax.vmap(system.at)(probes)
    valid = is_valid((initial,)) & are_times(ts)
    if isinstance(initial, Covariance):
        valid &= initial.exists_in(system)
    valid &= jnp.all(jax.vmap(is_valid)(seen))
    frequency = jnp.max(
        jnp.linalg.norm(seen.h, axis=(1, 2)) + jnp.sqrt(jax.vmap(lambda now: now.weight)(seen))
    )
    reduced = of_reservoirs(system, _horizon(initial, ts), FIRST, count)
    modes = DampedModes.of(reduced)
    ranks = jnp.stack([jnp.sum(each.weight > RANK * each.weight[0]) for each in reduced])
    # Where none of them is negligible there may be more.
    rank = jnp.where(jnp.max(ranks) < count, jnp.max(ranks), MOST)
    steps = span(ts) * jnp.maximum(modes.demand, frequency / PHASE)
    return valid, jnp.where(valid, with_early_steps(steps), 0.0), rank


def _horizon(initial: Start, ts: Float[Array, " times"]) -> Scalar:
    """Up to when kernels are represented; a correlated start has a past."""
    return span(ts) * (PAST if isinstance(initial, Before) else 1.0)


@eqx.filter_jit
def _attempt(
    system: LinearSystem,
    initial: Start,
    ts: Float[Array, " times"],
    valid: Bool[Array, ""],
    points: int,
    count: int,
    rtol: Scalar,
) -> Attempt:
    """The estimate with so many steps and modes, and its largest error in units of `rtol`."""
    clock = Clock.until(span(ts), points)
    reduced = of_reservoirs(system, _horizon(initial, ts), points, count)
    fewer = DampedModes.of([with_fewer(each, COARSER) for each in reduced])
    samples = coarse_and_fine(
        partial(_samples, points),
        (fewer, clock.doubled),
        (DampedModes.of(reduced), clock),
        (system, initial, ts),
        together=True,
    )
    places = clock.place(probed(ts, span(ts)))
    found = between(samples, places, (clock.doubled.step, clock.step), points)
    return compared(ts, valid, rtol, found, _least_sizes(system), GAIN)


def _least_sizes(system: LinearSystem) -> Float[Array, " quantities"]:
    """Those of the Green functions; and of particles, of energy for what is gained."""
    start = system.at(jnp.zeros(()))
    sizes = least_sizes(start)
    energy = sizes[3] * LEAST_ENERGY / NEGLIGIBLE
    work = NEGLIGIBLE * jnp.linalg.norm(start.h)
    return jnp.concatenate([sizes[:3], jnp.stack([energy, sizes[2], work, sizes[0], energy])])


def _samples(
    points: int,
    modes: DampedModes,
    clock: Clock,
    system: LinearSystem,
    initial: Start,
    ts: Float[Array, " times"],
) -> DrivenGreenFunctions:
    """At each step; the last axis is that of times."""
    modes, size, stop = modes.slower(REACH / clock.step), system.size, span(ts)
    damped = modes.rates.shape[0]
    start = jnp.eye(size + damped, 2 * size + damped, size + damped, dtype=complex)
    if isinstance(initial, Before):
        own = jnp.zeros((size, size), complex)
        start = start.at[:, : size + damped].set(initial.joint(modes))
    else:
        own = initial.n
        start = start.at[:size, :size].set(own)
    gains = jnp.zeros(1 + 2 * len(system.channels), complex)

    def rate(t: Scalar, state: tuple[Array, Array]) -> tuple[Array, Array]:
        # Samples beyond the last time are not used, and drives may not be finite there.
        now = _Now.at(system, modes, jnp.minimum(t, stop))
        return now.rate(state[0]), now.gains(state[0])

    def observed(state: tuple[Array, Array]) -> DrivenGreenFunctions:
        joint, gained = state
        u, below = jnp.split(joint[:, size + damped :], [size])
        n, contact = joint[:size, :size], joint[size:, :size]
        field, energy_field = modes.fields(contact)
        work, particles, energy = jnp.split(gained.real, [1, 1 + len(system.channels)])
        return DrivenGreenFunctions(
            u=u,
            v=n - u @ own @ u.conj().T,
            field=field,
            energy_field=energy_field,
            memory=modes.output @ below,
            work=work[0],
            particles=particles,
            energy=energy,
        )

    found = evolved(rate, observed, (start, gains), clock, points)
    return jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, -1), found)


class _Now(eqx.Module):
    """M, F and the rates of change of h and of couplings at one time."""

    h: Complex[Array, "n n"]
    c: Complex[Array, "channels n"]
    slope: Complex[Array, "n n"]
    turning: Complex[Array, "channels n"]
    modes: DampedModes

    @staticmethod
    def at(system: LinearSystem, modes: DampedModes, t: Scalar) -> "_Now":
        now = system.at(t)
        return _Now(now.h, now.couplings, *system.rates(t), modes)

    def rate(self, joint: Complex[Array, "all columns"]) -> Complex[Array, "all columns"]:
        """G' and the rate of change of the columns of e^{-Mt} behind it."""
        size, modes = self.h.shape[0], self.modes
        a, B = joint[:size], joint[size:]
        of_modes = 1j * (self.h @ a + self.c.T @ (modes.output @ B))
        of_damped = 1j * (modes.memory.T @ (self.c.conj() @ a)) + modes.rates[:, None] * B
        moved = -jnp.concatenate([of_modes, of_damped])
        square, columns = jnp.split(moved, [joint.shape[0]], axis=1)
        square = square.at[:size, size:].add(modes.driven(self.c))
        return jnp.concatenate([square + square.conj().T, columns], axis=1)

    def gains(self, joint: Complex[Array, "all columns"]) -> Complex[Array, " gains"]:
        """The power of the drive, and the currents of particles and of energy."""
        size = self.h.shape[0]
        n = joint[:size, :size]
        field, energy_field = self.modes.fields(joint[size:, :size])
        power = jnp.sum(self.slope * n.T) + 2.0 * jnp.sum(self.turning * field)
        currents = [-2.0 * jnp.sum(self.c * each, axis=1).imag for each in (field, energy_field)]
        return jnp.concatenate([power.real[None], *currents]).astype(complex)
