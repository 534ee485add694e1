"""Quadrature rules, poles and intervals that stand for a density, and how they are joined."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Inexact

from bathax._checks import Scalar

Measure = tuple[Inexact[Array, " nodes"], Inexact[Array, " nodes"]]
# Poles in the lower half plane, -2 pi i times their residues, and the ends of the interval of the
# real axis from which they are reached.
Poles = tuple[Array, Array, Array, Array]
Interval = tuple[Scalar | float, Scalar | float]
Exponentials = tuple[Inexact[Array, " nodes"], Inexact[Array, " nodes"], Inexact[Array, " nodes"]]


def joined_poles(poles: list[Poles]) -> Poles:
    """The poles of several densities."""
    z, masses, low, high = (jnp.concatenate(parts) for parts in zip(*poles, strict=True))
    return z, masses, low, high


def joined(rules: list[tuple[Array, ...]]) -> Any:
    """Several rules, tuples of nodes and masses, as one."""
    dtype = complex if any(jnp.iscomplexobj(nodes) for nodes, *_ in rules) else float
    return tuple(
        jnp.concatenate([part.astype(dtype) for part in parts])
        for parts in zip(*rules, strict=True)
    )
