"""Refining until two successive results agree, eagerly or inside `jit`."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from bathax._checks import Scalar, is_concrete, require

Result = TypeVar("Result")
Size = TypeVar("Size")

MIN_POINTS = 64
# Where to start when the parameters are not yet known, inside `jit`.
START = 512
# Times, besides those asked for, at which two results are compared.
PROBES = 129
# Below this relative change from half the points the error falls as the order promises.
RESOLVED = 1e-6


class Refining(eqx.Module):
    """How many points a uniform time grid has: fixed, or doubled until a tolerance is met.

    `rtol`: bound on the relative error estimate. `points`: number of grid points (a power of two,
    64 or more) when it should be fixed, which makes a program under `jit` small; otherwise points
    are doubled until `rtol` is met, up to `max_points`. A batch under `vmap` shares the number its
    most demanding member needs.
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

    def refined(
        self,
        solve: Callable[[int], Result],
        phase: Scalar,
        discrepancy: Callable[[Result, Result], Scalar],
    ) -> tuple[Result, Result]:
        """The results on the last two grids; `phase` is what the kernels run through.

        `discrepancy` is the relative error of the finer of two results.
        """
        return refine(
            solve, self._grids(phase), lambda coarse, fine: discrepancy(coarse, fine) / self.rtol
        )

    def _grids(self, phase: Scalar) -> list[int]:
        """Half of some 45 points per unit of phase, those, and their doubles.

        From the smallest grid on where the phase is not yet known.
        """
        if self.points:
            return [self.points // 2, self.points]
        points = largest(lax.stop_gradient(45.0 * phase))
        guess = max(float(points), 2.0 * MIN_POINTS) if is_concrete(points) else START
        first = min(self.max_points, 2 ** math.ceil(math.log2(guess)))
        doublings = (self.max_points // first).bit_length()
        return [first // 2, *(first * 2**k for k in range(doublings))]


@jax.custom_batching.custom_vmap
def largest(x: Scalar) -> Scalar:
    """The value itself; under `vmap` the largest of the batch, the same for all its members.

    A decision taken on it is one decision for the whole batch: it stays a branch under `vmap`
    and needs not run both sides. Outside `jit` it is a concrete number.
    """
    return x


@largest.def_vmap
def _largest_of_batch(size: int, batched: list[bool], x: jax.Array) -> tuple[jax.Array, bool]:
    del size, batched
    return largest(jnp.max(x, axis=0)), False


def refine(
    solve: Callable[[Size], Result],
    sizes: Sequence[Size],
    discrepancy: Callable[[Result, Result], Scalar],
) -> tuple[Result, Result]:
    """The results at the first two neighbouring sizes whose discrepancy is at most 1.

    Climbs `sizes`, two or more, from the smallest, and returns (coarse, fine), the last two if
    none agree. Called with concrete values, it computes only what it needs; inside `jit` each step
    is a `lax.cond`. In a batch all members share the size of the most demanding one.
    """

    def climb(coarse: Result, fine: Result, finer: Sequence[Size]) -> tuple[Result, Result]:
        if not finer:
            return coarse, fine
        excess = largest(lax.stop_gradient(discrepancy(coarse, fine)))
        return _branch(
            excess <= 1.0,
            lambda: (coarse, fine),
            lambda: climb(fine, solve(finer[0]), finer[1:]),
        )

    return climb(solve(sizes[0]), solve(sizes[1]), sizes[2:])


def probed(ts: Float[Array, " times"], span: Scalar) -> Float[Array, " more"]:
    """The times asked for, and after them probes up to `span` that only error estimates look at."""
    return jnp.concatenate([ts, jnp.linspace(0.0, 1.0, PROBES) * span])


def envelope(
    values: Float[Array, " more"], ts: Float[Array, " times"], span: Scalar
) -> Float[Array, " times"]:
    """At each of the times `ts`, the largest of the values at `probed` times up to it."""
    before = jnp.floor((PROBES - 1) * ts / span).astype(int)
    own, probes = lax.cummax(values[: ts.shape[0]]), lax.cummax(values[ts.shape[0] :])
    return jnp.maximum(own, probes[before])


def _branch(condition: jax.Array, yes: Callable[[], Any], no: Callable[[], Any]) -> Any:
    if is_concrete(condition):
        return yes() if bool(condition) else no()
    return lax.cond(condition, yes, no)


_SIZES: ContextVar[tuple[Sequence[int] | None, list[Scalar]] | None] = ContextVar(
    "sizes", default=None
)


@contextmanager
def sized(sizes: Sequence[int] | None) -> Iterator[list[Scalar]]:
    """Solvers of default size that are traced inside take these sizes, in the order they ask.

    Gives the list of what each of them thinks it needs, traced scalars.
    """
    demands: list[Scalar] = []
    token = _SIZES.set((sizes, demands))
    try:
        yield demands
    finally:
        _SIZES.reset(token)


def asked(demand: Scalar) -> int | None:
    """The size that `sized` has for this solver, if any; it is told what the solver needs."""
    current = _SIZES.get()
    if current is None:
        return None
    sizes, demands = current
    demands.append(lax.stop_gradient(demand))
    place = len(demands) - 1
    return sizes[place] if sizes is not None and place < len(sizes) else None
