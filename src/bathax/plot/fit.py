"""A fit: data and curves, residuals, and the spectral density with its error."""

import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from bathax.plot.parts import TIME, StyledFigure, in_brackets, shown, style
from bathax.studies.fit.data import Data, runs_of
from bathax.studies.fit.result import Band, Fit
from bathax.studies.lookup import MODULUS, measured_symbol
from bathax.units import Units

# Errors above this times the largest J are not drawn; letters in a line as wide as a panel.
BROAD, LETTERS = 1e3, 44


class Panel(NamedTuple):
    """A measured quantity, of a complex one the modulus, its curve and its residuals.

    Complex quantities have a row of residuals for each part. `errors` are None if not known.
    """

    name: str
    measured: np.ndarray
    values: np.ndarray
    errors: np.ndarray | None
    times: np.ndarray
    curve: Band
    residuals: np.ndarray
    unit: str = ""

    @property
    def label(self) -> str:
        """The symbol of the quantity, or its name, and its unit."""
        is_modulus = self.name.startswith(MODULUS) or len(self.residuals) > 1
        symbol = shown(measured_symbol(self.name), is_modulus=is_modulus) or self.name
        return symbol + in_brackets(self.unit)

    def converted(self, units: Units) -> "Panel":
        """The same in the units of an experiment."""
        factor, unit = units.of(self.name.removeprefix(MODULUS)) or (1.0, "")
        time = units[units.time]
        return self._replace(
            measured=self.measured / time,
            values=self.values / factor,
            errors=None if self.errors is None else self.errors / factor,
            times=self.times / time,
            curve=Band(self.curve.value / factor, self.curve.error / factor),
            unit=unit,
        )


class View(NamedTuple):
    """What the figure of a fit shows; `density` are frequencies and J, if there is one."""

    panels: Sequence[Panel]
    density: tuple[np.ndarray, Band] | None
    warnings: Sequence[str]
    time: str = TIME


def panels_of(data: Data, residuals: np.ndarray, times: np.ndarray, curves: Band) -> list[Panel]:
    """A panel for each quantity of a run, in the order of their names, which is that of curves."""
    measured, found = np.asarray(data.t)[np.asarray(data.places)], []
    rows = list(np.reshape(residuals, (-1, len(measured))))
    for k, name in enumerate(sorted(data.values)):
        values = np.asarray(data.values[name])
        parts, rows = (rows[:2], rows[2:]) if np.iscomplexobj(values) else (rows[:1], rows[1:])
        values = np.abs(values) if np.iscomplexobj(values) else values
        errors = np.asarray(data.errors[name]) if data.has_errors else None
        curve = Band(curves.value[k], curves.error[k])
        found.append(Panel(name, measured, values, errors, times, curve, np.array(parts)))
    return found


def view_of(fit: Fit) -> View:
    """A fit with the curves of its model at the times of the data."""
    runs = runs_of(fit.data)
    sizes = [len(one.places) * _parts(one) for one in runs]
    panels, pieces = [], np.split(fit.residuals, np.cumsum(sizes)[:-1])
    for k, (run, residuals) in enumerate(zip(runs, pieces, strict=True)):
        panels += panels_of(run, residuals, np.asarray(run.t), _curves(fit, k, run, residuals))
    return View(panels, None, fit.warnings)


def _parts(data: Data) -> int:
    """How many real numbers there are at each time."""
    return sum(2 if np.iscomplexobj(values) else 1 for values in data.values.values())


def _curves(fit: Fit, which: int, data: Data, residuals: np.ndarray) -> Band:
    """The quantities of one run, and their errors; those unknown without a model."""
    if not fit.problem.has_model:
        return _through(data, residuals)

    def curves(**parameters: Any) -> Any:
        results = fit.problem.of(**parameters)
        result = results if isinstance(fit.data, Data) else results[which]
        rows = [row for _, row in sorted(data.model(result).items())]
        return jnp.stack([jnp.abs(row) if jnp.iscomplexobj(row) else row for row in rows])

    return fit.band(curves)


