r"""Correlations of modes in a Gaussian state: mutual information, entanglement, concurrence.

Bosons have n_ij = <a_j' a_i> and, if the state is squeezed, m_ij = <a_i a_j>, which make up the
covariance of (a, a'),

Sigma = [[n + 1/2, m], [m*, n* + 1/2]].

Its symplectic eigenvalues nu_k >= 1/2, those of Z Sigma with Z = diag(1, -1), give the entropy
S = sum_k (nu_k + 1/2) ln(nu_k + 1/2) - (nu_k - 1/2) ln(nu_k - 1/2). A partial transpose exchanges
a and a' of some modes; the symplectic eigenvalues of the result are below 1/2 only if these modes
are entangled with the others.

Two levels of fermions have p_2 = n_11 n_22 - |n_12|^2 + |m_12|^2 that both are occupied, n_12
between the states with one fermion, and m_12 between those with none and with two.
"""

from collections.abc import Iterable
from functools import partial

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from bathax._checks import ComplexLike, Scalar, as_complex, require
from bathax._programs import program
from bathax.numerics.symplectic import symplectic_eigenvalues
from bathax.reservoir.reservoir import THERMAL
from bathax.thermodynamics.linear import entropy

# What is under a root, so that its derivative is finite.
TINY = 1e-300
Modes = int | Iterable[int]


def mutual_information(
    n: ComplexLike,
    i: Modes,
    j: Modes,
    statistics: str = "boson",
    anomalous: ComplexLike | None = None,
) -> Float[Array, "*times"]:
    """I = S_i + S_j - S_ij of two sets of modes in a Gaussian state.

    `n` is n_ij = <a_j' a_i>, at one time or at several as in a `LinearSolution`, `i` and `j` are
    modes or lists of them, and `anomalous` is <a_i a_j> if there are pairs. Works under `jit` and
    `vmap`, and has first derivatives, in pure states too. `mode_correlations` takes a solution.

    Of two cavities that share a single quantum, and of two electrons:

    >>> shared = [[0.5, 0.5], [0.5, 0.5]]
    >>> for statistics in ("boson", "fermion"):
    ...     print(round(float(bx.mutual_information(shared, 0, 1, statistics)), 4))
    0.5232
    1.3863
    """
    known = isinstance(statistics, str) and statistics in THERMAL
    require("statistics", '"boson" or "fermion"', repr(statistics), known)
    n, m, first = blocks(n, i, j, anomalous)
    return _mutual_information(n, m, first, statistics)


def logarithmic_negativity(
    n: ComplexLike, i: Modes, j: Modes, anomalous: ComplexLike
) -> Float[Array, "*times"]:
    """E_N = sum_k max(0, -ln 2 nu_k) of two sets of bosonic modes in a Gaussian state.

    nu_k are the symplectic eigenvalues after partial transposition of the modes `j`
    (Vidal and Werner, Phys. Rev. A 65, 032314). `n` and `anomalous` are <a_j' a_i> and <a_i a_j>,
    at one time or at several, as in a `DrivenLinearSolution`. Without the second no modes of bosons
    are entangled in a Gaussian state. Works under `jit` and `vmap`, and has first derivatives.
    `mode_correlations` takes a solution.

    Two modes squeezed together by r = 1 have E_N = 2 r:

    >>> n, m = jnp.sinh(1.0) ** 2, 0.5 * jnp.sinh(2.0)
    >>> both = n * jnp.eye(2), m * jnp.array([[0.0, 1.0], [1.0, 0.0]])
    >>> round(float(bx.logarithmic_negativity(both[0], 0, 1, both[1])), 9)
    2.0
    """
    n, m, first = blocks(n, i, j, anomalous)
    return _logarithmic_negativity(n, m, first)


def concurrence(
    n: ComplexLike, i: Modes, j: Modes, anomalous: ComplexLike | None = None
) -> Float[Array, "*times"]:
    """C = 2 max(0, |n_ij| - sqrt(p_0 p_2), |m_ij| - sqrt(p_i p_j)) of two fermionic levels.

    Occupied and empty levels are taken as two qubits in a Gaussian state; p_0 and p_2 are the
    probabilities that none or both are occupied, p_i and p_j those of one alone (Wootters, Phys.
    Rev. Lett. 80, 2245, for a state of this form). `n` is <a_j' a_i>, at one time or at several as
    in a `LinearSolution`, and `anomalous` m = <a_i a_j> if there are pairs. Works under `jit`,
    `vmap` and `grad`. `mode_correlations` takes a solution.

    One electron in two levels, at first in both of them:

    >>> [round(float(bx.concurrence([[0.5, c], [c, 0.5]], 0, 1)), 9) for c in (0.5, 0.0)]
    [1.0, 0.0]
    """
    n, m, first = blocks(n, i, j, anomalous)
    require("i", "one level, and `j` another", [i, j], n.shape[-1] == 2 * first == 2)
    return _concurrence(n, m)


