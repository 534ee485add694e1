"""The qubit from weak to strong coupling, at all temperatures: writes `qubit_strong.md`.

Run with `python benchmarks/qubit_strong.py` on a machine that does nothing else; some 20 minutes.
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
from _thermofield import short_map
from _timing import machine_line, report_of, table, write_report

import bathax as bx

ETAS, TEMPERATURES = (0.01, 0.05, 0.1, 0.2, 0.5), (0.2, 1.0, 5.0, 20.0)
CUTOFF, STOP, TIMES, RTOL = 5.0, 20.0, 201, 1e-5
# The second run asks for an error so many times smaller, from so many elements at most.
FINER, LARGEST = 10.0, 120_000
# Two runs of the same size differ by less.
ROUNDING = 1e-12
ELEMENTS = ("p11", "p00", "coherence")
# eta, kT, cutoff, exponent and the last time.
OTHERS = {
    "to t = 1,000": (0.02, 1.0, 5.0, 1.0, 1000.0),
    "cutoff 1": (0.1, 1.0, 1.0, 1.0, 20.0),
    "cutoff 50": (0.02, 1.0, 50.0, 1.0, 20.0),
    "exponent 0.5": (0.05, 1.0, 5.0, 0.5, 20.0),
    "exponent 0.5, stronger": (0.1, 1.0, 5.0, 0.5, 20.0),
}
MOLECULE, BATCH, VACUUM, SHORT = "B777 at 300 K", "batch", "vacuum", "short"
# eta, kT, the last time, modes and quanta of a wave function that is exact up to then.
WAVES = (
    (0.01, 0.2, 1.0, 30, 3),
    (0.01, 1.0, 1.0, 30, 3),
    (0.01, 5.0, 0.6, 18, 4),
    (0.01, 20.0, 0.3, 12, 5),
    (0.1, 0.2, 0.5, 18, 4),
    (0.1, 1.0, 0.5, 18, 4),
    (0.1, 5.0, 0.3, 12, 5),
    (0.1, 20.0, 0.15, 8, 6),
    (0.5, 0.2, 0.2, 9, 5),
    (0.5, 1.0, 0.2, 9, 5),
    (0.5, 5.0, 0.15, 8, 6),
    (0.5, 20.0, 0.06, 6, 7),
)
# The error asked for where the wave function is better than that of the table.
SMALL = 1e-8
# Sizes for gradients and batches; without one each call outside of `jit` chooses its own.
SIZES = {
    f"depth {d}, {m} modes": bx.Hierarchy(depth=d, modes=m) for d, m in [(5, 10), (8, 10), (12, 13)]
}
# The least of so many wall times counts, in so many processes: on a shared machine memory and
# threads are now and then at the wrong place for all the life of a process.
REPEATS, PROCESSES = 5, 3
CHOSEN, COUPLINGS = "chosen in each call", np.linspace(0.01, 0.02, 64)


def qubit(eta, temperature, cutoff=CUTOFF, exponent=1.0):
    return bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(eta, cutoff, exponent), temperature=temperature))


def molecule():
    """The measured J of B777 in cm^-1, as a table."""
    w = np.concatenate([[0.0], np.geomspace(0.5, 1500.0, 160)])
    peaks = ((0.8, 0.557), (0.5, 1.936))
    J = sum(0.5 / 1.3 * s * w**5 * np.exp(-np.sqrt(w / a)) / (10080.0 * a**4) for s, a in peaks)
    return bx.Qubit(100.0, bx.Reservoir(bx.Tabulated(w, J), 208.5))


def measured(run):
    """The result, wall seconds and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = jax.block_until_ready(run())
    return found, time.perf_counter() - wall, time.process_time() - cpu


def of_map(system, stop):
    """What a map takes and gives, in this process."""
    ts, solver = jnp.linspace(0.0, stop, TIMES), bx.Hierarchy(rtol=RTOL)
    _, _, first = measured(lambda: bx.dynamical_map(system, ts, solver))
    found, wall, cpu = measured(lambda: bx.dynamical_map(system, ts, solver))
    report = {"first": first, "wall": wall, "cpu": cpu, "peak": peak_memory()}
    estimates = {name: np.max(getattr(found.error, name)) for name in ELEMENTS}
    report["estimate"] = float(max(estimates.values()))
    report["reached"] = int(found.status) == bx.Status.SUCCESS
    if report["reached"]:
        report |= compared(found, bx.Hierarchy(rtol=RTOL / FINER, max_size=LARGEST), system, ts)
    return report


