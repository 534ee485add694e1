"""Claims of a paper compared with exact results, as rows of a table.

Every number is computed when the table is made, and every verdict follows from a condition on
numbers.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from bathax.qubit.dynamical_map import DynamicalMap
from bathax.studies.trajectory import Trajectory

AGREES, PARTLY, DISAGREES = "agrees", "partly", "disagrees"

HEADER = """\
# What the papers claim and what the exact solution gives

Units: hbar = k_B = w_s = 1; F = E - T S with E the energy of the bare system. A number behind ± is
the estimate of the numerical error. The verdict follows from a condition on the numbers.
"""


class Estimated(NamedTuple):
    """A number and an estimate of its error."""

    value: Any
    error: Any


class Claim(NamedTuple):
    """One row: what is claimed, for which parameters, what was found, and the verdict."""

    id: str
    claim: str
    parameters: str
    findings: tuple[str, ...]
    verdict: str


def section(heading: str, claims: Iterable[Callable[[Any], Claim]], results: Any) -> str:
    """The claims of a paper in Markdown, below its heading."""
    return f"{heading}\n{table(claim(results) for claim in claims)}"


def table(rows: Iterable[Claim]) -> str:
    """One claim a line."""
    head = ["id", "claim", "parameters", "exact solution", "verdict"]
    cells = [
        [row.id, row.claim, row.parameters, "<br>".join(row.findings), f"**{row.verdict}**"]
        for row in rows
    ]
    cells = [[cell.replace("|", r"\|") for cell in row] for row in cells]
    lines = [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *cells)]
    return "\n".join([*lines, ""])


# --- Numbers in words ------------------------------------------------------------------------


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
