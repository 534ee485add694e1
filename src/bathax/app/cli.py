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
from pathlib import Path
from typing import Any, NoReturn

from bathax import __version__
from bathax.studies.cache import cache_programs

OPTIONAL_PACKAGES = {"h5netcdf", "msgspec", "psutil", "shtab", "tqdm", "xarray", "zarr"}
DESCRIPTION = "Exact dynamics and thermodynamics of small quantum systems in reservoirs."
SUMMARY_TIMES = 5
SHELLS = ("bash", "zsh", "tcsh")
# What shtab reads from an argument that is a file, without importing shtab to say so.
COMPLETE_FILE = {"bash": "_shtab_compgen_files", "zsh": "_files", "tcsh": "f"}


class CommandError(Exception):
    """A mistake in how the command was called; the message is one sentence."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, by default that of the shell, and return its exit status.

    0 success, 1 a result that its status calls doubtful, 2 a mistake of the user's, 130 Ctrl-C.
    """
    try:
        arguments = _parser().parse_args(argv)
        arguments.given = list(sys.argv[1:] if argv is None else argv)
        if getattr(arguments, "cache", False):
            cache_programs()
        return arguments.command(arguments)
    except KeyboardInterrupt:
        status = _complain("interrupted", 130)
        if argv is None:
            # A compilation goes on in XLA's own threads, and an orderly exit can crash in them.
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


def run(arguments: argparse.Namespace) -> int:
    """Solve a study, print a summary and write the result."""
    # The study is checked first: xarray, and later JAX, take seconds to import.
    from bathax.app import config

    with _sentences_from(config.StudyError):
        text = config.read(arguments.study)
        study = config.parse(text, arguments.study.parent)

    from bathax.app import store
    from bathax.studies.store import StoreError

    with _sentences_from(config.StudyError, StoreError):
        store.check_target(arguments.out, overwrite=arguments.force)
        solution = _solve(study)
        print(_summary(solution))
        store.save(solution, arguments.out, text, overwrite=arguments.force)
    print(f"Written to {arguments.out}")
    return _complain(f"warning: {solution.message}", 1) if int(solution.status) else 0


def sweep(arguments: argparse.Namespace) -> int:
    """Compute the sweep of a study into a store, in this process or in several."""
    from bathax.app import config, processes

    with _sentences_from(config.StudyError):
        text = config.read(arguments.study)
        study = config.parse(text, arguments.study.parent)
    if study.sweep is None:
        raise CommandError("Missing key `sweep`, which must be a table.")
    alone = not arguments.distributed and arguments.coordinator is None
    if alone and arguments.processes > 1:
        return processes.launch(arguments.given, arguments.processes)
    processes.use_cores(arguments.devices, 1 if arguments.distributed else arguments.processes)
    if arguments.distributed:
        processes.join()
    elif not alone:
        processes.join(arguments.coordinator, arguments.processes, arguments.process)

    from bathax.app import sweeping
    from bathax.studies.store import StoreError

    with _sentences_from(config.StudyError, StoreError, ValueError):
        failures = sweeping.run(study, text, arguments)
    return _complain(f"warning: {failures}", 1) if failures else 0


def fit(arguments: argparse.Namespace) -> int:
    """Fit the free numbers of a study to data; write the result and its figure."""
    from bathax.app import config

    with _sentences_from(config.StudyError):
        text = config.read(arguments.study)
        study = config.parse(text, arguments.study.parent)
    if study.fit is None:
        raise CommandError("Missing key `fit`, which must be a table.")
    if not arguments.data.is_file():
        raise CommandError(f"Data file `{arguments.data}` does not exist.")
    if not arguments.out.parent.is_dir():
        raise CommandError(f"Folder `{arguments.out.parent}` does not exist.")

    from bathax.app import fitting
    from bathax.app.figures import fit, write_figure

    with _sentences_from(config.StudyError, ValueError):
        data = fitting.read_data(arguments.data, config.kind_of(study))
        found = fitting.run(study, data)
        if not found.converged:
            return _complain(f"warning: {found.message}", 1)
        print(found)
        fitting.write(found, config.table(text), arguments.out)
        write_figure(arguments.out, fit.fitted, fitting.view(study, data, found))
    status = 0 if found.is_sound else 1
    return _complain(f"warning: {' '.join(found.warnings)}", status) if found.warnings else status


