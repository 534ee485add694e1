"""Several modes beside QuTiP's fermionic HEOM, and what 1 to 32 modes cost: `linear_peers.md`.

The peer's example is that of its own tests, one level between two Lorentzian leads, and two
levels in their place. Exact answers are integrals over frequency by NumPy alone, because Lorentzian
leads have a propagator that is a sum of few exponentials. Every run has a process of its own, with
one core.
"""

import argparse
import json
import os
import statistics
import sys
from functools import cache, partial
from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from _timing import cpu_seconds, machine_line, report_of, seconds, table, write_report

import bathax as bx

HERE = Path(__file__).parent
LEADS = {"gamma": 0.01, "width": 1.0, "temperature": 0.025851991, "mu": 1.0}
LEVELS = {1: [[1.0]], 2: [[1.0, 0.02], [0.02, 1.0]]}
TIMES = np.linspace(0.0, 200.0, 41)
SOLVERS = {"Embedding": bx.Embedding, "Volterra": bx.Volterra}
LENGTHS = (1, 2, 4, 8, 16, 32)
# Calls after the first, which are fewer if it is long.
REPEATS, LONG = 5, 30.0
# What engines are asked for beside the peer: the first that is as exact as that is its equal.
OPTIONS = {
    "Embedding": [{"points": points} for points in (256, 512, 1024)],
    "Volterra": [{"points": points} for points in (256, 512, 1024, 2048)],
    "steady_state": [{}],
}


# ---- the exact answers


def frequencies(times=1.0):
    """Nodes and weights that resolve steps of width T at mu, tails, and oscillations."""
    grades = LEADS["temperature"] * 4.0 ** np.arange(0.0, 12.0)
    steps = np.concatenate([mu + np.r_[-grades, 0.0, grades] for mu in (LEADS["mu"], -LEADS["mu"])])
    fine = np.arange(-300.0, 300.0, 20.0 / times)
    ends = np.unique(np.concatenate([steps, fine]))
    x, weights = np.polynomial.legendre.leggauss(40)
    half = 0.5 * np.diff(ends)[:, None]
    return (ends[:-1, None] + half * (1.0 + x)).ravel(), (half * weights).ravel()


def leads(w):
    """J and f of both leads."""
    mu = LEADS["mu"] * np.array([[1.0], [-1.0]])
    above = w - mu
    density = LEADS["gamma"] / (2.0 * np.pi) / (above**2 / LEADS["width"] ** 2 + 1.0)
    return density, 0.5 * (1.0 - np.tanh(0.5 * above / LEADS["temperature"]))


def damped(size):
    """The matrix of u' = -i H u for the levels and one damped mode for each lead."""
    whole = np.zeros((size + 2, size + 2), complex)
    whole[:size, :size] = LEVELS[size]
    coupling = np.sqrt(0.5 * LEADS["gamma"] * LEADS["width"])
    for level, mode, mu in ((0, size, LEADS["mu"]), (size - 1, size + 1, -LEADS["mu"])):
        whole[level, mode] = whole[mode, level] = coupling
        whole[mode, mode] = mu - 1j * LEADS["width"]
    return whole


@cache
def exact_current(size):
    """That which the right lead gains for t -> infinity."""
    w, weights = frequencies()
    density, filled = leads(w)
    propagator = np.linalg.inv(w[:, None, None] * np.eye(size + 2) - damped(size))
    passed = 4.0 * np.pi**2 * density[0] * density[1] * np.abs(propagator[:, size - 1, 0]) ** 2
    return weights @ (passed * (filled[0] - filled[1])) / (2.0 * np.pi)


@cache
def exact_populations(size):
    """Those of all levels at `TIMES`, from empty ones."""
    w, weights = frequencies(TIMES[-1])
    density, filled = leads(w)
    energies, right = np.linalg.eig(damped(size))
    left = np.linalg.inv(right)
    populations = []
    for t in TIMES:
        # The integral of u(s) e^{iws} up to t, for each frequency.
        gap = w[:, None] - energies
        response = (np.exp(1j * gap * t) - 1.0) / (1j * gap)
        driven = [
            np.einsum("ik,wk,k->iw", right[:size], response, left[:, level])
            for level in (0, size - 1)
        ]
        masses = weights * density * filled
        populations.append(
            sum(np.abs(each) ** 2 @ m for each, m in zip(driven, masses, strict=True))
        )
    return np.array(populations).T


