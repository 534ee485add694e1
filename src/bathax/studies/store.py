"""Results on disk: zarr stores in bathax's formats, written completely or not at all."""

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

# The format is written into every store, and checked before one is read or replaced.
SOLUTION = "bathax solution, version 1"
MAP = "bathax map, version 1"
SWEEP = "bathax sweep, version 1"

Files = dict[str, Buffer]
Place = Path | MemoryStore


def format_of(path: Path) -> str:
    """The format of a store of bathax; an empty string for anything else."""
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
    """A result, read when it is used; undone points of a sweep are NaN, with a status of -1."""
    found = xarray.open_zarr(place, chunks=None, consolidated=False)
    # The entries of a folder have no order.
    return found[in_order(map(str, found.data_vars))]


@contextmanager
def writing(place: object) -> Iterator[None]:
    """Turn errors of the operating system about a file into a sentence."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"Result `{place}` cannot be written: {error.strerror}.") from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn errors of a codec about a damaged chunk into a sentence that names the chunk."""
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

    Only an earlier result is ever replaced, so that a mistyped path destroys nothing else. If a
    sweep is `resumable` the sentence says so.
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
    """Remove what a killed process has left, and restore the result that it was to replace."""
    folder = _staging_place(path)
    if (folder / "old").exists() and not path.exists():
        (folder / "old").rename(path)
    shutil.rmtree(folder, ignore_errors=True)


def write_files(files: Files, path: Path) -> None:
    """Write a store that was made in memory, in place of what there was at `path`.

    It appears when it is complete: an interrupted writing leaves no trace, and an earlier result in
    its place. zarr does not write to the folder itself, because its threads go on after an error
    and would make a removed folder again.
    """
    with writing(path), _interrupt_deferred(), _staging(path) as folder:
        for name, content in files.items():
            file = folder / "new" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.to_bytes())
        _put_in_place(folder / "new", path, folder / "old")


@contextmanager
def _interrupt_deferred() -> Iterator[None]:
    """Defer Ctrl-C to the end of the block; pressed twice, it interrupts at once."""
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
    """A temporary folder beside `path`, on the same file system."""
    folder = _staging_place(path)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _staging_place(path: Path) -> Path:
    """The path of that folder, always the same, so that leftovers of a killed process are found."""
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
