"""States of a single fermionic level, given as those of a qubit."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from bathax._checks import holds, require
from bathax.qubit.states import QubitState
from bathax.system.covariance import Covariance
from bathax.system.linear import LinearSystem

# Coherences below this are rounding.
ROUNDING = 1e-12


def as_covariance(system: LinearSystem, state: Any) -> Any:
    """The covariance of a level in a state diag(1 - p, p); any other state as it is.

    Coherence between no electron and one is not physical: it changes sign with a full turn.
    """
    is_level = system.size == 1 and system.statistics == "fermion"
    if not (is_level and isinstance(state, QubitState)):
        return state
    coherence = state.rho[1, 0]
    words = "a state without coherence between none and one fermion"
    none = holds(lambda c: np.abs(c) <= ROUNDING, coherence)
    require("initial", words, "one with coherence", none)
    p = jnp.where(jnp.abs(coherence) <= ROUNDING, state.rho[1, 1].real, jnp.nan)
    return Covariance(p[None, None])
