"""What is kept of one point: quantities, their errors, their derivatives, a status."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from bathax._checks import require
from bathax._status import Status
from bathax.studies.quantities import QUANTITIES
from bathax.studies.traced import traced

Record = dict[str, Array]
# What a computation may say beside its quantities.
ABOUT = ("t", "status")


class Layout(NamedTuple):
    """The variables of one point, the times if it has some, and the program that computes them."""

    variables: dict[str, jax.ShapeDtypeStruct]
    times: np.ndarray | None
    compute: Callable[[dict[str, Array]], Record]

    def dimensions(self, name: str) -> tuple[str, ...]:
        """The names of a variable's own dimensions: time, and for populations the level."""
        shape = self.variables[name].shape
        has_time = self.times is not None and shape[:1] == self.times.shape
        rest = len(shape) - has_time
        quantity = name.partition("_by_")[0].removesuffix("_error")
        own = ["level"] if quantity == "populations" else [f"{quantity}_{k}" for k in range(rest)]
        return (*(["time"] if has_time else []), *own[:rest])

    @property
    def bytes_of_point(self) -> int:
        """The size of all variables of one point."""
        return sum(
            int(np.prod(one.shape)) * np.dtype(one.dtype).itemsize
            for one in self.variables.values()
        )


def recorder(
    of: Callable[..., Any], quantities: Sequence[str] | None, derivatives: Sequence[str]
) -> Callable[[dict[str, Array]], Record]:
    """The function from the parameters of a point to what is kept of it."""

    def record(parameters: dict[str, Array]) -> Record:
        found = _selected(of(**parameters), quantities)
        return found | {"status": _status(found)}

    def record_with_derivatives(parameters: dict[str, Array]) -> Record:
        def values(chosen: dict[str, Array]) -> tuple[Record, Record]:
            found = record(parameters | chosen)
            return {name: x for name, x in found.items() if _is_differentiable(name, x)}, found

        chosen = {name: parameters[name] for name in derivatives}
        slopes, found = jax.jacfwd(values, has_aux=True)(chosen)
        # The value of a failed point is NaN and constant: its derivative is not known either.
        return found | {
            f"{name}_by_{parameter}": jnp.where(jnp.isnan(found[name]), jnp.nan, slope)
            for name, by_parameter in slopes.items()
            for parameter, slope in by_parameter.items()
        }

    return record_with_derivatives if derivatives else record


def layout(record: Callable[[dict[str, Array]], Record], point: dict[str, float]) -> Layout:
    """What `record` keeps of a point, traced once.

    Solvers of linear equations inside cannot be traced where several devices share the work.
    """
    arguments = {name: jnp.asarray(value) for name, value in point.items()}
    compute, shapes = traced(record, arguments)

    def kept(parameters: dict[str, Array]) -> Record:
        return {name: x for name, x in compute(parameters).items() if name != "t"}

    # The times are asked for alone: the compiler leaves out everything else.
    times = np.asarray(jax.jit(lambda p: compute(p)["t"])(arguments)) if "t" in shapes else None
    return Layout({name: x for name, x in shapes.items() if name != "t"}, times, kept)


def _selected(result: Any, quantities: Sequence[str] | None) -> Record:
    """The quantities of a result, by default all, with their errors and what is known `ABOUT` it.

    A result is a mapping, an object with quantities as attributes, or an array named `value`.
    """
    if isinstance(result, jax.Array | float):
        result = {"value": result}
    if not isinstance(result, Mapping):
        result = _as_mapping(result)
    names = [name for name in result if not name.endswith("_error") and name not in ABOUT]
    unknown = [name for name in quantities or () if name not in names]
    require("quantities", f"among {', '.join(names)}", ", ".join(unknown), not unknown)
    names = quantities or names
    kept = [*names, *(f"{name}_error" for name in names), *ABOUT]
    return {name: jnp.asarray(result[name]) for name in kept if name in result}


def _as_mapping(result: Any) -> dict[str, Array]:
    """What `solve` and `dynamical_map` return, by name."""
    names = [name for name in (*QUANTITIES, "coherence", "dcoherence") if hasattr(result, name)]
    found = {name: getattr(result, name) for name in (*names, *ABOUT) if hasattr(result, name)}
    error = getattr(result, "error", None)
    errors = {f"{name}_error": getattr(error, name) for name in names if hasattr(error, name)}
    return found | errors


def _status(found: Record) -> Array:
    """The status that came with a result; without one a point has failed where a number is NaN."""
    if "status" in found:
        return found["status"].astype(jnp.int8)
    numbers = [x for name, x in found.items() if name not in ABOUT]
    failed = jnp.any(jnp.stack([jnp.any(jnp.isnan(x)) for x in numbers]))
    return jnp.where(failed, Status.NOT_A_NUMBER, Status.SUCCESS).astype(jnp.int8)


def _is_differentiable(name: str, value: Array) -> bool:
    is_number = jnp.issubdtype(value.dtype, jnp.inexact)
    return is_number and name not in ABOUT and not name.endswith("_error")
