"""Sizes of solvers that choose them, from what they ask for."""

from collections.abc import Sequence

import numpy as np


def as_sizes(demands: np.ndarray) -> tuple[int, ...]:
    """A size for each solver that serves all points, of which each is a row of demands.

    Up to four significant bits, so that similar studies share a compiled program.
    """
    known = np.where(np.isfinite(demands), demands, 0.0).reshape(-1, demands.shape[-1])
    return tuple(_rounded(int(np.ceil(most))) for most in known.max(axis=0, initial=1.0))


def larger(sizes: Sequence[int]) -> tuple[int, ...]:
    """The next sizes, for where these were not enough."""
    return tuple(2 * size for size in sizes)


def _rounded(size: int) -> int:
    unit = 2 ** max(size.bit_length() - 4, 0)
    return -(-size // unit) * unit
