"""The joint initial state of a system and its reservoirs.

u and v depend on the state of the reservoirs at t = 0, and on their correlations with the system.
Each solver says which preparations it accepts.
"""

from typing import Any

import equinox as eqx
import jax
import numpy as np

from bathax._checks import (
    POSITIVE,
    Scalar,
    Validated,
    holds,
    parameter,
    require,
    require_kind,
    shown,
)
from bathax.reservoir.occupation import Thermal
from bathax.system.linear import LinearSystem
from bathax.system.models import Cavity, as_modes


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


class Correlated(Preparation):
    """A start that modes do not have without their reservoirs."""

    @property
    def state(self) -> "Correlated":
        """Itself: that of the system is not known without the reservoirs."""
        return self


class Stationary(Correlated):
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

    def __check_init__(self) -> None:
        words = "a `LinearSystem` or a `Cavity`, as it was before"
        require_kind("system", words, self.system, (LinearSystem, Cavity))
        self.modes.require_static()

    @property
    def modes(self) -> LinearSystem:
        """The system before, as modes."""
        return as_modes(self.system)

    def before(self, system: LinearSystem) -> LinearSystem:
        """The system before; refused if `system` has other modes or other reservoirs."""
        require_same_whole(self.modes, system)
        return self.modes


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
        first, *others = (bath.occupation for bath in self.modes.reservoirs)
        words = "a system whose reservoirs have one temperature and chemical potential"
        thermal = isinstance(first, Thermal)
        require("system", words, "one with others", thermal)
        same = all(_are_same(first, other) for other in others)
        require("system", words, "one with several", same)


class Periodic(Correlated):
    """The joint state of modes and reservoirs that returns after each `period` of a drive.

    It exists where everything is damped; otherwise all numbers are NaN. See `limit_cycle`.

    >>> bath = bx.Reservoir(bx.Ohmic(0.1, 2.0), temperature=1.0)
    >>> cavity = bx.Cavity(lambda t: 1.0 + 0.3 * jnp.sin(jnp.pi * t), bath)
    >>> sol = bx.solve(cavity.as_modes, bx.Periodic(2.0), [0.0, 2.0, 4.0])
    >>> bool(jnp.max(jnp.abs(sol.number - sol.number[0])) < 1e-9)
    True
    """

    period: Scalar = parameter(POSITIVE)


class Continue(Preparation):
    """Go on from where a `solution` ended: modes, reservoirs and all that they remember.

    t = 0 is the last time of that solution, and work and gains count from there. The system may be
    another one with the same modes and reservoirs, which is a quench. u and v are still those from
    the first start, so that every state of a cavity can go on. The earlier run is computed again
    with the new one. It takes solutions of a cavity or of several modes, but none from a file, and
    keeps their `system`, the `earlier` preparation, their last time `stop` and the `entropy` there.

    >>> bath = bx.Reservoir(bx.Ohmic(0.1, 2.0), temperature=1.0)
    >>> first = bx.solve(bx.Cavity(1.0, bath), bx.Fock(2), [0.0, 1.0, 3.0])
    >>> then = bx.solve(bx.Cavity(lambda t: 1.0 + 0.1 * t, bath), bx.Continue(first), [0.0, 2.0])
    >>> bool(jnp.abs(then.number[0] - first.number[-1]) < 1e-9)
    True
    """

    system: Any
    earlier: Preparation
    stop: Scalar
    entropy: Scalar

    def __init__(self, solution: Any) -> None:
        words = "a solution of a cavity or of several modes, as `solve` returns it"
        origin = getattr(solution, "origin", None)
        found = "one from a file" if hasattr(solution, "origin") else shown(solution)
        require("solution", words, found, origin is not None)
        assert origin is not None
        self.system, self.earlier = origin.parts
        require("solution", words, "one of a qubit", isinstance(self.system, Cavity | LinearSystem))
        self.stop, self.entropy = solution.t[-1], solution.entropy[-1]

    @property
    def state(self) -> Any:
        """That at the first start."""
        return self.earlier.state

    @property
    def modes(self) -> LinearSystem:
        """The earlier system, as modes."""
        return as_modes(self.system)


def require_same_whole(before: LinearSystem, system: LinearSystem) -> None:
    """Refuse a system that has other modes or other reservoirs than before."""
    words = f"a system of {system.size} modes, as the one that is solved"
    require("initial", words, f"one of {before.size}", before.size == system.size)
    words = "a system with the reservoirs of the one that is solved"
    alike = before.statistics == system.statistics
    alike = alike and _are_same(before.reservoirs, system.reservoirs)
    require("initial", words, "one with others", alike)


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
