"""The generator of a hierarchy as a sparse pattern, arranged for the map or for two-time functions.

An operator that is Hermitian has conjugate components |i><j| in (m, n) and |j><i| in (n, m). The
populations evolve in such operators, so that the map keeps one of the two.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from bathax.numerics.sparse import Entries, Pattern, pattern
from bathax.qubit.index_set import (
    LOWER,
    RECENT,
    TRANSPOSED,
    VECTORS,
    Elements,
    MultiIndices,
    Size,
    entries,
    multi_indices,
    on_left,
    on_right,
    parameter_offsets,
)

GROUND, COHERENCE, EXCITED = 0, 2, 3


class Structure(NamedTuple):
    """The adjoint generator of both charges and of several hierarchies side by side.

    Of elements that are Hermitian conjugates it has one; see `sparse` for the columns of the other.
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
            both = kept, _widened(_adjoint(terms), len(weights), most)
            blocks.append(both if charge else _hermitian(*both))
    return _side_by_side(sizes, blocks)


def _adjoint(terms: Entries) -> Entries:
    return terms._replace(row=terms.column, column=terms.row)


def _among_more_modes(parameter: np.ndarray, modes: int, more: int) -> np.ndarray:
    """The positions of parameters if there are more modes."""
    k = np.arange(modes)
    blocks = [(more * k[:, None] + k[None, :]).ravel()] * 2 + [k] * len(VECTORS) + [[0]]
    starts = parameter_offsets(more).values()
    places = [start + np.asarray(block) for start, block in zip(starts, blocks, strict=True)]
    return np.concatenate(places)[parameter]


def _hermitian(kept: Elements, terms: Entries) -> tuple[Elements, Entries]:
    """The first of each pair of conjugates, in terms of itself and of conjugates of others."""
    first, count = kept.is_first, int(kept.left.max()) + 1
    other = Elements(kept.right, kept.left, TRANSPOSED[kept.component])
    partner = np.searchsorted(kept.codes(count), other.codes(count))
    place, size = np.cumsum(first) - 1, np.count_nonzero(first)
    column = np.where(first, place, size + place[partner])[terms.column]
    rows = first[terms.row]
    moved = terms._replace(row=place[terms.row], column=column)
    return Elements(*(part[first] for part in kept)), Entries(*(part[rows] for part in moved))


def _widened(terms: Entries, modes: int, more: int) -> Entries:
    return terms._replace(parameter=_among_more_modes(terms.parameter, modes, more))


def _side_by_side(sizes: tuple[Size, ...], blocks: list[tuple[Elements, Entries]]) -> Structure:
    """One matrix with a block for each charge of each hierarchy."""
    counts = [len(kept.left) for kept, _ in blocks]
    starts = np.cumsum([0, *counts]).tolist()
    moved = [
        terms._replace(
            row=terms.row + start,
            # Columns of conjugates come after those of all elements.
            column=terms.column + start + (terms.column >= count) * (starts[-1] - count),
        )
        for (_, terms), start, count in zip(blocks, starts, counts, strict=False)
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
    indices, raised = multi_indices(depth, weights), LOWER.T
    right, left = (
        _product(populations, coherences, indices, operator) + np.array([[0], [shift]])
        for operator in (on_right(raised), on_left(raised))
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
