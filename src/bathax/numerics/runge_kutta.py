"""Steps, chosen before, the explicit Runge-Kutta method of order 8 by Dormand and Prince."""

from collections.abc import Callable
from typing import TypeVar

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from bathax._checks import Scalar

State = TypeVar("State")
Seen = TypeVar("Seen")

# Early steps are 1 + FINER times finer, for about EARLY late steps.
FINER, EARLY = 9.0, 2.0
# Steps are stable up to this multiple of the rate of decay.
REACH = 4.0
# Newton's method for times needs so many steps at most.
NEWTON = 12

_TABLEAU = diffrax.Dopri8.tableau
# The last stage of the method is the first one of the next step.
STAGES = len(_TABLEAU.b_sol) - 1
NODES = np.concatenate([[0.0], _TABLEAU.c[: STAGES - 1]])
WEIGHTS = np.asarray(_TABLEAU.b_sol)[:STAGES]
INNER = np.stack(
    [np.pad(row, (0, STAGES - len(row))) for row in ([], *_TABLEAU.a_lower[: STAGES - 1])]
)


class Clock(eqx.Module):
    """Steps of s = t + FINER tau ln(1 + t / tau), even in s and so much finer where t is small.

    With tau of EARLY late steps, transients that begin at t = 0 are resolved too.
    """

    step: Scalar
    early: Scalar

    @staticmethod
    def until(stop: Scalar, points: int) -> "Clock":
        """The one of so many points whose last but one is at `stop`; constant in derivatives."""
        stop = lax.stop_gradient(stop)
        even = Clock(stop / (points - 2), EARLY * stop / (points - 2))
        return Clock(even.place(stop) / (points - 2), even.early)

    @property
    def doubled(self) -> "Clock":
        """The one of every second point."""
        return Clock(2.0 * self.step, self.early)

    def place(self, t: Float[Array, "..."]) -> Float[Array, "..."]:
        """s at a time."""
        return t + FINER * self.early * jnp.log1p(t / self.early)

    def pace(self, t: Float[Array, "..."]) -> Float[Array, "..."]:
        """dt/ds at a time."""
        return 1.0 / (1.0 + FINER / (1.0 + t / self.early))

    def time(self, place: Float[Array, "..."]) -> Float[Array, "..."]:
        """t at a place, by Newton's method, which approaches it from below."""

        def closer(_: Array, t: Array) -> Array:
            return t + (place - self.place(t)) * self.pace(t)

        return lax.fori_loop(0, NEWTON, closer, place / (1.0 + FINER))


def with_early_steps(steps: Float[Array, ""]) -> Float[Array, ""]:
    """How many steps a clock has for so many even ones."""
    return steps + FINER * EARLY * jnp.log1p(steps / EARLY)


def evolved(
    rate: Callable[[Scalar, State], State],
    observed: Callable[[State], Seen],
    start: State,
    clock: Clock,
    points: int,
) -> Seen:
    """What is observed of x, x' = rate(t, x), at the points of the clock, stacked.

    Leaves of x are complex. Reverse mode stores x at each step, and does the stages again.
    """
    return _scanned(rate, observed, start, *_stages(clock, points))[1]


def reached(
    rate: Callable[[Scalar, State], State], start: State, clock: Clock, points: int, stop: Scalar
) -> State:
    """x at the last time, which is a point of the clock."""
    times, lengths = _stages(clock, points)
    before = clock.step * (jnp.arange(points, dtype=float) + 0.5) < clock.place(stop)
    return _scanned(rate, lambda _: (), start, times, lengths * before.astype(float)[:, None])[0]


def _stages(
    clock: Clock, points: int
) -> tuple[Float[Array, "points stages"], Float[Array, "points stages"]]:
    """Times of all stages of all steps, and the lengths of the steps there."""
    places = jnp.arange(points, dtype=float)[:, None] + jnp.asarray(NODES)[None]
    times = clock.time(clock.step * places)
    return times, clock.step * clock.pace(times)


def _scanned(
    rate: Callable[[Scalar, State], State],
    observed: Callable[[State], Seen],
    start: State,
    times: Float[Array, "points stages"],
    lengths: Float[Array, "points stages"],
) -> tuple[State, Seen]:
    @jax.checkpoint
    def onwards(x: State, stages: tuple[Array, Array]) -> tuple[State, Seen]:
        times, lengths = stages

        def stage(moves: State, row: tuple[Array, ...]) -> tuple[State, None]:
            k, t, length, inner = row
            here = rate(t, _moved(x, moves, inner))
            return jax.tree.map(
                lambda all, one: all.at[k].set(length.astype(one.dtype) * one), moves, here
            ), None

        none = jax.tree.map(lambda leaf: jnp.zeros((STAGES, *leaf.shape), leaf.dtype), x)
        rows = (jnp.arange(STAGES), times, lengths, jnp.asarray(INNER))
        moves, _ = lax.scan(stage, none, rows)
        return _moved(x, moves, jnp.asarray(WEIGHTS)), observed(x)

    return lax.scan(onwards, start, (times, lengths))


def _moved(x: State, moves: State, weights: Array) -> State:
    """x + sum_k weights_k moves_k."""
    return jax.tree.map(
        lambda leaf, all: leaf + jnp.tensordot(weights.astype(leaf.dtype), all, 1), x, moves
    )
