"""Driven modes beside what one writes by hand, and beside QuTiP: `driven_peers.md`.

A cavity in a thermal Ohmic reservoir, against the same reservoir as discrete modes; and a level
between two Lorentzian leads, against QuTiP's fermionic HEOM. Every run has a process of its own,
with one core. It also measures first calls and gradients by ten parameters of a pulse.
"""

import argparse
import json
import os
import statistics
import sys
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from _timing import cpu_seconds, machine_line, report_of, seconds, table, write_report
from linear_peers import LEADS, METHOD
from scipy.integrate import solve_ivp

import bathax as bx

HERE = Path(__file__).parent
REPEATS = 5
CAVITY = {"eta": 0.1, "cutoff": 2.0, "temperature": 1.0, "start": 0.5, "drive": (1.0, 0.3, 1.2)}
LEVEL = LEADS | {"drive": (1.0, 0.5, 0.2)}
TIMES = {"cavity": np.linspace(0.0, 20.0, 101), "leads": np.linspace(0.0, 100.0, 41)}
# Modes, the highest frequency and the tolerance of a discretised reservoir; the last one is exact.
STARS = ((80, 40.0, 1e-6), (150, 40.0, 1e-8))
EXACT = (400, 60.0, 1e-11)
# Expansion, terms and depth of HEOM; two levels of depth are exact for one level.
HEOM = (("pade", 10, 2), ("pade", 14, 2))
SOLVERS = {
    "cavity": bx.Embedding(),
    "leads": bx.Embedding(rtol=1e-5),
    "coarse leads": bx.Embedding(points=256),
}


# ---- the answers


def star_run(by, modes, highest, tolerance):
    """One run with a discretised reservoir in a process of its own."""
    case = CAVITY | {"by": by, "modes": modes, "highest": highest, "tolerance": tolerance}
    case["ts"] = TIMES["cavity"].tolist()
    return report_of([sys.executable, HERE / "driven_peer.py"], input=json.dumps(case))


def heom_run(expansion, terms, depth):
    """One run of QuTiP in a process of its own."""
    case = LEVEL | {"size": 1, "h": [[0.0]], "ts": TIMES["leads"].tolist()}
    case |= {"expansion": expansion, "terms": terms, "depth": depth}
    case |= {"method": METHOD, "tolerance": 1e-7}
    return report_of([sys.executable, HERE / "linear_heom_peer.py"], input=json.dumps(case))


def exact_level():
    """n(t) of the level at `TIMES`: what each frequency w of each lead brings, by DOP853.

    The level and a damped mode for each lead obey y' = -i (H(t) - w) y - i e, with e at the level.
    """
    gamma, width, temperature, mu = (LEADS[k] for k in ("gamma", "width", "temperature", "mu"))
    mean, amplitude, speed = LEVEL["drive"]
    grades = temperature * 4.0 ** np.arange(0.0, 7.0)
    steps = np.concatenate([m + np.r_[-grades, 0.0, grades] for m in (mu, -mu)])
    ends = np.unique(np.concatenate([steps, np.arange(-60.0, 60.0, 0.4)]))
    x, weights = np.polynomial.legendre.leggauss(20)
    half = 0.5 * np.diff(ends)[:, None]
    w, weights = (ends[:-1, None] + half * (1.0 + x)).ravel(), (half * weights).ravel()
    g, shape = np.sqrt(0.5 * gamma * width), (3, w.size)

    def slope(t, flat):
        y = flat.reshape(shape)
        own = mean + amplitude * np.sin(speed * t) - w
        rows = [own * y[0] + g * (y[1] + y[2]) + 1.0]
        rows += [(m - 1j * width - w) * y[k] + g * y[0] for k, m in ((1, mu), (2, -mu))]
        return (-1j * np.array(rows)).ravel()

    ts = TIMES["leads"]
    start = np.zeros(3 * w.size, complex)
    found = solve_ivp(slope, (0.0, ts[-1]), start, "DOP853", ts, rtol=1e-9, atol=1e-11)
    brought = np.abs(found.y.reshape(*shape, -1)[0]) ** 2
    filled = [0.5 * (1.0 - np.tanh(0.5 * (w - m) / temperature)) for m in (mu, -mu)]
    density = [gamma * width**2 / (2 * np.pi) / ((w - m) ** 2 + width**2) for m in (mu, -mu)]
    return (weights * (density[0] * filled[0] + density[1] * filled[1])) @ brought