def largest_error(size, answer, transient):
    """Relative for the steady current, absolute for populations."""
    if transient:
        return float(np.abs(np.asarray(answer) - exact_populations(size)).max())
    exact = exact_current(size)
    return abs(answer - exact) / exact


# ---- bathax


def lorentzian_chain(size):
    """The levels of the peer's example."""
    baths = [
        bx.Reservoir(bx.Lorentzian(LEADS["gamma"], LEADS["width"], mu), LEADS["temperature"], mu)
        for mu in (LEADS["mu"], -LEADS["mu"])
    ]
    return between(baths, jnp.asarray(LEVELS[size]), "fermion")


def chain(size, statistics):
    """A chain between two reservoirs: flat bands of fermions, or Ohmic baths of bosons."""
    hopping = 0.5 if statistics == "fermion" else 0.1
    h = -hopping * (jnp.eye(size, k=1) + jnp.eye(size, k=-1))
    if statistics == "fermion":
        band = bx.FlatBand(0.5, -5.0, 5.0)
        return between([bx.Reservoir(band, 0.1, mu) for mu in (0.5, -0.5)], h, statistics)
    baths = [bx.Reservoir(bx.Ohmic(0.02, 5.0), T) for T in (2.0, 1.0)]
    return between(baths, jnp.eye(size) + h, statistics)


def between(baths, h, statistics):
    """Modes of which the first and the last have a reservoir each."""
    ends = jnp.eye(h.shape[0])[jnp.array([0, -1])]
    channels = [bx.Channel(bath, end) for bath, end in zip(baths, ends, strict=True)]
    return bx.LinearSystem(h, channels, statistics)


def solved(engine, options, ts, system):
    """The answer and its largest error estimate: populations, or the last current."""
    if engine == "steady_state":
        end = bx.steady_state(system)
        return end.particle_current[-1], jnp.max(end.error.n)
    empty = bx.Covariance(jnp.zeros(system.h.shape))
    sol = bx.solve(system, empty, ts, SOLVERS[engine](**options))
    populations = jnp.diagonal(sol.n, axis1=1, axis2=2).real.T
    return populations, jnp.max(sol.error.n)


def report(name, size, engine, options):
    """Print one JSON line: the first call, the median of the later ones, and the answer."""
    peer = name == "leads"
    system = lorentzian_chain(size) if peer else chain(size, name)
    ts = jnp.asarray(TIMES) if peer else jnp.linspace(0.0, 20.0, 101)
    # Beside the peer populations alone are computed, as by that.
    compute = partial(solved, engine, options, ts)
    run = partial(eqx.filter_jit(compute) if peer else compute, system)
    before = cpu_seconds()
    first = seconds(run)
    found = {"first_seconds": first, "first_cpu": cpu_seconds() - before}
    repeats = REPEATS if first < LONG else 1
    found["seconds"] = statistics.median(seconds(run) for _ in range(repeats))
    answer, estimate = run()
    print(json.dumps(found | {"answer": np.asarray(answer).tolist(), "estimate": float(estimate)}))


def bathax_run(name, size, engine, options):
    """`report` in a process of its own, without programs of earlier ones."""
    command = [sys.executable, __file__, "--run", name, str(size), engine, json.dumps(options)]
    return report_of(command, env=os.environ | {"JAX_ENABLE_COMPILATION_CACHE": "false"})


# ---- QuTiP

# Expansion, terms and depth for each number of levels, steady and transient.
HEOM = {
    (1, False): (("pade", 10, 2), ("matsubara", 10, 2), ("pade", 14, 2)),
    (1, True): (("pade", 10, 2), ("matsubara", 10, 2), ("pade", 14, 2)),
    (2, False): (("pade", 6, 2), ("pade", 10, 2)),
    (2, True): (("pade", 6, 2), ("pade", 10, 2), ("pade", 6, 3), ("pade", 4, 4)),
}
METHOD = "adams"


def heom_run(size, transient, expansion, terms, depth):
    """One run of QuTiP in a process of its own."""
    case = LEADS | {"size": size, "h": LEVELS[size], "ts": TIMES.tolist() if transient else []}
    case |= {"expansion": expansion, "terms": terms, "depth": depth}
    case |= {"method": METHOD, "tolerance": 1e-7}
    return report_of([sys.executable, HERE / "linear_heom_peer.py"], input=json.dumps(case))


# ---- the report

