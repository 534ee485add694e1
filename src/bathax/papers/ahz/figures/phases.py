"""Phase diagrams of a cavity: T(inf) / T0 as colour, the critical lines on top."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bathax.papers.ahz.parameters import CUTOFF, border_temperature
from bathax.papers.ahz.phases import EXPONENTS, QUANTA, TEMPERATURE, WARM, Plane
from bathax.plot.parts import new_axes

COUPLING = r"$\eta\,/\,\eta_c(s=1)$"


def over_temperature(plane: Plane, ax: Any = None) -> Figure:
    """Coupling and kT0: bound, thermal, and thermal after a while of negative temperature."""
    ax = new_axes(ax, 1, 1, (4.6, 3.6)).flat[0]
    _draw(ax, plane)
    weak = border_temperature(QUANTA)
    ax.plot(0.0, weak, "ko", ms=4, clip_on=False, zorder=5, label=r"$\omega_s/\ln(1+1/n_0)$")
    ax.set(ylim=(0.0, TEMPERATURE), ylabel=r"$k_BT_0\,/\,\hbar\omega_s$")
    ax.text(0.18, 1.0, r"$T<0$ for a while", fontsize=8)
    ax.text(0.5, 6.0, "thermal", fontsize=8, ha="center")
    ax.text(1.25, 4.0, "bound", fontsize=8, ha="center")
    ax.legend(loc="upper left", frameon=True, framealpha=0.85, edgecolor="none")
    return ax.figure


def over_exponent(plane: Plane, ax: Any = None) -> Figure:
    """Coupling and exponent of the reservoir at one temperature."""
    ax = new_axes(ax, 1, 1, (4.6, 3.6)).flat[0]
    _draw(ax, plane)
    ax.set(ylim=EXPONENTS, ylabel="exponent $s$")
    ax.set_title(rf"$k_BT_0={WARM:g}\,\hbar\omega_s$, $\omega_c={CUTOFF:g}\,\omega_s$", fontsize=8)
    ax.legend(loc="upper right", frameon=True, framealpha=0.85, edgecolor="none")
    return ax.figure


def _draw(ax: Axes, plane: Plane) -> None:
    colour = ax.pcolormesh(
        plane.x, plane.y, np.log2(plane.warming), cmap="PuOr_r", vmin=-2, vmax=2, rasterized=True
    )
    ax.plot(*plane.bound.T, color="k", lw=1.2, label=r"$\eta_c$: a bound state above")
    ax.plot(*plane.divergence.T, color="k", lw=1.2, ls=(0, (4, 2)), label=r"$k_BT_0^*$")
    bar = ax.figure.colorbar(colour, ax=ax, extend="both", label=r"$T(\infty)\,/\,T_0$")
    bar.set_ticks(range(-2, 3), labels=["1/4", "1/2", "1", "2", "4"])
    ax.set(xlim=(0.0, plane.x[-1]), xlabel=COUPLING)
