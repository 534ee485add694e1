"""How a system and its reservoirs start together.

What the reservoirs are like at t = 0 decides u and v as much as the couplings do. The solvers say
from which starts they can go.
"""

from typing import Any

import equinox as eqx

from bathax._checks import Validated, require_kind


class Preparation(Validated):
    """The state of a system and its reservoirs at t = 0; `state` is that of the system alone."""

    state: eqx.AbstractVar[Any]


class Uncorrelated(Preparation):
    """rho(0) = rho_S x rho_E (AHZ above Eq. 14, NP): reservoirs as they are by themselves.

    `state` is any state of the system. A state alone, `solve(system, state, ts)`, means this.

    >>> float(bx.Uncorrelated(bx.Fock(5)).state.number)
    5.0
    """

    state: Any


def prepared(initial: Any) -> Preparation:
    """A preparation as it is, and a state uncorrelated with the reservoirs."""
    return initial if isinstance(initial, Preparation) else Uncorrelated(initial)


def require_uncorrelated(preparation: Preparation) -> None:
    """Refuse other preparations, for solvers that know none."""
    words = "a state, or `Uncorrelated(state)`, for this solver"
    require_kind("initial", words, preparation, Uncorrelated)
