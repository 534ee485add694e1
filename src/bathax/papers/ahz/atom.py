"""An excited atom in a Lorentzian vacuum: the two regimes of AHZ Fig. 6 (AHZ Eqs. 20-25)."""

import jax
import jax.numpy as jnp
import numpy as np

from bathax.papers.ahz.parameters import FREQUENCY, FULL, Effort
from bathax.qubit.states import Excited
from bathax.reservoir.lorentzian import Lorentzian
from bathax.reservoir.reservoir import Reservoir
from bathax.solution.results import QubitSolution
from bathax.solution.solving import solve
from bathax.system.models import Qubit

# The width lam of the Lorentzian, narrow enough to end above zero frequency, and gamma0 / lam.
WIDTH = 0.1
REGIMES = (0.2, 5.0)


def figure_6(effort: Effort = FULL) -> dict[float, QubitSolution]:
    """An excited atom up to 20 / lam: {gamma0 / lam: ...}."""
    ts = jnp.asarray(np.linspace(0.0, 20.0 / WIDTH, effort.atom_times))

    def decay(ratio: float) -> QubitSolution:
        bath = Reservoir(Lorentzian(ratio * WIDTH, WIDTH, FREQUENCY))
        return jax.device_get(solve(Qubit(FREQUENCY, bath), Excited(), ts, effort.atom_solver))

    return {ratio: decay(ratio) for ratio in REGIMES}
