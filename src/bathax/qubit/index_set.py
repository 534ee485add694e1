r"""Which auxiliary matrices of the hierarchy are kept, and how they couple.

The hierarchy has numbers of quanta m on the left of the density matrix and n on its right, in
reduced modes of the reservoir (see `hierarchy`). An element is a component |i><j| of the qubit in
the auxiliary matrix (m, n). Quanta are conserved, so that i - j = charge + |n| - |m|, where the
charge is 0 for elements that couple to the populations and 1 for those that couple to the
coherence. Quanta have weights, larger in less important modes; a pair (m, n) is kept if its quanta
weigh at most `depth` together.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from bathax.numerics.sparse import Entries

# How many index sets and patterns are kept for reuse; a large one takes tens of megabytes.
RECENT = 16
# Components |0><0|, |0><1|, |1><0|, |1><1| of the qubit, and their i - j.
OFFSET = np.array([0, -1, 1, 0])
# |j><i| for each of them.
TRANSPOSED = np.array([0, 2, 1, 3])

# The most quanta, and the weight of a quantum in each mode.
Size = tuple[int, tuple[float, ...]]

LOWER = np.array([[0.0, 1.0], [0.0, 0.0]])
_UNIT = np.eye(2)


def on_left(s: np.ndarray) -> np.ndarray:
    """The matrix of rho -> s rho on the four components."""
    return np.kron(s, _UNIT)


def on_right(s: np.ndarray) -> np.ndarray:
    """The matrix of rho -> rho s on the four components."""
    return np.kron(_UNIT, s.T)


class Hop(NamedTuple):
    """A term that changes one side by one quantum: its parameters and its action on the qubit.

    The factor -i that all hops have is part of the parameters.
    """

    left: bool
    raises: bool
    parameter: str
    on_qubit: np.ndarray


HOPS = (
    Hop(True, False, "output", on_left(LOWER.T) - on_right(LOWER.T)),
    Hop(False, False, "output*", on_left(LOWER) - on_right(LOWER)),
    Hop(True, True, "emission", on_left(LOWER)),
    Hop(True, True, "absorption", -on_right(LOWER)),
    Hop(False, True, "emission*", -on_right(LOWER.T)),
    Hop(False, True, "absorption*", on_left(LOWER.T)),
)
VECTORS = ("output", "emission", "absorption", "output*", "emission*", "absorption*")


def parameter_offsets(modes: int) -> dict[str, int]:
    """Where each parameter starts: two generators, then -i times six vectors and the frequency."""
    names = ("generator", "generator*", *VECTORS, "frequency")
    sizes = [modes**2] * 2 + [modes] * len(VECTORS)
    return dict(zip(names, np.cumsum([0, *sizes]).tolist(), strict=True))


def size_of(depth: int, tilt: float, count: int) -> Size:
    """A depth, and the weights 1, 1 + tilt, ... of a quantum, for modes in which one is allowed."""
    weights = (1.0 + math.floor(1000.0 * tilt) / 1000.0 * k for k in range(count))
    return depth, tuple(weight for weight in weights if weight <= depth)


class MultiIndices(NamedTuple):
    """All multi-indices of quanta up to a weight, lightest first, and their neighbours.

    `up[i, k]` is the index with one more quantum in mode k, or -1 if that is too heavy; `down` has
    one quantum less.
    """

    quanta: np.ndarray
    weight: np.ndarray
    up: np.ndarray
    down: np.ndarray


@lru_cache(RECENT)
def multi_indices(depth: int, weights: tuple[float, ...]) -> MultiIndices:
    """Multi-indices of weight up to `depth`, given the weight of a quantum in each mode."""
    quanta, weight = _quanta(depth, weights)
    place = {tuple(row): i for i, row in enumerate(quanta.tolist())}
    up, down = (
        np.array(
            [[place.get(tuple(row), -1) for row in (q + sign * step).tolist()] for q in quanta]
        )
        for step in (np.eye(len(weights), dtype=int),)
        for sign in (1, -1)
    )
    return MultiIndices(quanta, weight, up, down)


@lru_cache(RECENT)
def _quanta(depth: int, weights: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of quanta and their weight, lightest first; weights rise from mode to mode."""
    modes, heaviest = len(weights), depth + 1e-9
    found = [((0,) * modes, 0, 0.0)]
    for quanta, last, weight in found:  # grows while it is read
        for k in range(last, modes):
            if weight + weights[k] > heaviest:
                break
            more = (*quanta[:k], quanta[k] + 1, *quanta[k + 1 :])
            found.append((more, k, weight + weights[k]))
    quanta = np.array([quanta for quanta, _, _ in found])
    weight = quanta @ np.array(weights)
    order = np.argsort(weight, kind="stable")
    return quanta[order], weight[order]


