"""Results as labelled datasets and as files, and back: solutions, maps, sweeps and fits."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import xarray
from zarr.storage import MemoryStore

from bathax import __version__
from bathax._checks import is_concrete, require, require_kind
from bathax.qubit.dynamical_map import DynamicalMap, MapQuantities
from bathax.qubit.states import QubitState
from bathax.solution import Quantities, QubitQuantities, QubitSolution, Solution
from bathax.studies.fit.record import FORMAT, fit_from, plain, restored, table_of
from bathax.studies.fit.result import Fit
from bathax.studies.lookup import about, attribute_of
from bathax.studies.outputs import StoreError, replacing, require_file
from bathax.studies.quantities import OF_MAP, OF_SOLUTION
from bathax.studies.store import (
    MAP,
    SOLUTION,
    SWEEP,
    Files,
    check_target,
    opened,
    require_format,
    write_files,
)
from bathax.system.states import DensityMatrix, Gaussian, Mixture

STATES = {state.__name__: state for state in (Mixture, Gaussian, DensityMatrix, QubitState)}


def save(result: Any, path: str | Path, *, overwrite: bool = False) -> None:
    """Write a `Fit` as JSON, or a solution or a dynamical map as a zarr folder; see `load`.

    The file appears when it is complete. An earlier result is replaced only with `overwrite`.
    Raises `StoreError` if it cannot be written.

    >>> t = np.linspace(0.0, 10.0, 21)
    >>> data = bx.Data(t, energy=(5.0 * np.exp(-0.2 * t), 0.1))
    >>> damped = lambda rate: {"energy": 5.0 * jnp.exp(-rate * data.t)}
    >>> found = bx.fit(damped, data, {"rate": 0.5}, starts=1)
    >>> bx.save(found, "fit.json", overwrite=True)
    """
    kinds = (Fit, Solution, QubitSolution, DynamicalMap)
    require_kind("result", "a `Fit`, a solution or a `DynamicalMap`", result, kinds)
    if isinstance(result, Fit):
        write_fit(result, path, {}, overwrite=overwrite)
    else:
        write(result, path, {}, overwrite=overwrite)


def load(path: str | Path) -> Any:
    """A result from a file that `save` or the command line has written.

    It is a solution, a `DynamicalMap`, the dataset of a sweep, or a `Fit`, which has no `profile`
    because a file does not hold its model. Raises `StoreError` for anything else.

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=20.0))
    >>> ts = jnp.linspace(0.0, 40.0, 9)
    >>> sol = bx.solve(cavity, bx.Fock(5), ts, bx.BornMarkov())
    >>> bx.save(sol, "solution.zarr", overwrite=True)
    >>> float(bx.load("solution.zarr").energy[0])
    5.0
    """
    path = Path(path)
    if path.is_file():
        return _fit_in(path)
    kind = require_format(path, SOLUTION, MAP, SWEEP)
    with opened(path) as dataset:
        return dataset if kind == SWEEP else from_dataset(dataset.load(), path)


def write_fit(
    found: Fit, path: str | Path, given: Mapping[str, Any], *, overwrite: bool = False
) -> None:
    """Write a fit and the information `given` about it as JSON."""
    path = Path(path)
    require_file(path, overwrite=overwrite)
    with replacing(path) as new:
        new.write_text(json.dumps(table_of(found) | dict(given), indent=2) + "\n", encoding="utf-8")


def read_fit(path: str | Path) -> dict[str, Any]:
    """The table of a fit in a file."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"File `{path}` does not hold the result of a fit.") from error
    kind = str(content.get("format")) if isinstance(content, dict) else ""
    if not kind.startswith("bathax fit"):
        raise StoreError(f"File `{path}` does not hold the result of a fit.")
    if kind != FORMAT:
        raise StoreError(f"File `{path}` has the format `{kind}`, but must have `{FORMAT}`.")
    return content


def _fit_in(path: Path) -> Fit:
    content = read_fit(path)
    try:
        return fit_from(content)
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"File `{path}` does not hold the whole result of a fit.") from error


