"""Times QuTiP's HEOM solver on a bath of `--exponents` terms; prints one JSON line.

The solver takes Hermitian couplings only, so it cannot answer the rotating-wave question; this
measures what a hierarchy of the same size costs: H = w_s s+s- with sigma_x coupled to the Ohmic
bath. Each fitted term c e^{-nu t} of C(t) costs QuTiP two exponents, nu and nu*, so K/2 terms
give its hierarchy K.
"""

import argparse
import json
import time

import numpy as np
import qutip
from _memory import peak_memory
from qutip.core.environment import CFExponent
from qutip.solver.heom import HEOMSolver


def correlation(ts, eta, cutoff, temperature, nodes=600):
    """C(t) = int_0^inf J(w) [(n+1) e^{-iwt} + n e^{iwt}] dw for J = eta w e^{-w/cutoff}."""
    x, weights = np.polynomial.legendre.leggauss(nodes)
    w = 10 * cutoff * (x + 1)
    weights = 10 * cutoff * weights * eta * w * np.exp(-w / cutoff)
    n = 1 / np.expm1(w / temperature) if temperature > 0 else np.zeros_like(w)
    phases = np.exp(-1j * np.outer(ts, w))
    return phases @ (weights * (n + 1)) + phases.conj() @ (weights * n)


def exponentials(samples, step, count):
    """ESPRIT: c_k, nu_k of sum_k c_k e^{-nu_k t}, decaying, from equally spaced samples."""
    half = len(samples) // 2
    rows = np.lib.stride_tricks.sliding_window_view(samples, half)
    space = np.linalg.svd(rows.T)[0][:, :count]
    ratios = np.linalg.eigvals(np.linalg.lstsq(space[:-1], space[1:], rcond=None)[0])
    ratios = ratios / np.maximum(1.0, np.abs(ratios) * (1 + 1e-6))
    powers = ratios ** np.arange(len(samples))[:, None]
    return np.linalg.lstsq(powers, samples, rcond=None)[0], -np.log(ratios) / step


def environment(args):
    """The bath as `args.exponents` QuTiP exponents: C = sum c e^{-nu t}, and their conjugates."""
    ts, step = np.linspace(0.0, 8.0, 401, retstep=True)
    samples = correlation(ts, args.eta, args.cutoff, args.temperature)
    weights, rates = exponentials(samples, step, args.exponents // 2)
    terms = []
    for c, nu in zip(weights, rates, strict=True):
        # Re and Im of c e^{-nu t}: the pair's sum over 2 and difference over 2i
        terms.append(CFExponent("RI", ck=c / 2, vk=nu, ck2=c / 2j))
        terms.append(CFExponent("RI", ck=c.conj() / 2, vk=nu.conj(), ck2=-c.conj() / 2j))
    return qutip.ExponentialBosonicEnvironment(exponents=terms)


def solver(args):
    """A prepared solver: building it is not counted."""
    options = {"progress_bar": "", "store_states": False, "method": args.method}
    options |= {"rtol": args.tolerance, "atol": args.tolerance, "nsteps": 100_000}
    system = args.frequency * qutip.basis(2, 0).proj()
    bath = (environment(args), qutip.sigmax())
    return HEOMSolver(system, bath, args.depth, options=options)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("frequency", "eta", "cutoff", "temperature", "stop", "tolerance"):
        parser.add_argument(f"--{name}", type=float, required=True)
    for name in ("exponents", "depth", "points"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--method", required=True)
    args = parser.parse_args()
    ts = np.linspace(0.0, args.stop, args.points)
    start = time.perf_counter()
    heom = solver(args)
    built = time.perf_counter()
    result = heom.run(qutip.basis(2, 0).proj(), ts, e_ops=[qutip.basis(2, 0).proj()])
    report = {
        "seconds": time.perf_counter() - built,
        "build_seconds": built - start,
        "auxiliaries": len(heom.ados.labels),
        "populations": np.real(result.expect[0]).tolist(),
        "peak_memory": peak_memory(),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
