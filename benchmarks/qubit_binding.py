"""How far D(t) of a qubit with a bound state is reached: writes `qubit_binding.md`.

Run with `python benchmarks/qubit_binding.py`; some minutes.
"""

import warnings
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from _timing import machine_line, seconds, table, write_report

import bathax as bx
from bathax.papers.np.binding import ABOVE, gap_qubit, share
from bathax.papers.np.parameters import ohmic_qubit

# Times to which D is followed; the rate is taken over their second half.
CASES = {
    "1.5 eta_c": (lambda T: ohmic_qubit(ABOVE, T), 40.0, (0.1, 0.2, 0.5, 1.0)),
    "gap": (gap_qubit, 80.0, (0.3, 0.5, 1.0, 2.0, 4.0)),
    "gap, twice as long": (gap_qubit, 160.0, (0.5, 1.0, 2.0)),
}
RTOL, SIZE = 1e-3, 20_000


def row(name, system, temperature, stop):
    """D in the end, its estimate, its difference from other modes, and the rate of its decay."""
    qubit, ts = system(temperature), jnp.linspace(0.0, stop, 81)
    solver = bx.Hierarchy(rtol=RTOL, max_size=SIZE)
    dmap = bx.dynamical_map(qubit, ts, solver)
    wall = seconds(lambda: bx.dynamical_map(qubit, ts, solver).determinant)
    longer = bx.dynamical_map(qubit, jnp.append(ts, 1.25 * stop), solver)
    d, error = (np.asarray(each)[[40, 80]] for each in (dmap.determinant, dmap.error.determinant))
    apart = float(np.max(np.abs(longer.determinant[:-1] - dmap.determinant)))
    rate, uncertain = np.log(d[0] / d[1]) / (0.5 * stop), np.sum(error / d) / (0.5 * stop)
    numbers = (f"{share(system(0.0)):.4f}", f"{d[1]:.4f}", f"{error[1]:.0e}", f"{apart:.0e}")
    reached = "yes" if int(dmap.status) == bx.Status.SUCCESS else "no"
    decay = f"{rate:.1e} ± {uncertain:.0e}"
    return [name, f"{temperature:g}", f"{stop:g}", *numbers, decay, reached, f"{wall:.1f}"]


def main():
    rows = []
    for name, (system, stop, temperatures) in CASES.items():
        for temperature in temperatures:
            rows.append(row(name, system, temperature, stop))
            print(*rows[-1], flush=True)
    head = ["case", "kT0", "t", "Z^2", "D(t)", "estimate", "difference"]
    write_report(
        Path(__file__).with_suffix(".md"),
        "# D of a qubit with a bound state",
        machine_line("bathax", "jax", "jaxlib", "numpy"),
        f"`Hierarchy(rtol={RTOL:g}, max_size={SIZE})`. Z^2 is D(inf) at kT0 = 0. The estimate is "
        "that of D at the last time; the difference is the largest one from a hierarchy whose "
        "modes are reduced for times a quarter longer. The rate is -d ln D/dt over the second "
        "half of the time. Reached: whether all estimates are below `rtol`. Seconds are those of "
        "a second call.",
        table([*head, "rate of decay", "reached", "s"], rows),
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore", bx.ToleranceWarning)
    main()
