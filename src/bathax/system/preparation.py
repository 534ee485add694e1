"""The joint initial state of a system and its reservoirs.

u and v depend on the state of the reservoirs at t = 0, and on their correlations with the system.
Each solver says which preparations it accepts.
"""

from typing import Any

import equinox as eqx

from bathax._checks import Validated, require_kind


class Preparation(Validated):
    """The joint state of a system and its reservoirs at t = 0; `state` is that of the system."""

    state: eqx.AbstractVar[Any]


class Uncorrelated(Preparation):
    """A product state, rho(0) = rho_S x rho_E (AHZ above Eq. 14, NP).

    `state` is any state of the system; the reservoirs are as they were given. A state in place of
    a preparation, `solve(system, state, ts)`, means this.

    >>> float(bx.Uncorrelated(bx.Fock(5)).state.number)
    5.0
    """

    state: Any


def prepared(initial: Any) -> Preparation:
    """The preparation itself, or for a state the one uncorrelated with the reservoirs."""
    return initial if isinstance(initial, Preparation) else Uncorrelated(initial)


def require_uncorrelated(preparation: Preparation) -> None:
    """Refuse correlated preparations, for solvers that cannot treat them."""
    words = "a state, or `Uncorrelated(state)`, for this solver"
    require_kind("initial", words, preparation, Uncorrelated)
