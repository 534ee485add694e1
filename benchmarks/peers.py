"""bathax beside idesolver and QuTiP on one problem with a closed form: writes `peers.md`.

A strongly non-Markovian Lorentzian, gamma0 = 10 lam. Run `make_idesolver_venv.sh` first.
Every error is the largest error of the population |u|^2 against the closed form.
"""

import functools
import json
import statistics
import subprocess
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import qutip
from _timing import (
    alternating_medians,
    alternating_times,
    machine_line,
    seconds,
    table,
    write_report,
)

import bathax as bx

GAMMA0, WIDTH, FREQUENCY = 10.0, 1.0, 1.0
HERE = Path(__file__).parent


def exact_population(ts, gamma0=GAMMA0):
    """|e^{-lam t/2} [cosh(G t/2) + (lam/G) sinh(G t/2)]|^2, G^2 = lam^2 - 2 gamma0 lam."""
    root = np.sqrt(complex(WIDTH**2 - 2 * gamma0 * WIDTH))
    inside = np.cosh(root * ts / 2) + WIDTH / root * np.sinh(root * ts / 2)
    return np.abs(np.exp(-WIDTH * ts / 2) * inside) ** 2


def error(population, ts):
    """Largest error over the time points."""
    return float(np.abs(np.asarray(population) - exact_population(ts)).max())


# ---- bathax


def bathax_run(ts, points):
    """A compiled run of the Volterra engine on a fixed grid, and its compile time in seconds.

    The parameters are arguments, so that the compiler can work nothing out ahead.
    """

    @jax.jit
    def population(gamma0, width, frequency, ts):
        bath = bx.Reservoir(bx.Lorentzian(gamma0, width, frequency))
        cavity = bx.Cavity(frequency, bath)
        sol = bx.solve(cavity, bx.Fock(1), ts, solver=bx.Volterra(points=points))
        return jnp.abs(sol.u) ** 2

    run = functools.partial(population, *map(jnp.asarray, (GAMMA0, WIDTH, FREQUENCY, ts)))
    return run, seconds(run)


def bathax_within(limit, ts):
    """The smallest power-of-two grid with a true error up to `limit`: points, run, compile time."""
    for points in (2**k for k in range(6, 17)):
        run, compile_time = bathax_run(ts, points)
        if error(run(), ts) <= limit:
            return points, run, compile_time
    raise RuntimeError(f"bathax does not reach an error of {limit:.1e}")


# ---- idesolver


def idesolver_run(frame, ts):
    """One solve by idesolver in its own environment: seconds, error, iterations."""
    python = HERE.parent / ".venv-idesolver" / "bin" / "python"
    settings = {
        "frame": frame,
        "gamma0": GAMMA0,
        "width": WIDTH,
        "frequency": FREQUENCY,
        "stop": ts[-1],
        "points": len(ts),
        "tolerance": 1e-6,
    }
    command = [python, HERE / "idesolver_peer.py"]
    command += [word for name, value in settings.items() for word in (f"--{name}", str(value))]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def against_idesolver(frame, label, repeats=3):
    """The table row, from runs of either program in turns."""
    ts = np.linspace(0.0, 5.0 / WIDTH, 201)
    peer_error = idesolver_run(frame, ts)["error"]
    points, run, compile_time = bathax_within(peer_error, ts)
    theirs, ours = [], []
    for _ in range(repeats):
        theirs.append(idesolver_run(frame, ts)["seconds"])
        ours += alternating_times({"bathax": run}, repeats=7, inner=20)["bathax"]
    return _row(label, (theirs, peer_error), (ours, error(run(), ts)), (points, compile_time), 1e4)


# ---- QuTiP

QUTIP_ERROR = 1e-9
CHOICES = [
    ("diag", None),
    *((m, tol) for m in ("adams", "tsit5", "vern7", "vern9") for tol in (1e-8, 1e-9, 1e-10)),
    *((m, tol) for m in ("bdf", "lsoda") for tol in (1e-10, 1e-11)),
]


def pseudomode():
    """One damped mode in place of the reservoir, rotating frame: |e,0>, |g,1>, and |g,0> below.

    Returns the solvers' generators with their initial states and projectors on |e,0>:
    `mesolve` takes all three states; the upper two alone obey a non-Hermitian Schroedinger
    equation, for `sesolve`.
    """
    coupling = np.sqrt(GAMMA0 * WIDTH / 2)
    excited, photon, ground = (qutip.basis(3, i) for i in range(3))
    hop = coupling * (excited @ photon.dag() + photon @ excited.dag())
    loss = np.sqrt(2 * WIDTH) * ground @ photon.dag()
    upper, lower = (qutip.basis(2, i) for i in range(2))
    effective = coupling * qutip.sigmax() - 1j * WIDTH * lower.proj()
    return {
        "mesolve": (qutip.liouvillian(hop, [loss]), excited, excited.proj()),
        "sesolve": (effective, upper, upper.proj()),
    }