def show(arguments: argparse.Namespace) -> int:
    """Print what a result holds, and draw it."""
    from bathax.app import store
    from bathax.app.summaries import summary
    from bathax.studies.store import StoreError, reading

    with _sentences_from(StoreError), reading(arguments.store):
        dataset = store.load(arguments.store)
        print(summary(dataset))

        from bathax.app.figures import results, write_figure

        write_figure(arguments.figure or arguments.store, results.overview, dataset)
    return 0


def export(arguments: argparse.Namespace) -> int:
    """Write a result as a netCDF file."""
    from bathax.app import store
    from bathax.studies.store import StoreError, reading

    with _sentences_from(StoreError), reading(arguments.store):
        store.export(store.load(arguments.store), arguments.out)
    print(f"Written to {arguments.out}")
    return 0


def critical(arguments: argparse.Namespace) -> int:
    """Print the critical points of a study's system."""
    from bathax.app import config

    with _sentences_from(config.StudyError):
        study = config.load(arguments.study)

    from bathax.studies.critical import critical_points

    with _sentences_from(config.StudyError, ValueError):
        system, initial, times, _ = study.build()
        points = critical_points(system, initial, times)
    width = max(map(len, points))
    print("\n".join(f"{name:<{width}}  {value:.12g}" for name, value in points.items()))
    return 0


def figures(arguments: argparse.Namespace) -> int:
    """Draw every figure into a folder."""
    from bathax.app.figures import write_all

    write_all(arguments.out)
    return 0


# --- Parts of a run --------------------------------------------------------------------------


def _solve(study: Any) -> Any:
    import bathax as bx

    system, initial, times, solver = study.build()
    with warnings.catch_warnings():
        # The command says in a sentence of its own how a solution ended.
        warnings.simplefilter("ignore", bx.ToleranceWarning)
        return bx.solve(system, initial, times, solver=solver)


def _summary(solution: Any) -> str:
    """A table of E, S, T and F at a handful of times, the largest errors and the status."""
    import numpy as np

    names = ("energy", "entropy", "temperature", "free_energy")
    times = np.asarray(solution.t)
    values = [np.asarray(getattr(solution, name)) for name in names]
    errors = [np.max(np.asarray(getattr(solution.error, name))) for name in names]
    shown = np.unique(np.linspace(0, len(times) - 1, SUMMARY_TIMES).round().astype(int))
    rows = [
        ["t", "E", "S", "T", "F"],
        *([f"{column[i] + 0.0:.6g}" for column in (times, *values)] for i in shown),
        ["max error", *(f"{error:.1e}" for error in errors)],
    ]
    table = "\n".join("".join(f"{cell:>13}" for cell in row) for row in rows)
    return f"{table}\nstatus: {solution.message}"


@contextmanager
def _sentences_from(*kinds: type[Exception]) -> Iterator[None]:
    """Turn errors that are one sentence for the user into the command's own."""
    try:
        yield
    except kinds as error:
        raise CommandError(str(error)) from error


def _complain(sentence: str, status: int) -> int:
    print(f"bathax: {sentence}", file=sys.stderr)
    return status


# --- Arguments -------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message[0].upper()}{message[1:]}; see `{self.prog} --help`.")


class _PrintCompletion(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *arguments: Any) -> None:
        import shtab

        print(shtab.complete(parser, arguments[1]))
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="bathax", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"bathax {__version__}")
    parser.add_argument(
        "--print-completion",
        action=_PrintCompletion,
        choices=SHELLS,
        help="print what makes the shell complete this command, and exit",
    )
    commands = parser.add_subparsers(required=True, metavar="command", title="commands")
    _add_run(commands)
    _add_sweep(commands)
    _add_fit(commands)
    _add_show(commands)
    _add_export(commands)
    _add_critical(commands)
    _add_figures(commands)
    return parser


