"""Columns of numbers in a text file: `w,J` of a spectral density, `t,energy,...` of an experiment.

Spreadsheets and instruments write such files in many ways. A file is read if it has one meaning,
and refused otherwise, with the line and what is expected there.
"""

import csv
import re
from typing import Any, NamedTuple, NoReturn

from bathax.app.config.files import File
from bathax.app.config.rules import StudyError

Line = tuple[int, list[str]]

COMMENT = ("#", "%")
# A header has the first of these as its delimiter; without any of them it has spaces.
DELIMITERS = "\t;,"
# `energy`, `energy [eV]`, `energy (eV)` or `energy / eV`.
NAME = re.compile(r"([A-Za-z]\w*)\s*(?:\[(.*)\]|\((.*)\)|/\s*(\S.*))?")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
# A number with a decimal comma, and one whose comma may separate thousands.
COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?")
THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
MISSING = {"", "nan", "na", "n/a"}


class Columns(NamedTuple):
    """The cells of a file by column, the units that its header names, and the lines of its rows."""

    file: File
    units: dict[str, str]
    lines: list[int]
    cells: dict[str, list[str]]

    def numbers(self, name: str, *, gaps: bool = False) -> Any:
        """A column as an array; with `gaps` a cell may be empty, which is NaN."""
        import numpy as np

        values = []
        for line, cell in zip(self.lines, self.cells[name], strict=True):
            if gaps and cell.lower() in MISSING:
                values.append(np.nan)
            elif NUMBER.fullmatch(cell) and np.isfinite(float(cell)):
                values.append(float(cell))
            else:
                rule = "a number or nothing" if gaps else "a number"
                _refuse(self.file, f"have {rule} as `{name}`", line, repr(cell))
        return np.array(values)

    def require_same_unit(self, one: str, other: str) -> None:
        """Refuse two columns of the same kind whose header gives them different units."""
        units = self.units.get(one), self.units.get(other)
        if None not in units and units[0] != units[1]:
            found = f"`{units[0]}` and `{units[1]}`"
            rule = f"have `{one}` and `{other}` in the same unit"
            raise StudyError(f"File `{self.file.path}` must {rule}, but has them in {found}.")


def read_columns(file: File, example: str) -> Columns:
    """The columns of a file, whose header should be like the `example`."""
    line, names, rows = _table(file, example)
    if not rows:
        raise StudyError(f"File `{file.path}` must have a line of numbers below the header.")
    named = [NAME.fullmatch(name) for name in names]
    for name, found in zip(names, named, strict=True):
        if found is None:
            _refuse(
                file,
                f"name its columns, like `{example}`,",
                line,
                repr(name) if name else "a column without one",
            )
    labels = [found[1] for found in named if found]
    for label in labels:
        if labels.count(label) > 1:
            times = "twice" if labels.count(label) == 2 else f"{labels.count(label)} times"
            _refuse(file, "name every column once", line, f"`{label}` {times}")
    units = {found[1]: unit for found in named if found for unit in found.groups()[1:] if unit}
    cells = _decimal([row for _, row in rows])
    columns = [[row[place] for row in cells] for place in range(len(labels))]
    return Columns(
        file, units, [number for number, _ in rows], dict(zip(labels, columns, strict=True))
    )


def spectral_density(file: File) -> tuple[Any, ...]:
    """The columns `w` and `J` of a file, and `J_error` if it has one, as arrays."""
    columns = read_columns(file, "w,J")
    missing = [name for name in ("w", "J") if name not in columns.cells]
    if missing:
        found = ", ".join(columns.cells)
        raise StudyError(f"File `{file.path}` must have the columns `w,J`, but has {found}.")
    columns.require_same_unit("w", "J")
    known = [name for name in ("w", "J", "J_error") if name in columns.cells]
    return tuple(columns.numbers(name) for name in known)


def _table(file: File, example: str) -> tuple[int, list[str], list[Line]]:
    """The line number of the header, its names, and the rows, each as long as the header."""
    remarks, lines = _lines(file)
    header = _header(remarks, lines)
    if header is None:
        shown = f"line {lines[0][0]} is {lines[0][1]!r}" if lines else "it is empty"
        rule = f"must begin with a line that names the columns `{example}`"
        raise StudyError(f"File `{file.path}` {rule}, but {shown}.")
    delimiter = _delimiter(header[1])
    number, names = _split(file, header, delimiter)
    while names and not names[-1]:
        names.pop()
    body = lines[1:] if lines and lines[0] == header else lines
    rows = [_split(file, line, delimiter) for line in body]
    return number, names, [_fitted(file, row, len(names)) for row in rows if any(row[1])]


def _lines(file: File) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """The comments before the first line, and the lines that are neither comments nor empty."""
    numbered = [(n, line.strip(" ")) for n, line in enumerate(file.text().split("\n"), 1)]
    full = [(n, line) for n, line in numbered if line.strip()]
    lines = [(n, line) for n, line in full if not line.startswith(COMMENT)]
    first = lines[0][0] if lines else len(numbered) + 1
    return [(n, line.lstrip("#% ")) for n, line in full if n < first], lines


def _header(remarks: list[tuple[int, str]], lines: list[tuple[int, str]]) -> tuple[int, str] | None:
    """The first line, or the last comment before it if it holds numbers, as NumPy writes it."""
    if not lines:
        return None
    first = lines[0][1]
    cells = (cell.strip(' "') for cell in first.split(_delimiter(first)))
    if not any(NUMBER.fullmatch(cell) for cell in cells):
        return lines[0]
    return remarks[-1] if remarks else None


def _delimiter(header: str) -> str:
    return next((one for one in DELIMITERS if one in header), " ")


def _split(file: File, line: tuple[int, str], delimiter: str) -> Line:
    number, text = line
    try:
        (cells,) = csv.reader([text], delimiter=delimiter, skipinitialspace=True, strict=True)
    except (csv.Error, ValueError):
        _refuse(file, "have cells whose quotation marks are closed", number, repr(text))
    return number, [cell.strip() for cell in cells]


def _fitted(file: File, row: Line, length: int) -> Line:
    """A row without additional empty cells at its end."""
    number, cells = row
    if len(cells) < length or any(cells[length:]):
        _refuse(file, f"have {length} cells, as many as there are names,", number, f"{len(cells)}")
    return number, cells[:length]


def _decimal(rows: list[list[str]]) -> list[list[str]]:
    """The cells with decimal points, if their commas certainly are decimal commas."""
    cells = [cell for row in rows for cell in row]
    is_certain = any(COMMA.fullmatch(cell) and not THOUSANDS.fullmatch(cell) for cell in cells)
    if not is_certain or any("." in cell for cell in cells):
        return rows
    return [[cell.replace(",", ".") for cell in row] for row in rows]


def _refuse(file: File, rule: str, line: int, found: str) -> NoReturn:
    """Raise `StudyError` for a line of a file."""
    raise StudyError(f"File `{file.path}` must {rule} in line {line}, but has {found}.")