HEADER = [
    "levels", "answer", "QuTiP", "auxiliaries", "QuTiP s", "QuTiP error", "bathax",
    "bathax s", "first call s", "bathax error", "ratio",
]  # fmt: skip
COST_HEADER = ["quanta", "modes", "engine", "seconds", "first call, CPU s", "error estimate"]


def peer_rows():
    """QuTiP at each of its settings, beside bathax where it is as exact."""
    rows = []
    for (size, transient), settings in HEOM.items():
        engines = tuple(SOLVERS) if transient else ("steady_state",)
        ours = {
            engine: [(given, bathax_run("leads", size, engine, given)) for given in OPTIONS[engine]]
            for engine in engines
        }
        for setting in settings:
            theirs = heom_run(size, transient, *setting)
            for engine, runs in ours.items():
                own = _as_exact(runs, size, transient, theirs)
                rows.append(peer_row(size, transient, setting, theirs, engine, *own))
    return rows


def _as_exact(runs, size, transient, theirs):
    """The first of our runs that is as exact as theirs, or the last one."""
    wanted = largest_error(size, theirs["answer"], transient)
    enough = [run for run in runs if largest_error(size, run[1]["answer"], transient) <= wanted]
    return (*enough, runs[-1])[0]


def peer_row(size, transient, setting, theirs, engine, options, own):
    """One row of the table of peers."""
    expansion, terms, depth = setting
    spent = theirs["seconds"]
    cells = [size, "n(t)" if transient else "steady current"]
    cells += [f"{expansion} {terms}, depth {depth}", theirs["auxiliaries"], f"{spent:.2g}"]
    given = ", ".join(f"{name}={value}" for name, value in options.items())
    called = f"{engine}({given})" if given else engine
    cells += [f"{largest_error(size, theirs['answer'], transient):.1e}", called]
    cells += [f"{own['seconds']:.2g}", f"{own['first_seconds']:.2g}"]
    error = largest_error(size, own["answer"], transient)
    return [*cells, f"{error:.1e}", f"{spent / own['seconds']:.0f}"]


def cost_rows():
    """Chains of all lengths by all engines."""
    for quanta in ("fermion", "boson"):
        for size in LENGTHS:
            for engine in (*SOLVERS, "steady_state"):
                run = bathax_run(quanta, size, engine, {})
                cells = [f"{run['seconds']:.2g}", f"{run['first_cpu']:.2g}"]
                yield [f"{quanta}s", size, engine, *cells, f"{run['estimate']:.0e}"]


def write():
    """Run everything and write `linear_peers.md`."""
    machine = machine_line("bathax", "jax", "jaxlib", "numpy", "qutip")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    write_report(
        HERE / "linear_peers.md",
        "# Several modes: bathax, its peer, and what they cost",
        machine + ", of which every process has one",
        "The leads of QuTiP's own test: J = gamma W^2 / ((w - mu)^2 + W^2) / 2 pi around the "
        f"chemical potential of each, gamma = {LEADS['gamma']}, W = {LEADS['width']:g}, "
        f"T = {LEADS['temperature']}, mu = +-{LEADS['mu']:g}. One level at 1, or two with the "
        "tunnelling 0.02 of which each has a lead; all empty at t = 0, 41 times to t = 200.",
        table(HEADER, peer_rows()),
        "Errors are relative ones of the steady current and the largest one of the populations, "
        "against integrals over frequency by NumPy. QuTiP's time is that of building and solving, "
        "the median of at most 3 runs, "
        f"by `{METHOD}` at tolerance 1e-7; a depth of twice the number of levels is exact, so that "
        "its error there is that of the expansion and of the integration. bathax has the first of "
        "a few grids on which it is as exact, and computes populations under `jit`. Its time is "
        f"the median of {REPEATS} calls after the first, "
        "and the ratio is QuTiP's time over it. Other load on the machine moves the times.",
        table(COST_HEADER, list(cost_rows())),
        "Chains between two reservoirs, 101 times to t = 20. Fermions: hopping 0.5, flat bands of "
        "gamma = 0.5 from -5 to 5, T = 0.1, mu = +-0.5. Bosons: frequency 1, hopping 0.1, "
        "J = 0.02 w e^{-w/5}, T = 2 and 1. The estimate is that of n, at the default tolerance.",
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", nargs=4, help="run bathax alone, print its JSON line")
    arguments = parser.parse_args()
    if arguments.run:
        name, size, engine, options = arguments.run
        report(name, int(size), engine, json.loads(options))
    else:
        write()


if __name__ == "__main__":
    main()
