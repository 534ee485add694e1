"""What AHZ claim about an atom (Fig. 6), what NP claim about a qubit, and what is exact."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from bathax._checks import Scalar
from bathax.app.claims.row import (
    AGREES,
    DISAGREES,
    PARTLY,
    Claim,
    end_of,
    estimated,
    listed,
    yes,
)
from bathax.qubit.dynamical_map import DynamicalMap
from bathax.qubit.memory import RATES, blp_measure, negative_rate_intervals
from bathax.solution import QubitSolution
from bathax.studies import qubit, trajectory
from bathax.studies.qubit import DETUNED, FAINT, MODERATE, STRONG, WARM, Relaxation, Results

# --- AHZ Fig. 6 ------------------------------------------------------------------------------


def weak_atom(results: Results) -> Claim:
    """Fig. 6, blue: S rises and falls again, T passes through infinity."""
    solution = results.figure_6[qubit.REGIMES[0]]
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
            f"at lam t = {qubit.WIDTH * float(solution.t[-1]):g}: E = {solution.energy[-1]:.5f}, "
            f"S = {solution.entropy[-1]:.5f}, T = {solution.temperature[-1]:.4f}; E and S vanish "
            "exponentially, T = 1/ln((1 - p)/p) only like 1/t",
        ),
        AGREES if inverting and falling and solution.entropy[-1] < 0.1 else PARTLY,
    )


def strong_atom(results: Results) -> Claim:
    """Fig. 6, red: the energy flows back."""
    solution = results.figure_6[qubit.REGIMES[1]]
    inverting, words = _inversion(solution)
    revival = trajectory.largest_fall(-np.asarray(solution.energy))
    returns = np.flatnonzero(np.diff(solution.energy) > 0.0)
    start = qubit.WIDTH * float(solution.t[returns[0]]) if returns.size else np.inf
    return Claim(
        "Fig. 6 (ii)",
        "Strong coupling: E and S oscillate, energy flows back; T behaves as at weak coupling, "
        "only on another scale of time.",
        "gamma0 = 5 lam, excited atom in a vacuum",
        (
            *words,
            f"E first rises again at lam t = {start:.3f}, by {revival:.4f}; the text speaks of a "
            "flow from the system into the reservoir, it is the other way round",
            f"S turns {trajectory.turns(solution)} times; T has {len(trajectory.poles(solution))} "
            "pole, since p stays below 1/2 afterwards; at the zeros and maxima of p behind it E' "
            "and S' vanish together and T is regular",
        ),
        AGREES if inverting and revival > 0.01 else PARTLY,
    )


@jax.jit
def _remembered(dmap: DynamicalMap) -> tuple[Scalar, Scalar]:
    """The margin of complete positivity, and how much returns."""
    return jnp.min(dmap.complete_positivity_margin), blp_measure(dmap)


def _inversion(solution: QubitSolution) -> tuple[bool, tuple[str, ...]]:
    """Whether T has one pole, from below, at p = 1/2 and S = ln 2, and its numbers."""
    found = trajectory.poles(solution)
    at_half = [float(np.interp(pole.time, solution.t, solution.number)) for pole in found]
    words = tuple(
        f"pole of T at lam t = {qubit.WIDTH * pole.time:.4f}, with p = {p:.5f} and S = "
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
    """How far F falls, its pole apart."""
    intervals, _ = trajectory.pole_intervals(solution)
    parts = np.split(np.asarray(solution.free_energy), intervals + 1)
    return max(map(trajectory.largest_fall, parts))


# --- NP: relaxation --------------------------------------------------------------------------


def monotonic(results: Results) -> Claim:
    """How D falls."""
    couplings = results.relaxation.couplings
    rising = {eta: qubit.first_rise(case.exact) for eta, case in couplings.items()}
    zeros = {eta: qubit.first_zero(case.exact) for eta, case in couplings.items()}
    steady = [eta for eta, rise in rising.items() if rise is None]
    return Claim(
        "NP determinant",
        "At weak coupling D falls monotonically and vanishes only for t -> infinity.",
        f"eta = {listed(couplings, 'g')}, kT0 = {WARM:g}, up to {qubit.LIFETIMES:g} lifetimes and "
        f"at least t = {qubit.SHORTEST:g}",
        (
            "D falls at all times, to "
            + "; ".join(f"{_last_determinant(couplings[eta])} (eta = {eta:g})" for eta in steady),
            *(_rise(couplings[eta], rise, zeros[eta]) for eta, rise in rising.items() if rise),
            "D is a decaying exponential and, from the edge w = 0 of the reservoir, a power law "
            "that oscillates against it: where it stops being monotonic is at a D that vanishes "
            f"with eta; in the vacuum at eta = {MODERATE:g} {_vacuum_rise(results)}",
        ),
        PARTLY if steady and np.isfinite(zeros[max(zeros)]) else AGREES if steady else DISAGREES,
    )


def _last_determinant(case: Relaxation) -> str:
    exact = case.exact
    return f"{exact.determinant[-1]:.2e} ± {exact.error.determinant[-1]:.0e} at t = {end_of(exact)}"


def _rise(case: Relaxation, rise: qubit.Rise, zero: float) -> str:
    lowest = int(np.argmin(case.exact.determinant))
    passing = (
        f"passes zero at t = {zero:.2f}, is lowest with {case.exact.determinant[lowest]:.2e} at "
        f"t = {case.exact.t[lowest]:.2f}"
        if np.isfinite(zero)
        else "stays positive"
    )
    return (
        f"eta = {case.eta:g}: D {passing}; it first grows at t = {rise.time:.2f}, where it is "
        f"{rise.determinant:.2e}"
    )


def _vacuum_rise(results: Results) -> str:
    rise = qubit.first_rise(results.relaxation.temperatures[0.0].exact)
    if rise is None:
        return f"D falls up to t = {end_of(results.relaxation.temperatures[0.0].exact)}"
    return f"D first grows at t = {rise.time:.1f}, where it is {rise.determinant:.1e}"


def equilibrium(results: Results) -> Claim:
    """Whether all initial states merge."""
    couplings = results.relaxation.couplings
    left = {eta: abs(float(case.exact.determinant[-1])) for eta, case in couplings.items()}
    errors = [float(case.exact.error.determinant[-1]) for case in couplings.values()]
    finals = [case.final().value for case in couplings.values()]
    return Claim(
        "NP equilibrium",
        "Where D goes to zero the final populations do not depend on the initial state.",
        f"eta = {listed(couplings, 'g')}, kT0 = {WARM:g}",
        (
            f"the populations from the excited and from the ground state differ by D, which is "
            f"{listed(left.values(), '.1e')} in the end (± {max(errors):.0e})",
            f"the common final population of the excited state is {listed(finals, '.5f')}",
            "a zero of D at a finite time makes the populations of all initial states equal for "
            "that instant only: what they were is still in the reservoir and comes back with D",
        ),
        AGREES if max(left.values()) < 0.01 else DISAGREES,
    )


def thermal_populations(results: Results) -> Claim:
    """Whether the final populations are those of the reservoir's temperature."""
    couplings = results.relaxation.couplings
    shifts = {eta: case.shift() for eta, case in couplings.items()}
    ratios = [shift.value / eta for eta, shift in shifts.items()]
    weakest, strongest = min(shifts), max(shifts)
    finals = np.array([case.final().value for case in couplings.values()])
    apparent = qubit.FREQUENCY / np.log((1.0 - finals) / finals)
    return Claim(
        "NP Boltzmann",
        "The final populations are the Boltzmann factors at the temperature of the reservoir.",
        f"eta = {listed(couplings, 'g')}, kT0 = {WARM:g}: 1/(1 + e^{{w_s/T0}}) = "
        f"{qubit.boltzmann(WARM):.5f}",
        (
            "rho_11(inf) lies above it by "
            + ", ".join(f"{s.value:.5f} ± {s.error:.0e}" for s in shifts.values()),
            f"divided by eta: {listed(ratios, '.3f')}, so that the claim holds for eta -> 0; at a "
            "finite coupling the whole is in equilibrium at T0, not the bare atom",
            f"read as w_s/ln((1 - p)/p) the temperature is {listed(apparent, '.3f')}",
        ),
        PARTLY
        if abs(shifts[weakest].value) < 0.01
        and abs(shifts[strongest].value) > 3.0 * shifts[strongest].error
        else AGREES,
    )


