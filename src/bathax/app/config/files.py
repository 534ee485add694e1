"""The files that a study names, and the decoding of their text."""

import codecs
import re
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from tokenize import TokenError
from typing import Annotated, Any
from zipfile import BadZipFile

from msgspec import Struct
from msgspec.structs import asdict

from bathax.app.config.rules import Rule, StudyError

MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# Characters that no text contains; C1 controls show that the encoding is another one.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")

# The exceptions of NumPy for a file that is not its own.
NOT_NUMPY = (ValueError, TypeError, EOFError, OSError, OverflowError, MemoryError, SyntaxError)
NOT_NUMPY += (TokenError, BadZipFile)


class File:
    """A file and its contents, read once, so that later changes do not change a study."""

    # A plain class: msgspec would fill a dataclass from a table.
    def __init__(self, path: Path, content: bytes) -> None:
        self.path, self.content = path, content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, File) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.path, self.content))

    @classmethod
    def read(cls, path: Path) -> "File":
        """The file at a path; raises `StudyError` if there is none that can be read."""
        try:
            return cls(path, path.read_bytes())
        except FileNotFoundError:
            raise StudyError(f"File `{path}` does not exist.") from None
        except (OSError, ValueError) as error:  # a ValueError for a null character in the path
            raise StudyError(f"File `{path}` cannot be read: {_reason(error)}.") from None

    @property
    def digest(self) -> str:
        """The SHA-256 of the contents, as `sha256sum` prints it."""
        return sha256(self.content).hexdigest()

    def digests(self, path: str) -> dict[str, str]:
        """The digest of the contents, by the dotted path at which the file is named."""
        return {path: f"{self.path.name}, SHA-256 {self.digest}"}

    def text(self) -> str:
        """The contents as text: UTF-8, UTF-16 with a byte order mark, or Latin-1 (Windows-1252)."""
        encoding = next((MARKS[mark] for mark in MARKS if self.content.startswith(mark)), None)
        for attempt in [encoding] if encoding else ["utf-8", "cp1252"]:
            try:
                text = self.content.decode(attempt)
            except UnicodeDecodeError:
                continue
            if not CONTROL.search(text):
                return text.replace("\r\n", "\n").replace("\r", "\n")
        raise StudyError(f"File `{self.path}` is not text; it should be saved as UTF-8.")

    def matrix(self) -> Any:
        """The array in a `.npy` file."""
        import numpy as np

        try:
            found = np.load(BytesIO(self.content), allow_pickle=False)
        except NOT_NUMPY:
            found = None
        if not isinstance(found, np.ndarray) or found.dtype.kind not in "iufc":
            rule = "one array of numbers saved by `numpy.save`"
            raise StudyError(f"File `{self.path}` must hold {rule}.")
        return found


NamedFile = Annotated[File, Rule("the path of an existing file", lambda file: file is not None)]


def found_from(folder: Path, name: str) -> Path:
    """The path of a file named relative to a folder; it may be written as on Windows."""
    as_written = folder / name
    return as_written if as_written.exists() else folder / name.replace("\\", "/")


def digests(table: Any, path: str = "") -> dict[str, str]:
    """The digests of all files in a checked table, by their dotted paths in the study."""
    if isinstance(table, File):
        return table.digests(path)
    if isinstance(table, Struct):
        items = asdict(table).items()
    else:
        items = enumerate(table) if isinstance(table, tuple) else ()
    found: dict[str, str] = {}
    for key, item in items:
        found |= digests(item, f"{path}.{key}".lstrip("."))
    return found


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
