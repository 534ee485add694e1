"""Validation in two tiers: concrete values raise an error at once, traced ones set a status.

A parameter declares its rule where it is defined, `eta: Scalar = parameter(NON_NEGATIVE)`.
Concrete values that break the rule raise `ValueError` on construction; inside `jit` or `vmap`
the same rule is evaluated by `is_valid`, so that one bad point of a batch is marked and the
others go on.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import Field, fields
from functools import partial, wraps
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, NewType

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool, Complex, Float

from bathax._display import Shown
from bathax._linalg import eigvalsh
from bathax._programs import is_traced
from bathax._xla import leave_no_flag

leave_no_flag()

# Longer arrays are not written out in sentences.
LONG = 8

if TYPE_CHECKING:
    # A parameter is given as any number and held as an array, which checkers cannot express.
    Scalar = Any
    RealLike = Array | np.ndarray | np.bool | np.number | float | Sequence[Any]
    """A real number, or an array or a list of them."""
    ComplexLike = RealLike | complex
    """A complex number, or an array or a list of them."""
else:
    Scalar = Float[Array, ""]
    # What `as_float` and `as_complex` convert or refuse with a sentence; `help` shows the names.
    RealLike = NewType("RealLike", object)
    ComplexLike = NewType("ComplexLike", object)
    RealLike.__module__ = ComplexLike.__module__ = "bathax"
    RealLike.__doc__ = "A real number, or an array or a list of them."
    ComplexLike.__doc__ = "A complex number, or an array or a list of them."


class Rule(NamedTuple):
    """A condition on an array, and the words that finish "must be ..."."""

    words: str
    holds: Callable[[Array], Array]


def is_finite(x: Any) -> Any:
    """Which numbers of an array of NumPy or JAX are finite."""
    return abs(x) < np.inf


FINITE = Rule("finite", is_finite)
POSITIVE = Rule("positive and finite", lambda x: (x > 0) & is_finite(x))
NON_NEGATIVE = Rule("non-negative and finite", lambda x: (x >= 0) & is_finite(x))


def is_concrete(*values: object) -> bool:
    """Whether the values are known now, outside every `jit`, `vmap` and `grad`."""
    return not any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(values))


def holds(predicate: Callable[..., Any], *values: Any) -> bool:
    """Whether a predicate holds for concrete values; True for traced ones, which `is_valid` judges.

    Arrays are converted to NumPy, whose operators compile nothing. If there is a module among the
    values, the predicate is compiled as one program.
    """
    if not is_concrete(*values):
        return True
    of_modules = any(isinstance(value, eqx.Module) for value in values)
    if of_modules and not is_traced():
        return bool(eqx.filter_jit(predicate)(*values))
    # While something else is traced, the values are judged at once, operation by operation.
    with jax.ensure_compile_time_eval():
        if of_modules:
            return bool(eqx.filter_jit(predicate)(*values))
        return bool(predicate(*map(np.asarray, values)))


def require(name: str, rule: str, value: object, condition: object) -> None:
    """Raise `ValueError` with a sentence in the project's one form unless the condition is met."""
    if not condition:
        raise ValueError(f"Argument `{name}` must be {rule}, but is {_brief(value)}.")


def _brief(value: object) -> object:
    """The value, or the shape of a long array."""
    shape = getattr(value, "shape", ())
    return f"an array of shape {shape}" if np.prod(shape) > LONG else value


def require_each(
    name: str, rule: str, values: Array | np.ndarray, holds: Callable[..., Any]
) -> None:
    """Raise for concrete numbers of which one breaks a rule; the sentence names the first."""
    if not is_concrete(values):
        return
    numbers = np.asarray(values)
    broken = np.flatnonzero(~holds(numbers))
    if broken.size:
        found = f"{numbers.flat[broken[0]]:.6g} at index {broken[0]}"
        require(name, rule, found, False)


def follows(x: Any) -> Any:
    """Which numbers of a list are above the one before."""
    return np.append(True, x[1:] > x[:-1])


def require_positive(name: str, value: object) -> None:
    """Refuse a setting that is no positive number."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    require(name, "a positive number", shown(value), number and value > 0)  # pyright: ignore


def require_whole(name: str, value: object, least: int) -> None:
    """Refuse a setting that is no integer from `least` on."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    rule = f"an integer, {least} or more"
    require(name, rule, shown(value), whole and value >= least)  # pyright: ignore


def require_kind(name: str, words: str, value: object, kind: type | tuple[type, ...]) -> None:
    """Refuse an object of another kind, whose own kind is named."""
    require(name, words, shown(value), isinstance(value, kind))


def as_float(value: RealLike, name: str = "value") -> Array:
    """The value as an array of float64, so that it is traced and differentiated.

    `ValueError` with one sentence for what is no real number and no array of them.
    """
    return _as_array(value, name, float)


def as_complex(value: ComplexLike, name: str = "value") -> Array:
    """The value as an array of complex128; refuses what is no number, like `as_float`."""
    return _as_array(value, name, complex)


