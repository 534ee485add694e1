"""A sweep over couplings by the resonance expansion, time stepping and peers: `sweep_speed.md`.

10,000 couplings of an Ohmic cavity at 400 times, u, v, E, S, T and F of each, in chunks on every
core. Each part has a process of its own, so that its peak memory is its own; run
`make_dynamiqs_venv.sh` first.
"""

import argparse
import json
import os
import statistics
import sys
import time
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import qutip
from _memory import peak_memory
from _timing import machine_line, report_of, seconds, table, write_report
from jax import lax
from jax.sharding import NamedSharding, PartitionSpec
from peers import exact_population

import bathax as bx

HERE = Path(__file__).parent
COUPLINGS, CHUNK, TIMES, STOP = 10_000, 20, 400, 40.0
# A last time so late that time stepping shows what each step costs.
LATE = 1_000.0
NAMES = ("u", "v", "energy", "entropy", "temperature", "free_energy")
NODES = 256
# The Lorentzian of the peers: lam = 1, couplings gamma0 around 10 lam, the level on resonance.
WIDTH, PEER_STOP, PEER_TIMES, PEER_COUPLINGS = 1.0, 10.0, 401, 1_000


def ohmic(eta):
    return bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), 1.0))


def lorentzian(gamma0):
    return bx.Cavity(1.0, bx.Reservoir(bx.Lorentzian(gamma0, WIDTH, 1.0)))


def quantities(cavity, ts, solver):
    """What a sweep keeps of one cavity, and its status."""
    solution = bx.solve(cavity, bx.Fock(5), ts, solver)
    return {name: getattr(solution, name) for name in NAMES} | {"status": solution.status}


def u_alone(cavity, ts, solver):
    """u of one cavity without an error estimate, which the peers do not give; 0 where valid."""
    estimate = solver.green_functions(cavity, ts)
    return {"u": estimate.value.u, "status": ~estimate.valid}


def sweep(of_cavity, couplings, ts, solver, chunk=CHUNK, of=quantities):
    """A compiled sweep over couplings, one part of them on each core."""
    points = PartitionSpec("points")

    def on_one_core(couplings):
        return lax.map(
            lambda coupling: of(of_cavity(coupling), ts, solver), couplings, batch_size=chunk
        )

    mesh = jax.make_mesh((jax.device_count(),), ("points",))
    run = jax.jit(
        jax.shard_map(on_one_core, mesh=mesh, in_specs=points, out_specs=points, check_vma=False)
    )
    spread = jax.device_put(couplings, NamedSharding(mesh, points))
    return lambda: run(spread)


def measured(run, couplings):
    """The result, and first and later seconds, seconds for each coupling, how many failed."""
    first, start = seconds(run), time.perf_counter()
    found = jax.block_until_ready(run())
    later = time.perf_counter() - start
    found = jax.tree.map(np.asarray, found)
    failed = int(np.count_nonzero(found["status"]))
    report = {"first": first, "seconds": later, "each": later / len(couplings), "failed": failed}
    return found, report | {"peak_memory": peak_memory()}


