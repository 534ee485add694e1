"""The claims of NP about a qubit, compared with the exact solution."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from bathax._checks import Scalar
from bathax.papers.claims import (
    AGREES,
    DISAGREES,
    PARTLY,
    Claim,
    end_of,
    estimated,
    listed,
    yes,
)
from bathax.papers.np.memory import Rise, first_rise
from bathax.papers.np.parameters import (
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
from bathax.papers.np.relaxation import Relaxation
from bathax.papers.np.reservoir import (
    first_return,
    gain_of_mode,
    off_resonance,
    resonant_share,
)
from bathax.papers.np.results import Results
from bathax.qubit.dynamical_map import DynamicalMap
from bathax.qubit.memory import (
    RATES,
    blp_measure,
    determinant_passage,
    negative_rate_intervals,
)

HEADING = """\
## Quantum dynamics, master equation and equilibrium for a qubit

Nakazato, Pascazio, Sci. Rep. 16, 12970 (2026): a qubit in an Ohmic reservoir, J = eta w e^{-w/w_c}
with w_c = 5. Gamma = 2 pi J(w_s) (2n + 1) is the golden rule, D = P11 + P00 - 1 the determinant of
the map of the populations: two initial states differ by D times their first difference.
"""

# --- Relaxation ------------------------------------------------------------------------------


def monotonic(results: Results) -> Claim:
    """How D falls."""
    couplings = results.relaxation.couplings
    rising = {eta: first_rise(case.exact) for eta, case in couplings.items()}
    zeros = {eta: determinant_passage(case.exact) for eta, case in couplings.items()}
    steady = [eta for eta, rise in rising.items() if rise is None]
    return Claim(
        "NP determinant",
        "At weak coupling D falls monotonically and vanishes only for t -> infinity.",
        f"eta = {listed(couplings, 'g')}, kT0 = {WARM:g}, up to {LIFETIMES:g} lifetimes and "
        f"at least t = {SHORTEST:g}",
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


def _rise(case: Relaxation, rise: Rise, zero: float) -> str:
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
    rise = first_rise(results.relaxation.temperatures[0.0].exact)
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
    apparent = FREQUENCY / np.log((1.0 - finals) / finals)
    return Claim(
        "NP Boltzmann",
        "The final populations are the Boltzmann factors at the temperature of the reservoir.",
        f"eta = {listed(couplings, 'g')}, kT0 = {WARM:g}: 1/(1 + e^{{w_s/T0}}) = "
        f"{boltzmann(WARM):.5f}",
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


# --- The master equation ---------------------------------------------------------------------


def master_equation(results: Results) -> Claim:
    """Signs and poles of the rates."""
    moderate, strong, mode = results.memory
    negative = {name: negative_rate_intervals(moderate, name) for name in RATES}
    feeding = negative["gamma_minus"] + negative["gamma_plus"]
    zero = determinant_passage(strong)
    margins, measures = zip(*map(_remembered, results.memory), strict=True)
    margin = min(map(float, margins))
    return Claim(
        "NP master equation",
        "The exact map obeys a time-local master equation of the form of Gorini, Kossakowski, "
        "Lindblad and Sudarshan with time-dependent rates, which hold the memory.",
        f"eta = {MODERATE:g}, kT0 = {WARM:g}; eta = {STRONG[0]:g}, kT0 = {STRONG[1]:g}; one mode "
        f"with loss, gamma0 = 0.1, width 0.2, n = {FILLING:.5f}",
        (
            f"eta = {MODERATE:g}: gamma_- and gamma_+ are negative nowhere up to t = "
            f"{_last_known(moderate)}: {yes(not feeding)}; gamma_z is in {_intervals(moderate)}, "
            f"never below {np.nanmin(moderate.gamma_z):.1e}",
            f"eta = {STRONG[0]:g}: D passes zero at t = {zero:.2f} and is "
            f"{np.interp(7.5, strong.t, strong.determinant):.5f} at t = 7.5; there the map is "
            f"regular, but it has no inverse and the rates a pole; gamma_z is negative in "
            f"{_intervals(strong)}, gamma_- in {_intervals(strong, 'gamma_minus')}, as far as the "
            f"rates are known, t = {_last_known(strong)}",
            f"one mode: D passes zero at t = {determinant_passage(mode):.2f} and is "
            f"{np.interp(20.0, mode.t, mode.determinant):.5f} at t = 20; gamma_- is negative in "
            f"{_intervals(mode, 'gamma_minus')}",
            f"the maps are completely positive all the same: the smallest eigenvalue of the Choi "
            f"matrix is {margin:.0e}; revivals of the trace distance (BLP): "
            f"{listed(measures, '.4f')}",
        ),
        PARTLY if np.isfinite(zero) and negative["gamma_z"] else AGREES,
    )


@jax.jit
def _remembered(dmap: DynamicalMap) -> tuple[Scalar, Scalar]:
    """The margin of complete positivity, and how much returns."""
    return jnp.min(dmap.complete_positivity_margin), blp_measure(dmap)


def _intervals(dmap: DynamicalMap, name: str = "gamma_z") -> str:
    found = negative_rate_intervals(dmap, name)
    return ", ".join(f"{start:.2f}..{stop:.2f}" for start, stop in found) or "no interval"


def _last_known(dmap: DynamicalMap) -> str:
    known = np.asarray(dmap.t)[np.asarray(dmap.rates_resolved)]
    return f"{known[-1]:.3g}" if known.size else "0"


# --- The reservoir ---------------------------------------------------------------------------


def reservoir(results: Results) -> Claim:
    """How long each frequency of the reservoir is disturbed."""
    fields = results.exchange
    moderate, stop = fields.moderate, f"{float(fields.moderate.t[-1]):g}"
    away = np.array([off_resonance(field) for field in fields])
    times, left = zip(*(first_return(field, DETUNED) for field in fields), strict=True)
    resonant = [gain_of_mode(field, FREQUENCY) for field in fields]
    rising = all(np.all(np.diff(gain) > 0.0) for gain in resonant)
    share = resonant_share(moderate, 2.0 * golden_rule(MODERATE, WARM))
    place = int(np.argmax(moderate.change[0, -1]))
    returning = away[0] > 2.0 * away[1] and left[1] < 0.1
    return Claim(
        "NP reservoir",
        "The reservoir is disturbed on a microscopic time only and returns to its thermal state; "
        "what lasts is exchanged on the energy shell.",
        f"eta = {MODERATE:g} and {WEAKER:g}, kT0 = {WARM:g}, excited atom, up to t = {stop}",
        (
            f"off the shell, |w - w_s| >= {DETUNED - FREQUENCY:g}, a unit of frequency never "
            f"gains or loses more than {listed(away, '.4f')} quanta, of order eta: divided by eta "
            f"{listed(away / (MODERATE, WEAKER), '.2f')}",
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


CLAIMS: tuple[Callable[[Results], Claim], ...] = (
    monotonic,
    equilibrium,
    thermal_populations,
    time_scale,
    van_hove,
    master_equation,
    reservoir,
)