def as_inexact(value: ComplexLike, name: str = "value") -> Array:
    """The value as an array of complex128 if it is complex, of float64 otherwise."""
    kinds = _dtypes(value)
    is_complex = any(jnp.issubdtype(kind, jnp.complexfloating) for kind in kinds)
    return _as_array(value, name, complex if is_complex else float)


def converting(*converters: Callable[[Any, str], Array]) -> Callable[[Callable], Callable]:
    """Let a method of arrays accept whatever converts to one: numbers, lists, integers.

    There is one converter for each of its first parameters.
    """

    def decorated(method: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(method)
        names = list(signature.parameters)[1:]

        @wraps(method)
        def converted(*values: Any, **named: Any) -> Any:
            given = signature.bind(*values, **named)
            for convert, name in zip(converters, names, strict=False):
                given.arguments[name] = convert(given.arguments[name], name)
            return method(*given.args, **given.kwargs)

        return converted

    return decorated


def require_float64() -> None:
    """Refuse to compute in float32, to which JAX falls back where `jax_enable_x64` is off."""
    if not jax.config.jax_enable_x64:  # pyright: ignore[reportAttributeAccessIssue]
        raise ValueError(
            "bathax computes in float64, but `jax_enable_x64` has been switched off since it was "
            'imported: switch it on again by `jax.config.update("jax_enable_x64", True)`.'
        )


def _as_array(value: Any, name: str, dtype: type) -> Array:
    require_float64()
    allowed = (jnp.number, np.bool_) if dtype is complex else (jnp.floating, jnp.integer, np.bool_)
    kinds = _dtypes(value)
    numeric = all(any(jnp.issubdtype(kind, one) for one in allowed) for kind in kinds)
    words = f"a {'complex' if dtype is complex else 'real'} number or an array of them"
    require(name, words, shown(value), numeric)
    try:
        # NumPy converts what is not an array of JAX: no program is compiled for that.
        traced = any(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(value))
        return jnp.asarray(value if traced else np.asarray(value, dtype), dtype)
    except ValueError:
        raise ValueError(f"Argument `{name}` must have rows of one length.") from None


def _dtypes(value: Any) -> list[Any]:
    """The types of the numbers in a value or in nested lists; `object` for anything else."""
    if isinstance(value, list | tuple):
        return list({kind for item in value for kind in _dtypes(item)})
    if isinstance(value, jax.Array):
        return [value.dtype]
    if isinstance(value, int | float | complex) or hasattr(value, "__array__"):
        return [np.asarray(value).dtype]
    return [np.dtype(object)]


def shown(value: object) -> str:
    """A value as error messages name it: a short one by its repr, others by their type."""
    if isinstance(value, type):
        return f"the class `{value.__name__}` instead of an object of it"
    text = repr(value) if isinstance(value, str | int | float | complex | None) else ""
    return text if 0 < len(text) < 30 else f"a `{type(value).__name__}`"


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


class Validated(Shown):
    """A module whose `parameter` fields are checked when it is made."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Tell each converter the name of its field, for error messages."""
        super().__init_subclass__(**options)
        for name, field in vars(cls).items():
            known = field.metadata if isinstance(field, Field) else {}
            if known.get("converter") in (as_float, as_complex):
                named = partial(known["converter"], name=name)
                field.metadata = MappingProxyType({**known, "converter": named})

    def __check_init__(self) -> None:
        for name, rule, value in _ruled_fields(self):
            require(name, "a scalar", f"of shape {value.shape}", value.ndim == 0)
            require(name, rule.words, value, holds(rule.holds, value))

    def is_consistent(self) -> Bool[Array, ""]:
        """Whether the fields fit together; the traced counterpart of a check on construction."""
        return jnp.asarray(True)


def require_times(ts: Array, name: str = "ts") -> None:
    """Refuse concrete times that are not a list, finite, non-negative and increasing."""
    require(name, "a list of at least one time", f"of shape {ts.shape}", ts.ndim == 1 and ts.size)
    require_each(name, "finite", ts, is_finite)
    require_each(name, "non-negative", ts, lambda t: t >= 0.0)
    require_each(name, "increasing", ts, follows)


def are_times(ts: Float[Array, " times"]) -> Bool[Array, ""]:
    """Whether times are as `require_times` demands; works on traced values."""
    return (ts[0] >= 0.0) & jnp.all(jnp.diff(ts) > 0.0) & jnp.isfinite(ts[-1])


def _ruled_fields(module: Validated) -> list[tuple[str, Rule, Array]]:
    """Name, rule and value of parameters; one that is a function of the time has none yet."""
    ruled = (field for field in fields(module) if "rule" in field.metadata)
    found = ((one.name, one.metadata["rule"], getattr(module, one.name)) for one in ruled)
    return [one for one in found if eqx.is_array(one[2])]


def is_valid(tree: object) -> Bool[Array, ""]:
    """Whether every parameter in a tree of modules obeys its rule; works on traced values."""
    require_float64()
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
