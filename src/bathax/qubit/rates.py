r"""The rates of a map as functions of time, for solvers of master equations.

Between the times of the map each rate is a spline. The master equation with these rates gives

D(t) = e^{-\int G ds},  c(t) = e^{-\int (i w + G/2 + 2 gamma_z) ds},  G = gamma_- + gamma_+,

whose deviation from those of the map itself tells how good they are.
"""

from typing import Any

import equinox as eqx
import numpy as np

from bathax._checks import require
from bathax._late import late
from bathax.numerics.spline import FEWEST, Spline
from bathax.qubit.elements import MapQuantities

NAMES = ("gamma_minus", "gamma_plus", "gamma_z", "shift")


class Rates(eqx.Module):
    """`gamma_minus`, `gamma_plus`, `gamma_z` and `shift` of a map as functions of the time.

    They take a time or an array of times, between the first and the last time of the map; with
    those of JAX they work under `jit`, `vmap` and `grad`. `error` is the largest relative deviation
    of D and c that follow from them from those of the map.
    """

    gamma_minus: Spline
    gamma_plus: Spline
    gamma_z: Spline
    shift: Spline
    error: float

    def to_qutip(self) -> Any:
        """The generator of the master equation as a `qutip.QobjEvo`, for `qutip.mesolve`.

        Rates may be negative. In the basis of quanta `qutip.destroy(2)` is s-.
        """
        return late("interchange.qutip", "generator")(self)


def rates_of(t: np.ndarray, dmap: MapQuantities, tolerance: float) -> Rates:
    """The rates of a map of known numbers at the times t; see `DynamicalMap.rates`."""
    enough = t.ndim == 1 and len(t) >= FEWEST
    require("t", f"{FEWEST} times of a map or more", f"of shape {t.shape}", enough)
    values = {name: np.asarray(getattr(dmap, name)) for name in NAMES}
    unknown = np.flatnonzero(np.isnan(sum(values.values())))
    found = f"not at t = {t[unknown[0]]:g}" if unknown.size else ""
    require("t", "times at which all rates of the map are known", found, not unknown.size)
    curves = {name: Spline.through(t, value) for name, value in values.items()}
    error = _deviation(dmap, {name: curve.integral()(t) for name, curve in curves.items()})
    words = f"so close together that rates in between are right to {tolerance:.1g}"
    require("t", words, f"right to {error:.1g}", error <= tolerance)
    return Rates(**curves, error=error)


def _deviation(dmap: MapQuantities, integrals: dict[str, np.ndarray]) -> float:
    """The largest relative deviation of D and c, each from its value at the first time."""
    decay = integrals["gamma_minus"] + integrals["gamma_plus"]
    dephasing = 0.5 * decay + 2.0 * integrals["gamma_z"] + 1j * integrals["shift"]
    pairs = ((np.asarray(dmap.determinant), decay), (np.asarray(dmap.coherence), dephasing))
    return max(float(np.max(np.abs(x[0] / x * np.exp(-y) - 1.0))) for x, y in pairs)
