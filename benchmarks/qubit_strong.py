"""The qubit from weak to strong coupling, at all temperatures: writes `qubit_strong.md`.

Run with `python benchmarks/qubit_strong.py` on a machine that does nothing else; some 15 minutes.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from _memory import peak_memory
from _timing import machine_line, report_of, table, write_report

import bathax as bx

ETAS, TEMPERATURES = (0.01, 0.05, 0.1, 0.2, 0.5), (0.2, 1.0, 5.0, 20.0)
CUTOFF, STOP, TIMES, RTOL = 5.0, 20.0, 201, 1e-5
# Modes that are reduced for this time are others, and so is what a hierarchy leaves out.
LONGER = 30.0
ELEMENTS = ("p11", "p00", "coherence")


def qubit(eta, temperature):
    return bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(eta, CUTOFF), temperature=temperature))


def measured(run):
    """The result, wall seconds and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = jax.block_until_ready(run())
    return found, time.perf_counter() - wall, time.process_time() - cpu


def of_cell(eta, temperature):
    """What one cell of the table takes and gives, in this process."""
    system, ts = qubit(eta, temperature), jnp.linspace(0.0, STOP, TIMES)
    solver = bx.Hierarchy(rtol=RTOL)
    _, _, first = measured(lambda: bx.dynamical_map(system, ts, solver))
    found, wall, cpu = measured(lambda: bx.dynamical_map(system, ts, solver))
    report = {"first": first, "wall": wall, "cpu": cpu, "peak": peak_memory()}
    estimates = {name: np.max(getattr(found.error, name)) for name in ELEMENTS}
    report["estimate"] = float(max(estimates.values()))
    report["reached"] = int(found.status) == bx.Status.SUCCESS
    if report["reached"]:
        other = bx.dynamical_map(system, jnp.append(ts, LONGER), solver)
        changes = [np.abs(getattr(other, n)[:-1] - getattr(found, n)) for n in ELEMENTS]
        report["difference"] = float(np.max(changes))
    return report


def row(eta, temperature, report):
    difference = f"{report['difference']:.0e}" if report["reached"] else "refused"
    return [
        f"{eta:g}",
        f"{temperature:g}",
        f"{report['wall']:.2f}",
        f"{report['cpu']:.2f}",
        f"{report['first']:.1f}",
        f"{report['estimate']:.0e}",
        difference,
        f"{report['peak'] / 2**20:.0f}",
    ]


def main():
    rows = []
    for eta in ETAS:
        for temperature in TEMPERATURES:
            report = report_of([sys.executable, __file__, str(eta), str(temperature)])
            rows.append(row(eta, temperature, report))
            print(" ".join(rows[-1]), flush=True)
    head = ["eta", "kT", "s", "CPU s", "first call CPU s", "estimate", "difference", "MiB"]
    write_report(
        Path(__file__).with_suffix(".md"),
        "# The map of a qubit from weak to strong coupling",
        machine_line("bathax", "jax", "jaxlib", "numpy"),
        f"J = eta w e^(-w/{CUTOFF:g}), w_s = 1, {TIMES} times to {STOP:g}, `Hierarchy(rtol="
        f"{RTOL:g})`. Seconds are those of a second call. The estimate is the largest error "
        "estimate of P11, P00 and c; the difference is the largest to a hierarchy whose modes "
        f"are reduced for times to {LONGER:g}, which leaves out other elements.",
        table(head, rows),
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        warnings.simplefilter("ignore", bx.ToleranceWarning)
        print(json.dumps(of_cell(*map(float, sys.argv[1:]))))
    else:
        main()
