"""Two numbers, computed from one."""

from typing import NamedTuple


class Results(NamedTuple):
    """Everything computed here."""

    half: float
    third: float


def half(effort: float) -> float:
    """Half of the effort; another type than a number fails."""
    return effort / 2.0


def third(effort: float) -> float:
    """A third of it."""
    return effort / 3.0
