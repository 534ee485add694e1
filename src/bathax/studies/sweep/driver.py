"""Sweeps: a function of named parameters over a grid, on every device, resumable at any time."""

import inspect
import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

import jax
import psutil
import xarray
from jax.experimental.multihost_utils import sync_global_devices
from tqdm import tqdm

from bathax._checks import require
from bathax.studies.store import clear_leftovers, opened
from bathax.studies.sweep import boxes
from bathax.studies.sweep.axes import Axes, Box, box_shape
from bathax.studies.sweep.program import AT_ONCE, GIB, Program, Values
from bathax.studies.sweep.record import Layout, Model
from bathax.studies.sweep.sizes import Retrying, fitting_recorder
from bathax.studies.traced import shareable

# A sweep is cut into PIECES boxes, or fewer if a box would hold fewer than LEAST times the points
# that a device takes at once, or more if it would hold more than MOST_BYTES. Neither this nor the
# store depends on the number of devices or processes.
PIECES, LEAST, MOST_BYTES = 32, 32, 2**24

RESERVED = ("time", "level")

log = logging.getLogger("bathax.sweep")


def sweep(
    of: Callable[..., Any],
    axes: Mapping[str, Any],
    quantities: Sequence[str] | None = None,
    *,
    derivatives: Sequence[str] = (),
    memory: float | None = None,
    store: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = False,
    definition: Mapping[str, Any] | None = None,
) -> xarray.Dataset:
    r"""A function of named parameters at every point of a grid, as a labelled dataset.

        def damped(eta, kT0):
            bath = bx.Reservoir(bx.Ohmic(eta, 5.0), kT0)
            return bx.solve(bx.Cavity(1.0, bath), bx.Fock(5), ts)

        bx.sweep(damped, {"eta": etas, "kT0": temperatures}, ["energy", "temperature"])

    `of` takes the `axes` by name and returns a solution, a steady state, a dynamical map, a mapping
    of arrays or an array, which is named `value`; it must work under `jit`. `axes` are
    `{name: values}`, or `{name: (dimension, values)}` for parameters that vary together along one
    dimension; a third entry may hold attributes, like units. A parameter that does not vary is an
    axis of one value. `quantities` are kept, by default all, each with its error estimate as
    `<name>_error` and its derivatives with respect to the parameters in `derivatives` as
    `<name>_by_<parameter>`.

    Solvers in `of` that choose their size get the size that the hardest points need. Points that
    still miss their tolerance are computed again with larger sizes. Sweeps with the same `of` share
    their programs.

    The result has a `status` for every point. A bad parameter, a tolerance that is not reached or
    an error concerns its point alone; the attribute `flag_meanings` of `status` has the reasons.

    All local devices share the work, and so do the processes of `jax.distributed` if it is in use,
    each with its own boxes. The process stays below `memory` GiB, by default 4, or 1 more than it
    has; for accelerators this is the limit of each device. With a `store`, the path of a zarr
    folder, results are written to disk box by box and read from there when they are used. `resume`
    continues an interrupted sweep without computing anything twice; `overwrite` allows to replace
    an earlier result. `definition`, a nested table, is kept in the store: a sweep with a different
    one is not resumed. Functions cannot be compared.

    Raises `ValueError` for bad arguments, and `StoreError` if the store cannot be used. `sweep`
    itself does not work under `jit`, `vmap` or `grad`: use `derivatives`.

    >>> found = bx.sweep(lambda kT0: bx.BoseEinstein(kT0)(1.0), {"kT0": [1.0, 2.0]})
    >>> round(found.value.sel(kT0=2.0).item(), 4)  # 1 / (e^{1/2} - 1)
    1.5415
    """
    require("of", "a function of the parameters", f"{of}", callable(of))
    grid = Axes.of(axes)
    _require_parameters(of, grid)
    unknown = [name for name in derivatives if name not in grid.parameters]
    require("derivatives", f"among {', '.join(grid.parameters)}", unknown, not unknown)
    chosen = tuple(quantities) if quantities else None
    model = Model(shareable(of), chosen, tuple(derivatives))
    recorder, sizes = fitting_recorder(model, grid)
    kept = recorder.layout(grid.first)
    own = {*kept.variables, *RESERVED, *chain(*map(kept.dimensions, kept.variables))}
    taken = [name for name in (*grid.parameters, *grid.sizes) if name in own]
    require(
        "axes",
        "named unlike the quantities, time and their dimensions",
        ", ".join(taken),
        not taken,
    )
    about = dict(definition) if definition else {"axes": boxes.digest(grid)}
    about |= {"variables": sorted(kept.variables)}
    most = _usual_memory() if memory is None else memory
    if store is None:
        alone = jax.process_count() == 1
        require("store", "a path that all processes can write to", "left out", alone)
        _require_room(grid, kept, most)
        place = boxes.create(None, grid, kept, _lengths(grid, kept), about)
    else:
        place = Path(store)
        _prepare(place, grid, kept, about, resume=resume, overwrite=overwrite)
    limit = most * GIB

    def program_for(count: int) -> Retrying:
        return Retrying(model, sizes, Program(recorder, count, limit), limit)

    _fill(boxes.SweepStore(place), grid, program_for, progress)
    found = opened(place)
    return found.load() if store is None else found


