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

from bathax.numerics.sparse import Entries, Pattern, pattern

# How many patterns are kept for reuse; a large one takes tens of megabytes.
RECENT = 16
# Components |0><0|, |0><1|, |1><0|, |1><1| of the qubit, and their i - j.
OFFSET = np.array([0, -1, 1, 0])
GROUND, COHERENCE, EXCITED = 0, 2, 3

# The most quanta, and the weight of a quantum in each mode.
Size = tuple[int, tuple[float, ...]]

_LOWER = np.array([[0.0, 1.0], [0.0, 0.0]])
_UNIT = np.eye(2)


def _on_left(s: np.ndarray) -> np.ndarray:
    """The matrix of rho -> s rho on the four components."""
    return np.kron(s, _UNIT)


def _on_right(s: np.ndarray) -> np.ndarray:
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
    Hop(True, False, "output", _on_left(_LOWER.T) - _on_right(_LOWER.T)),
    Hop(False, False, "output*", _on_left(_LOWER) - _on_right(_LOWER)),
    Hop(True, True, "emission", _on_left(_LOWER)),
    Hop(True, True, "absorption", -_on_right(_LOWER)),
    Hop(False, True, "emission*", -_on_right(_LOWER.T)),
    Hop(False, True, "absorption*", _on_left(_LOWER.T)),
)
VECTORS = ("output", "emission", "absorption", "output*", "emission*", "absorption*")


def parameter_offsets(modes: int) -> dict[str, int]:
    """Where each parameter starts: two generators, then -i times six vectors and the frequency."""
    names = ("generator", "generator*", *VECTORS, "frequency")
    sizes = [modes**2] * 2 + [modes] * len(VECTORS)
    return dict(zip(names, np.cumsum([0, *sizes]).tolist(), strict=True))


def _among_more_modes(parameter: np.ndarray, modes: int, more: int) -> np.ndarray:
    """The positions of parameters if there are more modes."""
    k = np.arange(modes)
    blocks = [(more * k[:, None] + k[None, :]).ravel()] * 2 + [k] * len(VECTORS) + [[0]]
    starts = parameter_offsets(more).values()
    places = [start + np.asarray(block) for start, block in zip(starts, blocks, strict=True)]
    return np.concatenate(places)[parameter]


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
    """The number of elements of both charges, without making the much larger pattern."""
    return sum(len(elements(depth, weights, charge).left) for charge in (0, 1))


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


class Structure(NamedTuple):
    """The adjoint generator of both charges and of several hierarchies side by side.

    `sizes` are those of the hierarchies, which share the parameters of the one with most modes.
    `excited`, `ground` and `coherence` are the positions of |1><1|, |0><0| and |1><0| of each.
    """

    pattern: Pattern
    sizes: tuple[Size, ...]
    excited: tuple[int, ...]
    ground: tuple[int, ...]
    coherence: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of elements of all."""
        return self.pattern.size

    @property
    def modes(self) -> int:
        """The number of modes that the parameters belong to."""
        return max(len(weights) for _, weights in self.sizes)


@lru_cache(RECENT)
def structure(*sizes: Size) -> Structure:
    """The pattern of hierarchies of these depths and weights of a quantum in each mode."""
    most = max(len(weights) for _, weights in sizes)
    blocks = []
    for depth, weights in sizes:
        for charge in (0, 1):
            kept, terms = entries(depth, weights, charge)
            blocks.append((kept, _widened(_adjoint(terms), len(weights), most)))
    return _side_by_side(sizes, blocks)


def _adjoint(terms: Entries) -> Entries:
    return terms._replace(row=terms.column, column=terms.row)


def _widened(terms: Entries, modes: int, more: int) -> Entries:
    return terms._replace(parameter=_among_more_modes(terms.parameter, modes, more))


def _side_by_side(sizes: tuple[Size, ...], blocks: list[tuple[Elements, Entries]]) -> Structure:
    """One matrix with a block for each charge of each hierarchy."""
    counts = [len(kept.left) for kept, _ in blocks]
    starts = np.cumsum([0, *counts]).tolist()
    moved = [
        terms._replace(row=terms.row + start, column=terms.column + start)
        for (_, terms), start in zip(blocks, starts, strict=False)
    ]
    joined = Entries(*(np.concatenate(part) for part in zip(*moved, strict=True)))

    def places(component: int, charge: int) -> tuple[int, ...]:
        chosen = zip(blocks[charge::2], starts[charge::2], strict=False)
        return tuple(start + _bare(kept, component) for (kept, _), start in chosen)

    return Structure(
        pattern(joined, starts[-1]),
        sizes,
        excited=places(EXCITED, 0),
        ground=places(GROUND, 0),
        coherence=places(COHERENCE, 1),
    )


def _bare(kept: Elements, component: int) -> int:
    """The element of the density matrix itself, without quanta on either side."""
    bare = (kept.left == 0) & (kept.right == 0) & (kept.component == component)
    return int(np.flatnonzero(bare)[0])


class Regression(NamedTuple):
    """The pattern for two-time functions: populations forward in time, the coherence backward.

    `structure` has the generator of charge 0 and the adjoint one of charge 1 side by side. The
    first rows of `right` and `left` are elements of rho, the second rows the elements of rho s+ and
    of s+ rho that they become.
    """

    structure: Structure
    populations: int
    right: np.ndarray
    left: np.ndarray


@lru_cache(RECENT)
def regression(size: Size) -> Regression:
    """The pattern for two-time functions of a hierarchy of this depth with these weights."""
    depth, weights = size
    populations, first = entries(depth, weights, charge=0)
    coherences, second = entries(depth, weights, charge=1)
    shift = len(populations.left)
    both = _side_by_side((size,), [(populations, first), (coherences, _adjoint(second))])
    indices, raised = multi_indices(depth, weights), _LOWER.T
    right, left = (
        _product(populations, coherences, indices, operator) + np.array([[0], [shift]])
        for operator in (_on_right(raised), _on_left(raised))
    )
    return Regression(both, shift, right, left)


def _product(
    before: Elements, after: Elements, indices: MultiIndices, on_qubit: np.ndarray
) -> np.ndarray:
    """Which elements become which when an operator acts on the qubit alone."""
    pairs, count = [], len(indices.weight)
    for target, source in np.argwhere(on_qubit):
        at = np.flatnonzero(before.component == source)
        moved = Elements(before.left[at], before.right[at], np.full(len(at), target))
        pairs.append((at, np.searchsorted(after.codes(count), moved.codes(count))))
    return np.concatenate(pairs, axis=1)
