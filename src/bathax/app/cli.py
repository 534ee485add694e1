"""The `bathax` command: studies and figures from the shell.

Only the standard library is imported before a command is known, so that `--help`, completion
and the report of a mistake in a study cost milliseconds.
"""

import argparse
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bathax._console import say
from bathax._garbage import collect_less_often
from bathax.app.arguments import CommandError, parser_of
from bathax.studies.cache import cache_programs
from bathax.studies.outputs import StoreError, require_file, require_writable

OPTIONAL_PACKAGES = {"h5netcdf", "msgspec", "psutil", "shtab", "tqdm", "xarray", "zarr"}
SUMMARY_TIMES, SUMMARY_CHANNELS = 5, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, by default that of the shell, and return its exit status.

    0: success; 1: the status of the result is not 0; 2: a mistake of the user; 130: Ctrl-C.
    """
    if argv is None:
        collect_less_often()
    try:
        arguments = parser_of(COMMANDS).parse_args(argv)
        arguments.given = list(sys.argv[1:] if argv is None else argv)
        if getattr(arguments, "cache", False):
            cache_programs()
        return arguments.command(arguments)
    except KeyboardInterrupt:
        status = _complain("interrupted", 130)
        if argv is None:
            # A compilation continues in XLA's threads, where an orderly exit can crash.
            sys.stdout.flush()
            os._exit(status)
        return status
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in OPTIONAL_PACKAGES:
            raise
        remedy = "install it with pip install 'bathax[app]'"
        return _complain(f"error: Package `{package}` is missing; {remedy}.", 2)
    except CommandError as error:
        return _complain(f"error: {error}", 2)
    except MemoryError as error:
        return _complain(f"error: There is not enough memory: {error or 'none is left'}.", 2)


def run(arguments: argparse.Namespace) -> int:
    """Solve a study, print a summary and write the result."""
    # The study is checked before xarray and JAX are imported, which takes seconds.
    text, study = _read(arguments)

    from bathax.app import config, saving
    from bathax.studies.store import check_target

    with _sentences_from(StoreError, ValueError):
        check_target(arguments.out, overwrite=arguments.force)
        solution = _solve(study)
        say(_summary(solution))
        files = config.digests(study)
        saving.save(solution, arguments.out, text, files=files, overwrite=arguments.force)
    say(f"Written to {arguments.out}")
    return _complain(f"warning: {solution.message}", 1) if int(solution.status) else 0


def sweep(arguments: argparse.Namespace) -> int:
    """Compute the sweep of a study into a store, in this process or in several."""
    from bathax.app import processes

    text, study = _read(arguments, "sweep")
    alone = not arguments.distributed and arguments.coordinator is None
    if alone:
        _check_store(arguments)
    if alone and arguments.processes > 1:
        return processes.launch(arguments.given, arguments.processes)
    processes.use_cores(arguments.devices, 1 if arguments.distributed else arguments.processes)
    if arguments.distributed:
        processes.join()
    elif not alone:
        processes.join(arguments.coordinator, arguments.processes, arguments.process)

    from bathax.app import sweeping

    with _sentences_from(StoreError, ValueError):
        failures = sweeping.run(study, text, arguments)
    return _complain(f"warning: {failures}", 1) if failures else 0


def fit(arguments: argparse.Namespace) -> int:
    """Fit the free numbers of a study to data; write the result and its figure."""
    text, study = _read(arguments, "fit")
    if not arguments.data.is_file():
        raise CommandError(f"Data file `{arguments.data}` does not exist.")
    with _sentences_from(StoreError):
        require_file(arguments.out, overwrite=arguments.force)

    from bathax.app import config, fitting
    from bathax.app.config.files import File
    from bathax.studies.fit.files import write_fit

    with _sentences_from(StoreError, ValueError):
        file = File.read(arguments.data)
        data = fitting.read_data(file, config.kinds_of(study), study.sizes)
        found = fitting.run(study, data)
        if not found.converged:
            return _complain(f"warning: {found.message}", 1)
        say(found)
        about = {"study": config.table(text), "files": config.digests(study) | file.digests("data")}
        write_fit(found, arguments.out, about, overwrite=arguments.force)
        say(arguments.out)

        from bathax.plot.files import write_figure
        from bathax.plot.fit import fitted

        write_figure(arguments.out, fitted, fitting.view(study, data, found))
    status = 0 if found.is_sound else 1
    return _complain(f"warning: {' '.join(found.warnings)}", status) if found.warnings else status


def show(arguments: argparse.Namespace) -> int:
    """Print what a result holds, and draw it."""
    from bathax.app import saving
    from bathax.studies.store import reading
    from bathax.studies.summaries import summary

    with _sentences_from(StoreError), reading(arguments.store):
        dataset = saving.load(arguments.store)
        say(summary(dataset))

        from bathax.plot.files import write_figure
        from bathax.plot.results import overview

        write_figure(arguments.figure or arguments.store, overview, dataset)
    return 0


def export(arguments: argparse.Namespace) -> int:
    """Write a result as a netCDF file."""
    with _sentences_from(StoreError):
        require_file(arguments.out, overwrite=arguments.force)

    from bathax.app import saving
    from bathax.studies.store import reading

    with _sentences_from(StoreError), reading(arguments.store):
        saving.export(saving.load(arguments.store), arguments.out)
    say(f"Written to {arguments.out}")
    return 0


def critical(arguments: argparse.Namespace) -> int:
    """Print the critical points of a study's system."""
    _, study = _read(arguments)

    from bathax.studies.critical import critical_points

    with _sentences_from(ValueError):
        system, initial, times, _ = study.build()
        points = critical_points(system, initial, times)
    width = max(map(len, points))
    say("\n".join(f"{name:<{width}}  {value:.12g}" for name, value in points.items()))
    return 0


