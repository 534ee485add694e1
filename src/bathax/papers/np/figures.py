"""Figures of NP: relaxation, memory and bound states of a qubit; what its reservoir gains."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter

from bathax.papers.np.binding import ABOVE, COLD_STOP, Binding, Left
from bathax.papers.np.memory import Memory
from bathax.papers.np.parameters import (
    CRITICAL,
    DETUNED,
    FILLING,
    FREQUENCY,
    LIFETIMES,
    MODERATE,
    SHORTEST,
    STRONG,
    WARM,
    WEAKER,
    boltzmann,
    golden_rule,
)
from bathax.papers.np.relaxation import Relaxation, Relaxations
from bathax.papers.np.reservoir import Exchange, gain_of_mode
from bathax.plot.files import Drawing
from bathax.plot.parts import TIME, new_axes, tag
from bathax.qubit.dynamical_map import DynamicalMap
from bathax.qubit.memory import RATES, determinant_passage, negative_rate_intervals
from bathax.qubit.reservoir_occupation import ReservoirOccupation
from bathax.studies.quantities import QUANTITIES

DASHED = (0, (4, 2))
# How times of negative rates are shaded.
NEGATIVE: Mapping[str, Any] = MappingProxyType({"color": "C2", "alpha": 0.15, "lw": 0.0})
# The couplings that are drawn one by one.
SHOWN = (0.002, 0.02, 0.1)
# A time after which even the strongest coupling changes little.
SETTLED = 15.0
# Below this the colours of what a reservoir gains are linear, above it logarithmic.
LINEAR = 0.02


# --- Relaxation ------------------------------------------------------------------------------


def determinant(result: Relaxations, axes: Any = None) -> Figure:
    """D by coupling over the time of the golden rule, and by temperature; dashed: van Hove."""
    axes = new_axes(axes, 1, 2, (7.1, 3.2)).ravel()
    for index, (eta, case) in enumerate(result.couplings.items()):
        colour, label = f"C{index}", rf"$\eta={eta:g}$"
        _draw_determinant(axes[0], case, case.rate, color=colour, label=label)
    tau = np.linspace(0.0, LIFETIMES, 2)
    axes[0].plot(tau, np.exp(-tau), color="k", ls=DASHED, lw=0.9, label=r"$e^{-\Gamma t}$")
    for index, (temperature, case) in enumerate(result.temperatures.items()):
        colour = f"C{index}"
        _draw_determinant(axes[1], case, 1.0, color=colour, label=_title(temperature))
        van_hove = case.van_hove
        axes[1].plot(van_hove.t, van_hove.determinant, color=colour, ls=DASHED, lw=0.8)
    axes[1].plot([], [], color="k", ls=DASHED, lw=0.8, label="van Hove")
    axes[0].set(xlim=(0.0, tau[-1]), xlabel=r"$\Gamma t$")
    axes[1].set(xlim=(0.0, SHORTEST), xlabel=TIME)
    axes[0].set_title(_title(WARM))
    axes[0].legend(loc="lower left")
    axes[1].set_title(rf"$\eta={MODERATE:g}$")
    axes[1].legend(loc="upper right")
    for ax, letter in zip(axes, "ab", strict=True):
        ax.set(yscale="log", ylim=(8e-4, 1.3), ylabel=QUANTITIES["determinant"].label)
        tag(ax, f"({letter})")
    return axes[0].figure


def _title(temperature: float, eta: float | None = None) -> str:
    """The parameters of an Ohmic reservoir, as far as they are given."""
    number = "" if temperature == 1.0 else rf"{temperature:g}\,"
    coupling = "" if eta is None else rf"\eta={eta:g},\ "
    return rf"${coupling}k_BT_0={number}\hbar\omega_s$"


def _draw_determinant(ax: Axes, case: Relaxation, unit: float, **style: Any) -> None:
    """D where it is positive, over time in a unit."""
    d = np.asarray(case.exact.determinant)
    ax.plot(unit * np.asarray(case.exact.t), np.where(d > 0.0, d, np.nan), **style)


def populations(result: Relaxations, axes: Any = None) -> Figure:
    """The excited population from both initial states at three couplings; dashed: Boltzmann."""
    axes = new_axes(axes, 1, len(SHOWN), (7.1, 2.7), sharey=True).ravel()
    for ax, eta, letter in zip(axes, SHOWN, "abc", strict=True):
        case = result.couplings[eta]
        ax.plot(case.exact.t, case.exact.p11, label="from the excited state")
        ax.plot(case.exact.t, 1.0 - case.exact.p00, label="from the ground state")
        ax.axhline(boltzmann(WARM), color="k", ls=DASHED, lw=0.8, label="Boltzmann")
        stop = max(LIFETIMES / case.rate, SETTLED)
        ax.set(xlim=(0.0, stop), ylim=(0.0, 1.0), xlabel=TIME)
        ax.set_title(rf"$\eta={eta:g}$")
        tag(ax, f"({letter})")
    axes[0].set_ylabel(r"$\rho_{11}$")
    axes[0].legend(loc="upper right")
    return axes[0].figure


def time_scale(result: Relaxations, axes: Any = None) -> Figure:
    """When D = 1/e, and how far the final population is from Boltzmann's, by coupling."""
    axes = new_axes(axes, 1, 2, (7.1, 2.9)).ravel()
    cases = list(result.couplings.values())
    etas = np.array([case.eta for case in cases])
    axes[0].plot(etas, [case.lifetime() for case in cases], "oC0", ms=4.5, mfc="none")
    axes[0].plot(etas, [1.0 / case.rate for case in cases], color="0.4", lw=0.8, zorder=0)
    axes[0].set_ylabel(r"$\omega_s t$ at $D=1/e$")
    axes[0].legend(["exact", r"$1/\Gamma\propto\eta^{-1}$"], loc="upper right")
    shifts = [case.shift() for case in cases]
    values, errors = np.transpose(shifts)
    slope = values[0] / etas[0]
    axes[1].errorbar(etas, values, errors, fmt="oC2", ms=4.5, mfc="none")
    axes[1].plot(etas, slope * etas, color="0.4", lw=0.8, zorder=0)
    axes[1].set_ylabel(r"$\rho_{11}(\infty)-1/(1+e^{\hbar\omega_s/k_BT_0})$")
    axes[1].set_ylim(1e-3, 1e-1)
    axes[1].legend([rf"${slope:.2f}\,\eta$", "exact"], loc="upper left")
    for ax, letter in zip(axes, "ab", strict=True):
        ax.set(xscale="log", yscale="log", xlabel=r"$\eta$")
        ax.yaxis.set_minor_formatter(NullFormatter())
        tag(ax, f"({letter})")
    return axes[0].figure


