"""Functions of the time in a study: tables that stand where a number would."""

from collections.abc import Iterator
from typing import Annotated, Any

from msgspec import Struct
from msgspec.structs import asdict

from bathax.app.config.rules import (
    COMPLEX,
    NUMBERED,
    ROW,
    ROWS,
    Energy,
    Finite,
    Kind,
    Numbers,
    Positive,
    PositiveEnergy,
    Rule,
    as_complex,
)


class Ramp(Kind, tag="ramp"):
    """`bathax.Ramp`."""

    start: Finite
    stop: Finite
    center: Finite
    width: Positive


class Sinusoid(Kind, tag="sinusoid"):
    """`bathax.Sinusoid`."""

    mean: Finite
    amplitude: Finite
    frequency: Energy
    phase: Finite | None = None


class Pulse(Kind, tag="pulse"):
    """`bathax.Pulse`."""

    base: Finite
    height: Finite
    center: Finite
    width: Positive


class Samples(Kind, tag="samples"):
    """`bathax.Samples`."""

    times: Numbers
    values: Numbers


Drive = Ramp | Sinusoid | Pulse | Samples

# Numbers of a system, alone and in lists, each of which may be a function of the time.
Frequency = PositiveEnergy | Drive
Level = Energy | Drive
Entry = Annotated[float | tuple[float, float], COMPLEX._replace(units="energy")] | Drive
Pair = Annotated[tuple[Level, ...], Rule("two finite numbers", lambda each: len(each) == 2)]
Levels = Annotated[tuple[Level, ...], Rule("one or more finite numbers", bool)]
Entries = Annotated[tuple[Entry, ...], NUMBERED]
EntryMatrix = Annotated[tuple[Annotated[tuple[Entry, ...], ROW], ...], ROWS]


def built(value: Any) -> Any:
    """A number or a function of the time, as bathax takes it."""
    return value.build() if isinstance(value, Kind) else as_complex(value)


def each_built(values: tuple[Any, ...]) -> list[Any]:
    """The same of a list."""
    return [built(value) for value in values]


def is_driven(table: Any) -> bool:
    """Whether there is a function of the time somewhere in a table."""
    return isinstance(table, Drive) or any(is_driven(one) for one in _inside(table))


def _inside(table: Any) -> Iterator[Any]:
    if isinstance(table, Struct):
        yield from asdict(table).values()
    elif isinstance(table, tuple):
        yield from table
