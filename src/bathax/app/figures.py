"""The figures of the papers, and the table of what they claim, as files: `bathax figures`."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import jax

from bathax._checks import require
from bathax.app.processes import cores
from bathax.papers.ahz import claims as ahz_claims
from bathax.papers.ahz import parameters as ahz_parameters
from bathax.papers.claims import HEADER, section
from bathax.papers.np import claims as np_claims
from bathax.papers.np import parameters as np_parameters
from bathax.plot.files import Drawing, write_figure
from bathax.studies.outputs import replacing

AHZ, NP = "bathax.papers.ahz", "bathax.papers.np"


def write_all(
    directory: str | os.PathLike[str],
    of_ahz: ahz_parameters.Effort = ahz_parameters.FULL,
    of_np: np_parameters.Effort = np_parameters.FULL,
    processes: int | None = None,
) -> None:
    """Compute everything, and write each figure as PNG and PDF, and `claims.md`.

    The folder is made if need be. Files appear when they are complete; existing ones are replaced.
    By default two `processes` share the work, or one if there is one core or an accelerator.
    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    if processes is None:
        processes = cores() if jax.default_backend() == "cpu" else 1
    beside = _beside if processes > 1 else _first
    with beside(folder, NP, of_np) as np_results:
        ahz_text = section(ahz_claims.HEADING, ahz_claims.CLAIMS, _drawn(folder, AHZ, of_ahz))
        np_text = section(np_claims.HEADING, np_claims.CLAIMS, np_results())
    with replacing(folder / "claims.md") as path:
        path.write_text("\n".join([HEADER, ahz_text, np_text]), encoding="utf-8")
    print(folder / "claims.md")


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


@contextmanager
def _first(folder: Path, paper: str, effort: Any) -> Iterator[Callable[[], Any]]:
    """The results of a paper, computed and drawn before the block begins."""
    results = _drawn(folder, paper, effort)
    yield lambda: results


@contextmanager
def _beside(folder: Path, paper: str, effort: Any) -> Iterator[Callable[[], Any]]:
    """The results of a paper, computed and drawn by another process while the block runs."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    arguments = (sender, folder, paper, effort)
    process = context.Process(target=_send_drawn, args=arguments, daemon=True)
    process.start()
    # From now on the pipe closes when the process ends.
    sender.close()
    try:
        yield receiver.recv
    except EOFError as error:
        raise ChildProcessError("the process that draws beside this one has failed") from error
    finally:
        process.terminate()
        process.join()


def _send_drawn(sender: Connection, folder: Path, paper: str, effort: Any) -> None:
    """Draw a paper, and send its results to the process that waits for them."""
    # At Ctrl-C the waiting process ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sender.send(_drawn(folder, paper, effort))


def _drawn(folder: Path, paper: str, effort: Any) -> Any:
    """The results of the package `paper`, each of them drawn as soon as it is computed."""
    results, found = import_module(f"{paper}.results"), {}
    for name in results.Results._fields:
        found[name] = getattr(results, name)(effort)
        _draw(folder, _drawings(paper), name, found[name])
    return results.Results(**found)
