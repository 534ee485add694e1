"""The thermal rotating-wave qubit by bathax, ACE-OQS and QuTiP's HEOM: writes `qubit_peers.md`.

H = w_s s+s- + sum w_k b'b + sum g_k (s+ b_k + h.c.), J = sum g_k^2 delta(w - w_k) Ohmic with
an exponential cutoff, the qubit excited at t = 0. Run `make_ace_venv.sh` first. Every error is
the largest one of the excited population over the reference times; every run has a process of its
own, so that its peak memory is its own.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from _memory import peak_memory
from _timing import cpu_seconds, machine_line, report_of, seconds, table, write_report

import bathax as bx

HERE = Path(__file__).parent
FREQUENCY, CUTOFF, STOP = 1.0, 5.0, 20.0
# Of both hierarchies, where they are compared at equal size; couplings of a batch.
EXPONENTS, BATCH = 10, 64
HEOM_SIZES = {
    depth: {"depth": depth, "modes": EXPONENTS, "steps": steps}
    for depth, steps in ((3, 100), (5, 160))
}
# bathax's hierarchies: a small one of fixed size, and two that its tolerance chooses.
CHOSEN = [{"rtol": 1e-3}, {"rtol": 1e-5}]
OUR_SETTINGS = {
    "vacuum": [{}],
    "thermal, weak": [{"depth": 2, "modes": 5, "steps": 64}, *CHOSEN],
    "thermal, stronger": [HEOM_SIZES[3], *CHOSEN],
}
TIMES = np.array([0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0])

# P11 at TIMES by an independent hierarchy in float64, errors below 1e-8; at T = 0 it is |u|^2. At
# strong coupling no other method gets that far: there it is bathax's own by `rtol=1e-6`.
CASES = {
    "vacuum": {"eta": 0.1, "temperature": 0.0},
    "thermal, weak": {
        "eta": 0.002,
        "temperature": 1.0,
        "exact": [
            0.994636564954989, 0.988137100624376, 0.973526565412415,
            0.957389383146627, 0.926018584191899, 0.89141185224273,
            0.857210055368418, 0.795444146578847, 0.739882479658139,
        ],
    },
    "thermal, stronger": {
        "eta": 0.02,
        "temperature": 0.5,
        "exact": [
            0.952081865500932, 0.904280030975137, 0.815961144491403,
            0.731192669234432, 0.58751221097597, 0.463706832400743,
            0.372876756860522, 0.260592978438457, 0.202176677545466,
        ],
    },
    "strong": {
        "eta": 0.2,
        "temperature": 1.0,
        "exact": [
            0.6109977150887769, 0.4487449271390536, 0.382349471605734,
            0.3854698840168368, 0.39566873860796903, 0.39757987440171305,
            0.3972326947298468, 0.39595352961289165, 0.39500073104225825,
        ],
    },
    "strong, hot": {
        "eta": 0.2,
        "temperature": 20.0,
        "exact": [
            0.4952652487288901, 0.49940555204102893, 0.49443061522786724,
            0.49112657081268335, 0.48887090103043324, 0.4883178147851657,
            0.48823086747775435, 0.48821489593892825, 0.4882144937783225,
        ],
    },
}  # fmt: skip
STRONG = ("strong", "strong, hot")


def reference(name, ts):
    """Times and exact P11: `TIMES` of the table, or all of `ts` at T = 0."""
    case = CASES[name]
    if "exact" in case:
        return TIMES, np.array(case["exact"])
    bath = bx.Reservoir(bx.Ohmic(case["eta"], CUTOFF))
    sol = bx.solve(bx.Cavity(FREQUENCY, bath), bx.Fock(1), jnp.asarray(ts))
    return ts, np.abs(np.asarray(sol.u)) ** 2


def error(name, ts, population):
    """Largest error at the reference times, all of which `ts` must hold."""
    ts, population = np.asarray(ts), np.asarray(population)
    times, exact = reference(name, ts)
    at = np.abs(ts[:, None] - times).argmin(axis=0)
    np.testing.assert_allclose(ts[at], times, atol=1e-9)
    return float(np.abs(population[at] - exact).max())


# ---- bathax


def bathax_map(name, solver, eta):
    """The dynamical map of a problem at some coupling."""
    case = CASES[name]
    bath = bx.Reservoir(bx.Ohmic(eta, CUTOFF), case["temperature"])
    solver = solver if case["temperature"] else None
    return bx.dynamical_map(bx.Qubit(FREQUENCY, bath), jnp.linspace(0.0, STOP, 401), solver)


def report_bathax(name, settings, batch):
    """Print one JSON line: the first call, the median of the later ones, error, peak memory.

    With a number of steps everything has a fixed size, and is one compiled program.
    """
    solver, eta = bx.Hierarchy(**settings), CASES[name]["eta"]
    repeats = 2 if name in STRONG else 15
    etas = jnp.asarray(eta * np.geomspace(0.5, 1.0, batch))

    def of_one(eta):
        # With derivatives, rates and error estimates.
        return bathax_map(name, solver, eta)

    def of_batch(etas):
        return jax.vmap(of_one)(etas)

    function = of_one if batch == 1 else of_batch
    function = eqx.filter_jit(function) if "steps" in settings else function

    def run():
        return function(jnp.asarray(eta) if batch == 1 else etas).p11

    before = cpu_seconds()
    first = seconds(run)
    report = {"first_seconds": first, "first_cpu_seconds": cpu_seconds() - before}
    before = cpu_seconds()
    report["seconds"] = statistics.median(seconds(run) for _ in range(repeats))
    report["cpu_seconds"] = (cpu_seconds() - before) / repeats
    # Before the reference is computed, which may need more.
    report["peak_memory"] = peak_memory()
    last = np.asarray(run()).reshape(batch, -1)[-1]
    report["error"] = error(name, np.linspace(0.0, STOP, 401), last)
    print(json.dumps(report))


def bathax_report(name, settings, batch=1):
    """`report_bathax` in a process of its own."""
    options = ["--settings", json.dumps(settings), "--batch", str(batch)]
    return report_of([sys.executable, __file__, "--bathax", name, *options])


# ---- ACE-OQS

# The best trade-offs found. The tree needs a number of modes that is a power of two.
TREE = {"use_combine_tree": "true"}


def ace_setting(modes, upper, scale, threshold, **options):
    """Two levels a mode and steps of 0.5; finer steps lose more in compression than they gain."""
    setting = {"modes": modes, "upper": upper, "scale": scale, "threshold": threshold}
    return setting | {"levels": 2, "step": 0.5, "options": options}


ACE_SETTINGS = {
    "vacuum": [
        ace_setting(16, 10.0, 1.4, 1e-5, compress_maxk=16),
        ace_setting(16, 10.0, 1.4, 1e-5, compress_maxk=24),
    ],
    "thermal, weak": [
        ace_setting(16, 10.0, 1.0, 1e-4, **TREE),
        ace_setting(64, 20.0, 1.4, 1e-5, **TREE),
    ],
    "thermal, stronger": [
        ace_setting(16, 10.0, 1.0, 1e-4, **TREE, compress_maxk=48),
        ace_setting(16, 10.0, 1.0, 1e-4, **TREE, compress_maxk=64),
    ],
}


def ace_report(name, setting):
    """One run of ACE in its own environment: seconds, error, peak memory."""
    case = {"frequency": FREQUENCY, "cutoff": CUTOFF, "stop": STOP}
    case |= {key: CASES[name][key] for key in ("eta", "temperature")}
    python = HERE.parent / ".venv-ace" / "bin" / "python"
    report = report_of([python, HERE / "ace_peer.py"], input=json.dumps(case | setting))
    return report | {"error": error(name, report["ts"], report["population"])}


def ace_label(setting):
    """A setting in words."""
    options = setting.get("options", {})
    return (
        f"{setting['modes']} cells to {setting['upper']:g}, scale {setting['scale']:g}, "
        f"{setting['levels']} levels, dt {setting['step']:g}, threshold {setting['threshold']}"
    ) + "".join(f", {key} {value}" for key, value in options.items())


def against_ace(name, setting, runs):
    """The table row: ACE's setting and run, and its time over that of a run as exact or more."""
    theirs = ace_report(name, setting)
    ours = min(
        (run for run in runs if run["error"] <= theirs["error"]), key=lambda run: run["seconds"]
    )
    cells = [name, ace_label(setting), f"{theirs['seconds']:.3g}", f"{theirs['cpu_seconds']:.3g}"]
    cells += [f"{theirs['error']:.1e}", f"{theirs['peak_memory'] / 2**20:.0f}"]
    return [*cells, f"{theirs['seconds'] / ours['seconds']:.0f}"]