def compared(found, solver, system, ts):
    """The largest difference to a finer run, and the largest ratio to the estimate at any time.

    Nothing if that run took the same size, or no larger one was allowed.
    """
    other = bx.dynamical_map(system, ts, solver)
    changes = [np.abs(getattr(other, name) - getattr(found, name))[1:] for name in ELEMENTS]
    errors = [np.asarray(getattr(found.error, name))[1:] for name in ELEMENTS]
    if np.max(changes) < ROUNDING:
        return {}
    ratio = max(np.max(a / b) for a, b in zip(changes, errors, strict=True))
    return {"difference": float(np.max(changes)), "ratio": float(ratio)}


def of_batch(name):
    """Seconds of a map of some size, of its gradient, and of many couplings at once and in turn."""
    ts = jnp.linspace(0.0, STOP, TIMES)

    def last(eta):
        return bx.dynamical_map(qubit(eta, 1.0), ts, SIZES.get(name)).p11[-1]

    etas = jnp.asarray(COUPLINGS)
    single = jax.jit(last) if name in SIZES else last
    gradient, batch = jax.jit(jax.grad(last)), jax.jit(jax.vmap(last))
    runs = {
        "map": lambda: single(etas[0]),
        "gradient": lambda: gradient(etas[0]),
        "batch": lambda: batch(etas),
        "in turn": lambda: [single(eta) for eta in etas],
    }
    report = {}
    for each, run in runs.items():
        _, _, report[f"first {each}"] = measured(run)
        report[each] = min(measured(run)[1] for _ in range(REPEATS))
    return report


def largest_change(these, others):
    return max(float(np.max(np.abs(a - b))) for a, b in zip(these, others, strict=True))


def of_vacuum(eta):
    """The hierarchy at T = 0 against u of a cavity, by another solver: P11 = |u|^2 and c = u."""
    ts, bath = jnp.linspace(0.0, STOP, TIMES), bx.Reservoir(bx.Ohmic(eta, CUTOFF))
    u = bx.solve(bx.Cavity(1.0, bath), bx.Fock(1), ts, bx.Volterra(rtol=1e-11)).u
    found = bx.dynamical_map(bx.Qubit(1.0, bath), ts, bx.Hierarchy(rtol=RTOL))
    wrong = [np.abs(found.p11 - abs(u) ** 2), np.abs(found.coherence - u)]
    errors = [found.error.p11, found.error.coherence]
    ratio = max(float(np.max(a[1:] / b[1:])) for a, b in zip(wrong, errors, strict=True))
    return {"estimate": float(np.max(errors)), "wrong": float(np.max(wrong)), "ratio": ratio}


def of_short_times(eta, temperature, stop, modes, quanta):
    """The hierarchy against a wave function with so many modes and quanta, and one with less."""
    ts, system = np.linspace(0.0, stop, 6), qubit(eta, temperature)
    bath = system.reservoirs[0]
    functions = [lambda w, f=f: np.asarray(f(w)) for f in (bath.spectral_density, bath.occupation)]
    waves, fewer = (short_map(*functions, CUTOFF, ts, int(modes), int(quanta) - k) for k in (0, 1))
    dmap = bx.dynamical_map(system, ts, bx.Hierarchy(rtol=SMALL))
    found = [getattr(dmap, name) for name in ELEMENTS]
    report = {"p11": float(dmap.p11[-1]), "wrong": largest_change(found, waves)}
    errors = [np.max(getattr(dmap.error, name)) for name in ELEMENTS]
    return report | {"estimate": float(max(errors)), "fewer": largest_change(waves, fewer)}


def row(names, report):
    truth = ["-" if report["reached"] else "refused", "-"]
    if "ratio" in report:
        truth = [f"{report['difference']:.0e}", f"{report['ratio']:.1f}"]
    return [
        *names,
        f"{report['wall']:.2f}",
        f"{report['cpu']:.2f}",
        f"{report['first']:.1f}",
        f"{report['estimate']:.0e}",
        *truth,
        f"{report['peak'] / 2**20:.0f}",
    ]


def reported(*arguments):
    """The report of a process of its own."""
    report = report_of([sys.executable, __file__, *map(str, arguments)])
    print(arguments, report, file=sys.stderr, flush=True)
    return report


