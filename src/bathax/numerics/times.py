"""Lists of times padded to standard lengths, so that lists of similar lengths share a program."""

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Record = TypeVar("Record")

# Lengths are rounded up by at most a quarter, and to SHORTEST at least. Above LONGEST they are not
# rounded: compilation no longer matters.
SHORTEST, LONGEST = 16, 2**16


def at_shared_length(compute: Callable[[Array], Record], ts: Float[Array, " times"]) -> Record:
    """The result of a function at concrete increasing times; its arrays have the times first.

    The function is called with additional times between the last two, whose results are dropped.
    """
    longer = _lengthened(np.asarray(ts))
    if longer is None:
        return compute(ts)
    count, extended = ts.shape[0], len(longer)

    def asked(values: Array) -> Array:
        if values.shape[:1] != (extended,):
            return values
        # NumPy slices on the host: in JAX each length would be another program.
        known = np.asarray(values)
        return jnp.asarray(np.concatenate([known[: count - 1], known[-1:]]))

    return jax.tree.map(asked, compute(jnp.asarray(longer)))


def _lengthened(ts: np.ndarray) -> np.ndarray | None:
    """The padded times; None if no padding is needed or there is no room between the last two."""
    count = len(ts)
    unit = max(SHORTEST, 2 ** (count.bit_length() - 3))
    missing = -count % unit
    if missing == 0 or count > LONGEST:
        return None
    before = ts[-2] if count > 1 else 0.0
    between = np.linspace(before, ts[-1], missing + 2)[1:-1]
    longer = np.concatenate([ts[:-1], between, ts[-1:]])
    return longer if np.all(np.diff(longer) > 0.0) else None
