"""Parts that figures share: style, symbols, axes, and curves with gaps at poles."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import as_file, files
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bathax.studies.lookup import has_poles
from bathax.studies.quantities import QUANTITIES, STATE_FUNCTIONS
from bathax.studies.trajectory import Trajectory, pole_intervals, temperature_poles

TIME = r"$\omega_s t$"

Curves = Mapping[Any, Trajectory]


@contextmanager
def style() -> Iterator[None]:
    """The style sheet of all figures, for as long as the context lasts."""
    with as_file(files("bathax.plot") / "bathax.mplstyle") as path, mpl.rc_context(fname=path):
        yield


class StyledFigure(Figure):
    """A figure that has the style whenever it is drawn, also where the user has another one."""

    def draw(self, renderer: Any) -> None:
        with style():
            super().draw(renderer)


def shown(symbol: str, *, is_modulus: bool = False) -> str:
    """A symbol, or its modulus, as a figure prints it; empty for an empty one."""
    if not symbol:
        return ""
    return f"$|{symbol}|$" if is_modulus else f"${symbol}$"


def in_brackets(unit: str) -> str:
    """A unit behind a symbol, if there is one."""
    return f" ({unit.replace('k_B', '$k_B$').replace('cm^-1', 'cm$^{-1}$')})" if unit else ""


def with_gaps(solution: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Times and values with a gap at every pole of T, for the quantities that share it.

    Narrow poles are below the resolution of the samples: the samples next to them are left out.
    """
    t, values = np.asarray(solution.t), np.asarray(getattr(solution, name), float)
    values = np.where(np.isfinite(values), values, np.nan)
    if not has_poles(name):
        return t, values
    wide, narrow = pole_intervals(solution)
    beside = narrow[:, None] + np.arange(-1, 3)
    shown = ~np.isin(np.arange(len(t)), beside)
    # The gap goes in front of the first sample behind the pole.
    gap = np.cumsum(shown)[wide]
    return np.insert(t[shown], gap, t[wide + 1]), np.insert(values[shown], gap, np.nan)


def new_axes(axes: Any, rows: int, columns: int, size: tuple[float, float], **shared: Any) -> Any:
    """The given axes as an array of that shape, or new ones on a figure of that size."""
    if axes is None:
        figure = StyledFigure(figsize=size, layout="constrained")
        return figure.subplots(rows, columns, squeeze=False, **shared)
    return np.asarray(axes, dtype=object).reshape(rows, columns)


def draw_curves(ax: Axes, curves: Curves, name: str, label: Callable[[Any], str]) -> None:
    """A quantity of each solution over time, with its label and limits."""
    for key, solution in curves.items():
        ax.plot(*with_gaps(solution, name), label=label(key))
    ax.set_xlim(0.0, max(float(solution.t[-1]) for solution in curves.values()))
    set_limits(ax, curves.values(), name)


def four_panels(
    curves: Curves, label: Callable[[Any], str], height: float, time: str, axes: Any
) -> np.ndarray:
    """Axes with E, S, T and F of each solution, T and F shown up to a height, poles dashed."""
    axes = new_axes(axes, 2, 2, (6.8, 5.0), sharex=True).ravel()
    for ax, name, letter in zip(axes, STATE_FUNCTIONS, "abcd", strict=True):
        draw_curves(ax, curves, name, label)
        mark_poles(ax, curves)
        ax.set_ylabel(QUANTITIES[name].label)
        tag(ax, f"({letter})")
    axes[0].legend(loc="upper right")
    for ax in axes[2:]:
        ax.axhline(0.0, color="0.6", lw=0.5, zorder=0)
        ax.set_ylim(-height, height)
        ax.set_xlabel(time)
    return axes


def set_limits(ax: Axes, solutions: Iterable[Trajectory], name: str) -> None:
    """Set limits that ignore the neighbourhood of poles."""
    values = np.concatenate([with_gaps(solution, name)[1] for solution in solutions])
    low, high = np.nanpercentile(values, [1.0, 99.0]) if values.size else (0.0, 1.0)
    margin = 0.08 * (high - low) or 1.0
    ax.set_ylim(min(low, 0.0) - margin, max(high, 0.0) + margin)


def tag(ax: Axes, text: str) -> None:
    """A letter in the corner above a panel."""
    ax.set_title(text, loc="left", fontsize=8)


def mark_poles(ax: Axes, curves: Curves) -> None:
    """A dashed line where T of each curve has a pole."""
    for index, solution in enumerate(curves.values()):
        for pole in temperature_poles(solution):
            ax.axvline(pole.time, color=f"C{index}", lw=0.7, ls=(0, (4, 3)), zorder=0)
