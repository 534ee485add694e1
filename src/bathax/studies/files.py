"""Any result in files: what `bathax.save` writes and `bathax.load` reads."""

from pathlib import Path
from typing import Any

from bathax._checks import require_kind
from bathax.qubit.dynamical_map import DynamicalMap
from bathax.solution.results import LinearSolution, QubitSolution, Solution
from bathax.studies.fit.files import fit_in, write_fit
from bathax.studies.fit.result import Fit
from bathax.studies.results import from_dataset, write
from bathax.studies.store import MAP, SOLUTION, SWEEP, opened, require_format


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
    kinds = (Fit, Solution, QubitSolution, LinearSolution, DynamicalMap)
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
        return fit_in(path)
    kind = require_format(path, SOLUTION, MAP, SWEEP)
    with opened(path) as dataset:
        return dataset if kind == SWEEP else from_dataset(dataset.load(), path)
