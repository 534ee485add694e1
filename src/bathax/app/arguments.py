"""The arguments of the `bathax` command; nothing is imported here that takes long."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from bathax import __version__
from bathax.studies.lookup import listing

DESCRIPTION = "Exact dynamics and thermodynamics of small quantum systems in reservoirs."
SHELLS = ("bash", "zsh", "tcsh")
# The attribute by which shtab completes names of files, written out so that it is not imported.
COMPLETE_FILE = {"bash": "_shtab_compgen_files", "zsh": "_files", "tcsh": "f"}

Command = Callable[[argparse.Namespace], int]


class CommandError(Exception):
    """A mistake in how the command was called; the message is one sentence."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message[0].upper()}{message[1:]}; see `{self.prog} --help`.")


class _PrintCompletion(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *arguments: Any) -> None:
        import shtab

        print(shtab.complete(parser, arguments[1]))
        parser.exit()


def parser_of(commands: Mapping[str, Command]) -> argparse.ArgumentParser:
    """The parser; its result has the function of the chosen command as `command`."""
    parser = _Parser(prog="bathax", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"bathax {__version__}")
    parser.add_argument(
        "--print-completion",
        action=_PrintCompletion,
        choices=SHELLS,
        help="print what makes the shell complete this command, and exit",
    )
    parsers = parser.add_subparsers(required=True, metavar="command", title="commands")
    for name, command in commands.items():
        about, add_arguments = _COMMANDS[name]
        one = parsers.add_parser(name, help=about, description=about)
        one.set_defaults(command=command)
        add_arguments(one)
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    _add_cache(parser)
    study = parser.add_argument("study", type=Path, help="the study, e.g. study.toml")
    out = parser.add_argument(
        "--out", type=_ending(".zarr"), required=True, help="e.g. result.zarr"
    )
    _are_files(study, out)
    parser.add_argument("--force", action="store_true", help="replace an earlier result")


def _add_sweep(parser: argparse.ArgumentParser) -> None:
    _add_cache(parser)
    study = parser.add_argument("study", type=Path, help="the study, e.g. sweep.toml")
    out = parser.add_argument("--out", type=_ending(".zarr"), required=True, help="e.g. sweep.zarr")
    _are_files(study, out)
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
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"quantities, with hbar = k_B = 1:\n{listing()}"


def _add_fit(parser: argparse.ArgumentParser) -> None:
    _add_cache(parser)
    study = parser.add_argument("study", type=Path, help="the study, e.g. study.toml")
    about = "columns t, energy, energy_error, ...; see `bathax sweep --help`"
    data = parser.add_argument("data", type=Path, help=about)
    out = parser.add_argument("--out", type=_ending(".json"), required=True, help="e.g. fit.json")
    _are_files(study, data, out)
    parser.add_argument("--force", action="store_true", help="replace an earlier result")


def _add_show(parser: argparse.ArgumentParser) -> None:
    store = parser.add_argument("store", type=Path, help="the result, e.g. sweep.zarr")
    figure = parser.add_argument("--figure", type=Path, help="default: beside the result")
    _are_files(store, figure)


def _add_export(parser: argparse.ArgumentParser) -> None:
    store = parser.add_argument("store", type=Path, help="the result, e.g. sweep.zarr")
    out = parser.add_argument("out", type=_ending(".nc"), help="e.g. sweep.nc")
    _are_files(store, out)
    parser.add_argument("--force", action="store_true", help="replace an earlier file")


def _add_cache(parser: argparse.ArgumentParser) -> None:
    about = "compile everything anew, and keep nothing of it for the next time"
    parser.add_argument("--no-cache", dest="cache", action="store_false", help=about)


def _are_files(*arguments: Any) -> None:
    """Let a shell complete the arguments with names of files."""
    for argument in arguments:
        argument.complete = COMPLETE_FILE


def _ending(suffix: str) -> Callable[[str], Path]:
    """A converter of an argument to a path, which refuses endings of other kinds of file."""

    def path(text: str) -> Path:
        if Path(text).suffix not in ("", suffix):
            raise argparse.ArgumentTypeError(f"must end in {suffix}, but is {text}")
        return Path(text)

    return path


def _amount(text: str) -> int:
    """A positive integer of the command line."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a positive integer, but is {text}")
    return number


def _add_critical(parser: argparse.ArgumentParser) -> None:
    _add_cache(parser)
    study = parser.add_argument("study", type=Path, help="the study, e.g. study.toml")
    _are_files(study)


def _add_figures(parser: argparse.ArgumentParser) -> None:
    _add_cache(parser)
    out = parser.add_argument("--out", type=Path, default=Path("figures"), help="default: figures")
    _are_files(out)
    about = "names of figures, or how they begin, like fig2; default: all, and the claims"
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help=about)


_COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "run": ("solve the study in a TOML file and write the result to a zarr store", _add_run),
    "sweep": (
        "compute the sweep in a TOML file into a zarr store, on every core or accelerator",
        _add_sweep,
    ),
    "fit": ("fit free numbers of a study to measured quantities", _add_fit),
    "show": ("print what a result holds, and draw it", _add_show),
    "export": ("write a result as a netCDF file, complex numbers as their two parts", _add_export),
    "critical": ("print the critical points of the system in a TOML file", _add_critical),
    "figures": ("compute and draw the figures", _add_figures),
}
