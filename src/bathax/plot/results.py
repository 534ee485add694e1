"""Figures of any result: a panel for each quantity, with curves or a map."""

from typing import Any

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bathax.plot.parts import new_axes, shown
from bathax.studies.lookup import symbol_of
from bathax.studies.summaries import quantities

MOST_PANELS, MOST_LEVELS = 6, 6


def overview(dataset: xarray.Dataset, axes: Any = None) -> Figure:
    """The first quantities of a result, over its two longest dimensions.

    Other dimensions are reduced to the last time or the middle of an axis, which the figure says.
    Quantities with levels have a curve for each of the first levels.
    """
    names = quantities(dataset)[:MOST_PANELS]
    columns = min(len(names), 2)
    rows = -(-len(names) // columns)
    axes = new_axes(axes, rows, columns, (3.4 * columns, 2.5 * rows)).ravel()
    for ax, name in zip(axes, names, strict=False):
        variable, taken = _reduced(dataset[name])
        _draw(ax, dataset, variable, _symbol(dataset[name]))
        ax.set_title(", ".join([name, *taken]), fontsize=8)
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    return axes[0].figure


def _symbol(variable: xarray.DataArray) -> str:
    """The symbol of a quantity, or of its modulus, which is drawn if it is complex."""
    symbol = symbol_of(variable.attrs.get("long_name", ""))
    return shown(symbol, is_modulus=np.iscomplexobj(variable))


def _reduced(variable: xarray.DataArray) -> tuple[xarray.DataArray, list[str]]:
    """A variable over one or two dimensions, and the values taken of the others, in words."""
    if np.iscomplexobj(variable):
        variable = abs(variable)
    variable = variable.squeeze(drop=True)
    if "level" in variable.dims and variable.ndim > 2:
        variable = variable.isel(level=0)
    taken = []
    while variable.ndim > 2:
        sizes = {name: size for name, size in variable.sizes.items() if name != "time"}
        last = "time" in variable.dims and len(sizes) >= 2
        name = "time" if last else min(sizes, key=lambda name: sizes[name])
        variable = variable.isel({name: -1 if last else sizes[name] // 2})
        if name in variable.coords:
            taken.append(f"{name} = {float(variable.coords[name]):.3g}")
    return variable, taken


def _draw(ax: Axes, dataset: xarray.Dataset, variable: xarray.DataArray, symbol: str) -> None:
    dims = list(map(str, variable.dims))
    if "level" in dims:
        for level in range(min(variable.sizes["level"], MOST_LEVELS)):
            _draw_curve(ax, dataset, variable.isel(level=level), str(level))
        ax.legend(title="level")
        ax.set_ylabel(symbol)
    elif len(dims) == 2:
        variable = variable.transpose(*sorted(dims, key=lambda name: name == "time"))
        _draw_map(ax, dataset, variable, symbol)
    elif dims:
        _draw_curve(ax, dataset, variable, None)
        ax.set_ylabel(symbol)
    else:
        ax.text(0.5, 0.5, f"{float(variable):.8g}", ha="center", transform=ax.transAxes)


def _draw_curve(
    ax: Axes, dataset: xarray.Dataset, variable: xarray.DataArray, label: str | None
) -> None:
    dimension = str(variable.dims[0])
    ax.plot(_places(ax, "x", dataset, dimension), variable.values, label=label)
    low, high = _limits(variable.values)
    margin = 0.08 * (high - low) or 1.0
    bottom, top = ax.dataLim.intervaly if label else (low, high)
    ax.set_ylim(min(low, bottom) - margin, max(high, top) + margin)


def _draw_map(ax: Axes, dataset: xarray.Dataset, variable: xarray.DataArray, symbol: str) -> None:
    down, across = map(str, variable.dims)
    x, y = _places(ax, "x", dataset, across), _places(ax, "y", dataset, down)
    low, high = _limits(variable.values)
    colours = ax.pcolormesh(
        x, y, variable.values.astype(float), vmin=low, vmax=high, rasterized=True
    )
    ax.figure.colorbar(colours, ax=ax, extend="both", label=symbol)


def _places(ax: Axes, side: str, dataset: xarray.Dataset, dimension: str) -> np.ndarray:
    """Positions of the points of a dimension; labels the axis and chooses its scale."""
    ax.set(**{f"{side}label": dimension})
    if dimension not in dataset.coords:
        return np.arange(dataset.sizes[dimension])
    values = dataset[dimension].values
    if (
        len(values) > 2
        and values.min() > 0.0
        and np.allclose(values[1:] / values[:-1], values[1] / values[0])
    ):
        ax.set(**{f"{side}scale": "log"})
    return values


def _limits(values: np.ndarray) -> tuple[float, float]:
    """Limits that ignore the neighbourhood of poles."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = np.percentile(finite.astype(float), [1.0, 99.0])
    return float(low), float(high)
