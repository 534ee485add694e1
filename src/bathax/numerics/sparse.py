"""Sparse matrices whose pattern is fixed and whose entries are linear in a few parameters.

A matrix of n rows may have 2 n columns: those from n on multiply the conjugate of a vector. Many
entries are the same combination of parameters: a matrix stores the distinct ones.
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Int

from bathax._checks import Scalar
from bathax.numerics.contraction import Triples, contracted, triples


class Entries(NamedTuple):
    """Terms factor * parameters[parameter] at (row, column), which add up; one line for each."""

    row: np.ndarray
    column: np.ndarray
    parameter: np.ndarray
    factor: np.ndarray


class Pattern(NamedTuple):
    """Where the entries of a matrix are, and the terms that each distinct value is a sum of.

    `entries` has the rows, the columns and the numbers of the values; `triples` are the same. Value
    `value`, in increasing order, is a sum of terms factor * parameters[parameter].
    """

    entries: np.ndarray
    triples: Triples
    value: np.ndarray
    parameter: np.ndarray
    factor: np.ndarray
    size: int


def pattern(entries: Entries, size: int) -> Pattern:
    """The pattern of a matrix of so many rows."""
    columns = 2 * size
    places, place = np.unique(
        entries.row.astype(np.int64) * columns + entries.column, return_inverse=True
    )
    number, first = _distinct(entries, place)
    # The terms of one entry with each value.
    kept = first[number[place]] == place
    order = np.argsort(number[place[kept]], kind="stable")
    value, parameter, factor = (
        part[kept][order] for part in (number[place], entries.parameter, entries.factor)
    )
    where = np.stack([*np.divmod(places, columns), number]).astype(np.int32)
    sums = triples(where, (size, columns, len(first)))
    return Pattern(where, sums, value.astype(np.int32), parameter.astype(np.int32), factor, size)


def _distinct(entries: Entries, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The number of the value of each place, and the first place with each value."""
    _, parameter = np.unique(entries.parameter, return_inverse=True)
    kinds, factor = np.unique(entries.factor, return_inverse=True)
    term = parameter * len(kinds) + factor
    term = term[np.lexsort((term, place))]
    counts = np.bincount(place)
    starts = np.cumsum(counts) - counts
    number, first = np.zeros(len(counts), np.int64), []
    for count in np.unique(counts).tolist():
        at = np.flatnonzero(counts == count)
        terms = term[starts[at][:, None] + np.arange(count)[None, :]]
        _, own, found = np.unique(terms, axis=0, return_index=True, return_inverse=True)
        number[at] = len(first) + found.ravel()
        first.extend(at[own].tolist())
    return number, np.array(first, np.int64)


class SparseMatrix(eqx.Module):
    """A matrix that multiplies vectors by gathering; made from a `Pattern` and parameters.

    Values and vectors may both have a second axis, for the members of a batch.
    """

    entries: Int[Array, "3 entries"]
    triples: Triples
    values: Complex[Array, "values ..."]

    @staticmethod
    def of(pattern: Pattern, parameters: Complex[Array, " parameters"]) -> "SparseMatrix":
        """The matrix for these parameters."""
        places = jnp.asarray(pattern.parameter)
        taken = parameters.at[places].get(mode="promise_in_bounds", wrap_negative_indices=False)
        terms = jnp.asarray(pattern.factor).astype(complex) * taken
        values = jnp.zeros(pattern.triples.sizes[2], complex).at[pattern.value]
        values = values.add(terms, mode="promise_in_bounds", indices_are_sorted=True)
        return SparseMatrix(jnp.asarray(pattern.entries), pattern.triples, values)

    @property
    def size(self) -> int:
        """The number of rows."""
        return self.triples.sizes[0]

    def __matmul__(self, x: Complex[Array, "n ..."]) -> Complex[Array, "n ..."]:
        return contracted(self.triples, jnp.concatenate([x, x.conj()]), self.values)

    def scaled(self, factor: Scalar) -> "SparseMatrix":
        """The matrix times a real number."""
        return SparseMatrix(self.entries, self.triples, self.values * factor.astype(complex))

    def leading_block(self, n: int) -> Complex[Array, "n n"]:
        """The first n rows and columns as a dense matrix, without those of conjugates."""
        row, column, value = self.entries
        return jnp.zeros((n, n), complex).at[row, column].add(self.values[value], mode="drop")