def time_scale(results: Results) -> Claim:
    """How the time of relaxation grows with a weaker coupling."""
    couplings = results.relaxation.couplings
    lifetimes = [case.lifetime() for case in couplings.values()]
    golden = [case.lifetime() * case.rate for case in couplings.values()]
    exponent = results.relaxation.exponent()
    return Claim(
        "NP time scale",
        "The qubit relaxes on a macroscopic time that grows like 1/coupling^2.",
        f"eta = {listed(couplings, 'g')} (eta is of second order in the coupling), kT0 = {WARM:g}",
        (
            f"D = 1/e at t = {listed(lifetimes, '.4g')}",
            f"the fit t ~ eta^p over eta <= {MODERATE:g} gives p = {exponent:.4f}, that is "
            f"coupling^{2.0 * exponent:.3f}",
            f"in units of 1/Gamma: {listed(golden, '.3f')}; above eta = {MODERATE:g} the memory "
            "time of the reservoir is no longer short, and D falls more slowly than the golden "
            "rule has it",
        ),
        AGREES if abs(exponent + 1.0) < 0.05 else DISAGREES,
    )


def van_hove(results: Results) -> Claim:
    """How good the exponential law is."""
    couplings, temperatures = results.relaxation
    deviations = {eta: case.deviation() for eta, case in couplings.items()}
    ratios = [deviation / eta for eta, deviation in deviations.items()]
    warm = [f"{T:g}: {case.deviation():.4f}" for T, case in temperatures.items()]
    return Claim(
        "NP van Hove",
        "At weak coupling D = exp(-2 pi J(w_s) (2n + 1) t).",
        f"eta = {listed(couplings, 'g')}, kT0 = {WARM:g}",
        (
            f"largest difference |D - e^{{-Gamma t}}| = {listed(deviations.values(), '.4f')}",
            f"divided by eta: {listed(ratios, '.2f')}: of first order in eta, no threshold",
            f"by kT0 at eta = {MODERATE:g} - {'; '.join(warm)}",
        ),
        AGREES if deviations[min(deviations)] < 0.02 else DISAGREES,
    )


