"""Solvers of a cavity: exact, by the Volterra equation, and in the Born-Markov approximation."""

import abc
from collections.abc import Sequence
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from bathax import _loops
from bathax._checks import Scalar, are_times, is_valid
from bathax._display import Module
from bathax._estimate import Estimate, judged
from bathax._programs import program
from bathax.cavity import green
from bathax.cavity.green import GreenFunctions
from bathax.numerics.grid import span
from bathax.numerics.refinement import Convergence, Refining, envelope, probed, relative
from bathax.system.models import Cavity
from bathax.system.preparation import Preparation, require_uncorrelated

# What has to agree on two grids; the interaction noise may vanish up to rounding.
CONTROLLED = ("u", "du", "v", "dv")
# The number of times at which results are compared at once.
BLOCK = 2**16
# Grid points per unit of phase, and the number that is added to them.
POINTS, FEWEST = 8.0, 32.0


class Solver(Module):
    """A method that computes the Green functions of a cavity."""

    # Whether a solution has its derivatives, with respect to one number, by forward mode.
    forward: ClassVar[bool] = False

    @abc.abstractmethod
    def green_functions(
        self, cavity: Cavity, ts: Float[Array, " times"]
    ) -> Estimate[GreenFunctions]:
        """u, u', v, v' at the increasing times ts >= 0, from an uncorrelated start."""

    def from_preparation(
        self, cavity: Cavity, preparation: Preparation, ts: Float[Array, " times"]
    ) -> Estimate[GreenFunctions]:
        """The same for a joint initial state; most solvers refuse a correlated one."""
        require_uncorrelated(preparation)
        return self.green_functions(cavity, ts)


class Volterra(Refining, Solver):
    """The exact solution on a uniform grid from 0 to the last time, in O(N log N).

    `rtol` bounds the error estimate of u (|u| <= 1), and of u', v, v' relative to their largest
    value; see `Refining` for it, `points` and `max_points`.

    The error estimate is 1/16 of the largest change from half the points up to each time, plus
    rounding; the error is really 256 times smaller than that change, or more. If a relative change
    is above 1e-6 the grid does not resolve the solution, and the estimate is the largest relative
    change of all quantities.

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=20.0))
    >>> ts = jnp.linspace(0.0, 40.0, 9)
    >>> sol = bx.solve(cavity, bx.Fock(5), ts, bx.Volterra())
    >>> round(float(sol.temperature[-1]), 1)  # not 20 (AHZ Fig. 2b)
    40.0
    """

    def green_functions(
        self, cavity: Cavity, ts: Float[Array, " times"]
    ) -> Estimate[GreenFunctions]:
        cavity.require_integrable()
        valid, needed = _prepare(cavity, ts)
        # As an array: one program serves all tolerances.
        rtol = jnp.asarray(self.rtol)
        return self.climbed(lambda points: _attempt(cavity, ts, valid, points, rtol), needed)


class BornMarkov(Solver):
    """Weak coupling without memory: u = e^{-i (w_s + Delta) t - pi J t}, v = n (1 - |u|^2).

    J, Delta and n at the bare frequency w_s, for several reservoirs J n = sum_i J_i n_i. An
    approximation: its difference from `Volterra` is of relative order eta, and is not part of the
    error estimate, which here is rounding only.

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=20.0))
    >>> ts = jnp.linspace(0.0, 40.0, 9)
    >>> sol = bx.solve(cavity, bx.Fock(5), ts, bx.BornMarkov())
    >>> round(float(sol.temperature[-1]), 1)  # 20 at any coupling, unlike the exact 40
    20.0
    """

    def green_functions(
        self, cavity: Cavity, ts: Float[Array, " times"]
    ) -> Estimate[GreenFunctions]:
        valid = is_valid(cavity) & are_times(ts)
        value = _born_markov(cavity, ts)
        error = jax.tree.map(lambda x: lax.stop_gradient(jnp.abs(x) * 1e-15), value)
        return judged(ts, value, error, valid=valid, reached=valid)


@program
def _born_markov(cavity: Cavity, ts: Float[Array, " times"]) -> GreenFunctions:
    frequency = cavity.frequency
    density = cavity.spectral_density(frequency)
    rate = lax.complex(jnp.pi * density, frequency + cavity.level_shift(frequency))
    u = jnp.exp(-rate * ts.astype(complex))
    decay = 2.0 * jnp.pi * density
    noise = 2.0 * jnp.pi * cavity.noise_density(frequency)
    growth = -jnp.expm1(-decay * ts) / jnp.where(decay > 0.0, decay, jnp.inf)
    return GreenFunctions(
        u=u,
        du=-rate * u,
        v=noise * growth,
        dv=noise * jnp.exp(-decay * ts),
        interaction_noise=jnp.zeros_like(ts),
    )


