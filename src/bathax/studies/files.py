"""Any result in files: what `bathax.save` writes and `bathax.load` reads."""

from pathlib import Path
from typing import Any

from bathax._checks import require_kind
from bathax.qubit.dynamical_map import DynamicalMap
from bathax.solution import QubitSolution, Solution
from bathax.studies.fit.files import fit_in, write_fit
from bathax.studies.fit.result import Fit
from bathax.studies.results import from_dataset, write
from bathax.studies.store import MAP, SOLUTION, SWEEP, opened, require_format


def save(result: Any, path: str | Path, *, overwrite: bool = False) -> None:
    """Write a `Fit` as JSON, or a solution or a dynamical map as a zarr folder; see `load`.

    What is there is complete or not there at all, and an earlier result is replaced only with
    `overwrite`. Raises `StoreError` where it cannot be written.
    """
    kinds = (Fit, Solution, QubitSolution, DynamicalMap)
    require_kind("result", "a `Fit`, a solution or a `DynamicalMap`", result, kinds)
    if isinstance(result, Fit):
        write_fit(result, path, {}, overwrite=overwrite)
    else:
        write(result, path, {}, overwrite=overwrite)


def load(path: str | Path) -> Any:
    """A result from a file: what `save` or the command line has written.

    A `Fit`, whose model is not known any more so that it has no `profile`, a solution, a
    `DynamicalMap`, or the dataset of a sweep. Raises `StoreError` for anything else.
    """
    path = Path(path)
    if path.is_file():
        return fit_in(path)
    kind = require_format(path, SOLUTION, MAP, SWEEP)
    with opened(path) as dataset:
        return dataset if kind == SWEEP else from_dataset(dataset.load(), path)