# --- NP: the master equation -----------------------------------------------------------------


def master_equation(results: Results) -> Claim:
    """Signs and poles of the rates."""
    moderate, strong, mode = results.memory
    negative = {name: negative_rate_intervals(moderate, name) for name in RATES}
    feeding = negative["gamma_minus"] + negative["gamma_plus"]
    zero = qubit.first_zero(strong)
    margins, measures = zip(*map(_remembered, results.memory), strict=True)
    margin = min(map(float, margins))
    return Claim(
        "NP master equation",
        "The exact map obeys a time-local master equation of the form of Gorini, Kossakowski, "
        "Lindblad and Sudarshan with time-dependent rates, which hold the memory.",
        f"eta = {MODERATE:g}, kT0 = {WARM:g}; eta = {STRONG[0]:g}, kT0 = {STRONG[1]:g}; one mode "
        f"with loss, gamma0 = 0.1, width 0.2, n = {qubit.FILLING:.5f}",
        (
            f"eta = {MODERATE:g}: gamma_- and gamma_+ are negative nowhere up to t = "
            f"{_last_known(moderate)}: {yes(not feeding)}; gamma_z is in {_intervals(moderate)}, "
            f"never below {np.nanmin(moderate.gamma_z):.1e}",
            f"eta = {STRONG[0]:g}: D passes zero at t = {zero:.2f} and is "
            f"{np.interp(7.5, strong.t, strong.determinant):.5f} at t = 7.5; there the map is "
            f"regular, but it has no inverse and the rates a pole; gamma_z is negative in "
            f"{_intervals(strong)}, gamma_- in {_intervals(strong, 'gamma_minus')}, as far as the "
            f"rates are known, t = {_last_known(strong)}",
            f"one mode: D passes zero at t = {qubit.first_zero(mode):.2f} and is "
            f"{np.interp(20.0, mode.t, mode.determinant):.5f} at t = 20; gamma_- is negative in "
            f"{_intervals(mode, 'gamma_minus')}",
            f"the maps are completely positive all the same: the smallest eigenvalue of the Choi "
            f"matrix is {margin:.0e}; revivals of the trace distance (BLP): "
            f"{listed(measures, '.4f')}",
        ),
        PARTLY if np.isfinite(zero) and negative["gamma_z"] else AGREES,
    )


