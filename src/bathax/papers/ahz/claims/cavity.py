"""The claims of AHZ about a cavity (Figs. 2-5), compared with the exact solution."""

from collections.abc import Callable

import numpy as np

from bathax.papers.ahz.parameters import (
    INTERMEDIATE,
    STRONG,
    WARM,
    WEAK,
    border_temperature,
    temperature_of,
)
from bathax.papers.ahz.results import Results
from bathax.papers.claims import (
    AGREES,
    DISAGREES,
    PARTLY,
    Claim,
    end_of,
    estimated,
    last_temperatures,
    listed,
    yes,
)
from bathax.solution.results import Solution
from bathax.studies import trajectory

# --- AHZ Fig. 2 ------------------------------------------------------------------------------


def weak_coupling(results: Results) -> Claim:
    """Fig. 2a: thermalisation from every Fock state at weak coupling."""
    solutions = results.figure_2[WEAK]
    limit = results.steady[WEAK].temperatures[5]
    law = WARM / (1.0 - WEAK)
    rising = all(trajectory.always_rises(s) for s in solutions.values())
    dips = [float(s.energy[0] - np.min(s.energy)) for s in solutions.values()]
    late = [trajectory.negative_until(s) for s in solutions.values()]
    warming = all(
        np.all(np.diff(s.temperature[s.t > start]) > 0.0)
        for s, start in zip(solutions.values(), late, strict=True)
    )
    return Claim(
        "Fig. 2a",
        "Weak coupling: T(t) goes to T0 from every Fock state; E and S grow, F falls.",
        "eta = 0.01 eta_c, kT0 = 20, n0 = 1, 5, 10",
        (
            f"{last_temperatures(solutions)}, T(inf) = {limit:.4f}, the same for every n0: T0 up "
            f"to a shift of order eta, in the classical limit T0/(1 - eta/eta_c) = {law:.4f}",
            f"S grows at all times up to t = {end_of(solutions[1])}: {yes(rising)}",
            f"E first dips by {listed(dips, '.1g')} and T is negative until t = "
            f"{listed(late, '.2g')}; from then on T grows at all times: "
            f"{yes(warming)}; F falls when T grows, F' = -S T'",
        ),
        AGREES if rising and abs(limit / WARM - 1.0) < 2.0 * WEAK else PARTLY,
    )


def intermediate_coupling(results: Results) -> Claim:
    """Fig. 2b: one steady state for all n0, at a temperature other than T0."""
    solutions, steady = results.figure_2[INTERMEDIATE], results.steady[INTERMEDIATE]
    number, limit = steady.number, steady.temperatures[5]
    settled = [trajectory.settling_time(s, number.value) for s in solutions.values()]
    away = [1.0 - np.interp(25.0, s.t, s.energy) / number.value for s in solutions.values()]
    return Claim(
        "Fig. 2b",
        "Intermediate coupling: by t ~ 25 one steady state for all n0, at T different from T0.",
        "eta = 0.5 eta_c, kT0 = 20, n0 = 1, 5, 10",
        (
            f"E(25) is {listed(away, '.2%')} below E(inf) = {estimated(*number)}; it stays within "
            f"1% from t = {listed(settled, '.3g')} on",
            f"{last_temperatures(solutions)}, T(inf) = {limit:.4f}, the same for every n0; in the "
            f"classical limit T0/(1 - eta/eta_c) = {WARM / (1.0 - INTERMEDIATE):g}",
            "v(inf) is what cavity and reservoir have together in thermal equilibrium at T0: T "
            "differs from T0 because it counts the bare energy, not because the reservoir warms up",
        ),
        AGREES if max(settled) < 30.0 and limit > 1.5 * WARM else PARTLY,
    )


