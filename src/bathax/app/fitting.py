"""A fit as the command makes it: columns of a file, parameters of a study, a result on disk."""

import csv
import json
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

import bathax as bx
from bathax import __version__
from bathax.app.config.rules import StudyError
from bathax.app.config.varying import value_at, with_values
from bathax.app.figures.files import replacing
from bathax.studies.fit.data import Data
from bathax.studies.fit.result import Fit
from bathax.studies.observe import observe
from bathax.studies.quantities import names_of

FORMAT = "bathax fit, version 1"
# Times at which a fitted curve is drawn.
CURVE = 201


def read_data(file: Path, kind: str) -> Data:
    """The columns of a CSV file: `t`, quantities, and `<quantity>_error` for those with errors.

    An empty cell is a missing value.
    """
    columns = _columns(file)
    known = {*names_of(kind), *(f"abs_{name}" for name in names_of(kind))} - {"populations"}
    measured = [name for name in columns if name != "t" and not name.endswith("_error")]
    wrong = [name for name in measured if name not in known]
    lonely = [
        name
        for name in columns
        if name.endswith("_error") and name[: -len("_error")] not in columns
    ]
    if "t" not in columns or not measured or wrong or lonely:
        found = ", ".join(columns) or "nothing"
        raise StudyError(
            f"File `{file}` must have a column `t`, columns named like quantities of a {kind}, and "
            f"`<quantity>_error` beside those with errors, but has {found}."
        )
    errors = {name: columns.get(f"{name}_error") for name in measured}
    try:
        return Data(
            columns["t"],
            **{
                name: columns[name] if errors[name] is None else (columns[name], errors[name])
                for name in measured
            },
        )
    except ValueError as error:
        raise StudyError(str(error).replace("Argument `", f"In `{file}`, `", 1)) from error


def run(study: Any, data: Data) -> Fit:
    """Fit the free numbers of a study to data of its system."""

    def model(**values: Any) -> dict[str, Any]:
        names = {name.removeprefix("abs_") for name in data.values}
        system, initial, _, solver = with_values(study, values).build()
        return observe(sorted(names), system, initial, data.t, solver)

    start = {path: value_at(study, path) for path in study.fit.free}
    return bx.fit(model, data, start, progress=True, **study.fit.options())


def as_json(found: Fit, study: dict[str, Any]) -> str:
    """The result as text, from which `load` reads it."""
    names = found.parameters
    content = {
        "format": FORMAT,
        "bathax_version": __version__,
        "status": "converged" if found.converged else "not converged",
        "message": found.message,
        "parameters": {
            name: {"value": float(names[name]), "error": float(found.errors[name])}
            for name in names
        },
        "labels": found.labels,
        "covariance": found.covariance.tolist(),
        "size": found.size,
        "chi2": found.chi2,
        "freedom": found.freedom,
        "aic": found.aic,
        "bic": found.bic,
        "serial_correlation": found.serial_correlation,
        "study": study,
    }
    return json.dumps(content, indent=2) + "\n"


def write(found: Fit, study: dict[str, Any], path: Path) -> None:
    """Write the result, whole or not at all."""
    with replacing(path) as new:
        new.write_text(as_json(found, study), encoding="utf-8")


def load(path: str | Path) -> dict[str, Any]:
    """A result that `bathax fit` wrote, its covariance as an array; `StudyError` for others."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StudyError(f"File `{path}` does not hold the result of a fit.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise StudyError(f"File `{path}` does not hold the result of a fit.")
    return content | {"covariance": np.array(content["covariance"])}


def view(study: Any, data: Data, found: Fit) -> dict[str, Any]:
    """What the figure of a fit shows: curves, densities and their errors, as arrays."""
    times = jnp.linspace(0.0, data.t[-1], CURVE)
    names = list(data.values)

    def curves(**values: Any) -> Any:
        system, initial, _, solver = with_values(study, values).build()
        plain = sorted({name.removeprefix("abs_") for name in names})
        result = observe(plain, system, initial, times, solver)
        return jnp.stack([_real(result, name) for name in names])

    def density(**values: Any) -> Any:
        system, *_ = with_values(study, values).build()
        return system.spectral_density(frequencies)

    frequencies = _frequencies(study, found)
    residuals = np.split(found.residuals, len(found.residuals) // len(data.places))
    return {
        "names": names,
        "data": data,
        "times": np.asarray(times),
        "curves": found.band(curves),
        "frequencies": np.asarray(frequencies),
        "density": found.band(density),
        "measured": np.asarray(data.t)[np.asarray(data.places)],
        "residuals": residuals,
        "warnings": found.warnings,
    }


def _columns(file: Path) -> dict[str, np.ndarray]:
    with file.open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        columns: dict[str, list[float]] = {name.strip(): [] for name in reader.fieldnames or ()}
        for row in reader:
            for name, cell in row.items():
                try:
                    columns[name.strip()].append(float(cell) if cell.strip() else np.nan)
                except (AttributeError, KeyError, ValueError):
                    rule = f"a number or nothing in every column, unlike line {reader.line_num}"
                    raise StudyError(f"File `{file}` must hold {rule}.") from None
    return {name: np.array(values) for name, values in columns.items()}


def _real(result: dict[str, Any], name: str) -> Any:
    values = result[name.removeprefix("abs_")]
    return jnp.abs(values) if name.startswith("abs_") or jnp.iscomplexobj(values) else values


def _frequencies(study: Any, found: Fit) -> Any:
    """Where J is drawn: from its lower end over a few of its widths."""
    there = found.problem.parameters.named(found.best)
    system, *_ = with_values(study, there).build()
    low = min(float(bath.spectral_density.lower) for bath in system.reservoirs)
    low = low if np.isfinite(low) else 0.0
    return jnp.linspace(low, low + 3.0 * float(system.bandwidth), CURVE)[1:]