def figures(arguments: argparse.Namespace) -> int:
    """Draw every figure, or those of some names, into a folder."""
    with _sentences_from(StoreError):
        places = (arguments.out, *arguments.out.parents)
        require_writable(next(place for place in places if place.exists()))

    from bathax.app.figures import write_all, write_only

    if not arguments.only:
        write_all(arguments.out)
        return 0
    with _sentences_from(ValueError):
        write_only(arguments.out, arguments.only)
    return 0


COMMANDS = {
    command.__name__: command for command in (run, sweep, fit, show, export, critical, figures)
}


# --- Parts of a run --------------------------------------------------------------------------


def _read(arguments: argparse.Namespace, table: str | None = None) -> tuple[str, Any]:
    """The text of a study, and the study, which must have the `table` if one is named."""
    from bathax.app import config

    with _sentences_from(config.StudyError):
        text = config.read(arguments.study)
        study = config.parse(text, arguments.study.parent)
    if table is not None and getattr(study, table) is None:
        raise CommandError(f"Missing key `{table}`, which must be a table.")
    return text, study


def _check_store(arguments: argparse.Namespace) -> None:
    """Refuse the store of a sweep if it can be neither made nor resumed."""
    from bathax.studies.store import SWEEP, check_target, require_format

    with _sentences_from(StoreError):
        goes_on = arguments.resume and arguments.out.exists()
        if goes_on:
            require_format(arguments.out, SWEEP)
        check_target(arguments.out, overwrite=goes_on or arguments.force, resumable=True)


def _solve(study: Any) -> Any:
    import bathax as bx

    system, initial, times, solver = study.build()
    with warnings.catch_warnings():
        # The command prints the status itself.
        warnings.simplefilter("ignore", bx.ToleranceWarning)
        return bx.solve(system, initial, times, solver=solver)


def _summary(solution: Any) -> str:
    """A table of some quantities at a handful of times, their largest errors and the status."""
    import numpy as np

    from bathax.studies.lookup import element, located
    from bathax.studies.quantities import QUANTITIES

    def column(of: Any, name: str) -> Any:
        quantity, place = located(name)
        return element(np.asarray(getattr(of, quantity)), quantity, place)

    times, names = np.asarray(solution.t), _summarised(solution)
    columns = [times, *(column(solution, name) for name in names)]
    shown = np.unique(np.linspace(0, len(times) - 1, SUMMARY_TIMES).round().astype(int))
    rows = [
        ["t", *(QUANTITIES[name].symbol if name in QUANTITIES else name for name in names)],
        *([f"{column[i] + 0.0:.6g}" for column in columns] for i in shown),
        ["max error", *(f"{np.max(column(solution.error, name)):.1e}" for name in names)],
    ]
    widths = [max(13, len(heading) + 2) for heading in rows[0]]
    lines = (
        "".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows
    )
    table = "\n".join(lines)
    return f"{table}\nstatus: {solution.message}"


def _summarised(solution: Any) -> Sequence[str]:
    """E, S, T and F, or of several modes N, E, S, T and the first currents of particles."""
    from bathax.studies.lookup import elements
    from bathax.studies.quantities import STATE_FUNCTIONS

    if not hasattr(solution, "particle_current"):
        return STATE_FUNCTIONS
    channels = min(solution.particle_current.shape[-1], SUMMARY_CHANNELS)
    currents = elements("particle_current", {"channel": channels})
    return ["number", "energy", "entropy", "temperature", *currents]


@contextmanager
def _sentences_from(*kinds: type[Exception]) -> Iterator[None]:
    """Turn errors whose message is one sentence for the user into a `CommandError`."""
    try:
        yield
    except kinds as error:
        raise CommandError(str(error)) from error


def _complain(sentence: str, status: int) -> int:
    print(f"bathax: {sentence}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
