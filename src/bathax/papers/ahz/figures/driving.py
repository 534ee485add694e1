"""Figures of driven modes: work of ramps, a level that crosses a band, an engine, a quench."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from bathax.papers.ahz.driving import (
    FAR,
    LAST,
    SPEEDS,
    WEIGHT,
    WIDTHS,
    Crossing,
    Ramps,
)
from bathax.plot.parts import new_axes, tag
from bathax.solution.cycle import LimitCycle

DASHED = (0, (4, 2))


def ramp(result: Ramps, axes: Any = None) -> Figure:
    """Work over the width of a ramp; dashed: the change of the free energy of mean force."""
    ax = new_axes(axes, 1, 1, (3.5, 2.7)).ravel()[0]
    ax.plot(WIDTHS, result.work.value, marker="o", ms=3)
    ax.axhline(result.slow, color="0.4", lw=0.8, ls=DASHED)
    ax.text(WIDTHS[0], result.slow, r"$\Delta F^*$", va="bottom", ha="left")
    ax.set(xscale="log", xlabel=r"width of the ramp $\times\,\omega_s$")
    ax.set_ylabel(r"$W/\hbar\omega_s$")
    _label(ax, WIDTHS)
    return ax.figure


def _label(ax: Axes, values: Any) -> None:
    """Ticks at these values alone."""
    ax.set_xticks(values, [f"{value:g}" for value in values])
    ax.xaxis.set_minor_locator(NullLocator())


def crossing(result: Crossing, axes: Any = None) -> Figure:
    """A level on its way through a band, and what is left on it over its speed."""
    axes = new_axes(axes, 1, 2, (7.1, 2.8)).ravel()
    for speed, number in zip(SPEEDS, result.number.value, strict=True):
        axes[0].plot(result.energy, number, label=f"{speed:g}")
    axes[0].axvspan(-1.0, 1.0, color="0.92", zorder=0)
    axes[0].legend(title="speed", title_fontsize=8)
    axes[0].set(xlim=(-FAR, FAR), ylim=(0.0, 1.05), xlabel="energy of the level", ylabel="$n$")
    speeds = np.geomspace(0.8 * SPEEDS[0], 1.2 * SPEEDS[-1], 100)
    law = r"$e^{-2\pi\int\! J\,d\omega/v}$"
    axes[1].plot(speeds, np.exp(-2.0 * np.pi * WEIGHT / speeds), color="0.4", lw=0.8, label=law)
    for k, speed in enumerate(SPEEDS):
        axes[1].plot(speed, result.number.value[k, -1], "o", ms=4, color=f"C{k}")
    axes[1].legend(loc="lower right")
    axes[1].set(xscale="log", ylim=(0.0, 1.05), xlabel="speed $v$", ylabel="$n$ in the end")
    _label(axes[1], SPEEDS)
    for ax, letter in zip(axes, "ab", strict=True):
        tag(ax, f"({letter})")
    return axes[0].figure


def cycle(result: dict[float, LimitCycle], axes: Any = None) -> Figure:
    """Loops of an engine: quanta over frequency, whose area is the work of the frequency."""
    ax = new_axes(axes, 1, 1, (3.5, 2.7)).ravel()[0]
    for period, found in result.items():
        sol = found.solution
        frequency = np.asarray(sol.energy / sol.number)
        words = rf"{period:g}, $\eta={float(found.efficiency):.2f}$"
        ax.plot(frequency, np.asarray(sol.number), label=words)
    ax.legend(title=r"period $\times\,\omega_s$, efficiency", title_fontsize=8, loc="center")
    ax.set(xlabel=r"$\omega(t)/\omega_s$", ylabel="$n$")
    return ax.figure


def quench(result: dict[float, Any], axes: Any = None) -> Figure:
    """Quanta and the energy that the reservoir has gained after a jump of the frequency."""
    axes = new_axes(axes, 1, 2, (7.1, 2.7)).ravel()
    for ratio, sol in result.items():
        label = rf"${ratio:g}\,\eta_c$"
        axes[0].plot(sol.t, sol.number, label=label)
        axes[1].plot(sol.t, sol.heat[:, 0])
    axes[0].set_ylabel("$n$")
    axes[0].legend()
    axes[1].set_ylabel(r"heat $Q\,/\,\hbar\omega_s$")
    for ax, letter in zip(axes, "ab", strict=True):
        ax.set(xlim=(0.0, LAST), xlabel=r"$\omega_st$")
        tag(ax, f"({letter})")
    return axes[0].figure
