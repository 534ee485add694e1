r"""The exact map of a qubit coupled to a few separate modes: exact diagonalisation.

The coupling conserves quanta, so that H has a block H_q for each total number q of them: the states
|0, n> with |n| = q and |1, n> with |n| = q - 1, where n are the numbers of quanta in the modes and
|n| is their sum. Modes that start uncorrelated and phase invariant are in |n> with probabilities
p(n). With U = e^{-iHt}, block by block,

P11 = \sum_n p(n) \sum_m |<1,m|U|1,n>|^2,    P00 = \sum_n p(n) \sum_m |<0,m|U|0,n>|^2,
c = \sum_n p(n) \sum_m <1,m|U|1,n> <0,m|U|0,n>*,    |m| = |n|.

Each is Tr[X e^{-iH t} R e^{iH' t}] for two blocks H and H', with X = \sum_m |m'><m| and
R = \sum_n p(n) |n><n'|; its time derivative has i (H' X - X H) in place of X.
"""

import math
from functools import lru_cache, partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Complex, Float

from bathax import _loops
from bathax._checks import (
    Scalar,
    are_times,
    is_concrete,
    is_valid,
    require,
    require_positive,
    require_whole,
)
from bathax._estimate import Estimate, judged
from bathax._linalg import eigh
from bathax._programs import optimised
from bathax.numerics.refinement import requested
from bathax.qubit.elements import MapElements, MapSolver
from bathax.qubit.index_set import multi_indices
from bathax.system.models import Qubit

# The most quanta among which their number is chosen, and the usual number inside `jit`.
MOST_QUANTA, USUAL = 512, 12
# The sum of cubed dimensions of blocks that are diagonalised within seconds.
WORK = 1e9
ROUNDING = 256.0 * np.finfo(float).eps


class Modes(eqx.Module):
    """Frequencies w_k and couplings V_k of all modes, and the qubit's frequency.

    `chances` are the probabilities of 0, 1, ... quanta in each mode.
    """

    splitting: Scalar
    frequencies: Float[Array, " modes"]
    couplings: Float[Array, " modes"]
    chances: Float[Array, "modes levels"]

    @staticmethod
    def of(qubit: Qubit) -> "Modes":
        """The modes of all reservoirs together."""
        baths = qubit.reservoirs
        known = [(bath.occupation, *(bath.spectral_density.modes or ())) for bath in baths]
        each = [(w, V, occupation.chances(w, MOST_QUANTA)) for occupation, w, V in known]
        return Modes(qubit.frequency, *map(jnp.concatenate, zip(*each, strict=True)))

    def probabilities(self, quanta: Float[Array, "states modes"]) -> Float[Array, " states"]:
        """p(n), the product of the probabilities of n_k quanta in each mode."""
        modes = np.arange(quanta.shape[1])[None, :]
        return jnp.prod(self.chances[modes, quanta.astype(int)], axis=1)

    def left_out(self) -> Float[Array, " quanta"]:
        """The probabilities of more than 0, 1, ... quanta in all modes, by generating functions."""
        function = jnp.prod(jnp.fft.fft(self.chances.astype(complex), axis=1), axis=0)
        return 1.0 - jnp.cumsum(jnp.fft.ifft(function).real)