def _require_parameters(of: Callable[..., Any], grid: Axes) -> None:
    """Refuse axes that the function has no parameters for, and parameters without an axis."""
    try:
        inspect.signature(of).bind(**dict.fromkeys(grid.parameters))
    except TypeError as error:
        require("axes", "the parameters of `of`", f"wrong: {error}", False)


def _prepare(
    path: Path,
    grid: Axes,
    kept: Layout,
    definition: dict[str, Any],
    *,
    resume: bool,
    overwrite: bool,
) -> None:
    """Make a store in the first of the processes, or check in each the one to resume."""
    if jax.process_index() == 0:
        clear_leftovers(path)
        if resume and path.exists():
            boxes.require_same(path, definition)
            boxes.remove_unfinished(path)
        else:
            lengths = _lengths(grid, kept)
            boxes.create(path, grid, kept, lengths, definition, overwrite=overwrite)
    _wait("prepared")
    if jax.process_index() > 0:
        # Files named in a study may have changed since the first process read them.
        boxes.require_same(path, definition)


def _fill(
    target: boxes.SweepStore, grid: Axes, program_for: Callable[[int], Retrying], show: bool
) -> None:
    """Compute this process's share of the boxes that are not done."""
    everything = list(target.boxes())
    _wait("opened")
    own = everything[jax.process_index() :: jax.process_count()]
    todo = [box for box, done in own if not done]
    if todo:
        # For the first box of all, the largest, so that a resumed sweep computes the same numbers.
        program = program_for(_points_in(everything[0][0]))
        before = sum(_points_in(box) for box, done in own if done)
        shown = _shown(todo, before, show)
        _write_behind(target, ((box, program(grid.points(box))) for box in shown))
    _wait("done")


def _write_behind(target: boxes.SweepStore, computed: Iterable[tuple[Box, Values]]) -> None:
    """Write each box while the next one is computed."""
    with ThreadPoolExecutor(1) as writer:
        last: Future | None = None
        for box, values in computed:
            if last is not None:
                last.result()
            last = writer.submit(target.write, box, values)
        if last is not None:
            last.result()


def _shown(todo: list[Box], before: int, show: bool) -> Iterator[Box]:
    """The boxes, with a progress bar in a terminal if wanted and a line of the log for each."""
    total = before + sum(map(_points_in, todo))
    quiet = None if show and jax.process_index() == 0 else True
    with tqdm(total=total, initial=before, unit=" points", disable=quiet) as bar:
        for count, box in enumerate(todo, 1):
            start = time.perf_counter()
            yield box
            took = time.perf_counter() - start
            log.info("box %d of %d: %d points in %.2f s", count, len(todo), _points_in(box), took)
            bar.update(_points_in(box))


def _lengths(grid: Axes, kept: Layout) -> tuple[int, ...]:
    """The lengths of a box: small enough to lose little, large enough to keep all devices busy."""
    least = LEAST * AT_ONCE.get(jax.default_backend(), 1)
    most = max(least, MOST_BYTES // kept.bytes_of_point)
    piece = math.ceil(math.prod(grid.shape) / PIECES)
    return box_shape(grid.shape, min(max(piece, least), most))


def _usual_memory() -> float:
    """4 GiB, or 1 GiB more than the process has."""
    return max(4.0, psutil.Process().memory_info().rss / GIB + 1.0)


def _require_room(grid: Axes, kept: Layout, memory: float) -> None:
    """Refuse a result that is to be returned whole, and too large for that."""
    # In the end there are two copies, compressed and uncompressed.
    size = 2 * math.prod(grid.shape) * kept.bytes_of_point / GIB
    rule = f"above {size:.2g} GiB to hold the result in memory, unless it goes to a `store`"
    require("memory", rule, f"{memory:.2g} GiB", size < memory)


def _points_in(box: Box) -> int:
    return math.prod(cut.stop - cut.start for cut in box)


def _wait(name: str) -> None:
    """Wait until all processes have come to this point."""
    if jax.process_count() > 1:
        sync_global_devices(f"bathax.sweep.{name}")
