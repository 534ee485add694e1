"""What a temperature is at strong coupling: Huang and Zhang's reading, that of AHZ, mean force."""

from collections.abc import Callable

import numpy as np

from bathax.papers.ahz.parameters import QUANTA, WARM
from bathax.papers.ahz.readings import COLD, LAST, RATIOS, Ends
from bathax.papers.ahz.results import Results
from bathax.papers.claims import AGREES, DISAGREES, PARTLY, Claim, estimated, listed, yes
from bathax.thermodynamics.reading import Reading


def frequency(results: Results) -> Claim:
    """Whether w^r(t) has a steady value."""
    followed = {ratio: own for ratio, (_, own) in results.readings.followed.items()}
    lasts = {ratio: bool(own.on_plateau[-1]) for ratio, own in followed.items()}
    parts = []
    for ratio, own in followed.items():
        last = estimated(own.frequency[-1], own.error.frequency[-1])
        parts.append(f"{ratio:g}: {own.plateau:.5f}, {_last_seen(own)}, {last}")
    return Claim(
        "renormalised frequency",
        "w^r(t) = -Im(u'/u) comes to a steady value, the energy of a renormalised Hamiltonian "
        "(Huang, Zhang, arXiv:2205.08114).",
        f"n0 = 5, kT0 = {WARM:g}, t <= {LAST:g}",
        (
            f"eta/eta_c: the plateau, when it is last seen, w^r({LAST:g}) - {'; '.join(parts)}",
            "the plateau is the real part of a pole; below eta_c the lower edge of the reservoir "
            "takes over, and w^r goes to 0; only the plateau can be meant. Above eta_c it is a "
            "bound state and lasts, with w^r < 0",
        ),
        PARTLY if lasts[1.5] and not lasts[0.1] and not lasts[0.5] else AGREES,
    )


def gibbs_state(results: Results) -> Claim:
    """Whether the steady state is one of Gibbs only with renormalised numbers."""
    ends, k = results.readings.by_coupling, _nearest(RATIOS, 0.5)
    pairs = [
        (1.0, ends.bare[k]),
        (ends.plateau[k], ends.renormalised[k]),
        (ends.mean_force.value[k], WARM),
    ]
    ratios = [w / T for w, T in pairs]
    spread = max(ratios) / min(ratios) - 1.0
    solution = results.readings.followed[1.5][0]
    n, S = solution.number[-1], solution.entropy[-1]
    missing = (1.0 + n) * np.log1p(n) - n * np.log(n) - S
    return Claim(
        "renormalised Gibbs state",
        "The steady state is a Gibbs state from any start and at any coupling, and n obeys Bose "
        "and Einstein, only with the renormalised energy and temperature (Huang, Zhang, "
        "arXiv:2010.01828, 2205.08114).",
        f"kT0 = {WARM:g}; from n0 = {QUANTA[1]} above eta_c",
        (
            f"eta = {RATIOS[k]:.4g} eta_c: (w, T) of the bare reading, of theirs and of mean force "
            f"- {'; '.join(f'({w:.5f}, {T:.4f})' for w, T in pairs)}: one ratio, up to "
            f"{spread:.0e}, because n fixes w/T alone; each makes the state one of Gibbs",
            f"eta = 1.5 eta_c: S = {estimated(S, solution.error.entropy[-1])} at t = {LAST:g} is "
            f"{missing:.1e} less than that of a Gibbs state with the same n: it is none",
        ),
        PARTLY if spread < 1e-6 and missing > 1e-5 else AGREES,
    )


def temperatures(results: Results) -> Claim:
    """Which T the cavity has in the end."""
    ends = results.readings.by_coupling
    places = [_nearest(RATIOS, ratio) for ratio in (0.01, 0.1, 0.3, 0.5, 0.9)]
    rows = [
        f"{RATIOS[k]:.3g}: {ends.bare[k]:.4f}, {ends.renormalised[k]:.4f}, "
        f"{ends.mean_force.value[k]:.6f}"
        for k in places
    ]
    off = abs(ends.renormalised[places] / WARM - 1.0)
    law = np.max(np.abs(ends.mean_force.value / (1.0 - RATIOS) - 1.0))
    return Claim(
        "renormalised temperature",
        "At strong coupling temperature has to be renormalised (Huang, Zhang, arXiv:2010.01828).",
        f"kT0 = {WARM:g}, t -> infinity",
        (
            f"eta/eta_c: T bare, T^r on the plateau, w* of mean force - {'; '.join(rows)}",
            f"T^r is not T0, by up to {np.max(off):.1%}, although the whole is in equilibrium at "
            f"T0; with w* = T0 ln(1 + 1/n), which is 1 - eta/eta_c up to {law:.1e}, T is T0 at "
            "every coupling. T follows from the frequency that is chosen",
        ),
        DISAGREES if off[-1] > 0.1 else AGREES,
    )


def third_law(results: Results) -> Claim:
    """Whether S vanishes with T in each reading."""
    ends: Ends = results.readings.by_temperature
    rows = [
        f"{T0:g}: {ends.bare[k]:.4f}, {ends.renormalised[k]:.4f}, {ends.own[k]:.2e}, "
        f"{ends.whole.value[k]:.2e}"
        for k, T0 in enumerate(COLD)
    ]
    vanish = bool(np.all(np.diff(ends.own) > 0.0) and np.all(np.diff(ends.bare) > 0.0))
    linear = ends.whole.value[0] / (0.1 * np.pi**2 * COLD[0] / 1.5)
    return Claim(
        "third law, readings",
        "S vanishes with T.",
        "eta = 0.5 eta_c, t -> infinity",
        (
            f"kT0: T bare, T^r, S of the cavity, S* of the whole less the reservoir - "
            f"{'; '.join(rows)}",
            f"S falls with each T: {yes(vanish)}; T bare and T^r fall like 1/ln(1/T0) alone. S* is "
            f"{linear:.4f} of its leading term eta pi^2 T0 / (3 (w_s + Delta(0)))",
        ),
        AGREES if vanish and abs(linear - 1.0) < 0.01 else PARTLY,
    )


def factorisation(results: Results) -> Claim:
    """Whether cavity and reservoir are a product in the end."""
    shared, places = results.readings.by_coupling.information, [0, 1, _nearest(RATIOS, 0.5), -1]
    return Claim(
        "factorisation",
        "In the end system and reservoir factorise, and the reservoir is thermal again (Nakazato, "
        "Pascazio, in the limit of weak coupling); here for a cavity.",
        f"kT0 = {WARM:g}, t -> infinity",
        (
            f"mutual information of cavity and reservoir at eta/eta_c = "
            f"{listed(RATIOS[places], '.3g')}: {listed(shared[places], '.5f')}",
            "at weak coupling it is about eta/eta_c: they factorise in the limit, and at no finite "
            "coupling",
        ),
        AGREES if shared[0] < 2e-3 and np.all(np.diff(shared) > 0.0) else DISAGREES,
    )


CLAIMS: tuple[Callable[[Results], Claim], ...] = (
    frequency,
    gibbs_state,
    temperatures,
    third_law,
    factorisation,
)


def _last_seen(own: Reading) -> str:
    """The last of the times on the plateau."""
    times = own.t[own.on_plateau]
    return f"t = {times[-1]:.0f}" if times.size else "never"


def _nearest(values: np.ndarray, wanted: float) -> int:
    return int(np.argmin(np.abs(values - wanted)))
