"""The claims of AHZ about an atom in a vacuum (Fig. 6), compared with the exact solution."""

from collections.abc import Callable

import numpy as np

from bathax.papers.ahz.atom import REGIMES, WIDTH
from bathax.papers.ahz.results import Results
from bathax.papers.claims import AGREES, DISAGREES, PARTLY, Claim, listed, yes
from bathax.solution.results import QubitSolution
from bathax.studies import trajectory


def weak_atom(results: Results) -> Claim:
    """Fig. 6, blue: S rises and falls again, T passes through infinity."""
    solution = results.figure_6[REGIMES[0]]
    inverting, words = _inversion(solution)
    falling = bool(np.all(np.diff(solution.energy) < 0.0))
    return Claim(
        "Fig. 6 (i)",
        "Weak coupling: E falls; S rises from zero to its largest value and falls back to zero; T "
        "goes to minus infinity, jumps to plus infinity where S is largest, and goes to zero.",
        "gamma0 = lam/5, excited atom in a vacuum",
        (
            *words,
            f"E falls at all times: {yes(falling)}",
            f"at lam t = {WIDTH * float(solution.t[-1]):g}: E = {solution.energy[-1]:.5f}, "
            f"S = {solution.entropy[-1]:.5f}, T = {solution.temperature[-1]:.4f}; E and S vanish "
            "exponentially, T = 1/ln((1 - p)/p) only like 1/t",
        ),
        AGREES if inverting and falling and solution.entropy[-1] < 0.1 else PARTLY,
    )


def strong_atom(results: Results) -> Claim:
    """Fig. 6, red: the energy flows back."""
    solution = results.figure_6[REGIMES[1]]
    inverting, words = _inversion(solution)
    revival = trajectory.largest_fall(-np.asarray(solution.energy))
    returns = np.flatnonzero(np.diff(solution.energy) > 0.0)
    poles = len(trajectory.temperature_poles(solution))
    start = WIDTH * float(solution.t[returns[0]]) if returns.size else np.inf
    return Claim(
        "Fig. 6 (ii)",
        "Strong coupling: E and S oscillate, energy flows back; T behaves as at weak coupling, "
        "only on another scale of time.",
        "gamma0 = 5 lam, excited atom in a vacuum",
        (
            *words,
            f"E first rises again at lam t = {start:.3f}, by {revival:.4f}; the text speaks of a "
            "flow from the system into the reservoir, it is the other way round",
            f"S turns {trajectory.turns(solution)} times; T has {poles} "
            "pole, since p stays below 1/2 afterwards; at the zeros and maxima of p behind it E' "
            "and S' vanish together and T is regular",
        ),
        AGREES if inverting and revival > 0.01 else PARTLY,
    )


def _inversion(solution: QubitSolution) -> tuple[bool, tuple[str, ...]]:
    """Whether T has one pole, from below, at p = 1/2 and S = ln 2, and its numbers."""
    found = trajectory.temperature_poles(solution)
    at_half = [float(np.interp(pole.time, solution.t, solution.number)) for pole in found]
    words = tuple(
        f"pole of T at lam t = {WIDTH * pole.time:.4f}, with p = {p:.5f} and S = "
        f"{pole.entropy:.5f} (ln 2 = {np.log(2.0):.5f}); T = {pole.before:.4g} one sample before "
        f"it, {pole.after:.4g} after"
        for pole, p in zip(found, at_half, strict=True)
    )
    inverting = len(found) == 1 and found[0].before < 0.0 < found[0].after
    return inverting and abs(at_half[0] - 0.5) < 1e-3, words


def second_law_of_atom(results: Results) -> Claim:
    """Fig. 6: which second law does not hold."""
    cases = results.figure_6.values()
    falls = [trajectory.largest_fall(s.entropy) for s in cases]
    downs = [_fall_between_poles(s) for s in cases]
    energy = [trajectory.largest_fall(-np.asarray(s.energy)) for s in cases]
    return Claim(
        "Fig. 6 second law",
        "F increases instead of decreasing and S falls: the second law is not maintained. S and T "
        "go to zero in the end, as the third law has it.",
        "gamma0 = lam/5 and 5 lam, excited atom in a vacuum",
        (
            f"S of the atom falls by {listed(falls, '.4f')} in all; F = E - T S falls by no more "
            f"than {listed(downs, '.2g')} outside its pole, F' = -S T'",
            "the whole stays pure, so that atom and reservoir have the same S(t) and the sum of "
            "both, 2 S >= 0, never falls below its start: no second law is broken, S of a part may "
            "fall",
            f"what a reservoir at T0 = 0 bounds is E - T0 S = E, the work the atom could do: it "
            f"grows by {listed(energy, '.2g')} at most, in the backflow of strong coupling",
        ),
        PARTLY if min(falls) > 0.1 else DISAGREES,
    )


def _fall_between_poles(solution: QubitSolution) -> float:
    """The fall of F, without that across its pole."""
    intervals, _ = trajectory.pole_intervals(solution)
    parts = np.split(np.asarray(solution.free_energy), intervals + 1)
    return max(map(trajectory.largest_fall, parts))


CLAIMS: tuple[Callable[[Results], Claim], ...] = (weak_atom, strong_atom, second_law_of_atom)
