"""Time to fit five parameters, against SciPy's least squares: `fit_speed.md`.

SciPy takes finite differences. Both fit the same data through the same compiled model, from the
same start, in the same logarithms of the parameters; what is compiled first is not counted.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from _timing import alternating_medians, machine_line, seconds, table, write_report
from scipy.optimize import least_squares

import bathax as bx

TRUTH = {"eta": 0.03, "cutoff": 4.0, "exponent": 0.9, "kT": 3.0, "frequency": 1.1}
START = {"eta": 0.02, "cutoff": 5.0, "exponent": 1.1, "kT": 2.0, "frequency": 1.0}
TIMES, NOISE, SEED, REPEATS = np.linspace(0.25, 30.0, 120), 0.002, 2029, 5
ENGINES = {
    "Volterra(points=1024)": bx.Volterra(points=1024),
    "Resonance(nodes=128)": bx.Resonance(nodes=128),
    "Resonance()": bx.Resonance(),
}


def model_of(engine):
    """Green functions of a cavity by one of the engines."""

    def model(eta, cutoff, exponent, kT, frequency):
        cavity = bx.Cavity(frequency, bx.Reservoir(bx.Ohmic(eta, cutoff, exponent), kT))
        estimate = engine.green_functions(cavity, jnp.asarray(TIMES))
        return {"u": estimate.green.u, "v": estimate.green.v}

    return model


def measured():
    """u and v with noise."""
    rng = np.random.default_rng(SEED)
    exact = model_of(ENGINES["Resonance()"])(**TRUTH)
    u, v = np.asarray(exact["u"]), np.asarray(exact["v"])
    sigma = NOISE * v.max()
    u = u + NOISE * (rng.normal(size=len(u)) + 1j * rng.normal(size=len(u)))
    return bx.Data(TIMES, u=(u, NOISE), v=(v + sigma * rng.normal(size=len(v)), sigma))


def row(name, data):
    """One engine: what a fit takes and what SciPy takes."""
    model = model_of(ENGINES[name])

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

    jacobian = jax.jit(jax.jacfwd(residuals))
    runs = {
        "fit": lambda: own().covariance,
        "scipy": lambda: by_scipy().x,
        "model": lambda: residuals(start),
        "jacobian": lambda: jacobian(start),
    }
    compiling = seconds(runs["fit"])
    took = alternating_medians(runs, REPEATS)
    found, other = own(), by_scipy()
    ends = zip(START, np.exp(other.x), strict=True)
    off = max(abs(float(found.parameters[n]) - p) / float(found.errors[n]) for n, p in ends)
    return [
        name,
        f"{1e3 * took['model']:.1f}",
        f"{took['jacobian'] / took['model']:.1f}",
        len(calls),
        f"{1e3 * took['fit']:.0f}",
        f"{1e3 * took['scipy']:.0f}",
        f"{took['scipy'] / took['fit']:.1f}",
        f"{off:.0e}",
        f"{compiling:.0f}",
    ]


def main():
    data = measured()
    header = ["", "a call, ms", "a Jacobian, calls", "SciPy's calls", "bathax, ms", "SciPy, ms"]
    header += ["ratio", "differing by, errors", "first fit, s"]
    write_report(
        Path(__file__).parent / "fit_speed.md",
        "# Time to fit five parameters",
        machine_line("bathax", "jax", "optimistix", "scipy"),
        f"Coupling, cutoff, exponent, temperature and frequency of a cavity from u and v at "
        f"{len(TIMES)} times with 0.2% noise, one start; medians of {REPEATS} runs in turns. "
        "SciPy's `least_squares` has its default settings, the same compiled model, and takes the "
        "same logarithms of the parameters. Both end at the same parameters, to the given part of "
        "their standard errors. The first fit compiles.",
        table(header, [row(name, data) for name in ENGINES]),
    )


if __name__ == "__main__":
    main()