# --- Memory ----------------------------------------------------------------------------------


def rates(result: Memory, axes: Any = None) -> Figure:
    """The exact rates where they are known; shaded: negative, dashed: van Hove."""
    axes = new_axes(axes, 3, 3, (7.1, 5.6), sharex="col")
    for column, dmap, title, letter in zip(axes.T, result, _titles(), "abc", strict=True):
        for ax, name, part in zip(column, RATES, ("i", "ii", "iii"), strict=True):
            _draw_rate(ax, dmap, name)
            tag(ax, f"({letter}-{part})")
        known = np.asarray(dmap.t)[np.asarray(dmap.rates_resolved)]
        column[0].set(title=title, xlim=(0.0, 1.05 * max(known, default=0.0) or 1.0))
        column[-1].set_xlabel(TIME)
    for ax, rate in zip(axes[:, 0], _golden_rates(), strict=True):
        ax.axhline(rate, color="k", ls=DASHED, lw=0.8, zorder=0, label="van Hove")
    axes[0, 0].fill_between([], [], **NEGATIVE, label="negative")
    axes[0, 0].legend(loc="lower right")
    for row, name in zip(axes, RATES, strict=True):
        row[0].set_ylabel(QUANTITIES[name].label)
    axes[0, 0].figure.align_ylabels()
    return axes[0, 0].figure


def _golden_rates() -> tuple[float, float, float]:
    """gamma_-, gamma_+ and gamma_z at the moderate coupling in the van Hove limit."""
    total, excited = golden_rule(MODERATE, WARM), boltzmann(WARM)
    return total * (1.0 - excited), total * excited, 0.0


def _titles() -> tuple[str, str, str]:
    eta, temperature = STRONG
    return (
        _title(WARM, MODERATE),
        _title(temperature, eta),
        rf"one mode, $n={FILLING:.2f}$",
    )


