"""Solutions and maps as labelled datasets and as files, and back."""

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
from bathax._checks import is_concrete, require
from bathax.qubit.dynamical_map import DynamicalMap
from bathax.qubit.elements import MapQuantities
from bathax.qubit.states import QubitState
from bathax.solution.results import (
    CavityWork,
    DrivenLinearSolution,
    DrivenSolution,
    LinearSolution,
    Quantities,
    QubitQuantities,
    QubitSolution,
    Solution,
)
from bathax.studies.lookup import about, attribute_of
from bathax.studies.outputs import StoreError
from bathax.studies.plain import plain, restored
from bathax.studies.quantities import OF_DRIVE, OF_MAP, OF_MODES, OF_SOLUTION
from bathax.studies.store import MAP, SOLUTION, Files, check_target, write_files
from bathax.system.covariance import Covariance
from bathax.system.preparation import Preparation
from bathax.system.states import DensityMatrix, Gaussian, Mixture
from bathax.thermodynamics.driven import DrivenLinearQuantities
from bathax.thermodynamics.linear import LinearQuantities

STATES = {
    state.__name__: state for state in (Mixture, Gaussian, DensityMatrix, QubitState, Covariance)
}
# The kind of a start that is no state of the system alone.
CORRELATED = "correlated"
# What the axes of arrays are; of several modes those of matrices and of one number a reservoir.
DIMENSIONS = (("time",), ("time", "level"))
OF_LINEAR = (("time",), ("time", "channel"), ("time", "mode", "other_mode"))
# Of u and v for (a, a'), where quanta are not conserved.
OF_PAIRED = ("time", "component", "other_component")


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
    Several modes have the dimensions `mode` and `other_mode` of matrices, and `channel`.
    """
    known = is_concrete(result) and np.ndim(result.t) == 1
    require("result", "one solution or map of known numbers", f"{type(result).__name__}", known)
    is_map = isinstance(result, DynamicalMap)
    variables = _variables(result, OF_MAP if is_map else OF_SOLUTION | OF_MODES | OF_DRIVE)
    times = ("time", np.asarray(result.t), {"long_name": "time", "units": "1/energy"})
    coordinates: dict[str, Any] = {"time": times}
    for name, size in xarray.Dataset(variables).sizes.items():
        if name != "time":
            words = str(name).replace("_", " ")
            coordinates[str(name)] = (name, np.arange(size), {"long_name": words, "units": "1"})
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
    own = {one.name for one in fields(kind)} - {"t", "error", "status", "initial", "origin"}

    def arrays(names: Iterable[str], ending: str = "") -> dict[str, Any]:
        return {name: jnp.asarray(dataset[f"{name}{ending}"].values) for name in names}

    return kind(
        **arrays(own),
        **initial,
        t=jnp.asarray(dataset.time.values),
        error=quantities(**arrays((one.name for one in fields(quantities)), "_error")),
        status=jnp.asarray(dataset.attrs["status"]),
        **({} if is_map else {"origin": None}),
    )


def _kinds(dataset: xarray.Dataset) -> tuple[Any, Any]:
    """The class of a result, and that of its error."""
    if dataset.attrs["format"] == MAP:
        return DynamicalMap, MapQuantities
    if "particle_current" in dataset:
        driven = DrivenLinearSolution, DrivenLinearQuantities
        return driven if "work" in dataset else (LinearSolution, LinearQuantities)
    if "work" in dataset:
        return DrivenSolution, CavityWork
    return (Solution, Quantities) if "u" in dataset else (QubitSolution, QubitQuantities)


def _levels(result: Any) -> dict[str, Any]:
    """Populations of as many levels as needed, and the probability of all others."""
    if not isinstance(result, Solution):
        return {}
    populations = result.populations_within()
    above = 1.0 - jnp.sum(populations, axis=-1)
    return {"populations": populations, "population_above": above}


def _variables(result: Any, names: Iterable[str]) -> dict[str, xarray.Variable]:
    """The quantities that a result has, each with its error."""
    dimensions = OF_LINEAR if isinstance(result, LinearSolution) else DIMENSIONS
    levels, found = _levels(result), {}

    def add(name: str, label: str, values: Any) -> None:
        array = np.asarray(values)
        of_array = dimensions[array.ndim - 1]
        row = OF_DRIVE.get(name.removesuffix("_error"))
        if row is not None:
            of_array = ("time", *row.indices)
        elif array.ndim == 3 and array.shape[-1] != np.shape(result.n)[-1]:
            of_array = OF_PAIRED
        found[name] = xarray.Variable(of_array, array, about(label))

    for name in names:
        own = attribute_of(name)
        if own in levels or hasattr(result, own):
            add(own, name, levels[own] if own in levels else getattr(result, own))
        if hasattr(result.error, own):
            add(f"{own}_error", f"{name}_error", getattr(result.error, own))
    return found


def _of_state(state: eqx.Module) -> dict[str, Any]:
    """A state as plain values; a correlated start in words."""
    if isinstance(state, Preparation):
        return {"kind": CORRELATED, "start": str(state)}
    values = {one.name: getattr(state, one.name) for one in fields(state)}
    values = {name: value for name, value in values.items() if value is not None}
    return {"kind": type(state).__name__} | plain(values)


def _state_from(table: Mapping[str, Any]) -> Any:
    if table["kind"] == CORRELATED:
        return table["start"]
    values = restored({name: value for name, value in table.items() if name != "kind"})
    return STATES[table["kind"]](**values)