# ---- bathax


def system(name):
    """The cavity or the level, and its start."""
    if name == "cavity":
        bath = bx.Reservoir(bx.Ohmic(CAVITY["eta"], CAVITY["cutoff"]), CAVITY["temperature"])
        return bx.Cavity(bx.Sinusoid(*CAVITY["drive"]), bath), bx.Thermal(CAVITY["start"])
    leads = [
        bx.Reservoir(bx.Lorentzian(LEADS["gamma"], LEADS["width"], mu), LEADS["temperature"], mu)
        for mu in (LEADS["mu"], -LEADS["mu"])
    ]
    channels = [bx.Channel(lead, [1.0]) for lead in leads]
    level = bx.LinearSystem([[bx.Sinusoid(*LEVEL["drive"])]], channels, "fermion")
    return level, bx.Covariance([[0.0]])


def populations(name):
    """n(t) by bathax."""
    of = name.split()[-1]
    sol = bx.solve(*system(of), jnp.asarray(TIMES[of]), SOLVERS[name])
    return sol.number, sol.error.number


def report(name):
    """Print one JSON line: the first call, the median of the later ones, and the answer."""
    run, before = partial(populations, name), cpu_seconds()
    jax.block_until_ready(run())
    found = {"first_cpu": cpu_seconds() - before}
    found["seconds"] = statistics.median(seconds(run) for _ in range(REPEATS))
    answer, error = run()
    print(json.dumps(found | {"answer": answer.tolist(), "estimate": float(jnp.max(error))}))


ORDERS = jnp.arange(1.0, 11.0)
ENGINE_PERIOD, ENGINE_SOLVER = 12.0, bx.Embedding(points=256)


def work(pulse):
    """The work of a drive with ten Fourier components, on a fixed number of steps."""

    def frequency(t):
        return 1.0 + jnp.sum(pulse * jnp.sin(0.3 * ORDERS * t))

    cavity = bx.Cavity(frequency, bx.Reservoir(bx.Ohmic(0.1, 2.0), temperature=1.0))
    solver = bx.Embedding(points=256)
    return bx.solve(cavity, bx.Thermal(0.5), jnp.linspace(0.0, 10.0, 101), solver).work[-1]


def efficiency(pulse):
    """That of an engine between two damped modes, whose pulse has ten parameters."""
    hot = bx.Reservoir(bx.Lorentzian(0.4, 0.5, 1.1), occupation=bx.Uniform(0.3))
    cold = bx.Reservoir(bx.Lorentzian(0.2, 0.4, 0.8), occupation=bx.Uniform(0.05))
    phase, orders = jnp.pi / ENGINE_PERIOD, ORDERS[:4]

    def frequency(t):
        turns = 2.0 * phase * orders * t
        return 1.0 - jnp.sum(pulse[2:6] * jnp.cos(turns) + pulse[6:] * jnp.sin(turns))

    channels = [
        bx.Channel(hot, [1.0], switch=lambda t: jnp.sin(phase * t + pulse[0]) ** 2),
        bx.Channel(cold, [1.0], switch=lambda t: jnp.cos(phase * t + pulse[1]) ** 2),
    ]
    return bx.limit_cycle(
        bx.LinearSystem([[frequency]], channels), ENGINE_PERIOD, ENGINE_SOLVER
    ).efficiency


PULSES = {
    "work": 0.05 / ORDERS,
    "efficiency": jnp.array([0.1, 0.1, 0.3, 0.05, 0.02, 0.01, 0.1, 0.02, 0.01, 0.01]),
}


def report_gradient(name):
    """Print one JSON line: CPU seconds of first and later calls, of the value and the gradient."""
    function, at = {"work": work, "efficiency": efficiency}[name], PULSES[name]
    found = []
    for run in (jax.jit(function), jax.jit(jax.value_and_grad(function))):
        marks = [cpu_seconds()]
        for _ in range(REPEATS + 1):
            jax.block_until_ready(run(at))
            marks.append(cpu_seconds())
        calls = np.diff(marks)
        found += [calls[0], np.median(calls[1:])]
    print(json.dumps(found))