class Elements(NamedTuple):
    """Positions of the left and right multi-index and the qubit's component of each element."""

    left: np.ndarray
    right: np.ndarray
    component: np.ndarray

    def codes(self, count: int) -> np.ndarray:
        """An integer that identifies each element, given the number of multi-indices."""
        return (self.left * count + self.right) * 4 + self.component

    @property
    def is_first(self) -> np.ndarray:
        """Of two elements of charge 0 that are Hermitian conjugates, the one that is kept."""
        return self.left >= self.right


def elements(depth: int, weights: tuple[float, ...], charge: int) -> Elements:
    """The elements of one charge, ordered by their codes."""
    quanta, weight = _quanta(depth, weights)
    partners = np.searchsorted(weight, depth + 1e-9 - weight, side="right")
    left = np.repeat(np.arange(len(partners)), partners)
    right = np.concatenate([np.arange(count) for count in partners])
    total = quanta.sum(axis=1)
    offset = charge + total[right] - total[left]
    pair, component = np.nonzero(offset[:, None] == OFFSET[None, :])
    return Elements(left[pair], right[pair], component)


def count_elements(depth: int, weights: tuple[float, ...]) -> int:
    """The number of elements that the map needs, without making the much larger pattern."""
    populations, coherences = (elements(depth, weights, charge) for charge in (0, 1))
    return int(np.count_nonzero(populations.is_first)) + len(coherences.left)


def entries(depth: int, weights: tuple[float, ...], charge: int) -> tuple[Elements, Entries]:
    """The elements of one charge and the generator between them."""
    indices, kept = multi_indices(depth, weights), elements(depth, weights, charge)
    terms = [_rotation(kept, len(weights))]
    terms += [_damping(kept, indices, left) for left in (True, False)]
    terms += [_hops(kept, indices, hop) for hop in HOPS]
    return kept, Entries(*(np.concatenate(part) for part in zip(*terms, strict=True)))


def _rotation(kept: Elements, modes: int) -> Entries:
    """-i w_s [s+s-, rho]."""
    at = np.flatnonzero(OFFSET[kept.component])
    frequency = np.full(len(at), parameter_offsets(modes)["frequency"])
    return Entries(at, at, frequency, OFFSET[kept.component[at]].astype(float))


def _damping(kept: Elements, indices: MultiIndices, left: bool) -> Entries:
    """-sum_jk A_jk d'_j d_k on one side, with d the lowering operators of normalised quanta."""
    modes, side = indices.quanta.shape[1], kept.left if left else kept.right
    source, k = np.nonzero(indices.quanta[side])
    source, k = np.repeat(source, modes), np.repeat(k, modes)
    j = np.tile(np.arange(modes), len(source) // modes)
    below = indices.down[side[source], k]
    root = np.sqrt(indices.quanta[side[source], k] * (indices.quanta[below, j] + 1.0))
    offset = parameter_offsets(modes)["generator" if left else "generator*"]
    target = _moved(kept, indices, source, indices.up[below, j], left)
    return _existing(target, source, offset + j * modes + k, -root)


def _hops(kept: Elements, indices: MultiIndices, hop: Hop) -> Entries:
    """One quantum more or less on one side, with the root of the number of quanta."""
    modes, side = indices.quanta.shape[1], kept.left if hop.left else kept.right
    offset, terms = parameter_offsets(modes)[hop.parameter], []
    for after, before in np.argwhere(hop.on_qubit).tolist():
        source = np.repeat(np.flatnonzero(kept.component == before), modes)
        k = np.tile(np.arange(modes), len(source) // modes)
        step = indices.up if hop.raises else indices.down
        target = _moved(kept, indices, source, step[side[source], k], hop.left, after)
        root = np.sqrt(indices.quanta[side[source], k] + float(hop.raises))
        terms.append(_existing(target, source, offset + k, hop.on_qubit[after, before] * root))
    return Entries(*(np.concatenate(part) for part in zip(*terms, strict=True)))


def _moved(
    kept: Elements,
    indices: MultiIndices,
    source: np.ndarray,
    place: np.ndarray,
    left: bool,
    component: int | None = None,
) -> np.ndarray:
    """The element with another multi-index on one side (and component), -1 if not kept."""
    count = len(indices.weight)
    other = (kept.right if left else kept.left)[source]
    qubit = kept.component[source] if component is None else np.full(len(source), component)
    moved = Elements(place, other, qubit) if left else Elements(other, place, qubit)
    codes, wanted = kept.codes(count), moved.codes(count)
    at = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
    return np.where((place >= 0) & (codes[at] == wanted), at, -1)


def _existing(
    target: np.ndarray, source: np.ndarray, parameter: np.ndarray, factor: np.ndarray
) -> Entries:
    there = target >= 0
    return Entries(target[there], source[there], parameter[there], factor[there])
