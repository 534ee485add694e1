"""Where the map of a qubit ceases to be invertible: the first zero of its determinant D(t).

D starts at 1. As a coupling or a temperature grows, the least value of D may reach 0, where the
rates of the time-local master equation diverge (NP). `find_critical` finds the critical coupling or
temperature as the root of that least value.
"""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from bathax._checks import RealLike, Scalar, as_float, require, require_times
from bathax._status import concluded
from bathax.qubit.dynamical_map import chosen_solver
from bathax.qubit.elements import MapSolver
from bathax.system.models import Qubit


def least_determinant(
    qubit: Qubit, ts: RealLike, solver: MapSolver | None = None, *, throw: bool = False
) -> Scalar:
    """The least D(t) = P11 + P00 - 1 for t up to the last of the times.

    `ts` are increasing times that resolve D. A minimum between two of them is found from D and D'
    by cubic interpolation, and D is then computed there. The result is a function of the parameters
    of the qubit, of which `find_critical` finds the root:

    `find_critical(lambda eta: least_determinant(qubit(eta), ts, Hierarchy(depth=5, modes=10)),
    (0.05, 0.1))`.

    A `solver` of fixed size, as here, makes that function smooth; one that chooses its size makes
    it jump by the tolerance. In the vacuum D = |u|^2 touches zero without a change of sign. Works
    under `jit`, `vmap` and `grad`. A tolerance that is not reached gives a `ToleranceWarning`
    outside of `jit`, or with `throw` a `ToleranceError`.

    >>> qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.01, 5.0), temperature=1.0))
    >>> ts = jnp.linspace(0.0, 40.0, 9)
    >>> least = bx.least_determinant(qubit, ts, bx.VanHove())
    >>> round(float(least), 4)  # e^{-2 pi J (2n + 1) t} at the last time
    0.0116
    """
    ts = as_float(ts, "ts")
    require_times(ts)
    require("ts", "at least two times", f"{ts.shape[0]}", ts.shape[0] > 1)
    solver = chosen_solver(qubit, solver)
    elements = solver.map_elements(qubit, ts).value
    values, slopes = elements.p11 + elements.p00 - 1.0, elements.dp11 + elements.dp00
    place = lax.stop_gradient(_lowest(ts, values, slopes))
    # With the same last time the solver has the same model of the reservoir in both calls.
    last = ts[-1]
    close = jnp.stack([jnp.minimum(place, 0.999 * last), last])
    there = concluded(solver.map_elements(qubit, close), throw).value
    return jnp.min(there.p11 + there.p00 - 1.0)


def _lowest(
    ts: Float[Array, " times"], values: Float[Array, " times"], slopes: Float[Array, " times"]
) -> Scalar:
    """Where the cubic interpolation of values and slopes is lowest."""
    width, before, after = jnp.diff(ts), values[:-1], values[1:]
    rise, start, end = after - before, width * slopes[:-1], width * slopes[1:]
    # On each interval p(x) = before + start x + b x^2 + a x^3 for 0 <= x <= 1.
    a, b = start + end - 2.0 * rise, 3.0 * rise - 2.0 * start - end
    # The root of 3 a x^2 + 2 b x + start where p'' > 0, without cancellation.
    root = jnp.sqrt(jnp.maximum(b**2 - 3.0 * a * start, 0.0))
    divisor = b + root
    x = jnp.where(divisor > 0.0, -start / jnp.where(divisor > 0.0, divisor, 1.0), 0.0)
    x = jnp.clip(x, 0.0, 1.0)
    lowest = before + x * (start + x * (b + x * a))
    at = jnp.argmin(lowest)
    return (ts[:-1] + x * width)[at]
