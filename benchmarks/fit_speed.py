"""Time to fit five parameters, against SciPy's least squares: `fit_speed.md`.

SciPy takes finite differences. Both fit the same data through the same compiled model, from the
same start, in the same logarithms of the parameters; what is compiled first is not counted.
"""

import statistics
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from _timing import machine_line, seconds, table, write_report
from scipy.optimize import least_squares

import bathax as bx

TRUTH = {"eta": 0.03, "cutoff": 4.0, "exponent": 0.9, "kT": 3.0, "frequency": 1.1}
START = {"eta": 0.02, "cutoff": 5.0, "exponent": 1.1, "kT": 2.0, "frequency": 1.0}
TIMES, NOISE, SEED, REPEATS = np.linspace(0.25, 30.0, 120), 0.002, 2029, 5


def model(eta, cutoff, exponent, kT, frequency):
    """Green functions of a cavity."""
    cavity = bx.Cavity(frequency, bx.Reservoir(bx.Ohmic(eta, cutoff, exponent), kT))
    estimate = bx.Volterra(points=1024).green_functions(cavity, jnp.asarray(TIMES))
    return {"u": estimate.green.u, "v": estimate.green.v}


def main():
    rng = np.random.default_rng(SEED)
    exact = model(**TRUTH)
    u, v = np.asarray(exact["u"]), np.asarray(exact["v"])
    sigma = NOISE * v.max()
    u = u + NOISE * (rng.normal(size=len(u)) + 1j * rng.normal(size=len(u)))
    data = bx.Data(TIMES, u=(u, NOISE), v=(v + sigma * rng.normal(size=len(v)), sigma))

    @jax.jit
    def residuals(x):
        return data.residuals(model(**dict(zip(START, jnp.exp(x), strict=True))))

    start, calls = np.log(list(START.values())), []

    def counted(x):
        calls.append(1)
        return np.asarray(residuals(x))

    def by_scipy():
        calls.clear()
        return least_squares(counted, start)

    def own():
        return bx.fit(model, data, START, starts=1)

    found, other = own(), by_scipy()
    jacobian = jax.jit(jax.jacfwd(residuals))
    runs = {
        "fit": lambda: own().covariance,
        "scipy": lambda: by_scipy().x,
        "model": lambda: residuals(start),
        "jacobian": lambda: jacobian(start),
    }
    times = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(REPEATS):
        for name, run in runs.items():
            times[name].append(seconds(run))
    took = {name: statistics.median(values) for name, values in times.items()}
    off = [
        abs(float(found.parameters[n]) / p - 1) for n, p in zip(START, np.exp(other.x), strict=True)
    ]
    write_report(
        Path(__file__).parent / "fit_speed.md",
        "# Time to fit five parameters",
        machine_line("bathax", "jax", "optimistix", "scipy"),
        f"Coupling, cutoff, exponent, temperature and frequency of a cavity from u and v at "
        f"{len(TIMES)} times with 0.2% noise, `Volterra(points=1024)`, one start; medians of "
        f"{REPEATS} runs in turns. SciPy's `least_squares` with its default settings calls the "
        f"compiled model {len(calls)} times. One call of the model takes {1e3 * took['model']:.1f} "
        f"ms, one Jacobian {took['jacobian'] / took['model']:.1f} calls. Both end at the same "
        f"parameters to {max(off):.0e}.",
        table(
            ["", "s", "chi^2", "ratio"],
            [
                ["bathax", f"{took['fit']:.3f}", f"{found.chi2:.6f}", "1"],
                [
                    "SciPy",
                    f"{took['scipy']:.3f}",
                    f"{2.0 * other.cost:.6f}",
                    f"{took['scipy'] / took['fit']:.1f}",
                ],
            ],
        ),
    )


if __name__ == "__main__":
    main()
