"""Engines that give the Green functions of a cavity: exact by Volterra, and Born-Markov."""

import abc
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from bathax._checks import Scalar, are_times, is_valid
from bathax._status import Status
from bathax.cavity import green
from bathax.cavity.green import GreenFunctions
from bathax.cavity.model import Cavity
from bathax.numerics.grid import span
from bathax.numerics.refinement import RESOLVED, Refining, envelope, probed

# What has to agree; the pull may vanish but for rounding.
CONTROLLED = ("u", "du", "v", "dv")


class Estimate(eqx.Module):
    """Green functions, an upper bound of the order of their error, and a `Status`.

    `valid` says once more whether the status is not INVALID, without the work that goes into the
    other two: inside `jit`, numbers nobody asks for are not computed.
    """

    green: GreenFunctions
    error: GreenFunctions
    valid: Bool[Array, ""]
    status: Int[Array, ""]


class Solver(eqx.Module):
    """A way to the Green functions of a cavity."""

    @abc.abstractmethod
    def green_functions(self, cavity: Cavity, ts: Float[Array, " times"]) -> Estimate:
        """u, u', v, v' at the increasing times ts >= 0."""


class Volterra(Refining, Solver):
    """The exact solution on a uniform grid from 0 to the last time, in O(N log N).

    `rtol` (see `Refining`, as for `points` and `max_points`) bounds the error estimate of u
    (|u| <= 1), and of u', v, v' relative to their largest value.

    The error estimate is 1/16 of the change from half the points, the largest up to each time,
    plus rounding; the true ratio is 256 or more. Where a change is still above 1e-6 the grid is not
    resolved, and the estimate is the largest relative change of all quantities.
    """

    def green_functions(self, cavity: Cavity, ts: Float[Array, " times"]) -> Estimate:
        cavity.require_integrable()
        valid, phase = _prepare(cavity, ts)
        coarse, fine = self.refined(
            partial(_solve, cavity, ts),
            phase,
            lambda coarse, fine: _discrepancy(coarse, fine, valid),
        )
        return _estimate(coarse, fine, ts, valid, self.rtol)


class BornMarkov(Solver):
    """Weak coupling without memory: u = e^{-i (w_s + Delta) t - pi J t}, v = n (1 - |u|^2).

    J, Delta and n at the bare frequency w_s, for several reservoirs J n = sum_i J_i n_i. An
    approximation: its difference from `Volterra` is of relative order eta, and is not part of the
    error estimate, which here is rounding only.
    """

    def green_functions(self, cavity: Cavity, ts: Float[Array, " times"]) -> Estimate:
        valid = is_valid(cavity) & are_times(ts)
        value = jax.tree.map(lambda x: jnp.where(valid, x, jnp.nan), _born_markov(cavity, ts))
        error = jax.tree.map(lambda x: jnp.abs(x) * 1e-15, value)
        return Estimate(value, error, valid, jnp.where(valid, Status.SUCCESS, Status.INVALID))


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
    valid = is_valid(cavity) & are_times(ts)
    return valid, jnp.where(valid, span(ts) * cavity.bandwidth, 0.0)


@eqx.filter_jit
def _solve(cavity: Cavity, ts: Float[Array, " times"], points: int) -> GreenFunctions:
    """At the times asked for, and at probes in between that the error estimate looks at."""
    return green.at_times(cavity, probed(ts, span(ts)), span(ts), points)


@eqx.filter_jit
def _discrepancy(
    coarse: GreenFunctions, fine: GreenFunctions, valid: Bool[Array, ""]
) -> Float[Array, ""]:
    """The estimated relative error; infinite for numbers that overflowed, 0 for invalid input."""
    change = _worst(_change(coarse, fine), fine)
    return jnp.where(valid, jnp.nan_to_num(change, nan=jnp.inf), 0.0)


def _change(coarse: GreenFunctions, fine: GreenFunctions) -> GreenFunctions:
    """Estimated errors of the finer result from its difference to the coarser, plus rounding.

    Where the grid is fine enough, 1/16 of the difference; before that all quantities share the
    worst relative difference, because one of them may agree by chance.
    """
    sizes = jax.tree.map(largest_size, fine)
    deltas = jax.tree.map(lambda a, b: jnp.abs(b - a), coarse, fine)
    relative = [_relative(getattr(deltas, n), getattr(sizes, n)) for n in CONTROLLED]
    shared = jnp.max(jnp.stack(relative), axis=0)
    resolved = jnp.max(shared) <= RESOLVED

    def estimate(delta: Array, size: Scalar) -> Array:
        rounding = 16.0 * jnp.finfo(float).eps * size
        return jnp.where(resolved, delta / 16.0, shared * size) + rounding

    return jax.tree.map(estimate, deltas, sizes)


def largest_size(values: Array) -> Scalar:
    """The largest absolute value."""
    return jnp.max(jnp.abs(values))


def _relative(error: Array, size: Scalar) -> Array:
    return error / jnp.where(size > 0.0, size, 1.0)


def _worst(change: GreenFunctions, fine: GreenFunctions) -> Scalar:
    """The largest error of u, u', v, v', each relative to its largest value."""
    pairs = [(getattr(change, name), getattr(fine, name)) for name in CONTROLLED]
    return jnp.max(jnp.stack([_relative(largest_size(a), largest_size(b)) for a, b in pairs]))


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
    asked = jax.tree.map(lambda values: values[: ts.shape[0]], fine)
    error = jax.tree.map(lambda values: envelope(values, ts, span(ts)), change)
    return judged(asked, error, valid, _worst(change, fine) <= rtol)


def judged(
    green: GreenFunctions, error: GreenFunctions, valid: Bool[Array, ""], reached: Bool[Array, ""]
) -> Estimate:
    """NaN where the input is invalid, with the status that says so, or whether rtol is reached."""
    green, error = jax.tree.map(lambda values: jnp.where(valid, values, jnp.nan), (green, error))
    status = jnp.where(reached, Status.SUCCESS, Status.TOLERANCE_NOT_REACHED)
    return Estimate(green, error, valid, jnp.where(valid, status, Status.INVALID))
