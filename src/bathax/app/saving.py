"""Results of the command on disk: a solution with its study, any result read back or exported."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray

from bathax.studies.outputs import replacing
from bathax.studies.store import MAP, SOLUTION, SWEEP, opened, require_format


def save(
    solution: Any,
    path: str | Path,
    study_text: str,
    *,
    files: Mapping[str, str] | None = None,
    overwrite: bool = False,
) -> xarray.Dataset:
    """Write a solution to `path` and return it as the labelled dataset that was written.

    The study is kept with it, and the contents of the `files` that the study names. The store
    appears when it is complete: an interrupted writing leaves no trace, and an earlier result in
    its place. Raises `StoreError` as `check_target` does.
    """
    # JAX, which takes seconds to import, is needed only here.
    from bathax.studies.results import write

    about = {"study": study_text, "files": dict(files or {})}
    return write(solution, path, about, overwrite=overwrite)


def load(path: str | Path) -> xarray.Dataset:
    """Read a result: a solution or a map completely, a sweep when it is used."""
    path = Path(path)
    is_sweep = require_format(path, SOLUTION, MAP, SWEEP) == SWEEP
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
    with replacing(path) as new:
        xarray.Dataset(parts, attrs=attributes).to_netcdf(new, engine="h5netcdf")
