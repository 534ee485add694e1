r"""What the propagator of a period does: Floquet multipliers of modes that are driven periodically.

Modes and the damped modes of their reservoirs go on by a matrix U in each period. Its eigenvalues
mu_k with eigenvectors V have the weight |V_ik (V^-1)_ki|, summed over the modes i; those of largest
weight are what is left of the modes themselves, the others belong to memories of reservoirs.
"""

from dataclasses import replace
from functools import partial

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex, Float, Int

from bathax._checks import POSITIVE, RealLike, Scalar, as_float, holds, require
from bathax._display import Module
from bathax._programs import optimised
from bathax._status import Status, concluded
from bathax.linear import driven
from bathax.linear.damped import DampedModes
from bathax.linear.embedding import Embedding
from bathax.linear.motion import REACH, Moving
from bathax.linear.passage import passage
from bathax.linear.starts import Cyclic, Steps
from bathax.numerics.eigen import decomposed
from bathax.numerics.refinement import coarse_and_fine
from bathax.system.linear import LinearSystem
from bathax.system.models import Cavity, as_modes

RTOL = 1e-9


class FloquetMultipliers(Module):
    """Factors by which modes shrink and turn in each period, the least damped first.

    `values` has one for each mode, two in a system with pairs, `error` the change of each from half
    the steps and fewer damped modes, and `status` is 0 if all are below 1e-9.

    >>> bath = bx.Reservoir(bx.Lorentzian(0.1, 0.5, 1.0))
    >>> found = bx.floquet_multipliers(bx.Cavity(1.0, bath), 2.0 * jnp.pi)
    >>> round(float(jnp.abs(found.values[0])), 3)  # exp(-pi gamma0) = 0.73 without memory
    0.702
    """

    values: Complex[Array, " d"]
    error: Float[Array, " d"]
    status: Int[Array, ""]

    @property
    def message(self) -> str:
        """The status in words; for concrete values only."""
        return Status(int(self.status)).message


def floquet_multipliers(
    system: Cavity | LinearSystem, period: RealLike, solver: Embedding | None = None
) -> FloquetMultipliers:
    """The eigenvalues of the propagator of a `period` that belong to the modes.

    Without reservoirs they are e^{-i w T}; damping makes them smaller than 1, and a parametric
    drive above its threshold larger. Works under `jit` and `vmap`, and has first derivatives where
    multipliers differ.

    >>> bath = bx.Reservoir(bx.Ohmic(0.01, 5.0))
    >>> cavity = bx.Cavity(lambda t: 1.0 + 0.3 * jnp.sin(2.0 * jnp.pi * t), bath)
    >>> found = bx.floquet_multipliers(cavity, 1.0)
    >>> round(float(jnp.abs(found.values[0])), 3)  # about exp(-pi J(w_s))
    0.976
    """
    modes = as_modes(system)
    period = as_float(period, "period")
    require("period", POSITIVE.words, period, holds(POSITIVE.holds, period))
    solver = Embedding() if solver is None else solver
    driven.require_ends(modes)
    modes.require_drives(period)
    displaced, ts = modes.force is not None, jnp.stack([jnp.zeros_like(period), period])
    start = Cyclic(modes, period, displaced)
    count, demand = driven.sizes(modes, start, ts, solver)[1:]

    def attempt(points: int) -> tuple[FloquetMultipliers, Scalar]:
        return _attempt(modes, start, ts, points, count)

    most = min(solver.max_points, driven.MOST_STEPS)
    return concluded(replace(solver, max_points=most).climbed(attempt, demand), False)


@optimised
def _attempt(
    system: LinearSystem, start: Cyclic, ts: Float[Array, " times"], points: int, count: int
) -> tuple[FloquetMultipliers, Scalar]:
    """The multipliers with so many steps and damped modes, and the largest error over `RTOL`."""
    modes = driven.damped_modes(system, start, ts, points, count)
    coarse, fine = coarse_and_fine(
        partial(_values, points),
        (modes.coarse, jnp.asarray(2.0)),
        (modes.fine, jnp.asarray(1.0)),
        (system, start.period),
        together=True,
    )
    # The order of nearly equal ones may differ.
    change = jnp.min(jnp.abs(fine[:, None] - coarse[None, :]), axis=1)
    error, excess = lax.stop_gradient((change, jnp.max(change) / RTOL))
    reached = jnp.where(excess <= 1.0, Status.SUCCESS, Status.TOLERANCE_NOT_REACHED)
    return FloquetMultipliers(fine, error, reached), excess


def _values(
    points: int, modes: DampedModes, coarser: Scalar, system: LinearSystem, period: Scalar
) -> Complex[Array, " d"]:
    """The multipliers of largest weight in the modes, the largest one first."""
    edges = Steps(points, coarser).edges(period)
    modes = modes.within(REACH / jnp.max(jnp.diff(edges)))
    if system.is_paired:
        modes = modes.mirrored(system.statistics)
    size = system.contacts.shape[1]
    count = size + modes.rates.shape[0]
    start = Moving(jnp.zeros((count, count), complex), jnp.eye(count, dtype=complex), None)
    U = passage(system, modes, start, edges)[0].propagator
    values, vectors, inverse = decomposed(U)
    weights = jnp.sum(jnp.abs(vectors[:size].T * inverse[:, :size]), axis=1)
    own = values[lax.top_k(lax.stop_gradient(weights), size)[1]]
    return own[jnp.argsort(-jnp.abs(lax.stop_gradient(own)))]
