r"""Are the errors of driven systems honest? 300 random ones against a spectral collocation.

Writes driven_campaign.md. The other engine shares nothing with the library but the definition: with
the kernels g of reservoirs as sums over nodes of frequency, u(t, s) as a function of s obeys

d/ds u(t, s) = i u(t, s) h(s) + \int_s^t u(t, r) G(r, s) dr,    u(t, t) = 1,

G(r, s) = sum c c' f(r) f(s) g(r - s) with the switches f, and is a polynomial through Chebyshev
nodes; v(t, t) is the integral over w of J(w) n(w) times |\int u(t, s) c f(s) e^{-iws} ds|^2.
"""

import warnings
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from _timing import machine_line
from linear_campaign import density
from scipy.interpolate import BarycentricInterpolator

import bathax as bx

# Statistics, modes, the densities of the channels, and whether couplings are switched.
FAMILIES = [
    ("boson", 1, ["ohmic"], False),
    ("fermion", 1, ["flat", "semicircle"], True),
    ("boson", 2, ["ohmic", "semicircle"], True),
    ("fermion", 2, ["flat", "flat"], False),
    ("boson", 2, ["semicircle"], False),
    ("fermion", 2, ["semicircle", "ohmic"], True),
]
EACH = 50
# The usual one, and some with too few steps or modes, whose errors can be seen.
SOLVERS = [
    bx.Embedding(),
    *(
        bx.Embedding(points=points, modes=modes)
        for points, modes in ((64, 8), (128, 12), (256, 16))
    ),
]
QUANTITIES = ("u", "v", "n", "number", "first law", "particles")
# Chebyshev nodes, with more for each unit of phase; Gauss nodes of integrals over each panel in w.
NODES, PHASE, PANEL = 90, 0.6, 150
HEADER = """\
{sets} systems, seed 19: bosons and fermions, 1 or 2 modes on one or two channels with complex
couplings; Ohmic, semicircle and flat densities, temperatures 0 (a quarter) to 3; spans 1 to 8. All
energies follow sinusoids, up to 3 times the mean energy deep and 5 times that fast; in half of the
families couplings follow pulses. A quarter is solved by `Embedding()`, the others with 64 to 256
steps and 8 to 16 modes of each reservoir, which is too few, so that there are errors. Ratio: the
largest difference from the collocation over the estimate and 1e-12, the error of the collocation.
The laws are checked against their own estimates: energy, and number of quanta.

{reached} of {sets} runs reached their tolerance.

| quantity | median | 99% | largest | sets above 10 |
| - | - | - | - | - |
"""
REFERENCE = 1e-12


class Wave(bx.Sinusoid):
    """A random Hermitian matrix whose energies move together."""

    h: Any = None

    def __call__(self, t: Any) -> Any:
        energies = super().__call__(t).astype(complex) * jnp.eye(self.h.shape[0], dtype=complex)
        return self.h + energies


class Case(NamedTuple):
    """A system, a state of it, and the last time."""

    system: bx.LinearSystem
    initial: bx.Covariance
    stop: float


def draw(rng: np.random.Generator, family: tuple) -> Case:
    """A system of a family."""
    statistics, size, kinds, switched = family
    raw = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
    mean, stop = rng.uniform(0.5, 2.0), np.exp(rng.uniform(0.0, np.log(8.0)))
    deep, fast = mean * rng.uniform(0.0, 3.0), mean * rng.uniform(0.1, 5.0)
    h = Wave(mean, deep, fast, rng.uniform(0.0, 6.0), jnp.asarray(0.3 * (raw + raw.conj().T)))
    channels = []
    for kind in kinds:
        cold = rng.uniform() < 0.25
        temperature = 0.0 if cold else np.exp(rng.uniform(np.log(0.05), np.log(3.0)))
        mu = rng.uniform(-1.5, 1.5) if statistics == "fermion" else None
        bath = bx.Reservoir(density(kind, rng, statistics), temperature, mu)
        c = rng.normal(size=size) + 1j * rng.normal(size=size)
        height, width = rng.uniform(-1.0, 1.0), stop * rng.uniform(0.1, 0.5)
        pulse = bx.Pulse(1.0, height, stop * rng.uniform(0.0, 1.0), width) if switched else None
        channels.append(bx.Channel(bath, c / np.linalg.norm(c), pulse))
    filled = rng.uniform(0.0, 1.0 if statistics == "fermion" else 3.0, size)
    q, _ = np.linalg.qr(raw)
    n = (q * filled) @ q.conj().T
    return Case(bx.LinearSystem(h, channels, statistics), bx.Covariance(n), stop)


