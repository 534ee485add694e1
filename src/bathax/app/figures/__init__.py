"""The figures of AHZ, of NP and of what their texts claim, as files.

Functions take results of `bathax.studies` and axes, and draw; none of them solves. They return the
figure. `write_all` computes everything once and writes every figure and the table of claims.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any

import jax

from bathax.app import claims
from bathax.app.figures.cavity import (
    border_maps,
    couplings,
    initial_states,
    inversion,
    markov,
    markov_deviation,
    oscillation,
    zeroth_law,
)
from bathax.app.figures.files import Drawing, write_figure
from bathax.app.figures.phases import over_exponent, over_temperature
from bathax.app.figures.qubit import (
    atom,
    determinant,
    exchange,
    populations,
    rates,
    time_scale,
    zero_crossing,
)
from bathax.app.processes import cores
from bathax.studies import paper, phases, qubit
from bathax.studies.outputs import replacing

DRAWINGS = (
    Drawing("fig2_initial_states", "figure_2", initial_states),
    Drawing("fig3_couplings", "figure_3", couplings),
    Drawing("fig4_inversion", "figure_4", inversion),
    Drawing("fig5_border", "figure_5", border_maps),
    Drawing("markov", "markov", markov),
    Drawing("markov_deviation", "markov", markov_deviation),
    Drawing("zeroth_law", "zeroth_law", zeroth_law),
    Drawing("oscillation", "oscillation", oscillation),
    Drawing("fig6_atom", "figure_6", atom),
    Drawing("np_determinant", "relaxation", determinant),
    Drawing("np_populations", "relaxation", populations),
    Drawing("np_time_scale", "relaxation", time_scale),
    Drawing("np_rates", "memory", rates),
    Drawing("np_zero_crossing", "memory", zero_crossing),
    Drawing("np_reservoir", "exchange", exchange),
    Drawing("phases_temperature", "of_temperature", over_temperature),
    Drawing("phases_exponent", "of_exponent", over_exponent),
)


def write_all(
    directory: str | os.PathLike[str],
    of_cavity: paper.Effort = paper.FULL,
    of_qubit: qubit.Effort = qubit.FULL,
    processes: int | None = None,
) -> None:
    """Compute everything, and write each figure as PNG and PDF, and `claims.md`.

    The folder is made if need be. Files appear whole or not at all; existing ones are replaced.
    Two `processes` share the work, one where there is but one core, or an accelerator.
    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    if processes is None:
        processes = cores() if jax.default_backend() == "cpu" else 1
    beside = _beside if processes > 1 else _first
    with beside(folder, qubit, of_qubit) as qubit_results:
        cavity_results = _drawn(folder, paper, of_cavity)
        _drawn(folder, phases, of_cavity)
        text = claims.tables(cavity_results, qubit_results())
    with replacing(folder / "claims.md") as path:
        path.write_text(text, encoding="utf-8")
    print(folder / "claims.md")


@contextmanager
def _first(folder: Path, study: ModuleType, effort: Any) -> Iterator[Callable[[], Any]]:
    """The results of a study, drawn before the block begins."""
    results = _drawn(folder, study, effort)
    yield lambda: results


@contextmanager
def _beside(folder: Path, study: ModuleType, effort: Any) -> Iterator[Callable[[], Any]]:
    """The results of a study, which a process of its own draws while the block runs."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    arguments = (sender, folder, study.__name__, effort)
    process = context.Process(target=_send_drawn, args=arguments, daemon=True)
    process.start()
    # Now the end of the process closes the pipe.
    sender.close()
    try:
        yield receiver.recv
    except EOFError as error:
        raise ChildProcessError("the process that draws beside this one has failed") from error
    finally:
        process.terminate()
        process.join()


def _send_drawn(sender: Connection, folder: Path, study: str, effort: Any) -> None:
    """Draw a study, and send its results to the process that waits for them."""
    # At Ctrl-C that one ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sender.send(_drawn(folder, import_module(study), effort))


def _drawn(folder: Path, study: ModuleType, effort: Any) -> Any:
    """The results of a study, each one drawn as soon as it is there."""
    results = {}
    for name in study.Results._fields:
        results[name] = getattr(study, name)(effort)
        for drawing in DRAWINGS:
            if drawing.result == name:
                write_figure(folder / drawing.name, drawing.draw, results[name])
    return study.Results(**results)
