"""Results on disk: a solution as a labelled zarr store, any result read back or exported."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import xarray
from zarr.storage import MemoryStore

from bathax import __version__
from bathax.studies.quantities import OF_SOLUTION, about
from bathax.studies.store import (
    SOLUTION,
    SWEEP,
    Files,
    StoreError,
    check_target,
    opened,
    require_format,
    write_files,
)


def save(
    solution: Any, path: str | Path, study_text: str, *, overwrite: bool = False
) -> xarray.Dataset:
    """Write a solution to `path` and return it as the labelled dataset that was written.

    The store appears at `path` when it is complete: whatever interrupts the writing leaves no
    trace, and an earlier result in its place. Raises `StoreError` as `check_target` does.
    """
    path = Path(path)
    check_target(path, overwrite=overwrite)
    dataset = to_dataset(solution, study_text)
    files: Files = {}
    dataset.to_zarr(MemoryStore(files), zarr_format=3, consolidated=False)
    write_files(files, path)
    return dataset


def load(path: str | Path) -> xarray.Dataset:
    """Read a result: a solution whole into memory, a sweep where it is used."""
    path = Path(path)
    is_sweep = require_format(path, SOLUTION, SWEEP) == SWEEP
    with opened(path) as dataset:
        return dataset if is_sweep else dataset.load()


def export(dataset: xarray.Dataset, path: Path) -> None:
    """Write a result as netCDF-4: complex numbers as `<name>_real` and `<name>_imag`."""
    parts = {}
    for name, variable in dataset.data_vars.items():
        if np.iscomplexobj(variable):
            parts |= {f"{name}_real": variable.real, f"{name}_imag": variable.imag}
        else:
            parts[name] = variable
    attributes = {
        name: json.dumps(value) if isinstance(value, dict) else value
        for name, value in dataset.attrs.items()
    }
    new = path.with_name(f".{path.name}.partial")
    try:
        xarray.Dataset(parts, attrs=attributes).to_netcdf(new, engine="h5netcdf")
        new.replace(path)
    except OSError as error:
        raise StoreError(f"File `{path}` cannot be written: {error.strerror}.") from error
    finally:
        new.unlink(missing_ok=True)


def to_dataset(solution: Any, study_text: str) -> xarray.Dataset:
    """A solution as a dataset over `time` and `level`, each quantity beside its error."""
    times = xarray.Variable(
        "time", np.asarray(solution.t), {"long_name": "time", "units": "1/energy"}
    )
    variables = {}
    for name in OF_SOLUTION:
        if hasattr(solution, name):
            variables[name] = _variable(name, getattr(solution, name))
        if hasattr(solution.error, name):
            variables[f"{name}_error"] = _variable(f"{name}_error", getattr(solution.error, name))
    levels = np.arange(variables["populations"].sizes["level"])
    return xarray.Dataset(
        variables,
        {"time": times, "level": ("level", levels, {"long_name": "level", "units": "1"})},
        {
            "format": SOLUTION,
            "bathax_version": __version__,
            "jax_version": version("jax"),
            "study": study_text,
            "status": int(solution.status),
            "message": str(solution.message),
        },
    )


def _variable(name: str, values: Any) -> xarray.Variable:
    array = np.asarray(values)
    quantity = about(name)
    attributes = {"long_name": quantity.long_name, "units": quantity.units}
    return xarray.Variable(("time", "level")[: array.ndim], array, attributes)
