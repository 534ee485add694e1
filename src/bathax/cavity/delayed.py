r"""Emitters whose field comes back after a delay: one before a mirror, a giant atom, or several.

The density J(w) = (gamma / 2 pi) (1 + cos((w - w_s) tau + phi)) of a waveguide has no ends, so that
no solver with a time grid applies. Its memory is an echo: in the frame that rotates with w_s

u' = -(gamma/2) [u(t) + e^{i phi} u(t - tau)],    u(0) = 1,    u(t < 0) = 0,

which is solved step by step, each of the length tau (Dorner and Zoller, Phys. Rev. A 66, 023816):

u(t) = sum_n (-e^{i phi})^n P_n(gamma (t - n tau) / 2),    P_n(x) = e^{-x} x^n / n! for x >= 0.

The probabilities P_n lose no digits, however long t is. Several emitters in one waveguide see the
light of each other, and are solved in the same steps by `waveguide`.
"""

import math
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.special import gammaln, xlogy
from jaxtyping import Array, Bool, Complex, Float, Int

from bathax._checks import (
    NON_NEGATIVE,
    RealLike,
    Scalar,
    Validated,
    are_times,
    as_float,
    holds,
    is_concrete,
    is_valid,
    parameter,
    require,
    require_kind,
    require_times,
    require_whole,
    shown,
)
from bathax._display import Module, Table, Tabular, ending, over_time
from bathax._programs import program
from bathax._status import Status, concluded
from bathax.cavity.waveguide import Waveguide, emission

TOLERANCE = 1e-10
ROUNDING = np.finfo(float).eps

Times = Float[Array, " times"]


def _as_places(places: Any) -> tuple[int, ...] | None:
    """Whole numbers as a tuple."""
    if places is None:
        return None
    found = np.asarray(places)
    words = "a list of whole numbers"
    require("places", words, shown(places), found.ndim == 1 and found.dtype.kind in "iu")
    return tuple(found.tolist())


def _all_fit(rate: Any) -> Any:
    return NON_NEGATIVE.holds(rate).all()


class DelayedEmitter(Validated):
    """One emitter and its own echo, or several: `rate` gamma >= 0, `delay` tau >= 0, `phase` phi.

    gamma is the rate at which its population decays before the echo comes. Before a mirror tau is
    the time to it and back, and phi = w_s tau with that of the mirror; a giant atom is coupled to
    a waveguide at two points that are tau apart. With phi = pi echo and emission cancel.

    Several emitters of one frequency stand at `places` along a waveguide without a mirror, whole
    numbers, in units of the length that takes light the time tau and turns it by phi. Each has the
    same rate, or one of a list.

    >>> bx.DelayedEmitter(rate=1.0, delay=1.0, phase=np.pi)
    DelayedEmitter(rate=1, delay=1, phase=3.14159, places=None)
    """

    rate: Float[Array, "..."] = eqx.field(converter=as_float)
    delay: Scalar = parameter(NON_NEGATIVE)
    phase: Scalar = parameter()
    places: tuple[int, ...] | None = eqx.field(static=True, converter=_as_places, default=None)

    def __check_init__(self) -> None:
        super().__check_init__()
        places = self.places
        words = "a number" if places is None else "a number, or one for each of `places`"
        fits = self.rate.shape in {(), () if places is None else (len(places),)}
        require("rate", words, f"of shape {self.rate.shape}", fits)
        require("rate", NON_NEGATIVE.words, self.rate, holds(_all_fit, self.rate))

    def is_consistent(self) -> Bool[Array, ""]:
        return _all_fit(self.rate)


class DelayedEmission(Tabular, Module):
    """The amplitude of emitters with echoes, as `delayed_emission` finds it.

    At the times `t`: `u` in the frame that rotates with w_s, its derivative `du`, of which there is
    a jump when the first echo comes, and the `population` |u|^2. Of several emitters u_ij is the
    amplitude of i if j was excited, so that any start a of one quantum becomes u a. `error` bounds
    that of u, and the sum of all rates times it that of `du`; the `status` is 0 if it is below
    1e-10.

    Until the echo comes the emitter decays as if it were alone:

    >>> found = bx.delayed_emission(bx.DelayedEmitter(1.0, 2.0, 0.0), [0.0, 1.0])
    >>> round(float(found.population[1]), 6), round(float(jnp.exp(-1.0)), 6)
    (0.367879, 0.367879)
    """

    t: Times
    u: Complex[Array, "times ..."]
    du: Complex[Array, "times ..."]
    error: Times
    status: Int[Array, ""]

    @property
    def population(self) -> Float[Array, "times ..."]:
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
    u(inf) = 1 / (1 + gamma tau / 2); with any other phase u decays.

    Several emitters are followed for at most `terms` times tau, within which each step is a power
    series; the error estimate has its last terms. They need tau times all rates below about 20:
    otherwise give `places` in smaller units. Two emitters are an even and an odd mode, each like
    one with an echo of the phase phi or phi + pi. At tau = 0 they are as close as can be.

    Works under `jit`, `vmap` and `grad`, where derivatives by tau have a jump at t = tau.

    >>> trapped = bx.delayed_emission(bx.DelayedEmitter(1.0, 1.0, np.pi), [0.0, 2.0, 200.0])
    >>> [round(float(p), 6) for p in trapped.population]
    [1.0, 0.450435, 0.444444]
    >>> pair = bx.DelayedEmitter(1.0, 1.0, np.pi, places=[0, 1])
    >>> [round(float(p), 4) for p in bx.delayed_emission(pair, [200.0]).population[0, :, 0]]
    [0.1111, 0.1111]
    """
    require_kind("emitter", "a `DelayedEmitter`", emitter, DelayedEmitter)
    require_whole("terms", terms, 1)
    ts = as_float(ts, "ts")
    require_times(ts)
    if emitter.places is None:
        return concluded(_emission(emitter, ts, np.arange(float(terms + 1))), throw)
    return concluded(_several(emitter, ts, _steps(emitter, ts, terms)), throw)


def _steps(emitter: DelayedEmitter, ts: Times, terms: int) -> int:
    """So many steps, or fewer if it is known that these suffice: a power of two."""
    if not is_concrete(emitter, ts) or float(emitter.delay) == 0.0:
        return max(terms, 2)
    needed = min(float(ts[-1] / emitter.delay), float(terms)) + 2.0
    return max(min(terms, 2 ** math.ceil(math.log2(needed))), 2)


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
    return _concluded(ts, valid, u, du, error)


@program
def _several(emitter: DelayedEmitter, ts: Times, count: int) -> DelayedEmission:
    places: Any = emitter.places
    rates = jnp.broadcast_to(emitter.rate, (len(places),))
    found = emission(Waveguide(rates, emitter.delay, emitter.phase, places), ts, count)
    return _concluded(ts, is_valid(emitter) & are_times(ts), *found)


def _concluded(
    ts: Times, valid: Bool[Array, ""], u: Array, du: Array, error: Times
) -> DelayedEmission:
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
