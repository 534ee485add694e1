"""Are the error estimates of the hierarchy honest? Random thermal qubits against a finer run.

Writes hierarchy_campaign.md. `python hierarchy_campaign.py 10` tries ten sets and writes nothing.
"""

import sys
import time
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from _timing import machine_line, table, write_report

import bathax as bx

SETS, SEED = 90, 2026
ELEMENTS = ("p11", "p00", "coherence", "determinant")
QUANTITIES = (
    *ELEMENTS,
    *(f"d{name}" for name in ELEMENTS),
    *("gamma_minus", "gamma_plus", "gamma_z", "shift"),
)
TOLERANCES = (1e-2, 1e-3, 1e-4, 1e-5)
# The reference asks for an error so many times smaller, and may be so many times larger.
FINER, LARGER, MAX_SIZE = 100.0, 2, bx.Hierarchy().max_size
REFUSED, NO_REFERENCE = "refused", "without reference"
HEADER = """\
{sets} sets in {minutes:.0f} minutes, seed {seed}: eta 0.002..0.05, kT0 0.2..5, cutoff 1..10 and
time span 0.5..10 (log-uniform), exponent 0.5..2, w_s = 1, 21 times each, `rtol` one of
{tolerances}.

True error: against a run with an `rtol` {finer:g} times smaller. Ratio: of the true error to the
estimate, the largest over the times of a set; up to 10 counts as honest. Rates are compared where
both runs give them."""
WITHOUT = """\
Refused: no hierarchy of up to {size:,} elements reached `rtol`. Without reference: the finer run
was refused, with {larger:g} times as many elements."""


class Case(NamedTuple):
    """A qubit, the end of the times, and the tolerance asked for."""

    qubit: bx.Qubit
    stop: float
    rtol: float


class Finding(NamedTuple):
    """For each quantity the largest ratio and the largest true error."""

    ratio: dict[str, float]
    error: dict[str, float]


def draw(rng: np.random.Generator) -> Case:
    """Parameters over the ranges that the table names."""

    def log_uniform(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    density = bx.Ohmic(log_uniform(0.002, 0.05), log_uniform(1.0, 10.0), rng.uniform(0.5, 2.0))
    bath = bx.Reservoir(density, log_uniform(0.2, 5.0))
    return Case(bx.Qubit(1.0, bath), log_uniform(0.5, 10.0), float(rng.choice(TOLERANCES)))


def solved(case: Case, solver: bx.Hierarchy) -> bx.DynamicalMap | None:
    """The map, or nothing where the solver misses its tolerance."""
    try:
        return bx.dynamical_map(case.qubit, jnp.linspace(0.0, case.stop, 21), solver, throw=True)
    except bx.ToleranceError:
        return None


def compared(coarse: bx.DynamicalMap, fine: bx.DynamicalMap) -> Finding:
    """How far the first is from the second, and whether it knew."""
    ratio, error = {}, {}
    for name in QUANTITIES:
        value, truth, estimate = (
            np.asarray(getattr(result, name)) for result in (coarse, fine, coarse.error)
        )
        known = np.isfinite(value) & np.isfinite(truth)
        difference = np.abs(value - truth)[known]
        ratio[name] = float(np.max(difference / estimate[known], initial=0.0))
        error[name] = float(np.max(difference, initial=0.0))
    return Finding(ratio, error)


def tried(case: Case) -> Finding | str:
    """What was found, or which run was refused."""
    jax.clear_caches()
    coarse = solved(case, bx.Hierarchy(rtol=case.rtol))
    if coarse is None:
        return REFUSED
    fine = solved(case, bx.Hierarchy(rtol=case.rtol / FINER, max_size=LARGER * MAX_SIZE))
    return NO_REFERENCE if fine is None else compared(coarse, fine)


def by_tolerance(cases: list[Case], found: list[Finding | str]) -> str:
    """How many sets there were, and how the true errors compare with the tolerance."""
    rows = []
    for rtol in TOLERANCES:
        results = [result for case, result in zip(cases, found, strict=True) if case.rtol == rtol]
        worst = [max(map(r.error.get, ELEMENTS[:3])) for r in results if isinstance(r, Finding)]
        counts = (len(results), results.count(REFUSED), results.count(NO_REFERENCE))
        rows.append((f"{rtol:g}", *counts, f"{max(worst, default=np.nan) / rtol:.2g}"))
    head = ("`rtol`", "sets", REFUSED, NO_REFERENCE, "largest error of P11, P00, c / `rtol`")
    return table(head, rows)


def by_quantity(found: list[Finding | str]) -> str:
    """Quantiles of the ratio and of the true error."""
    rows = []
    for name in QUANTITIES:
        kept = [result for result in found if isinstance(result, Finding)]
        ratio = np.array([result.ratio[name] for result in kept])
        error = np.array([result.error[name] for result in kept])
        ratios = (np.median(ratio), np.quantile(ratio, 0.99), ratio.max())
        errors = (np.median(error), np.quantile(error, 0.9), error.max())
        numbers = (*(f"{x:.2g}" for x in ratios), (ratio > 10).sum(), *(f"{x:.1e}" for x in errors))
        rows.append((name, *numbers))
    head = ("quantity", "median ratio", "99%", "largest", "sets above 10")
    return table((*head, "median error", "90%", "largest"), rows)


def main(sets: int = SETS) -> None:
    rng, start = np.random.default_rng(SEED), time.perf_counter()
    cases = [draw(rng) for _ in range(sets)]
    found = [tried(case) for case in cases]
    tolerances = ", ".join(f"{rtol:g}" for rtol in TOLERANCES)
    minutes = (time.perf_counter() - start) / 60.0
    blocks = (
        "# True error over estimated error of the hierarchy",
        HEADER.format(sets=sets, minutes=minutes, seed=SEED, tolerances=tolerances, finer=FINER),
        machine_line("jax", "jaxlib", "numpy"),
        by_quantity(found),
        WITHOUT.format(size=MAX_SIZE, larger=LARGER),
        by_tolerance(cases, found),
    )
    write_report(Path(__file__).with_suffix(".md") if sets == SETS else None, *blocks)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
