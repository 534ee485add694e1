"""How a computation ended, as an integer, which `jit` and `vmap` can return."""

import warnings
from enum import IntEnum
from typing import Any, Protocol, TypeVar, runtime_checkable

import equinox as eqx
from jax.core import Tracer


@runtime_checkable
class _WithStatus(Protocol):
    """Any result with a `status`."""

    status: Any


Result = TypeVar("Result", bound=_WithStatus)


class Status(IntEnum):
    """How a computation ended; `message` says it in words.

    A solution has one of the first three. A point of a sweep may also have a result that is not a
    number (NOT_A_NUMBER), have raised an error (ERROR), or not be computed yet (NOT_COMPUTED).

    >>> bx.Status(0).name
    'SUCCESS'
    """

    SUCCESS = 0
    TOLERANCE_NOT_REACHED = 1
    INVALID = 2
    NOT_A_NUMBER = 3
    ERROR = 4
    NOT_COMPUTED = -1

    @property
    def message(self) -> str:
        """The outcome as a sentence."""
        return _MESSAGES[self]


_MESSAGES = {
    Status.SUCCESS: "The requested tolerance was reached.",
    Status.TOLERANCE_NOT_REACHED: (
        "The requested tolerance was not reached; the error estimate says what was. "
        "Allow the solver more points, an `Embedding` more `modes`, or a `Hierarchy` a larger "
        "`max_size`, shorten the time span, or take another solver: of a cavity `Resonance()` for "
        "long times, `Volterra()` for short ones."
    ),
    Status.INVALID: (
        "A parameter is outside its range or the times are not increasing; the results are NaN."
    ),
    Status.NOT_A_NUMBER: "A result is not a number.",
    Status.ERROR: "The computation ended with an error; the results are NaN.",
    Status.NOT_COMPUTED: "Not computed yet.",
}


class ToleranceWarning(UserWarning):
    """Warns that a result misses the requested tolerance; its `error` says how accurate it is.

    A thermal mode cut at one quantum:

    >>> bath = bx.Reservoir(bx.DiscreteModes([1.0], [0.1]), temperature=1.0)
    >>> qubit, ts = bx.Qubit(1.0, bath), jnp.linspace(0.0, 10.0 * jnp.pi, 9)
    >>> import warnings
    >>> few = bx.ExactDiagonalisation(quanta=1)
    >>> with warnings.catch_warnings(action="ignore", category=bx.ToleranceWarning):
    ...     dmap = bx.dynamical_map(qubit, ts, few)
    >>> round(float(dmap.error.p11[0]), 4)  # the probability e^{-2} of more quanta
    0.1353
    """


class ToleranceError(RuntimeError):
    """Raised with `throw=True` in place of a result whose status is not 0.

    >>> bath = bx.Reservoir(bx.DiscreteModes([1.0], [0.1]), temperature=1.0)
    >>> qubit, ts = bx.Qubit(1.0, bath), jnp.linspace(0.0, 10.0 * jnp.pi, 9)
    >>> few = bx.ExactDiagonalisation(quanta=1)
    >>> try:
    ...     bx.dynamical_map(qubit, ts, few, throw=True)
    ... except bx.ToleranceError as error:
    ...     print(str(error)[:40])
    The requested tolerance was not reached;
    """


def concluded(result: Result, throw: bool) -> Result:
    """The result; a `ToleranceWarning` at the caller's line if the tolerance was not reached.

    With `throw` a status that is not 0 raises `ToleranceError`. Inside `jit` there is no warning,
    and with `throw` the program ends with an error of JAX.
    """
    if isinstance(result.status, Tracer):
        words = "The status of a result is not 0."
        return eqx.error_if(result, result.status != Status.SUCCESS, words) if throw else result
    status = Status(int(result.status))
    if throw and status != Status.SUCCESS:
        raise ToleranceError(status.message)
    if status == Status.TOLERANCE_NOT_REACHED:
        warnings.warn(status.message, ToleranceWarning, stacklevel=3)
    return result
