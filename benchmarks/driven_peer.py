"""Times what one writes by hand for a driven mode in a discretised reservoir; prints a JSON line.

The reservoir is K modes of frequencies w_k, by the rule of Gauss and Legendre, so that with the
mode a matrix U of K + 1 rows obeys U' = -i H(t) U. It is integrated by DOP853 of SciPy with the
products written out (`own`), or by `sesolve` of QuTiP. The problem comes by standard input, as
`driven_peers.py` writes it.
"""

import json
import statistics
import sys
import time

import numpy as np
from scipy.integrate import solve_ivp

# So many runs, or fewer if they take so many seconds.
REPEATS, LONG = 3, 10.0


def star(case):
    """Frequencies and couplings: nodes are close where J rises from zero."""
    x, weights = np.polynomial.legendre.leggauss(case["modes"])
    s = 0.5 * (1.0 + x)
    w = case["highest"] * s**2
    density = case["eta"] * w * np.exp(-w / case["cutoff"])
    return w, np.sqrt(density * case["highest"] * s * weights)


def frequency(case):
    """That of the driven mode, as a function of the time."""
    mean, amplitude, speed = case["drive"]
    return lambda t: mean + amplitude * np.sin(speed * t)


def own(case):
    """The first rows of U at all times."""
    (w, couplings), driven, ts = star(case), frequency(case), case["ts"]
    size = w.size + 1

    def slope(t, flat):
        U = flat.reshape(size, size)
        change = np.empty_like(U)
        change[0] = driven(t) * U[0] + couplings @ U[1:]
        np.multiply(w[:, None], U[1:], out=change[1:])
        change[1:] += couplings[:, None] * U[0]
        return (-1j * change).ravel()

    options = {"method": "DOP853", "t_eval": ts} | dict.fromkeys(
        ("rtol", "atol"), case["tolerance"]
    )
    found = solve_ivp(slope, (0.0, ts[-1]), np.eye(size, dtype=complex).ravel(), **options)
    return found.y.reshape(size, size, -1)[0].T


def qutip(case):
    """The same by QuTiP."""
    from qutip import Qobj, qeye, sesolve

    w, couplings = star(case)
    rest, own = np.diag(np.r_[0.0, w]), np.zeros((w.size + 1,) * 2)
    rest[0, 1:] = rest[1:, 0] = couplings
    own[0, 0] = 1.0
    parts = [Qobj(rest).to("csr"), [Qobj(own).to("csr"), frequency(case)]]
    options = {"method": "adams", "nsteps": 10**6, "progress_bar": ""}
    options |= dict.fromkeys(("rtol", "atol"), case["tolerance"])
    states = sesolve(parts, qeye(w.size + 1).to("dense"), case["ts"], options=options).states
    return np.array([state.full()[0] for state in states])


def populations(case):
    """n(t) of the mode, with all others in thermal equilibrium at the start."""
    rows = {"own": own, "qutip": qutip}[case["by"]](case)
    start = np.r_[case["start"], 1.0 / np.expm1(star(case)[0] / case["temperature"])]
    return np.abs(rows) ** 2 @ start


def main():
    case, times = json.load(sys.stdin), []
    while len(times) < REPEATS and sum(times) < LONG:
        start = time.perf_counter()
        answer = populations(case)
        times.append(time.perf_counter() - start)
    print(json.dumps({"seconds": statistics.median(times), "answer": answer.tolist()}))


if __name__ == "__main__":
    main()