def _intervals(dmap: DynamicalMap, name: str = "gamma_z") -> str:
    found = negative_rate_intervals(dmap, name)
    return ", ".join(f"{start:.2f}..{stop:.2f}" for start, stop in found) or "no interval"


def _last_known(dmap: DynamicalMap) -> str:
    known = np.asarray(dmap.t)[np.asarray(dmap.rates_resolved)]
    return f"{known[-1]:.3g}" if known.size else "0"


# --- NP: the reservoir -----------------------------------------------------------------------


def reservoir(results: Results) -> Claim:
    """How long each frequency of the reservoir is disturbed."""
    fields = results.exchange
    moderate, stop = fields.moderate, f"{float(fields.moderate.t[-1]):g}"
    away = np.array([qubit.off_resonance(field) for field in fields])
    times, left = zip(*(qubit.first_return(field, DETUNED) for field in fields), strict=True)
    resonant = [qubit.gain_of_mode(field, qubit.FREQUENCY) for field in fields]
    rising = all(np.all(np.diff(gain) > 0.0) for gain in resonant)
    share = qubit.resonant_share(moderate, 2.0 * qubit.golden_rule(MODERATE, WARM))
    place = int(np.argmax(moderate.change[0, -1]))
    returning = away[0] > 2.0 * away[1] and left[1] < 0.1
    return Claim(
        "NP reservoir",
        "The reservoir is disturbed on a microscopic time only and returns to its thermal state; "
        "what lasts is exchanged on the energy shell.",
        f"eta = {MODERATE:g} and {FAINT:g}, kT0 = {WARM:g}, excited atom, up to t = {stop}",
        (
            f"off the shell, |w - w_s| >= {DETUNED - qubit.FREQUENCY:g}, a unit of frequency never "
            f"gains or loses more than {listed(away, '.4f')} quanta, of order eta: divided by eta "
            f"{listed(away / (MODERATE, FAINT), '.2f')}",
            f"a mode at w = {DETUNED:g} falls back to {listed(left, '.1%')} of the most it held at "
            f"t = {listed(times, '.2f')}, after a period of w - w_s: the more completely the "
            "weaker the coupling",
            f"on the shell nothing returns: a mode at w_s gains at all times: {yes(rising)}, in "
            f"the end {resonant[0][-1]:.1f} V_k^2 and {resonant[1][-1]:.1f} V_k^2",
            f"at eta = {MODERATE:g} the reservoir has gained "
            f"{estimated(moderate.quanta[0, -1], moderate.error.quanta[0, -1])} quanta by t = "
            f"{stop}, {share:.1%} of them within 2 Gamma of w_s, most at w = "
            f"{float(moderate.frequencies[place]):.2f}",
            "thermal again is each single mode, V_k -> 0, not their sum: the quanta that the atom "
            "has lost stay in the modes around w_s",
        ),
        PARTLY if returning and rising else AGREES if returning else DISAGREES,
    )


OF_ATOM: tuple[Callable[[Results], Claim], ...] = (weak_atom, strong_atom, second_law_of_atom)
OF_MAP: tuple[Callable[[Results], Claim], ...] = (
    monotonic,
    equilibrium,
    thermal_populations,
    time_scale,
    van_hove,
    master_equation,
    reservoir,
)
