"""Tangents in rules of derivatives with `symbolic_zeros`: constants have none."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero


def varies(tangents: Any) -> bool:
    """Whether anything varies."""
    return not all(isinstance(leaf, SymbolicZero) for leaf in jax.tree.leaves(tangents))


def instantiated(values: Any, tangents: Any) -> Any:
    """The tangents of all values, of constants zero."""
    return jax.tree.map(
        lambda x, dx: jnp.zeros_like(x) if isinstance(dx, SymbolicZero) else dx, values, tangents
    )