def _draw_rate(ax: Axes, dmap: DynamicalMap, name: str) -> None:
    """A rate on the scale of its ordinary values, not of its poles."""
    values = np.asarray(getattr(dmap, name))
    for start, stop in negative_rate_intervals(dmap, name):
        ax.axvspan(start, stop, **NEGATIVE)
    ax.axhline(0.0, color="0.6", lw=0.5, zorder=0)
    ax.plot(dmap.t, broken(values, np.asarray(dmap.determinant)), label="exact")
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, [8.0, 92.0]) if known.size else (0.0, 1.0)
    margin = 0.6 * (high - low) or 1.0
    low, high = (0.0, high) if known.size and known.min() >= 0.0 else (low - margin, high)
    ax.set_ylim(low, high + margin)


def broken(values: np.ndarray, divisor: np.ndarray) -> np.ndarray:
    """Values with a gap where their divisor passes zero."""
    passing = np.flatnonzero(divisor[:-1] * divisor[1:] < 0.0)
    broken = values.copy()
    broken[passing + 1] = np.nan
    return broken


def zero_crossing(result: Memory, axes: Any = None) -> Figure:
    """D through zero, where all initial states have the same populations for an instant."""
    axes = new_axes(axes, 1, 2, (7.1, 2.9)).ravel()
    cases = zip(axes, result[1:], _titles()[1:], "ab", strict=True)
    for ax, dmap, title, letter in cases:
        t, d = np.asarray(dmap.t), np.asarray(dmap.determinant)
        ax.plot(t, d, label=QUANTITIES["determinant"].label)
        ax.plot(t, np.abs(dmap.coherence) ** 2, color="C1", ls=DASHED, label="$|c|^2$")
        ax.axhline(0.0, color="0.6", lw=0.5, zorder=0)
        ax.fill_between(t, d, 0.0, where=d < 0.0, color="C2", alpha=0.3, lw=0.0)
        ax.set(xlim=(0.0, t[-1]), ylim=(-0.05, 0.25), xlabel=TIME)
        ax.axvline(determinant_passage(dmap), color="C0", lw=0.7, ls=(0, (4, 3)), zorder=0)
        ax.set_title(title)
        ax.xaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10]))
        tag(ax, f"({letter})")
    axes[0].legend(loc="upper right")
    return axes[0].figure


# --- Bound states ----------------------------------------------------------------------------


def binding(result: Binding, axes: Any = None) -> Figure:
    """D with a bound state, above the critical coupling and in a gap, and over eta and kT0."""
    axes = new_axes(axes, 1, 3, (7.1, 2.7)).ravel()
    titles = (rf"$\eta={ABOVE / CRITICAL:g}\,\eta_c$", "inside of a band gap")
    cases = zip(axes, (result.above, result.gap), titles, (1e-2, 0.1), strict=False)
    for ax, case, title, lowest in cases:
        for index, (temperature, dmap) in enumerate(case.maps.items()):
            ax.plot(dmap.t, dmap.determinant, color=f"C{index}", label=f"{temperature:g}")
        ax.axhline(case.share, color="k", ls=DASHED, lw=0.8, label="$Z^2$")
        ax.set(xlim=(0.0, dmap.t[-1]), ylim=(lowest, 1.2), yscale="log", title=title, xlabel=TIME)
        ax.legend(title=r"$k_BT_0\,/\,\hbar\omega_s$", loc="lower left", ncols=2)
    axes[0].set_ylabel(QUANTITIES["determinant"].label)
    _draw_left(axes[2], result.left)
    for ax, letter in zip(axes, "abc", strict=True):
        tag(ax, f"({letter})")
    return axes[0].figure


def _draw_left(ax: Axes, left: Left) -> None:
    """D at a late time over the plane of coupling and temperature."""
    mesh = ax.pcolormesh(
        *(left.ratios, left.temperatures, left.determinant.T),
        **{"cmap": "viridis", "vmin": 0.0, "shading": "gouraud", "rasterized": True},
    )
    ax.axvline(1.0, color="w", ls=DASHED, lw=0.9)
    ax.figure.colorbar(mesh, ax=ax, aspect=30, pad=0.02)
    ax.set(xlabel=r"$\eta\,/\,\eta_c$", ylabel=r"$k_BT_0\,/\,\hbar\omega_s$")
    ax.set_title(rf"$D$ at $\omega_st={COLD_STOP:g}$")