def bathax_run(*arguments):
    """A report in a process of its own, without programs of earlier ones."""
    command = [sys.executable, __file__, "--run", *arguments]
    return report_of(command, env=os.environ | {"JAX_ENABLE_COMPILATION_CACHE": "false"})


# ---- the report

HEADER = [
    "system", "peer", "peer s", "peer error", "bathax s", "first call, CPU s", "bathax error",
    "estimate", "ratio",
]  # fmt: skip
GRADIENT_HEADER = ["of", "first call", "its gradient", "later calls", "its gradient", "ratio"]


def row(name, peer, theirs, ours, exact):
    """One row of the table of peers."""
    errors = [np.abs(np.asarray(each["answer"]) - exact).max() for each in (theirs, ours)]
    cells = [name, peer, f"{theirs['seconds']:.2g}", f"{errors[0]:.0e}", f"{ours['seconds']:.2g}"]
    cells += [f"{ours['first_cpu']:.2g}", f"{errors[1]:.0e}", f"{ours['estimate']:.0e}"]
    return [*cells, f"{theirs['seconds'] / ours['seconds']:.2g}"]


def rows():
    """All peers at each of their settings."""
    ours, exact = bathax_run("cavity"), np.asarray(star_run("own", *EXACT)["answer"])
    for by, label in (("own", "SciPy, DOP853"), ("qutip", "QuTiP, sesolve")):
        for setting in STARS:
            peer = f"{label}, {setting[0]} modes, {setting[2]:g}"
            yield row("cavity", peer, star_run(by, *setting), ours, exact)
    exact = exact_level()
    for ours in map(bathax_run, ("leads", "coarse leads")):
        for expansion, terms, depth in HEOM:
            peer = f"QuTiP, HEOM, {expansion} {terms}, depth {depth}"
            yield row("level", peer, heom_run(expansion, terms, depth), ours, exact)


def gradient_rows():
    """What values and gradients cost."""
    for name in ("work", "efficiency"):
        first, later, of_first, of_later = bathax_run(name)
        cells = [f"{first:.2g}", f"{of_first:.2g}", f"{later:.2g}", f"{of_later:.2g}"]
        yield [name, *cells, f"{of_later / later:.2g}"]


def write():
    """Run everything and write `driven_peers.md`."""
    machine = machine_line("bathax", "jax", "jaxlib", "numpy", "scipy", "qutip")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    write_report(
        HERE / "driven_peers.md",
        "# Driven modes: bathax, its peers, and what gradients cost",
        machine + ", of which every process has one",
        "n(t) of a cavity with w(t) = 1 + 0.3 sin 1.2 t, 101 times to t = 20, from n = 0.5 in "
        "J = 0.1 w e^{-w/2} at T = 1; and of a level at 1 + 0.5 sin 0.2 t, 41 times to t = 100, "
        "between the Lorentzian leads of `linear_peers.md`, empty at t = 0.",
        table(HEADER, list(rows())),
        "Errors are the largest ones of n(t): of the cavity against 400 modes by DOP853 at 1e-11, "
        "of the level against its response to each frequency of the leads, by DOP853. Times are "
        f"medians of at most 3 runs of a peer and {REPEATS} of bathax after the first. bathax has "
        "its default tolerance for the cavity, and `Embedding(rtol=1e-5)` and then "
        "`Embedding(points=256)` for the level; it returns currents, work and error estimates "
        "besides, of which that of n is bounded by that of the energy of the leads. Other load on "
        "the machine moves the times.",
        table(GRADIENT_HEADER, list(gradient_rows())),
        "CPU seconds under `jit`, 256 steps: the work on a cavity by a drive of ten Fourier "
        "components, and the efficiency of an engine in its limit cycle, whose pulse has ten "
        "parameters. A gradient is that by all of them, with the value, in reverse mode.",
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", help="run bathax alone, print its JSON line")
    name = parser.parse_args().run
    if name in PULSES:
        report_gradient(name)
    elif name:
        report(name)
    else:
        write()


if __name__ == "__main__":
    main()