def resonance(couplings, stop):
    """The sweep, and its largest error against twice as many nodes on 100 of the couplings."""
    etas, ts = jnp.asarray(np.geomspace(2e-4, 1.0, couplings)), jnp.linspace(0.0, stop, TIMES)
    found, report = measured(sweep(ohmic, etas, ts, bx.Resonance(nodes=NODES, rtol=1e-6)), etas)
    some = slice(None, None, couplings // 100)
    exact = sweep(ohmic, etas[some], ts, bx.Resonance(), 10)()
    return report | {"error": largest_error({name: found[name][some] for name in NAMES}, exact)}


def volterra(couplings, stop, points):
    """Time stepping for a few couplings, with as many points as a like error needs."""
    etas, ts = jnp.asarray(np.geomspace(2e-4, 1.0, couplings)), jnp.linspace(0.0, stop, TIMES)
    found, report = measured(sweep(ohmic, etas, ts, bx.Volterra(points=points), 1), etas)
    exact = sweep(ohmic, etas, ts, bx.Resonance(), 4)()
    return report | {"error": largest_error(found, exact)}


def peer_problem():
    """bathax on the Lorentzian, T0 = 0: u alone, as the peers give the population alone."""
    gammas = jnp.asarray(np.linspace(5.0, 15.0, PEER_COUPLINGS))
    ts = jnp.linspace(0.0, PEER_STOP, PEER_TIMES)
    found, report = measured(
        sweep(lorentzian, gammas, ts, bx.Resonance(nodes=64), of=u_alone), gammas
    )
    population = np.abs(np.asarray(found["u"])) ** 2
    exact = np.stack([exact_population(np.asarray(ts), gamma) for gamma in np.asarray(gammas)])
    return report | {"error": float(np.abs(population - exact).max())}


def loop_over_qutip():
    """A pseudomode in a loop over some of the couplings, by QuTiP's fastest solver for it."""
    ts, gammas = np.linspace(0.0, PEER_STOP, PEER_TIMES), np.linspace(5.0, 15.0, 50)

    def population(gamma0):
        coupling = np.sqrt(0.5 * gamma0 * WIDTH)
        one = qutip.basis(2, 0)
        hamiltonian = qutip.Qobj([[0.0, coupling], [coupling, -0.5j * 2.0 * WIDTH]])
        options = {"method": "adams", "atol": 1e-9, "rtol": 1e-9, "normalize_output": False}
        solver = qutip.sesolve(hamiltonian, one, ts, e_ops=[one.proj()], options=options)
        return solver.expect[0]

    each = statistics.median(seconds(lambda g=g: population(g)) for g in gammas)
    off = [np.abs(population(g) - exact_population(ts, g)).max() for g in gammas[::10]]
    return {"each": each, "error": float(max(off)), "peak_memory": peak_memory()}


def largest_error(found, exact):
    """Of all quantities, relative to the largest value of each at a coupling."""
    worst = 0.0
    for name in NAMES:
        truth = np.asarray(exact[name])
        off = np.abs(found[name] - truth)
        if name in ("temperature", "free_energy"):
            # T and with it F pass through infinity: their errors are relative there.
            off, size = off / (1.0 + np.abs(truth)), 1.0
        else:
            size = np.max(np.abs(truth), axis=1, keepdims=True)
        worst = max(worst, float(np.nanmax(off / size)))
    return worst


PARTS = {
    "resonance": partial(resonance, COUPLINGS, STOP),
    "volterra": partial(volterra, 32, STOP, 8192),
    "resonance, late": partial(resonance, 200, LATE),
    "volterra, late": partial(volterra, 4, LATE, 2**19),
    "lorentzian": peer_problem,
    "qutip": loop_over_qutip,
}


def row(label, couplings, report, fastest):
    """The table row of a part."""
    cells = [label, couplings, f"{report['each'] * couplings:.3g}", f"{1e3 * report['each']:.3g}"]
    cells += [f"{report['first']:.2g}" if "first" in report else "-", f"{report['error']:.0e}"]
    return [
        *cells,
        f"{report['peak_memory'] / 2**20:.0f}",
        f"{report['each'] / fastest['each']:.3g}",
    ]


def write():
    """Run every part and write `sweep_speed.md`."""
    parts = {name: report_of([sys.executable, __file__, "--part", name]) for name in PARTS}
    python = HERE.parent / ".venv-dynamiqs" / "bin" / "python"
    problem = json.dumps([PEER_STOP, PEER_TIMES, PEER_COUPLINGS, WIDTH])
    parts["dynamiqs"] = report_of([python, HERE / "dynamiqs_peer.py", problem])
    header = ["", "couplings", "s", "ms each", "first call s", "error", "MiB", "over the first"]

    def rows(couplings, labels):
        first, *_ = labels.values()
        return table(
            header,
            [row(label, couplings, parts[part], parts[first]) for label, part in labels.items()],
        )

    write_report(
        HERE / "sweep_speed.md",
        "# Sweeps over the coupling",
        machine_line("bathax", "jax", "jaxlib", "numpy", "qutip"),
        f"u, v, E, S, T and F of an Ohmic cavity at {TIMES} times up to {STOP:g}, kT0 = 1, n0 = 5, "
        "couplings from 0.001 to 5 times the critical one. The first row is measured whole, in "
        f"chunks of {CHUNK} on each core, with {NODES} nodes; {parts['resonance']['failed']} "
        "couplings failed their tolerance. Volterra steps 32 of the couplings, and its time is "
        "scaled. Errors are relative to the largest value, against 512 nodes; T and F, which pass "
        "through infinity, relative to 1 + |T|.",
        rows(COUPLINGS, {"Resonance": "resonance", "Volterra": "volterra"}),
        f"Up to {LATE:g}, of which 200 and 4 couplings are run:",
        rows(COUPLINGS, {"Resonance": "resonance, late", "Volterra": "volterra, late"}),
        f"The same of a Lorentzian of width 1, T0 = 0, couplings gamma0 from 5 to 15, at "
        f"{PEER_TIMES} times up to {PEER_STOP:g}. The peers propagate a pseudomode, the population "
        "alone: QuTiP in a loop, the non-Hermitian two-level problem by `sesolve`, of which 50 "
        "couplings are timed; dynamiqs 1,000 couplings under `vmap`. Errors are those of |u|^2.",
        rows(PEER_COUPLINGS, {"bathax": "lorentzian", "QuTiP": "qutip", "dynamiqs": "dynamiqs"}),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=PARTS, help="run one part alone, print its JSON line")
    part = parser.parse_args().part
    if part:
        jax.config.update("jax_num_cpu_devices", os.cpu_count())
        print(json.dumps(PARTS[part]()))
    else:
        write()


if __name__ == "__main__":
    main()
