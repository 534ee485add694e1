"""Two peaks from a noisy correlation function, beside QuTiP's environment fit: `fit_peers.md`.

QuTiP fits exponentials to correlation functions, which for Lorentzian peaks is the same model. Both
fit the same noisy g(t); QuTiP its real and its imaginary part each by itself.
"""

import statistics
import time
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from _timing import machine_line, table, write_report
from qutip import BosonicEnvironment

import bathax as bx
from bathax.numerics.grid import TimeGrid

TRUTH = {"coupling": [0.5, 0.3], "width": [0.15, 0.25], "center": [0.7, 1.5]}
START = {"coupling": [0.3, 0.3], "width": [0.2, 0.2], "center": [0.5, 2.0]}
GRID, NOISE, SETS, SEED = TimeGrid.until(jnp.asarray(30.0), 256), 0.01, 20, 2030


def kernel(coupling, width, center):
    """g(t) of two Lorentzian peaks."""
    density = sum(bx.Lorentzian(*peak) for peak in zip(coupling, width, center, strict=True))
    return density.memory_kernel(GRID)


def model(**parameters):
    """The kernel, by the name that it has among the data."""
    return {"g": kernel(**parameters)}


def own(values, error):
    """g(t) of a fit with default settings."""
    found = bx.fit(model, bx.Data(GRID.times, g=(values, error)), START)
    return np.asarray(kernel(**found.parameters))


def by_qutip(values, error):
    """g(t) of QuTiP's fit with at most two terms."""
    ts = np.asarray(GRID.times)
    given = BosonicEnvironment.from_correlation_function(values, tlist=ts, T=0.0)
    found, _ = given.approximate(
        "cf", ts, target_rmse=error, Nr_max=2, Ni_max=2, maxfev=100_000, combine=False
    )
    return np.asarray(found.correlation_function(ts))


def main():
    rng = np.random.default_rng(SEED)
    exact = np.asarray(kernel(**TRUTH))
    error = NOISE * abs(exact[0])
    peers = {"bathax": own, "QuTiP": by_qutip}
    took, off = {name: [] for name in peers}, {name: [] for name in peers}
    own(exact, error)
    for _ in range(SETS):
        noise = error * (rng.normal(size=len(exact)) + 1j * rng.normal(size=len(exact)))
        for name, fitted in peers.items():
            begun = time.perf_counter()
            found = fitted(exact + noise, error)
            took[name].append(time.perf_counter() - begun)
            off[name].append(np.sqrt(np.mean(np.abs(found - exact) ** 2)) / error)
    rows = [
        [
            name,
            f"{1e3 * statistics.median(took[name]):.0f}",
            sum(one < 1.0 for one in off[name]),
            f"{statistics.median(off[name]):.2f}",
            f"{max(off[name]):.2f}",
        ]
        for name in peers
    ]
    write_report(
        Path(__file__).parent / "fit_peers.md",
        "# Two peaks from a noisy correlation function",
        machine_line("bathax", "jax", "qutip", "scipy"),
        f"g(t) of two Lorentzian peaks at {GRID.points} times, both parts with Gaussian noise of "
        f"{NOISE:.0%} of g(0); {SETS} sets, seed {SEED}. bathax: `fit` of the six parameters, six "
        "starts, compiled before. QuTiP: `approximate('cf')` with at most two terms each for the "
        "real and the imaginary part, its own start. Off: root mean square of the fitted g less "
        "the true one, in units of the noise of one part; found are fits where it is below 1.",
        table(["", "median ms", f"found, of {SETS}", "off, median", "off, largest"], rows),
    )


if __name__ == "__main__":
    main()
