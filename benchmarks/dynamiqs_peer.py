"""dynamiqs on the pseudomode of a Lorentzian, many couplings at once; prints one JSON line.

Runs in an environment of its own: `dynamiqs_peer.py '[stop, times, couplings, width]'`.
"""

import json
import statistics
import sys
import time

import dynamiqs as dq
import jax
import jax.numpy as jnp
import numpy as np
from _memory import peak_memory

TOLERANCE = 1e-10


def population(gammas, ts, width):
    """|e,0> of |e,0>, |g,1>, |g,0>, the mode decaying at twice the width."""
    coupling = jnp.sqrt(0.5 * gammas * width)
    swap = jnp.zeros((3, 3), complex).at[0, 1].set(1.0).at[1, 0].set(1.0)
    loss = jnp.sqrt(2.0 * width) * jnp.zeros((3, 3), complex).at[2, 1].set(1.0)
    start = jnp.zeros((3, 3), complex).at[0, 0].set(1.0)
    result = dq.mesolve(
        coupling[:, None, None] * swap,
        [loss],
        start,
        ts,
        exp_ops=[start],
        method=dq.method.Tsit5(rtol=TOLERANCE, atol=TOLERANCE),
        progress_meter=False,
        save_states=False,
    )
    return result.expects[:, 0].real


def seconds(run):
    start = time.perf_counter()
    jax.block_until_ready(run())
    return time.perf_counter() - start


def main():
    stop, times, couplings, width = json.loads(sys.argv[1])
    dq.set_precision("double")
    ts, gammas = jnp.linspace(0.0, stop, times), jnp.linspace(5.0, 15.0, couplings)
    compiled = jax.jit(lambda gammas: population(gammas, ts, width))
    first = seconds(lambda: compiled(gammas))
    later = statistics.median(seconds(lambda: compiled(gammas)) for _ in range(3))
    gamma, t = np.asarray(gammas)[:, None], np.asarray(ts)[None, :]
    root = np.sqrt(np.asarray(width**2 - 2.0 * gamma * width, complex))
    inside = np.cosh(0.5 * root * t) + width / root * np.sinh(0.5 * root * t)
    exact = np.abs(np.exp(-0.5 * width * t) * inside) ** 2
    error = float(np.abs(np.asarray(compiled(gammas)) - exact).max())
    report = {"first": first, "seconds": later, "each": later / couplings, "error": error}
    print(json.dumps(report | {"peak_memory": peak_memory()}))


if __name__ == "__main__":
    main()