def qutip_run(name, method, tolerance, ts):
    """A prepared solver, without its set-up time: building it is not counted, as compiling."""
    generator, state, projector = (x.to("dense") for x in pseudomode()[name])
    options = {"method": method, "progress_bar": "", "store_states": False}
    if tolerance is not None:
        options |= {"rtol": tolerance, "atol": tolerance, "nsteps": 100_000}
    if name == "mesolve":
        solver = qutip.MESolver(generator, options=options)
    else:
        solver = qutip.SESolver(generator, options=options | {"normalize_output": False})
    return lambda: solver.run(state, ts, e_ops=[projector]).expect[0]


def fastest_qutip(name, ts):
    """The quickest of `CHOICES` with an error up to `QUTIP_ERROR`: its name and run."""
    runs = {choice: qutip_run(name, *choice, ts) for choice in CHOICES}
    good = {choice: run for choice, run in runs.items() if error(run(), ts) <= QUTIP_ERROR}
    times = alternating_medians(good, repeats=9)
    best = min(times, key=times.get)
    return best, good[best]


def against_qutip(name):
    """The table row, from runs of either program in turns."""
    ts = np.linspace(0.0, 10.0 / WIDTH, 401)
    (method, tolerance), peer = fastest_qutip(name, ts)
    points, run, compile_time = bathax_within(QUTIP_ERROR, ts)
    times = alternating_times({"peer": peer, "bathax": run}, repeats=41, inner=5)
    label = f"QuTiP {name}, {method}" + (f" {tolerance:.0e}" if tolerance else "")
    theirs, ours = (times["peer"], error(peer(), ts)), (times["bathax"], error(run(), ts))
    return _row(label, theirs, ours, (points, compile_time), 3)


# ---- the report

HEADER = [
    "peer", "peer s", "peer error", "bathax s", "bathax error", "bathax points", "compile s",
    "measured ratio", "ratio of best runs", "target ratio",
]  # fmt: skip


def _row(label, peer, ours, setting, target):
    """One line of the table; `peer` and `ours` are (times, error)."""
    (peer_times, peer_error), (times, own_error), (points, compile_time) = peer, ours, setting
    middle, own_middle = statistics.median(peer_times), statistics.median(times)
    ratios = middle / own_middle, min(peer_times) / min(times)
    cells = [label, f"{middle:.3g}", f"{peer_error:.1e}", f"{own_middle:.2g}", f"{own_error:.1e}"]
    cells += [points, f"{compile_time:.1f}"]
    cells += [f"{ratio:,.0f}" if ratio > 100 else f"{ratio:.1f}" for ratio in ratios]
    return [*cells, f">= {target:,.0f}"]


def main():
    rows = [
        against_idesolver("complex", "idesolver, Eq. (14a) as it stands (complex)"),
        against_idesolver("rotating", "idesolver, rotating frame by hand (real)"),
        against_qutip("mesolve"),
        against_qutip("sesolve"),
    ]
    write_report(
        HERE / "peers.md",
        "# bathax and its peers",
        machine_line("bathax", "jax", "jaxlib", "numpy", "qutip") + ", idesolver 1.1.0",
        "A Lorentzian reservoir with gamma0 = 10 lam, w_s = lam. Times are medians of runs taken "
        "in turns, after compilation; other load on the machine moves them, and the fastest runs "
        "least. Errors are the largest errors of |u|^2 against the closed form. bathax runs its "
        "Volterra engine, which takes any spectral density, without its error estimate, on the "
        "smallest grid it allows that is at least as accurate as idesolver's result, or as "
        f"{QUTIP_ERROR:.0e} beside QuTiP.",
        table(HEADER, rows),
        "idesolver: lam T = 5, 201 points, tolerance 1e-6. QuTiP: lam T = 10, 401 points, one "
        "damped pseudomode (which works for a Lorentzian only) in its smallest Hilbert space, "
        f"the fastest method and tolerance with an error up to {QUTIP_ERROR:.0e} out of those in "
        "`CHOICES`, dense matrices, the solver object built beforehand. `mesolve` is the "
        "three-level master equation, `sesolve` the two-level non-Hermitian one.",
    )


if __name__ == "__main__":
    main()
