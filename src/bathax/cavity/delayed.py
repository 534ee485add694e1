r"""An emitter whose field comes back to it after a delay: before a mirror, or a giant atom.

The density J(w) = (gamma / 2 pi) (1 + cos((w - w_s) tau + phi)) of a waveguide has no ends, so that
no solver with a time grid applies. Its memory is an echo: in the frame that rotates with w_s

u' = -(gamma/2) [u(t) + e^{i phi} u(t - tau)],    u(0) = 1,    u(t < 0) = 0,

which is solved step by step, each of the length tau (Dorner and Zoller, Phys. Rev. A 66, 023816):

u(t) = sum_n (-e^{i phi})^n P_n(gamma (t - n tau) / 2),    P_n(x) = e^{-x} x^n / n! for x >= 0.

The probabilities P_n lose no digits, however long t is.
"""

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.special import gammaln, xlogy
from jaxtyping import Array, Complex, Float, Int

from bathax._checks import (
    NON_NEGATIVE,
    RealLike,
    Scalar,
    Validated,
    are_times,
    as_float,
    is_valid,
    parameter,
    require_kind,
    require_times,
    require_whole,
)
from bathax._display import Module, Table, Tabular, ending, over_time
from bathax._programs import program
from bathax._status import Status, concluded

TOLERANCE = 1e-10
ROUNDING = np.finfo(float).eps

Times = Float[Array, " times"]


class DelayedEmitter(Validated):
    """One emitter and its own echo: `rate` gamma >= 0, `delay` tau >= 0 and `phase` phi.

    gamma is the rate at which its population decays before the echo comes. Before a mirror tau is
    the time to it and back, and phi = w_s tau with that of the mirror; a giant atom is coupled to
    a waveguide at two points that are tau apart. With phi = pi echo and emission cancel.

    >>> bx.DelayedEmitter(rate=1.0, delay=1.0, phase=np.pi)
    DelayedEmitter(rate=1, delay=1, phase=3.14159)
    """

    rate: Scalar = parameter(NON_NEGATIVE)
    delay: Scalar = parameter(NON_NEGATIVE)
    phase: Scalar = parameter()


class DelayedEmission(Tabular, Module):
    """The amplitude of an emitter with an echo, as `delayed_emission` finds it.

    At the times `t`: `u` in the frame that rotates with w_s, its derivative `du`, of which there is
    a jump when the first echo comes, and the `population` |u|^2. `error` bounds that of u, and
    gamma times it that of `du`; the `status` is 0 if it is below 1e-10.

    Until the echo comes the emitter decays as if it were alone:

    >>> found = bx.delayed_emission(bx.DelayedEmitter(1.0, 2.0, 0.0), [0.0, 1.0])
    >>> round(float(found.population[1]), 6), round(float(jnp.exp(-1.0)), 6)
    (0.367879, 0.367879)
    """

    t: Times
    u: Complex[Array, " times"]
    du: Complex[Array, " times"]
    error: Times
    status: Int[Array, ""]

    @property
    def population(self) -> Times:
        """|u|^2."""
        return self.u.real**2 + self.u.imag**2

    def _table(self) -> Table:
        values, errors = {"u": self.u}, {"u": self.error}
        return over_time(type(self).__name__, self.t, values, errors, ending(self.status))

    @property
    def message(self) -> str:
        """The status in words; for concrete values only."""
        return Status(int(self.status)).message


def delayed_emission(
    emitter: DelayedEmitter, ts: RealLike, *, terms: int = 1024, throw: bool = False
) -> DelayedEmission:
    r"""How an excited emitter decays in its own echo, at the times `ts`, exactly.

    The sum of this module over `terms` echoes, of which about gamma t / (2 + gamma tau) matter; the
    error estimate is the rest and rounding. For phi = pi a bound state in the continuum keeps
    u(inf) = 1 / (1 + gamma tau / 2); with any other phase u decays. Works under `jit`, `vmap` and
    `grad`, where derivatives by tau have a jump at t = tau.

    >>> trapped = bx.delayed_emission(bx.DelayedEmitter(1.0, 1.0, np.pi), [0.0, 2.0, 200.0])
    >>> [round(float(p), 6) for p in trapped.population]
    [1.0, 0.450435, 0.444444]
    """
    require_kind("emitter", "a `DelayedEmitter`", emitter, DelayedEmitter)
    require_whole("terms", terms, 1)
    ts = as_float(ts, "ts")
    require_times(ts)
    return concluded(_emission(emitter, ts, np.arange(float(terms + 1))), throw)


@program
def _emission(emitter: DelayedEmitter, ts: Times, orders: Array | np.ndarray) -> DelayedEmission:
    valid = is_valid(emitter) & are_times(ts)
    n, half = jnp.asarray(orders)[None, :], 0.5 * emitter.rate
    echo = jnp.exp(1j * emitter.phase.astype(complex))
    angle = (n * (emitter.phase + np.pi))[0, :-1]

    def summed(t: Times) -> tuple[Complex[Array, " times"], Times]:
        x = half * (t[:, None] - n * emitter.delay)
        each = _poisson(n, x)
        # From the last term on they fall at least as fast as powers of x / (n + 1).
        ratio = jnp.maximum(x[:, -1], 0.0) / n[0, -1]
        rest = each[:, -1] / jnp.where(ratio < 1.0, 1.0 - ratio, 1.0)
        u = lax.complex(each[:, :-1] @ jnp.cos(angle), each[:, :-1] @ jnp.sin(angle))
        return u, jnp.where(ratio < 1.0, rest, 1.0)

    u, rest = summed(ts)
    before, _ = summed(ts - emitter.delay)
    du = -half.astype(complex) * (u + echo * before)
    error = rest + 8.0 * ROUNDING * (1.0 + half * ts)
    reached = jnp.all(error <= TOLERANCE)
    status = jnp.where(reached, Status.SUCCESS, Status.TOLERANCE_NOT_REACHED)
    u, du, error = (jnp.where(valid, one, jnp.nan) for one in (u, du, error))
    status = jnp.where(valid, status, Status.INVALID)
    return DelayedEmission(ts, u, du, lax.stop_gradient(error), status)


def _poisson(
    n: Float[Array, "1 terms"], x: Float[Array, "times terms"]
) -> Float[Array, "times terms"]:
    """P_n(x), 0 for x < 0; of x = 0 it is 1 if n = 0."""
    began = (x > 0.0) | ((x == 0.0) & (n == 0.0))
    x = jnp.where(began, x, 1.0)
    return jnp.where(began, jnp.exp(xlogy(n, x) - x - gammaln(n + 1.0)), 0.0)
