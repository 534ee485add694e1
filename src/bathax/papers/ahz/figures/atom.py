"""The figure of AHZ Fig. 6: an excited atom in a vacuum."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bathax.papers.ahz.atom import WIDTH
from bathax.plot.parts import four_panels
from bathax.solution.results import QubitSolution

# Only so much of T and F is shown on either side of a pole.
POLE_HEIGHT = 4.0


def atom(curves: dict[float, QubitSolution], axes: Any = None) -> Figure:
    """AHZ Fig. 6: an excited atom in a vacuum; T has a pole where p = 1/2 (dashed)."""
    axes = four_panels(
        curves, lambda ratio: rf"$\gamma_0={ratio:g}\,\lambda$", POLE_HEIGHT, r"$\lambda t$", axes
    )
    for ax in axes:
        _count_in_widths(ax)
    axes[0].figure.align_ylabels()
    return axes[0].figure


def _count_in_widths(ax: Axes) -> None:
    """Time in units of 1/lam, the memory time of the Lorentzian."""
    ticks = np.arange(0.0, 21.0, 5.0)
    ax.set_xticks(ticks / WIDTH, labels=[f"{tick:g}" for tick in ticks])
