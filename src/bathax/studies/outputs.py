"""Paths of results, checked before anything is computed, with the standard library alone."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StoreError(Exception):
    """A result that cannot be written or read; the message is one sentence."""


def require_writable(folder: Path) -> None:
    """Raise `StoreError` unless files can be made in a folder, by making one."""
    if not folder.is_dir():
        raise StoreError(f"Folder `{folder}` does not exist.")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StoreError(f"Folder `{folder}` cannot be written to: {error.strerror}.") from error


def require_file(path: Path, *, overwrite: bool) -> None:
    """Raise `StoreError` unless a file can be written at a path; only `overwrite` replaces one."""
    if path.is_dir():
        raise StoreError(f"Path `{path}` is a folder, but must be that of a file.")
    if path.exists() and not overwrite:
        raise StoreError(f"File `{path}` exists; use --force (`overwrite=True`) to replace it.")
    require_writable(path.parent)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path to write to, which is renamed to `target` if the block succeeds."""
    path = target.parent / f".{target.name}.partial"
    try:
        yield path
        path.replace(target)
    except OSError as error:
        raise StoreError(f"File `{target}` cannot be written: {error.strerror}.") from error
    finally:
        path.unlink(missing_ok=True)
