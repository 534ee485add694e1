"""Engines that give the Green functions of a cavity: exact by Volterra, and Born-Markov."""

import abc
import math
from enum import IntEnum
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from bathax._checks import Scalar, is_concrete, is_valid, require
from bathax.cavity import green
from bathax.cavity.green import GreenFunctions
from bathax.cavity.model import Cavity
from bathax.numerics.refinement import largest, refine

MIN_POINTS = 64
# Where to start when the parameters are not yet known, inside `jit`.
START = 512
# Times, besides those asked for, at which two grids are compared.
PROBES = 129
# What has to agree; the pull may vanish but for rounding.
CONTROLLED = ("u", "du", "v", "dv")
# Below this relative change from half the points the error falls as the order promises.
RESOLVED = 1e-6


class Status(IntEnum):
    """How a computation ended; `message` says it in words."""

    SUCCESS = 0
    TOLERANCE_NOT_REACHED = 1
    INVALID = 2

    @property
    def message(self) -> str:
        return _MESSAGES[self]


_MESSAGES = {
    Status.SUCCESS: "The requested tolerance was reached.",
    Status.TOLERANCE_NOT_REACHED: (
        "The requested tolerance was not reached; the error estimate says what was. "
        "Raise `max_points`, or shorten the time span."
    ),
    Status.INVALID: (
        "A parameter is outside its range or the times are not increasing; the results are NaN."
    ),
}


class Estimate(eqx.Module):
    """Green functions, an upper bound of the order of their error, and a `Status`."""

    green: GreenFunctions
    error: GreenFunctions
    status: Int[Array, ""]


class Solver(eqx.Module):
    """A way to the Green functions of a cavity."""

    @abc.abstractmethod
    def green_functions(self, cavity: Cavity, ts: Float[Array, " times"]) -> Estimate:
        """u, u', v, v' at the increasing times ts >= 0."""


class Volterra(Solver):
    """The exact solution on a uniform grid from 0 to the last time, in O(N log N).

    `rtol`: bound on the error estimate of u (|u| <= 1), and of u', v, v' relative to their largest
    value. `points`: number of grid points (a power of two, 64 or more) when it should be fixed,
    which makes a program under `jit` small; otherwise points are doubled until `rtol` is met, up
    to `max_points`. A batch under `vmap` shares the number its most demanding member needs.

    The error estimate is 1/16 of the change from half the points, the largest up to each time,
    plus rounding; the true ratio is 256 or more. Where a change is still above 1e-6 the grid is not
    resolved, and the estimate is the largest relative change of all quantities.
    """

    rtol: float = eqx.field(static=True, default=1e-10)
    points: int | None = eqx.field(static=True, default=None)
    max_points: int = eqx.field(static=True, default=2**18)

    def __check_init__(self) -> None:
        require("rtol", "positive", self.rtol, self.rtol > 0)
        for name, value in (("points", self.points), ("max_points", self.max_points)):
            if value is not None:
                power = value >= MIN_POINTS and value & (value - 1) == 0
                require(name, f"a power of two, {MIN_POINTS} or more", value, power)

    def green_functions(self, cavity: Cavity, ts: Float[Array, " times"]) -> Estimate:
        for bath in cavity.reservoirs:
            density = bath.spectral_density
            words = "a density that falls faster than 1/w, or g(t) is singular at t = 0"
            require("spectral_density", words, f"{density}, which does not", density.integrable)
        valid, phase = _prepare(cavity, ts)
        first = self.points or self._first_guess(phase)
        coarse, fine = refine(
            partial(_solve, cavity, ts),
            first,
            self.points or self.max_points,
            lambda coarse, fine: _discrepancy(coarse, fine, valid) / self.rtol,
        )
        return _estimate(coarse, fine, ts, valid, self.rtol)

    def _first_guess(self, phase: Scalar) -> int:
        """Some 45 points per unit of phase; the smallest grid where that is not yet known."""
        points = largest(lax.stop_gradient(45.0 * phase))
        guess = max(float(points), 2.0 * MIN_POINTS) if is_concrete(points) else START
        return min(self.max_points, 2 ** math.ceil(math.log2(guess)))


class BornMarkov(Solver):
    """Weak coupling without memory: u = e^{-i (w_s + Delta) t - pi J t}, v = n (1 - |u|^2).

    J, Delta and n at the bare frequency w_s, for several reservoirs J n = sum_i J_i n_i. An
    approximation: its difference from `Volterra` is of relative order eta, and is not part of the
    error estimate, which here is rounding only.
    """

    def green_functions(self, cavity: Cavity, ts: Float[Array, " times"]) -> Estimate:
        valid = is_valid(cavity) & _increasing(ts)
        value = jax.tree.map(lambda x: jnp.where(valid, x, jnp.nan), _born_markov(cavity, ts))
        error = jax.tree.map(lambda x: jnp.abs(x) * 1e-15, value)
        return Estimate(value, error, jnp.where(valid, Status.SUCCESS, Status.INVALID))


