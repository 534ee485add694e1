"""The sizes of solvers in a sweep, if they choose them: as large as the hardest points need.

Demands of solvers are estimates; points that miss their tolerance are computed again.
"""

import itertools
import math

import numpy as np

from bathax._status import Status
from bathax.studies.sizes import larger, settled
from bathax.studies.sweep.axes import Axes
from bathax.studies.sweep.program import Program, Values
from bathax.studies.sweep.record import Model, Recorder, recorder_of

# The number of points, ends included, at which the demands of solvers are computed.
ASKED = 128
# How often a point is computed again, each time with larger sizes.
TRIES = 4


def fitting_recorder(model: Model, grid: Axes) -> tuple[Recorder, tuple[int, ...]]:
    """The program for all points, and the sizes of its solvers; none where they are fixed."""
    points = _coarse(grid)
    return settled(
        lambda sizes: recorder_of(model, tuple(grid.parameters), sizes),
        lambda recorder: recorder.demands(points) if recorder.asks else None,
    )


def _coarse(grid: Axes) -> Values:
    """Points spread over the whole grid, with its corners; their number depends on its shape."""
    most = ASKED
    places = []
    for count, size in enumerate(sorted(grid.sizes.values())):
        along = max(2, math.floor(most ** (1.0 / (len(grid.sizes) - count))))
        along = min(size, along)
        places.append(along)
        most = max(most // along, 1)
    by_size = iter(places)
    lengths = {name: next(by_size) for name in sorted(grid.sizes, key=grid.sizes.__getitem__)}
    chosen = [
        np.unique(np.linspace(0, size - 1, lengths[name]).round().astype(int))
        for name, size in grid.sizes.items()
    ]
    points = [
        grid.points(tuple(slice(k, k + 1) for k in place)) for place in itertools.product(*chosen)
    ]
    return {name: np.concatenate([point[name] for point in points]) for name in grid.parameters}


class Retrying:
    """A program for boxes, of which points that miss their tolerance are computed again."""

    def __init__(
        self, model: Model, sizes: tuple[int, ...], program: Program, memory: float
    ) -> None:
        self._model, self._sizes, self._program, self._memory = model, sizes, program, memory

    def __call__(self, points: Values) -> Values:
        """The record of the points of a box."""
        found = self._program(points)
        sizes = self._sizes
        for _ in range(TRIES if sizes else 0):
            missed = np.flatnonzero(found["status"] == Status.TOLERANCE_NOT_REACHED)
            if not missed.size:
                break
            sizes = larger(sizes)
            recorder = recorder_of(self._model, tuple(points), sizes)
            try:
                program = Program(recorder, self._program.least, self._memory)
            except ValueError:  # not enough memory: the results stay, with their status
                break
            for some in np.split(missed, range(program.least, missed.size, program.least)):
                again = program({name: values[some] for name, values in points.items()})
                for name, values in again.items():
                    found[name] = _writable(found[name])
                    found[name][some] = values
        return found


def _writable(values: np.ndarray) -> np.ndarray:
    return values if values.flags.writeable else values.copy()
