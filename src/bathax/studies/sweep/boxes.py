"""A sweep on disk or in memory: a zarr store of the whole grid, filled box by box.

Each box of points is a chunk of every variable, and its `status` is written last: a box whose
status is there is done, whatever happens afterwards. Every chunk appears at once and carries a
checksum.
"""

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import xarray
import zarr
from zarr.codecs import ZstdCodec
from zarr.storage import MemoryStore

from bathax import __version__
from bathax._status import Status
from bathax.studies.store import (
    SWEEP,
    Files,
    Place,
    StoreError,
    check_target,
    reading,
    require_format,
    write_files,
    writing,
)
from bathax.studies.sweep.axes import Axes, Box, boxes
from bathax.studies.sweep.record import Layout


class SweepStore:
    """An open store, which knows which of its boxes are done."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._arrays: dict[str, Any] = dict(zarr.open_group(place, mode="r+").arrays())
        with reading(place) if isinstance(place, Path) else nullcontext():
            self.status = np.asarray(self._arrays["status"][:])

    def boxes(self) -> Iterator[tuple[Box, bool]]:
        """All boxes, and whether each is done."""
        status = self._arrays["status"]
        for box in boxes(status.shape, status.chunks):
            yield box, bool(np.all(self.status[box] != Status.NOT_COMPUTED))

    def write(self, box: Box, values: Mapping[str, np.ndarray]) -> None:
        """Write all variables of a box, its status last."""
        with writing(self._place):
            for name in sorted(values, key=lambda name: name == "status"):
                target = self._arrays[name]
                shape = [cut.stop - cut.start for cut in box]
                target[box] = values[name].reshape(*shape, *target.shape[len(box) :])
        self.status[box] = values["status"].reshape(shape)


def create(
    path: Path | None,
    axes: Axes,
    layout: Layout,
    lengths: tuple[int, ...],
    definition: dict[str, Any],
    *,
    overwrite: bool = False,
) -> Place:
    """An empty store for the boxes of these lengths, at a path or in memory."""
    files: Files = {}
    memory = MemoryStore(files)
    attributes = {
        "format": SWEEP,
        "bathax_version": __version__,
        "jax_version": version("jax"),
        "definition": definition,
    }
    coordinates = xarray.Dataset(coords=_coordinates(axes, layout), attrs=attributes)
    coordinates.to_zarr(memory, zarr_format=3, consolidated=False)
    group = zarr.open_group(memory, mode="r+")
    for name, one in layout.variables.items():
        group.create_array(
            name,
            shape=(*axes.shape, *one.shape),
            chunks=(*lengths, *(max(size, 1) for size in one.shape)),
            dtype=one.dtype,
            dimension_names=[*axes.sizes, *layout.dimensions(name)],
            attributes=_attributes(name, layout),
            fill_value=_fill_value(name, one.dtype),
            compressors=ZstdCodec(checksum=True),
        )
    if path is None:
        return memory
    check_target(path, overwrite=overwrite, resumable=True)
    write_files(files, path)
    return path


def require_same(path: Path, definition: dict[str, Any]) -> None:
    """Refuse to resume a store of another version or another sweep, saying what differs."""
    require_format(path, SWEEP)
    attributes = zarr.open_group(path, mode="r").attrs.asdict()
    begun = attributes["bathax_version"]
    if begun != __version__:
        raise StoreError(
            f"Result `{path}` was begun with bathax {begun}, and cannot be continued with "
            f"{__version__}."
        )
    found = _difference(attributes["definition"], definition)
    if found:
        raise StoreError(f"Result `{path}` is of another sweep: {found}.")


def remove_unfinished(path: Path) -> None:
    """Remove files that a killed sweep has left incomplete."""
    for file in path.rglob("*.partial"):
        file.unlink()


def digest(axes: Axes) -> dict[str, str]:
    """A readable description of the axes, different for different axes."""
    return {
        name: f"{len(values)} values from {values[0]:g} to {values[-1]:g} along {dimension}, "
        f"checksum {crc32(values.tobytes()):08x}"
        for name, (dimension, values, _) in axes.parameters.items()
    }


def _coordinates(axes: Axes, layout: Layout) -> dict[str, Any]:
    found: dict[str, Any] = {name: tuple(one) for name, one in axes.parameters.items()}
    if layout.times is not None:
        found["time"] = ("time", layout.times, {"long_name": "time", "units": "1/energy"})
    return found


def _attributes(name: str, layout: Layout) -> dict[str, Any]:
    """The attributes of a variable; those of a status follow the CF conventions."""
    if name == "status":
        meanings = " ".join(status.name.lower() for status in Status)
        values = [int(status) for status in Status]
        return {"long_name": "status", "flag_values": values, "flag_meanings": meanings}
    return layout.about(name)


def _fill_value(name: str, dtype: Any) -> Any:
    if name == "status":
        return int(Status.NOT_COMPUTED)
    return np.nan if np.issubdtype(dtype, np.inexact) else 0


def _difference(stored: Any, given: Any, path: str = "") -> str:
    """The first entry in which two nested tables differ, in words; empty if there is none."""
    if isinstance(stored, dict) and isinstance(given, dict):
        for key in {**stored, **given}:
            found = _difference(stored.get(key), given.get(key), f"{path}.{key}".lstrip("."))
            if found:
                return found
        return ""
    if isinstance(stored, list) and isinstance(given, list) and len(stored) == len(given):
        pairs = enumerate(zip(stored, given, strict=True))
        found = (_difference(*pair, f"{path}.{index}") for index, pair in pairs)
        return next(filter(None, found), "")
    words = ("left out" if value is None else repr(value) for value in (given, stored))
    return "" if stored == given else "`{}` is {}, but was {}".format(path, *words)
