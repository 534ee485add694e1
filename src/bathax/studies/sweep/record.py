"""The record of one point: quantities, their errors, their derivatives, a status."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from bathax._checks import require
from bathax._status import Status
from bathax.numerics.refinement import sized
from bathax.qubit.dynamical_map import DynamicalMap
from bathax.studies.lookup import (
    about,
    attributes,
    element,
    has_times,
    located,
    own_dimensions,
    renamed_in_maps,
)
from bathax.studies.traced import KEPT, closed

Record = dict[str, Any]
# Entries of a record that are not quantities; the last are the sizes that its solvers need.
DEMANDS = "demands of solvers"
# The entry that tells which names a result has for its quantities.
MEANINGS = "meanings"
ABOUT = ("t", "status", DEMANDS, MEANINGS)


class Meanings(eqx.Module):
    """Pairs of a name in the result and the name of the quantity, where these differ."""

    pairs: tuple[tuple[str, str], ...] = eqx.field(static=True)


class Layout(NamedTuple):
    """The variables of one point, its times if it has any, and the meanings of some names."""

    variables: dict[str, jax.ShapeDtypeStruct]
    times: np.ndarray | None
    meanings: Meanings

    def about(self, name: str) -> dict[str, str]:
        """The attributes of a variable."""
        for own, meant in self.meanings.pairs:
            if name == own or name.startswith((f"{own}_error", f"{own}_by_")):
                return about(meant + name.removeprefix(own))
        return about(name)

    def dimensions(self, name: str) -> tuple[str, ...]:
        """The names of a variable's own dimensions: time, and a level, a mode or a channel."""
        shape = self.variables[name].shape
        quantity = name.partition("_by_")[0].removesuffix("_error")
        times = self.times if has_times(quantity) else None
        has_time = times is not None and shape[:1] == times.shape
        own = own_dimensions(quantity, len(shape) - has_time)
        return ("time", *own) if has_time else own

    @property
    def bytes_of_point(self) -> int:
        """The size of all variables of one point."""
        return sum(
            int(np.prod(one.shape)) * np.dtype(one.dtype).itemsize
            for one in self.variables.values()
        )


class Recorder:
    """The record of a point with parameters of these names, traced once for solvers' `sizes`.

    Linear solvers in a function cannot be traced on several devices; it is traced before.
    """

    def __init__(self, model: "Model", names: tuple[str, ...], sizes: tuple[int, ...]) -> None:
        self.names = names
        point = {name: jnp.zeros(()) for name in names}
        # Demands inside a `jit` or `vmap` of the function itself cannot leave it.
        self._traced = closed(
            partial(model.record, sizes=sizes), partial(model.record, sizes=None), point
        )
        self.variables = {
            name: x
            for name, x in self._traced.shapes.items()
            if name == "status" or name not in ABOUT
        }
        self.compute = self._traced.only(
            lambda found: {name: found[name] for name in self.variables}
        )
        self._times = jax.jit(self._traced.only(lambda found: found.get("t")))
        self._demands = jax.jit(jax.vmap(self._traced.only(lambda found: found.get(DEMANDS))))

    @property
    def asks(self) -> bool:
        """Whether there are solvers that choose their size."""
        return DEMANDS in self._traced.shapes

    def demands(self, points: dict[str, np.ndarray]) -> np.ndarray:
        """The sizes that solvers demand at some points; nothing else is compiled."""
        return np.asarray(self._demands(points))

    def layout(self, point: dict[str, float]) -> Layout:
        """The variables, with the times at a point."""
        # Only the times are computed, and nothing else.
        times = self._times({name: jnp.asarray(value) for name, value in point.items()})
        times = None if times is None else np.asarray(times)
        return Layout(self.variables, times, self._traced.shapes[MEANINGS])


# Sweeps of the same function share what is traced.
@lru_cache(maxsize=KEPT)
def recorder_of(model: "Model", names: tuple[str, ...], sizes: tuple[int, ...] = ()) -> Recorder:
    """The recorder of a model; those of recent arguments are kept."""
    return Recorder(model, names, sizes)


