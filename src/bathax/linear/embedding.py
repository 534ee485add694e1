r"""The Green functions of several modes among damped modes that stand for their reservoirs.

Balanced truncation (`numerics.balancing`) writes both kernels of the reservoir of a channel in
common modes, g(t) = o e^{-At} p and g~(t) = o e^{-At} q. Of the modes a and the auxiliary B of all
channels, Z = (a, B) obeys Z' = -M Z with constant coefficients,

M = [[i h, i c o], [i p c', A]],

and G_ij = <Z_j' Z_i>, less what the free reservoirs have, obeys

G' = -M G - G M' + F,    F = -i (c q' - q c'),

with c in the rows of a and q in the rows of B, from G(0) = diag(n(0), 0). Only e^{-Mt} on the
columns of a and on q is needed, in the rows of a and of the fields o B and o A B:

v' = -i sum_channels (u c r' - r c' u'),    r = [e^{-Mt} q]_a,

and likewise for the correlations with reservoirs. These functions are sampled on a uniform grid
that is refined towards t = 0, where kernels of slow tails are not smooth (`numerics.graded`).

Where J has a part gamma / 2 pi at all energies, modes stand for f - 1/2 only. The rest is
memoryless: it adds gamma c c' / 2 to i h, -i gamma c / 4 to q, -i gamma c' a / 2 to the field o B,
and i gamma c* / 4 to <a' Phi>.
"""

import math
from functools import partial

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jax.scipy.linalg import block_diag
from jaxtyping import Array, Bool, Complex, Float, Inexact

from bathax._checks import Scalar, require_whole
from bathax._estimate import Estimate
from bathax._programs import program
from bathax.linear import wide
from bathax.linear.comparison import (
    Attempt,
    Flow,
    Rotating,
    compared_rotating,
    currents,
    on_first_grid,
)
from bathax.linear.green import LinearGreenFunctions
from bathax.numerics import graded
from bathax.numerics.balancing import PANELLED, RANK, ReducedModes, joined, reduced_modes
from bathax.numerics.grid import TimeGrid, span
from bathax.numerics.matrices import adjoint, product
from bathax.numerics.refinement import Refining, coarse_and_fine
from bathax.reservoir.reservoir import Reservoir
from bathax.system.covariance import Covariance
from bathax.system.linear import LinearSystem

# Modes of each reservoir for each doubling of the grid, and the ratio of the first singular values
# that are left out, of the modes that are compared with and of all.
PER_DOUBLING, COARSER = 4, 32.0
# The finer result is so many times as exact: where J has slow tails, currents of energy gain no
# more than the root of singular values.
GAIN = COARSER**0.5
# Where f - 1/2 stands for f, small populations are differences: rounding leaves this part of the
# least sizes.
CANCELLED = 4e-9
# So many fewer times than a grid has resolve the oscillation of kernels.
OVERSAMPLED = 4


class Embedding(Refining):
    """Several modes among damped modes that stand for their reservoirs: linear equations.

    Each reservoir becomes a few damped `modes`, by balanced truncation of its kernels up to the
    last time; if left out there are 4 log2(points) of them, and for a `WideBand` nearly twice as
    many. `rtol` bounds the error estimate, on `points` grid points of at most `max_points`, as in
    `Volterra`, on whose kernels it does not rely: two results that agree are independent. The
    estimate is about a sixth of the largest change from half the points and a few modes less.

    It also solves systems that change in time, by power series in each of `points` steps; slower
    modes of the same response stand for those that decay faster than a step resolves.

    Where J reaches to all energies, like that of a `Lorentzian`, correlations of fermions vary on
    every scale of time: seven or eight digits are reached. A `Tabulated` density, rough at every
    point, is not a few modes: some five digits, more in its `rational` form. Derivatives hold the
    choice of the modes fixed, which costs them some digits.

    >>> lead = bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), temperature=0.1, chemical_potential=0.5)
    >>> dot = bx.LinearSystem([[0.3]], bx.Channel(lead, [1.0]), statistics="fermion")
    >>> sol = bx.solve(dot, bx.Covariance([[1.0]]), jnp.linspace(0.0, 20.0, 5), bx.Embedding())
    >>> round(sol.number[-1].item(), 4)
    0.6759
    """

    modes: int | None = eqx.field(static=True, default=None)

    def __check_init__(self) -> None:
        super().__check_init__()
        if self.modes is not None:
            require_whole("modes", self.modes, 1)

    def modes_for(self, points: int) -> int:
        """The number of modes of each reservoir, on a grid of so many points."""
        return self.modes or PER_DOUBLING * math.ceil(math.log2(points))


