"""How objects are shown: densities and systems by their parameters, results as a table.

A table has one content, which a terminal shows as text and a notebook as HTML. Traced and batched
numbers show as their type and shape, like `f64[20]`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from html import escape
from typing import Any, NamedTuple, dataclass_transform

import equinox as eqx
import jax
import numpy as np
import wadler_lindig as wl
from jax.core import Tracer

from bathax._status import Status

# The width of a screen, and the size up to which arrays show their numbers.
WIDTH, SMALL = 100, 8


@dataclass_transform(field_specifiers=(eqx.field,))
class Listed(type(eqx.Module)):  # pyright: ignore[reportGeneralTypeIssues]
    """Classes of which `dir`, and with it `help`, lists only names without underscores and J(w).

    Otherwise half of `help` is what equinox, dataclasses and Python add to a class.
    """

    def __dir__(cls) -> list[str]:
        call = [name for base in cls.__mro__[:-1] for name in vars(base) if name == "__call__"]
        return [name for name in super().__dir__() if not name.startswith("_")] + call[:1]


class Module(eqx.Module, metaclass=Listed):
    """A module with a short `help`, the base of all classes that are public."""


class Shown(Module):
    """A module that shows the values of its fields, on one line if they fit; as HTML in a table."""

    def _given(self) -> dict[str, Any]:
        """Names and values as the class takes them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __pdoc__(self, **options: Any) -> wl.AbstractDoc:
        values = wl.named_objs(self._given().items(), **options)
        start = wl.TextDoc(f"{type(self).__name__}(")
        return wl.bracketed(start, values, wl.comma, wl.TextDoc(")"), options["indent"])

    def __repr__(self) -> str:
        return shown(self)

    def _repr_html_(self) -> str:
        return Table(type(self).__name__, ("parameter", "value"), _leaves("", self)).html


def _leaves(name: str, value: Any) -> list[list[str]]:
    """Rows with the dotted name and the value of each number in an object."""
    if isinstance(value, tuple):
        inside = dict(enumerate(value))
    elif isinstance(value, Shown):
        inside = value._given()
    else:
        return [[name, shown(value)]]
    own = {f"{name}.{key}".lstrip("."): one for key, one in inside.items()}
    return [row for key, one in own.items() for row in _leaves(key, one)]


def shown(value: object, width: int = WIDTH) -> str:
    """A value with the numbers in it, in lines of this width."""
    return wl.pformat(value, width=width, custom=_array)


def number(x: bool | int | float | complex) -> str:
    """A number of an array: six digits if it is real, four of each part if it is complex."""
    if isinstance(x, bool):
        return str(x)
    if isinstance(x, complex) and x.imag:
        return f"{x:.4g}"
    return f"{x.real:.6g}"


def _array(value: object) -> wl.AbstractDoc | None:
    """The numbers of a small array that is known, the type and shape of another one."""
    if not isinstance(value, jax.Array | np.ndarray):
        return None
    if isinstance(value, Tracer) or value.size > SMALL:
        return wl.array_summary(value.shape, value.dtype.name, kind=None)
    return wl.TextDoc(_listed(np.asarray(value).tolist()))


def _listed(values: Any) -> str:
    return f"[{', '.join(map(_listed, values))}]" if isinstance(values, list) else number(values)


class Table(NamedTuple):
    """A heading, a table whose first column has names, and sentences below it."""

    heading: str
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    notes: Sequence[str] = ()

    @property
    def text(self) -> str:
        """The table for a terminal: names flush left, numbers flush right."""
        lines = [self.columns, *self.rows] if any(self.columns) else self.rows
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        table = [
            "  ".join([name.ljust(widths[0]), *map(str.rjust, rest, widths[1:])]).rstrip()
            for name, *rest in lines
        ]
        return "\n".join([self.heading, *table, *self.notes])

    @property
    def html(self) -> str:
        """The table for a notebook."""
        rows = [[f"<td>{escape(cell)}</td>" for cell in row] for row in self.rows]
        head = [f"<th>{escape(cell)}</th>" for cell in self.columns]
        table = "".join(f"<tr>{''.join(row)}</tr>" for row in [head, *rows])
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"<p><b>{escape(self.heading)}</b></p><table>{table}</table>{notes}"


class Tabular:
    """What shows as a table, in a terminal and in a notebook."""

    def _table(self) -> Table:
        """What it is, its numbers and how it ended."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self._table().text

    def _repr_html_(self) -> str:
        return self._table().html


class Course(Tabular):
    """A result with quantities at the times `t`, an `error` of each of them, and a `status`."""

    def _table(self) -> Table:
        own: Any = self
        errors = vars(own.error)
        values = {name: getattr(self, name) for name in errors}
        return over_time(type(self).__name__, own.t, values, errors, ending(own.status))

    @property
    def message(self) -> str:
        """The status in words; for concrete values only."""
        own: Any = self
        return Status(int(own.status)).message


class Record(Tabular, Module):
    """A result of a few numbers, one in each row of its table."""

    def _table(self) -> Table:
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        rows = [[name, _briefly(value)] for name, value in own.items() if name != "status"]
        notes = [ending(own["status"])] if "status" in own else []
        return Table(type(self).__name__, ("", ""), rows, notes)


def _briefly(value: Any) -> str:
    """A value, of one that has a table only the heading."""
    return value._table().heading if isinstance(value, Tabular) else shown(value)


def ending(status: Any) -> str:
    """How a computation ended in words, or how many points of a batch ended how."""
    if isinstance(status, Tracer):
        return f"status: {shown(status)}"
    kinds, counts = np.unique(np.asarray(status), return_counts=True)
    if np.ndim(status) == 0:
        return f"status: {Status(int(kinds[0])).message}"
    parts = [f"{count} {Status(kind).name}" for kind, count in zip(kinds, counts, strict=True)]
    return f"status: {', '.join(parts)}"


def over_time(
    heading: str, t: Any, values: Mapping[str, Any], errors: Mapping[str, Any], *notes: str
) -> Table:
    """A table of quantities at the first, the middle and the last time, with the largest errors.

    For traced and batched quantities it has their shapes.
    """
    leaves = jax.tree.leaves((t, values, errors))
    if np.ndim(t) != 1 or any(isinstance(leaf, Tracer) for leaf in leaves):
        rows = [[name, _summary(value)] for name, value in values.items()]
        return Table(f"{heading} at times {_summary(t)}", ("", ""), rows, notes)
    t = np.asarray(t)
    places = sorted({0, len(t) // 2, len(t) - 1})
    rows = [
        [
            name,
            *(number(x) for x in one[places].tolist()),
            f"{np.max(np.asarray(errors[whole])):.1e}" if whole in errors else "",
        ]
        for whole, value in values.items()
        for name, one in _elements(whole, np.asarray(value))
    ]
    columns = ["", *(f"t = {number(x)}" for x in t[places].tolist()), "largest error"]
    times = f"{len(t):,} times, t = {number(t[0].item())} to {number(t[-1].item())}"
    return Table(f"{heading} at {times}", columns, rows, notes)


def _elements(name: str, value: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """A quantity over time; of several numbers at each time, each of a few, or none of many."""
    shape = value.shape[1:]
    for place in np.ndindex(shape) if math.prod(shape) <= SMALL else ():
        label = f"{name}[{', '.join(map(str, place))}]" if place else name
        yield label, value[:, *place]


def _summary(value: Any) -> str:
    """The type and shape of an array, whatever its size."""
    return wl.pformat(wl.array_summary(value.shape, value.dtype.name, kind=None))
