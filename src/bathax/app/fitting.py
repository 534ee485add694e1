"""`bathax fit`: data from the columns of a file, parameters of a study, a result on disk."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

import bathax as bx
from bathax.app.config.columns import Columns, read_columns
from bathax.app.config.files import File
from bathax.app.config.rules import StudyError
from bathax.app.config.varying import unbounded, value_at, with_values
from bathax.plot.fit import View, panels_of
from bathax.plot.parts import TIME
from bathax.studies.fit.data import Data
from bathax.studies.fit.files import read_fit
from bathax.studies.fit.result import Fit
from bathax.studies.lookup import MODULUS, called, measurable
from bathax.studies.observe import observe

# Times at which a fitted curve is drawn.
CURVE = 201


def read_data(file: File, kinds: Sequence[str], sizes: Mapping[str, int] | None = None) -> Data:
    """The columns of a CSV file: `t`, quantities, and `<quantity>_error` for those with errors.

    An empty cell is a missing value. Of several modes elements are measured, like `n_0_0`; `sizes`
    are those of their indices.
    """
    columns = read_columns(file, "t,energy,energy_error")
    _check_names(columns, kinds, sizes)
    measured = _measured(columns)

    def read(name: str) -> Any:
        values, error = columns.numbers(name, gaps=True), f"{name}_error"
        if error not in columns.cells:
            return values
        columns.require_same_unit(name, error)
        return values, columns.numbers(error, gaps=True)

    try:
        return Data(columns.numbers("t"), **{name: read(name) for name in measured})
    except StudyError:
        raise
    except ValueError as error:
        raise StudyError(str(error).replace("Argument `", f"In `{file.path}`, `", 1)) from error


def _check_names(columns: Columns, kinds: Sequence[str], sizes: Mapping[str, int] | None) -> None:
    """Refuse a file without times or quantities, or with columns that are neither."""
    measured, known = _measured(columns), measurable(kinds, sizes)
    wrong = [name for name in measured if name not in known]
    errors = (name.removesuffix("_error") for name in columns.cells if name.endswith("_error"))
    lonely = [name for name in errors if name not in columns.cells]
    if "t" not in columns.cells or not measured or wrong or lonely:
        raise StudyError(
            f"File `{columns.file.path}` must have a column `t`, columns named like quantities of "
            f"{called(kinds[0])}, and `<quantity>_error` beside those with errors, but has "
            f"{', '.join(columns.cells)}."
        )


def _measured(columns: Columns) -> list[str]:
    """The columns that are quantities."""
    return [name for name in columns.cells if name != "t" and not name.endswith("_error")]


def run(study: Any, data: Data) -> Fit:
    """Fit the free numbers of a study to data of its system."""

    def model(**values: Any) -> dict[str, Any]:
        names = {name.removeprefix(MODULUS) for name in data.values}
        system, initial, _, solver = with_values(study, values).build()
        return observe(sorted(names), system, initial, data.t, solver)

    start = {path: value_at(study, path) for path in study.fit.free}
    bounds = dict.fromkeys(unbounded(study, study.fit.free), (-np.inf, np.inf))
    return bx.fit(model, data, start, bounds=bounds, progress=True, **study.fit.options())


def load(path: str | Path) -> dict[str, Any]:
    """A result that `bathax fit` wrote, its covariance as an array; `StoreError` for others.

    `bathax.load` gives the same as a `Fit`.
    """
    content = read_fit(path)
    return content | {"covariance": np.array(content["covariance"], float)}


def view(study: Any, data: Data, found: Fit) -> View:
    """The content of a fit's figure: curves, densities and their errors, as arrays."""
    times = jnp.linspace(0.0, data.t[-1], CURVE)
    names = sorted(data.values)  # the order of the panels

    def curves(**values: Any) -> Any:
        system, initial, _, solver = with_values(study, values).build()
        plain = sorted({name.removeprefix(MODULUS) for name in names})
        result = observe(plain, system, initial, times, solver)
        return jnp.stack([_real(result, name) for name in names])

    def density(**values: Any) -> Any:
        system, *_ = with_values(study, values).build()
        return sum(bath.spectral_density(frequencies) for bath in system.reservoirs)

    frequencies = _frequencies(study, found)
    panels = panels_of(data, found.residuals, np.asarray(times), found.band(curves))
    density_of = np.asarray(frequencies), found.band(density)
    # Several modes have no frequency of their own.
    return View(panels, density_of, found.warnings, "$t$" if "modes" in study.kinds else TIME)


def _real(result: dict[str, Any], name: str) -> Any:
    values = result[name.removeprefix(MODULUS)]
    return jnp.abs(values) if name.startswith(MODULUS) or jnp.iscomplexobj(values) else values


def _frequencies(study: Any, found: Fit) -> Any:
    """Frequencies at which J is drawn: from its lower end over a few of its widths.

    Of several modes all that their bands reach to.
    """
    there = found.problem.parameters.named(found.best)
    system, *_ = with_values(study, there).build()
    if isinstance(system, bx.LinearSystem):
        extents = np.array([bath.spectral_density.extent for bath in system.reservoirs])
        return jnp.linspace(extents.min(), extents.max(), CURVE)
    low = min(float(bath.spectral_density.lower) for bath in system.reservoirs)
    low = low if np.isfinite(low) else 0.0
    return jnp.linspace(low, low + 3.0 * float(system.bandwidth), CURVE)[1:]
