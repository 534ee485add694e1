"""The claim of NP on the master equation: signs and poles of its rates."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from bathax._checks import Scalar
from bathax.papers.claims import AGREES, PARTLY, Claim, listed, yes
from bathax.papers.np.parameters import FILLING, MODERATE, STRONG, WARM
from bathax.papers.np.results import Results
from bathax.qubit.dynamical_map import DynamicalMap
from bathax.qubit.memory import (
    RATES,
    blp_measure,
    determinant_passage,
    negative_rate_intervals,
)


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


CLAIMS: tuple[Callable[[Results], Claim], ...] = (master_equation,)
