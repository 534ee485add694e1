"""What the exact Green functions cost, in units of one FFT: writes `volterra_cost.md`.

Run with `python benchmarks/volterra_cost.py` on a machine that does nothing else.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from _timing import alternating_medians, machine_line, table, write_report

import bathax as bx
from bathax.cavity.green import on_grid
from bathax.numerics.grid import TimeGrid

POINTS, STOP, BATCH, REPEATS = 2**18, 1600.0, 8, 5
ETA = jnp.linspace(0.01, 0.1, BATCH)
OTHERS = {"cutoff": 5.0, "exponent": 1.0, "frequency": 1.0, "temperature": 20.0}
PARAMETERS = {"eta": ETA, **{name: jnp.full(BATCH, value) for name, value in OTHERS.items()}}


def green(parameters, points, stop):
    """u, u', v, v' on the grid, kernels included."""
    density = bx.Ohmic(parameters["eta"], parameters["cutoff"], parameters["exponent"])
    bath = bx.Reservoir(density, temperature=parameters["temperature"])
    grid = TimeGrid.until(jnp.asarray(stop), points)
    result = on_grid(bx.Cavity(parameters["frequency"], bath), grid)
    return result.u, result.du, result.v, result.dv


def forward(points, stop):
    """The batch of Green functions, compiled for one grid."""
    return jax.jit(jax.vmap(lambda parameters: green(parameters, points, stop)))


def gradient(points, stop):
    """Reverse mode: d/d(all five parameters) of one scalar made of u, u', v and v'."""

    def scalar(parameters):
        return sum(jnp.mean(jnp.abs(f) ** 2) for f in green(parameters, points, stop))

    return jax.jit(jax.vmap(jax.grad(scalar)))


def cost_in_ffts():
    """Rows for the forward run and the gradient, timed in turns with the FFT."""
    signal = jax.random.normal(jax.random.key(0), (BATCH, 2 * POINTS), dtype=complex)
    samples = np.asarray(signal)
    fft, run, grad = jax.jit(jnp.fft.fft), forward(POINTS, STOP), gradient(POINTS, STOP)
    times = alternating_medians(
        {
            "fft": lambda: fft(signal),
            "numpy": lambda: np.fft.fft(samples),
            "forward": lambda: run(PARAMETERS),
            "gradient": lambda: grad(PARAMETERS),
        },
        REPEATS,
    )
    one, go, back = times["fft"], times["forward"], times["gradient"]
    return [
        [f"FFT, complex128, {BATCH} x {2 * POINTS:,}", f"{one:.3f}", "1", "-"],
        ["the same by NumPy", f"{times['numpy']:.3f}", f"{times['numpy'] / one:.2f} FFTs", "-"],
        [
            f"u, u', v, v', {BATCH} x {POINTS:,} points",
            f"{go:.3f}",
            f"{go / one:.1f} FFTs",
            "<= 20",
        ],
        ["gradient by 5 parameters", f"{back:.3f}", f"{back / go:.2f} forward runs", "<= 3"],
    ]


def scaling():
    """Rows of time against grid size at a fixed step, and the slope against N log N."""
    sizes = [2**k for k in range(12, 20)]
    runs = {n: forward(n, STOP * n / POINTS) for n in sizes}
    times = alternating_medians({n: lambda n=n: runs[n](PARAMETERS) for n in sizes}, REPEATS)
    work = {n: n * np.log2(n) for n in sizes}
    rows = [[f"{n:,}", f"{times[n]:.4f}", f"{times[n] / work[n] * 1e9:.1f}"] for n in sizes]
    return rows, [_slope(work, times, sizes), _slope(work, times, sizes[3:])]


def _slope(work, times, sizes):
    """Least-squares slope of log time against log work."""
    x, y = (np.log([values[n] for n in sizes]) for values in (work, times))
    return float(np.polyfit(x, y, deg=1)[0])


def main():
    cost = cost_in_ffts()
    rows, (slope, slope_large) = scaling()
    write_report(
        Path(__file__).with_suffix(".md"),
        "# Cost of the Volterra engine",
        machine_line("bathax", "jax", "jaxlib", "numpy"),
        f"Ohmic reservoir, eta = 0.01 .. 0.1, cutoff 5, kT = 20, t up to {STOP:g}; a batch of "
        f"{BATCH} by `vmap`, kernels included. Medians of {REPEATS} runs taken in turns, "
        "after compilation.",
        table(["run", "seconds", "measured", "target"], cost),
        "The same on grids of other sizes, with the same step:",
        table(["points", "seconds", "ns / (N log2 N)"], rows),
        f"Fitted slope of log time against log(N log N): measured {slope:.2f} "
        f"({slope_large:.2f} from 32,768 points on), target 1.",
    )


if __name__ == "__main__":
    main()
