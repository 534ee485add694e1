"""Times idesolver on the Lorentzian of `peers.py`; run by the Python of `.venv-idesolver`.

Prints one JSON line: seconds, largest population error and iterations of one solve.
`complex` takes AHZ Eq. (14a) as it stands; `rotating` removes w_s by hand, which makes this
one kernel (a Lorentzian on resonance) real and is the best idesolver can be given.
"""

import argparse
import cmath
import json
import math
import time
import warnings

import numpy as np
from idesolver import IDESolver


def solver(args: argparse.Namespace, ts: np.ndarray) -> IDESolver:
    """u' = -i w_s u - (gamma0 lam/2) int_0^t e^{-(lam + i w_s)(t-s)} u(s) ds, u(0) = 1."""
    strength = args.gamma0 * args.width / 2
    if args.frame == "rotating":
        exp, start, frequency = math.exp, 1.0, 0.0
    else:
        exp, start, frequency = cmath.exp, 1.0 + 0.0j, 1j * args.frequency
    rate = args.width + frequency
    return IDESolver(
        x=ts,
        y_0=start,
        c=lambda _, u: -frequency * u,
        d=lambda _: -strength,
        k=lambda t, s: exp(-rate * (t - s)),
        f=lambda u: u,
        lower_bound=lambda _: 0.0,
        upper_bound=lambda t: t,
        global_error_tolerance=args.tolerance,
    )


def exact_population(ts: np.ndarray, gamma0: float, width: float) -> np.ndarray:
    """|e^{-lam t/2} [cosh(G t/2) + (lam/G) sinh(G t/2)]|^2, G^2 = lam^2 - 2 gamma0 lam."""
    root = cmath.sqrt(width**2 - 2 * gamma0 * width)
    inside = np.cosh(root * ts / 2) + width / root * np.sinh(root * ts / 2)
    return np.abs(np.exp(-width * ts / 2) * inside) ** 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frame", choices=("rotating", "complex"), required=True)
    for name in ("gamma0", "width", "frequency", "stop", "tolerance"):
        parser.add_argument(f"--{name}", type=float, required=True)
    parser.add_argument("--points", type=int, required=True)
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # its iterates may get worse before they get better
    ts = np.linspace(0.0, args.stop, args.points)
    problem = solver(args, ts)
    start = time.perf_counter()
    u = problem.solve()
    elapsed = time.perf_counter() - start
    error = np.abs(np.abs(u) ** 2 - exact_population(ts, args.gamma0, args.width)).max()
    print(json.dumps({"seconds": elapsed, "error": error, "iterations": problem.iteration}))


if __name__ == "__main__":
    main()
