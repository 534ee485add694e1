"""Measured quantities of a solution at some times, with their errors."""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from bathax._checks import (
    RealLike,
    as_float,
    as_inexact,
    is_concrete,
    is_finite,
    require,
    require_each,
)
from bathax._display import Module, Table, Tabular, shown
from bathax._status import Status
from bathax.studies.lookup import MODULUS, element, limits_of, located

# Values that exceed the limits of any state by more errors than this have a wrong sign or unit.
ERRORS_BEYOND = 6.0


class Data(Tabular, Module):
    """Measured quantities of one run, with their standard errors.

        Data(times, energy=values)                     # errors unknown, all equal
        Data(times, energy=(values, 0.1), u=(values, errors))

    Quantities have their names in a solution or a dynamical map; `abs_<name>` is the modulus of a
    complex one, `particle_current_1` or `n_0_1` an element of one of several modes. The error of a
    complex value is that of its real and of its imaginary part. Times may come in any order and
    repeatedly. A missing value is NaN. `t` are the increasing times at which a model has to be
    computed, `values` and `errors` the data by name, `places` the positions in `t` at which each
    was measured, and `has_errors` tells whether errors were given.

    >>> data = bx.Data([0.0, 2.0, 1.0], energy=([5.0, np.nan, 3.0], 0.1))
    >>> data.t.tolist(), data.count
    ([0.0, 1.0, 2.0], 2)
    """

    t: Float[Array, " times"]
    values: dict[str, Array]
    errors: dict[str, Float[Array, " points"]]
    places: Int[Array, " points"]
    has_errors: bool = eqx.field(static=True)

    def __init__(self, times: RealLike, **quantities: Any) -> None:
        times = _known("times", as_float(times, "times"))
        require("times", "a list of numbers", _shape(times), times.ndim == 1 and times.size > 0)
        require_each("times", "finite", times, is_finite)
        require_each("times", "non-negative", times, lambda t: t >= 0.0)
        require("quantities", "one or more", "none", bool(quantities))
        known = [isinstance(given, tuple) for given in quantities.values()]
        require("quantities", "all with errors or all without", "both", len({*known}) == 1)
        self.has_errors = known[0]
        unique, places = np.unique(times, return_inverse=True)
        self.t, self.places = jnp.asarray(unique), jnp.asarray(places)
        read = {name: _read(name, given, times) for name, given in quantities.items()}
        self.values = {name: jnp.asarray(values) for name, (values, _) in read.items()}
        self.errors = {name: jnp.asarray(errors) for name, (_, errors) in read.items()}

    def _table(self) -> Table:
        """How often each quantity was measured, its range and its largest error."""
        if not is_concrete(self):
            return Table("Data", ("", ""), [[name, shown(x)] for name, x in self.values.items()])
        # NumPy arrays, which no surrounding `jit` traces.
        t, values, errors = jax.device_get((self.t, self.values, self.errors))
        rows = []
        for name, measured in values.items():
            known = np.real(measured)[~np.isnan(measured)]
            error = f"{np.max(errors[name]):.2g}" if self.has_errors else "unknown"
            least, largest = np.min(known), np.max(known)
            rows.append([name, str(known.size), f"{least:.6g}", f"{largest:.6g}", error])
        columns = ["", "values", "least", "largest", "largest error"]
        times = f"{len(t):,} times, t = {t[0]:g} to {t[-1]:g}"
        return Table(f"Data at {times}", columns, rows)

    def residuals(self, result: Any) -> Float[Array, " residuals"]:
        """(model - data) / error of all values, of both parts of complex ones; 0 if missing."""
        parts = []
        models = self.model(result)
        for name, values in self.values.items():
            model = models[name][self.places]
            missing = jnp.isnan(values)
            zero = jnp.zeros((), values.dtype)
            measured = jnp.where(missing, zero, values).astype(model.dtype)
            off = (model - measured) / self.errors[name].astype(model.dtype)
            off = jnp.where(missing, jnp.zeros((), off.dtype), off)
            parts += [off.real, off.imag] if jnp.iscomplexobj(off) else [off]
        return jnp.concatenate(parts)

    def model(self, result: Any) -> dict[str, Array]:
        """Each measured quantity in the result of a model, at the times `t`."""
        found = {}
        for name in self.values:
            model = _quantity(result, name)
            rule = f"given at the {len(self.t)} times `data.t`, and at no others"
            shape = f"of shape {model.shape}"
            require(f"model.{name}", rule, shape, model.shape == self.t.shape)
            found[name] = model
        return found

    @property
    def count(self) -> int:
        """How many numbers were measured; a complex one is two."""
        return sum(
            int(np.count_nonzero(~np.isnan(values))) * (2 if np.iscomplexobj(values) else 1)
            for values in map(np.asarray, self.values.values())
        )


def _quantity(result: Any, name: str) -> Array:
    """A quantity of a result by name, its modulus for `abs_<name>`."""
    own = name.removeprefix(MODULUS)

    def has(name: str) -> bool:
        return name in result if isinstance(result, Mapping) else hasattr(result, name)

    quantity, place = (own, ()) if has(own) else located(own)
    require("data", "of quantities that the model returns", f"of `{own}`", has(quantity))
    whole = result[quantity] if isinstance(result, Mapping) else getattr(result, quantity)
    values = element(whole, quantity, place)
    return jnp.abs(values) if own != name else values


