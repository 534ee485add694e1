"""Sparse matrices whose pattern is fixed and whose entries are linear in a few parameters."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Int

# Rows, sorted by their number of entries, are cut into so many groups, each padded to its longest.
GROUPS = 6


class Entries(NamedTuple):
    """sum of factor * parameters[parameter] at (row, column), one line for each term."""

    row: np.ndarray
    column: np.ndarray
    parameter: np.ndarray
    factor: np.ndarray


class Pattern(NamedTuple):
    """Entries in groups of rows, padded with zero factors, and the rows' places in the result."""

    columns: tuple[np.ndarray, ...]
    parameters: tuple[np.ndarray, ...]
    factors: tuple[np.ndarray, ...]
    place: np.ndarray


def pattern(entries: Entries, size: int) -> Pattern:
    """The pattern of a square matrix of that size."""
    counts = np.bincount(entries.row, minlength=size)
    order = np.argsort(-counts, kind="stable")
    sorted_terms = np.argsort(entries.row, kind="stable")
    first = np.cumsum(counts) - counts
    columns, parameters, factors = [], [], []
    for rows in np.array_split(order, min(GROUPS, size)):
        slot = np.arange(counts[rows].max(initial=1))[None, :]
        used = slot < counts[rows, None]
        term = sorted_terms[np.where(used, first[rows, None] + slot, 0)]
        columns.append(np.where(used, entries.column[term], 0))
        parameters.append(np.where(used, entries.parameter[term], 0))
        factors.append(np.where(used, entries.factor[term], 0.0))
    return Pattern(tuple(columns), tuple(parameters), tuple(factors), np.argsort(order))


class SparseMatrix(eqx.Module):
    """A matrix that multiplies vectors by gathering; made from a `Pattern` and parameters."""

    columns: tuple[Int[Array, "_ _"], ...]
    values: tuple[Complex[Array, "_ _"], ...]
    place: Int[Array, " n"]

    @staticmethod
    def of(pattern: Pattern, parameters: Complex[Array, " parameters"]) -> "SparseMatrix":
        """The matrix for these parameters."""
        values = tuple(
            jnp.asarray(factor, complex) * parameters[parameter]
            for factor, parameter in zip(pattern.factors, pattern.parameters, strict=True)
        )
        columns = tuple(jnp.asarray(column) for column in pattern.columns)
        return SparseMatrix(columns, values, jnp.asarray(pattern.place))

    def __matmul__(self, x: Complex[Array, " n"]) -> Complex[Array, " n"]:
        groups = zip(self.columns, self.values, strict=True)
        rows = [jnp.sum(value * x[column], axis=1) for column, value in groups]
        return jnp.concatenate(rows)[self.place]

    def leading_block(self, n: int) -> Complex[Array, "n n"]:
        """The first n rows and columns as a dense matrix."""
        rows = jnp.argsort(self.place)
        block, first = jnp.zeros((n, n), complex), 0
        for column, value in zip(self.columns, self.values, strict=True):
            row = rows[first : first + column.shape[0], None]
            block = block.at[row, column].add(value, mode="drop")
            first += column.shape[0]
        return block

    def norm_bound(self) -> Float[Array, ""]:
        """sqrt(|G|_1 |G|_inf), never below the spectral norm."""
        rows = max_of([jnp.sum(jnp.abs(value), axis=1) for value in self.values])
        columns = jnp.zeros(self.place.shape[0])
        for column, value in zip(self.columns, self.values, strict=True):
            columns = columns.at[column].add(jnp.abs(value))
        return jnp.sqrt(rows * jnp.max(columns))


def max_of(parts: list[Array]) -> Array:
    """The largest element of several arrays."""
    return jnp.max(jnp.concatenate([part.ravel() for part in parts]))
