r"""The figures of the paper (AHZ Figs. 2-5) and of what its text claims, as files.

Functions take results of `bathax.studies.paper` and axes, and draw; none of them solves. They
return the figure. `write_all` computes everything once and writes every figure and the table of
claims. T jumps through infinity where the entropy has its maximum: lines are broken there.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from bathax.app import claims
from bathax.solution import Solution
from bathax.studies import paper
from bathax.studies.trajectory import pole_intervals, poles

TIME = r"$\omega_s t$"
RESERVOIR = r"$k_BT_0\,/\,\hbar\omega_s$"
QUANTITIES = {
    "energy": r"$E\,/\,\hbar\omega_s$",
    "entropy": r"$S\,/\,k_B$",
    "temperature": r"$k_BT\,/\,\hbar\omega_s$",
    "free_energy": r"$F\,/\,\hbar\omega_s$",
}
ROMAN = ("i", "ii", "iii", "iv")
MARKOV_PANELS = (0.001, 0.01, 0.1, 0.5)
# Only so much of T and F is shown on either side of a pole.
POLE_HEIGHT = 25.0
# The temperature at which the colours of AHZ Fig. 5b are half way to infinity.
HALF_WAY = 5.0

Curves = Mapping[Any, Solution]


def with_gaps(solution: Solution, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Times and values with a gap at every pole of T, for the quantities that share it.

    Narrow poles are narrower than the samples can show, and those at their sides are left out.
    """
    t, values = np.asarray(solution.t), np.asarray(getattr(solution, name), float)
    values = np.where(np.isfinite(values), values, np.nan)
    if name not in ("temperature", "free_energy"):
        return t, values
    wide, narrow = pole_intervals(solution)
    beside = narrow[:, None] + np.arange(-1, 3)
    shown = ~np.isin(np.arange(len(t)), beside)
    # The gap goes in front of the first sample behind the pole.
    gap = np.cumsum(shown)[wide]
    return np.insert(t[shown], gap, t[wide + 1]), np.insert(values[shown], gap, np.nan)


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
    axes = _axes(axes, 4, len(columns), (7.1, 8.4), sharex="col")
    for j, curves in enumerate(columns):
        for i, name in enumerate(QUANTITIES):
            _draw_curves(axes[i, j], curves, name, label)
            _tag(axes[i, j], f"({'abc'[j]}-{ROMAN[i]})")
        axes[0, j].set_title(titles[j])
        axes[0, j].legend(loc="lower right")
        axes[-1, j].set_xlabel(TIME)
    for row, name in zip(axes, QUANTITIES.values(), strict=True):
        row[0].set_ylabel(name)
    axes[0, 0].figure.align_ylabels()
    return axes[0, 0].figure


def inversion(curves: Curves, axes: Any = None) -> Figure:
    """AHZ Fig. 4: a cold reservoir; T has a pole where S is largest (dashed)."""
    axes = _axes(axes, 2, 2, (6.8, 5.0), sharex=True).ravel()
    for ax, (name, title), letter in zip(axes, QUANTITIES.items(), "abcd", strict=True):
        _draw_curves(ax, curves, name, lambda T: rf"$k_BT_0={T:g}\,\hbar\omega_s$")
        for index, solution in enumerate(curves.values()):
            for pole in poles(solution):
                ax.axvline(pole.time, color=f"C{index}", lw=0.7, ls=(0, (4, 3)), zorder=0)
        ax.set_ylabel(title)
        _tag(ax, f"({letter})")
    axes[0].legend(loc="upper right")
    for ax in axes[2:]:
        ax.axhline(0.0, color="0.6", lw=0.5, zorder=0)
        ax.set_ylim(-POLE_HEIGHT, POLE_HEIGHT)
        ax.set_xlabel(TIME)
    axes[0].figure.align_ylabels()
    return axes[0].figure