@program
def _prepare(
    cavity: Cavity, ts: Float[Array, " times"]
) -> tuple[Bool[Array, ""], Float[Array, ""]]:
    """Whether the input is valid, and how many grid points it needs."""
    valid = is_valid(cavity) & are_times(ts)
    return valid, jnp.where(valid, points_needed(cavity, ts), 0.0)


@program
def points_needed(cavity: Cavity, ts: Float[Array, " times"]) -> Float[Array, ""]:
    """About how many grid points u, u', v and v' need for ten digits.

    In the frame rotating with w_s the largest frequencies are the distance to an end of the
    reservoirs' bands, and the collective coupling to all modes.
    """
    phase = span(ts) * (cavity.detuning + jnp.sqrt(cavity.weight))
    return FEWEST + POINTS * phase


@program
def _attempt(
    cavity: Cavity, ts: Float[Array, " times"], valid: Bool[Array, ""], points: int, rtol: Scalar
) -> tuple[Estimate[GreenFunctions], Float[Array, ""]]:
    """The estimate from a grid of so many points, and its largest error in units of `rtol`."""
    compared = Comparison.on_grid(cavity, ts, points)
    error, worst = _errors(lax.stop_gradient(compared), ts)
    # Infinite for numbers that overflowed, 0 for invalid input.
    excess = jnp.where(valid, jnp.nan_to_num(worst / rtol, nan=jnp.inf), 0.0)
    return judged(ts, compared.green, error, valid=valid, reached=worst <= rtol), excess


class Comparison(eqx.Module):
    """The Green functions at the requested times, and their change from half the points.

    `change` and `size` are real: the change and the modulus at these times, followed by those at
    probes in between. Many times are taken in blocks, which bounds the memory; each block counts as
    one time, with its largest change and modulus.
    """

    green: GreenFunctions
    change: GreenFunctions
    size: GreenFunctions

    @staticmethod
    def on_grid(cavity: Cavity, ts: Float[Array, " times"], points: int) -> "Comparison":
        """The comparison of a grid with so many points with one of half as many."""
        at, count = green.interpolated(cavity, span(ts), points), ts.shape[0]
        if count <= BLOCK:
            both = Comparison.between(*at(probed(ts, span(ts))))
            asked = jax.tree.map(lambda values: values[:count], both.green)
            return Comparison(asked, both.change, both.size)

        @jax.checkpoint
        def of_block(block: Float[Array, " block"]) -> Comparison:
            both = Comparison.between(*at(block))
            change, size = jax.tree.map(jnp.max, (both.change, both.size))
            return Comparison(both.green, change, size)

        blocks = jnp.pad(ts, (0, -count % BLOCK), mode="edge").reshape(-1, BLOCK)
        asked = _loops.map(of_block, blocks)
        probes = Comparison.between(*at(probed(ts[:0], span(ts))))
        values = jax.tree.map(lambda values: values.ravel()[:count], asked.green)
        parts = (asked.change, asked.size), (probes.change, probes.size)
        return Comparison(values, *jax.tree.map(lambda *both: jnp.concatenate(both), *parts))

    @staticmethod
    def between(coarse: GreenFunctions, fine: GreenFunctions) -> "Comparison":
        """The comparison of two results at the same times."""
        change = jax.tree.map(lambda a, b: jnp.abs(b - a), coarse, fine)
        return Comparison(fine, change, jax.tree.map(jnp.abs, fine))


def _errors(
    compared: Comparison, ts: Float[Array, " times"]
) -> tuple[GreenFunctions, Float[Array, ""]]:
    """The estimated errors, each the worst up to its time, and the largest relative one.

    The interaction noise is treated separately, so that inside `jit` it costs nothing if unused.
    """

    def compare(names: Sequence[str]) -> tuple[Array, Array]:
        changes, sizes = (
            jnp.stack([getattr(part, name) for name in names])
            for part in (compared.change, compared.size)
        )
        size = jnp.max(sizes, axis=1)
        return relative(changes, size), size

    change, size = compare(CONTROLLED)
    convergence = Convergence.of(change)

    def estimated(change: Array, size: Array) -> list[Array]:
        block = 1 if ts.shape[0] <= BLOCK else BLOCK
        return list(size[:, None] * envelope(convergence.errors(change), ts, span(ts), block))

    errors = estimated(change, size) + estimated(*compare(("interaction_noise",)))
    names = (*CONTROLLED, "interaction_noise")
    return GreenFunctions(**dict(zip(names, errors, strict=True))), convergence.worst


def largest_size(values: Array) -> Scalar:
    """The largest absolute value."""
    return jnp.max(jnp.abs(values))
