"""Are the error estimates honest? 1,000 random cavities against four times finer steps.

Writes error_campaign.md. Grids range from far too coarse to far too fine on purpose: an estimate
has to be true whether or not the tolerance was reached.
"""

import sys
from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from _timing import machine_line
from scipy.special import gamma

import bathax as bx

QUANTITIES = (
    *("u", "du", "v", "dv", "number", "energy", "entropy", "energy_rate", "entropy_rate"),
    *("temperature", "free_energy", "interaction_energy", "entropy_production"),
)
POINTS = (512, 1024, 2048, 4096, 8192)
HEADER = """\
{sets} cavities, seed 2020: eta/eta_c 0.001..3 and cutoff 0.5..20 (log-uniform), exponent 0.5..3,
kT0 0..50 (a sixth at 0), time span 1..60 (log-uniform), Fock state 5, 512..8,192 grid points, 41
times each. True error: against the run on four times as many points. Ratio: the largest over the
times of a set; up to 10 counts as honest. An infinite estimate, of what is not known at all, counts
as 0. No result was NaN.
"""


def draw(rng: np.random.Generator) -> dict[str, float]:
    """Parameters over the ranges the table names; a sixth of the reservoirs is in the vacuum."""
    exponent = rng.uniform(0.5, 3.0)
    cutoff = np.exp(rng.uniform(np.log(0.5), np.log(20.0)))
    critical = 1.0 / (cutoff * gamma(exponent))
    return {
        "eta": critical * np.exp(rng.uniform(np.log(0.001), np.log(3.0))),
        "cutoff": cutoff,
        "exponent": exponent,
        "temperature": 0.0 if rng.uniform() < 1 / 6 else rng.uniform(0.0, 50.0),
        "stop": np.exp(rng.uniform(np.log(1.0), np.log(60.0))),
    }


@eqx.filter_jit
def run(parameters: dict, points: int) -> bx.Solution:
    density = bx.Ohmic(*(parameters[name] for name in ("eta", "cutoff", "exponent")))
    cavity = bx.Cavity(1.0, bx.Reservoir(density, parameters["temperature"]))
    ts = jnp.linspace(0.0, 1.0, 41) * parameters["stop"]
    return bx.solve(cavity, bx.Fock(5), ts, bx.Volterra(points=points))


def ratios(parameters: dict[str, float], points: int) -> dict[str, float]:
    """The largest ratio of true to estimated error over all times, for each quantity."""
    traced = {name: jnp.asarray(value) for name, value in parameters.items()}
    coarse, fine = run(traced, points), run(traced, 4 * points)
    worst = {}
    for name in QUANTITIES:
        value, truth = np.asarray(getattr(coarse, name)), np.asarray(getattr(fine, name))
        if np.isnan(value).any() or np.isnan(truth).any():
            raise SystemExit(f"NaN in {name} at {parameters}, {points} points")
        same = value == truth  # includes the infinite entropy production of a vacuum
        error = np.abs(np.where(same, 0.0, value - np.where(same, 0.0, truth)))
        estimate = np.asarray(getattr(coarse.error, name))
        unknown = same | np.isinf(estimate)
        worst[name] = float(np.max(np.where(unknown, 0.0, error / np.where(unknown, 1, estimate))))
    return worst


def main(sets: int = 1000) -> None:
    rng = np.random.default_rng(2020)
    results = [ratios(draw(rng), int(rng.choice(POINTS))) for _ in range(sets)]
    lines = [
        "# True error over estimated error",
        "",
        HEADER.format(sets=sets),
        machine_line("jax", "jaxlib", "numpy"),
        "",
        "| quantity | median | 99% | largest | sets above 10 |",
        "| - | - | - | - | - |",
    ]
    for name in QUANTITIES:
        values = np.array([result[name] for result in results])
        row = (np.median(values), np.quantile(values, 0.99), values.max(), (values > 10).sum())
        lines.append("| {} | {:.2g} | {:.2g} | {:.2g} | {:d} |".format(name, *row))
    text = "\n".join(lines) + "\n"
    print(text)
    if sets == 1000:
        (Path(__file__).parent / "error_campaign.md").write_text(text)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
