"""Are the errors of several modes honest, and do they obey the laws? 500 random systems.

Writes linear_campaign.md. Each system is solved by `Volterra` and by `Embedding`, at tolerances
from 1e-4 to 1e-11, and compared with the other engine at 1e-11, with which it shares no kernel.
"""

import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

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
ENGINES = (bx.Volterra, bx.Embedding)
TIMES = 1025
TIGHT = 1e-11
# Systems in each part.
EACH = 21
HEADER = """\
{sets} systems, seed 18: bosons and fermions, 1 to 4 modes on one or two channels with complex
couplings, random Hermitian h, random mixed n(0); Ohmic, semicircle, flat and Lorentzian densities;
temperatures 0 (a quarter) to 3, spans 1 to 30; levels inside and outside of the bands, {bound} with
bound states (|u| above 0.05 at four times the span). Each engine at a random tolerance, 1e-4 to
1e-11, against the other at 1e-11. Ratio: the largest difference over the sum of both estimates.
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
            raise SystemExit(f"NaN in {name}")
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
    filled = np.linalg.eigvalsh(np.asarray(sol.n))
    above = filled.max() - 1.0 if system.statistics == "fermion" else 0.0
    found = {
        "particles": np.abs(sol.number - sol.number[0] + particles.sum(axis=1)).max(),
        "energy": np.abs(stored - stored[0] + energy.sum(axis=1)).max(),
        "n outside its range": max(-filled.min(), above, 0.0),
    }
    if min(temperatures) > 0.0:
        levels = np.array([float(bath.occupation.level) for bath in system.reservoirs])
        heat = (energy - levels * particles) / np.array(temperatures)
        produced = np.asarray(sol.entropy - sol.entropy[0]) + heat.sum(axis=1)
        found["second law"] = max(-produced.min(), 0.0)
    return {name: float(value) for name, value in found.items()}


class Found(NamedTuple):
    """Ratios by engine, violations of laws, and how many runs reached their tolerance."""

    rows: dict[str, list]
    kept: list
    reached: int
    bound: int

    def __add__(self, other: "Found") -> "Found":
        rows = {name: own + other.rows[name] for name, own in self.rows.items()}
        kept = self.kept + other.kept
        return Found(rows, kept, self.reached + other.reached, self.bound + other.bound)


NOTHING = Found({engine.__name__: [] for engine in ENGINES}, [], 0, 0)


def some(part: int) -> Found:
    """The systems of one part, all of one family."""
    warnings.simplefilter("ignore", bx.ToleranceWarning)
    bx.cache_programs()
    rng, found = np.random.default_rng([18, part]), NOTHING
    for _ in range(EACH):
        system, initial, ts, temperatures = draw(rng, *FAMILIES[part % len(FAMILIES)])
        tight = [bx.solve(system, initial, ts, s(rtol=TIGHT)) for s in ENGINES]
        late = bx.solve(system, initial, [4.0 * ts[-1]], bx.Embedding(rtol=1e-6))
        rows, reached = {}, 0
        for engine, other in zip(ENGINES, reversed(tight), strict=True):
            rtol = 10.0 ** rng.uniform(-11.0, -4.0)
            sol = bx.solve(system, initial, ts, engine(rtol=rtol))
            reached += int(sol.status == 0)
            rows[engine.__name__] = [ratios(sol, other)]
        bound = int(np.abs(late.u).max() > 0.05)
        found += Found(rows, [laws(tight[0], system, temperatures)], reached, bound)
    return found


def main(sets: int = 504) -> None:
    """Each part in a process of its own, which holds so many programs and no more."""
    total, context = NOTHING, get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as pool:
        for found in pool.map(some, range(-(-sets // EACH))):
            total += found
            write(len(total.kept), *total)


def write(sets: int, rows: dict, kept: list, reached: int, bound: int) -> None:
    lines = [
        "# Several modes: true errors over estimates, and conservation laws",
        "",
        HEADER.format(sets=sets, bound=bound),
        machine_line("jax", "jaxlib", "numpy"),
        "",
        f"{reached} of {2 * sets} runs reached their tolerance.",
        "",
        "| engine | quantity | median | 99% | largest | sets above 10 |",
        "| - | - | - | - | - | - |",
    ]
    for engine, found in rows.items():
        for name in QUANTITIES:
            values = np.array([row[name] for row in found])
            median, most = np.quantile(values, [0.5, 0.99])
            above = int(np.sum(values > 10.0))
            numbers = f"{median:.2g} | {most:.2g} | {values.max():.2g} | {above}"
            lines.append(f"| {engine} | {name} | {numbers} |")
    lines += ["", "| law, by `Volterra` at 1e-11 | sets | largest violation |", "| - | - | - |"]
    for law in ("particles", "energy", "n outside its range", "second law"):
        values = [row[law] for row in kept if law in row]
        lines.append(f"| {law} | {len(values)} | {max(values):.1e} |")
    Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
