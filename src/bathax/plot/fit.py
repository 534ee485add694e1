"""A fit: data and curves, residuals, and the spectral density with its error."""

import textwrap
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bathax.plot.parts import TIME, new_axes, shown
from bathax.studies.lookup import MODULUS, measured_symbol

# Letters in a line beside the residuals; errors above BROAD times the largest J are not drawn.
WIDTH, BROAD = 44, 1e3


def fitted(view: dict[str, Any], axes: Any = None) -> Figure:
    """Each quantity over time with the residuals below it, and J with its standard error."""
    names = view["names"]
    axes = new_axes(axes, 2, len(names) + 1, (2.9 * (len(names) + 1), 3.9))
    for column, name in enumerate(names):
        _draw_data(axes[0, column], view, column)
        ax = axes[1, column]
        for residuals in view["residuals"][column :: len(names)]:
            ax.plot(view["measured"], residuals, ".", ms=3)
        ax.axhline(0.0, color="0.6", lw=0.5, zorder=0)
        ax.set(xlabel=TIME, ylabel=f"residual of {name} / error")
    ax = axes[0, -1]
    _draw_band(ax, view["frequencies"], *view["density"])
    ax.set(xlabel=r"$\omega\,/\,\omega_s$", ylabel=r"$J(\omega)$", ylim=(0.0, None))
    axes[1, -1].set_axis_off()
    warnings = [textwrap.fill(sentence, WIDTH) for sentence in view["warnings"]]
    axes[1, -1].text(0.0, 1.0, "\n".join(warnings), va="top", fontsize="x-small")
    return axes[0, 0].figure


def _draw_data(ax: Any, view: dict[str, Any], column: int) -> None:
    name, data = view["names"][column], view["data"]
    values = np.asarray(data.values[name])
    is_modulus = name.startswith(MODULUS) or np.iscomplexobj(values)
    values = np.abs(values) if np.iscomplexobj(values) else values
    errors = np.asarray(data.errors[name]) if data.has_errors else None
    ax.errorbar(view["measured"], values, errors, fmt=".", ms=3, lw=0.6, color="0.4", zorder=1)
    curves = view["curves"]
    _draw_band(ax, view["times"], curves.value[column], curves.error[column])
    symbol = shown(measured_symbol(name), is_modulus=is_modulus)
    ax.set(ylabel=symbol or name, xlim=(0.0, view["times"][-1]))


def _draw_band(ax: Any, x: np.ndarray, value: np.ndarray, error: np.ndarray) -> None:
    ax.plot(x, value, zorder=2)
    known = error < BROAD * np.max(np.abs(value))
    low, high = value - error, value + error
    ax.fill_between(x, low, high, where=known, alpha=0.3, lw=0, zorder=0)