class ExactDiagonalisation(MapSolver):
    """The exact map for reservoirs of `DiscreteModes` alone, for any times at the same cost.

    `rtol`: bound on the probability of more quanta than are kept, which is the error estimate of
    P11, P00 and c. `quanta`: the most quanta of all modes together at the start, if that is to be
    fixed. `max_size`: the most states in a block; there is one block for each number of quanta. If
    this leaves out too much, `status` tells. Inside `jit` there are 12 quanta, or as many as a
    sweep demands. First derivatives are exact, also at degenerate frequencies; second derivatives
    are NaN.

    Vacuum Rabi oscillation, P11 = cos^2(Vt):

    >>> mode = bx.DiscreteModes(frequencies=[1.0], couplings=[0.1])
    >>> qubit, ts = bx.Qubit(1.0, bx.Reservoir(mode)), jnp.linspace(0.0, 10.0 * jnp.pi, 9)
    >>> dmap = bx.dynamical_map(qubit, ts, bx.ExactDiagonalisation(quanta=1))
    >>> round(float(dmap.p11[2]), 4)  # at Vt = pi / 4
    0.5
    """

    rtol: float = eqx.field(static=True, default=1e-8)
    quanta: int | None = eqx.field(static=True, default=None)
    max_size: int = eqx.field(static=True, default=1500)

    def __check_init__(self) -> None:
        require_positive("rtol", self.rtol)
        require_whole("max_size", self.max_size, 2)
        if self.quanta is not None:
            require_whole("quanta", self.quanta, 0)

    def map_elements(self, qubit: Qubit, ts: Float[Array, " times"]) -> Estimate[MapElements]:
        for bath in qubit.reservoirs:
            density = bath.spectral_density
            words = "`DiscreteModes` for the solver `ExactDiagonalisation`"
            known = density.modes is not None
            require("spectral_density", words, type(density).__name__, known)
        modes = Modes.of(qubit)
        valid = is_valid(qubit) & are_times(ts)
        return _estimate(modes, ts, valid, blocks(self.kept(modes), _count(modes)), self.rtol)

    def kept(self, modes: Modes) -> int:
        """The most quanta at the start: as many as `rtol` needs, if `max_size` allows them."""
        if self.quanta is not None:
            return self.quanta
        needed = _needed(modes, self.rtol)
        wanted = int(needed if is_concrete(needed) else requested(needed.astype(float), USUAL))
        allowed = (
            q for q in range(wanted, 0, -1) if largest_block(q, _count(modes)) <= self.max_size
        )
        return next(allowed, 0)

    def is_cheap(self, qubit: Qubit) -> bool:
        """Whether a qubit with concrete parameters is solved to the tolerance within seconds."""
        if not qubit.has_modes:
            return False
        modes = Modes.of(qubit)
        needed = int(_needed(modes, self.rtol))
        size = largest_block(needed, _count(modes))
        return size <= self.max_size and (needed + 1.0) * float(size) ** 3 <= WORK


def _count(modes: Modes) -> int:
    return modes.frequencies.shape[0]


@optimised
def _needed(modes: Modes, rtol: float) -> Array:
    """How many quanta to keep, so that the probability of more is within the tolerance."""
    enough = lax.stop_gradient(modes.left_out()) <= max(rtol, ROUNDING)
    return jnp.where(jnp.any(enough), jnp.argmax(enough), MOST_QUANTA)


def largest_block(quanta: int, modes: int) -> int:
    """The size of the largest block, which has one quantum more than the modes at the start."""
    return math.comb(quanta + modes, modes - 1) + math.comb(quanta + modes - 1, modes - 1)


class Blocks(NamedTuple):
    """Blocks of H for 0, 1, ... quanta, padded to one size with uncoupled states.

    The first `ground` states of a block are |0, n>, the others |1, n>. `numbers` holds n for each
    state, `excited` the quanta of the qubit, and `real` is 0 for the padding. For each coupling
    there are its `row`, `column` and `mode`, and its `factor`, the root of the number of quanta.
    """

    ground: int
    numbers: np.ndarray
    excited: np.ndarray
    real: np.ndarray
    row: np.ndarray
    column: np.ndarray
    mode: np.ndarray
    factor: np.ndarray

    @property
    def quanta(self) -> int:
        """The most quanta at the start."""
        return len(self.numbers) - 2


@lru_cache(16)
def blocks(quanta: int, modes: int) -> Blocks:
    """The blocks that can be reached from up to `quanta` quanta of the modes at the start."""
    indices = multi_indices(quanta + 1, (1.0,) * modes)
    total = indices.quanta.sum(axis=1)
    ground, excited = (int(np.sum(total == q)) for q in (quanta + 1, quanta))
    shape = (quanta + 2, ground + excited)
    numbers, real = np.zeros((*shape, modes)), np.zeros(shape)
    couplings = np.zeros((4, quanta + 2, excited * modes))
    first = np.searchsorted(total, np.arange(quanta + 2))
    for q in range(quanta + 2):
        empty, filled = np.flatnonzero(total == q), np.flatnonzero(total == q - 1)
        for start, found in ((0, empty), (ground, filled)):
            numbers[q, start : start + len(found)] = indices.quanta[found]
            real[q, start : start + len(found)] = 1.0
        at, k = np.divmod(np.arange(len(filled) * modes), modes)
        row = indices.up[filled[at], k] - first[q]
        root = np.sqrt(indices.quanta[filled[at], k] + 1.0)
        couplings[:, q, : len(at)] = row, ground + at, k, root
    row, column, mode = couplings[:3].astype(np.int32)
    is_excited = np.where(np.arange(ground + excited) >= ground, 1.0, 0.0)
    return Blocks(ground, numbers, is_excited, real, row, column, mode, couplings[3])


