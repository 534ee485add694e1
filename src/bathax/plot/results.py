"""Figures of any result: a panel for each quantity, with curves or a map."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bathax.interchange.tables import to_dataset
from bathax.plot.parts import TIME, in_brackets, new_axes, shown, style, with_gaps
from bathax.studies.lookup import AT, has_poles, symbol_of
from bathax.studies.quantities import STATE_FUNCTIONS
from bathax.studies.quantity import MATRIX
from bathax.studies.summaries import quantities
from bathax.units import Units, is_converted

MOST_PANELS, MOST_CURVES, MOST_LABELS = 6, 6, 12
# Dimensions whose places have a curve each.
BY_CURVE = ("level", "channel", "mode")
# What is drawn first, of all that a result has.
RATES = ("gamma_minus", "gamma_plus", "gamma_z", "shift")
CURRENTS = ("particle_current", "energy_current")
OF_MODES = ("n_ii", "n", *CURRENTS)
OF_ATOM = ("coherence", "determinant", *RATES)
FIRST = (*OF_MODES, *STATE_FUNCTIONS, "number", *OF_ATOM, "populations", "interaction_energy")
# What has to be known for gaps at the poles of T.
FOR_GAPS = {"temperature", "energy_rate", "entropy_rate", "temperature_resolved", "number"}
# Limits of curves and of maps are at most so many distances of the quartiles away from them.
OF_CURVES, OF_MAPS = 8.0, 3.0
# One value in a hundred is an outlier if it is so many times the range of the others outside.
OUTSIDE = 3.0
# Values that differ by less are the same.
ROUNDING = 1e-12


def plot(result: Any, axes: Any = None, units: Units | None = None) -> Figure:
    """The figure of a solution or a map, in the one style."""
    dataset = to_dataset(result)
    with style():
        return overview(units.convert(dataset) if units else dataset, axes)


def overview(dataset: xarray.Dataset, axes: Any = None) -> Figure:
    """The first quantities of a result, over its two longest dimensions.

    E, S, T and F, populations, n and currents of several modes, or the rates of a map come before
    the others. Other dimensions are reduced to the last time or the middle of an axis, which the
    figure says. Quantities of levels, modes or channels have a curve for each of the first, and n
    has a row for each pair of modes.
    """
    dataset = _with_populations(dataset)
    names = sorted(quantities(dataset), key=_place)[:MOST_PANELS]
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


def _with_populations(dataset: xarray.Dataset) -> xarray.Dataset:
    """Of several modes the populations n_ii over time, and n with a row for each pair of modes."""
    n = dataset.get("n")
    if n is None or n.dims != ("time", *MATRIX):
        return dataset
    count, words = n.sizes["mode"], n.attrs.get("long_name", "")
    populations = np.einsum("tii->ti", n.values).real
    dataset = dataset.drop_vars("n")
    dataset["n_ii"] = (("time", "mode"), populations, {"long_name": f"{words}{AT}i, i"})
    if count > 1:
        # Populations first, then neighbours, then all at larger distances.
        pairs = sorted(zip(*np.triu_indices(count), strict=True), key=lambda ij: ij[1] - ij[0])
        rows, columns = np.array(pairs).T
        dataset["n"] = (("pair", "time"), n.values[:, rows, columns].T, n.attrs)
        dataset["pair"] = [f"{i},{j}" for i, j in pairs]
    return dataset


def _place(name: str) -> int:
    return FIRST.index(name) if name in FIRST else len(FIRST)


def _symbol(variable: xarray.DataArray) -> str:
    """The symbol of a quantity, or of its modulus, which is drawn if it is complex; its unit."""
    symbol = symbol_of(variable.attrs.get("long_name", ""))
    return shown(symbol, is_modulus=np.iscomplexobj(variable)) + _unit(variable)


def _unit(variable: xarray.DataArray) -> str:
    """The unit in brackets, if it is one of an experiment."""
    unit = variable.attrs.get("units", "")
    return in_brackets(unit) if is_converted(unit) else ""


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
        place = -1 if last else sizes[name] // 2
        variable = variable.isel({name: place})
        value = variable.coords.get(name, place)
        taken.append(f"{name} = {float(value):.3g}")
    return variable, taken


def _draw(ax: Axes, dataset: xarray.Dataset, variable: xarray.DataArray, symbol: str) -> None:
    dims = list(map(str, variable.dims))
    many = next((name for name in BY_CURVE if name in dims), None)
    if many:
        for place in range(min(variable.sizes[many], MOST_CURVES)):
            _draw_curve(ax, dataset, variable.isel({many: place}), str(place))
        ax.legend(title=many)
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
    places, values = _places(ax, "x", dataset, str(variable.dims[0])), variable.values
    if has_poles(str(variable.name)) and _is_trajectory(dataset):
        arrays = {str(name): one.values for name, one in dataset.data_vars.items()}
        trajectory = SimpleNamespace(t=dataset.time.values, **arrays)
        places, values = with_gaps(trajectory, str(variable.name))
    ax.plot(places, values, label=label)
    low, high = _limits(variable, OF_CURVES)
    margin = 0.08 * (high - low) if high - low > ROUNDING else 1.0
    bottom, top = ax.dataLim.intervaly if label else (low, high)
    ax.set_ylim(min(low, bottom) - margin, max(high, top) + margin)


def _is_trajectory(dataset: xarray.Dataset) -> bool:
    """Whether the poles of T are known from the other quantities."""
    return set(dataset["temperature"].dims) == {"time"} and set(dataset) >= FOR_GAPS


def _draw_map(ax: Axes, dataset: xarray.Dataset, variable: xarray.DataArray, symbol: str) -> None:
    down, across = map(str, variable.dims)
    x, y = _places(ax, "x", dataset, across), _places(ax, "y", dataset, down)
    low, high = _limits(variable, OF_MAPS)
    scale: dict[str, Any] = {"vmin": low, "vmax": high}
    if "_by_" in str(variable.name):
        largest = max(abs(low), abs(high))
        scale = {"vmin": -largest, "vmax": largest, "cmap": "RdBu_r"}
    colours = ax.pcolormesh(x, y, variable.values.astype(float), rasterized=True, **scale)
    finite = variable.values[np.isfinite(variable.values)].astype(float)
    below, above = (finite < scale["vmin"]).any(), (finite > scale["vmax"]).any()
    ends = {(False, False): "neither", (True, False): "min", (False, True): "max"}
    extend = ends.get((bool(below), bool(above)), "both")
    ax.figure.colorbar(colours, ax=ax, extend=extend, label=symbol)


def _places(ax: Axes, side: str, dataset: xarray.Dataset, dimension: str) -> np.ndarray:
    """Positions of the points of a dimension; labels the axis and chooses its scale."""
    ax.set(**{f"{side}label": _axis(dataset, dimension)})
    if dimension not in dataset.coords:
        return np.arange(dataset.sizes[dimension])
    values = dataset[dimension].values
    if values.dtype.kind == "U":
        places = np.arange(len(values))
        some = places[:: -(-len(places) // MOST_LABELS)]
        ax.set(**{f"{side}ticks": some, f"{side}ticklabels": values[some]})
        ax.tick_params(axis=side, which="minor", length=0)  # pyright: ignore[reportArgumentType]
        return places
    if (
        len(values) > 2
        and values.min() > 0.0
        and np.allclose(values[1:] / values[:-1], values[1] / values[0])
    ):
        ax.set(**{f"{side}scale": "log"})
    return values


def _axis(dataset: xarray.Dataset, dimension: str) -> str:
    """The label of an axis: t in units of w_s or of an experiment, or a name."""
    if dimension != "time":
        return dimension
    unit = _unit(dataset["time"]) if "time" in dataset.coords else ""
    # Several modes have no frequency of their own.
    return f"$t${unit}" if unit or "channel" in dataset.sizes else TIME


def _limits(variable: xarray.DataArray, far: float) -> tuple[float, float]:
    """The limits of most values: of those with poles the bulk, of others all but far outliers."""
    finite = variable.values[np.isfinite(variable.values)].astype(float)
    if not finite.size:
        return 0.0, 1.0
    name = str(variable.name)
    low, first, third, high = np.percentile(finite, [1.0, 25.0, 75.0, 99.0])
    if has_poles(name.partition("_by_")[0]) or "_by_" in name:
        reach = far * (third - first)
        return float(max(low, first - reach)), float(min(high, third + reach))
    ends, reach = (np.min(finite), np.max(finite)), OUTSIDE * (high - low)
    low, high = (
        end if abs(end - x) < reach else x for end, x in zip(ends, (low, high), strict=True)
    )
    return float(low), float(high)
