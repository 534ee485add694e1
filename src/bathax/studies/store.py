"""Results on disk: zarr stores that are bathax's own, written whole or not at all."""

import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import xarray
import zarr
from zarr.abc.buffer import Buffer
from zarr.storage import MemoryStore

from bathax.studies.lookup import in_order
from bathax.studies.outputs import StoreError, require_writable

# Written into every store, and looked for before anything is read or replaced.
SOLUTION = "bathax solution, version 1"
MAP = "bathax map, version 1"
SWEEP = "bathax sweep, version 1"

Files = dict[str, Buffer]
Place = Path | MemoryStore


def format_of(path: Path) -> str:
    """What a store of bathax holds; an empty string for anything else."""
    try:
        found = str(zarr.open_group(path, mode="r").attrs.get("format"))
    except (OSError, ValueError):
        return ""
    return found if found.startswith("bathax ") else ""


def require_format(path: Path, *known: str) -> str:
    """The format of a store, refused unless it is one of those known."""
    if not path.exists():
        raise StoreError(f"Result `{path}` does not exist.")
    found = format_of(path)
    if not found:
        raise StoreError(f"Path `{path}` does not hold a bathax result.")
    if found not in known:
        expected = " or ".join(f"`{one}`" for one in known)
        raise StoreError(f"Result `{path}` has the format `{found}`, but must have {expected}.")
    return found


def opened(place: Place) -> xarray.Dataset:
    """A result, read where it is used; NaN where a sweep is not done, with a status of -1."""
    found = xarray.open_zarr(place, chunks=None, consolidated=False)
    # A folder has no order.
    return found[in_order(map(str, found.data_vars))]


@contextmanager
def writing(place: object) -> Iterator[None]:
    """Turn what the system says of a file into a sentence."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"Result `{place}` cannot be written: {error.strerror}.") from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what a codec says of a damaged chunk into a sentence that names the chunk."""
    try:
        yield
    except RuntimeError as error:
        found = _damaged(path)
        if found is None:
            raise
        name, places = found
        remedy = ""
        if format_of(path) == SWEEP:
            dimensions = zarr.open_array(path / "status", mode="r").ndim
            status = "/".join(["status", "c", *map(str, places[:dimensions])])
            remedy = f"; remove the file `{status}` in it, and --resume computes the box again"
        chunk = "/".join([name, "c", *map(str, places)])
        raise StoreError(f"Result `{path}` is damaged at `{chunk}`{remedy}.") from error


def _damaged(path: Path) -> tuple[str, tuple[int, ...]] | None:
    """The first array and chunk that cannot be decoded."""
    for name, array in zarr.open_group(path, mode="r").arrays():
        for file in sorted((path / name / "c").rglob("*")):
            if file.is_file():
                places = tuple(map(int, file.relative_to(path / name / "c").parts))
                try:
                    array.get_block_selection(places)
                except RuntimeError:
                    return name, places
    return None


def check_target(path: str | Path, *, overwrite: bool = False, resumable: bool = False) -> None:
    """Raise `StoreError` if no result can be written to `path`.

    Only an earlier result is ever replaced, so that a mistyped path costs nothing else. A sweep may
    be `resumable`, which the sentence then says.
    """
    path = Path(path)
    clear_leftovers(path)
    if path.exists() and not format_of(path):
        raise StoreError(f"Path `{path}` exists and does not hold a bathax result.")
    if path.exists() and not overwrite:
        resume = "--resume to go on with it or " if resumable and format_of(path) == SWEEP else ""
        raise StoreError(
            f"Result `{path}` exists; use {resume}--force (`overwrite=True`) to replace it."
        )
    require_writable(path.parent)


def clear_leftovers(path: Path) -> None:
    """Remove what a kill has left of an earlier writing; what it was to replace comes back."""
    folder = _staging_place(path)
    if (folder / "old").exists() and not path.exists():
        (folder / "old").rename(path)
    shutil.rmtree(folder, ignore_errors=True)


def write_files(files: Files, path: Path) -> None:
    """Write a store that was made in memory, in place of what there was at `path`.

    It appears when it is complete: whatever interrupts the writing leaves no trace, and an earlier
    result in its place. zarr itself writes from threads of its own, which go on after an error and
    would make a folder anew that has been removed.
    """
    with writing(path), _interrupt_deferred(), _staging(path) as folder:
        for name, content in files.items():
            file = folder / "new" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.to_bytes())
        _put_in_place(folder / "new", path, folder / "old")


@contextmanager
def _interrupt_deferred() -> Iterator[None]:
    """Let Ctrl-C wait for the end of the block, once; pressed again, it interrupts at once."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    pressed = False

    def remember(*_: object) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if pressed:
        raise KeyboardInterrupt


@contextmanager
def _staging(path: Path) -> Iterator[Path]:
    """A folder beside `path`, on the same file system, that is gone afterwards."""
    folder = _staging_place(path)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _staging_place(path: Path) -> Path:
    """The same one each time, so that the next writing finds what a kill has left."""
    return path.parent / f".{path.name}.partial"


def _put_in_place(new: Path, path: Path, old: Path) -> None:
    """Rename `new` to `path`; what was there goes to `old`, or back if anything interferes."""
    try:
        if path.exists():
            path.rename(old)
        new.rename(path)
    except BaseException:
        if old.exists() and not path.exists():
            old.rename(path)
        raise
