"""What becomes of files that were spoilt on the way? 12,000 of them, read as the command does.

Writes file_campaign.md. Valid studies, data and matrices are changed at random. What keeps its
meaning has to be read with the same numbers, what loses it has to be refused in one sentence, and
where it is not known which of both, what is read has to be what another reader finds there.
"""

import math
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
from _timing import machine_line
from hypothesis import HealthCheck, Phase, given, settings
from spoilt_files import (
    RHO,
    Sheet,
    broken_columns,
    matrices,
    noisy_columns,
    plain_columns,
    studies,
)

import bathax as bx
from bathax._checks import is_valid
from bathax.app import config, fitting
from bathax.app.config.checking import blaming
from bathax.app.config.columns import Columns, read_columns, spectral_density
from bathax.app.config.files import File

BROKEN = "columns, broken"
EXAMPLES = {
    "studies": 5000,
    "columns, plain": 1000,
    BROKEN: 2000,
    "columns, noise": 1500,
    "tables, noise": 1500,
}
EXAMPLES |= {"matrices": 1000}
LONGEST = 600


def read_study(content: bytes, folder: Path) -> None:
    """Read a study and build what it describes, which must be what another reader finds in it."""
    path = folder / "study.toml"
    path.write_bytes(content)
    text = config.read(path)
    study = config.parse(text, folder)
    known = dict(_leaves(msgspec.to_builtins(study, enc_hook=lambda file: file.path.name)))
    written = dict(_leaves(tomllib.loads(text)))
    assert written.items() <= known.items(), (written, known)
    system, initial, times, _ = study.build()
    assert bool(is_valid(system))
    assert bool(is_valid(initial))
    assert np.all(np.diff(times) > 0.0)


def _leaves(table: Any, path: tuple = ()) -> Iterator[tuple[tuple, Any]]:
    """What stands at the ends of a nested table."""
    if isinstance(table, dict | list | tuple):
        items = table.items() if isinstance(table, dict) else enumerate(table)
        for key, item in items:
            yield from _leaves(item, (*path, key))
    else:
        is_integer = isinstance(table, int) and not isinstance(table, bool)
        yield path, float(table) if is_integer else table


def read_plain(example: tuple[bytes, Sheet], folder: Path) -> None:
    """Read columns, which must be those that were written."""
    content, sheet = example
    columns = read_columns(File(folder / "d.csv", content), "t,energy")
    for place, name in enumerate(sheet.names):
        expected = [float(row[place] or "nan") for row in sheet.rows]
        np.testing.assert_array_equal(columns.numbers(name, gaps=True), expected)


def read_broken(content: bytes, folder: Path) -> None:
    """Read data that cannot be read."""
    fitting.read_data(File(folder / "d.csv", content), ["cavity"])
    raise AssertionError("what is broken was read")


def read_noisy(content: bytes, folder: Path) -> None:
    """Read data whose numbers, if it has any, must stand in the lines they are from."""
    file = File(folder / "d.csv", content)
    fitting.read_data(file, ["cavity"])
    _require_written(file, read_columns(file, "t,energy"))


def read_table(content: bytes, folder: Path) -> None:
    """Read a spectral density, for which the same holds."""
    file = File(folder / "j.csv", content)
    with blaming("spectral_density"):
        bx.Tabulated(*spectral_density(file))
    columns = read_columns(file, "w,J")
    _require_written(
        file,
        columns._replace(
            cells={name: columns.cells[name] for name in columns.cells if name in "wJ"}
        ),
    )


def _require_written(file: File, columns: Columns) -> None:
    lines = file.text().replace('"', "").split("\n")
    table = [columns.numbers(name, gaps=True) for name in columns.cells]
    for number, row in zip(columns.lines, np.transpose(table), strict=True):
        line = lines[number - 1]
        points, commas = re.split(r"[;\t ]+|,", line), re.split(r"[;\t ]+", line.replace(",", "."))
        values = [value for value in row if not math.isnan(value)]
        # Each value is looked for behind the one before.
        readings = (_floats(points), _floats(commas))
        assert any(all(value in reading for value in values) for reading in readings), line


def _floats(cells: list[str]) -> Iterator[float]:
    """The numbers in some cells."""
    for cell in cells:
        with suppress(ValueError):
            yield float(cell)


def read_matrix(content: bytes, folder: Path) -> None:
    """Read a density matrix, which must be one."""
    try:
        state = bx.QubitState(File(folder / "rho.npy", content).matrix())
    except ValueError as error:
        raise config.StudyError("The matrix is no density matrix.") from error
    assert bool(is_valid(state))


# --- The campaign -------------------------------------------------------------------------------

READERS: dict[str, tuple[Any, Callable[[Any, Path], None]]] = {
    "studies": (studies(), read_study),
    "columns, plain": (plain_columns(), read_plain),
    BROKEN: (broken_columns(), read_broken),
    "columns, noise": (noisy_columns(), read_noisy),
    "tables, noise": (noisy_columns("w,J,note"), read_table),
    "matrices": (matrices(), read_matrix),
}


def campaign(kind: str, examples: int) -> Counter:
    """How many files of a kind were read, and how many refused; what else happens is raised."""
    strategy, read = READERS[kind]
    counts: Counter = Counter()

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def attempt(example: Any) -> None:
        try:
            read(example, folder)
            counts["read"] += 1
        except config.StudyError as error:
            sentence = str(error)
            assert sentence.endswith((".", "?")), sentence
            assert "\n" not in sentence, sentence
            assert len(sentence) < LONGEST, sentence
            counts["refused"] += 1

    with TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "rho.npy", RHO)
        (folder / "j.csv").write_text("w,J\n1,0\n2,1\n3,0\n")
        attempt()
    # A reader that refuses all of them would tell nothing.
    assert counts["read"] or kind == BROKEN
    return counts


def main() -> None:
    """Read all files and write the table."""
    lines = ["# Files that were spoilt on the way", "", __doc__.split("\n\n", 1)[1].strip(), ""]
    lines += [machine_line("bathax", "hypothesis"), "", "| | files | read | refused |", "|-|-|-|-|"]
    for kind, examples in EXAMPLES.items():
        counts = campaign(kind, examples)
        row = [kind, f"{counts.total():,}", f"{counts['read']:,}", f"{counts['refused']:,}"]
        lines.append(f"| {' | '.join(row)} |")
        print(lines[-1], flush=True)
    text = "\n".join([*lines, "", "Tracebacks: none. Numbers other than those written: none.", ""])
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
