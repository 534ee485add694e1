"""Claims in the text of AHZ about a cavity: laws of thermodynamics, and the Markov limit."""

from collections.abc import Callable

import numpy as np

from bathax.papers.ahz.parameters import STRONG, mean_occupation, temperature_of
from bathax.papers.ahz.results import Results
from bathax.papers.claims import AGREES, DISAGREES, PARTLY, Claim, yes
from bathax.studies import trajectory


def second_law(results: Results) -> Claim:
    """Entropy of the cavity alone and of the whole."""
    cases = [s for column in results.figure_2.values() for s in column.values()]
    cases += [s for column in results.figure_3 for s in column.values()]
    cases.append(results.figure_4[3.0])
    margin = min(float(np.min(s.entropy_production + s.error.entropy_production)) for s in cases)
    smallest = min(float(np.min(s.entropy_production[1:])) for s in cases)
    strong = [*results.figure_2[STRONG].values(), *results.figure_3[2].values()]
    falls = [
        sum(trajectory.largest_fall(s.entropy) > 1e-6 for s in part) for part in (cases, strong)
    ]
    return Claim(
        "second law",
        "S of the cavity grows in the classical regime of weak coupling and may fall in the "
        "quantum one; cavity and reservoir together obey the second law.",
        "all of Figs. 2 and 3, Fig. 4 at kT0 = 3",
        (
            f"S - S(0) - Q/T0 >= 0 within its error at all times of all {len(cases)} cases: "
            f"{yes(margin >= 0.0)}, the smallest value after t = 0 is {smallest:.1e}",
            f"S of the cavity alone falls at times (by more than 1e-6) in {falls[0]} of them: at "
            f"kT0 = 3, and in {falls[1]} of the {len(strong)} above eta_c although kT0 = 20 > E0",
        ),
        AGREES if margin >= 0.0 else DISAGREES,
    )


def zeroth_law(results: Results) -> Claim:
    """Two equal reservoirs: which mean of their temperatures the cavity has."""

    def compared(pair: tuple[float, float]) -> str:
        weak = float(temperature_of(mean_occupation(*pair)))
        return f"({pair[0]:g}, {pair[1]:g}): {law.limits[pair]:.4f}, {weak:.4f}, {np.mean(pair):g}"

    law = results.zeroth_law
    quantum = law.final[1.0][0] / law.means[0]
    classical = max(abs(final[-1] / law.means[-1] - 1.0) for final in law.final.values())
    return Claim(
        "zeroth law",
        "A cavity and two equal reservoirs at T1 and T2 all come to T = (T1 + T2)/2.",
        "eta = 0.01 eta_c in total, n0 = 5",
        (
            "(T1, T2): T(inf), T from n = (n1 + n2)/2, (T1 + T2)/2 - "
            + "; ".join(map(compared, law.relaxations)),
            f"classical, for a mean of {law.means[-1]:g}, the cavity has the mean up to "
            f"{classical:.1%}, of order eta/eta_c; quantum, for T1 = 0 and a mean of "
            f"{law.means[0]:g}, it has {quantum:.2f} times the mean",
            f"the reservoirs do not come to T: they are infinite, and for (10, 30) a heat current "
            f"of {abs(law.current):.4f} w_s^2 flows through the cavity for ever",
        ),
        PARTLY if classical < 0.02 else DISAGREES,
    )


def markov(results: Results) -> Claim:
    """The error of the Born-Markov solution, by coupling."""
    energy, temperature = (
        {ratio: compared.deviation(name) for ratio, compared in results.markov.items()}
        for name in ("energy", "temperature")
    )
    deviations = [f"{r:g}: {energy[r]:.2%}, {temperature[r]:.2%}" for r in results.markov]
    return Claim(
        "Markov",
        "The Born-Markov approximation holds only for eta <~ 0.01 eta_c.",
        "n0 = 5, kT0 = 20, up to three golden-rule lifetimes",
        (
            f"largest deviations of E and T, relative to the largest value, by eta/eta_c - "
            f"{'; '.join(deviations)}",
            "the deviation is close to eta/eta_c throughout: 1% at 0.01 eta_c, and no threshold",
        ),
        AGREES if temperature[0.01] < 0.02 and energy[0.1] > 0.05 else PARTLY,
    )


CLAIMS: tuple[Callable[[Results], Claim], ...] = (second_law, zeroth_law, markov)