def border_maps(result: paper.Map, axes: Any = None) -> Figure:
    """AHZ Fig. 5: E and T over time and the temperature of the reservoir."""
    axes = _axes(axes, 1, 2, (7.1, 3.7), sharey=True).ravel()
    solution, temperatures = result.solution, np.asarray(result.temperatures)
    t = np.asarray(solution.t)[0]
    warmth = 2.0 / np.pi * np.arctan(np.asarray(solution.temperature) / HALF_WAY)
    energy = axes[0].pcolormesh(
        t, temperatures, solution.energy, cmap="PuOr_r", vmin=0.0, vmax=10.0, rasterized=True
    )
    warm = axes[1].pcolormesh(
        t, temperatures, warmth, cmap="RdBu_r", vmin=-1.0, vmax=1.0, rasterized=True
    )
    figure = axes[0].figure
    figure.colorbar(energy, ax=axes[0], location="top", label=QUANTITIES["energy"])
    _mark_temperatures(figure.colorbar(warm, ax=axes[1], location="top"))
    for ax, letter in zip(axes, "ab", strict=True):
        _draw_borders(ax)
        ax.text(0.02, 0.97, f"({letter})", transform=ax.transAxes, va="top", fontsize=8)
        ax.set_xlabel(TIME)
    axes[0].set_ylabel(RESERVOIR)
    return figure


def _draw_borders(ax: Axes) -> None:
    """Where n(w_s, T0) = n0, and the border E0 of the paper."""
    exact = r"$\omega_s/\ln(1+1/n_0)$"
    ax.axhline(paper.border_temperature(5), color="k", lw=1.0, label=exact)
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
    bar.set_label(f"{QUANTITIES['temperature']},   {scale}")


# --- Figures of what the text claims ---------------------------------------------------------


def markov(comparisons: Mapping[float, paper.Comparison], axes: Any = None) -> Figure:
    """E, S, T, F exact and by Born-Markov at four couplings, from where they agree on."""
    shown = {ratio: comparisons[ratio] for ratio in MARKOV_PANELS}
    axes = _axes(axes, 4, len(shown), (7.1, 7.4), sharex="col")
    for column, (ratio, (exact, born_markov)) in zip(axes.T, shown.items(), strict=True):
        for ax, name in zip(column, QUANTITIES, strict=True):
            ax.plot(*with_gaps(exact, name), color="C0", label="exact")
            ax.plot(*with_gaps(born_markov, name), color="C2", ls=(0, (4, 2)), label="Born-Markov")
            _limit(ax, [exact, born_markov], name)
            ax.set_xlim(0.0, float(exact.t[-1]))
        column[0].set_title(rf"$\eta={ratio:g}\,\eta_c$")
        column[-1].set_xlabel(TIME)
    for row, label in zip(axes, QUANTITIES.values(), strict=True):
        row[0].set_ylabel(label)
    axes[0, 0].figure.align_ylabels()
    axes[0, 0].legend(loc="lower right")
    return axes[0, 0].figure


def markov_deviation(comparisons: Mapping[float, paper.Comparison], ax: Any = None) -> Figure:
    """The largest error of Born-Markov against the coupling, relative to the largest value."""
    ax = _axes(ax, 1, 1, (3.5, 2.9)).flat[0]
    ratios = np.array(list(comparisons))
    for name, symbol, style in (("energy", "$E$", "oC0"), ("temperature", "$T$", "sC2")):
        deviations = [comparison.deviation(name) for comparison in comparisons.values()]
        ax.plot(ratios, deviations, style, ms=4.5, mfc="none", label=symbol)
    ax.plot(ratios, ratios, color="0.4", lw=0.8, zorder=0, label=r"$\eta/\eta_c$")
    ax.set(xscale="log", yscale="log", xlabel=r"$\eta\,/\,\eta_c$")
    ax.set_ylabel("largest deviation from exact")
    ax.legend(loc="upper left")
    return ax.figure


def zeroth_law(result: paper.ZerothLaw, axes: Any = None) -> Figure:
    """A cavity between two reservoirs: T over their mean, in time and in the end."""
    axes = _axes(axes, 1, 2, (7.1, 3.1)).ravel()
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
        _tag(ax, f"({letter})")
    axes[0].set_ylabel(r"$T\;/\;\frac{1}{2}(T_1+T_2)$")
    axes[1].set_ylabel(r"$T(\infty)\;/\;\frac{1}{2}(T_1+T_2)$")
    return axes[0].figure


def _draw_final(ax: Axes, result: paper.ZerothLaw) -> None:
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