@optimised
def _estimate(
    modes: Modes,
    ts: Float[Array, " times"],
    valid: Bool[Array, ""],
    pattern: Blocks,
    rtol: float,
) -> Estimate[MapElements]:
    """The map elements, with errors from the quanta that are left out."""
    modes = jax.tree.map(lambda x: jnp.where(valid, x, jnp.ones_like(x)), modes)
    kept, sums = _sums(modes, jnp.where(valid, ts, 0.0), pattern)
    (p00, dp00), (p11, dp11), (c, dc) = sums
    value = MapElements(p11=p11.real, p00=p00.real, c=c, dp11=dp11.real, dp00=dp00.real, dc=dc)
    missing = lax.stop_gradient(jnp.maximum(1.0 - kept, 0.0)) + ROUNDING
    # Rates of change are bounded by the norm of the coupling for the quanta that are left out.
    started = jnp.sum(modes.chances @ np.arange(float(MOST_QUANTA))) + _count(modes)
    quanta = pattern.quanta + 1.0 + started
    rate = lax.stop_gradient(jnp.sqrt(quanta * jnp.sum(modes.couplings**2)))
    splitting = lax.stop_gradient(modes.splitting)
    bounds = (missing, missing, missing, missing * rate, missing * rate)
    of_turning = missing * (rate + splitting)
    errors = MapElements(*(jnp.full_like(ts, bound) for bound in (*bounds, of_turning)))
    return judged(ts, value, errors, valid=valid, reached=missing <= rtol)


def _sums(
    modes: Modes, ts: Float[Array, " times"], pattern: Blocks
) -> tuple[Scalar, Complex[Array, "3 2 times"]]:
    """The probability of what is kept, and P00, P11 and c with their derivatives."""

    def hamiltonian(block: list[Array]) -> tuple[Array, ...]:
        numbers, real, row, column, mode, factor = block
        energy = numbers @ modes.frequencies + modes.splitting * jnp.asarray(pattern.excited)
        coupling = jnp.zeros((size, size)).at[row, column].add(modes.couplings[mode] * factor)
        matrix = jnp.diag(energy * real) + coupling + coupling.T
        return matrix, modes.probabilities(numbers) * real

    def of_quanta(lower_and_upper: tuple) -> tuple[Scalar, Array]:
        (lower, chance), (upper, _) = map(hamiltonian, lower_and_upper)
        below, above = Block.of(lower), Block.of(upper)
        chance = chance[:excited]
        pairs = {(0, 0): (below, below), (top, top): (above, above), (top, 0): (above, below)}
        found = [_traces(rows, *pair, chance, ts) for rows, pair in pairs.items()]
        return jnp.sum(chance), jnp.stack(found)

    size = len(pattern.excited)
    top, excited = pattern.ground, size - pattern.ground
    parts = [jnp.asarray(part) for part in (pattern.numbers, pattern.real, *pattern[4:])]
    neighbours = ([part[:-1] for part in parts], [part[1:] for part in parts])
    chances, sums = _loops.map(of_quanta, neighbours)
    return jnp.sum(chances), jnp.sum(sums, axis=0)


# --- Traces with the exponentials of two blocks ------------------------------------------------


