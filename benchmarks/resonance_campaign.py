"""The resonance expansion on 1,000 random cavities: against time stepping, and at late times.

Writes resonance_campaign.md. `python resonance_campaign.py 50` tries 50 cavities, writes nothing.
"""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from _timing import machine_line, table, write_report
from scipy.special import gamma

import bathax as bx

SETS, SEED, POINTS = 1_000, 2027, 2**14
EARLY, LATE = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0), 1e6
BARS = {"u": 1e-11, "v": 1e-9, "energy": 1e-9, "entropy": 1e-9, "temperature": 1e-9}
# The power law has to be within this of u(t) where nothing else is left of it.
LAW = 1e-2
HEADER = """\
{sets} cavities, seed {seed}: eta/eta_c 0.001..10 (log-uniform) or, half of them, 0.9..1.1, cutoff
0.5..20 (log-uniform), exponent 0.5..3, kT0 0..50 (a sixth at 0), w_s = 1, Fock state 5. Default
settings; `Volterra` on {points:,} points."""
EARLIER = """\
At t = 0, 0.1, 0.3, 1, 3, 10. Difference: the largest over the times of a cavity, of u, of v, E and
S relative to their largest value, of T relative to 1 + |T| where both resolve it and estimate its
error below 1e-9 of that. Ratio: of the difference to the sum of both error estimates."""
LATER = """\
At t = 10^6, where no resonance is narrower than 2 10^-4 and eta not within 10% of eta_c, near which
the laws hold only later still. u, below eta_c, over the power law eta w_c^(1-s) Gamma(s+1) /
((it)^(s+1) (w_s - eta w_c Gamma(s))^2), minus 1; v over `long_time_limit`, minus 1."""


def draw(rng, sets):
    """eta, cutoff, exponent and temperature of every set."""
    ratio = np.where(
        np.arange(sets) % 2 == 0, 10 ** rng.uniform(-3, 1, sets), rng.uniform(0.9, 1.1, sets)
    )
    exponent, cutoff = rng.uniform(0.5, 3.0, sets), np.exp(rng.uniform(*np.log([0.5, 20.0]), sets))
    temperature = np.where(rng.uniform(size=sets) < 1 / 6, 0.0, rng.uniform(0.0, 50.0, sets))
    return ratio / (cutoff * gamma(exponent)), cutoff, exponent, temperature


def cavity_of(eta, cutoff, exponent, temperature):
    return bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, cutoff, exponent), temperature))


def batched(function, parameters):
    """The function of every set, as NumPy arrays."""
    run = jax.jit(lambda p: jax.lax.map(lambda q: function(cavity_of(*q)), p, batch_size=10))
    return jax.tree.map(np.asarray, run(tuple(map(jnp.asarray, parameters))))


def early(cavity):
    """Values, errors and status by both solvers."""

    def observed(solver):
        solution = bx.solve(cavity, bx.Fock(5), jnp.asarray(EARLY), solver)
        values = {name: getattr(solution, name) for name in BARS}
        errors = {name: getattr(solution.error, name) for name in BARS}
        return values, errors, solution.status, solution.temperature_resolved

    return observed(bx.Resonance()), observed(bx.Volterra(points=POINTS))


def late(cavity):
    """What the late state is held against."""
    estimate = bx.Resonance().green_functions(cavity, jnp.asarray([LATE]))
    found, limit = bx.resonances(cavity), bx.long_time_limit(cavity)
    widths = jnp.where(found.exist, found.widths, jnp.inf)
    return {
        "u": estimate.green.u[0],
        "width": jnp.min(widths, initial=jnp.inf),
        "v": estimate.green.v[0],
        "limit": limit.noise,
        "complete": found.complete,
        "status": estimate.status,
    }


def early_rows(parameters):
    """Differences between the solvers, and how often one of them failed its tolerance."""
    expanded, stepped = batched(early, parameters)
    failed = (expanded[2] != 0).sum(), (stepped[2] != 0).sum()
    good = (expanded[2] == 0) & (stepped[2] == 0)
    rows = []
    for name, bar in BARS.items():
        one, other = expanded[0][name], stepped[0][name]
        error = expanded[1][name] + stepped[1][name]
        if name == "temperature":
            size = 1.0 + np.abs(other)
            counts = expanded[3] & stepped[3] & (error < 1e-9 * size)
        else:
            size = np.ones_like(error) if name == "u" else np.abs(other).max(1, keepdims=True)
            counts = np.ones_like(error, bool)
        counts &= good[:, None]
        difference = np.abs(np.where(counts, one - other, 0.0))
        relative = (difference / np.where(size > 0.0, size, 1.0)).max(axis=1)
        ratio = difference / np.where(counts & (error > 0.0), error, np.inf)
        cells = (np.median(relative), np.quantile(relative, 0.99), relative.max())
        rows.append(
            [name, *(f"{x:.1e}" for x in cells), (relative > bar).sum(), f"{ratio.max():.2g}"]
        )
    return rows, failed


def late_rows(parameters):
    """The power law and the limit of v, and how many searches for resonances were incomplete."""
    eta, cutoff, exponent, _ = parameters
    found = batched(late, parameters)
    law = eta * cutoff ** (1.0 - exponent) * gamma(exponent + 1.0)
    law = law / ((1j * LATE) ** (exponent + 1.0) * (1.0 - eta * cutoff * gamma(exponent)) ** 2)
    ratio = eta * cutoff * gamma(exponent)
    settled = (np.abs(ratio - 1.0) > 0.1) & (found["width"] > 2e-4)
    below, warm = settled & (ratio < 1.0), settled & (found["limit"] > 0.0)
    of_u = np.abs(found["u"][below] / law[below] - 1.0)
    of_v = np.abs(found["v"][warm] / found["limit"][warm] - 1.0)
    rows = [
        [name, len(x), f"{np.median(x):.1e}", f"{x.max():.1e}", (x > LAW).sum()]
        for name, x in (("u", of_u), ("v", of_v))
    ]
    return rows, (~found["complete"]).sum(), (found["status"] != 0).sum()


def main(sets=SETS):
    parameters = draw(np.random.default_rng(SEED), sets)
    rows, failed = early_rows(parameters)
    later, incomplete, late_failed = late_rows(parameters)
    blocks = (
        "# The resonance expansion on random cavities",
        machine_line("bathax", "jax", "jaxlib", "numpy"),
        HEADER.format(sets=sets, seed=SEED, points=POINTS),
        EARLIER,
        f"Tolerance not reached: {failed[0]} by `Resonance`, {failed[1]} by `Volterra`.",
        table(["", "median", "99%", "largest", "above bar", "ratio"], rows),
        "Bars: " + ", ".join(f"{name} {bar:g}" for name, bar in BARS.items()) + ".",
        LATER,
        f"Tolerance not reached: {late_failed}.",
        table(["", "cavities", "median", "largest", f"above {LAW:g}"], later),
        f"Resonances within one radian below the real axis that were missed: in {incomplete} "
        "cavities, by the argument principle.",
    )
    write_report(Path(__file__).with_suffix(".md") if sets == SETS else None, *blocks)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
