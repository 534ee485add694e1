"""Are the errors of several modes honest, and do they obey the laws? 500 random systems.

Writes linear_campaign.md. Each system is solved by `Volterra` and by `Embedding`, at tolerances
from 1e-4 to 1e-11, and compared with the other engine at 1e-11. Systems of one family, of the same
number of modes and the same kinds of densities, share their compiled programs. The steady states of
300 more, between three reservoirs, are held against conservation laws and the second law.
"""

import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from _timing import machine_line

import bathax as bx
from bathax.numerics import gregory

QUANTITIES = (
    *("u", "v", "n", "number", "energy", "entropy"),
    *("particle_current", "energy_current", "interaction_energy"),
    *("energy_rate", "entropy_rate", "temperature", "chemical_potential"),
)
# Statistics, modes, and the densities of the channels.
FAMILIES = [
    ("boson", 1, ["ohmic"]),
    ("boson", 2, ["ohmic", "semicircle"]),
    ("boson", 3, ["ohmic", "ohmic"]),
    ("boson", 4, ["semicircle", "peak"]),
    ("fermion", 1, ["flat", "flat"]),
    ("fermion", 2, ["flat", "peak"]),
    ("fermion", 3, ["semicircle", "flat"]),
    ("fermion", 4, ["ohmic", "semicircle"]),
]
# The same of the steady states between three reservoirs.
JUNCTIONS = [
    ("boson", 1, ["ohmic", "semicircle", "flat"]),
    ("boson", 2, ["ohmic", "ohmic", "semicircle"]),
    ("boson", 4, ["ohmic", "flat", "flat"]),
    ("fermion", 1, ["flat", "peak", "ohmic"]),
    ("fermion", 2, ["flat", "flat", "peak"]),
    ("fermion", 4, ["semicircle", "peak", "flat"]),
]
ENGINES = (bx.Volterra, bx.Embedding)
LAWS = ("particles", "energy", "n outside its range", "second law")
TIMES = 1025
TIGHT = 1e-11
# The least weight of bound states that counts.
BOUND = 1e-3
# Systems of each family.
EACH, STEADY = 63, 50
HEADER = """\
{sets} systems, seed 18: bosons and fermions, 1 to 4 modes on one or two channels with complex
couplings, random Hermitian h, random mixed n(0); Ohmic, semicircle, flat and Lorentzian densities;
temperatures 0 (a quarter) to 3, spans 1 to 30; levels inside and outside of the bands, {bound} with
bound states of a weight above 0.001. Each engine at a random tolerance, 1e-4 to 1e-11, against the
other at 1e-11. Ratio: the largest difference over the sum of both estimates.
In laws currents are integrated over 1,025 times by a rule of order 10, whose error is what violates
them.
"""
OF_STEADY = """\
Steady states of {sets} more, 1 to 4 modes between three reservoirs, {bound} with bound states. What
is missing: sums of currents over the reservoirs, eigenvalues of n outside of their range; by the
second law sums of heat over temperature, or heat into a reservoir at T = 0, that are negative.
Ratio: of that to its estimated error.
"""


def density(kind: str, rng: np.random.Generator, statistics: str) -> bx.SpectralDensity:
    """A density; those of bosons have a thermal state, but for the peak, which is in the vacuum."""
    strength = np.exp(rng.uniform(np.log(0.02), np.log(1.0)))
    if kind == "ohmic":
        return bx.Ohmic(0.5 * strength, rng.uniform(0.5, 4.0), rng.choice([0.5, 1.0, 2.0]))
    if kind == "peak":
        return bx.Lorentzian(strength, rng.uniform(0.1, 2.0), rng.uniform(-1.0, 2.0))
    width = rng.uniform(0.5, 3.0)
    center = width + rng.uniform(0.0, 1.0) if statistics == "boson" else rng.uniform(-1.0, 1.0)
    if kind == "flat":
        return bx.FlatBand(strength, center - width, center + width)
    return bx.SemicircleBand(strength, center, width)