def strong_coupling(results: Results) -> Claim:
    """Fig. 2c: bound state, memory of n0, and how the oscillation dies out."""
    solutions, steady, beat = results.figure_2[STRONG], results.steady[STRONG], results.oscillation
    bound = steady.bound
    frequency, residue = float(bound.frequencies[0]), float(bound.residues[0])
    kept = residue**2
    left = float(np.abs(beat.solution.u[-1])) ** 2
    gap = float(solutions[10].energy[-1] - solutions[1].energy[-1])
    limits = steady.temperatures.values()
    sizes = [
        f"{part.amplitude():.4f} over t = {part.t[0]:.0f}..{part.t[-1]:.0f}"
        for part in beat.parts()
    ]
    return Claim(
        "Fig. 2c",
        "Strong coupling: bound state, memory of n0, permanent oscillation.",
        "eta = 1.5 eta_c, kT0 = 20, n0 = 1, 5, 10",
        (
            f"one bound state, w_b = {frequency:.6f} with residue Z = {residue:.6f}",
            f"the memory lasts: |u|^2 = {left:.6f} at t = {end_of(beat.solution)}, Z^2 = {kept:.6f}"
            f"; at t = {end_of(solutions[1])} E is {gap:.3f} higher for n0 = 10 than for 1, "
            f"9 Z^2 = {9.0 * kept:.3f}",
            f"the oscillation, of period 2 pi/|w_b| = {2.0 * np.pi / abs(frequency):.2f}, does not "
            f"last: v swings by {', '.join(sizes)} (± {np.max(beat.solution.error.v):.0e}), "
            f"like t^{beat.exponent():.2f}",
            f"T(t) has a limit, which remembers n0: T(inf) = {listed(limits, '.3f')}; on the way S "
            f"turns {listed(map(trajectory.turns, solutions.values()), '.0f')} times until "
            f"t = {end_of(solutions[1])}, each time with a narrow pole of T",
        ),
        PARTLY if abs(left / kept - 1.0) < 0.01 and beat.exponent() < -0.8 else DISAGREES,
    )


# --- AHZ Fig. 3 ------------------------------------------------------------------------------


def same_temperature(results: Results) -> Claim:
    """Fig. 3a: very weak couplings share the steady temperature."""
    column = results.figure_3[0]
    limits = [results.steady[ratio].temperatures[5] for ratio in column]
    return Claim(
        "Fig. 3a",
        "Very weak couplings lead to the same steady state, at T0.",
        f"eta/eta_c = {listed(column, 'g')}, n0 = 5, kT0 = 20",
        (
            f"{last_temperatures(column)}, T(inf) = {listed(limits, '.4f')}",
            f"T(inf) - T0 is of order eta: the three differ by {np.ptp(limits) / WARM:.1%}",
        ),
        AGREES if np.ptp(limits) < 0.01 * WARM else PARTLY,
    )


def different_temperatures(results: Results) -> Claim:
    """Fig. 3b: intermediate couplings each have their own."""
    column = results.figure_3[1]
    limits = [results.steady[ratio].temperatures[5] for ratio in column]
    law = [WARM / (1.0 - ratio) for ratio in column]
    return Claim(
        "Fig. 3b",
        "Intermediate couplings lead to different steady temperatures.",
        f"eta/eta_c = {listed(column, 'g')}, n0 = 5, kT0 = 20",
        (
            f"{last_temperatures(column)}, T(inf) = {listed(limits, '.4f')}",
            f"in the classical limit T0/(1 - eta/eta_c) = {listed(law, '.4f')}: as in Fig. 2b the "
            "whole is in equilibrium at T0",
        ),
        AGREES if np.min(np.diff(limits)) > 0.1 * WARM else DISAGREES,
    )


def no_temperature(results: Results) -> Claim:
    """Fig. 3c: what becomes of T above the critical coupling."""
    column = results.figure_3[2]
    bound = [results.steady[ratio].bound for ratio in column]
    limits = [list(results.steady[ratio].temperatures.values()) for ratio in column]
    swings = [trajectory.late_swing(s) for s in column.values()]
    return Claim(
        "Fig. 3c",
        "Above the critical coupling there is no steady temperature.",
        f"eta/eta_c = {listed(column, 'g')}, n0 = 5, kT0 = 20",
        (
            f"bound states at w_b = {listed([b.frequencies[0] for b in bound], '.4f')} with Z^2 = "
            f"{listed([b.residues[0] ** 2 for b in bound], '.4f')}",
            f"T swings by {listed(swings, '.3g')} in the second half of t = 0.."
            f"{end_of(column[1.5])}; as in Fig. 2c the swings die out like 1/t",
            "T(inf) exists but depends on n0 = 1, 5, 10: "
            + "; ".join(listed(row, ".2f") for row in limits),
        ),
        PARTLY if min(np.ptp(row) for row in limits) > 0.1 else DISAGREES,
    )


