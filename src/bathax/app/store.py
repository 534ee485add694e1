"""Results on disk: one labelled `xarray.Dataset` in a zarr store, written whole or not at all."""

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray
import zarr
from zarr.abc.buffer import Buffer
from zarr.storage import MemoryStore

from bathax import __version__

# Written into every store, and looked for before anything is read or replaced.
FORMAT = "bathax solution, version 1"


class StoreError(Exception):
    """A result that cannot be written or read; the message is one sentence."""


class Quantity(NamedTuple):
    """What an array of a solution is, and its unit, with hbar = k_B = 1."""

    long_name: str
    units: str


# Of a cavity and of a qubit, in the order in which they are shown; a solution has its own of them.
QUANTITIES = {
    "u": Quantity("amplitude function u(t)", "1"),
    "du": Quantity("rate of change of u(t)", "energy"),
    "v": Quantity("thermal noise function v(t, t)", "1"),
    "dv": Quantity("rate of change of v(t, t)", "energy"),
    "number": Quantity("mean number of quanta", "1"),
    "coherence": Quantity("coherence rho_10 of ground and excited state", "1"),
    "energy": Quantity("internal energy E", "energy"),
    "entropy": Quantity("von Neumann entropy S", "1"),
    "energy_rate": Quantity("rate of change of E", "energy^2"),
    "entropy_rate": Quantity("rate of change of S", "energy"),
    "temperature": Quantity("dynamical temperature T = dE/dS", "energy"),
    "temperature_resolved": Quantity("whether T is a ratio of rates, not its limit", "1"),
    "chemical_potential": Quantity("dynamical chemical potential mu = dE/dN", "energy"),
    "free_energy": Quantity("free energy F = E - T S", "energy"),
    "interaction_energy": Quantity("energy of the coupling to the reservoirs", "energy"),
    "entropy_production": Quantity("entropy production", "1"),
    "populations": Quantity("probability of each level", "1"),
}


def save(
    solution: Any, path: str | Path, study_text: str, *, overwrite: bool = False
) -> xarray.Dataset:
    """Write a solution to `path` and return it as the labelled dataset that was written.

    The store appears at `path` when it is complete: whatever interrupts the writing leaves no
    trace, and an earlier result in its place. Raises `StoreError` as `check_target` does.
    """
    path = Path(path)
    check_target(path, overwrite=overwrite)
    dataset = to_dataset(solution, study_text)
    try:
        with _interrupt_deferred(), _staging(path) as folder:
            _write(dataset, folder / "new")
            _put_in_place(folder / "new", path, folder / "old")
    except OSError as error:
        raise StoreError(f"Result `{path}` cannot be written: {error.strerror}.") from error
    return dataset


def load(path: str | Path) -> xarray.Dataset:
    """Read a result, whole, into memory."""
    path = Path(path)
    if not path.exists():
        raise StoreError(f"Result `{path}` does not exist.")
    if not _is_result(path):
        raise StoreError(f"Path `{path}` does not hold a bathax result.")
    with xarray.open_zarr(path, chunks=None, consolidated=False) as dataset:
        # A folder has no order; this is the one of `QUANTITIES`, each before its error.
        names = [name + end for name in QUANTITIES for end in ("", "_error")]
        return dataset[[name for name in names if name in dataset]].load()


def check_target(path: str | Path, *, overwrite: bool = False) -> None:
    """Raise `StoreError` if no result can be written to `path`.

    Only an earlier result is ever replaced, so that a mistyped path costs nothing else.
    """
    path = Path(path)
    if path.exists() and not _is_result(path):
        raise StoreError(f"Path `{path}` exists and does not hold a bathax result.")
    if path.exists() and not overwrite:
        raise StoreError(f"Result `{path}` exists; use --force to replace it.")
    if not path.parent.is_dir():
        raise StoreError(f"Folder `{path.parent}` does not exist.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise StoreError(f"Folder `{path.parent}` is read-only.")


def to_dataset(solution: Any, study_text: str) -> xarray.Dataset:
    """A solution as a dataset over `time` and `level`, each quantity beside its error."""
    times = xarray.Variable(
        "time", np.asarray(solution.t), {"long_name": "time", "units": "1/energy"}
    )
    variables = {}
    present = {name: about for name, about in QUANTITIES.items() if hasattr(solution, name)}
    for name, (long_name, units) in present.items():
        variables[name] = _variable(getattr(solution, name), long_name, units)
        error = getattr(solution.error, name, None)
        if error is not None:
            variables[f"{name}_error"] = _variable(error, f"error estimate of {name}", units)
    levels = np.arange(variables["populations"].sizes["level"])
    return xarray.Dataset(
        variables,
        {"time": times, "level": ("level", levels, {"long_name": "level", "units": "1"})},
        {
            "format": FORMAT,
            "bathax_version": __version__,
            "jax_version": version("jax"),
            "study": study_text,
            "status": int(solution.status),
            "message": str(solution.message),
        },
    )


def _variable(values: Any, long_name: str, units: str) -> xarray.Variable:
    array = np.asarray(values)
    attributes = {"long_name": long_name, "units": units}
    return xarray.Variable(("time", "level")[: array.ndim], array, attributes)


def _write(dataset: xarray.Dataset, folder: Path) -> None:
    # zarr writes files from threads of its own, which go on after an error and would make a folder
    # anew that has been removed. So it writes to memory, and this thread writes the files.
    files: dict[str, Buffer] = {}
    dataset.to_zarr(MemoryStore(files), zarr_format=3, consolidated=False)
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.to_bytes())


def _is_result(path: Path) -> bool:
    try:
        return zarr.open_group(path, mode="r").attrs.get("format") == FORMAT
    except (OSError, ValueError):
        return False


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
    folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