def _through(data: Data, residuals: np.ndarray) -> Band:
    """The values of a model that is not there any more, from its residuals."""
    rows, curves = iter(np.reshape(residuals, (-1, len(data.places)))), []
    for name in sorted(data.values):
        values, error = np.asarray(data.values[name]), np.asarray(data.errors[name])
        off = next(rows) + (1j * next(rows) if np.iscomplexobj(values) else 0.0)
        curve = np.full(len(data.t), np.nan)
        model = values + off * error
        curve[np.asarray(data.places)] = np.abs(model) if np.iscomplexobj(values) else model
        curves.append(curve)
    return Band(np.array(curves), np.full((len(curves), len(data.t)), np.nan))


def plot(fit: Fit, axes: Any = None, units: Units | None = None) -> Figure:
    """The figure of a fit, in the one style."""
    view = view_of(fit)
    if units:
        panels = [panel.converted(units) for panel in view.panels]
        view = view._replace(panels=panels, time=f"$t${in_brackets(units.time)}")
    with style():
        return fitted(view, axes)


def fitted(view: View, axes: Any = None) -> Figure:
    """Each quantity over time with the residuals below it, and J with its standard error.

    `axes`, if given, are those of the quantities, as many for the residuals, and one for J.
    """
    count = len(view.panels)
    axes = _new_axes(view) if axes is None else list(np.ravel(axes))
    for panel, above, below in zip(view.panels, axes[:count], axes[count:], strict=False):
        _draw_data(above, panel)
        for residuals in panel.residuals:
            below.plot(panel.measured, residuals, ".", ms=3)
        below.axhline(0.0, color="0.6", lw=0.5, zorder=0)
        below.set(xlabel=view.time, ylabel="residual / error")
    if view.density is not None:
        frequencies, density = view.density
        _draw_band(axes[-1], frequencies, *density)
        omega = r"$\omega\,/\,\omega_s$" if view.time == TIME else r"$\omega$"
        labels = {"xlabel": omega, "ylabel": r"$J(\omega)$"}
        axes[-1].set(ylim=(0.0, None), **labels)
    return axes[0].figure


def _new_axes(view: View) -> list[Any]:
    """Columns that share their times, J beside them from top to bottom, and warnings above all."""
    count, has_density = len(view.panels), view.density is not None
    columns = count + has_density
    figure = StyledFigure(figsize=(2.9 * columns, 3.9), layout="constrained")
    grid = figure.add_gridspec(2, columns, height_ratios=(2.0, 1.0))
    above = [figure.add_subplot(grid[0, k]) for k in range(count)]
    below = [figure.add_subplot(grid[1, k], sharex=top) for k, top in enumerate(above)]
    for ax in above:
        ax.tick_params(labelbottom=False)
    if view.warnings:
        sentences = textwrap.fill(" ".join(view.warnings), LETTERS * columns)
        figure.suptitle(sentences, fontsize="x-small", ha="left", x=0.01)
    return [*above, *below, *([figure.add_subplot(grid[:, -1])] if has_density else [])]


def _draw_data(ax: Any, panel: Panel) -> None:
    style = {"fmt": ".", "ms": 3, "lw": 0.6, "color": "0.4", "zorder": 1}
    ax.errorbar(panel.measured, panel.values, panel.errors, **style)
    _draw_band(ax, panel.times, *panel.curve)
    ax.set(ylabel=panel.label, xlim=(0.0, 1.03 * panel.times[-1]))


def _draw_band(ax: Any, x: np.ndarray, value: np.ndarray, error: np.ndarray) -> None:
    ax.plot(x, value, zorder=2)
    known = error < BROAD * np.nanmax(np.abs(value))
    low, high = value - error, value + error
    ax.fill_between(x, low, high, where=known, alpha=0.3, lw=0, zorder=0)
