"""Phase diagrams of a cavity: T(inf) / T0 as colour, the critical lines on top."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from bathax.papers.ahz.parameters import border_temperature
from bathax.papers.ahz.phases import COUPLING, EXPONENTS, QUANTA, TEMPERATURE, WARM, Plane
from bathax.plot.parts import new_axes

# Values of T(inf) / T0 at which the scale of colours has ticks.
MARKS = np.array([1 / 8, 1 / 4, 1 / 2, 1.0, 2.0, 4.0, 8.0, np.inf])


def over_temperature(plane: Plane, ax: Any = None) -> Figure:
    """Coupling and kT0: bound, thermal, and thermal after a while of negative temperature."""
    ax = new_axes(ax, 1, 1, (4.6, 3.8)).flat[0]
    _draw(ax, plane)
    weak = border_temperature(QUANTA)
    ax.plot(0.0, weak, "ko", ms=4, clip_on=False, zorder=5, label=r"$\omega_s/\ln(1+1/n_0)$")
    ax.set(ylim=(0.0, TEMPERATURE), ylabel=r"$k_BT_0\,/\,\hbar\omega_s$")
    _name(ax, negative=(0.16, 1.6), thermal=(0.45, 6.0), bound=(1.28, 4.0))
    return ax.figure


def over_exponent(plane: Plane, ax: Any = None) -> Figure:
    """Coupling and exponent of the reservoir at one temperature."""
    ax = new_axes(ax, 1, 1, (4.6, 3.8)).flat[0]
    _draw(ax, plane)
    ax.set(ylim=EXPONENTS, ylabel="exponent $s$")
    _name(ax, negative=(0.1, 1.5), thermal=(0.55, 1.5), bound=(1.32, 1.0))
    words = rf"$k_BT_0={WARM:g}\,\hbar\omega_s$"
    ax.text(0.97, 0.04, words, transform=ax.transAxes, fontsize=8, ha="right")
    return ax.figure


def _name(ax: Axes, **places: tuple[float, float]) -> None:
    """The names of the phases at some places, those of the lines above the axes."""
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    words = {"negative": "$T<0$\nfor a\nwhile", "thermal": "thermal", "bound": "bound"}
    for name, place in places.items():
        ax.text(*place, words[name], fontsize=8, ha="center", va="center")


def _draw(ax: Axes, plane: Plane) -> None:
    """T(inf) / T0 by colours that reach infinity, and the critical lines."""
    colours = [_colour(region.warming) for region in plane.regions]
    for region, colour in zip(plane.regions, colours, strict=True):
        mesh = ax.pcolormesh(
            *(region.x, region.y, colour),
            **{"cmap": "PuOr_r", "vmin": -1.0, "vmax": 1.0},
            **{"shading": "gouraud", "rasterized": True},
        )
    ax.plot(*plane.bound.T, color="k", lw=1.2, label=r"$\eta_c$")
    ax.plot(*plane.divergence.T, color="k", lw=1.2, ls=(0, (4, 2)), label=r"$k_BT_0^*$")
    bar = ax.figure.colorbar(mesh, ax=ax, label=r"$T(\infty)\,/\,T_0$")
    bar.set_ticks(
        _colour(MARKS).tolist(), labels=["1/8", "1/4", "1/2", "1", "2", "4", "8", r"$\infty$"]
    )
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.set_ylim(min(0.0, *map(np.min, colours)), 1.0)
    ax.set(xlim=(0.0, COUPLING), xlabel=r"$\eta\,/\,\eta_c(s=1)$")


def _colour(warming: np.ndarray) -> np.ndarray:
    """(T - T0) / (T + T0) from T / T0: -1 for T = 0, 0 for T0 and 1 for infinity."""
    return 1.0 - 2.0 / (1.0 + warming)
