"""What a first answer costs, before anything is compiled: writes `first_call.md`.

Each row has a process of its own, and no program in JAX's cache unless the row says so. Run
`make_dynamiqs_venv.sh` first. `--rows` runs a selection and prints it, without writing the file.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from _memory import peak_memory
from _timing import cpu_seconds, first_call, machine_line, report_of, table, watched, write_report
from fit_campaign import FAMILIES, NOISE, POINTS, SEED, drawn_like

import bathax as bx
from bathax import dynamical_map, solve

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
BATHAX = Path(sys.executable).parent / "bathax"
STOP, TIMES, ATOM_STOP, ATOM_TIMES = 40.0, 401, 20.0, 201
MOST_MEMORY = 2**30


# Programs, each a function of one coupling.


def cavity_solved(solver, times=TIMES, quanta=5):
    """A cavity, of which `quantities` are taken."""

    def solved(eta, quantities):
        bath = bx.Reservoir(bx.Ohmic(eta, 5.0), 20.0)
        ts = np.linspace(0.0, STOP, times)
        return quantities(solve(bx.Cavity(1.0, bath), bx.Fock(quanta), ts, solver))

    return solved


def atom_mapped(solver):
    """The map of a thermal qubit, of which `quantities` are taken."""

    def mapped(eta, quantities):
        atom = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), 0.5))
        ts = np.linspace(0.0, ATOM_STOP, ATOM_TIMES)
        return quantities(dynamical_map(atom, ts, solver))

    return mapped


def green(sol):
    return sol.u, sol.v


def thermodynamics(sol):
    return sol.energy, sol.entropy, sol.temperature, sol.free_energy


def last_free_energy(sol):
    return sol.free_energy[-1]


def elements(found):
    return found.p11, found.p00, found.coherence


def last_population(found):
    return found.p11[-1]


class Program(NamedTuple):
    """What is compiled, at which coupling, and the most CPU seconds that may take.

    `over` names the program that the cost is compared with, as a ratio, if any.
    """

    function: Callable
    eta: float
    most: float | None = None
    over: str | None = None


def programs(of, parts, eta, **bars):
    """A program for each part (name, quantities, whether the gradient is meant)."""
    found = {}
    for name, quantities, by_gradient in parts:
        function = partial(of, quantities=quantities)
        function = jax.grad(function) if by_gradient else function
        found[name] = Program(function, eta, *bars.get(name.split(": ")[-1], ()))
    return found


def of_cavity(name, solver, **bars):
    """Green functions, thermodynamics, and the gradient of the last free energy."""
    parts = [("u, v", green, False), ("E, S, T, F", thermodynamics, False)]
    parts += [("gradient of F", last_free_energy, True)]
    named = [(f"{name}: {part}", *rest) for part, *rest in parts]
    return programs(cavity_solved(solver), named, 0.1, **bars)


def of_atom(name, solver, **bars):
    """The map of a thermal qubit, and the gradient of the last population."""
    parts = [("map", elements, False), ("gradient of P11", last_population, True)]
    named = [(f"{name}: {part}", *rest) for part, *rest in parts]
    return programs(atom_mapped(solver), named, 0.02, **bars)


FIXED, FIXED_ATOM = "Volterra(points=4096)", "Hierarchy(depth=5, modes=10)"
DEFAULT, DEFAULT_ATOM = "default", "Hierarchy()"
LIMITS = {"E, S, T, F": (3.0,), "gradient of F": (6.0,)}
RATIOS = {name: (1.3, f"{FIXED}: {name}") for name in LIMITS}
LIMITS_ATOM = {"map": (2.0,), "gradient of P11": (4.0,)}
COMPARED_ATOM = {name: (None, f"{FIXED_ATOM}: {name}") for name in LIMITS_ATOM}
PROGRAMS = {
    **of_cavity(FIXED, bx.Volterra(points=4096), **LIMITS),
    **of_cavity("Resonance()", bx.Resonance(), **LIMITS),
    **of_cavity(DEFAULT, None, **RATIOS),
    **of_atom(FIXED_ATOM, bx.Hierarchy(depth=5, modes=10), **LIMITS_ATOM),
    **of_atom(DEFAULT_ATOM, bx.Hierarchy(), **COMPARED_ATOM),
}


def run_program(name):
    """The first call of a program."""
    program = PROGRAMS[name]
    return first_call(program.function, jnp.asarray(program.eta))


def run_dynamiqs(what):
    """The first call of a program of dynamiqs, in its own environment."""
    python = HERE.parent / ".venv-dynamiqs" / "bin" / "python"
    return report_of([python, HERE / "dynamiqs_first_call.py", what])


# Calls that are not under `jit`, and those that should find everything compiled.


def cost(run):
    """CPU seconds of a call, its arrays waited for, and how many programs it compiled."""
    compiled = []

    def listen(event, _, **__):
        if event == "/jax/core/compile/backend_compile_duration":
            compiled.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    start = cpu_seconds()
    jax.block_until_ready(run())
    took = cpu_seconds() - start
    jax.monitoring.unregister_event_duration_listener(listen)
    return {"cpu": took, "compiled": len(compiled)}


def again(first, second):
    """A call, and what it costs after another one."""
    jax.block_until_ready(first())
    return cost(second) | {"peak": peak_memory()}


def solved(times=TIMES, quanta=5, eta=0.1):
    """E, S, T and F by the default, outside of `jit`."""
    return cavity_solved(None, times, quanta)(eta, thermodynamics)


def swept():
    """A small sweep with the default solver."""

    def damped(eta, kT0):
        bath = bx.Reservoir(bx.Ohmic(eta, 5.0), kT0)
        ts = np.linspace(0.0, STOP, TIMES)
        return bx.solve(bx.Cavity(1.0, bath), bx.Fock(5), ts)

    grid = {"eta": np.geomspace(0.01, 0.15, 4), "kT0": np.linspace(1.0, 10.0, 2)}

    def run():
        return np.asarray(bx.sweep(damped, grid, ["energy", "temperature"]).energy)

    return run


class Call(NamedTuple):
    """What is measured, and how many programs it may compile at most."""

    run: Callable
    most: int | None = None


def run_sweep_again():
    """The second of two equal sweeps."""
    run = swept()
    return again(run, run)


CALLS = {
    "solve, the first": Call(lambda: cost(solved) | {"peak": peak_memory()}),
    "solve at another coupling": Call(lambda: again(solved, partial(solved, eta=0.09))),
    "solve at 402 times after 401": Call(lambda: again(solved, partial(solved, times=402))),
    "solve from Fock(4) after Fock(5)": Call(lambda: again(solved, partial(solved, quanta=4))),
    "sweep, the first": Call(lambda: cost(swept()) | {"peak": peak_memory()}),
    "sweep once more": Call(run_sweep_again, 0),
}


# Fits.


def times_of(family):
    return jnp.linspace(family.stop / POINTS, family.stop, POINTS)


def run_data(name):
    """Noisy data of a family, its parameters a quarter up their ranges: names, values, errors.

    In a process of its own, as it traces what the fit has to trace.
    """
    family, rng = FAMILIES[name], np.random.default_rng(SEED)
    truth = {key: low * (high / low) ** 0.25 for key, (low, high) in family.ranges.items()}
    exact = jax.jit(lambda p: family.model(times_of(family), **p))(truth)
    values = {key: np.asarray(value) for key, value in exact.items()}
    if "c" in values:
        values["abs_c"] = np.abs(values.pop("c"))
    errors = {key: NOISE * float(np.abs(value).max()) for key, value in values.items()}
    noisy = {key: value + errors[key] * drawn_like(value, rng) for key, value in values.items()}
    return {
        key: [value.real.tolist(), value.imag.tolist(), errors[key]] for key, value in noisy.items()
    }


def run_fit(name):
    """CPU seconds of the first fit of a family less those of the second."""
    family, measured = FAMILIES[name], part(["--data", name])
    known = {
        key: (np.array(real) + 1j * np.array(imag) if any(imag) else np.array(real), error)
        for key, (real, imag, error) in measured.items()
    }
    data, ts = bx.Data(times_of(family), **known), times_of(family)
    start = {key: float(np.sqrt(low * high)) for key, (low, high) in family.ranges.items()}

    def model(**parameters):
        return family.model(ts, **parameters)

    def fitted():
        return bx.fit(model, data, start, bounds=family.bounds).residuals

    first, later = cost(fitted)["cpu"], cost(fitted)["cpu"]
    return {"first": first, "later": later, "cpu": first - later, "peak": peak_memory()}


MOST_OF_A_FIT = 8.0


# The README and the command line.


def blocks(language):
    """The fenced blocks of the README in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)


