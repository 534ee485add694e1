"""The `repr` of densities."""

from dataclasses import fields

import equinox as eqx
from jaxtyping import Array

from bathax._checks import is_concrete
from bathax.reservoir.plain import PlainFunction


def shown(value: object) -> str:
    """A density with the values of its fields, and those of the densities in it."""
    if isinstance(value, eqx.Module) and hasattr(value, "formula"):
        values = (f"{field.name}={shown(getattr(value, field.name))}" for field in fields(value))
        return f"{type(value).__name__}({', '.join(values)})"
    if isinstance(value, tuple):
        return f"({', '.join(map(shown, value))})"
    if isinstance(value, Array) and value.ndim == 0 and is_concrete(value):
        return f"{value.item():g}"
    if isinstance(value, PlainFunction):
        return value.name
    return eqx.tree_pformat(value)