# --- The reservoir ---------------------------------------------------------------------------


def exchange(result: Exchange, axes: Any = None) -> Figure:
    """Quanta gained by the reservoir, by time and frequency; a mode on resonance and one off it."""
    axes = _beside_two(axes)
    _draw_gains(axes[0], result.moderate)
    cases = {MODERATE: result.moderate, WEAKER: result.weak}
    for ax, frequency in zip(axes[1:], (FREQUENCY, DETUNED), strict=True):
        for eta, field in cases.items():
            gain = gain_of_mode(field, frequency)
            ax.plot(field.t, gain, label=rf"$\eta={eta:g}$")
        ax.set(xlim=(0.0, field.t[-1]), ylim=(0.0, None))
        ax.set_ylabel(r"$\Delta n_k\,\omega_s^2\,/\,V_k^2$")
        ax.xaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10]))
    _mark_returns(axes[2], float(result.weak.t[-1]))
    axes[1].set_title(r"$\omega_k=\omega_s$")
    axes[1].legend(loc="upper left")
    axes[2].set(title=rf"$\omega_k={DETUNED:g}\,\omega_s$", xlabel=TIME)
    for ax, letter in zip(axes, "abc", strict=True):
        tag(ax, f"({letter})")
    axes[0].figure.align_ylabels(axes[1:])
    return axes[0].figure


def _beside_two(axes: Any) -> np.ndarray:
    """The three given axes, or new ones: a large one and two beside it, one above the other."""
    if axes is not None:
        return np.asarray(axes, dtype=object).ravel()
    figure = Figure(figsize=(7.1, 3.4), layout="constrained")
    return np.array(list(figure.subplot_mosaic("ab;ac", width_ratios=(1.75, 1.0)).values()))


def _draw_gains(ax: Axes, field: ReservoirOccupation) -> None:
    """Quanta gained by a unit of frequency; dashed: w_s, dotted: where |w - w_s| t = 2 pi."""
    change, t = np.asarray(field.change[0]).T, np.asarray(field.t)
    largest = float(np.max(np.abs(change)))
    norm = SymLogNorm(LINEAR, vmin=-largest, vmax=largest)
    mesh = ax.pcolormesh(t, field.frequencies, change, norm=norm, cmap="RdBu_r", rasterized=True)
    label = r"quanta gained per unit of $\omega/\omega_s$"
    ax.figure.colorbar(mesh, ax=ax, aspect=30, pad=0.02, label=label)
    w_s, distance = FREQUENCY, 2.0 * np.pi / t[1:]
    ax.axhline(w_s, color="k", gapcolor="w", ls=DASHED, lw=0.9, label=r"$\omega_s$")
    words = r"$|\omega-\omega_s|\,t=2\pi$"
    ax.plot(t[1:], w_s + distance, color="k", ls=":", lw=0.9, label=words)
    ax.plot(t[1:], w_s - distance, color="k", ls=":", lw=0.9)
    ax.legend(loc="upper right", frameon=True, framealpha=0.85, edgecolor="none")
    ax.set(xlim=(0.0, t[-1]), ylim=(0.0, field.frequencies[-1]), xlabel=TIME)
    ax.set(title=_title(WARM, MODERATE), ylabel=r"$\omega\,/\,\omega_s$")


def _mark_returns(ax: Axes, stop: float) -> None:
    """Where a mode off resonance is back, (w - w_s) t = 2 pi k."""
    for time in np.arange(1.0, 100.0) * 2.0 * np.pi / (DETUNED - FREQUENCY):
        if time < stop:
            ax.axvline(time, color="k", ls=":", lw=0.8, zorder=0)


DRAWINGS = (
    Drawing("np_determinant", "relaxation", determinant),
    Drawing("np_populations", "relaxation", populations),
    Drawing("np_time_scale", "relaxation", time_scale),
    Drawing("np_rates", "memory", rates),
    Drawing("np_zero_crossing", "memory", zero_crossing),
    Drawing("np_binding", "binding", binding),
    Drawing("np_reservoir", "exchange", exchange),
)