def environment(folder):
    """Variables of a process whose caches are below a folder.

    Python keeps bytecode, as it does where bathax is installed.
    """
    caching = ("JAX_", "BATHAX_", "PYTHONDONTWRITEBYTECODE")
    own = {name: value for name, value in os.environ.items() if not name.startswith(caching)}
    return own | {"XDG_CACHE_HOME": str(folder)}


def in_empty_folder(run):
    """What `run` returns of an empty folder, and of the environment whose caches lie beside it."""
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "work"
        folder.mkdir()
        return run(folder, environment(Path(root) / "cache"))


def run_readme(folder, variables):
    """All Python blocks of the README, one after the other, then again from JAX's cache."""
    script, later = folder / "blocks.py", folder / "later"
    script.write_text("\n\n".join(blocks("python")))
    later.mkdir()
    variables |= {
        "JAX_COMPILATION_CACHE_DIR": variables["XDG_CACHE_HOME"] + "/jax",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    run = partial(watched, [sys.executable, script], env=variables)
    return [run(cwd=folder), run(cwd=later)]


def run_command(folder, variables):
    """`bathax run` of the README's study, with nothing in its cache and then with everything."""
    (folder / "study.toml").write_text(blocks("toml")[0])
    command = [BATHAX, "run", "study.toml", "--force", "--out", "result.zarr"]
    run = partial(watched, command, cwd=folder, env=variables)
    return [run(), run()]


def run_sweep(folder, variables):
    """`bathax sweep` of the README's study until its first box is on disk."""
    study, *more = blocks("toml")
    axes = next(block for block in more if "[sweep" in block)
    (folder / "study.toml").write_text(study + "\n" + axes)
    done = folder / "sweep.zarr" / "status" / "c"

    def first_box():
        return any(file.is_file() and file.suffix != ".partial" for file in done.rglob("*"))

    command = [BATHAX, "sweep", "study.toml", "--out", "sweep.zarr"]
    return [watched(command, first_box, cwd=folder, env=variables)]


class Command(NamedTuple):
    """What is run, and of each time that it is run a name and the most wall seconds."""

    run: Callable
    rows: dict[str, float]


COMMANDS = {
    "README": Command(
        run_readme, {"README's Python blocks": 60.0, "README's Python blocks, cached": 20.0}
    ),
    "bathax run": Command(run_command, {"`bathax run`": 8.0, "`bathax run`, cached": 4.0}),
    "bathax sweep": Command(run_sweep, {"`bathax sweep`, until its first box": 15.0}),
}

ROWS = {
    **{name: partial(run_program, name) for name in PROGRAMS},
    **{f"dynamiqs: {what}": partial(run_dynamiqs, what) for what in ("value", "gradient")},
    **{name: call.run for name, call in CALLS.items()},
    **{f"fit: {name}": partial(run_fit, name) for name in FAMILIES},
    **{name: partial(in_empty_folder, command.run) for name, command in COMMANDS.items()},
}


# Tables.


def judged(value, most):
    """The bar of a row and whether it is met."""
    return ["-", ""] if most is None else [f"{most:g}", "yes" if value <= most else "**no**"]


def mib(size):
    return f"{size / 2**20:.0f}"


def program_row(name, reports):
    """The costs of a program, with its ratio to another one where it has to keep to that."""
    report, program = reports[name], PROGRAMS.get(name)
    most, over = (program.most, program.over) if program else (None, None)
    ratio = report["cpu"] / reports[over]["cpu"] if over in reports else None
    seconds = [f"{report[key]:.2f}" for key in ("trace", "lower", "compile", "cpu")]
    bar = judged(ratio if over else report["cpu"], most) if not over or ratio else ["-", ""]
    if over and most:
        bar[0] = f"{most:g} x"
    size = [f"{report['equations']:,}", f"{report['stablehlo'] / 1e6:.2f}", mib(report["peak"])]
    return [name, *seconds, f"{ratio:.2f}" if ratio else "", *bar, *size]


def call_row(name, reports):
    report = reports[name]
    bar = judged(report["compiled"], CALLS[name].most)
    return [name, f"{report['cpu']:.2f}", report["compiled"], *bar, mib(report["peak"])]


def fit_row(name, reports):
    report = reports[f"fit: {name}"]
    seconds = [f"{report[key]:.2f}" for key in ("first", "later", "cpu")]
    return [name, *seconds, *judged(report["cpu"], MOST_OF_A_FIT), mib(report["peak"])]


def command_rows(name, reports):
    """A row for each time that a command was run."""
    return [
        [
            label,
            f"{report['wall']:.1f}",
            f"{report['cpu']:.1f}",
            *judged(report["wall"], most),
            mib(report["peak"]),
        ]
        for (label, most), report in zip(COMMANDS[name].rows.items(), reports[name], strict=True)
    ]


def memory_line(reports):
    """The row that takes most memory, of ours."""
    peaks = {}
    for name, report in reports.items():
        many = report if isinstance(report, list) else [report]
        if not name.startswith("dynamiqs"):
            peaks[name] = max(one["peak"] for one in many)
    worst = max(peaks, key=peaks.__getitem__)
    verdict = "within" if peaks[worst] <= MOST_MEMORY else "**above**"
    return f"Most memory takes {worst}, {mib(peaks[worst])} MiB: {verdict} {mib(MOST_MEMORY)} MiB."


def section(text, header, rows):
    """A paragraph and its table, or nothing where no row has been run."""
    return [text, table(header, rows)] if rows else []


def sections(reports):
    """All tables of the rows that have been run."""
    end = ["must be at most", "met", "peak MiB"]
    compared = [*PROGRAMS, *(name for name in ROWS if name.startswith("dynamiqs"))]
    costs = ["", "trace", "lower", "compile", "together", "ratio", "must be at most", "met"]
    return [
        *section(
            "CPU seconds under `jit`, of packages that are imported before. Cavity: Ohmic, eta = "
            f"0.1, cutoff 5, kT0 = 20, from five quanta, {TIMES} times up to {STOP:g}. Qubit: eta "
            f"= 0.02, kT = 0.5, {ATOM_TIMES} times up to {ATOM_STOP:g}. The ratio is to the "
            "program of fixed size, by which the default is judged. dynamiqs: the number of quanta "
            "of a cavity that starts with five and is coupled to a damped mode, `mesolve` at "
            f"{TIMES} times.",
            [*costs, "equations", "StableHLO MB", "peak MiB"],
            [program_row(name, reports) for name in compared if name in reports],
        ),
        *section(
            "CPU seconds of calls outside of `jit` by the default solver, and the programs they "
            "compile, of which the limit is one:",
            ["", "CPU s", "programs compiled", *end],
            [call_row(name, reports) for name in CALLS if name in reports],
        ),
        *section(
            "CPU seconds of the first fit of each family of `fit_campaign.py`, of the second one, "
            "and their difference:",
            ["", "first", "second", "difference", *end],
            [fit_row(name, reports) for name in FAMILIES if f"fit: {name}" in reports],
        ),
        *section(
            "Wall seconds of whole processes, from the start of Python on; in the rows not "
            "called cached no cache holds anything:",
            ["", "wall s", "CPU s", *end],
            [row for name in COMMANDS if name in reports for row in command_rows(name, reports)],
        ),
    ]


def part(arguments):
    """What this script reports from a process of its own, without a cache."""
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, __file__, *arguments]
        return report_of(command, env=environment(cache))


def write(rows):
    """Run the rows in turn and print what they cost; all of them are written to the file."""
    reports = {}
    for name in rows or ROWS:
        try:
            reports[name] = part(["--part", name])
        except subprocess.CalledProcessError as error:
            print(f"{name}: {error}", flush=True)
            continue
        print(f"{name}: {json.dumps(reports[name])}", flush=True)
    missing = [name for name in rows or ROWS if name not in reports]
    blocks = [*sections(reports), memory_line(reports)] if reports else []
    if missing:
        blocks.append(f"**Failed**: {', '.join(missing)}.")
    title = ["# What a first answer costs", machine_line("bathax", "jax", "jaxlib")]
    write_report(None if rows else HERE / "first_call.md", *title, *blocks)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="+", choices=ROWS, help="only these; the file stays")
    parser.add_argument("--part", choices=ROWS, help="run one row here, print its JSON line")
    parser.add_argument("--data", choices=FAMILIES, help="print the data of a family")
    given = parser.parse_args()
    if given.part:
        print(json.dumps(ROWS[given.part]()))
    elif given.data:
        print(json.dumps(run_data(given.data)))
    else:
        write(given.rows)


if __name__ == "__main__":
    main()
