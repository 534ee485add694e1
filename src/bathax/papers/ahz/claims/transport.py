"""The zeroth law of AHZ beyond weak coupling, and for a fermionic level between two leads."""

from collections.abc import Callable

import numpy as np

from bathax.papers.ahz.results import Results
from bathax.papers.ahz.transport import (
    BROAD,
    LEVEL_PAIRS,
    PAIRS,
    RATES,
    RATIOS,
    TRANSIENTS,
    cavity_temperature,
    level_temperature,
    share,
)
from bathax.papers.claims import AGREES, DISAGREES, PARTLY, Claim, estimated, listed, yes


def cavities(results: Results) -> Claim:
    """The temperature of a cavity between two reservoirs, by coupling."""
    found = results.transport_zeroth.cavities
    over = {pair: cavity_temperature(found[pair]) / np.mean(pair) for pair in PAIRS}
    classical = over[PAIRS[0]]
    law = np.max(np.abs(classical * (1.0 - RATIOS) - 1.0))
    ends = [f"({a:g}, {b:g}): {listed(over[a, b][[0, -1]], '.4f')}" for a, b in PAIRS]
    return Claim(
        "zeroth law, coupling",
        "A cavity and two equal reservoirs at T1 and T2 all come to T = (T1 + T2)/2.",
        f"eta = {RATIOS[0]:g} to {RATIOS[-1]:g} eta_c in total",
        (
            f"(T1, T2): T(inf) over the mean at the weakest and the strongest coupling - "
            f"{'; '.join(ends)}",
            f"for (10, 30) it is 1/(1 - eta/eta_c) up to {law:.2%}: the mean is the limit of weak "
            "coupling and high temperature",
        ),
        PARTLY if abs(classical[0] - 1.0) < 0.02 and classical[-1] > 2.0 else DISAGREES,
    )


def levels(results: Results) -> Claim:
    """How two leads of different temperatures fill a level, and the heat between them."""
    found = results.transport_zeroth.levels
    first = {pair: float(level_temperature(found[pair].number.value[0])) for pair in LEVEL_PAIRS}
    shares = {pair: share(found[pair].number.value, pair) for pair in LEVEL_PAIRS}
    inside = {pair: RATES[(part > 0.0) & (part < 1.0)][-1] for pair, part in shares.items()}
    heat = {pair: found[pair].energy_current for pair in LEVEL_PAIRS}
    flows = all(np.all(-h.value > 10.0 * h.error) for h in heat.values())
    off = max(abs(T / np.mean(pair) - 1.0) for pair, T in first.items())
    return Claim(
        "zeroth law, fermions",
        "A system and two equal reservoirs at T1 and T2 all come to T = (T1 + T2)/2; here a level.",
        f"energy 1, mu = 0, Gamma = {RATES[0]:g} to {RATES[-1]:g} in total, flat bands",
        (
            f"(T1, T2): T of a free level with this n, (T1 + T2)/2, both at Gamma = {RATES[0]:g} - "
            + "; ".join(f"({a:g}, {b:g}): {T:.4f}, {(a + b) / 2:g}" for (a, b), T in first.items()),
            f"at weak coupling n is (f1 + f2)/2 up to {_off_middle(shares):.1e} (f2 - f1), at high "
            "temperatures the n of the harmonic mean of T1 and T2; the largest Gamma with n "
            f"between f1 and f2 is {listed(inside.values(), '.2g')}",
            "the leads do not come to T: heat flows from the hot to the cold one for ever at every "
            f"coupling: {yes(flows)}; at Gamma = {RATES[0]:g} and {RATES[-1]:g} - "
            + "; ".join(_ends(pair, *h) for pair, h in heat.items()),
        ),
        DISAGREES if flows and off > 0.05 else AGREES,
    )


def landauer(results: Results) -> Claim:
    """Whether currents that are followed in time end in those of Landauer's formulas."""
    found = results.transport_transient
    last, steady = found.energy_current.value[:, -1, 1], found.steady.energy_current
    difference = float(np.max(np.abs(last - steady.value)))
    empty = float(np.min(np.abs(steady.value)))
    return Claim(
        "zeroth law, in time",
        "A system between two reservoirs comes to equilibrium with both; here a level in time.",
        f"an empty level, Gamma = {BROAD:g}, (T1, T2, bias): {'; '.join(map(_case, TRANSIENTS))}",
        (
            f"energy currents at t = {found.t[-1]:g} are {listed(last, '.6f')}, in the steady "
            f"state {', '.join(map(estimated, *steady))}: they differ by at most {difference:.1e}",
            f"the smallest of them, {empty:.4f}, is not zero: the level comes to a steady state, "
            "and the whole does not come to equilibrium",
        ),
        PARTLY if difference < 0.01 * empty else DISAGREES,
    )


CLAIMS: tuple[Callable[[Results], Claim], ...] = (cavities, levels, landauer)


def _off_middle(shares: dict[tuple[float, float], np.ndarray]) -> float:
    return max(abs(float(part[0]) - 0.5) for part in shares.values())


def _ends(pair: tuple[float, float], value: np.ndarray, error: np.ndarray) -> str:
    """The heat current at the weakest and the strongest coupling."""
    ends = ", ".join(map(estimated, -value[[0, -1]], error[[0, -1]]))
    return f"({pair[0]:g}, {pair[1]:g}): {ends}"


def _case(case: tuple[float, ...]) -> str:
    return f"({', '.join(f'{number:g}' for number in case)})"
