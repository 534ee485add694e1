"""The sizes of solvers in a fitted model, if they choose them: as large as the starts need.

The search may end where larger ones are needed; therefore the status is checked there.
"""

import dataclasses
from operator import attrgetter

import numpy as np

from bathax._status import Status
from bathax.studies.fit.search import Minimum, Problem, Runs, search
from bathax.studies.sizes import larger, settled

# How often a search is continued, each time with larger solvers.
TRIES = 4
# Beyond this x a parameter is practically at its bound.
FAR = 30.0
STATUS, DEMANDS = attrgetter("status"), attrgetter("demands")


def sized_problem(problem: Problem, data: Runs, guesses: np.ndarray) -> Problem:
    """The problem with solvers as large as they need to be at the guesses x."""
    places = problem.parameters.bounded(guesses)

    def with_sizes(sizes: tuple[int, ...]) -> Problem:
        return dataclasses.replace(problem, sizes=sizes)

    def demands(sized: Problem) -> np.ndarray | None:
        program = sized.program(data)
        if not program.shapes.demands.size:
            return None
        return np.stack([program.compiled(DEMANDS)(p, data) for p in places])

    return settled(with_sizes, demands)[0]


def refined(problem: Problem, data: Runs, found: Minimum) -> tuple[Problem, Minimum, bool]:
    """The minimum of a search, continued with larger solvers until they reach their tolerance.

    And whether they reach it in the end, or have a fixed size.
    """
    fixed = np.zeros(len(problem.parameters.labels), bool)
    for left in reversed(range(TRIES + 1)):
        if not problem.sizes or not np.any(found.converged) or _is_reached(problem, data, found):
            return problem, found, True
        if not left:
            break
        problem = dataclasses.replace(problem, sizes=larger(problem.sizes))
        # At a bound x is infinite.
        x = np.clip(problem.parameters.free(np.asarray(found.best.p)), -FAR, FAR)
        again = search(problem, data, x[None], fixed)
        # Only one of the starts that found this minimum was continued.
        found = found._replace(best=again.best, converged=found.converged & again.converged)
    return problem, found, False


def _is_reached(problem: Problem, data: Runs, found: Minimum) -> bool:
    status = problem.program(data).compiled(STATUS)(np.asarray(found.best.p), data)
    return int(status) != Status.TOLERANCE_NOT_REACHED
