"""Claims of NP on relaxation: how D falls, where populations end, and how long it takes."""

from collections.abc import Callable

import numpy as np

from bathax.papers.claims import AGREES, DISAGREES, PARTLY, Claim, end_of, listed
from bathax.papers.np.memory import Rise, first_rise
from bathax.papers.np.parameters import (
    FREQUENCY,
    LIFETIMES,
    MODERATE,
    SHORTEST,
    WARM,
    boltzmann,
)
from bathax.papers.np.relaxation import Relaxation
from bathax.papers.np.results import Results
from bathax.qubit.memory import determinant_passage


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


CLAIMS: tuple[Callable[[Results], Claim], ...] = (
    monotonic,
    equilibrium,
    thermal_populations,
    time_scale,
    van_hove,
)
