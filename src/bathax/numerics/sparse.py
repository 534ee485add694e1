"""Sparse matrices whose pattern is fixed and whose entries are linear in a few parameters.

A matrix of n rows may have 2 n columns: those from n on multiply the conjugate of a vector.
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Int

# Rows are cut into pieces of WIDTH entries; the last piece of a row is padded with zeros.
WIDTH = 16


class Entries(NamedTuple):
    """Terms factor * parameters[parameter] at (row, column), which add up; one line for each."""

    row: np.ndarray
    column: np.ndarray
    parameter: np.ndarray
    factor: np.ndarray


class Pattern(NamedTuple):
    """Entries of a matrix in pieces of rows, and the terms that each is a sum of.

    `row` tells which row a piece belongs to, in increasing order; `entry` the position in all
    pieces, in increasing order, that a term factor * parameters[parameter] is added to.
    """

    row: np.ndarray
    column: np.ndarray
    entry: np.ndarray
    parameter: np.ndarray
    factor: np.ndarray
    size: int


def pattern(entries: Entries, size: int) -> Pattern:
    """The pattern of a matrix of so many rows."""
    columns = 2 * size
    places, place = np.unique(
        entries.row.astype(np.int64) * columns + entries.column, return_inverse=True
    )
    row, column = np.divmod(places, columns)
    counts = np.bincount(row, minlength=size)
    pieces = -(-counts // WIDTH)
    # The number of an entry within its row, and from it where it is in all pieces.
    number = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    position = WIDTH * (np.cumsum(pieces) - pieces)[row] + number
    columns = np.zeros(WIDTH * pieces.sum(), np.int32)
    columns[position] = column
    entry = position[place]
    order = np.argsort(entry, kind="stable")
    return Pattern(
        row=np.repeat(np.arange(size, dtype=np.int32), pieces),
        column=columns.reshape(-1, WIDTH),
        entry=entry[order].astype(np.int32),
        parameter=entries.parameter[order].astype(np.int32),
        factor=entries.factor[order],
        size=size,
    )


class SparseMatrix(eqx.Module):
    """A matrix that multiplies vectors by gathering; made from a `Pattern` and parameters."""

    row: Int[Array, " pieces"]
    column: Int[Array, "pieces width"]
    values: Complex[Array, "pieces width"]
    size: int = eqx.field(static=True)

    @staticmethod
    def of(pattern: Pattern, parameters: Complex[Array, " parameters"]) -> "SparseMatrix":
        """The matrix for these parameters."""
        terms = jnp.asarray(pattern.factor).astype(complex) * _taken(parameters, pattern.parameter)
        row, column = jnp.asarray(pattern.row), jnp.asarray(pattern.column)
        values = jnp.zeros(column.size, complex).at[pattern.entry]
        values = values.add(terms, mode="promise_in_bounds", indices_are_sorted=True)
        return SparseMatrix(row, column, values.reshape(column.shape), pattern.size)

    def __matmul__(self, x: Complex[Array, " n"]) -> Complex[Array, " n"]:
        return self.times(x, jnp.ones(()))

    def times(self, x: Complex[Array, " n"], factor: Array) -> Complex[Array, " n"]:
        """The product with x, times a real number."""
        own = self.column < self.size
        taken = _taken(x, jnp.where(own, self.column, self.column - self.size))
        taken = jnp.where(own, taken, taken.conj())
        pieces = jnp.sum(self.values * taken, axis=1) * factor.astype(complex)
        rows = jnp.zeros(self.size, complex).at[self.row]
        return rows.add(pieces, mode="promise_in_bounds", indices_are_sorted=True)

    def leading_block(self, n: int) -> Complex[Array, "n n"]:
        """The first n rows and columns as a dense matrix, without those of conjugates."""
        block = jnp.zeros((n, n), complex).at[self.row[:, None], self.column]
        return block.add(self.values, mode="drop")


def _taken(x: Array, places: Array | np.ndarray) -> Array:
    """x[places] for places known to be inside."""
    return x.at[places].get(mode="promise_in_bounds", wrap_negative_indices=False)