def gradients_and_batches():
    """One line for each size."""
    head = ["size", "map ms", "gradient / map", f"{len(COUPLINGS)} in turn ms", "by `vmap` ms"]
    lines = []
    for name in (*SIZES, CHOSEN):
        each = [reported(BATCH, name) for _ in range(PROCESSES)]
        r = {key: min(report[key] for report in each) for key in each[0]}
        times = (f"{1e3 * r[what]:.3g}" for what in ("map", "in turn", "batch"))
        single, turn, batch = times
        gradient = f"{r['gradient'] / r['map']:.1f}" if name in SIZES else "-"
        firsts = (f"{r[f'first {what}']:.1f}" for what in ("map", "gradient"))
        lines.append(
            [name, single, gradient, turn, batch, f"{r['in turn'] / r['batch']:.1f}", *firsts]
        )
    return table([*head, "ratio", "first map CPU s", "first gradient CPU s"], lines)


def against_other_routes():
    """Two tables: the vacuum for all times, and wave functions at short ones."""
    vacuum = [(eta, reported(VACUUM, eta)) for eta in ETAS]
    lines = [
        [f"{eta:g}", *(f"{r[name]:.0e}" for name in ("estimate", "wrong")), f"{r['ratio']:.2f}"]
        for eta, r in vacuum
    ]
    short = [(wave, reported(SHORT, *wave)) for wave in WAVES]
    names = ("fewer", "estimate", "wrong")
    others = [
        [*(f"{x:g}" for x in wave), f"{r['p11']:.6f}", *(f"{r[name]:.0e}" for name in names)]
        for wave, r in short
    ]
    head = ["eta", "kT", "to t", "modes", "quanta", "P11", "one quantum less", "estimate"]
    return (
        "Against other routes. In the vacuum, P11 and c are those of a cavity, |u|^2 and u, from "
        f"`Volterra`; up to t = {STOP:g}:",
        table(["eta", "estimate", "difference", "ratio"], lines),
        "In thermal reservoirs, a wave function of the thermofield double with so many modes in "
        "each half and so many quanta, up to a time at which it is exact to some 1e-7, its change "
        f"with one quantum less, and its difference to `Hierarchy(rtol={SMALL:g})`:",
        table([*head, "difference"], others),
    )


def main():
    cells = [(eta, temperature) for eta in ETAS for temperature in TEMPERATURES]
    rows = [row([f"{x:g}" for x in cell], reported(*cell)) for cell in cells]
    others = [row([name], reported(name)) for name in (*OTHERS, MOLECULE)]
    head = ["s", "CPU s", "first call CPU s", "estimate", "difference", "ratio", "MiB"]
    each = ", ".join(f"{name}: eta {p[0]:g}, cutoff {p[2]:g}" for name, p in OTHERS.items())
    write_report(
        Path(__file__).with_suffix(".md"),
        "# The map of a qubit from weak to strong coupling",
        machine_line("bathax", "jax", "jaxlib", "numpy"),
        f"J = eta w e^(-w/{CUTOFF:g}), w_s = 1, {TIMES} times to {STOP:g}, `Hierarchy(rtol="
        f"{RTOL:g})`. Seconds are those of a second call. The estimate is the largest error "
        "estimate of P11, P00 and c; the difference is the largest to a run with an `rtol` "
        f"{FINER:g} times smaller and up to {LARGEST:,} elements, the ratio the largest of that "
        "difference to the estimate at any time; neither is known where both runs took the same "
        "size.",
        table(["eta", "kT", *head], rows),
        f"Other times and reservoirs, kT = 1: {each}.",
        table(["", *head], others),
        f"P11 at the last time, kT = 1, by compiled programs of a fixed size at eta = "
        f"{COUPLINGS[0]:g}, and {len(COUPLINGS)} couplings up to {COUPLINGS[-1]:g} in turn and by "
        f"`vmap`. In the last line each call in turn is outside of `jit` and chooses its size, and "
        f"the batch takes the usual one, depth 7. Times are the least of {REPEATS} in each of "
        f"{PROCESSES} processes.",
        gradients_and_batches(),
        *against_other_routes(),
    )


def of(name, *parameters):
    """The report of one line."""
    if name == BATCH:
        return of_batch(*parameters)
    numbers = [float(each) for each in parameters]
    if name in (VACUUM, SHORT):
        return (of_vacuum if name == VACUUM else of_short_times)(*numbers)
    if name == MOLECULE:
        return of_map(molecule(), 0.1)
    if name in OTHERS:
        *numbers, stop = OTHERS[name]
        return of_map(qubit(*numbers), stop)
    return of_map(qubit(float(name), *numbers), STOP)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        warnings.simplefilter("ignore", bx.ToleranceWarning)
        print(json.dumps(of(*sys.argv[1:])))
    else:
        main()
