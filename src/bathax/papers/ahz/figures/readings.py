"""The figure of three readings of T: by coupling, and in time."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bathax.papers.ahz.parameters import WARM
from bathax.papers.ahz.readings import LAST, RATIOS, Readings
from bathax.plot.parts import new_axes, tag

DASHED = (0, (4, 2))


def readings(result: Readings, axes: Any = None) -> Figure:
    """T over coupling by each reading; w^r and both T in time, dashed where w^r has no plateau."""
    axes = new_axes(axes, 1, 3, (7.1, 2.9)).ravel()
    ends = result.by_coupling
    # Colours are couplings, in the other two panels.
    for values, name, style in (
        (ends.bare, "bare", "-"),
        (np.full(RATIOS.shape, WARM), "mean force", DASHED),
        (ends.renormalised, "renormalised", ":"),
    ):
        axes[0].plot(RATIOS, values, color="0.2", ls=style, label=name)
    axes[0].set(xlabel=r"$\eta\,/\,\eta_c$", xlim=(0.0, 1.0), ylim=(0.0, 80.0))
    axes[0].legend(loc="upper left")
    for k, (ratio, (solution, own)) in enumerate(result.followed.items()):
        colour, on = f"C{k}", own.on_plateau
        label = rf"${ratio:g}\,\eta_c$"
        axes[1].plot(own.t, np.where(on, own.frequency, np.nan), color=colour, label=label)
        axes[1].plot(own.t, own.frequency, color=colour, ls=DASHED, lw=0.6)
        axes[2].plot(own.t, solution.temperature, color=colour, lw=0.7)
        axes[2].plot(own.t, np.where(on, own.temperature, np.nan), color=colour)
    axes[1].set(ylabel=r"$\omega^r(t)\,/\,\omega_s$", ylim=(-0.5, 1.1))
    axes[1].legend(loc=(0.03, 0.33))
    axes[2].axhline(WARM, color="0.6", lw=0.6, ls=DASHED, zorder=0)
    axes[2].set(ylabel=r"$k_BT(t)$, $k_BT^r(t)$ (thick)", ylim=(-10.0, 50.0))
    for ax in axes[1:]:
        ax.set(xscale="log", xlim=(0.3, LAST), xlabel=r"$\omega_st$")
    axes[0].set_ylabel(r"$k_BT\,/\,\hbar\omega_s$")
    for ax, letter in zip(axes, "abc", strict=True):
        tag(ax, f"({letter})")
    return axes[0].figure