def green_functions(
    system: LinearSystem, initial: Covariance, ts: Float[Array, " times"], solver: Embedding
) -> Estimate[LinearGreenFunctions]:
    """The Green functions on the grid that the solver has, or on the first that suffices."""
    rtol = jnp.asarray(solver.rtol)

    def attempt(valid: Bool[Array, ""], points: int) -> Attempt:
        count = solver.modes_for(points)
        return _attempt(system, initial, ts, valid, points, count, rtol)

    return on_first_grid(system, initial, ts, solver, attempt)


@program
def _attempt(
    system: LinearSystem,
    initial: Covariance,
    ts: Float[Array, " times"],
    valid: Bool[Array, ""],
    points: int,
    count: int,
    rtol: Scalar,
) -> Attempt:
    """The estimate from a grid and so many modes, and its largest error in units of `rtol`."""
    grid = TimeGrid.beyond(span(ts), points)
    pairs = [_reduced(system, k, span(ts), points, count) for k in range(len(system.channels))]
    fewer, modes = (list(each) for each in zip(*pairs, strict=True))
    samples = coarse_and_fine(
        partial(_rotating, points),
        (fewer, grid.halved.step),
        (modes, grid.step),
        (system, initial),
        together=True,
    )
    rounding = 0.0 if system.has_ends else CANCELLED
    return compared_rotating(system, initial, ts, valid, rtol, samples, grid, GAIN, rounding)


def _reduced(
    system: LinearSystem, channel: int, horizon: Scalar, points: int, count: int
) -> tuple[ReducedModes, ReducedModes]:
    """The modes of a reservoir for a coarse result and for a fine one."""
    bath, resolution = system.reservoirs[channel], points // OVERSAMPLED
    if bath.has_ends:
        modes = reduced_modes(*_kernels(bath, resolution), horizon, count, PANELLED)
        return with_fewer(modes, COARSER), modes
    slow, fast = (
        wide.parts(system, channel, horizon, resolution, count, slowing) for slowing in (2.0, 1.0)
    )
    return joined([with_fewer(part, COARSER) for part in slow]), joined(fast)


