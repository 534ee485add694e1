"""Studies, columns and matrices as files that were changed at random, for hypothesis to draw."""

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

# --- Studies ------------------------------------------------------------------------------------

CAVITY = """\
[system]
kind = "cavity"
frequency = 1.0
initial = { fock = 2 }
[[reservoir]]
temperature = 3.0
spectral_density = { kind = "ohmic", eta = 0.05, cutoff = 5.0 }
[time]
stop = 5.0
points = 11
"""
PARTS = {
    "fock = 2": [
        "coherent = [1.0, -0.5]",
        "squeezed = 0.5, angle = 1.0, nbar = 0.1",
        "mixture = [0.25, 0.75]",
        "gaussian = { displacement = 1.0, excess = 0.5, anomalous = [0.1, 0.2] }",
        'density_matrix = "rho.npy", levels = 16',
    ],
    'kind = "ohmic", eta = 0.05, cutoff = 5.0': [
        'kind = "tabulated", file = "j.csv"',
        'kind = "discrete", frequencies = [1.0, 1.2], couplings = [0.1, 0.2]',
        'kind = "scaled", factor = 2, density = { kind = "drude_lorentz", eta = 0.1, cutoff = 5 }',
        'kind = "sum", terms = [{ kind = "ohmic", eta = 0.1, cutoff = 5.0, exponent = 2.0 }]',
    ],
    "temperature = 3.0\n": ["", 'occupation = { kind = "uniform", number = 0.5 }\n'],
    "[time]\n": [
        '[solver]\nkind = "volterra"\nrtol = 1e-8\npoints = 128\n[time]\n',
        '[solver]\nkind = "resonance"\nnodes = 64\n[time]\n',
        '[sweep]\nquantities = ["energy"]\naxes = { "system.frequency" = { values = [1, 2] } }\n'
        "[time]\n",
        '[fit]\nfree = ["system.frequency"]\nstarts = 2\n[time]\n',
    ],
}
ODD = [
    *("nan", "inf", "-inf", "-1", "0", "0.0", "-0.0", "1e400", "1e-400", "1_0", "0x10", "true"),
    *("'x'", '""', "[]", "{}", "1979-05-27", "9" * 25, "9" * 400, "1e300", "[1.0, 2.0]", "1,5"),
]
NUMBER = re.compile(r"-?\d+\.?\d*(?:e-?\d+)?")
CHARACTERS = st.sampled_from([*"=[]{}\"',.#-_0159aeJtw \n\t\\", "\0", "\ufeff", "é", "µ", "−"])
ENCODINGS = ["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "utf-32"]


@st.composite
def studies(draw: Any) -> bytes:
    """A study with some of its parts, lines, numbers and characters changed."""
    text = CAVITY
    for part, others in PARTS.items():
        text = text.replace(part, draw(st.sampled_from([part, *others])))
    for _ in range(draw(st.integers(0, 3))):
        text = draw(st.sampled_from([_number, _line, _character, _word]))(draw, text)
    return _encoded(draw, text)


def _number(draw: Any, text: str) -> str:
    """Another thing in the place of a number."""
    places = list(NUMBER.finditer(text))
    if not places:
        return text
    place = draw(st.sampled_from(places))
    return text[: place.start()] + draw(st.sampled_from(ODD)) + text[place.end() :]


def _line(draw: Any, text: str) -> str:
    """A line less, twice or elsewhere."""
    lines = text.split("\n")
    here, there = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    line = lines[here] if draw(st.booleans()) else lines.pop(here)
    if draw(st.booleans()):
        lines.insert(there, line)
    return "\n".join(lines)


def _character(draw: Any, text: str) -> str:
    """A character less, or another one."""
    here = draw(st.integers(0, max(len(text) - 1, 0)))
    new = draw(st.one_of(st.just(""), CHARACTERS))
    return text[:here] + new + text[here + draw(st.integers(0, 1)) :]


def _word(draw: Any, text: str) -> str:
    """One word in the place of another."""
    words = list(re.finditer(r"\w+", text))
    if not words:
        return text
    place, other = draw(st.sampled_from(words)), draw(st.sampled_from(words))
    return text[: place.start()] + other[0] + text[place.end() :]


def _encoded(draw: Any, text: str) -> bytes:
    text = text.replace("\n", draw(st.sampled_from(["\n", "\r\n", "\r"])))
    return text.encode(draw(st.sampled_from(ENCODINGS)), errors="replace")


# --- Columns ------------------------------------------------------------------------------------


class Sheet(NamedTuple):
    """Names and rows of cells, and how they are written."""

    names: list[str]
    rows: list[list[str]]
    delimiter: str


@st.composite
def sheets(draw: Any) -> Sheet:
    """Times in order, an energy with gaps and its error."""
    numbers = st.sampled_from(["0.5", "2", "1e-3", "3.25", ".125", "+4.", "7E0"])
    times = [f"{0.25 * k:g}" for k in range(draw(st.integers(2, 6)))]
    rows = [[t, draw(numbers), draw(numbers)] for t in times]
    rows[-1][1] = draw(st.sampled_from([rows[-1][1], "", "nan"]))
    return Sheet(["t", "energy", "energy_error"], rows, draw(st.sampled_from(",;\t")))


def written(sheet: Sheet) -> str:
    """The text of a sheet."""
    return "".join(sheet.delimiter.join(row) + "\n" for row in [sheet.names, *sheet.rows])


PLAIN: dict[str, Callable[[Sheet, str], str]] = {
    "nothing": lambda _, text: text,
    "comments": lambda _, text: "# made, by hand\n" + text.replace("\n", "\n% x;y\n", 1),
    "empty rows": lambda sheet, text: text.replace("\n", f"\n\n{2 * sheet.delimiter}\n"),
    "trailing": lambda sheet, text: text.replace("\n", f"{sheet.delimiter}\n"),
    "spaces": lambda sheet, text: text.replace(sheet.delimiter, f" {sheet.delimiter} "),
    "units": lambda _, text: text.replace("energy", "energy [eV]", 1),
    "quotes": lambda _, text: re.sub(r"[^,;\t\n]+", r'"\g<0>"', text),
    "header": lambda _, text: f"# {text}",
}
BROKEN: dict[str, Callable[[Any, Sheet], Sheet | str]] = {
    "a column twice": lambda draw, sheet: _with_column(sheet, draw(st.sampled_from(sheet.names))),
    "a nameless column": lambda _, sheet: _with_column(sheet, "", first=True),
    "an unknown column": lambda _, sheet: _with_column(sheet, "enrgy"),
    "a cell less": lambda draw, sheet: _with_row(draw, sheet, lambda row: row[:-1]),
    "a cell more": lambda draw, sheet: _with_row(draw, sheet, lambda row: [*row, "1"]),
    "a word": lambda draw, sheet: _with_cell(
        draw, sheet, ["two", "inf", "1e999", "1_0", "--1", "1 2", "0x1", "1.2.3", "1.5 # bad", '"1']
    ),
    "no time": lambda draw, sheet: _with_row(draw, sheet, lambda row: ["", *row[1:]]),
    "no header": lambda _, sheet: written(sheet).split("\n", 1)[1],
    "no times": lambda _, sheet: written(sheet).replace("t", "x", 1),
    "no rows": lambda _, sheet: written(sheet).split("\n")[0],
    "nothing": lambda draw, _: draw(st.sampled_from(["", "\n\n", "# t\n"])),
    "binary": lambda _, sheet: written(sheet) + "\0",
}


def _with_column(sheet: Sheet, name: str, *, first: bool = False) -> Sheet:
    place = 0 if first else len(sheet.names)
    rows = [[*row[:place], "1", *row[place:]] for row in sheet.rows]
    return sheet._replace(names=[*sheet.names[:place], name, *sheet.names[place:]], rows=rows)


def _with_row(draw: Any, sheet: Sheet, change: Callable[[list[str]], list[str]]) -> Sheet:
    place = draw(st.integers(0, len(sheet.rows) - 1))
    rows = [change(row) if k == place else row for k, row in enumerate(sheet.rows)]
    return sheet._replace(rows=rows)


def _with_cell(draw: Any, sheet: Sheet, words: list[str]) -> Sheet:
    word, place = draw(st.sampled_from(words)), draw(st.integers(0, 2))
    return _with_row(draw, sheet, lambda row: [*row[:place], word, *row[place + 1 :]])


@st.composite
def plain_columns(draw: Any) -> tuple[bytes, Sheet]:
    """A sheet written in one of the usual ways, and what it holds."""
    sheet = draw(sheets())
    text = PLAIN[draw(st.sampled_from([*PLAIN]))](sheet, written(sheet))
    if sheet.delimiter != "," and draw(st.booleans()):
        text = text.replace(".", ",")
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]))
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n", "\r"]))).encode(encoding), sheet


