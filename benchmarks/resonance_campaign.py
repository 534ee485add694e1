"""The resonance expansion on random cavities: against time stepping, and at late times.

1,000 cavities anywhere, and 500 at and near critical couplings and exceptional points. Writes
resonance_campaign.md. `python resonance_campaign.py 50` tries 50 and 25, and writes nothing.
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


SPECIAL = """\
500 more, at a distance of 10^-k, k = 1..16, from where a pole is at an edge of the support or two
resonances merge, on either side or (a tenth) exactly there. Ohmic at eta_c: exponent 0.5..3, of
which half are 0.5, 1, 1.5, 2, 3; cutoff 0.5..20; kT0 0..5, a sixth at 0. Band: a semicircle of half
width 0.05..0.9 with w_s anywhere in it, at the coupling that binds a state at its lower end. Double
poles: one `Lorentzian`, critically damped, or two of which two of three resonances merge, with a
`Uniform` occupation."""


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


def near(rng, sets):
    """Factors 1 +- 10^-k, and a tenth of them 1."""
    sign = np.where(rng.uniform(size=sets) < 0.5, -1.0, 1.0)
    distance = sign * 10.0 ** -rng.integers(1, 17, sets)
    return 1.0 + np.where(rng.uniform(size=sets) < 0.1, 0.0, distance)


def draw_critical(rng, sets):
    """Ohmic reservoirs at and near the critical coupling."""
    _, cutoff, exponent, temperature = draw(rng, sets)
    round_number = rng.choice([0.5, 1.0, 1.5, 2.0, 3.0], sets)
    exponent = np.where(rng.uniform(size=sets) < 0.5, round_number, exponent)
    eta = near(rng, sets) / (cutoff * gamma(exponent))
    return eta, cutoff, exponent, 0.1 * temperature


def draw_bands(rng, sets):
    """Factor on the critical coupling, half width and center of bands, and temperature."""
    width = rng.uniform(0.05, 0.9, sets)
    center = 1.0 + 0.9 * width * rng.uniform(-1.0, 1.0, sets)
    temperature = np.where(rng.uniform(size=sets) < 1 / 6, 0.0, rng.uniform(0.0, 5.0, sets))
    keep = center > width
    return near(rng, sets)[keep], width[keep], center[keep], temperature[keep]


def band_of(factor, width, center, temperature):
    # Sigma is -2 eta / W at the lower end w_0 - W.
    eta = 0.5 * factor * width * (1.0 - center + width)
    return bx.Cavity(1.0, bx.Reservoir(bx.SemicircleBand(eta, center, width), temperature))


def draw_pairs(rng, sets):
    """Weights gamma and widths of two Lorentzians on resonance, and quanta.

    (s + a)^2 (s + b) is the characteristic polynomial of the cavity and both damped modes, which
    are coupled by g^2 = gamma width / 2.
    """
    first, second = rng.uniform(0.05, 1.0, (2, 100 * sets))
    a = rng.uniform(0.02, 0.6, 100 * sets)
    b = first + second - 2.0 * a
    total, mixed = a**2 + 2.0 * a * b - first * second, a**2 * b
    other = (mixed - total * second) / (first - second)
    keep = np.flatnonzero((other > 0.0) & (total - other > 0.0) & (b > 0.0))[: sets // 2]
    one, two = ((total - other)[keep], first[keep]), (other[keep], second[keep])
    alone = rng.uniform(0.05, 1.0, sets - keep.size)
    weights = np.concatenate([2.0 * one[0] / one[1], 0.5 * alone])
    widths = np.concatenate([one[1], alone])
    others = np.concatenate([2.0 * two[0] / two[1], np.zeros(alone.size)])
    other_widths = np.concatenate([two[1], np.full(alone.size, 0.3)])
    return weights * near(rng, sets), widths, others, other_widths, rng.uniform(0.0, 5.0, sets)


def pair_of(weight, width, other, other_width, number):
    peaks = bx.Lorentzian(weight, width, 1.0) + bx.Lorentzian(other, other_width, 1.0)
    return bx.Cavity(1.0, bx.Reservoir(peaks, occupation=bx.Uniform(number)))


def batched(function, parameters):
    """A function of every set, as NumPy arrays."""
    run = jax.jit(lambda p: jax.lax.map(lambda q: function(*q), p, batch_size=10))
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
        "u": estimate.value.u[0],
        "width": jnp.min(widths, initial=jnp.inf),
        "v": estimate.value.v[0],
        "limit": limit.noise,
        "complete": found.complete,
        "status": estimate.status,
    }


def early_rows(model, parameters):
    """Differences between the solvers, and how often one of them failed its tolerance."""
    expanded, stepped = batched(lambda *p: early(model(*p)), parameters)
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
    found = batched(lambda *p: late(cavity_of(*p)), parameters)
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


def special_rows(rng, sets):
    """The same differences at and near critical couplings and double poles."""
    kinds = {
        "critical": (cavity_of, draw_critical(rng, sets // 2)),
        "band": (band_of, draw_bands(rng, sets // 5)),
        "double pole": (pair_of, draw_pairs(rng, sets - sets // 2 - sets // 5)),
    }
    rows = []
    for name, (model, parameters) in kinds.items():
        found, failed = early_rows(model, parameters)
        rows += [[name, len(parameters[0]), failed[0], failed[1], *row] for row in found]
    return rows


def main(sets=SETS):
    parameters = draw(np.random.default_rng(SEED), sets)
    rows, failed = early_rows(cavity_of, parameters)
    later, incomplete, late_failed = late_rows(parameters)
    special = special_rows(np.random.default_rng(SEED + 1), sets // 2)
    columns = ["median", "99%", "largest", "above bar", "ratio"]
    blocks = (
        "# The resonance expansion on random cavities",
        machine_line("bathax", "jax", "jaxlib", "numpy"),
        HEADER.format(sets=sets, seed=SEED, points=POINTS),
        EARLIER,
        f"Tolerance not reached: {failed[0]} by `Resonance`, {failed[1]} by `Volterra`.",
        table(["", *columns], rows),
        "Bars: " + ", ".join(f"{name} {bar:g}" for name, bar in BARS.items()) + ".",
        SPECIAL,
        table(["", "cavities", "`Resonance` failed", "`Volterra` failed", "", *columns], special),
        LATER,
        f"Tolerance not reached: {late_failed}.",
        table(["", "cavities", "median", "largest", f"above {LAW:g}"], later),
        f"Resonances within one radian below the real axis that were missed: in {incomplete} "
        "cavities, by the argument principle.",
    )
    write_report(Path(__file__).with_suffix(".md") if sets == SETS else None, *blocks)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