# --- The other engine ----------------------------------------------------------------------------


def gauss(low: Any, high: Any, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights."""
    x, weights = np.polynomial.legendre.leggauss(count)
    return low + 0.5 * (high - low) * (1.0 + x), 0.5 * (high - low) * weights


def of_frequencies(bath: bx.Reservoir) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """w, J(w) dw and J(w) n(w) dw, by panels between all that is not smooth.

    Roots at ends of panels disappear by w = low + (high - low) sin^2.
    """
    low, high = (float(end) for end in bath.spectral_density.extent)
    if isinstance(bath.spectral_density, bx.Ohmic):
        low, high = 0.0, 40.0 * float(bath.spectral_density.cutoff)
    T, mu = float(bath.temperature), float(bath.occupation.level)
    steps = T * np.array([-30.0, -10.0, -4.0, 0.0, 4.0, 10.0, 30.0])
    edges = np.unique(np.clip([low, high, *(mu + steps)], low, high))
    nodes, masses = [], []
    for a, b in pairwise(edges):
        pieces = max(1, round((b - a) / 8.0))
        for k in range(pieces):
            one, other = (a + (b - a) * (k + j) / pieces for j in (0, 1))
            angle, weight = gauss(0.0, 0.5 * np.pi, PANEL)
            nodes.append(one + (other - one) * np.sin(angle) ** 2)
            masses.append(weight * (other - one) * np.sin(2.0 * angle))
    w, dw = np.concatenate(nodes), np.concatenate(masses)
    J = np.asarray(bath.spectral_density(jnp.asarray(w))) * dw
    return w, J, J * np.asarray(bath.occupation(jnp.asarray(w)))


def collocated(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """u and v at the last time."""
    system, stop, size = case.system, case.stop, case.system.size
    wave = system.h.call
    # Up to the eighth harmonic of the drive.
    fastest = float(abs(wave.mean) + abs(wave.amplitude) + 8.0 * abs(wave.frequency))
    nodes = int(NODES + PHASE * stop * (fastest + np.linalg.norm(wave.h)))
    s = chebyshev(stop, nodes)
    through = BarycentricInterpolator(s, np.eye(nodes))
    h = np.array([np.asarray(system.at(jnp.asarray(t)).h) for t in s])
    D = through.derivative(s)
    reservoirs = [of_frequencies(bath) for bath in system.reservoirs]
    couplings = np.asarray(system.couplings)
    # The unknown u(t, s_j), row by row of u: rows of a matrix over (node, mode).
    equation = np.kron(D.T, np.eye(size)).astype(complex)
    for j, row in enumerate(h):
        equation[j * size : (j + 1) * size, j * size : (j + 1) * size] -= 1j * row
    for (w, J, _), c, channel in zip(reservoirs, couplings, system.channels, strict=True):
        g = _kernel(w, J, chebyshev(stop, 2 * nodes))
        for j in range(nodes - 1):
            r, weights = gauss(s[j], stop, nodes)
            factor = _factor(channel, r) * _factor(channel, s[j : j + 1]) * weights * g(r - s[j])
            each = factor @ through(r)
            equation[:, j * size : (j + 1) * size] -= np.kron(each[:, None], np.outer(c, c.conj()))
    # u(t, t) = 1 in place of the equation there.
    last = (nodes - 1) * size
    equation[:, last:] = 0.0
    equation[last:, last:] = np.eye(size)
    known = np.zeros((size, nodes * size), complex)
    known[:, last:] = np.eye(size)
    rows = np.linalg.solve(equation.T, known.T).T
    u = rows.reshape(size, nodes, size)
    r, weights = gauss(0.0, stop, 6 * nodes)
    fine = np.einsum("rj,ijk->irk", through(r), u)
    v = np.zeros((size, size), complex)
    for (w, _, filled), c, channel in zip(reservoirs, couplings, system.channels, strict=True):
        source = (fine @ c) * (weights * _factor(channel, r))
        y = source @ np.exp(-1j * np.outer(r, w))
        v += (y * filled) @ y.conj().T
    return u[:, 0], v


def chebyshev(stop: float, count: int) -> np.ndarray:
    """Nodes from 0 to a time."""
    return 0.5 * stop * (1.0 - np.cos(np.pi * np.arange(count) / (count - 1)))


def _kernel(w: np.ndarray, J: np.ndarray, t: np.ndarray) -> BarycentricInterpolator:
    """g(t), through its values at some times."""
    return BarycentricInterpolator(t, np.exp(-1j * np.outer(t, w)) @ J)


def _factor(channel: bx.Channel, t: np.ndarray) -> np.ndarray:
    """The switch."""
    if channel.switch is None:
        return np.ones(t.shape)
    return np.asarray(jax.vmap(channel.switch)(jnp.asarray(t)))


# --- The campaign --------------------------------------------------------------------------------


def ratios(case: Case, sol: bx.DrivenLinearSolution) -> dict[str, float]:
    """The largest difference over the estimate, for each quantity."""
    u, v = collocated(case)
    n = u @ np.asarray(case.initial.n) @ u.conj().T + v
    found = {}
    for name, expected in (("u", u), ("v", v), ("n", n), ("number", np.trace(n).real)):
        miss = np.abs(np.asarray(getattr(sol, name))[-1] - expected)
        doubt = np.asarray(getattr(sol.error, name))[-1] + REFERENCE
        found[name] = float(np.max(miss / doubt))
    error = sol.error
    # Energy of the system and of the coupling and what reservoirs gain, less the work.
    doubt = error.energy + error.work
    doubt += jnp.sum(error.interaction_energy + error.energy_gain, axis=1)
    found["first law"] = float(jnp.max(jnp.abs(sol.first_law) / doubt))
    missing = sol.number - sol.number[0] + jnp.sum(sol.particle_gain, axis=1)
    doubt = error.number + jnp.sum(error.particle_gain, axis=1)
    found["particles"] = float(jnp.max(jnp.abs(missing) / doubt))
    return found


def campaign(number: int, family: int) -> tuple[list[dict[str, float]], int]:
    """All systems of one family, and how many runs reached their tolerance."""
    warnings.simplefilter("ignore", bx.ToleranceWarning)
    rows, reached = [], 0
    for k in range(number):
        rng = np.random.default_rng([19, family, k])
        case, solver = draw(rng, FAMILIES[family]), SOLVERS[k % len(SOLVERS)]
        ts = np.linspace(0.0, case.stop, 17)
        sol = bx.solve(case.system, case.initial, ts, solver)
        rows.append(ratios(case, sol))
        reached += int(sol.status == 0)
        if max(rows[-1].values()) > 10.0:
            print((family, k, solver), rows[-1], flush=True)
    return rows, reached


def write(rows: list[dict[str, float]], reached: int) -> None:
    """The table."""
    lines = ["# Driven systems: true errors over estimates", "", machine_line(), ""]
    lines.append(HEADER.format(sets=len(rows), reached=reached).rstrip())
    for name in QUANTITIES:
        values = np.array([row[name] for row in rows])
        median, most = np.quantile(values, [0.5, 0.99])
        above = int(np.sum(values > 10.0))
        lines.append(f"| {name} | {median:.2g} | {most:.2g} | {values.max():.2g} | {above} |")
    Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n")


def main() -> None:
    """Each family in a process of its own, which holds so many programs and no more."""
    context = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as pool:
        rows, reached = [], 0
        for found, count in pool.map(partial(campaign, EACH), range(len(FAMILIES))):
            rows, reached = rows + found, reached + count
            write(rows, reached)


if __name__ == "__main__":
    main()
