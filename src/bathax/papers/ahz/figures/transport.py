"""Figures of transport: currents and noise of a level, and the zeroth law by coupling."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from bathax.papers.ahz.transport import (
    BIASES,
    BROAD,
    NARROW,
    RATES,
    RATIOS,
    TRANSIENTS,
    Steady,
    Transient,
    Zeroth,
    cavity_temperature,
    share,
)
from bathax.plot.parts import new_axes, tag

DASHED = (0, (4, 2))


def current_voltage(result: dict[float, Steady], axes: Any = None) -> Figure:
    """Current over bias, and its noise over the current, at several temperatures."""
    axes = new_axes(axes, 1, 2, (7.1, 2.9)).ravel()
    for temperature, steady in result.items():
        axes[0].plot(BIASES, steady.current.value / NARROW, label=rf"${temperature:g}\,\epsilon$")
        axes[1].plot(BIASES, steady.fano)
    for height, words in ((1.0, "independent particles"), (0.5, "symmetric barriers")):
        axes[1].axhline(height, color="0.6", lw=0.6, ls=DASHED, zorder=0)
        axes[1].text(0.98 * BIASES[-1], 1.04 * height, words, fontsize=7, ha="right", va="bottom")
    axes[0].set_ylabel(r"$I\,/\,\Gamma$")
    axes[1].set(yscale="log", ylim=(0.3, 12.0), ylabel=r"Fano factor $S\,/\,I$")
    _label_ticks(axes[1], 0.5, 1.0, 2.0, 5.0, 10.0)
    axes[0].legend(title="$k_BT$", title_fontsize=8, loc="upper left")
    for ax, letter in zip(axes, "ab", strict=True):
        ax.set(xlim=(0.0, BIASES[-1]), xlabel=r"$V\,/\,\epsilon$")
        tag(ax, f"({letter})")
    return axes[0].figure


def transient(result: Transient, axes: Any = None) -> Figure:
    """Currents into both leads after they are coupled to an empty level; dashed: Landauer."""
    axes = new_axes(axes, 1, len(TRANSIENTS), (7.1, 2.7), sharey=True).ravel()
    for k, (ax, (left, right, bias)) in enumerate(zip(axes, TRANSIENTS, strict=True)):
        for lead, name in enumerate(("left", "right")):
            ax.plot(BROAD * result.t, result.current.value[k, :, lead] / BROAD, label=name)
        for sign in (-1.0, 1.0):
            end = sign * result.steady.current.value[k] / BROAD
            ax.axhline(end, color="k", lw=0.7, ls=DASHED)
        ax.set_title(rf"$V={bias:g}\,\epsilon$, $k_BT_{{1,2}}={left:g},\ {right:g}\,\epsilon$")
        ax.set(xlim=(0.0, BROAD * result.t[-1]), xlabel=r"$\Gamma t$")
        ax.title.set_size(7)
        tag(ax, f"({'abc'[k]})")
    axes[0].set_ylabel(r"gain of the lead $I\,/\,\Gamma$")
    axes[-1].legend(loc="lower right", title="lead", title_fontsize=8)
    return axes[0].figure


def zeroth(result: Zeroth, axes: Any = None) -> Figure:
    """T of a cavity over the mean, how far a level is filled, and the heat that flows for ever."""
    axes = new_axes(axes, 1, 3, (7.1, 3.0)).ravel()
    _draw_cavities(axes[0], result)
    for k, (pair, steady) in enumerate(result.levels.items()):
        colour, label = f"C{k}", rf"${pair[0]:g},\ {pair[1]:g}$"
        axes[1].plot(RATES, share(steady.number.value, pair), color=colour, label=label)
        axes[2].plot(RATES, -steady.energy_current.value, color=colour)
    for height in (0.5, 1.0):
        axes[1].axhline(height, color="0.6", lw=0.6, ls=DASHED, zorder=0)
    axes[1].set(ylim=(0.0, 1.2), ylabel=r"$(n-f_1)\,/\,(f_2-f_1)$")
    axes[1].legend(loc="lower left", title=r"$k_BT_{1,2}\,/\,\epsilon$", title_fontsize=8)
    axes[2].set(yscale="log", ylabel=r"heat current $\hbar J\,/\,\epsilon^2$")
    for ax in axes[1:]:
        ax.set(xscale="log", xlabel=r"$\hbar\Gamma\,/\,\epsilon$", xlim=RATES[[0, -1]])
    for ax, letter in zip(axes, "abc", strict=True):
        tag(ax, f"({letter})")
    return axes[0].figure


def _draw_cavities(ax: Axes, result: Zeroth) -> None:
    for pair, number in result.cavities.items():
        temperature = cavity_temperature(number) / np.mean(pair)
        ax.plot(RATIOS, temperature, label=rf"${pair[0]:g},\ {pair[1]:g}$")
    ax.plot(RATIOS, 1.0 / (1.0 - RATIOS), "k", ls=DASHED, lw=0.7, label=r"$1/(1-\eta/\eta_c)$")
    ax.set(yscale="log", xlim=(0.0, RATIOS[-1]), ylim=(0.9, 12.0))
    _label_ticks(ax, 1.0, 2.0, 5.0, 10.0)
    ax.set(xlabel=r"$\eta\,/\,\eta_c$", ylabel=r"$T(\infty)\;/\;\frac{1}{2}(T_1+T_2)$")
    title = r"$k_BT_{1,2}\,/\,\hbar\omega_s$"
    ax.legend(loc="upper left", title=title, title_fontsize=8)


def _label_ticks(ax: Axes, *ticks: float) -> None:
    """Plain numbers on a logarithmic axis."""
    ax.set_yticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    ax.yaxis.set_minor_locator(NullLocator())
