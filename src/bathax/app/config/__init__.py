"""Study files: what `bathax run` computes, written in TOML and checked in milliseconds.

A study is a set of tables, each declared in `schema` as a class whose fields carry their own rule,
`frequency: Positive`. The first broken rule raises `StudyError`, one sentence that names the
dotted path, the rule and the value. Nothing here imports JAX before `Study.build`, so a mistake
is reported before the seconds that importing and compiling take.
"""

import tomllib
from pathlib import Path
from typing import Any

from msgspec import convert

from bathax.app.config.checking import check
from bathax.app.config.rules import StudyError
from bathax.app.config.schema import Study, check_relations

__all__ = ["Study", "StudyError", "kind_of", "load", "parse", "read", "table"]


def load(path: str | Path) -> Study:
    """The study in a TOML file, checked; raises `StudyError` where it breaks a rule."""
    return parse(read(path), Path(path).parent)


def read(path: str | Path) -> str:
    """The text of a study file."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StudyError(f"Study file `{path}` does not exist.") from None
    except OSError as error:
        raise StudyError(f"Study file `{path}` cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise StudyError(f"Study file `{path}` is not text in UTF-8.") from None


def parse(text: str, folder: Path) -> Study:
    """The study in a TOML text, checked; the files it names are found from `folder`."""
    content = table(text)

    def decode(kind: type, value: Any) -> Any:
        return kind(folder / value)

    check((), content, Study, decode)
    study = convert(content, Study, dec_hook=decode)
    check_relations(study)
    return study


def table(text: str) -> dict[str, Any]:
    """The study as a nested table, not checked."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"The study is not valid TOML: {error}.") from None


def kind_of(study: Study) -> str:
    """What the study is about: a "cavity" or a "qubit"."""
    return str(study.system.__struct_config__.tag)