# ---- QuTiP

HEOM_METHODS = ("adams", "vern7", "tsit5")
HEOM_CASE = "thermal, stronger"


def heom_report(name, depth, method):
    """One run of QuTiP's hierarchy: seconds, auxiliaries, peak memory."""
    settings = {"frequency": FREQUENCY, "cutoff": CUTOFF, "stop": STOP, "points": 401}
    settings |= {key: CASES[name][key] for key in ("eta", "temperature")}
    settings |= {"exponents": EXPONENTS, "depth": depth, "method": method, "tolerance": 1e-8}
    words = [word for key, value in settings.items() for word in (f"--{key}", str(value))]
    return report_of([sys.executable, HERE / "heom_peer.py", *words])


def heom_row(depth):
    """The table row of QuTiP's fastest method at this depth, and bathax's hierarchy."""
    runs = {method: heom_report(HEOM_CASE, depth, method) for method in HEOM_METHODS}
    method = min(runs, key=lambda name: runs[name]["seconds"])
    run = runs[method]
    ours = bathax_report(HEOM_CASE, HEOM_SIZES[depth])
    cells = [EXPONENTS, depth, run["auxiliaries"], method, f"{run['seconds']:.3g}"]
    cells += [f"{run['build_seconds']:.2g}", f"{run['peak_memory'] / 2**20:.0f}"]
    cells += [f"{ours['seconds']:.2g}", f"{ours['error']:.1e}"]
    ratio = (run["seconds"] + run["build_seconds"]) / ours["seconds"]
    return [*cells, f"{ours['peak_memory'] / 2**20:.0f}", f"{ratio:.0f}"]