def write(
    result: Any, path: str | Path, given: Mapping[str, Any], *, overwrite: bool = False
) -> xarray.Dataset:
    """Write a solution or a map with the information `given`, and return the dataset."""
    path = Path(path)
    check_target(path, overwrite=overwrite)
    dataset = to_dataset(result, given)
    files: Files = {}
    dataset.to_zarr(MemoryStore(files), zarr_format=3, consolidated=False)
    write_files(files, path)
    return dataset


def to_dataset(result: Any, given: Mapping[str, Any]) -> xarray.Dataset:
    """A solution or a map over `time` and `level`, each quantity beside its error.

    There are so many levels that the probability of all others is below 1e-6, if that is feasible.
    """
    known = is_concrete(result) and np.ndim(result.t) == 1
    require("result", "one solution or map of known numbers", f"{type(result).__name__}", known)
    is_map = isinstance(result, DynamicalMap)
    variables = {}
    levels = _levels(result)
    for name in OF_MAP if is_map else OF_SOLUTION:
        own = attribute_of(name)
        if own in levels or hasattr(result, own):
            values = levels[own] if own in levels else getattr(result, own)
            variables[own] = _variable(name, values)
        if hasattr(result.error, own):
            variables[f"{own}_error"] = _variable(f"{name}_error", getattr(result.error, own))
    times = ("time", np.asarray(result.t), {"long_name": "time", "units": "1/energy"})
    coordinates: dict[str, Any] = {"time": times}
    if "populations" in variables:
        places = np.arange(variables["populations"].sizes["level"])
        coordinates["level"] = ("level", places, {"long_name": "level", "units": "1"})
    initial = {} if is_map else {"initial": _of_state(result.initial)}
    attributes = {
        "format": MAP if is_map else SOLUTION,
        "bathax_version": __version__,
        "jax_version": version("jax"),
        **given,
        **initial,
        "status": int(result.status),
        "message": str(result.message),
    }
    return xarray.Dataset(variables, coordinates, attributes)


def from_dataset(dataset: xarray.Dataset, path: Path) -> Any:
    """The solution or the map in a dataset that was read from a path."""
    is_map = dataset.attrs["format"] == MAP
    if not is_map and "initial" not in dataset.attrs:
        words = "is of an earlier version, which only `xarray.open_zarr` reads"
        raise StoreError(f"Result `{path}` {words}.")
    initial = {} if is_map else {"initial": _state_from(dataset.attrs["initial"])}
    kind, quantities = _kinds(dataset)
    own = {one.name for one in fields(kind)} - {"t", "error", "status", "initial"}

    def arrays(names: Iterable[str], ending: str = "") -> dict[str, Any]:
        return {name: jnp.asarray(dataset[f"{name}{ending}"].values) for name in names}

    return kind(
        **arrays(own),
        **initial,
        t=jnp.asarray(dataset.time.values),
        error=quantities(**arrays((one.name for one in fields(quantities)), "_error")),
        status=jnp.asarray(dataset.attrs["status"]),
    )


def _kinds(dataset: xarray.Dataset) -> tuple[Any, Any]:
    """The class of a result, and that of its error."""
    if dataset.attrs["format"] == MAP:
        return DynamicalMap, MapQuantities
    return (Solution, Quantities) if "u" in dataset else (QubitSolution, QubitQuantities)


def _levels(result: Any) -> dict[str, Any]:
    """Populations of as many levels as needed, and the probability of all others."""
    if not isinstance(result, Solution):
        return {}
    populations = result.populations_within()
    above = 1.0 - jnp.sum(populations, axis=-1)
    return {"populations": populations, "population_above": above}


def _variable(name: str, values: Any) -> xarray.Variable:
    array = np.asarray(values)
    return xarray.Variable(("time", "level")[: array.ndim], array, about(name))


def _of_state(state: eqx.Module) -> dict[str, Any]:
    """A state as plain values."""
    values = {one.name: getattr(state, one.name) for one in fields(state)}
    return {"kind": type(state).__name__} | plain(values)


def _state_from(table: Mapping[str, Any]) -> Any:
    values = restored({name: value for name, value in table.items() if name != "kind"})
    return STATES[table["kind"]](**values)