@eqx.filter_jit
def _born_markov(cavity: Cavity, ts: Float[Array, " times"]) -> GreenFunctions:
    frequency = cavity.frequency
    density = cavity.spectral_density(frequency)
    rate = lax.complex(jnp.pi * density, frequency + cavity.level_shift(frequency))
    u = jnp.exp(-rate * ts.astype(complex))
    decay = 2.0 * jnp.pi * density
    noise = 2.0 * jnp.pi * cavity.noise_density(frequency)
    growth = -jnp.expm1(-decay * ts) / jnp.where(decay > 0.0, decay, jnp.inf)
    return GreenFunctions(
        ts, u, -rate * u, noise * growth, noise * jnp.exp(-decay * ts), jnp.zeros_like(ts)
    )


@eqx.filter_jit
def _prepare(
    cavity: Cavity, ts: Float[Array, " times"]
) -> tuple[Bool[Array, ""], Float[Array, ""]]:
    """Whether the input is valid, and the phase the kernels run through."""
    valid = is_valid(cavity) & _increasing(ts)
    return valid, jnp.where(valid, _span(ts) * cavity.bandwidth, 0.0)


@eqx.filter_jit
def _solve(cavity: Cavity, ts: Float[Array, " times"], points: int) -> GreenFunctions:
    """At the times asked for, and at probes in between that the error estimate looks at."""
    probed = jnp.concatenate([ts, jnp.linspace(0.0, 1.0, PROBES) * _span(ts)])
    return green.at_times(cavity, probed, _span(ts), points)


@eqx.filter_jit
def _discrepancy(
    coarse: GreenFunctions, fine: GreenFunctions, valid: Bool[Array, ""]
) -> Float[Array, ""]:
    """The estimated relative error; infinite for numbers that overflowed, 0 for invalid input."""
    change = _worst(_change(coarse, fine), fine)
    return jnp.where(valid, jnp.nan_to_num(change, nan=jnp.inf), 0.0)


def _span(ts: Float[Array, " times"]) -> Float[Array, ""]:
    """The length of the grid: up to the last time, or anything where only t = 0 is asked for."""
    return jnp.where(ts[-1] > 0.0, ts[-1], 1.0)


def _increasing(ts: Float[Array, " times"]) -> Bool[Array, ""]:
    return (ts[0] >= 0.0) & jnp.all(jnp.diff(ts) > 0.0) & jnp.isfinite(ts[-1])


def _change(coarse: GreenFunctions, fine: GreenFunctions) -> GreenFunctions:
    """Estimated errors of the finer result from its difference to the coarser, plus rounding.

    Where the grid is fine enough, 1/16 of the difference; before that all quantities share the
    worst relative difference, because one of them may agree by chance.
    """
    sizes = jax.tree.map(_size, fine)
    deltas = jax.tree.map(lambda a, b: jnp.abs(b - a), coarse, fine)
    relative = [_relative(getattr(deltas, n), getattr(sizes, n)) for n in CONTROLLED]
    worst = jnp.max(jnp.stack(relative), axis=0)
    resolved = jnp.max(worst) <= RESOLVED

    def estimate(delta: Array, size: Scalar) -> Array:
        rounding = 16.0 * jnp.finfo(float).eps * size
        return jnp.where(resolved, delta / 16.0, worst * size) + rounding

    return jax.tree.map(estimate, deltas, sizes)


def _size(values: Array) -> Scalar:
    return jnp.max(jnp.abs(values))


def _relative(error: Array, size: Scalar) -> Array:
    return error / jnp.where(size > 0.0, size, 1.0)


def _worst(change: GreenFunctions, fine: GreenFunctions) -> Scalar:
    """The largest error of u, u', v, v', each relative to its largest value."""
    relative = [_relative(_size(getattr(change, n)), _size(getattr(fine, n))) for n in CONTROLLED]
    return jnp.max(jnp.stack(relative))


@eqx.filter_jit
def _estimate(
    coarse: GreenFunctions,
    fine: GreenFunctions,
    ts: Float[Array, " times"],
    valid: Bool[Array, ""],
    rtol: float,
) -> Estimate:
    """Split what was asked for from the probes, and give each time the worst error before it."""
    change = lax.stop_gradient(_change(coarse, fine))
    reached = _worst(change, fine) <= rtol
    before = jnp.floor((PROBES - 1) * ts / _span(ts)).astype(int)

    def asked(values: Array) -> Array:
        return jnp.where(valid, values[: ts.shape[0]], jnp.nan)

    def envelope(values: Array) -> Array:
        own, probes = lax.cummax(values[: ts.shape[0]]), lax.cummax(values[ts.shape[0] :])
        return jnp.where(valid, jnp.maximum(own, probes[before]), jnp.nan)

    status = jnp.where(reached, Status.SUCCESS, Status.TOLERANCE_NOT_REACHED)
    status = jnp.where(valid, status, Status.INVALID)
    return Estimate(jax.tree.map(asked, fine), jax.tree.map(envelope, change), status)