def oscillation(result: paper.Oscillation, axes: Any = None) -> Figure:
    """Strong coupling: v at early, later and late times, and the size of its swings."""
    axes = _axes(axes, 1, len(result.windows) + 1, (7.1, 2.4)).ravel()
    v = np.asarray(result.solution.v)
    for ax, part in zip(axes, result.parts(), strict=False):
        ax.plot(part.t, part.v)
        ax.set(xlim=part.t[[0, -1]], ylim=(v.min() - 0.3, v.max() + 0.3))
        ax.set_xticks(np.linspace(part.t[0], part.t[-1], 5)[1:-1])
    for ax in axes[1:-1]:
        ax.tick_params(labelleft=False)
    axes[0].set_ylabel("$v$")
    at, sizes = result.swings()
    axes[-1].loglog(at, sizes, ".", ms=4, label="swing of $v$")
    axes[-1].loglog(at, at[-1:] * sizes[-1:] / at, color="0.4", lw=0.8, zorder=0, label="$1/t$")
    axes[-1].legend(loc="lower left")
    for ax, letter in zip(axes, "abcd", strict=True):
        ax.set_xlabel(TIME)
        _tag(ax, f"({letter})")
    return axes[0].figure


# --- Parts of a figure -----------------------------------------------------------------------


def _axes(axes: Any, rows: int, columns: int, size: tuple[float, float], **shared: Any) -> Any:
    """The given axes as an array of that shape, or new ones on a figure of that size."""
    if axes is None:
        figure = Figure(figsize=size, layout="constrained")
        return figure.subplots(rows, columns, squeeze=False, **shared)
    return np.asarray(axes, dtype=object).reshape(rows, columns)


def _draw_curves(ax: Axes, curves: Curves, name: str, label: Callable[[Any], str]) -> None:
    for key, solution in curves.items():
        ax.plot(*with_gaps(solution, name), label=label(key))
    ax.set_xlim(0.0, max(float(solution.t[-1]) for solution in curves.values()))
    _limit(ax, curves.values(), name)


def _limit(ax: Axes, solutions: Iterable[Solution], name: str) -> None:
    """Limits that the neighbourhood of a pole does not set."""
    values = np.concatenate([with_gaps(solution, name)[1] for solution in solutions])
    low, high = np.nanpercentile(values, [1.0, 99.0]) if values.size else (0.0, 1.0)
    margin = 0.08 * (high - low) or 1.0
    ax.set_ylim(min(low, 0.0) - margin, max(high, 0.0) + margin)


def _tag(ax: Axes, text: str) -> None:
    ax.set_title(text, loc="left", fontsize=8)


# --- Files -----------------------------------------------------------------------------------


class Drawing(NamedTuple):
    """A file, the result it shows and the function that draws it."""

    name: str
    result: str
    draw: Callable[..., Figure]


DRAWINGS = (
    Drawing("fig2_initial_states", "figure_2", initial_states),
    Drawing("fig3_couplings", "figure_3", couplings),
    Drawing("fig4_inversion", "figure_4", inversion),
    Drawing("fig5_border", "figure_5", border_maps),
    Drawing("markov", "markov", markov),
    Drawing("markov_deviation", "markov", markov_deviation),
    Drawing("zeroth_law", "zeroth_law", zeroth_law),
    Drawing("oscillation", "oscillation", oscillation),
)


def write_all(directory: str | os.PathLike[str], effort: paper.Effort = paper.FULL) -> None:
    """Compute everything, and write each figure as PNG and PDF, and `claims.md`.

    The folder is made if need be. Files appear whole or not at all; existing ones are replaced.
    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    results = {}
    for name in paper.Results._fields:
        results[name] = getattr(paper, name)(effort)
        for drawing in DRAWINGS:
            if drawing.result == name:
                _write_figure(folder / drawing.name, drawing.draw, results[name])
    with _replacing(folder / "claims.md") as path:
        path.write_text(claims.table(paper.Results(**results)), encoding="utf-8")


def _write_figure(target: Path, draw: Callable[..., Figure], result: Any) -> None:
    with style():
        figure = draw(result)
        # Arrange once; otherwise every format does it again.
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        for suffix in (".png", ".pdf"):
            with _replacing(target.with_suffix(suffix)) as path:
                figure.savefig(path, format=suffix[1:])


@contextmanager
def style() -> Iterator[None]:
    """The style sheet of these figures, for as long as the context lasts."""
    with as_file(files("bathax.app") / "bathax.mplstyle") as path, mpl.rc_context(fname=path):
        yield


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """A path to write to, which becomes `target` at once when all went well."""
    path = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        yield path
        path.replace(target)
    finally:
        path.unlink(missing_ok=True)
    print(target)
