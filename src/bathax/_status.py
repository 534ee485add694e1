"""How a computation ended, as a number that survives `jit` and `vmap`."""

import warnings
from enum import IntEnum


class Status(IntEnum):
    """How a computation ended; `message` says it in words.

    The first three are of a solution; the others of a point in a sweep, which may also end with an
    error, hold a number that is not one, or not be computed yet.
    """

    SUCCESS = 0
    TOLERANCE_NOT_REACHED = 1
    INVALID = 2
    NOT_A_NUMBER = 3
    ERROR = 4
    NOT_COMPUTED = -1

    @property
    def message(self) -> str:
        return _MESSAGES[self]


_MESSAGES = {
    Status.SUCCESS: "The requested tolerance was reached.",
    Status.TOLERANCE_NOT_REACHED: (
        "The requested tolerance was not reached; the error estimate says what was. "
        "Allow the solver more points, shorten the time span, or take another one: of a cavity "
        "`Resonance()` for long times, `Volterra()` for short ones."
    ),
    Status.INVALID: (
        "A parameter is outside its range or the times are not increasing; the results are NaN."
    ),
    Status.NOT_A_NUMBER: "A result is not a number.",
    Status.ERROR: "The computation ended with an error; the results are NaN.",
    Status.NOT_COMPUTED: "Not computed yet.",
}


class ToleranceWarning(UserWarning):
    """A result that is less accurate than was asked for; its `error` says how accurate it is."""


def warn_of(status: Status) -> None:
    """Warn the user's own line if a tolerance was not reached."""
    if status == Status.TOLERANCE_NOT_REACHED:
        warnings.warn(status.message, ToleranceWarning, stacklevel=3)
