"""dynamiqs' first `mesolve` in a process, and its gradient; prints one JSON line.

A cavity with five quanta and the pseudomode of a Lorentzian, six levels each. Runs in an
environment of its own: `dynamiqs_first_call.py value` or `gradient`.
"""

import json
import sys

import dynamiqs as dq
import jax
import jax.numpy as jnp
from _timing import first_call

LEVELS, STOP, TIMES, WIDTH, TOLERANCE = 6, 40.0, 401, 1.0, 1e-8


def number(coupling):
    """<a'a> of the cavity at all times, on resonance and at zero temperature."""
    a, b = dq.destroy(LEVELS, LEVELS)
    result = dq.mesolve(
        coupling * (a.dag() @ b + b.dag() @ a),
        [jnp.sqrt(2.0 * WIDTH) * b],
        dq.fock((LEVELS, LEVELS), (5, 0)),
        jnp.linspace(0.0, STOP, TIMES),
        exp_ops=[a.dag() @ a],
        method=dq.method.Tsit5(rtol=TOLERANCE, atol=TOLERANCE),
        progress_meter=False,
        save_states=False,
    )
    return result.expects[0].real


PROGRAMS = {"value": number, "gradient": jax.grad(lambda coupling: number(coupling)[-1])}


def main():
    dq.set_precision("double")
    print(json.dumps(first_call(PROGRAMS[sys.argv[1]], jnp.asarray(0.5))))


if __name__ == "__main__":
    main()