def _add_run(commands: Any) -> None:
    about = "solve the study in a TOML file and write the result to a zarr store"
    parser = commands.add_parser("run", help=about, description=about)
    parser.set_defaults(command=run)
    _add_cache(parser)
    study = parser.add_argument("study", type=Path, help="the study, e.g. study.toml")
    out = parser.add_argument("--out", type=Path, required=True, help="e.g. result.zarr")
    study.complete = out.complete = COMPLETE_FILE
    parser.add_argument("--force", action="store_true", help="replace an earlier result")


def _add_sweep(commands: Any) -> None:
    about = "compute the sweep in a TOML file into a zarr store, on every core or accelerator"
    parser = commands.add_parser("sweep", help=about, description=about)
    parser.set_defaults(command=sweep)
    _add_cache(parser)
    study = parser.add_argument("study", type=Path, help="the study, e.g. sweep.toml")
    out = parser.add_argument("--out", type=Path, required=True, help="e.g. sweep.zarr")
    study.complete = out.complete = COMPLETE_FILE
    parser.add_argument("--resume", action="store_true", help="go on with what is not done")
    parser.add_argument("--force", action="store_true", help="replace an earlier result")
    parser.add_argument("--log", action="store_true", help="a line for each box, and no bar")
    parser.add_argument(
        "--memory", type=float, default=4.0, metavar="GIB", help="limit of each process, default: 4"
    )
    parser.add_argument(
        "--devices", type=_amount, metavar="N", help="cores of each process, default: all there are"
    )
    parser.add_argument(
        "--processes", type=_amount, default=1, metavar="N", help="processes that share the work"
    )
    parser.add_argument(
        "--distributed", action="store_true", help="be one of those that SLURM or MPI has started"
    )
    parser.add_argument(
        "--coordinator", metavar="HOST:PORT", help="be one of the processes, this being the first"
    )
    parser.add_argument("--process", type=int, metavar="I", help="which of them, from 0")


def _add_fit(commands: Any) -> None:
    about = "fit free numbers of a study to measured quantities"
    parser = commands.add_parser("fit", help=about, description=about)
    parser.set_defaults(command=fit)
    _add_cache(parser)
    study = parser.add_argument("study", type=Path, help="the study, e.g. study.toml")
    data = parser.add_argument("data", type=Path, help="columns t, energy, energy_error, ...")
    out = parser.add_argument("--out", type=Path, required=True, help="e.g. fit.json")
    study.complete = data.complete = out.complete = COMPLETE_FILE


def _add_show(commands: Any) -> None:
    about = "print what a result holds, and draw it"
    parser = commands.add_parser("show", help=about, description=about)
    parser.set_defaults(command=show)
    store = parser.add_argument("store", type=Path, help="the result, e.g. sweep.zarr")
    figure = parser.add_argument("--figure", type=Path, help="default: beside the result")
    store.complete = figure.complete = COMPLETE_FILE


def _add_export(commands: Any) -> None:
    about = "write a result as a netCDF file, complex numbers as their two parts"
    parser = commands.add_parser("export", help=about, description=about)
    parser.set_defaults(command=export)
    store = parser.add_argument("store", type=Path, help="the result, e.g. sweep.zarr")
    out = parser.add_argument("out", type=Path, help="e.g. sweep.nc")
    store.complete = out.complete = COMPLETE_FILE


def _add_cache(parser: argparse.ArgumentParser) -> None:
    about = "compile everything anew, and keep nothing of it for the next time"
    parser.add_argument("--no-cache", dest="cache", action="store_false", help=about)


def _amount(text: str) -> int:
    """A positive integer of the command line."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a positive integer, but is {text}")
    return number


def _add_critical(commands: Any) -> None:
    about = "print the critical points of the system in a TOML file"
    parser = commands.add_parser("critical", help=about, description=about)
    parser.set_defaults(command=critical)
    _add_cache(parser)
    study = parser.add_argument("study", type=Path, help="the study, e.g. study.toml")
    study.complete = COMPLETE_FILE


def _add_figures(commands: Any) -> None:
    about = "compute and draw the figures"
    parser = commands.add_parser("figures", help=about, description=about)
    parser.set_defaults(command=figures)
    _add_cache(parser)
    out = parser.add_argument("--out", type=Path, default=Path("figures"), help="default: figures")
    out.complete = COMPLETE_FILE


if __name__ == "__main__":
    sys.exit(main())