class Block(eqx.Module):
    """A block of H with its eigenvalues and eigenvectors, which are constant to differentiation."""

    matrix: Float[Array, "n n"]
    values: Float[Array, " n"]
    vectors: Float[Array, "n n"]

    @staticmethod
    def of(matrix: Float[Array, "n n"]) -> "Block":
        """The block, diagonalised."""
        return Block(matrix, *eigh(matrix))

    def once_differentiable(self) -> "Block":
        """The same block, with NaN as derivative: constant eigenvectors would make it wrong."""
        values = self.values + jnp.sqrt(0.0 * jnp.diagonal(self.matrix) ** 2)
        return Block(self.matrix, values, self.vectors)

    def phases(self, ts: Float[Array, "..."]) -> Complex[Array, "... n"]:
        """e^{-iEt}."""
        return jnp.exp(-1j * jnp.multiply.outer(ts, self.values).astype(complex))

    def quotients(self, t: Scalar) -> Complex[Array, "n n"]:
        """(e^{-iEt} - e^{-iE't}) / (E - E'), whose limit at equal eigenvalues is -it e^{-iEt}."""
        mean = 0.5 * (self.values[:, None] + self.values[None, :])
        gap = 0.5 * (self.values[:, None] - self.values[None, :])
        smooth = jnp.sinc(gap * t / np.pi).astype(complex)
        return -1j * t.astype(complex) * jnp.exp(-1j * (mean * t).astype(complex)) * smooth


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _traces(
    rows: tuple[int, int],
    left: Block,
    right: Block,
    chance: Float[Array, " states"],
    ts: Float[Array, " times"],
) -> Complex[Array, "2 times"]:
    """Tr[X e^{-iHt} R e^{iH't}], H on the left and H' on the right, and its time derivative.

    `rows` are where the states n and n' begin in H and in H', `chance` is p(n).
    """
    n, m = _states(rows, left, right, chance)
    weights = (n.T @ m) * (n.T @ (chance[:, None] * m))
    gap = right.values[None, :] - left.values[:, None]
    both = jnp.stack([weights.astype(complex), 1j * (gap * weights).astype(complex)])
    return _summed(left, right, both, ts)


def _states(rows: tuple[int, int], left: Block, right: Block, chance: Array) -> tuple[Array, Array]:
    """The states n in the eigenbasis of H, and n' in that of H'."""
    count = chance.shape[0]
    return left.vectors[rows[0] : rows[0] + count], right.vectors[rows[1] : rows[1] + count]


def _summed(
    left: Block, right: Block, weights: Complex[Array, "2 n n"], ts: Float[Array, " times"]
) -> Complex[Array, "2 times"]:
    """sum_ab e^{-iE_a t} weights_ab e^{iE'_b t}."""
    return jnp.sum((left.phases(ts) @ weights) * right.phases(ts).conj()[None], axis=-1)


@_traces.defjvp
def _traces_jvp(rows: tuple[int, int], primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    """By divided differences of the exponential, which are finite at degenerate eigenvalues."""
    (left, right, chance, ts), (dleft, dright, dchance, dts) = primals, tangents
    left, right = left.once_differentiable(), right.once_differentiable()
    n, m = _states(rows, left, right, chance)
    r, dr = ((n.T @ (p[:, None] * m)).astype(complex) for p in (chance, dchance))
    x = (m.T @ n).astype(complex)
    gap = (right.values[:, None] - left.values[None, :]).astype(complex)
    on_left, on_right = (
        (h.vectors.T @ dh.matrix @ h.vectors).astype(complex)
        for h, dh in ((left, dleft), (right, dright))
    )
    # X with its first and second time derivative, then how dH changes them.
    xs = jnp.stack([x, 1j * gap * x, -(gap**2) * x])
    dx = jnp.stack([jnp.zeros_like(x), 1j * (on_right @ x - x @ on_left)])
    crossed = jnp.swapaxes(xs, 1, 2)
    change = _summed(left, right, crossed[:2] * dr[None] + jnp.swapaxes(dx, 1, 2) * r[None], ts)
    change += _summed(left, right, crossed[1:] * r[None], ts) * dts.astype(complex)[None]

    def of_exponentials(t: Scalar) -> Complex[Array, " two"]:
        after, before = left.phases(t)[:, None], right.phases(t).conj()[None, :]
        first = jnp.swapaxes((r * before) @ xs[:2], 1, 2) * (left.quotients(t) * on_left)[None]
        second = (xs[:2] @ (after * r)) * (right.quotients(t).conj() * on_right)[None]
        return jnp.sum(first + second, axis=(1, 2))

    change += _loops.map(of_exponentials, ts).T
    return _summed(left, right, crossed[:2] * r[None], ts), change
