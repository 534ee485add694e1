"""Fits of synthetic data with 1% noise, where the truth is known: `fit_campaign.md`.

Seven families of models, each with parameters drawn at random and one start for all, the middle of
their ranges. How often does the truth lie within one and two standard errors, how often is the
minimum found the global one, and how close does a fit come to the truth without noise?
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from _timing import machine_line, report_of, table, write_report

import bathax as bx

NOISE, SEED, POINTS = 0.01, 2028, 40
ANY_TIME = bx.Resonance(nodes=128, rtol=1e-4)


def cavity(density, temperature, ts):
    """Energies of a cavity that starts with three quanta."""
    system = bx.Cavity(1.0, bx.Reservoir(density, temperature))
    return {"energy": bx.solve(system, bx.Fock(3), ts, ANY_TIME).energy}


def amplitude(density, ts):
    """u(t) itself, as a coherent state shows it: |u| is blind to the sign of a detuning."""
    system = bx.Cavity(1.0, bx.Reservoir(density))
    return {"u": ANY_TIME.green_functions(system, ts).value.u}


def qubit(density, temperature, ts, solver):
    """Excited population and coherence of a qubit, as its map gives them."""
    system = bx.Qubit(1.0, bx.Reservoir(density, temperature))
    found = bx.dynamical_map(system, ts, solver)
    return {"p11": found.p11, "c": found.coherence}


def drawn_like(values, rng):
    """Standard normal numbers, both parts of complex ones."""
    real = rng.normal(size=values.shape)
    return real + 1j * rng.normal(size=values.shape) if np.iscomplexobj(values) else real


class Family(NamedTuple):
    """A model, the ranges of its parameters, the last time, how many sets are drawn."""

    model: Callable
    ranges: dict
    stop: float
    sets: int
    bounds: dict | None = None


def lorentzians(ts, g1, w1, c1, g2, w2, c2):
    return amplitude(bx.Lorentzian(g1, w1, c1) + bx.Lorentzian(g2, w2, c2), ts)


FAMILIES = {
    "cavity, Ohmic, T0 = 0": Family(
        lambda ts, eta, cutoff: cavity(bx.Ohmic(eta, cutoff), 0.0, ts),
        {"eta": (0.01, 0.05), "cutoff": (2.0, 8.0)},
        20.0,
        32,
    ),
    "cavity, Ohmic, thermal": Family(
        lambda ts, eta, cutoff, kT: cavity(bx.Ohmic(eta, cutoff), kT, ts),
        {"eta": (0.01, 0.05), "cutoff": (2.0, 8.0), "kT": (1.0, 6.0)},
        40.0,
        32,
    ),
    "cavity, sub-Ohmic, thermal": Family(
        lambda ts, eta, exponent: cavity(bx.Ohmic(eta, 3.0, exponent), 2.0, ts),
        {"eta": (0.01, 0.05), "exponent": (0.5, 0.95)},
        40.0,
        32,
    ),
    "cavity, Lorentzian": Family(
        lambda ts, gamma0, width, center: amplitude(bx.Lorentzian(gamma0, width, center), ts),
        {"gamma0": (0.5, 4.0), "width": (0.2, 1.0), "center": (0.6, 1.6)},
        15.0,
        32,
    ),
    "cavity, two peaks": Family(
        lorentzians,
        {
            "g1": (0.5, 2.0),
            "w1": (0.1, 0.3),
            "c1": (0.3, 0.8),
            "g2": (0.5, 2.0),
            "w2": (0.1, 0.3),
            "c2": (1.2, 1.8),
        },
        25.0,
        24,
        {"c1": (0.0, 1.0), "c2": (1.0, 3.0)},
    ),
    "qubit, Ohmic, T0 = 0": Family(
        lambda ts, eta, cutoff: qubit(
            bx.Ohmic(eta, cutoff), 0.0, ts, bx.Vacuum(bx.Volterra(points=512))
        ),
        {"eta": (0.01, 0.05), "cutoff": (2.0, 6.0)},
        20.0,
        24,
    ),
    "qubit, Ohmic, thermal": Family(
        lambda ts, eta, kT: qubit(
            bx.Ohmic(eta, 3.0), kT, ts, bx.Hierarchy(depth=3, modes=8, steps=256)
        ),
        {"eta": (0.003, 0.015), "kT": (0.5, 2.0)},
        20.0,
        24,
    ),
}


def run_family(name):
    """Fit every set of a family; the numbers that the report needs."""
    family, rng = FAMILIES[name], np.random.default_rng([SEED, list(FAMILIES).index(name)])
    ts = jnp.linspace(family.stop / POINTS, family.stop, POINTS)
    names = list(family.ranges)
    low, high = np.array([family.ranges[name] for name in names]).T

    def model(**parameters):
        return family.model(ts, **parameters)

    exact = jax.jit(lambda p: model(**p))
    start = dict(zip(names, np.sqrt(low * high).tolist(), strict=True))

    def fitted(truth, noise):
        values = {key: np.asarray(value) for key, value in exact(truth).items()}
        if "c" in values:
            values["abs_c"] = np.abs(values.pop("c"))
        errors = {key: NOISE * np.abs(value).max() for key, value in values.items()}
        measured = {
            key: (value + noise * errors[key] * drawn_like(value, rng), errors[key])
            for key, value in values.items()
        }
        data = bx.Data(ts, **measured)
        begun = time.perf_counter()
        found = bx.fit(model, data, start, bounds=family.bounds)
        seconds = time.perf_counter() - begun
        at_truth = float(np.sum(np.asarray(data.residuals(exact(truth))) ** 2))
        return found, at_truth, seconds

    off, failures, seconds, clean, indistinct = [], [], [], [], 0
    for count in range(family.sets):
        drawn = low * (high / low) ** rng.uniform(size=len(names))
        truth = dict(zip(names, drawn.tolist(), strict=True))
        found, at_truth, took = fitted(truth, 1.0)
        seconds.append(took)
        indistinct += bool(found.indistinct)
        if not found.converged or found.chi2 > at_truth + 1e-6:
            failures.append({"truth": truth, "chi2": found.chi2, "at_truth": at_truth})
        off += [(float(found.parameters[n]) - truth[n]) / float(found.errors[n]) for n in names]
        if count < 4:
            found, _, _ = fitted(truth, 0.0)
            clean += [abs(float(found.parameters[n]) / truth[n] - 1.0) for n in names]
    print(
        json.dumps(
            {
                "name": name,
                "sets": family.sets,
                "off": off,
                "failures": failures,
                "first": seconds[0],
                "later": float(np.median(seconds[1:])),
                "clean": max(clean),
                "indistinct": indistinct,
            }
        )
    )


def row(name, report):
    """A row of the table."""
    off = np.abs(report["off"])
    return [
        name,
        report["sets"],
        off.size,
        f"{100 * np.mean(off < 1):.0f}",
        f"{100 * np.mean(off < 2):.0f}",
        len(report["failures"]),
        report["indistinct"],
        f"{report['clean']:.0e}",
        f"{report['first']:.0f}",
        f"{report['later']:.2g}",
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", choices=FAMILIES, help="run one alone, print its JSON line")
    family = parser.parse_args().family
    if family:
        run_family(family)
        return
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        commands = ([sys.executable, __file__, "--family", name] for name in FAMILIES)
        reports = {}
        for report in pool.map(report_of, commands):
            print(reports.setdefault(report["name"], report), flush=True)
    whole = {
        "sets": sum(report["sets"] for report in reports.values()),
        "off": [off for report in reports.values() for off in report["off"]],
        "failures": [one for report in reports.values() for one in report["failures"]],
        "indistinct": sum(report["indistinct"] for report in reports.values()),
        "clean": max(report["clean"] for report in reports.values()),
    }
    header = ["", "sets", "parameters", "within 1 sigma, %", "2 sigma, %", "not the minimum"]
    header += ["told apart badly", "without noise", "first fit s", "later s"]
    rows = [row(name, report) for name, report in reports.items()]
    rows.append([*row("all", whole | {"first": 0.0, "later": 0.0})[:-2], "", ""])
    for failure in whole["failures"]:
        print(failure)
    write_report(
        Path(__file__).parent / "fit_campaign.md",
        "# Fits where the truth is known",
        machine_line("bathax", "jax", "optimistix"),
        f"{whole['sets']} sets, seed {SEED}, {POINTS} times each, Gaussian noise of {NOISE:.0%} "
        "of the largest value; energies of a cavity with three quanta, u(t) of the "
        "Lorentzians, P11 and |c| of a qubit. "
        "Default settings, every fit of a family from the middle of the ranges. Not the minimum: "
        "not converged, or with a larger chi^2 than the true parameters have. Told apart badly: "
        "fits that warn of a correlation above 0.99 of parameters that are not both well known. "
        "Without noise: the largest relative error of "
        "a parameter of four sets. Seconds of the first fit, which compiles, and of a later one, "
        "two families at a time.",
        table(header, rows),
    )


if __name__ == "__main__":
    main()
