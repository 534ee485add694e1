"""Times ACE-OQS on the qubit of `qubit_peers.py`; run by the Python of `.venv-ace`.

Reads its settings as JSON from the standard input and prints one JSON line: seconds, the times
and the population of the initially excited qubit, and the peak memory in bytes.
The bath is cut into cells, each one mode with the cell's coupling and mean frequency, finer around
the qubit (w = w_s + scale sinh x) and the last one reaching to infinity, which takes ACE further
than its equidistant modes. A thermal bath becomes two in their vacuum, J (n + 1) coupled by
s+ b + h.c. and J n at negative frequencies by s+ b' + h.c., which needs no more than one quantum
in a mode. The rotating frame removes w_s. Modes far from resonance come first, so that they are
compressed before the others are joined.
"""

import itertools
import json
import os
import sys
import time
from contextlib import contextmanager

import ACE
import numpy as np
from _memory import peak_memory

HBAR = ACE.hbar  # ACE counts energies in meV, times in ps: w in 1/ps is the energy hbar w


def cells(case):
    """Cell edges in frequency: sinh-spaced around w_s, the last cell up to 12 cutoffs."""
    scale, centre = case["scale"], case["frequency"]
    ends = np.arcsinh(np.array([-centre, case["upper"] - centre]) / scale)
    edges = centre + scale * np.sinh(np.linspace(*ends, case["modes"] + 1))
    edges[0], edges[-1] = 0.0, 12 * case["cutoff"]
    return itertools.pairwise(edges)


def modes(case):
    """(detuning, g, gain or loss) of each mode: g^2 = int J (n + 1) or int J n over its cell."""
    x, weights = np.polynomial.legendre.leggauss(40)
    found = []
    for low, high in cells(case):
        w = low + (high - low) * (x + 1) / 2
        strength = case["eta"] * w * np.exp(-w / case["cutoff"]) * weights * (high - low) / 2
        hot = case["temperature"] > 0
        n = 1 / np.expm1(w / case["temperature"]) if hot else np.zeros_like(w)
        for part, gain in ((strength * (n + 1), False), (strength * n, True)):
            total = part.sum()
            if total > 0:
                detuning = (w * part).sum() / total - case["frequency"]
                found.append((-detuning if gain else detuning, np.sqrt(total), gain))
    return sorted(found, key=lambda mode: -abs(mode[0]))


def propagator(detuning, coupling, gain, levels):
    """One mode with the qubit: H = detuning b'b + g (s+ b + h.c.), or with b' in place of b."""
    b = ACE.Boson_destroy(levels)
    hop = np.kron(ACE.ACE_sigma_p, b.conj().T if gain else b)
    energy = detuning * np.kron(np.eye(2), b.conj().T @ b)
    mode = ACE.ModePropagator(ACE.Parameters(), ACE.Boson_vacuum(levels))
    mode.add_Hamiltonian(HBAR * (energy + coupling * (hop + hop.conj().T)))
    return mode


def population(case):
    """Times and <s+ s-> of the qubit, excited at t = 0."""
    lines = [f"dt {case['step']}", f"te {case['stop']}", f"threshold {case['threshold']}"]
    lines += [f"{name} {value}" for name, value in case.get("options", {}).items()]
    baths = [propagator(*mode, case["levels"]) for mode in modes(case)]
    tensors = ACE.ProcessTensors(ACE.Parameters(lines), baths)
    free = ACE.FreePropagator()
    free.set_Hamiltonian(np.zeros((2, 2), dtype=complex))
    excited = ACE.KetBra(1, 1, 2)
    output = ACE.OutputPrinter([excited])
    grid = ACE.TimeGrid(0, case["stop"], case["step"])
    ACE.Simulation(free, tensors, ACE.InitialState(excited), grid, output)
    ts, values = output.extract()
    return list(ts), [float(row[0].real) for row in values]


@contextmanager
def silence():
    """ACE's log goes to the standard output of the process: keep it away from the JSON."""
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)


def main():
    case = json.load(sys.stdin)
    start, busy = time.perf_counter(), time.process_time()
    with silence():
        ts, values = population(case)
    report = {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - busy,
        "ts": ts,
        "population": values,
        "peak_memory": peak_memory(),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