def draw(
    rng: np.random.Generator, statistics: str, size: int, kinds: list[str]
) -> tuple[bx.LinearSystem, bx.Covariance, np.ndarray, list]:
    """A system of a family, a state, times, and the temperatures."""
    raw = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
    h = 0.3 * (raw + raw.conj().T) + rng.uniform(0.0, 2.0) * np.eye(size)
    channels, temperatures = [], []
    for kind in kinds:
        cold = rng.uniform() < 0.25 or (statistics == "boson" and kind == "peak")
        temperature = 0.0 if cold else np.exp(rng.uniform(np.log(0.02), np.log(3.0)))
        mu = rng.uniform(-1.5, 1.5) if statistics == "fermion" else None
        bath = bx.Reservoir(density(kind, rng, statistics), temperature, mu)
        c = rng.normal(size=size) + 1j * rng.normal(size=size)
        channels.append(bx.Channel(bath, c / np.linalg.norm(c)))
        temperatures.append(temperature)
    q, _ = np.linalg.qr(raw)
    filled = rng.uniform(0.0, 1.0 if statistics == "fermion" else 3.0, size)
    stop = np.exp(rng.uniform(0.0, np.log(30.0)))
    initial = bx.Covariance((q * filled) @ q.conj().T)
    return (
        bx.LinearSystem(h, channels, statistics),
        initial,
        np.linspace(0.0, stop, TIMES),
        temperatures,
    )


def ratios(one: bx.LinearSolution, truth: bx.LinearSolution) -> dict[str, float]:
    """The largest difference over the sum of the estimates, for each quantity."""
    worst = {}
    for name in QUANTITIES:
        difference = np.abs(np.asarray(getattr(one, name)) - np.asarray(getattr(truth, name)))
        known = np.asarray(getattr(one.error, name)) + np.asarray(getattr(truth.error, name))
        if np.isnan(difference[np.isfinite(known)]).any():
            raise ValueError(f"NaN in {name}")
        # What is not known at all, or is the same, has no ratio.
        told = np.isfinite(known) & (difference > 0.0)
        worst[name] = float(np.max(difference[told] / known[told], initial=0.0))
    return worst


def integral(values: jax.Array, ts: np.ndarray) -> np.ndarray:
    """From 0 to each time."""
    step = jnp.asarray(ts[1] - ts[0])
    return np.asarray(gregory.integrate(values.T.astype(complex), step)).T.real


def laws(sol: bx.LinearSolution, system: bx.LinearSystem, temperatures: list) -> dict[str, float]:
    """What is missing in the balances, how far occupations leave their range, least entropy."""
    ts = np.asarray(sol.t)
    particles, energy = (
        integral(current, ts) for current in (sol.particle_current, sol.energy_current)
    )
    stored = np.asarray(sol.energy) + np.asarray(sol.interaction_energy).sum(axis=1)
    found = {
        "particles": np.abs(sol.number - sol.number[0] + particles.sum(axis=1)).max(),
        "energy": np.abs(stored - stored[0] + energy.sum(axis=1)).max(),
        "n outside its range": beyond(sol.n, system),
    }
    if min(temperatures) > 0.0:
        heat = (energy - of_reservoirs(system) * particles) / np.array(temperatures)
        produced = np.asarray(sol.entropy - sol.entropy[0]) + heat.sum(axis=1)
        found["second law"] = max(-produced.min(), 0.0)
    return {name: float(value) for name, value in found.items()}


def missing(end: Any, system: bx.LinearSystem, temperatures: list) -> dict[str, tuple]:
    """What is missing in the laws of a steady state, and the estimated error of that."""
    levels, T = of_reservoirs(system), np.array(temperatures)
    particles, energy = np.asarray(end.particle_current), np.asarray(end.energy_current)
    doubts = np.asarray(end.error.particle_current), np.asarray(end.error.energy_current)
    heat, doubt = energy - levels * particles, doubts[1] + np.abs(levels) * doubts[0]
    cold = T == 0.0
    if cold.any():
        least = np.argmin(np.where(cold, heat, np.inf))
        produced, uncertain = heat[least], doubt[least]
    else:
        produced, uncertain = np.sum(heat / T), np.sum(doubt / T)
    return {
        "particles": (abs(particles.sum()), doubts[0].sum()),
        "energy": (abs(energy.sum()), doubts[1].sum()),
        "n outside its range": (beyond(end.n, system), system.size * np.max(end.error.n)),
        "second law": (max(-produced, 0.0), uncertain),
    }


def of_reservoirs(system: bx.LinearSystem) -> np.ndarray:
    """The chemical potentials."""
    return np.array([float(bath.occupation.level) for bath in system.reservoirs])


def beyond(n: jax.Array, system: bx.LinearSystem) -> float:
    """How far an eigenvalue of n lies outside of its range."""
    filled = np.linalg.eigvalsh(np.asarray(n))
    above = filled.max() - 1.0 if system.statistics == "fermion" else 0.0
    return max(-filled.min(), above, 0.0)


class Found(NamedTuple):
    """Ratios by engine, violations of laws, how many runs reached their tolerance, bound states."""

    rows: dict[str, list]
    kept: list
    reached: int
    bound: int

    def __add__(self, other: "Found") -> "Found":
        rows = {name: own + other.rows[name] for name, own in self.rows.items()}
        kept = self.kept + other.kept
        return Found(rows, kept, self.reached + other.reached, self.bound + other.bound)


