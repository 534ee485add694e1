"""Quadrature rules that represent a density: nodes, masses, and several rules joined."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Inexact

Measure = tuple[Inexact[Array, " nodes"], Inexact[Array, " nodes"]]
Exponentials = tuple[Inexact[Array, " nodes"], Inexact[Array, " nodes"], Inexact[Array, " nodes"]]


def joined(rules: list[tuple[Array, ...]]) -> Any:
    """Several rules, tuples of nodes and masses, as one rule."""
    dtype = complex if any(jnp.iscomplexobj(nodes) for nodes, *_ in rules) else float
    return tuple(
        jnp.concatenate([part.astype(dtype) for part in parts])
        for parts in zip(*rules, strict=True)
    )
