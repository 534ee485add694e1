r"""Three readings of the temperature of a cavity at strong coupling, beside AHZ's.

Bare: T = dE/dS with E = w_s n (AHZ). Renormalised: with w^r = -Im(u'/u) for w_s (Huang and Zhang,
arXiv:2010.01828 and 2205.08114). Mean force: the whole is in equilibrium at T0, and the cavity has
the frequency w* = T0 ln(1 + 1/n). All of them agree on n and on S of the cavity.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from bathax._checks import Scalar
from bathax._programs import program
from bathax.cavity.limits import long_time_limit
from bathax.papers.ahz.parameters import (
    FULL,
    INTERMEDIATE,
    STRONG,
    WARM,
    Effort,
    fock,
    in_chunks,
    ohmic_cavity,
)
from bathax.papers.claims import Estimated
from bathax.papers.times import graded
from bathax.solution.reading import reading
from bathax.solution.renormalised import lasting_pole
from bathax.solution.results import Solution
from bathax.solution.solving import solve
from bathax.system.states import Thermal
from bathax.thermodynamics.mean_force import mean_force
from bathax.thermodynamics.reading import Reading
from bathax.thermodynamics.reservoir_information import long_time_information

RATIOS = np.concatenate([[0.001, 0.01], 0.05 * np.arange(1.0, 20.0)])
# Couplings that are followed in time, and temperatures at half the critical coupling.
FOLLOWED = (0.1, INTERMEDIATE, STRONG)
COLD = np.array([0.001, 0.01, 0.1, 1.0, WARM])
LAST = 400.0


class Ends(NamedTuple):
    """Where a cavity ends below the critical coupling, by every reading; arrays over points.

    `number` n, the entropy `own` of the cavity and S* of the whole, the `bare` T, the `plateau` of
    w^r, the frequency of mean force w* with its error, and the `information` that is shared.
    """

    number: Estimated
    own: Any
    whole: Estimated
    bare: Any
    plateau: Any
    mean_force: Estimated
    information: Any

    @property
    def renormalised(self) -> np.ndarray:
        """T^r on the plateau, if the cavity has come to its end by then."""
        return self.plateau / np.log1p(1.0 / self.number.value)


class Readings(NamedTuple):
    """The ends by coupling at kT0 = 20, by temperature at eta_c / 2, and cavities in time."""

    by_coupling: Ends
    by_temperature: Ends
    followed: dict[float, tuple[Solution, Reading]]


def readings(effort: Effort = FULL) -> Readings:
    """The readings from weak to strong coupling, and in time from n0 = 5."""
    ts = graded(LAST, effort.times)
    return Readings(
        in_chunks(_ends, RATIOS, np.full(RATIOS.shape, WARM)),
        in_chunks(_ends, np.full(COLD.shape, INTERMEDIATE), COLD),
        {ratio: _followed(ratio, ts, effort) for ratio in FOLLOWED},
    )


@program
@jax.vmap
def _ends(ratio: Scalar, temperature: Scalar) -> Ends:
    cavity = ohmic_cavity(ratio, temperature)
    end, found = long_time_limit(cavity), mean_force(cavity)
    return Ends(
        number=Estimated(end.noise, end.error),
        own=end.entropy(Thermal(0.0)),
        whole=Estimated(found.entropy, found.error.entropy),
        bare=end.temperature(Thermal(0.0)),
        plateau=lasting_pole(cavity)[0].real,
        mean_force=Estimated(found.hamiltonian[0, 0].real, found.error.hamiltonian[0, 0]),
        information=long_time_information(cavity),
    )


def _followed(ratio: float, ts: Array, effort: Effort) -> tuple[Solution, Reading]:
    cavity = ohmic_cavity(ratio, WARM)
    solution = solve(cavity, fock(5), jnp.asarray(ts), effort.solver)
    return jax.device_get((solution, reading(solution, "renormalised")))
