"""The `[sweep]` and the `[fit]` of a study: which of its numbers vary."""

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from msgspec import Struct
from msgspec.structs import fields, replace

from bathax.app.config.checking import (
    listed,
    refuse_missing,
    refuse_unknown,
    require,
    typed,
)
from bathax.app.config.rules import (
    Amount,
    Finite,
    Loss,
    Name,
    Names,
    Numbers,
    Spacing,
    StudyError,
    Table,
)
from bathax.studies.lookup import elements, names_of
from bathax.studies.quantities import QUANTITIES
from bathax.studies.quantity import MATRIX, NOISE

Path = tuple[str, ...]
# The tables of a study with numbers that may vary.
VARYING = ("system", "reservoir", "start")
# Names that an axis cannot have.
TAKEN = {*QUANTITIES, "time", "level", *MATRIX, *NOISE, "status"}


class Axis(Table):
    """The values of one number: a list, or equally or logarithmically spaced points.

    Axes with the same `along` vary together, along one dimension of that name. Without a `name` an
    axis is called by the shortest end of its path that no other axis has.
    """

    start: Finite | None = None
    stop: Finite | None = None
    points: Amount | None = None
    spacing: Spacing | None = None
    values: Numbers | None = None
    along: Name | None = None
    name: Name | None = None

    @property
    def first(self) -> float | None:
        """The first of the values."""
        return self.values[0] if self.values is not None else self.start

    def build(self) -> Any:
        """The values, as an array."""
        import numpy as np

        if self.values is not None:
            return np.array(self.values)
        space: Any = np.geomspace if self.spacing == "log" else np.linspace
        return space(self.start, self.stop, self.points)


class Sweep(Table):
    """What `bathax sweep` computes; the axes and derivatives are dotted paths in the study."""

    quantities: Names
    axes: dict[str, Axis]
    derivatives: Names = ()

    @property
    def names(self) -> dict[str, str]:
        """A short name for each axis."""
        return {path: axis.name or _short(path, self.axes) for path, axis in self.axes.items()}

    def build(self, study: Any) -> tuple[dict[str, Any], list[str]]:
        """The axes and the derivatives of a study's sweep as arguments of `bathax.sweep`."""
        axes = {
            self.names[path]: (axis.along or self.names[path], axis.build(), _about(study, path))
            for path, axis in self.axes.items()
        }
        return axes, [self.names[path] for path in self.derivatives]


class Fit(Table):
    """What `bathax fit` varies: dotted paths in the study, whose numbers are the start."""

    free: Names
    loss: Loss | None = None
    starts: Amount | None = None

    def options(self) -> dict[str, Any]:
        """The settings as arguments of `bathax.fit`."""
        return {name: value for name, value in self.given().items() if name != "free"}


def unbounded(study: Any, paths: Iterable[str]) -> list[str]:
    """Those of the paths whose numbers may be negative."""
    return [path for path in paths if typed(_declared(study, path.split(".")))[1].holds(-1.0)]


def check_fit(study: Any, fit: Fit) -> None:
    """Raise `StudyError` for the first rule that a fit breaks."""
    for path in fit.free:
        _check_path(("fit", "free", path), study, path)
        require(("fit", "free"), "each number once", path, fit.free.count(path) == 1)
        value = value_at(study, path)
        require(("fit", "free"), "numbers that the study gives", path, value is not None)


def value_at(study: Any, path: str) -> Any:
    """The number at a path of the study; None if it is left out."""
    for part in path.split("."):
        study = _entry(study, part)
    return study


def with_values(table: Any, values: Mapping[str, Any]) -> Any:
    """A study with other values at some paths; they may be traced."""
    for path, value in values.items():
        table = _replaced(table, path.split("."), value)
    return table


