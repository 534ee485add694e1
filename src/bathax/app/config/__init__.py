"""Study files: what `bathax run` computes, written in TOML and checked in milliseconds.

A study is a set of tables, each declared in `schema` as a class whose fields carry their own rule,
`frequency: Positive`. The first broken rule raises `StudyError`, one sentence that names the
dotted path, the rule and the value. Nothing here imports JAX before `Study.build`, so a mistake
is reported before the seconds that importing and compiling take.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

from msgspec import convert

from bathax.app.config.checking import BACKSLASH, check
from bathax.app.config.files import File, digests, found_from
from bathax.app.config.rules import StudyError
from bathax.app.config.schema import Study, check_relations

__all__ = [
    "Study",
    "StudyError",
    "definition",
    "digests",
    "kinds_of",
    "load",
    "parse",
    "read",
    "table",
]


def load(path: str | Path) -> Study:
    """The study in a TOML file, checked; raises `StudyError` where it breaks a rule."""
    return parse(read(path), Path(path).parent)


def read(path: str | Path) -> str:
    """The text of a study file."""
    try:
        return File.read(Path(path)).text()
    except StudyError as error:
        raise StudyError(str(error).replace("File", "Study file", 1)) from None


def parse(text: str, folder: Path) -> Study:
    """The study in a TOML text, checked; the files it names are found from `folder` and read."""
    content = table(text)

    def decode(kind: type[File], value: Any) -> Any:
        return kind.read(found_from(folder, value))

    check((), content, Study, decode)
    study = convert(content, Study, dec_hook=decode)
    check_relations(study)
    return study


def table(text: str) -> dict[str, Any]:
    """The study as a nested table, not checked."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise StudyError("The study is not valid TOML: too many brackets are open.") from None
    except ValueError as error:
        raise StudyError(f"The study is not valid TOML: {error}{_hint(text, error)}.") from None


def definition(text: str, study: Study) -> dict[str, Any]:
    """What a result depends on: the study as a table, and the digests of the files it names."""
    files = digests(study)
    return table(text) | ({"files": files} if files else {})


def kinds_of(study: Study) -> tuple[str, ...]:
    """The kinds of system in a study: "cavity", "qubit" or several "modes", and "driven"."""
    return study.kinds


def _hint(text: str, error: ValueError) -> str:
    """A hint for a line that is not valid TOML."""
    line = re.search(r"at line (\d+)", str(error))
    wrong = text.split("\n")[int(line[1]) - 1] if line else ""
    return f"; {BACKSLASH}" if re.search(r'".*\\', wrong) else ""
