"""The figures of the papers, and the table of what they claim, as files: `bathax figures`."""

import multiprocessing
import os
import signal
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import jax

from bathax._checks import require
from bathax._console import say
from bathax._garbage import collect_less_often
from bathax._xla import lightly_optimised
from bathax.app.processes import cores
from bathax.papers.ahz import claims as ahz_claims
from bathax.papers.ahz import parameters as ahz_parameters
from bathax.papers.claims import HEADER, section
from bathax.papers.np import claims as np_claims
from bathax.papers.np import parameters as np_parameters
from bathax.plot.files import Drawing, write_figure
from bathax.studies.outputs import replacing

AHZ, NP = "bathax.papers.ahz", "bathax.papers.np"
# More processes would only compile the same programs once more.
MOST = 4


def write_all(
    directory: str | os.PathLike[str],
    of_ahz: ahz_parameters.Effort = ahz_parameters.FULL,
    of_np: np_parameters.Effort = np_parameters.FULL,
    processes: int | None = None,
) -> None:
    """Compute everything, and write each figure as PNG and PDF, and `claims.md`.

    The folder is made if need be. Files appear when they are complete; existing ones are replaced.
    By default a process for each core, of at most four, shares the work; with an accelerator one
    does it all.
    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    if processes is None:
        processes = min(cores(), MOST) if jax.default_backend() == "cpu" else 1
    efforts = {AHZ: of_ahz, NP: of_np}
    tasks = [(paper, name, efforts[paper]) for paper in efforts for name in _results(paper)._fields]
    # Most of those that take long are last in the lists.
    tasks.reverse()
    found = dict(zip([task[:2] for task in tasks], _drawn(folder, tasks, processes), strict=True))
    of_paper = {
        paper: _results(paper)(**{name: found[paper, name] for name in _results(paper)._fields})
        for paper in efforts
    }
    ahz_text = section(ahz_claims.HEADING, ahz_claims.CLAIMS, of_paper[AHZ])
    np_text = section(np_claims.HEADING, np_claims.CLAIMS, of_paper[NP])
    with replacing(folder / "claims.md") as path:
        path.write_text("\n".join([HEADER, ahz_text, np_text]), encoding="utf-8")
    say(folder / "claims.md")


def write_only(
    directory: str | os.PathLike[str],
    names: Iterable[str],
    of_ahz: ahz_parameters.Effort = ahz_parameters.FULL,
    of_np: np_parameters.Effort = np_parameters.FULL,
) -> None:
    """Compute what these figures show, and write them as PNG and PDF.

    Each name is that of a figure, or the beginning of several, like fig2 or phases.
    """
    folder, wanted = Path(directory), {name for one in names for name in _named(one)}
    folder.mkdir(parents=True, exist_ok=True)
    for paper, effort in ((AHZ, of_ahz), (NP, of_np)):
        results = import_module(f"{paper}.results")
        drawings = [drawing for drawing in _drawings(paper) if drawing.name in wanted]
        for result in dict.fromkeys(drawing.result for drawing in drawings):
            _draw(folder, drawings, result, getattr(results, result)(effort))


def _named(name: str) -> list[str]:
    """The figure of this name, or all whose names begin with it."""
    known = [drawing.name for paper in (AHZ, NP) for drawing in _drawings(paper)]
    found = [name] if name in known else [one for one in known if one.startswith(name)]
    require("--only", f"one of {', '.join(known)}", name, bool(found))
    return found


def _drawings(paper: str) -> tuple[Drawing, ...]:
    """The figures of the package `paper`."""
    return import_module(f"{paper}.figures").DRAWINGS


def _draw(folder: Path, drawings: Iterable[Drawing], result: str, found: Any) -> None:
    """Write those of the drawings which show a result."""
    for drawing in drawings:
        if drawing.result == result:
            write_figure(folder / drawing.name, drawing.draw, found)


def _results(paper: str) -> Any:
    """The type of the results of the package `paper`, whose fields are the functions to call."""
    return import_module(f"{paper}.results").Results


def _drawn(folder: Path, tasks: list[tuple[str, str, Any]], processes: int) -> list[Any]:
    """The results of papers, names and efforts, each drawn as soon as it is computed."""
    draw = partial(_computed, folder)
    if processes == 1:
        return [draw(*task) for task in tasks]
    others = set(multiprocessing.active_children())
    # At Ctrl-C this process ends them.
    pool = ProcessPoolExecutor(
        processes,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
    )
    try:
        with lightly_optimised():
            drawn = pool.map(draw, *zip(*tasks, strict=True))
        return list(drawn)
    except BrokenProcessPool as error:
        raise ChildProcessError("a process that draws has failed") from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()


def _begin() -> None:
    """Begin a process that leaves Ctrl-C to the one that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    collect_less_often()


def _computed(folder: Path, paper: str, name: str, effort: Any) -> Any:
    """One result, with its figures written."""
    found = getattr(import_module(f"{paper}.results"), name)(effort)
    _draw(folder, _drawings(paper), name, found)
    return found