def batch_row(depth):
    """The table row of a batch of couplings by `vmap`."""
    settings = HEOM_SIZES[depth]
    alone, batch = bathax_report(HEOM_CASE, settings), bathax_report(HEOM_CASE, settings, BATCH)
    cells = [EXPONENTS, depth, f"{alone['seconds']:.2g}", f"{batch['seconds']:.2g}"]
    cells += [f"{BATCH * alone['seconds'] / batch['seconds']:.2g}"]
    return [*cells, f"{batch['peak_memory'] / 2**20:.0f}"]


# ---- the report

HEADER = [
    "problem", "ACE setting", "ACE s", "ACE CPU s", "ACE error", "ACE MiB", "over bathax",
]  # fmt: skip
HEOM_HEADER = [
    "exponents", "depth", "auxiliaries", "method", "QuTiP s", "build s", "QuTiP MiB",
    "bathax s", "bathax error", "bathax MiB", "ratio",
]  # fmt: skip
BATCH_HEADER = ["modes", "depth", "one s", f"{BATCH} s", "gain", "MiB"]
OUR_HEADER = ["problem", "hierarchy", "bathax s", "first call s", "error", "MiB"]


def problem_rows():
    """Rows of bathax, at both tolerances of each problem, and of ACE at each of its settings."""
    ours, theirs = [], []
    for name, settings in ACE_SETTINGS.items():
        runs = [bathax_report(name, ours) for ours in OUR_SETTINGS[name]]
        for setting, run in zip(OUR_SETTINGS[name], runs, strict=True):
            label = ", ".join(f"{key} {value:g}" for key, value in setting.items()) or "none needed"
            cells = [name, label, f"{run['seconds']:.2g}", f"{run['first_seconds']:.2g}"]
            ours.append([*cells, f"{run['error']:.1e}", f"{run['peak_memory'] / 2**20:.0f}"])
        theirs += [against_ace(name, setting, runs) for setting in settings]
    return ours, theirs


def write():
    """Run everything and write `qubit_peers.md`."""
    ours, theirs = problem_rows()
    write_report(
        HERE / "qubit_peers.md",
        "# The rotating-wave qubit: bathax and its peers",
        machine_line("bathax", "jax", "jaxlib", "numpy", "qutip") + ", ACE-OQS 1.3.3",
        "A qubit, w_s = 1, excited at t = 0, with an Ohmic reservoir, J = eta w e^{-w/5}, to "
        "t = 20. "
        + "; ".join(
            f"{name}: eta = {case['eta']}, T = {case['temperature']}"
            for name, case in CASES.items()
            if name not in STRONG
        )
        + ". Errors are the largest errors of the excited population. Every run has a process "
        "of its own, whose peak memory is given; other load on the machine moves the times.",
        table(OUR_HEADER, ours),
        table(HEADER, theirs),
        "With a number of steps, bathax is one program under `jit`; otherwise it chooses the size "
        "of the hierarchy at each call. The last column is ACE's time over that of bathax's "
        "fastest run with an error as small or smaller. ACE's settings are the best found of: "
        "equidistant modes and cells finer around w_s, thermal modes and two vacuum baths, either "
        "frame, sequential, selective and tree combination, the order of the modes, time steps, "
        "thresholds and bond limits.",
        table(HEOM_HEADER, [heom_row(depth) for depth in HEOM_SIZES]),
        "QuTiP's hierarchy takes Hermitian couplings only: it solves sigma_x on the bath of "
        "'thermal, stronger', so its cost compares, its result does not. Tolerance 1e-8, 401 "
        f"outputs, the fastest of {', '.join(HEOM_METHODS)}. bathax has as many modes, and in "
        "its time, in one program under `jit`, builds and solves the rotating-wave qubit, with "
        "derivatives and rates, and a smaller hierarchy for the error estimate; the ratio is that "
        "of building and solving.",
        table(BATCH_HEADER, [batch_row(depth) for depth in HEOM_SIZES]),
        f"{BATCH} couplings between half of eta and eta of '{HEOM_CASE}' by `vmap`; the gain is "
        "over as many single calls.",
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bathax", choices=CASES, help="run bathax alone, print its JSON line")
    parser.add_argument("--settings", type=json.loads, default={}, help="of its hierarchy")
    parser.add_argument("--batch", type=int, default=1, help="couplings at once")
    arguments = parser.parse_args()
    if arguments.bathax:
        report_bathax(arguments.bathax, arguments.settings, arguments.batch)
    else:
        write()


if __name__ == "__main__":
    main()