class Model(NamedTuple):
    """A function of named parameters, and which of its results are kept."""

    of: Callable[..., Any]
    quantities: tuple[str, ...] | None
    derivatives: tuple[str, ...]

    def record(self, parameters: dict[str, Array], sizes: tuple[int, ...] | None) -> Record:
        """The record of a point; with `sizes` for the solvers it includes their demands."""

        def values(chosen: dict[str, Array]) -> tuple[Record, Record]:
            found = self._values(parameters | chosen, sizes)
            return {name: x for name, x in found.items() if _is_differentiable(name, x)}, found

        chosen = {name: parameters[name] for name in self.derivatives}
        if not chosen:
            return values({})[1]
        slopes, found = jax.jacfwd(values, has_aux=True)(chosen)
        # A failed point is NaN, a constant; its derivative has to be NaN too.
        return found | {
            f"{name}_by_{parameter}": jnp.where(jnp.isnan(found[name]), jnp.nan, slope)
            for name, by_parameter in slopes.items()
            for parameter, slope in by_parameter.items()
        }

    def _values(self, parameters: dict[str, Array], sizes: tuple[int, ...] | None) -> Record:
        """Quantities and errors, the status, and the demands of solvers."""
        with sized(sizes) as demands:
            result = self.of(**parameters)
            found = _selected(result, self.quantities)
        renamed = renamed_in_maps() if isinstance(result, DynamicalMap) else {}
        meant = Meanings(tuple(renamed.items()))
        asked = {DEMANDS: lax.stop_gradient(jnp.stack(demands))} if demands else {}
        known = {"status": _status(found), MEANINGS: meant}
        return found | known | (asked if sizes is not None else {})


def _selected(result: Any, quantities: Sequence[str] | None) -> Record:
    """The quantities of a result, by default all, with their errors and what is known `ABOUT` it.

    A result is a mapping, an object with quantities as attributes, or an array named `value`.
    """
    if isinstance(result, jax.Array | float):
        result = {"value": result}
    if not isinstance(result, Mapping):
        result = _as_mapping(result)
    known = [name for name in result if not name.endswith("_error") and name not in ABOUT]
    unknown = [
        name for name in quantities or () if name not in known and located(name)[0] not in known
    ]
    require("quantities", f"among {', '.join(known)}", ", ".join(unknown), not unknown)
    found = {name: jnp.asarray(result[name]) for name in ABOUT if name in result}
    for name in quantities or known:
        quantity, place = (name, ()) if name in result else located(name)
        for ending in ("", "_error"):
            if f"{quantity}{ending}" in result:
                values = jnp.asarray(result[f"{quantity}{ending}"])
                found[f"{name}{ending}"] = element(values, quantity, place)
    return found


def _as_mapping(result: Any) -> dict[str, Array]:
    """What `solve` and `dynamical_map` return, by name."""
    names = [name for name in attributes() if hasattr(result, name)]
    found = {name: getattr(result, name) for name in (*names, *ABOUT) if hasattr(result, name)}
    error = getattr(result, "error", None)
    errors = {f"{name}_error": getattr(error, name) for name in names if hasattr(error, name)}
    return found | errors


def _status(found: Record) -> Array:
    """The status of a result; a result without one has failed if a number is NaN."""
    if "status" in found:
        return found["status"].astype(jnp.int8)
    numbers = [x for name, x in found.items() if name not in ABOUT]
    failed = jnp.any(jnp.stack([jnp.any(jnp.isnan(x)) for x in numbers]))
    return jnp.where(failed, Status.NOT_A_NUMBER, Status.SUCCESS).astype(jnp.int8)


def _is_differentiable(name: str, value: Any) -> bool:
    if name in ABOUT or name.endswith("_error"):
        return False
    return jnp.issubdtype(value.dtype, jnp.inexact)
