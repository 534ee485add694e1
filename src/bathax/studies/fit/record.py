"""A fit as a nested table of plain values, and back: all of it but the model."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from bathax import __version__
from bathax.studies.fit.data import Data
from bathax.studies.fit.parameters import Parameters
from bathax.studies.fit.result import Fit
from bathax.studies.fit.search import Problem, Runs, forgotten
from bathax.studies.plain import plain, restored

FORMAT = "bathax fit, version 2"
# Fields of a `Fit` that are converted separately.
SPECIAL = {"parameters", "errors", "problem", "data"}


def table_of(fit: Fit) -> dict[str, Any]:
    """A table with the results of a fit, and with what is needed to restore it."""
    found = {
        "format": FORMAT,
        "bathax_version": __version__,
        "status": "converged" if fit.converged else "not converged",
        "message": fit.message,
        "parameters": {
            name: {"value": value, "error": fit.errors[name]}
            for name, value in fit.parameters.items()
        },
        **{one.name: getattr(fit, one.name) for one in fields(fit) if one.name not in SPECIAL},
        **{name: getattr(fit, name) for name in ("aic", "bic", "p_value", "serial_correlation")},
        "loss": fit.problem.loss,
        "bounds": {"low": fit.problem.parameters.low, "high": fit.problem.parameters.high},
        "start": fit.problem.parameters.example,
        "data": _of_data(fit.data),
    }
    return plain(found)


def fit_from(table: Mapping[str, Any]) -> Fit:
    """The fit in a table, without its model."""
    found = restored(table)
    found["parameters"], found["errors"] = (
        {name: np.asarray(one[part]) for name, one in found["parameters"].items()}
        for part in ("value", "error")
    )
    start = {name: np.asarray(p) for name, p in found["start"].items()}
    parameters = Parameters(**found["bounds"], example=start)
    found["data"] = _data_from(found["data"])
    found["problem"] = Problem(parameters, forgotten, found["loss"], None, None)
    return Fit(**{one.name: found[one.name] for one in fields(Fit) if one.name in found})


def _of_data(data: Runs) -> Any:
    """The table of one run, or of each of several."""
    if not isinstance(data, Data):
        return [_of_data(run) for run in data]
    parts = {name: getattr(data, name) for name in ("values", "errors", "has_errors")}
    return {"times": data.t[data.places]} | parts


def _data_from(table: Any) -> Runs:
    """The inverse of `_of_data`."""
    if isinstance(table, list):
        return [_data_from(run) for run in table]  # type: ignore[misc]
    values, errors = table["values"], table["errors"]
    if table["has_errors"]:
        values = {name: (values[name], errors[name]) for name in values}
    return Data(table["times"], **values)
