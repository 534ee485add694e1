"""Validation in two tiers: a sentence at once for concrete values, a status for traced ones.

A parameter declares its rule where it is defined, `eta: Scalar = parameter(NON_NEGATIVE)`.
Concrete values that break the rule raise `ValueError` on construction; inside `jit` or `vmap`
the same rule is evaluated by `is_valid`, so that one bad point of a batch is marked and the
others go on.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.core import Tracer
from jaxtyping import Array, ArrayLike, Bool, Float

if TYPE_CHECKING:
    # A parameter is given as any number and held as an array, which checkers cannot express.
    Scalar = Any
else:
    Scalar = Float[Array, ""]


class Rule(NamedTuple):
    """A condition on an array, and the words that finish "must be ..."."""

    words: str
    holds: Callable[[Array], Array]


FINITE = Rule("finite", jnp.isfinite)
POSITIVE = Rule("positive and finite", lambda x: (x > 0) & jnp.isfinite(x))
NON_NEGATIVE = Rule("non-negative and finite", lambda x: (x >= 0) & jnp.isfinite(x))


def is_concrete(*values: object) -> bool:
    """Whether the values are known now, outside every `jit`, `vmap` and `grad`."""
    return not any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(values))


def holds(predicate: Callable[..., Any], *values: Any) -> bool:
    """Whether a predicate is true of concrete values; True of traced ones, judged by `is_valid`."""
    if not is_concrete(*values):
        return True
    with jax.ensure_compile_time_eval():
        return bool(predicate(*values))


def require(name: str, rule: str, value: object, condition: object) -> None:
    """Raise `ValueError` with the project's one sentence unless it is met."""
    if not condition:
        raise ValueError(f"Argument `{name}` must be {rule}, but is {value}.")


def as_float(value: ArrayLike | Sequence) -> Array:
    """The value as a floating-point array, so that it is traced and differentiated."""
    return jnp.asarray(value, float)


def as_complex(value: ArrayLike | Sequence) -> Array:
    """The value as a complex array."""
    return jnp.asarray(value, complex)


def parameter(rule: Rule = FINITE, **options: Any) -> Any:
    """A differentiable scalar field of a `Validated` module, with the rule it obeys."""
    return eqx.field(converter=as_float, metadata={"rule": rule}, **options)


class Validated(eqx.Module):
    """A module whose `parameter` fields are checked when it is made."""

    def __check_init__(self) -> None:
        for name, rule, value in _ruled_fields(self):
            require(name, "a scalar", f"of shape {value.shape}", value.ndim == 0)
            require(name, rule.words, value, holds(rule.holds, value))

    def is_consistent(self) -> Bool[Array, ""]:
        """Whether the fields fit together; the traced counterpart of a check on construction."""
        return jnp.asarray(True)


def _ruled_fields(module: Validated) -> list[tuple[str, Rule, Array]]:
    ruled = (field for field in fields(module) if "rule" in field.metadata)
    return [(field.name, field.metadata["rule"], getattr(module, field.name)) for field in ruled]


def is_valid(tree: object) -> Bool[Array, ""]:
    """Whether every parameter in a tree of modules obeys its rule; works on traced values."""
    if isinstance(tree, tuple | list):
        verdicts = [is_valid(item) for item in tree]
    elif isinstance(tree, eqx.Module):
        verdicts = [is_valid(getattr(tree, field.name)) for field in fields(tree)]
    else:
        return jnp.asarray(True)
    if isinstance(tree, Validated):
        verdicts += [jnp.all(rule.holds(value)) for _, rule, value in _ruled_fields(tree)]
        verdicts.append(tree.is_consistent())
    return jnp.all(jnp.stack(verdicts)) if verdicts else jnp.asarray(True)
