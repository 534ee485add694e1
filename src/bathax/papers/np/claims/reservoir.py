"""The claim of NP on the reservoir: how long each frequency of it is disturbed."""

from collections.abc import Callable

import numpy as np

from bathax.papers.claims import AGREES, DISAGREES, PARTLY, Claim, estimated, listed, yes
from bathax.papers.np.parameters import DETUNED, FREQUENCY, MODERATE, WARM, WEAKER, golden_rule
from bathax.papers.np.reservoir import (
    first_return,
    gain_of_mode,
    off_resonance,
    resonant_share,
)
from bathax.papers.np.results import Results


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


CLAIMS: tuple[Callable[[Results], Claim], ...] = (reservoir,)