NOTHING = Found({engine.__name__: [] for engine in ENGINES}, [], 0, 0)


def transients(family: int) -> Found:
    """All systems of one family, each by both engines."""
    warnings.simplefilter("ignore", bx.ToleranceWarning)
    found = NOTHING
    for k in range(EACH):
        rng = np.random.default_rng([18, family, k])
        system, initial, ts, temperatures = draw(rng, *FAMILIES[family])
        tight = [bx.solve(system, initial, ts, s(rtol=TIGHT)) for s in ENGINES]
        bound = int(bx.steady_state(system).bound_weight > BOUND)
        rows, reached = {}, 0
        for engine, other in zip(ENGINES, reversed(tight), strict=True):
            rtol = 10.0 ** rng.uniform(-11.0, -4.0)
            sol = bx.solve(system, initial, ts, engine(rtol=rtol))
            reached += int(sol.status == 0)
            rows[engine.__name__] = [ratios(sol, other)]
            report((family, k, engine.__name__, rtol), rows[engine.__name__][0])
        found += Found(rows, [laws(tight[0], system, temperatures)], reached, bound)
    return found


def steady(family: int) -> Found:
    """The steady states of one family."""
    warnings.simplefilter("ignore", bx.ToleranceWarning)
    found = NOTHING
    for k in range(STEADY):
        rng = np.random.default_rng([19, family, k])
        system, _, _, temperatures = draw(rng, *JUNCTIONS[family])
        end = bx.steady_state(system)
        kept = missing(end, system, temperatures)
        report((family, k), {name: ratio(*each) for name, each in kept.items()})
        bound = int(end.bound_weight > BOUND)
        found += Found(NOTHING.rows, [kept], int(end.status == 0), bound)
    return found


def ratio(lack: float, told: float) -> float:
    """0 where nothing is missing."""
    return lack / told if lack > 0.0 else 0.0


def report(which: tuple, ratios: dict[str, float]) -> None:
    """Say which system has an estimate that is too small."""
    small = {name: f"{value:.3g}" for name, value in ratios.items() if value > 10.0}
    if small:
        print(*which, small, flush=True)


def main() -> None:
    """Each family in a process of its own, which holds so many programs and no more."""
    context = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as pool:
        ends = pool.map(steady, range(len(JUNCTIONS)))
        moving = pool.map(transients, range(len(FAMILIES)))
        at_rest = sum(ends, NOTHING)
        total = NOTHING
        for found in moving:
            total += found
            write([*of_transients(total), *of_steady(at_rest)])


def of_transients(found: Found) -> list[str]:
    """Ratios of errors and violations of laws in time."""
    sets = len(found.kept)
    lines = [
        HEADER.format(sets=sets, bound=found.bound),
        f"{found.reached} of {2 * sets} runs reached their tolerance.",
        "",
        "| engine | quantity | median | 99% | largest | sets above 10 |",
        "| - | - | - | - | - | - |",
    ]
    for engine, rows in found.rows.items():
        for name in QUANTITIES:
            values = np.array([row[name] for row in rows])
            median, most = np.quantile(values, [0.5, 0.99])
            above = int(np.sum(values > 10.0))
            numbers = f"{median:.2g} | {most:.2g} | {values.max():.2g} | {above}"
            lines.append(f"| {engine} | {name} | {numbers} |")
    lines += ["", "| law, by `Volterra` at 1e-11 | sets | largest violation |", "| - | - | - |"]
    for law in LAWS:
        values = [row[law] for row in found.kept if law in row]
        lines.append(f"| {law} | {len(values)} | {max(values):.1e} |")
    return lines


def of_steady(found: Found) -> list[str]:
    """Violations of laws by steady states."""
    sets = len(found.kept)
    lines = [
        "",
        OF_STEADY.format(sets=sets, bound=found.bound),
        f"{found.reached} of {sets} reached their tolerance.",
        "",
        "| law, by `steady_state` | largest violation | largest ratio | sets above 10 |",
        "| - | - | - | - |",
    ]
    for law in LAWS:
        largest = max(row[law][0] for row in found.kept)
        values = np.array([ratio(*row[law]) for row in found.kept])
        above = int(np.sum(values > 10.0))
        lines.append(f"| {law} | {largest:.1e} | {values.max():.2g} | {above} |")
    return lines


def write(lines: list[str]) -> None:
    title = "# Several modes: true errors over estimates, and conservation laws"
    text = [title, "", machine_line("jax", "jaxlib", "numpy"), "", *lines]
    Path(__file__).with_suffix(".md").write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
