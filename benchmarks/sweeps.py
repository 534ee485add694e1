"""Sweeps into a store: memory, throughput, devices, processes, and a peer: `sweeps.md`.

Each sweep runs in a process of its own, whose peak memory is its own. Points per second are counted
without compilation.
"""

import argparse
import json
import logging
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from _memory import peak_memory
from _timing import machine_line, report_of, table, write_report
from peers import exact_population

import bathax as bx

HERE = Path(__file__).parent
SIZES, MEMORY = (100, 1_000, 10_000, 100_000), 1.5
TIMES = 201
# The pseudomode of the peer: a Lorentzian of width 1, the level on resonance.
WIDTH, PEER_POINTS, PEER_STOP, PEER_TIMES = 1.0, 20_000, 10.0, 401


class Boxes(logging.Handler):
    """Points and seconds of each box, from the sweep's own log."""

    def __init__(self):
        super().__init__()
        self.found = []
        log = logging.getLogger("bathax.sweep")
        log.addHandler(self)
        log.setLevel(logging.INFO)

    def emit(self, record):
        _, _, points, seconds = record.args
        self.found.append((points, seconds))

    @property
    def rate(self):
        points, seconds = np.transpose(self.found)
        return float(points.sum() / seconds.sum())


def ohmic(eta, kT0):
    ts = jnp.linspace(0.0, 20.0, TIMES)
    bath = bx.Reservoir(bx.Ohmic(eta, 5.0), kT0)
    solver = bx.Resonance(nodes=128, rtol=1e-4)
    return bx.solve(bx.Cavity(1.0, bath), bx.Fock(5), ts, solver)


def use_cores(count):
    """Keep this process, and those it starts, to the first cores."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def reported(boxes, failed, **more):
    """What a part prints: its rate, its peak memory, how many points failed."""
    report = {"rate": boxes.rate, "peak": peak_memory() / 2**30, "failed": failed, **more}
    print(json.dumps(report))


def thermal(points, devices):
    """Energy and temperature over a grid of couplings and temperatures, on so many cores."""
    use_cores(devices)
    jax.config.update("jax_num_cpu_devices", devices)
    boxes = Boxes()
    axes = {"eta": np.geomspace(1e-3, 0.15, points // 10), "kT0": np.linspace(1.0, 10.0, 10)}
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "sweep.zarr"
        found = bx.sweep(ohmic, axes, ["energy", "temperature"], memory=MEMORY, store=store)
        size = sum(file.stat().st_size for file in store.rglob("*") if file.is_file())
        failed = int(np.count_nonzero(found.status))
    reported(boxes, failed, size=size / 2**20)


def vacuum(points):
    """|u|^2 of a Lorentzian, which is what the peer gives."""
    jax.config.update("jax_num_cpu_devices", os.cpu_count())
    boxes = Boxes()
    ts = jnp.linspace(0.0, PEER_STOP, PEER_TIMES)

    def population(gamma0):
        cavity = bx.Cavity(1.0, bx.Reservoir(bx.Lorentzian(gamma0, WIDTH, 1.0)))
        estimate = bx.Resonance(nodes=64).green_functions(cavity, ts)
        return {"population": jnp.abs(estimate.value.u) ** 2, "status": estimate.status}

    gammas = np.linspace(5.0, 15.0, points)
    with tempfile.TemporaryDirectory() as folder:
        found = bx.sweep(population, {"gamma0": gammas}, store=Path(folder) / "sweep.zarr")
        some = found.isel(gamma0=slice(None, None, points // 50)).load()
    exact = [exact_population(np.asarray(ts), gamma) for gamma in some.gamma0.values]
    error = float(np.abs(some.population.values - np.stack(exact)).max())
    reported(boxes, int(np.count_nonzero(some.status)), error=error)


def by_qutip(gamma0):
    """The same of one coupling: QuTiP's non-Hermitian two-level problem."""
    import qutip

    ts = np.linspace(0.0, PEER_STOP, PEER_TIMES)
    coupling, one = np.sqrt(0.5 * gamma0 * WIDTH), qutip.basis(2, 0)
    hamiltonian = qutip.Qobj([[0.0, coupling], [coupling, -1j * WIDTH]])
    options = {"method": "adams", "atol": 1e-9, "rtol": 1e-9, "normalize_output": False}
    solver = qutip.sesolve(hamiltonian, one, ts, e_ops=[one.proj()], options=options)
    return np.asarray(solver.expect[0])


def peer(points):
    """A pool of processes, one for each core, over QuTiP."""
    ts, gammas = np.linspace(0.0, PEER_STOP, PEER_TIMES), np.linspace(5.0, 15.0, points)
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        pool.map(by_qutip, gammas[:8], chunksize=1)
        start = time.perf_counter()
        found = pool.map(by_qutip, gammas, chunksize=20)
        seconds = time.perf_counter() - start
    exact = np.stack([exact_population(ts, gamma) for gamma in gammas[::20]])
    error = float(np.abs(np.stack(found[::20]) - exact).max())
    print(json.dumps({"rate": points / seconds, "peak": peak_memory() / 2**30, "error": error}))


