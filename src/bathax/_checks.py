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
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, ArrayLike, Bool, Complex, Float

from bathax._linalg import eigvalsh

if TYPE_CHECKING:
    # A parameter is given as any number and held as an array, which checkers cannot express.
    Scalar = Any
else:
    Scalar = Float[Array, ""]


class Rule(NamedTuple):
    """A condition on an array, and the words that finish "must be ..."."""

    words: str
    holds: Callable[[Array], Array]


def is_finite(x: Any) -> Any:
    """Which numbers are finite, of an array of NumPy or of JAX."""
    return abs(x) < np.inf


FINITE = Rule("finite", is_finite)
POSITIVE = Rule("positive and finite", lambda x: (x > 0) & is_finite(x))
NON_NEGATIVE = Rule("non-negative and finite", lambda x: (x >= 0) & is_finite(x))


def is_concrete(*values: object) -> bool:
    """Whether the values are known now, outside every `jit`, `vmap` and `grad`."""
    return not any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(values))


def holds(predicate: Callable[..., Any], *values: Any) -> bool:
    """Whether a predicate is true of concrete values; True of traced ones, judged by `is_valid`.

    Of arrays it is asked with those of NumPy, for which operators and methods compile no program,
    of modules in one program.
    """
    if not is_concrete(*values):
        return True
    with jax.ensure_compile_time_eval():
        if any(isinstance(value, eqx.Module) for value in values):
            return bool(eqx.filter_jit(predicate)(*values))
        return bool(predicate(*map(np.asarray, values)))


def require(name: str, rule: str, value: object, condition: object) -> None:
    """Raise `ValueError` with the project's one sentence unless it is met."""
    if not condition:
        raise ValueError(f"Argument `{name}` must be {rule}, but is {value}.")


def as_float(value: ArrayLike | Sequence) -> Array:
    """The value as a floating-point array, so that it is traced and differentiated."""
    return jnp.asarray(_on_host(value, float), float)


def as_complex(value: ArrayLike | Sequence) -> Array:
    """The value as a complex array."""
    return jnp.asarray(_on_host(value, complex), complex)


def _on_host(value: Any, dtype: type) -> Any:
    """The value, converted by NumPy where it is not JAX's: no program is compiled for that."""
    numbers = int | float | complex | np.ndarray | np.generic
    leaves = jax.tree.leaves(value)
    known = bool(leaves) and all(isinstance(leaf, numbers) for leaf in leaves)
    return np.asarray(value, dtype) if known else value


def parameter(rule: Rule = FINITE, **options: Any) -> Any:
    """A differentiable scalar field of a `Validated` module, with the rule it obeys."""
    return eqx.field(converter=as_float, metadata={"rule": rule}, **options)


_DENSITY_MATRIX_RULES = {
    "Hermitian": lambda rho: jnp.max(jnp.abs(rho - rho.conj().T)) < 1e-10,
    "normalised to trace 1": lambda rho: jnp.abs(jnp.trace(rho) - 1.0) < 1e-8,
    "positive": lambda rho: jnp.min(eigvalsh(jnp.asarray(rho))) > -1e-10,
}


def require_density_matrix(name: str, rho: Complex[Array, "d d"]) -> None:
    """Raise `ValueError` for the first rule of a density matrix that a concrete one breaks."""
    for words, condition in _DENSITY_MATRIX_RULES.items():
        require(name, words, rho, holds(condition, rho))


def is_density_matrix(rho: Complex[Array, "d d"]) -> Bool[Array, ""]:
    """Whether a matrix is Hermitian, positive and of trace 1; works on traced values."""
    return jnp.all(jnp.stack([condition(rho) for condition in _DENSITY_MATRIX_RULES.values()]))


class Validated(eqx.Module):
    """A module whose `parameter` fields are checked when it is made."""

    def __check_init__(self) -> None:
        for name, rule, value in _ruled_fields(self):
            require(name, "a scalar", f"of shape {value.shape}", value.ndim == 0)
            require(name, rule.words, value, holds(rule.holds, value))

    def is_consistent(self) -> Bool[Array, ""]:
        """Whether the fields fit together; the traced counterpart of a check on construction."""
        return jnp.asarray(True)


def require_times(ts: Array) -> None:
    """Refuse concrete times that are not a list, finite, non-negative and increasing."""
    require("ts", "a list of at least one time", f"of shape {ts.shape}", ts.ndim == 1 and ts.size)
    require("ts", "finite", ts, holds(lambda t: is_finite(t).all(), ts))
    require("ts", "non-negative", ts, holds(lambda t: t[0] >= 0.0, ts))
    require("ts", "increasing", ts, holds(lambda t: (t[1:] > t[:-1]).all(), ts))


def are_times(ts: Float[Array, " times"]) -> Bool[Array, ""]:
    """What `require_times` demands, also of traced times."""
    return (ts[0] >= 0.0) & jnp.all(jnp.diff(ts) > 0.0) & jnp.isfinite(ts[-1])


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
