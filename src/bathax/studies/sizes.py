"""Sizes of solvers that choose their size, from what they demand at given points."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from bathax.numerics.refinement import rounded_up

Program = TypeVar("Program")
# The demand of a solver may depend on the size of another: the sizes are adapted at most so often.
ROUNDS = 3


def settled(
    program: Callable[[tuple[int, ...]], Program], demands: Callable[[Program], np.ndarray | None]
) -> tuple[Program, tuple[int, ...]]:
    """A program whose solvers are as large as they demand at some points, and their sizes.

    `program` makes a program for given sizes, or with the usual sizes for an empty tuple. `demands`
    returns what its solvers demand, point by point, or None if all of them are fixed.
    """
    sizes: tuple[int, ...] = ()
    found = program(sizes)
    for _ in range(ROUNDS):
        asked = demands(found)
        if asked is None:
            return found, ()
        wanted = as_sizes(asked)
        if len(wanted) == len(sizes) and all(a <= b for a, b in zip(wanted, sizes, strict=True)):
            break
        sizes = wanted
        found = program(sizes)
        if len(sizes) == 1:
            break
    return found, sizes


def as_sizes(demands: np.ndarray) -> tuple[int, ...]:
    """A size for each solver that serves all points; each point is a row of demands."""
    known = np.where(np.isfinite(demands), demands, 0.0).reshape(-1, demands.shape[-1])
    return tuple(rounded_up(int(np.ceil(most))) for most in known.max(axis=0, initial=1.0))


def larger(sizes: Sequence[int]) -> tuple[int, ...]:
    """The next sizes to try if these were not enough."""
    return tuple(2 * size for size in sizes)
