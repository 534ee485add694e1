"""The joint initial state of a system and its reservoirs.

u and v depend on the state of the reservoirs at t = 0, and on their correlations with the system.
Each solver says which preparations it accepts.
"""

from typing import Any

import equinox as eqx
import jax
import numpy as np

from bathax._checks import Validated, holds, require, require_kind
from bathax.reservoir.occupation import Thermal
from bathax.system.linear import LinearSystem
from bathax.system.models import Cavity


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


class Stationary(Preparation):
    """The stationary state of another `system` and its reservoirs together; then a quench.

    At t = 0 h and the couplings are suddenly those of the system that is solved; the reservoirs are
    the same ones, and remember. It is a `LinearSystem`, or a `Cavity` as a system of one mode. If
    it has bound states, these are empty but for what reservoirs bring to them.

    >>> bath = bx.Reservoir(bx.Ohmic(0.1, 2.0), temperature=1.0)
    >>> before, after = (bx.LinearSystem([[w]], bx.Channel(bath, [1.0])) for w in (1.0, 1.5))
    >>> sol = bx.solve(after, bx.Stationary(before), [0.0, 5.0])
    >>> f"{sol.number[0]:.4f}, {sol.number[1]:.4f}"
    '0.8300, 0.4323'
    """

    system: Any

    @property
    def state(self) -> "Stationary":
        """Itself: that of the system is not known without the reservoirs."""
        return self

    def __check_init__(self) -> None:
        words = "a `LinearSystem` or a `Cavity`, as it was before"
        require_kind("system", words, self.system, (LinearSystem, Cavity))
        self._modes.require_static()

    @property
    def _modes(self) -> LinearSystem:
        return self.system.as_modes if isinstance(self.system, Cavity) else self.system

    def before(self, system: LinearSystem) -> LinearSystem:
        """The system before; refused if `system` has other modes or other reservoirs."""
        modes = self._modes
        words = f"a system of {system.size} modes, as the one that is solved"
        require("initial", words, f"one of {modes.size}", modes.size == system.size)
        words = "a system with the reservoirs of the one that is solved"
        alike = modes.statistics == system.statistics
        alike = alike and _are_same(modes.reservoirs, system.reservoirs)
        require("initial", words, "one with others", alike)
        return modes


class Equilibrium(Stationary):
    """The joint thermal state of another `system` and its reservoirs; then a quench.

    All reservoirs have one temperature and one chemical potential. Bound states are filled like
    everything else. See `Stationary`, which differs only where there are bound states.

    Without a quench nothing moves:

    >>> lead = bx.Reservoir(bx.SemicircleBand(0.1, 0.0, 1.0), 0.1, 0.2)
    >>> dot = bx.LinearSystem([[0.5]], bx.Channel(lead, [1.0]), "fermion")
    >>> n = bx.solve(dot, bx.Equilibrium(dot), jnp.linspace(0.0, 20.0, 5)).number
    >>> bool(jnp.max(jnp.abs(n - n[0])) < 1e-10)
    True
    """

    def __check_init__(self) -> None:
        super().__check_init__()
        first, *others = (bath.occupation for bath in self._modes.reservoirs)
        words = "a system whose reservoirs have one temperature and chemical potential"
        thermal = isinstance(first, Thermal)
        require("system", words, "one with others", thermal)
        same = all(_are_same(first, other) for other in others)
        require("system", words, "one with several", same)


def _are_same(one: Any, other: Any) -> bool:
    """Whether two modules have the same structure and, as far as they are known, numbers."""
    if jax.tree.structure(one) != jax.tree.structure(other):
        return False
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return all(holds(np.array_equal, *pair) for pair in pairs)


def prepared(initial: Any) -> Preparation:
    """The preparation itself, or for a state the one uncorrelated with the reservoirs."""
    return initial if isinstance(initial, Preparation) else Uncorrelated(initial)


def require_uncorrelated(preparation: Preparation) -> None:
    """Refuse correlated preparations, for solvers that cannot treat them."""
    words = "a state, or `Uncorrelated(state)`, for this solver"
    require_kind("initial", words, preparation, Uncorrelated)
