"""Times QuTiP's fermionic HEOM of a chain between two Lorentzian leads; prints one JSON line.

The leads are those of QuTiP's own test: J = gamma W^2 / ((w - mu)^2 + W^2) / 2 pi around the
chemical potential of each, here on the first and the last level. The problem comes by standard
input, as `linear_peers.py` writes it.
"""

import json
import statistics
import sys
import time

import numpy as np
import qutip
from qutip.solver.heom import HEOMSolver

# So many runs, or fewer if they take so many seconds.
REPEATS, LONG = 3, 10.0


def annihilators(size):
    """Of each level, by the transformation of Jordan and Wigner."""
    parity, lowering, unit = qutip.sigmaz(), qutip.destroy(2), qutip.qeye(2)
    return [qutip.tensor([parity] * i + [lowering] + [unit] * (size - i - 1)) for i in range(size)]


def numbers(d):
    """The operators n of all levels."""
    return [each.dag() * each for each in d]


def solver(case):
    """The hierarchy, the operators n of all levels, and d of the last one."""
    d, h = annihilators(case["size"]), np.asarray(case["h"])
    hamiltonian = sum(h[i, j] * d[i].dag() * d[j] for i in range(len(d)) for j in range(len(d)))
    if "drive" in case:
        mean, amplitude, speed = case["drive"]
        wave = [numbers(d)[0], lambda t: mean + amplitude * np.sin(speed * t)]
        hamiltonian = qutip.QobjEvo([hamiltonian, wave])
    baths = []
    for operator, mu, tag in ((d[0], case["mu"], "left"), (d[-1], -case["mu"], "right")):
        lead = qutip.LorentzianEnvironment(case["temperature"], mu, case["gamma"], case["width"])
        approximated = getattr(lead, f"approx_by_{case['expansion']}")(case["terms"], tag=tag)
        baths.append((approximated, operator))
    options = {"progress_bar": "", "store_states": False, "nsteps": 100_000}
    options |= {"rtol": case["tolerance"], "atol": case["tolerance"], "method": case["method"]}
    heom = HEOMSolver(hamiltonian, baths, case["depth"], options=options)
    return heom, numbers(d)


def current(auxiliaries):
    """The particles that the right lead gains in unit time, from the first tier."""
    gain = 0.0
    for label in auxiliaries.filter(level=1, tags=["right"]):
        exponent, matrix = auxiliaries.exps(label)[0], auxiliaries.extract(label)
        rising = exponent.type == exponent.types["+"]
        operator = exponent.Q if rising else exponent.Q.dag()
        gain += (1 if rising else -1) * (operator * matrix).tr()
    return abs((1j * gain).real)


def answered(case):
    """Populations at all times, or the steady current, and the number of auxiliary matrices."""
    heom, numbers = solver(case)
    empty = qutip.tensor([qutip.basis(2, 0)] * case["size"]).proj()
    if case["ts"]:
        answer = np.real(heom.run(empty, case["ts"], e_ops=numbers).expect).tolist()
    else:
        answer = current(heom.steady_state(use_mkl=False)[1])
    return answer, len(heom.ados.labels)


def main():
    case, times = json.load(sys.stdin), []
    while len(times) < REPEATS and sum(times) < LONG:
        start = time.perf_counter()
        answer, auxiliaries = answered(case)
        times.append(time.perf_counter() - start)
    report = {"seconds": statistics.median(times), "answer": answer, "auxiliaries": auxiliaries}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
