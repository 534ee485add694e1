"""The figures of AHZ Figs. 2-5, Born-Markov and the zeroth law: a cavity in its reservoirs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike

from bathax.papers.ahz.cavity import Map, Maps
from bathax.papers.ahz.markov import Comparison
from bathax.papers.ahz.oscillation import Oscillation
from bathax.papers.ahz.parameters import STRONG, WARM, border_temperature
from bathax.papers.ahz.zeroth_law import ZerothLaw
from bathax.plot.parts import (
    TIME,
    Curves,
    draw_curves,
    four_panels,
    new_axes,
    set_limits,
    tag,
    with_gaps,
)
from bathax.studies.quantities import QUANTITIES, STATE_FUNCTIONS

RESERVOIR = r"$k_BT_0\,/\,\hbar\omega_s$"
ROMAN = ("i", "ii", "iii", "iv")
MARKOV_PANELS = (0.001, 0.01, 0.1, 0.5)
# Those of the oscillation.
PARAMETERS = rf"$\eta={STRONG:g}\,\eta_c$" "\n" rf"$k_BT_0={WARM:g}\,\hbar\omega_s$" "\n" "$n_0=5$"
# Only so much of T and F is shown on either side of a pole.
POLE_HEIGHT = 25.0
# The temperature at which the colours of AHZ Fig. 5b are half way to infinity.
HALF_WAY = 5.0
# The times for which the border of AHZ Fig. 5b is enlarged.
ENLARGED = (100.0, 250.0)


# --- Figures of the paper --------------------------------------------------------------------


def initial_states(columns: Mapping[float, Curves], axes: Any = None) -> Figure:
    """AHZ Fig. 2: several initial Fock states at three couplings."""
    titles = [rf"$\eta={ratio:g}\,\eta_c$" for ratio in columns]
    return _by_column(list(columns.values()), titles, lambda n: rf"$n_0={n}$", axes)


def couplings(columns: Sequence[Curves], axes: Any = None) -> Figure:
    """AHZ Fig. 3: couplings in the weak, the intermediate and the strong range."""
    titles = ["weak", "intermediate", "strong"]
    return _by_column(columns, titles, lambda ratio: rf"$\eta={ratio:g}\,\eta_c$", axes)


def _by_column(
    columns: Sequence[Curves], titles: Sequence[str], label: Callable[[Any], str], axes: Any
) -> Figure:
    """E, S, T, F in four rows, one column for each set of curves."""
    axes = new_axes(axes, 4, len(columns), (7.1, 8.4), sharex="col")
    for j, curves in enumerate(columns):
        for i, name in enumerate(STATE_FUNCTIONS):
            draw_curves(axes[i, j], curves, name, label)
            tag(axes[i, j], f"({'abc'[j]}-{ROMAN[i]})")
        axes[0, j].set_title(titles[j])
        axes[0, j].legend(loc="lower right")
        axes[-1, j].set_xlabel(TIME)
    _label_rows(axes)
    return axes[0, 0].figure


def _label_rows(axes: np.ndarray) -> None:
    """E, S, T and F beside the four rows."""
    for row, name in zip(axes, STATE_FUNCTIONS, strict=True):
        row[0].set_ylabel(QUANTITIES[name].label)
    axes[0, 0].figure.align_ylabels()


def inversion(curves: Curves, axes: Any = None) -> Figure:
    """AHZ Fig. 4: a cold reservoir; T has a pole where S is largest (dashed).

    The rates of E and S, and with them T and F, have ripples of period 2 pi / w_s, where the mode
    beats with thermal quanta at the edge of J at w = 0. At T0 = 0 there are hardly any.
    """
    axes = four_panels(curves, lambda T: rf"$k_BT_0={T:g}\,\hbar\omega_s$", POLE_HEIGHT, TIME, axes)
    axes[3].text(95.0, 14.0, r"ripples: period $2\pi/\omega_s$", fontsize=8)
    axes[0].figure.align_ylabels()
    return axes[0].figure


def border_maps(result: Maps, axes: Any = None) -> Figure:
    """AHZ Fig. 5: E and T over time and the temperature of the reservoir, T enlarged at the border.

    There S and E hardly change but for ripples of period 2 pi / w_s, where the mode beats with the
    edge of J at w = 0: S has an extremum, and T a pole, in each of them.
    """
    axes = new_axes(axes, 1, 2, (7.1, 3.7), sharey=True).ravel()
    colours = result.whole.solution.energy
    energy = _draw_map(axes[0], result.whole, colours, cmap="PuOr_r", vmin=0.0, vmax=10.0)
    warm = _draw_warmth(axes[1], result.whole)
    _draw_warmth(axes[1], result.border)
    figure = axes[0].figure
    figure.colorbar(energy, ax=axes[0], location="top", label=QUANTITIES["energy"].label)
    _mark_temperatures(figure.colorbar(warm, ax=axes[1], location="top"))
    for ax, letter in zip(axes, "ab", strict=True):
        _draw_borders(ax)
        ax.text(0.02, 0.97, f"({letter})", transform=ax.transAxes, va="top", fontsize=8)
        ax.set_xlabel(TIME)
    _enlarge_border(axes[1], result.border)
    axes[0].set_ylabel(RESERVOIR)
    return figure


def _draw_map(ax: Axes, found: Map, colours: ArrayLike, **scale: Any) -> QuadMesh:
    """Colours over time and the temperature of the reservoir."""
    t = np.asarray(found.solution.t)[0]
    return ax.pcolormesh(t, found.temperatures, colours, rasterized=True, **scale)


def _draw_warmth(ax: Axes, found: Map) -> QuadMesh:
    """T, with colours that reach infinity."""
    warmth = 2.0 / np.pi * np.arctan(np.asarray(found.solution.temperature) / HALF_WAY)
    return _draw_map(ax, found, warmth, cmap="RdBu_r", vmin=-1.0, vmax=1.0)


def _enlarge_border(ax: Axes, found: Map) -> None:
    """T at the border, in the corner of a panel."""
    inset = ax.inset_axes((0.46, 0.06, 0.5, 0.3))
    _draw_warmth(inset, found)
    inset.set(xlim=ENLARGED, ylim=found.temperatures[[0, -1]])
    inset.axhline(border_temperature(5), color="k", lw=0.8)
    inset.tick_params(labelsize=7)
    ax.indicate_inset_zoom(inset, edgecolor="k", lw=0.6, alpha=0.8)


def _draw_borders(ax: Axes) -> None:
    """Where n(w_s, T0) = n0, and the border E0 of the paper."""
    exact = r"$\omega_s/\ln(1+1/n_0)$"
    ax.axhline(border_temperature(5), color="k", lw=1.0, label=exact)
    ax.axhline(5.0, color="k", lw=1.0, ls=(0, (4, 3)), label="$E_0$")
    ax.legend(loc="upper right", frameon=True, framealpha=0.85, edgecolor="none", ncols=2)


def _mark_temperatures(bar: Colorbar) -> None:
    """Ticks of T on a colour scale that is linear in arctan(T), with infinity at its ends."""
    marks = np.array([-15.0, -5.0, -2.0, 0.0, 2.0, 5.0, 15.0])
    ticks = [-1.0, *(2.0 / np.pi * np.arctan(marks / HALF_WAY)), 1.0]
    names = [r"$-\infty$", *(f"${mark:g}$" for mark in marks), r"$+\infty$"]
    bar.set_ticks(ticks, labels=names)
    bar.ax.xaxis.set_minor_locator(NullLocator())
    scale = rf"colour $\propto\arctan(k_BT/{HALF_WAY:g}\hbar\omega_s)$"
    bar.set_label(f"{QUANTITIES['temperature'].label},   {scale}")


# --- Figures of what the text claims ---------------------------------------------------------


def markov(comparisons: Mapping[float, Comparison], axes: Any = None) -> Figure:
    """E, S, T, F exact and by Born-Markov at four couplings, from where they agree on."""
    shown = {ratio: comparisons[ratio] for ratio in MARKOV_PANELS}
    axes = new_axes(axes, 4, len(shown), (7.1, 7.4), sharex="col")
    cases = zip(axes.T, shown.items(), "abcd", strict=True)
    for column, (ratio, (exact, born_markov)), letter in cases:
        for ax, name, part in zip(column, STATE_FUNCTIONS, ROMAN, strict=True):
            tag(ax, f"({letter}-{part})")
            ax.plot(*with_gaps(exact, name), color="C0", label="exact")
            ax.plot(*with_gaps(born_markov, name), color="C2", ls=(0, (4, 2)), label="Born-Markov")
            set_limits(ax, [exact, born_markov], name)
            ax.set_xlim(0.0, float(exact.t[-1]))
        column[0].set_title(rf"$\eta={ratio:g}\,\eta_c$")
        column[-1].set_xlabel(TIME)
    _label_rows(axes)
    axes[0, 0].legend(loc="lower right")
    return axes[0, 0].figure


def markov_deviation(comparisons: Mapping[float, Comparison], ax: Any = None) -> Figure:
    """The largest error of Born-Markov against the coupling, relative to the largest value."""
    ax = new_axes(ax, 1, 1, (3.5, 2.9)).flat[0]
    ratios = np.array(list(comparisons))
    for name, style in (("energy", "oC0"), ("temperature", "sC2")):
        deviations = [comparison.deviation(name) for comparison in comparisons.values()]
        symbol = f"${QUANTITIES[name].symbol}$"
        ax.plot(ratios, deviations, style, ms=4.5, mfc="none", label=symbol)
    ax.plot(ratios, ratios, color="0.4", lw=0.8, zorder=0, label=r"$\eta/\eta_c$")
    ax.set(xscale="log", yscale="log", xlabel=r"$\eta\,/\,\eta_c$")
    ax.set_ylabel("largest deviation from exact")
    ax.legend(loc="upper left")
    return ax.figure


def zeroth_law(result: ZerothLaw, axes: Any = None) -> Figure:
    """A cavity between two reservoirs: T over their mean, in time and in the end."""
    axes = new_axes(axes, 1, 2, (7.1, 3.1)).ravel()
    dashes = ["-", (0, (3, 3)), "-", "-", "-"]
    for (pair, solution), dash in zip(result.relaxations.items(), dashes, strict=True):
        t, temperature = with_gaps(solution, "temperature")
        label = rf"${pair[0]:g},\ {pair[1]:g}$"
        axes[0].plot(t, temperature / np.mean(pair), ls=dash, label=label)
    axes[0].set(xlim=(0.0, np.max(t)), ylim=(0.0, 2.5), xlabel=TIME)
    axes[0].legend(loc="lower right", title=r"$k_BT_{1,2}\,/\,\hbar\omega_s$", title_fontsize=8)
    _draw_final(axes[1], result)
    for ax, letter in zip(axes, "ab", strict=True):
        ax.axhline(1.0, color="0.6", lw=0.5, zorder=0)
        tag(ax, f"({letter})")
    axes[0].set_ylabel(r"$T\;/\;\frac{1}{2}(T_1+T_2)$")
    axes[1].set_ylabel(r"$T(\infty)\;/\;\frac{1}{2}(T_1+T_2)$")
    return axes[0].figure


def _draw_final(ax: Axes, result: ZerothLaw) -> None:
    means = result.means
    for index, spread in enumerate(result.final):
        exact, expected = result.final[spread] / means, result.expected[spread] / means
        ax.plot(means, exact, "o", ms=3.5, mfc="none", color=f"C{index}", label=rf"${spread:g}$")
        ax.plot(means, expected, color=f"C{index}", lw=0.9)
    spreads = ax.legend(title=r"$|T_2-T_1|\,/\,(T_1+T_2)$", title_fontsize=8, loc="upper right")
    ax.add_artist(spreads)
    exact = ax.plot([], [], "o", ms=3.5, mfc="none", color="0.3")[0]
    expected = ax.plot([], [], color="0.3", lw=0.9)[0]
    words = ["exact", r"$n=\frac{1}{2}(n_1+n_2)$"]
    ax.legend([exact, expected], words, loc="center right")
    ax.set(xscale="log", xlabel=r"$k_B(T_1+T_2)\,/\,2\hbar\omega_s$")


def oscillation(result: Oscillation, axes: Any = None) -> Figure:
    """Strong coupling: v at early, later and late times, and the size of its swings."""
    axes = new_axes(axes, 1, len(result.windows) + 1, (7.1, 2.4)).ravel()
    v = np.asarray(result.solution.v)
    for ax, part in zip(axes, result.parts(), strict=False):
        ax.plot(part.t, part.v)
        ax.set(xlim=part.t[[0, -1]], ylim=(v.min() - 0.3, v.max() + 0.3))
        ax.set_xticks(np.linspace(part.t[0], part.t[-1], 5)[1:-1])
    for ax in axes[1:-1]:
        ax.tick_params(labelleft=False)
    axes[0].set_ylabel(QUANTITIES["v"].label)
    axes[-2].text(0.5, 0.8, PARAMETERS, transform=axes[-2].transAxes, ha="center", va="center")
    at, sizes = result.swings()
    axes[-1].loglog(at, sizes, ".", ms=4, label="swing of $v$")
    axes[-1].loglog(at, at[-1:] * sizes[-1:] / at, color="0.4", lw=0.8, zorder=0, label="$1/t$")
    axes[-1].legend(loc="lower left")
    for ax, letter in zip(axes, "abcd", strict=True):
        ax.set_xlabel(TIME)
        tag(ax, f"({letter})")
    return axes[0].figure
