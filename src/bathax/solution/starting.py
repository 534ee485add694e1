"""From a preparation to the start of a run among damped modes."""

from typing import Any

from bathax._checks import require
from bathax.linear.starts import Before, Continued, Cyclic, Product, Start
from bathax.system.covariance import Covariance
from bathax.system.linear import LinearSystem
from bathax.system.preparation import (
    Continue,
    Equilibrium,
    Periodic,
    Preparation,
    Stationary,
    Uncorrelated,
    require_same_whole,
)


def is_static(system: LinearSystem, preparation: Preparation) -> bool:
    """Whether a start without correlations is followed by constant equations for a alone."""
    changes = system.is_driven or system.is_paired or system.force is not None
    return isinstance(preparation, Uncorrelated) and not changes


def start_of(
    system: LinearSystem, preparation: Preparation, state: Any
) -> tuple[Start, LinearSystem]:
    """The start, and the system: all those of one past have pairs if one of them has.

    `state` is the covariance at the first start, if there is one.
    """
    systems = [system, *_past(preparation)]
    displaced = any(one.force is not None for one in systems)
    displaced |= isinstance(state, Covariance) and state.displacement is not None
    paired = any(one.is_paired for one in systems)
    return _start(system, preparation, state, displaced, paired), _formed(system, paired)


def _past(preparation: Preparation) -> list[LinearSystem]:
    """All earlier systems."""
    if isinstance(preparation, Continue):
        return [preparation.modes, *_past(preparation.earlier)]
    return []


def _formed(system: LinearSystem, paired: bool) -> LinearSystem:
    return system.with_pairs if paired else system


def _start(
    system: LinearSystem, preparation: Preparation, state: Any, displaced: bool, paired: bool
) -> Start:
    if isinstance(preparation, Continue):
        before = preparation.modes
        require_same_whole(before, system)
        earlier = _start(before, preparation.earlier, state, displaced, paired)
        return Continued(earlier, _formed(before, paired), preparation.stop)
    if isinstance(preparation, Periodic):
        return Cyclic(_formed(system, paired), preparation.period, displaced)
    if isinstance(preparation, Stationary):
        words = "a state, or `Periodic`, for a system that makes pairs"
        require("initial", words, f"`{type(preparation).__name__}`", not paired)
        thermal = isinstance(preparation, Equilibrium)
        return Before(preparation.before(system), displaced, thermal)
    return Product(state, displaced)
