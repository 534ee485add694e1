r"""What two sets of modes of a solution share, with errors that follow from that of n.

If all elements of n and of m = <a_i a_j> have the error e, the covariance Sigma of k modes and
their conjugates changes by at most 2 k e in norm. Symplectic eigenvalues change by at most the
same part of themselves as Sigma, |delta Sigma| / lambda_min(Sigma), and probabilities of two
levels of fermions by at most 4 e.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex, Float, Int

from bathax._checks import Scalar, require_kind
from bathax._display import Course, Module
from bathax._linalg import eigvalsh
from bathax._programs import program
from bathax.numerics.symplectic import covariance
from bathax.solution.results import LinearSolution, system_of
from bathax.thermodynamics.correlations import (
    Modes,
    blocks,
    both_sets,
    concurrence,
    level_probabilities,
    logarithmic_negativity,
    mutual_information,
)
from bathax.thermodynamics.linear import entropy_error


class ModeCorrelationQuantities(eqx.Module):
    """What modes have in common; see `ModeCorrelations`."""

    mutual_information: Float[Array, "*times"]
    entanglement: Float[Array, "*times"]


class ModeCorrelations(Course, ModeCorrelationQuantities, Module):
    """The correlations of two sets of modes over time, as `mode_correlations` finds them.

    At the times `t`: `mutual_information` I = S_i + S_j - S_ij, and `entanglement`, of bosons the
    `logarithmic_negativity`, of two levels of fermions the `concurrence`, and NaN of more levels.
    `error` has an estimate of the absolute error of each, and `status` is that of the solution.

    An electron in two dots at once, and soon in none:

    >>> lead = bx.Reservoir(bx.FlatBand(gamma=0.1, low=-5.0, high=5.0), temperature=0.1)
    >>> dots = bx.double_dot([1.0, 1.0], 0.0, lead, lead)
    >>> both = bx.Covariance([[0.5, 0.5], [0.5, 0.5]])
    >>> found = bx.mode_correlations(bx.solve(dots, both, [0.0, 5.0]), 0, 1)
    >>> [f"{C:.3f}" for C in found.entanglement]
    ['1.000', '0.479']
    """

    t: Float[Array, " times"]
    error: ModeCorrelationQuantities
    status: Int[Array, ""]


def mode_correlations(solution: LinearSolution, i: Modes, j: Modes) -> ModeCorrelations:
    """The mutual information and the entanglement of two sets of modes at the times of a solution.

    `i` and `j` are modes or lists of them. States are Gaussian, with the `n` and, if there are
    pairs, the `anomalous` of the solution; a mean does not matter. The errors follow from those of
    n; close to a pure state they grow with its squeezing. Solutions from a file, which do not know
    their statistics, are refused. Works under `jit` and `vmap`, and has first derivatives.

    Two cavities squeezed together lose their entanglement to a bath of each:

    >>> bath = bx.Reservoir(bx.Ohmic(0.02, 5.0), temperature=0.5)
    >>> pair = bx.coupled_cavities([1.0, 1.0], 0.0, [bath, bath])
    >>> n, m = jnp.sinh(0.8) ** 2, 0.5 * jnp.sinh(1.6)
    >>> start = bx.Covariance([[n, 0.0], [0.0, n]], [[0.0, m], [m, 0.0]])
    >>> found = bx.mode_correlations(bx.solve(pair, start, [0.0, 4.0, 8.0]), 0, 1)
    >>> [f"{E:.3f}" for E in found.entanglement]
    ['1.600', '0.566', '0.188']
    """
    require_kind("solution", "a solution of several modes", solution, LinearSolution)
    statistics = system_of(solution).statistics
    n, m, first = blocks(solution.n, i, j, getattr(solution, "anomalous", None))
    of_n = [getattr(solution.error, name, 0.0) for name in ("n", "anomalous")]
    error = jnp.max(sum(of_n), axis=(1, 2))
    value, doubt = _shared(n, m, error, first, statistics)
    return ModeCorrelations(**vars(value), t=solution.t, error=doubt, status=solution.status)


@program
def _shared(
    n: Complex[Array, "times k k"],
    m: Complex[Array, "times k k"],
    error: Float[Array, " times"],
    first: int,
    statistics: str,
) -> tuple[ModeCorrelationQuantities, ModeCorrelationQuantities]:
    size, of_shared = n.shape[-1], jnp.full(n.shape[0], jnp.nan)
    i, j = range(first), range(first, size)
    shared = of_shared
    if statistics == "boson":
        shared = logarithmic_negativity(n, i, j, m)
        of_shared = jax.vmap(_negativity_error)(n, m, error)
    elif size == 2:
        shared = concurrence(n, 0, 1, m)
        of_shared = jax.vmap(_concurrence_error)(n, m, error)

    def of_entropies(n: Array, m: Array, error: Scalar) -> Scalar:
        sets = (*both_sets(first), slice(None))
        blur = 2.0 * size * error
        return sum((entropy_error(n[k, k], m[k, k], blur, statistics) for k in sets), jnp.zeros(()))

    value = ModeCorrelationQuantities(mutual_information(n, i, j, statistics, m), shared)
    doubt = ModeCorrelationQuantities(jax.vmap(of_entropies)(n, m, error), of_shared)
    return value, lax.stop_gradient(doubt)


def _negativity_error(n: Complex[Array, "k k"], m: Complex[Array, "k k"], error: Scalar) -> Scalar:
    size = n.shape[0]
    blur = 2.0 * size * error
    return size * blur / jnp.maximum(eigvalsh(covariance(n, m))[0], blur)


def _concurrence_error(n: Complex[Array, "2 2"], m: Complex[Array, "2 2"], error: Scalar) -> Scalar:
    """2 (delta |n_ij| + delta sqrt(p p')), of the worse of both pairs of probabilities."""
    none, first, second, both = level_probabilities(n, m)
    blur = 4.0 * error
    changes = [
        jnp.sqrt((p + blur) * (q + blur)) - jnp.sqrt(p * q)
        for p, q in ((none, both), (first, second))
    ]
    return 2.0 * (error + jnp.maximum(*changes))
