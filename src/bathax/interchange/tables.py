"""Datasets and data frames of results, with names, units and descriptions."""

from typing import Any

import numpy as np
import pandas
import xarray

from bathax.studies import results
from bathax.studies.fit.result import Fit

# The numbers that say how good a fit is.
QUALITY = ("chi2", "freedom", "p_value", "aic", "bic", "agreeing")


def to_dataset(result: Any) -> xarray.Dataset:
    """A solution or a map over `time` and its levels or modes, or a fit over its parameters."""
    return _of_fit(result) if isinstance(result, Fit) else results.to_dataset(result, {})


def to_dataframe(result: Any) -> pandas.DataFrame:
    """A solution or a map with a row for each time, or a fit with one for each parameter.

    What belongs to a channel has a column for each, like `energy_current_0`.
    """
    dataset = _with_columns(to_dataset(result), "channel")
    first = str(next(iter(dataset.coords)))
    others = [name for name in dataset.dims if name != first]
    frame = dataset.drop_dims(others).to_dataframe()
    units = {name: dataset[name].attrs.get("units", "") for name in (first, *frame.columns)}
    frame.attrs = {"units": units, **dataset.attrs}
    return frame


def _with_columns(dataset: xarray.Dataset, dimension: str) -> xarray.Dataset:
    """With a variable for each place along a dimension, if there is one."""
    columns = {
        _at(str(name), place): variable.isel({dimension: place}, drop=True)
        for name, variable in dataset.items()
        if dimension in variable.dims
        for place in range(variable.sizes[dimension])
    }
    return dataset.drop_dims(dimension, errors="ignore").assign(columns)


def _at(name: str, place: int) -> str:
    """The name of an element, or of its error."""
    quantity = name.removesuffix("_error")
    return f"{quantity}_{place}{name.removeprefix(quantity)}"


def _of_fit(fit: Fit) -> xarray.Dataset:
    """The parameters with their errors and covariance."""
    names = ("parameter", "other_parameter")
    undetermined = np.array([label in fit.undetermined for label in fit.labels])
    columns = {
        "value": (np.where(undetermined, np.nan, fit.best), "value of the parameter"),
        "error": (np.sqrt(np.diag(fit.covariance)), "standard error of the parameter"),
        "covariance": (fit.covariance, "covariance of two parameters"),
    }
    variables = {
        name: (names[: values.ndim], values, {"long_name": words})
        for name, (values, words) in columns.items()
    }
    attributes = {name: getattr(fit, name) for name in QUALITY}
    attributes |= {"converged": int(fit.converged), "message": fit.message}
    return xarray.Dataset(variables, dict.fromkeys(names, fit.labels), attributes)