def of_reservoirs(
    system: LinearSystem, horizon: Scalar, points: int, count: int
) -> list[ReducedModes]:
    """So many modes of each reservoir, for kernels up to the horizon on so many points."""
    return [
        reduced_modes(*_kernels(bath, points // OVERSAMPLED), horizon, count, PANELLED)
        for bath in system.reservoirs
    ]


def _kernels(
    bath: Reservoir, resolution: int
) -> tuple[Inexact[Array, " nodes"], Inexact[Array, "kernels nodes"]]:
    """Nodes and masses of g and g~."""
    nodes, *masses = bath.exponentials(resolution)
    return nodes, jnp.stack(masses)


def with_fewer(modes: ReducedModes, coarser: float) -> ReducedModes:
    """The same without the last few modes, so that what is left out is so many times more."""
    if not modes.reduced:
        return modes
    weight = modes.weight
    last = jnp.min(jnp.where(weight > RANK * weight[0], weight, jnp.inf))
    kept = lax.stop_gradient(weight > coarser * last).astype(complex)
    return ReducedModes(
        modes.generator * kept[:, None] * kept[None, :],
        modes.output * kept,
        modes.excited * kept[None, :],
        modes.weight,
        modes.reduced,
    )


class Joint(eqx.Module):
    """M, the rows in which e^{-Mt} is observed, and the columns on which it acts."""

    generator: Complex[Array, "d d"]
    observed: Complex[Array, "rows d"]
    excited: Complex[Array, "d columns"]

    @staticmethod
    def of(system: LinearSystem, modes: list[ReducedModes]) -> "Joint":
        """In the frame that rotates with the mean energy of the modes."""
        c, mean = system.couplings, 1j * system.frequency.astype(complex)
        o = block_diag(*[each.output[None, :] for each in modes])
        p, q = (block_diag(*[each.excited[k][:, None] for each in modes]) for k in (0, 1))
        size, damped = system.size, o.shape[1]
        A = block_diag(*[each.generator for each in modes]) - mean * jnp.eye(damped, dtype=complex)
        white = system.backgrounds[:, None].astype(complex) * c
        own = 1j * system.h - mean * jnp.eye(size, dtype=complex) + 0.5 * white.T @ c.conj()
        own_field = jnp.concatenate([-0.5j * white.conj(), jnp.zeros_like(c)])
        unit, none = jnp.eye(size, dtype=complex), jnp.zeros((size, damped), complex)
        return Joint(
            jnp.block([[own, 1j * c.T @ o], [1j * p @ c.conj(), A]]),
            jnp.block([[unit, none], [own_field, jnp.concatenate([o, o @ A])]]),
            jnp.block([[unit, -0.25j * white.T], [none.T, q]]),
        )


def _rotating(
    points: int,
    modes: list[ReducedModes],
    step: Scalar,
    system: LinearSystem,
    initial: Covariance,
) -> Rotating:
    """The solution with these modes in the rotating frame."""
    joint, size, c = Joint.of(system, modes), system.size, system.couplings
    rows = graded.exponentials(-joint.generator, joint.excited, joint.observed, step, points)
    of_modes, fields, energy_fields = jnp.split(rows, [size, size + c.shape[0]])
    u, r = jnp.split(of_modes, [size], axis=1)
    excited = jnp.einsum("nmp,am->nap", u, c)
    growth = -1j * product(excited, adjoint(r))
    started = product(initial.n[:, :, None], adjoint(u[..., :points]))

    def correlated(rows: Array) -> tuple[Array, Array, Array]:
        """<a_j' Phi>, the rows of Phi by the modes at t = 0, and the rate of the rest."""
        by_modes, by_noise = jnp.split(rows, [size], axis=1)
        driven = product(jnp.einsum("anp,bn->abp", by_modes, c), adjoint(r))
        late = -1j * (driven - product(by_noise, adjoint(excited)))
        gained = graded.integrate(late, step, points)
        return product(by_modes[..., :points], started) + gained, by_modes, late

    # Where a part of J is at all energies, those of fields do not exist.
    ends = system.have_ends[:, None, None]
    field, memory, late = correlated(fields)
    energy_field, energy_memory, energy_late = correlated(jnp.where(ends, -1j * energy_fields, 0.0))
    flow = None
    if not initial.is_plain:
        begun = product(initial.whole[:, :, None], adjoint(u))
        gains = [
            _gained(c, product(row, begun), rest, step, points)
            for row, rest in ((memory, late), (energy_memory, energy_late))
        ]
        # What the part at all energies takes beside, the imaginary part of the field below.
        white = system.backgrounds * jnp.sum(jnp.abs(c) ** 2, axis=1)
        gains[0] -= 0.5 * white[:, None] * graded.times(step, points)[None, :points]
        flow = Flow(memory[..., :points], energy_memory[..., :points], *gains)
    if not system.has_ends:
        field = jnp.where(ends, field, _without_energy(system, field))
    return Rotating(
        u=u[..., :points],
        v=graded.integrate(growth + adjoint(growth), step, points),
        field=field,
        energy_field=energy_field,
        flow=flow,
    )


def _gained(
    c: Complex[Array, "channels n"],
    begun: Complex[Array, "channels n all"],
    late: Complex[Array, "channels n all"],
    step: Scalar,
    points: int,
) -> Float[Array, "channels points"]:
    """What reservoirs have gained, by the part of <a' Phi> since t = 0 and the rate of the rest."""
    soon = graded.integrate(currents(c, begun), step, points)
    return soon + graded.integrate_twice(currents(c, late), step, points)


def _without_energy(
    system: LinearSystem, field: Complex[Array, "channels n points"]
) -> Complex[Array, "channels n points"]:
    """<a_j' Phi> of a part of J at all energies, without the infinite c* Re <x' Phi> / |c|^2."""
    c = system.couplings[..., None]
    field = field + 0.25j * system.backgrounds[:, None, None].astype(complex) * c.conj()
    energy = jnp.sum(c * field, axis=1, keepdims=True).real / jnp.sum(
        jnp.abs(c) ** 2, axis=1, keepdims=True
    )
    return field - c.conj() * energy.astype(complex)
