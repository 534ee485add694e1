"""Descriptions of results in words."""

from collections.abc import Iterable

import numpy as np
import xarray

from bathax._status import Status


def summary(dataset: xarray.Dataset) -> str:
    """Axes and quantities with their ranges, and how many points ended how."""
    lines = [f"{dataset.attrs['format']}, by bathax {dataset.attrs['bathax_version']}", ""]
    for name, coordinate in dataset.coords.items():
        low, high = coordinate.values.min(), coordinate.values.max()
        along = "" if coordinate.dims == (name,) else f", along {coordinate.dims[0]}"
        lines.append(f"{name:<24} {low:>12.6g} to {high:<12.6g} {coordinate.size:,} values{along}")
    lines.append("")
    for name in quantities(dataset):
        low, high = _range(dataset[name])
        dims = " x ".join(map(str, dataset[name].dims)) or "a number"
        lines.append(f"{name:<24} {low:>12.6g} to {high:<12.6g} {dims}")
    return "\n".join([*lines, "", *_outcome(dataset)])


def failures(dataset: xarray.Dataset) -> str:
    """How many points of a sweep failed and why, as a sentence; empty if none did."""
    found = [
        f"{count:,} {kind.name.lower().replace('_', ' ')}"
        for kind, count in _counts(dataset).items()
        if kind
    ]
    size = dataset.status.size
    failed = size - _counts(dataset).get(Status.SUCCESS, 0)
    return f"{failed:,} of {size:,} points failed: {', '.join(found)}." if found else ""


def quantities(dataset: xarray.Dataset) -> list[str]:
    """The names of the quantities, without errors and status."""
    names = map(str, dataset.data_vars)
    return [name for name in names if name != "status" and not name.endswith("_error")]


def _outcome(dataset: xarray.Dataset) -> Iterable[str]:
    if "status" not in dataset:
        yield f"status: {dataset.attrs['message']}"
        return
    for kind, count in _counts(dataset).items():
        yield f"{count:>12,} points: {kind.message}"


def _counts(dataset: xarray.Dataset) -> dict[Status, int]:
    kinds, counts = np.unique(dataset.status.values, return_counts=True)
    return {Status(kind): int(count) for kind, count in zip(kinds, counts, strict=True)}


def _range(variable: xarray.DataArray) -> tuple[float, float]:
    """The least and the largest finite value, for complex numbers of the modulus."""
    values = np.abs(variable.values) if np.iscomplexobj(variable) else variable.values
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (np.nan, np.nan)
