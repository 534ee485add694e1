"""Time to fit five parameters, against SciPy's least squares: `fit_speed.md`.

SciPy takes finite differences, either of the parameters, which bounds keep above 0, or of their
logarithms, as bathax does. All fit the same data through the same compiled model, from the same
starts at random; what is compiled first is not evaluated.
"""

import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from _timing import alternating_medians, machine_line, seconds, table, write_report
from scipy.optimize import least_squares

import bathax as bx

TRUTH = {"eta": 0.03, "cutoff": 4.0, "exponent": 0.9, "kT": 3.0, "frequency": 1.1}
TIMES, NOISE, SEED = np.linspace(0.25, 30.0, 120), 0.002, 2029
STARTS, SPREAD, REPEATS = 40, 0.3, 15
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
        return {"u": estimate.value.u, "v": estimate.value.v}

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
    def residuals(p):
        return data.residuals(model(**dict(zip(TRUTH, p, strict=True))))

    def evaluated(p):
        return np.asarray(residuals(p))

    def own(p):
        return bx.fit(model, data, dict(zip(TRUTH, p, strict=True)), starts=1).chi2

    def bounded(p):
        return 2.0 * least_squares(evaluated, p, bounds=(0.0, np.inf)).cost

    def in_logarithms(p):
        return 2.0 * least_squares(lambda x: evaluated(np.exp(x)), np.log(p)).cost

    truth = np.array(list(TRUTH.values()))
    rng = np.random.default_rng(SEED)
    starts = truth * np.exp(SPREAD * rng.normal(size=(STARTS, len(truth))))
    compiling = seconds(lambda: own(truth))
    jacobian = jax.jit(jax.jacfwd(residuals))
    took = alternating_medians(
        {"model": lambda: residuals(truth), "jacobian": lambda: jacobian(truth)}, REPEATS
    )
    # In turns, so that a busy spell of the machine hits all.
    runs = (own, bounded, in_logarithms)
    chi2, times = np.moveaxis([[timed(run, p) for run in runs] for p in starts], -1, 0)
    found = np.count_nonzero(chi2 < np.min(chi2) + 0.01, axis=0)
    return [
        name,
        f"{1e3 * took['model']:.1f}",
        f"{took['jacobian'] / took['model']:.1f}",
        *(f"{1e3 * time:.0f}" for time in np.median(times, axis=0)),
        *(spread(times[:, k] / times[:, 0]) for k in (1, 2)),
        ", ".join(map(str, found)),
        f"{compiling:.0f}",
    ]


def timed(run, p):
    """What a run from p gives, and its time."""
    start = time.perf_counter()
    return run(p), time.perf_counter() - start


def spread(ratios):
    """Their median, and where half of them are."""
    low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
    return f"{middle:.1f} ({low:.1f} to {high:.1f})"


def main():
    data = measured()
    header = ["", "a call, ms", "a Jacobian, calls", "bathax, ms", "SciPy, bounds, ms"]
    header += ["SciPy, logarithms, ms", "ratio, bounds", "ratio, logarithms", "found of each"]
    header += ["first fit, s"]
    write_report(
        Path(__file__).parent / "fit_speed.md",
        "# Time to fit five parameters",
        machine_line("bathax", "jax", "optimistix", "scipy"),
        f"Coupling, cutoff, exponent, temperature and frequency of a cavity from u and v at "
        f"{len(TIMES)} times with 0.2% noise, from {STARTS} random starts, where each parameter "
        f"is off by a factor of e^{{+-{SPREAD}}}. SciPy's `least_squares` has its default settings "
        "and the same compiled model, and takes either the parameters, above a bound of 0, or "
        "their logarithms. Medians, ratios also with where half of them are; found is the least "
        "chi^2, to 0.01. The first fit compiles.",
        table(header, [row(name, data) for name in ENGINES]),
    )


if __name__ == "__main__":
    main()