STUDY = """\
[system]
kind = "cavity"
frequency = 1.0
initial = { fock = 5 }
[[reservoir]]
temperature = 2.0
spectral_density = { kind = "ohmic", eta = 0.05, cutoff = 5.0 }
[time]
stop = 20.0
points = 201
[solver]
kind = "resonance"
nodes = 128
rtol = 1e-4
[sweep]
quantities = ["energy", "temperature"]
[sweep.axes]
"reservoir.0.spectral_density.eta" = { start = 0.001, stop = 0.15, points = 400, spacing = "log" }
"reservoir.0.temperature" = { start = 1.0, stop = 10.0, points = 10, name = "kT0" }
"""


def by_command(processes):
    """Points per second of `bathax sweep` with one core for each of so many processes."""
    use_cores(processes)
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder) / "study.toml"
        study.write_text(STUDY)
        bathax = Path(sys.executable).parent / "bathax"
        command = [bathax, "sweep", study, "--out", Path(folder) / "sweep.zarr", "--log"]
        command += ["--devices", "1", "--processes", str(processes)]
        done = subprocess.run(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    found = re.findall(r"(\d+) points in ([\d.]+) s", done.stderr)
    points, seconds = np.transpose([list(map(float, one)) for one in found])
    print(json.dumps({"rate": float(processes * points.sum() / seconds.sum())}))


PARTS = {"thermal": thermal, "vacuum": vacuum, "peer": peer, "command": by_command}


def measured(part, *arguments):
    """What a part reports from a process of its own."""
    return report_of([sys.executable, __file__, "--part", part, *map(str, arguments)])


def rows_of(reports):
    """Table rows of labelled reports of `thermal`."""
    return [
        [
            label,
            f"{report['rate']:.0f}",
            f"{report['peak']:.2f}",
            f"{report['size']:.3g}",
            report["failed"],
        ]
        for label, report in reports.items()
    ]


def write():
    """Run every part and write `sweeps.md`."""
    growing = {f"{size:,}": measured("thermal", size, os.cpu_count()) for size in SIZES}
    devices = [measured("thermal", 4_000, count)["rate"] for count in (1, 2, 1, 2)]
    processes = [measured("command", count)["rate"] for count in (1, 2, 1, 2)]
    own, other = measured("vacuum", PEER_POINTS), measured("peer", 1_000)
    shares = [("devices", devices), ("processes", processes)]
    write_report(
        HERE / "sweeps.md",
        "# Sweeps into a store",
        machine_line("bathax", "jax", "jaxlib", "zarr", "qutip"),
        f"Energy and temperature of an Ohmic cavity, n0 = 5, with their errors at {TIMES} times, "
        f"over couplings and ten temperatures, by `Resonance(nodes=128)` into a zarr store, "
        f"`memory={MEMORY}`, one device for each core. Points per second without compilation, peak "
        "resident memory of the process with it.",
        table(["points", "points/s", "peak GiB", "store MiB", "failed"], rows_of(growing)),
        "The same, 4,000 points, on one core and on two, two runs in turns: devices of one "
        "process, and processes of one device by `bathax sweep --processes`. Points per second of "
        "all together:",
        table(
            ["", "one", "two", "ratio"],
            [
                [name, *(f"{sum(rates[k::2]) / 2:.0f}" for k in (0, 1)), f"{_ratio(rates):.2f}"]
                for name, rates in shares
            ],
        ),
        f"|u|^2 of a Lorentzian, T0 = 0, at {PEER_TIMES} times: {PEER_POINTS:,} couplings by "
        "`sweep` into a store; 1,000 by a `multiprocessing` pool over QuTiP's `sesolve` of the "
        "pseudomode, one process for each core, results kept in memory.",
        table(
            ["", "points/s", "largest error", "ratio"],
            [
                ["bathax", f"{own['rate']:.0f}", f"{own['error']:.0e}", "1"],
                [
                    "QuTiP",
                    f"{other['rate']:.0f}",
                    f"{other['error']:.0e}",
                    f"{own['rate'] / other['rate']:.0f}",
                ],
            ],
        ),
    )


def _ratio(rates):
    """How much faster two are than one."""
    return sum(rates[1::2]) / sum(rates[::2])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=PARTS, help="run one part alone, print its JSON line")
    parser.add_argument("arguments", nargs="*", type=int)
    given = parser.parse_args()
    if given.part:
        PARTS[given.part](*given.arguments)
    else:
        write()


if __name__ == "__main__":
    main()