# --- AHZ Figs. 4 and 5 -----------------------------------------------------------------------


def negative_temperature(results: Results) -> Claim:
    """Fig. 4: the pole of T where S is largest."""
    falling = all(np.all(np.diff(s.energy) < 0.0) for s in results.figure_4.values())
    found = {T: trajectory.temperature_poles(s) for T, s in results.figure_4.items()}
    other = max(map(_other_fall, results.figure_4.values()))
    jumping = all(len(p) == 1 and p[0].before < 0.0 < p[0].after for p in found.values())
    return Claim(
        "Fig. 4",
        "Cold reservoir: T goes to minus infinity and jumps to plus infinity where S is largest.",
        "n0 = 5, eta = 0.01 eta_c, kT0 = 0 and 3",
        (
            *(
                f"kT0 = {T:g}: pole at t = {pole.time:.2f}, with S = {pole.entropy:.4f} and "
                f"|u|^2 = {_transmission(results.figure_4[T], pole.time):.4f}; "
                f"T = {pole.before:.4g} one sample before it, "
                f"{pole.after:.4g} after; {last_temperatures({T: results.figure_4[T]})}"
                for T, found_here in found.items()
                for pole in found_here
            ),
            f"E falls at all times: {yes(falling)}; F has the same pole with the other sign, "
            f"and elsewhere falls by no more than {other:.1g}",
        ),
        AGREES if falling and jumping else PARTLY,
    )


def third_law(results: Results) -> Claim:
    """S and T at late times in a vacuum."""
    solution = results.figure_4[0.0]
    entropy, temperature, energy = (
        estimated(getattr(solution, name)[-1], getattr(solution.error, name)[-1])
        for name in ("entropy", "temperature", "energy")
    )
    thermal = float(temperature_of(float(solution.energy[-1])))
    return Claim(
        "third law",
        "At T0 = 0 both S and T go to zero.",
        "n0 = 5, eta = 0.01 eta_c, kT0 = 0",
        (
            f"at t = {end_of(solution)}: S = {entropy}, T = {temperature}, E = {energy}",
            f"S and E vanish exponentially, T only like 1/ln(1 + 1/N) = {thermal:.4f}, that is 1/t",
        ),
        AGREES if solution.entropy[-1] < 0.1 and solution.temperature[-1] < 0.3 else PARTLY,
    )


def border(results: Results) -> Claim:
    """Fig. 5: where the pole of T disappears."""
    found, analytic = results.border, border_temperature(5)
    return Claim(
        "Fig. 5",
        "Below a border very close to kT0 = E0 = 5, E falls and T passes through infinity.",
        "n0 = 5, eta = 0.01 eta_c, kT0 = 0..10",
        (
            f"S exceeds its final value below kT0 = {found.value:.4f} ± {found.error:.0e}, "
            f"found by bisection; the resonance holds n0 quanta at {results.resonant_border:.4f}",
            f"for eta -> 0 the border is where n(w_s, T0) = n0, kT0 = w_s/ln(1 + 1/n0) = "
            f"{analytic:.4f}; the difference, {found.value / analytic - 1.0:+.1%}, is of order eta",
            f"E0 = 5 lies {1.0 - 5.0 / found.value:.0%} lower: n(w_s, T0) is kT0/w_s only at "
            "high T0",
            "a crossover: E and S are smooth in T0 at all times, the pole only moves to ever later "
            "times as the border is approached",
        ),
        PARTLY if abs(found.value / analytic - 1.0) < 0.03 else DISAGREES,
    )


CLAIMS: tuple[Callable[[Results], Claim], ...] = (
    weak_coupling,
    intermediate_coupling,
    strong_coupling,
    same_temperature,
    different_temperatures,
    no_temperature,
    negative_temperature,
    third_law,
    border,
)


def _other_fall(solution: Solution) -> float:
    """The fall of F before and after its pole."""
    free_energy = np.asarray(solution.free_energy)
    before = int(np.argmax(solution.entropy_rate < 0.0))
    return max(map(trajectory.largest_fall, (free_energy[:before], free_energy[before:])))


def _transmission(solution: Solution, time: float) -> float:
    """|u|^2 at one time."""
    return float(np.interp(time, solution.t, np.abs(solution.u) ** 2))
