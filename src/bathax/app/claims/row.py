"""A row of the table of claims, and how numbers are written in it."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from bathax.qubit.dynamical_map import DynamicalMap
from bathax.studies.trajectory import Trajectory

AGREES, PARTLY, DISAGREES = "agrees", "partly", "disagrees"


class Claim(NamedTuple):
    """One row: what is claimed, for which parameters, what was found, and the verdict."""

    id: str
    claim: str
    parameters: str
    findings: tuple[str, ...]
    verdict: str


def last_temperatures(solutions: Mapping[Any, Trajectory]) -> str:
    """T at the last time, which is the same for all of them."""
    last = [estimated(s.temperature[-1], s.error.temperature[-1]) for s in solutions.values()]
    return f"T({end_of(next(iter(solutions.values())))}) = {', '.join(last)}"


def end_of(solution: Trajectory | DynamicalMap) -> str:
    """The last time."""
    return f"{float(solution.t[-1]):g}"


def estimated(value: Any, error: Any) -> str:
    """A number and the estimate of its error."""
    return f"{float(value):#.6g} ± {float(error):.0e}"


def listed(values: Iterable[Any], spec: str) -> str:
    """Numbers in one format, separated by commas."""
    return ", ".join(f"{float(value):{spec}}" for value in values)


def yes(holds: bool) -> str:
    """The answer in a word."""
    return "yes" if holds else "no"
