r"""What AHZ leave "to further research": work and heat of driven modes, at any coupling.

A cavity whose frequency is raised at several speeds, a level that is swept through a band, an
engine that runs through its cycle, and a cavity after a quench. Energies are in units of w_s, or of
half the width of the band.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from bathax._checks import Scalar, parameter
from bathax._display import Module
from bathax.linear.embedding import Embedding
from bathax.papers.ahz.parameters import CRITICAL, CUTOFF, FULL, Effort
from bathax.papers.claims import Estimated
from bathax.reservoir.band import SemicircleBand
from bathax.reservoir.lorentzian import Lorentzian
from bathax.reservoir.occupation import Uniform
from bathax.reservoir.ohmic import Ohmic
from bathax.reservoir.reservoir import Reservoir
from bathax.solution.cycle import LimitCycle, limit_cycle
from bathax.solution.results import LinearSolution
from bathax.solution.solving import solve
from bathax.system.coupling import Channel
from bathax.system.covariance import Covariance
from bathax.system.drives import Ramp, Sinusoid
from bathax.system.lattices import resonant_level
from bathax.system.linear import LinearSystem
from bathax.system.models import Cavity
from bathax.system.preparation import Equilibrium
from bathax.thermodynamics.mean_force import mean_force

# The frequency before and after, the coupling over eta_c, and the temperature of the cavity.
LOW, HIGH, STRONG, COOL = 1.0, 2.0, 0.5, 1.0
WIDTHS = np.geomspace(0.2, 6.4, 6)
# How far a level starts from the middle of the band, how fast it is, and int J dw.
FAR, SPEEDS, WEIGHT = 12.0, (0.2, 0.5, 1.0, 2.0, 4.0), 0.05
PERIODS = (15.0, 30.0, 60.0)
QUENCHED = (0.1, 0.4, 0.7)
LAST = 20.0
# Of one size for all widths, speeds, periods and couplings: another takes longer to compile than to
# solve.
RAMPED = Embedding(rtol=1e-5, modes=32, points=2048)
SWEPT = Embedding(rtol=1e-8, modes=32, points=2048)
JUMPED = Embedding(rtol=1e-8, modes=40, points=1024)
TURNED = Embedding(modes=4, points=256)


class Ramps(NamedTuple):
    """The work of a ramp by its width, and that of an infinitely slow one."""

    work: Estimated
    slow: float


class Crossing(NamedTuple):
    """How full a level is when it has come to an energy, [speeds, energies]."""

    energy: np.ndarray
    number: Estimated


def drive_ramp(effort: Effort = FULL) -> Ramps:
    """The frequency of a strongly coupled cavity is raised, from joint equilibrium."""
    del effort
    bath = Reservoir(Ohmic(STRONG * CRITICAL, CUTOFF), COOL)
    before, after = (Cavity(w, bath) for w in (LOW, HIGH))
    start: Any = Equilibrium(before)  # pyright: ignore[reportCallIssue]
    found = []
    for width in WIDTHS:
        moved = Cavity(Ramp(LOW, HIGH, 6.0 * width, width), bath).as_modes
        ts = jnp.array([0.0, 12.0 * width])
        found.append(solve(moved, start, ts, RAMPED))
    work, error = (np.array([float(sol.work[-1]) for sol in each]) for each in _parts(found))
    slow = mean_force(after).free_energy - mean_force(before).free_energy
    return Ramps(Estimated(work, error), float(slow))


def drive_crossing(effort: Effort = FULL) -> Crossing:
    """A full level that is swept through an empty band from below."""
    band = Reservoir(SemicircleBand(WEIGHT, 0.0, 1.0), chemical_potential=-2.0)
    energy = np.linspace(-FAR, FAR, effort.times)
    found = []
    for speed in SPEEDS:
        level = resonant_level(Line(-FAR, speed), band)
        ts = jnp.linspace(0.0, 2.0 * FAR / speed, effort.times)
        found.append(solve(level, Covariance([[1.0]]), ts, SWEPT))
    number, error = (np.stack([np.asarray(sol.number) for sol in each]) for each in _parts(found))
    return Crossing(energy, Estimated(number, error))


class Line(Module):
    """start + speed t."""

    start: Scalar = parameter()
    speed: Scalar = parameter()

    def __call__(self, t: Scalar) -> Scalar:
        """The value at a time."""
        return self.start + self.speed * t


def drive_cycle(effort: Effort = FULL) -> dict[float, LimitCycle]:
    """Limit cycles of an engine between a hot and a cold reservoir, by their period."""
    del effort
    hot = Reservoir(Lorentzian(0.6, 0.3, 1.4), occupation=Uniform(2.0))
    cold = Reservoir(Lorentzian(0.6, 0.3, 0.7), occupation=Uniform(0.3))
    found = {}
    for period in PERIODS:
        turn = 2.0 * np.pi / period
        # The hot one is coupled while the frequency is high.
        channels = [
            Channel(bath, [1.0], Sinusoid(0.5, 0.5, turn, phase))
            for bath, phase in ((hot, 0.5 * np.pi), (cold, -0.5 * np.pi))
        ]
        frequency = Sinusoid(1.05, 0.35, turn, 0.8 * np.pi)
        engine = LinearSystem([[frequency]], channels)
        found[period] = limit_cycle(engine, period, TURNED)
    return found


def drive_quench(effort: Effort = FULL) -> dict[float, LinearSolution]:
    """A cavity whose frequency jumps, from joint equilibrium, by coupling over eta_c."""
    found = {}
    for ratio in QUENCHED:
        bath = Reservoir(Ohmic(ratio * CRITICAL, CUTOFF), COOL)
        start: Any = Equilibrium(Cavity(LOW, bath))  # pyright: ignore[reportCallIssue]
        ts = jnp.linspace(0.0, LAST, effort.times)
        found[ratio] = solve(Cavity(HIGH, bath).as_modes, start, ts, JUMPED)
    return found


def _parts(found: list) -> tuple[list, list]:
    """Solutions and their errors."""
    return found, [sol.error for sol in found]
