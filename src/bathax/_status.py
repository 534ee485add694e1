"""How a computation ended, as a number that survives `jit` and `vmap`."""

from enum import IntEnum


class Status(IntEnum):
    """How a computation ended; `message` says it in words."""

    SUCCESS = 0
    TOLERANCE_NOT_REACHED = 1
    INVALID = 2

    @property
    def message(self) -> str:
        return _MESSAGES[self]


_MESSAGES = {
    Status.SUCCESS: "The requested tolerance was reached.",
    Status.TOLERANCE_NOT_REACHED: (
        "The requested tolerance was not reached; the error estimate says what was. "
        "Allow the solver more points, or shorten the time span."
    ),
    Status.INVALID: (
        "A parameter is outside its range or the times are not increasing; the results are NaN."
    ),
}
