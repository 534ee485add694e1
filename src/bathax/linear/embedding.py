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
"""

import math
from functools import partial

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jax.scipy.linalg import block_diag
from jaxtyping import Array, Bool, Complex, Float

from bathax._checks import Scalar, require, require_whole
from bathax._estimate import Estimate
from bathax._programs import program
from bathax.linear.comparison import Attempt, Rotating, compared_rotating, on_first_grid
from bathax.linear.green import LinearGreenFunctions
from bathax.numerics import graded
from bathax.numerics.balancing import RANK, ReducedModes, Sampling, reduced_modes
from bathax.numerics.grid import TimeGrid, span
from bathax.numerics.matrices import adjoint, product
from bathax.numerics.refinement import Refining, coarse_and_fine
from bathax.system.covariance import Covariance
from bathax.system.linear import LinearSystem

# Modes of each reservoir for each doubling of the grid, and the ratio of the first singular values
# that are left out, of the modes that are compared with and of all.
PER_DOUBLING, COARSER = 4, 32.0
# The finer result is so many times as exact: where J has slow tails, currents of energy gain no
# more than the root of singular values.
GAIN = COARSER**0.5
# So many fewer times than a grid has resolve the oscillation of kernels.
OVERSAMPLED = 4
SAMPLING = Sampling.panelled()


class Embedding(Refining):
    """Several modes among damped modes that stand for their reservoirs: linear equations.

    Each reservoir becomes a few damped `modes`, by balanced truncation of its kernels up to the
    last time; if left out there are 4 log2(points) of them. `rtol` bounds the error estimate, on
    `points` grid points of at most `max_points`, as in `Volterra`, on
    whose kernels it does not rely: two results that agree are independent.
    The estimate is about a sixth of the largest change from half the points and a few modes less.

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
    require_ends(system)
    rtol = jnp.asarray(solver.rtol)

    def attempt(valid: Bool[Array, ""], points: int) -> Attempt:
        count = solver.modes_for(points)
        return _attempt(system, initial, ts, valid, points, count, rtol)

    return on_first_grid(system, initial, ts, solver, attempt)


def require_ends(system: LinearSystem) -> None:
    """Refuse the wide-band limit, whose noise is singular."""
    for bath in system.reservoirs:
        words, density = "a band with ends, like `FlatBand`, for n(t)", bath.spectral_density
        require("spectral_density", words, density, bath.has_ends)


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
    modes = of_reservoirs(system, span(ts), points, count)
    samples = coarse_and_fine(
        partial(_rotating, points),
        ([with_fewer(each, COARSER) for each in modes], grid.halved.step),
        (modes, grid.step),
        (system, initial.n),
        together=True,
    )
    return compared_rotating(system, ts, valid, rtol, samples, grid, GAIN)


def of_reservoirs(
    system: LinearSystem, horizon: Scalar, points: int, count: int
) -> list[ReducedModes]:
    """So many modes of each reservoir, for kernels up to the horizon on so many points."""
    return [
        reduced_modes(nodes, jnp.stack([memory, noise]), horizon, count, SAMPLING)
        for bath in system.reservoirs
        for nodes, memory, noise in (bath.exponentials(points // OVERSAMPLED),)
    ]


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
        own = 1j * system.h - mean * jnp.eye(size, dtype=complex)
        fields = jnp.concatenate([o, o @ A])
        return Joint(
            jnp.block([[own, 1j * c.T @ o], [1j * p @ c.conj(), A]]),
            block_diag(jnp.eye(size, dtype=complex), fields),
            block_diag(jnp.eye(size, dtype=complex), q),
        )


def _rotating(
    points: int,
    modes: list[ReducedModes],
    step: Scalar,
    system: LinearSystem,
    initial: Complex[Array, "n n"],
) -> Rotating:
    """The solution with these modes in the rotating frame."""
    joint, size, c = Joint.of(system, modes), system.size, system.couplings
    rows = graded.exponentials(-joint.generator, joint.excited, joint.observed, step, points)
    of_modes, fields, energy_fields = jnp.split(rows, [size, size + c.shape[0]])
    u, r = jnp.split(of_modes, [size], axis=1)
    excited = jnp.einsum("nmp,am->nap", u, c)
    growth = -1j * product(excited, adjoint(r))
    started = product(initial[:, :, None], adjoint(u[..., :points]))

    def correlated(rows: Array) -> Array:
        by_modes, by_noise = jnp.split(rows, [size], axis=1)
        driven = product(jnp.einsum("anp,bn->abp", by_modes, c), adjoint(r))
        late = -1j * (driven - product(by_noise, adjoint(excited)))
        gained = graded.integrate(late, step, points)
        return product(by_modes[..., :points], started) + gained

    return Rotating(
        u=u[..., :points],
        v=graded.integrate(growth + adjoint(growth), step, points),
        field=correlated(fields),
        energy_field=-1j * correlated(energy_fields),
    )