# --- Arguments ---------------------------------------------------------------------------------


def blocks(
    n: ComplexLike, i: Modes, j: Modes, anomalous: ComplexLike | None
) -> tuple[Complex[Array, "*times k k"], Complex[Array, "*times k k"], int]:
    """n and m of the modes i and then j, and the number of modes i."""
    n = as_complex(n, "n")
    square = n.ndim >= 2 and n.shape[-1] == n.shape[-2]
    require("n", "a square matrix, or one at each time", f"of shape {n.shape}", square)
    m = jnp.zeros_like(n) if anomalous is None else as_complex(anomalous, "anomalous")
    require("anomalous", f"of shape {n.shape}, as `n`", f"of shape {m.shape}", m.shape == n.shape)
    first, second = _indices("i", i, n.shape[-1]), _indices("j", j, n.shape[-1])
    both = np.array(first + second)
    distinct = len(set(both.tolist())) == len(both)
    require("j", "other modes than `i`, each of them once", j, distinct)
    n, m = (part[..., both[:, None], both[None, :]] for part in (n, m))
    return n, m, len(first)


def _indices(name: str, modes: Modes, size: int) -> list[int]:
    found = [int(mode) for mode in (modes if isinstance(modes, Iterable) else [modes])]
    valid = bool(found) and all(0 <= mode < size for mode in found)
    require(name, f"one or several of the modes 0 to {size - 1}", modes, valid)
    return found


def both_sets(first: int) -> tuple[slice, slice]:
    """Where modes i and modes j are in a block."""
    return slice(None, first), slice(first, None)


# --- Formulas ----------------------------------------------------------------------------------


@program
def _mutual_information(
    n: Complex[Array, "*times k k"], m: Complex[Array, "*times k k"], first: int, statistics: str
) -> Float[Array, "*times"]:
    def at(n: Array, m: Array) -> Scalar:
        parts = [entropy(n[k, k], statistics, m[k, k]) for k in both_sets(first)]
        return sum(parts) - entropy(n, statistics, m)

    return jnp.vectorize(at, signature="(k,k),(k,k)->()")(n, m)


@program
def _logarithmic_negativity(
    n: Complex[Array, "*times k k"], m: Complex[Array, "*times k k"], first: int
) -> Float[Array, "*times"]:
    transposed = np.arange(n.shape[-1]) >= first

    def at(n: Array, m: Array) -> Scalar:
        nu = symplectic_eigenvalues(n, m, np.where(transposed, -1.0, 1.0))
        return jnp.sum(jnp.maximum(-jnp.log(2.0 * nu), 0.0))

    return jnp.vectorize(at, signature="(k,k),(k,k)->()")(n, m)


@program
@partial(jnp.vectorize, signature="(k,k),(k,k)->()")
def _concurrence(n: Complex[Array, "2 2"], m: Complex[Array, "2 2"]) -> Scalar:
    single, pair = (_squared(one[0, 1]) for one in (n, m))
    coherences = [jnp.sqrt(jnp.maximum(x, TINY)) for x in (single, pair)]
    none, first, second, both = level_probabilities(n, m)
    mixed = [jnp.sqrt(jnp.maximum(x, TINY)) for x in (none * both, first * second)]
    apart = [c - p for c, p in zip(coherences, mixed, strict=True)]
    return 2.0 * jnp.maximum(jnp.maximum(*apart), 0.0)


def level_probabilities(
    n: Complex[Array, "2 2"], m: Complex[Array, "2 2"]
) -> tuple[Scalar, Scalar, Scalar, Scalar]:
    """That none of two levels, the first alone, the second alone, or both are occupied."""
    one, other = n[0, 0].real, n[1, 1].real
    joint = _squared(m[0, 1]) - _squared(n[0, 1])
    return (
        jnp.maximum((1.0 - one) * (1.0 - other) + joint, 0.0),
        jnp.maximum(one * (1.0 - other) - joint, 0.0),
        jnp.maximum((1.0 - one) * other - joint, 0.0),
        jnp.maximum(one * other + joint, 0.0),
    )


def _squared(z: Complex[Array, ""]) -> Scalar:
    return z.real**2 + z.imag**2
