"""Lists of times of shared lengths: calls with a few times more or fewer share a program."""

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Record = TypeVar("Record")

# Lengths are multiples of an eighth to a quarter of themselves, from SHORTEST on. Above LONGEST
# they stay as they are: compiling no longer matters.
SHORTEST, LONGEST = 16, 2**16


def at_shared_length(compute: Callable[[Array], Record], ts: Float[Array, " times"]) -> Record:
    """What a function gives at concrete increasing times, its arrays having the times first.

    It is called with more times, between the last two, and their results are dropped.
    """
    longer = _lengthened(np.asarray(ts))
    if longer is None:
        return compute(ts)
    count, extended = ts.shape[0], len(longer)

    def asked(values: Array) -> Array:
        if values.shape[:1] != (extended,):
            return values
        # On the host, where another length is not another program.
        known = np.asarray(values)
        return jnp.asarray(np.concatenate([known[: count - 1], known[-1:]]))

    return jax.tree.map(asked, compute(jnp.asarray(longer)))


def _lengthened(ts: np.ndarray) -> np.ndarray | None:
    """The times and more of them; None where there is no need, or no room between the last two."""
    count = len(ts)
    unit = max(SHORTEST, 2 ** (count.bit_length() - 3))
    missing = -count % unit
    if missing == 0 or count > LONGEST:
        return None
    before = ts[-2] if count > 1 else 0.0
    between = np.linspace(before, ts[-1], missing + 2)[1:-1]
    longer = np.concatenate([ts[:-1], between, ts[-1:]])
    return longer if np.all(np.diff(longer) > 0.0) else None
