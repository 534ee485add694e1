"""Correlations of modes at two times, in a steady state or after a run."""

from typing import Any

import jax.numpy as jnp

from bathax._checks import RealLike, as_float, require_times
from bathax.linear.embedding import Embedding
from bathax.linear.emission import TwoTimeCorrelation, steady_correlation
from bathax.linear.later import later_correlations
from bathax.solution.level import as_covariance
from bathax.solution.results import LinearSolution, Outcome, Solution
from bathax.solution.starting import start_of
from bathax.system.covariance import Covariance
from bathax.system.linear import LinearSystem
from bathax.system.models import Cavity
from bathax.system.preparation import Continue
from bathax.system.states import State


def two_time_correlation(
    system: LinearSystem | Cavity | LinearSolution | Solution, delays: RealLike
) -> TwoTimeCorrelation:
    r"""<a_j'(t) a_i(t + s)> and <a_i(t + s) a_j'(t)> at the `delays` s.

    The difference of the two for bosons, their sum for fermions, is u(s), and at s = 0 the first is
    n. Gaussian states of bosons have g1 = <a'(t) a(t + s)> / n and g2 = 1 + |g1|^2, as thermal
    light has.

    Of a system they are those of its steady state, \int dw e^{-iws} S_ij(w) and
    \int dw e^{-iws} A_ij(w), with S of `emission_spectrum` and A of `absorption_spectrum`. The
    error estimate, constant to differentiation, is about the power 3/2 of the change from half the
    nodes, and includes the weight of bound states. Long delays take more nodes, which have to
    resolve e^{-iws}; up to a limit, and inside `jit` 512 for each edge or resonance, beyond which
    the error grows. Separate modes are refused.

    Of a solution, t is its last time, and all that reservoirs remember is in them; delays are
    increasing then, and >= 0. The system must be constant in time since the start, or since
    `Continue`, and conserve quanta; a solution from a file is refused. It is solved again by
    `Embedding()`, with its error estimate.

    Works under `jit`, `vmap` and `grad`; an invalid system gives NaN.

    The light of a warm cavity loses its coherence, and soon after a start with five quanta sooner:

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=2.0))
    >>> early = bx.solve(cavity, bx.Fock(5), [0.0, 1.0])
    >>> for each in (cavity, early):
    ...     found = bx.two_time_correlation(each, [0.0, 2.0, 10.0]).value[:, 0, 0]
    ...     print([f"{g1:.3f}" for g1 in jnp.abs(found / found[0])])
    ['1.000', '0.903', '0.369']
    ['1.000', '0.840', '0.374']
    """
    if not isinstance(system, Outcome):
        return steady_correlation(system, delays)
    before: Any = Continue(system)
    delays = as_float(delays, "delays").ravel()
    require_times(delays, "delays")
    modes = before.modes
    modes.require_static()
    state = as_covariance(modes, before.state)
    if isinstance(state, State):
        state = Covariance(jnp.reshape(state.number, (1, 1)))
    start, modes = start_of(modes, before, state)
    found = later_correlations(modes, start, delays, Embedding())
    error = jnp.maximum(found.error.value, found.error.greater)
    return TwoTimeCorrelation(found.value.value, found.value.greater, jnp.max(error, axis=(1, 2)))