@st.composite
def broken_columns(draw: Any) -> bytes:
    """A sheet that has lost its meaning."""
    found = BROKEN[draw(st.sampled_from([*BROKEN]))](draw, draw(sheets()))
    return (found if isinstance(found, str) else written(found)).encode()


@st.composite
def noisy_columns(draw: Any, names: str = "t,energy,energy_error") -> bytes:
    """A sheet with such names and with some characters changed."""
    sheet = draw(sheets())
    text = written(sheet._replace(names=names.split(",")))
    for _ in range(draw(st.integers(1, 3))):
        text = draw(st.sampled_from([_character, _line, _word]))(draw, text)
    return _encoded(draw, text)


# --- Matrices -----------------------------------------------------------------------------------

RHO = np.array([[0.5, 0.5j], [-0.5j, 0.5]])


@st.composite
def matrices(draw: Any) -> bytes:
    """A matrix as NumPy saves it, with some bytes changed."""
    file = BytesIO()
    shapes = [
        RHO,
        RHO,
        RHO,
        RHO.real,
        RHO[0],
        np.eye(2, dtype=int),
        np.array(["a"]),
        np.array([None]),
    ]
    np.save(file, draw(st.sampled_from(shapes)))
    content = bytearray(file.getvalue())
    for _ in range(draw(st.integers(0, 3))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    is_cut = draw(st.sampled_from([True, False, False]))
    return bytes(content[: draw(st.integers(0, len(content)))] if is_cut else content)