def _known(name: str, value: Array) -> np.ndarray:
    """The values as concrete numbers, which a fit needs."""
    words = "known numbers (a fit is not itself for `jit`, `vmap` or `grad`)"
    require(name, words, "traced", is_concrete(value))
    return np.asarray(value)


def _shape(values: np.ndarray) -> str:
    return f"of shape {values.shape}"


def _read(name: str, given: Any, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Checked values and errors of one quantity."""
    pair = len(given) == 2 if isinstance(given, tuple) else True
    require(name, "values, or a tuple (values, errors)", "neither", pair)
    values, errors = given if isinstance(given, tuple) else (given, 1.0)
    values = _known(name, as_inexact(values, name))
    errors = _known(f"{name}_error", as_float(errors, f"{name}_error"))
    same = f"as long as the times, {len(times)}"
    require(name, same, f"of shape {values.shape}", values.shape == times.shape)
    words = f"one number or {same}"
    require(f"{name}_error", words, _shape(errors), errors.shape in ((), times.shape))
    errors = np.broadcast_to(errors, times.shape)
    present = ~np.isnan(values)
    require(name, "measured at least once", "missing throughout", bool(present.any()))
    require_each(name, "finite or NaN", values, lambda x: np.isfinite(x) | np.isnan(x))
    positive = (errors > 0.0) & np.isfinite(errors)
    rule = "positive and finite wherever a value is"
    require_each(f"{name}_error", rule, errors, lambda _: positive | ~present)
    if isinstance(given, tuple):
        _require_possible(name, values, errors, times)
    return values, np.where(present, errors, 1.0)


def _require_possible(name: str, values: np.ndarray, errors: np.ndarray, times: np.ndarray) -> None:
    """Refuse values that no state can have."""
    low, high = limits_of(name)
    real = np.real(values)
    beyond = np.fmax(low - real, real - high) / errors
    if np.nanmax(beyond) > ERRORS_BEYOND:
        worst = int(np.nanargmax(beyond))
        rule = f"between {low:g} and {high:g} within its errors (is its sign or unit another?)"
        found = f"{real[worst]:g} at t = {times[worst]:g}"
        require(name, rule, found, False)


def runs_of(data: Data | Sequence[Data]) -> list[Data]:
    """One run or several, as a list."""
    return list(data) if isinstance(data, list | tuple) else [data]  # type: ignore[list-item]


def together(data: Data | Sequence[Data], results: Any) -> Float[Array, " residuals"]:
    """The residuals of one run, or of several, whose results come in the same order."""
    results = [results] if isinstance(data, Data) else results
    pairs = zip(runs_of(data), results, strict=True)
    return jnp.concatenate([one.residuals(result) for one, result in pairs])


def times_of(data: Data | Sequence[Data], results: Any) -> list[Array | None]:
    """The times of the results, run by run, where they have some."""
    results = [results] if isinstance(data, Data) else results
    return [
        one.get("t") if isinstance(one, Mapping) else getattr(one, "t", None) for one in results
    ]


def require_same_times(data: Data | Sequence[Data], times: Sequence[Array | None]) -> None:
    """Refuse a model that was solved at other times than the data were taken at."""
    for one, found in zip(runs_of(data), times, strict=True):
        if found is None:
            continue
        rule, shape = f"the {len(one.t)} times `data.t`", np.shape(found)
        require("model.t", rule, f"of shape {shape}", shape == one.t.shape)
        wanted, found = np.asarray(one.t), np.asarray(found)
        # Where parameters are invalid the times are NaN.
        differ = np.flatnonzero(np.abs(found - wanted) > 1e-9 * wanted[-1])
        if differ.size:
            place = differ[0]
            is_not = f"{found[place]:g} at index {place} where that is {wanted[place]:g}"
            require("model.t", rule, is_not, False)


def worst_status(data: Data | Sequence[Data], results: Any) -> Int[Array, ""]:
    """The largest status of the results, of those that have one."""
    results = [results] if isinstance(data, Data) else results
    known = [
        result.get("status") if isinstance(result, Mapping) else getattr(result, "status", None)
        for result in results
    ]
    found = [jnp.max(jnp.asarray(one, int)) for one in known if one is not None]
    return jnp.max(jnp.stack([jnp.asarray(int(Status.SUCCESS)), *found]))


def count_of(data: Data | Sequence[Data]) -> int:
    """How many numbers there are in one run or in several."""
    return sum(one.count for one in runs_of(data))


@eqx.filter_jit
def size_of(data: Data | Sequence[Data]) -> Float[Array, ""]:
    """The root of the sum of all (data / error)^2, or 1 where that is 0."""
    relative = [
        jnp.abs(jnp.nan_to_num(values)) / one.errors[name]
        for one in runs_of(data)
        for name, values in one.values.items()
    ]
    size = jnp.linalg.norm(jnp.concatenate(relative))
    return jnp.where(size > 0.0, size, 1.0)