def check_sweep(study: Any, sweep: Sweep) -> None:
    """Raise `StudyError` for the first rule that a sweep breaks."""
    known = names_of(*study.kinds)
    allowed = {*known}.union(*(elements(name, study.sizes) for name in known))
    for name in sweep.quantities:
        require(("sweep", "quantities"), f"among {listed(known)}", name, name in allowed)
    require(("sweep", "axes"), "a table of one axis or more", {}, bool(sweep.axes))
    for path, axis in sweep.axes.items():
        place = ("sweep", "axes", path)
        _check_path(place, study, path)
        _check_axis(place, axis)
    names = list(sweep.names.values())
    for path, name in sweep.names.items():
        free = name not in TAKEN and names.count(name) == 1
        require(("sweep", "axes", path, "name"), "a name that is not taken", name, free)
    for path in sweep.derivatives:
        rule = f"one of the axes, {listed([*sweep.axes])}"
        require(("sweep", "derivatives"), rule, path, path in sweep.axes)


def _check_axis(place: Path, axis: Axis) -> None:
    spaced = ("start", "stop", "points")
    given = [name for name in (*spaced, "spacing", "values") if getattr(axis, name) is not None]
    if given not in (["values"], [*spaced], [*spaced, "spacing"]):
        found = listed(given) if given else "empty"
        rule = "a list of `values`, or `start`, `stop` and `points` with or without `spacing`"
        raise StudyError(f"Argument `{'.'.join(place)}` must be {rule}, but is {found}.")
    if axis.spacing == "log":
        for name in ("start", "stop"):
            value = getattr(axis, name)
            require((*place, name), "positive for a spacing of `log`", value, value > 0)


def _check_path(place: Path, study: Any, path: str) -> None:
    """Check that the path, a key at `place`, leads to a number of the study, given or left out."""
    head, *parts = path.split(".")
    if head not in VARYING:
        refuse_unknown((*place[:-1], head), VARYING)
    table, reached = getattr(study, head), [head]
    for position, part in enumerate(parts, 1):
        if table is None:
            refuse_missing(tuple(reached), "given where a number in it varies")
        keys = _keys(table)
        if part not in keys:
            refuse_unknown((*place[:-1], *reached, part), keys or ["a number"])
        reached.append(part)
        if position < len(parts):
            table = _entry(table, part)
    number = bool(parts) and _is_number(_declared(study, [head, *parts]))
    number = number and not isinstance(value_at(study, path), Struct)
    require(place, "the path of a number that varies continuously", path, number)


def _keys(table: Any) -> list[str]:
    if isinstance(table, Struct):
        return [item.name for item in fields(table)]
    return [str(index) for index in range(len(table))] if isinstance(table, tuple) else []


def _entry(table: Any, key: str) -> Any:
    return table[int(key)] if isinstance(table, tuple) else getattr(table, key)


def _is_number(declared: Any) -> bool:
    try:
        kind, _ = typed(declared)
    except StopIteration:  # a table of its own
        return False
    return kind is float or kind == float | tuple[float, float]


def _declared(table: Any, parts: list[str]) -> Any:
    """The type that is declared for the value at a path."""
    declared: Any = None
    for part in parts:
        if isinstance(table, Struct):
            declared = next(item.type for item in fields(table) if item.name == part)
        else:
            declared = get_args(typed(declared)[0])[0]
        table = _entry(table, part)
    return declared


def _replaced(table: Any, parts: list[str], value: Any) -> Any:
    head, *rest = parts
    new = _replaced(_entry(table, head), rest, value) if rest else value
    if isinstance(table, tuple):
        index = int(head)
        return (*table[:index], new, *table[index + 1 :])
    return replace(table, **{head: new})


def _about(study: Any, path: str) -> dict[str, str]:
    """The attributes of an axis: its path in the study, and its unit if that is known."""
    _, rule = typed(_declared(study, path.split(".")))
    return {"long_name": path} | ({"units": rule.units} if rule.units else {})


def _short(path: str, others: Iterable[str]) -> str:
    parts = path.split(".")
    ends = (parts[-length:] for length in range(1, len(parts)))
    # The place of a number in a list is no name.
    for end in (end for end in ends if not (end[0].isdigit() and end[-1].isdigit())):
        own = sum(other.split(".")[-len(end) :] == end for other in others) == 1
        if own and ".".join(end) not in TAKEN:
            return ".".join(end)
    return path
