"""How large a discretisation is: refined until two successive results agree.

For concrete values the number of points is doubled until two results agree. Inside `jit` values are
not known, and a program has one size: the usual one, and the status says whether it was enough. A
sweep or a fit knows its values before it traces, and chooses the sizes by `sized`.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, NamedTuple, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array, Bool, Float

from bathax import _loops
from bathax._checks import Scalar, is_concrete, require, require_positive, require_whole

Result = TypeVar("Result")
Size = TypeVar("Size")

MIN_POINTS = 64
# Grid points of a program whose parameters are not yet known, inside `jit`.
USUAL = 4096
# The number of times, besides those requested, at which two results are compared.
PROBES = 129
# Below this relative change from half the points the error falls as the order promises.
RESOLVED = 1e-6
# Twice the points have to reduce the error by this factor, or no more are tried.
GAIN = 2.0
# Nor are more tried if they gain less than SOME where the error is below STUCK, or change any error
# by less than SAME of it.
SOME, STUCK, SAME = 1.1, 1e-3, 1e-3
ROUNDING = 16.0 * float(np.finfo(float).eps)


class Refining(eqx.Module):
    """The number of points of a uniform time grid: fixed, or doubled until a tolerance is met.

    `rtol`: bound on the relative error estimate. `points`: the number of grid points, a power of
    two, 64 or more; if left out, points are doubled until `rtol` is met or they hardly help any
    more, up to `max_points`. Inside `jit`, where parameters are not yet known, there are 4,096
    points, or as many as `sized` gives.
    A batch under `vmap` shares the number that its most demanding member needs.
    """

    rtol: float = eqx.field(static=True, default=1e-10)
    points: int | None = eqx.field(static=True, default=None)
    max_points: int = eqx.field(static=True, default=2**18)

    def __check_init__(self) -> None:
        require_positive("rtol", self.rtol)
        for name, value in (("points", self.points), ("max_points", self.max_points)):
            if value is not None:
                require_whole(name, value, MIN_POINTS)
                power = value & (value - 1) == 0
                require(name, f"a power of two, {MIN_POINTS} or more", value, power)

    def refined(
        self,
        solve: Callable[[int], Result],
        phase: Scalar,
        discrepancy: Callable[[Result, Result], Scalar],
    ) -> tuple[Result, Result]:
        """The results on the last two grids that were tried, the coarse one first.

        `phase` is the largest frequency of the kernels times the last time, which decides on the
        first grid. `discrepancy` estimates the relative error of the finer of two results.
        """
        return refine(
            solve, self._grids(phase), lambda coarse, fine: discrepancy(coarse, fine) / self.rtol
        )

    def climbed(self, attempt: Callable[[int], tuple[Result, Scalar]], demand: Scalar) -> Result:
        """The result on the first grid whose discrepancy is at most 1, or on the largest one.

        `attempt` returns the result on a number of points, and its discrepancy, the error estimate
        over the tolerance. `demand` is the number of points that is expected to suffice. A resolved
        result that more points hardly improve is the last one, for what is left is rounding; so is
        one that they do not improve at all, for something else limits it.
        """
        sizes, before = self._sizes(demand), math.inf
        for points in sizes[:-1]:
            result, excess = attempt(points)
            now = float(largest(lax.stop_gradient(excess)))
            if now <= 1.0:
                return result
            error, gain = now * self.rtol, before / now
            slow = (error < RESOLVED and gain < GAIN) or (error < STUCK and gain < SOME)
            if slow or abs(gain - 1.0) < SAME:
                return result
            before = now
        return attempt(sizes[-1])[0]

    def _grids(self, phase: Scalar) -> list[int]:
        """About 45 points per unit of phase, preceded by half of them and followed by doubles."""
        sizes = self._sizes(45.0 * phase)
        return [sizes[0] // 2, *sizes]

    def _sizes(self, demand: Scalar) -> list[int]:
        """The number of points if it is fixed or traced, or else the numbers to try in turn."""
        if self.points:
            return [self.points]
        demand = largest(lax.stop_gradient(demand))
        if not is_concrete(demand):
            return [self._power_of_two(float(requested(demand, USUAL)))]
        first = self._power_of_two(float(demand))
        return [first * 2**k for k in range((self.max_points // first).bit_length())]

    def _power_of_two(self, points: float) -> int:
        """A power of two of at least `points`, up to the largest allowed."""
        least = min(max(points, 2.0 * MIN_POINTS), self.max_points)
        return min(2 ** math.ceil(math.log2(least)), self.max_points)


class _Request(NamedTuple):
    sizes: tuple[int, ...]
    demands: list[Scalar]


_request: ContextVar[_Request | None] = ContextVar("request", default=None)


@contextmanager
def sized(sizes: Sequence[int] | None = None) -> Iterator[list[Scalar]]:
    """Sizes for the solvers whose parameters are traced inside, and the list of their demands.

    Solvers that choose their size take `sizes` in the order in which they ask, and the usual size
    where there is none. Each appends its demand, the size that it estimates to need as a function
    of the parameters. A program that returns the demands alone is tiny; its values at the points of
    a sweep tell with which sizes to trace once more.
    """
    request = _Request(tuple(sizes or ()), [])
    token = _request.set(request)
    try:
        yield request.demands
    finally:
        _request.reset(token)


def requested(demand: Scalar, usual: int) -> int:
    """The size that `sized` has for the solver that asks, or the usual one."""
    request = _request.get()
    if request is None:
        return usual
    request.demands.append(largest(lax.stop_gradient(demand)))
    asked = len(request.demands)
    return request.sizes[asked - 1] if asked <= len(request.sizes) else usual


def rounded_up(size: int) -> int:
    """Up to four significant bits, so that similar problems share a compiled program."""
    unit = 2 ** max(size.bit_length() - 4, 0)
    return -(-size // unit) * unit


@jax.custom_batching.custom_vmap
def largest(x: Scalar) -> Scalar:
    """The value itself; under `vmap` the largest of the batch, the same for all its members.

    A branch on it is one branch for the whole batch, of which only one side runs. Outside `jit` it
    is a concrete number.
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

    Tries `sizes`, two or more, from the smallest on, and returns (coarse, fine), the last two if
    none agree. Inside `jit` it takes the first two. In a batch all members share the size of the
    most demanding one.
    """
    coarse, fine = solve(sizes[0]), solve(sizes[1])
    for finer in sizes[2:]:
        excess = largest(lax.stop_gradient(discrepancy(coarse, fine)))
        if not is_concrete(excess) or bool(excess <= 1.0):
            break
        coarse, fine = fine, solve(finer)
    return coarse, fine


def coarse_and_fine(
    function: Callable[..., Result], coarse: tuple, fine: tuple, shared: tuple, *, together: bool
) -> tuple[Result, Result]:
    """function(*coarse, *shared) and function(*fine, *shared), derivatives of the second alone.

    The first one serves error estimates, which are constant to differentiation. If arguments have
    the same shapes, both can be computed `together` as a batch of two, which halves the program.
    Where derivatives are taken, each is computed by itself, the first one only if it is used.
    """
    return _coarse_and_fine(function, together, coarse, fine, shared)


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def _coarse_and_fine(
    function: Callable[..., Any], together: bool, coarse: tuple, fine: tuple, shared: tuple
) -> Any:
    if not together:
        return function(*coarse, *shared), function(*fine, *shared)
    both = jax.tree.map(lambda *each: jnp.stack(each), coarse, fine)
    results = jax.vmap(lambda own: function(*own, *shared))(both)
    return tuple(jax.tree.map(lambda values, k=k: values[k], results) for k in range(2))


@partial(_coarse_and_fine.defjvp, symbolic_zeros=True)
def _coarse_and_fine_jvp(
    function: Callable[..., Any], together: bool, primals: tuple, tangents: tuple
) -> tuple[Any, Any]:
    del together
    coarse, fine, shared = primals
    leaves, structure = jax.tree.flatten((fine, shared))
    changes = jax.tree.leaves(tangents[1:])
    varied = [k for k, change in enumerate(changes) if not isinstance(change, SymbolicZero)]

    def of_varied(*values: Array) -> Any:
        replaced = dict(zip(varied, values, strict=True))
        now = [replaced.get(k, leaf) for k, leaf in enumerate(leaves)]
        own, others = jax.tree.unflatten(structure, now)
        return function(*own, *others)

    primal = tuple(leaves[k] for k in varied)
    result, change = jax.jvp(of_varied, primal, tuple(changes[k] for k in varied))
    first = function(*coarse, *shared)
    return (first, result), (jax.tree.map(jnp.zeros_like, first), change)


def probed(ts: Float[Array, " times"], span: Scalar) -> Float[Array, " more"]:
    """The requested times, followed by probes up to `span` that only error estimates use."""
    return jnp.concatenate([ts, jnp.linspace(0.0, 1.0, PROBES) * span])


class Convergence(NamedTuple):
    """How far quantities on a grid and on half its points agree at `probed` times.

    `shared` is the largest relative change of all of them. On a resolved grid the error of each is
    1/`gain` of its own change. On a coarser one all share the largest, because one of them may
    agree by chance. Rounding is added.
    """

    shared: Float[Array, "1 more"]
    gain: float | Scalar

    @staticmethod
    def of(change: Float[Array, "quantities more"], gain: float | Scalar = 16.0) -> "Convergence":
        """From the relative changes of all quantities."""
        return Convergence(jnp.max(change, axis=0, keepdims=True), gain)

    @property
    def resolved(self) -> Bool[Array, ""]:
        """Whether the grid resolves the solution."""
        return jnp.max(self.shared) <= RESOLVED

    @property
    def worst(self) -> Scalar:
        """The largest relative error of all quantities."""
        largest = jnp.max(self.shared)
        return jnp.where(self.resolved, largest / self.gain, largest) + ROUNDING

    def errors(self, change: Float[Array, "some more"]) -> Float[Array, "some more"]:
        """The relative errors of quantities with these relative changes."""
        return jnp.where(self.resolved, change / self.gain, self.shared) + ROUNDING


def relative(change: Float[Array, "some more"], size: Float[Array, " some"]) -> Array:
    """Changes relative to the size of each quantity; of one that is zero the change itself."""
    return change / jnp.where(size > 0.0, size, 1.0)[:, None]


def envelope(
    values: Float[Array, "... more"], ts: Float[Array, " times"], span: Scalar, block: int = 1
) -> Float[Array, "... times"]:
    """At each of the times `ts`, the largest of the values at `probed` times up to it.

    Where one value represents a whole `block` of times, it counts from the first of them on.
    """
    own = values.shape[-1] - PROBES
    highest = _running_maximum(values, own)
    before = own + jnp.floor((PROBES - 1) * ts / span).astype(int)
    return jnp.maximum(highest[..., jnp.arange(ts.shape[0]) // block], highest[..., before])


def _running_maximum(values: Float[Array, "... n"], restart: int) -> Float[Array, "... n"]:
    """The running maximum, which starts again at `restart`; in a loop of about log n steps."""
    size = values.shape[-1]
    places = jnp.arange(size)
    inside = jnp.where(places < restart, places, places - restart)
    padding = [(0, 0)] * (values.ndim - 1) + [(size, 0)]

    def step(k: Array, highest: Array) -> Array:
        shift = jnp.left_shift(1, k)
        padded = jnp.pad(highest, padding)
        moved = lax.dynamic_slice_in_dim(padded, size - shift, size, axis=-1)
        known = (inside >= shift).reshape((1,) * (values.ndim - 1) + (size,))
        return jnp.maximum(highest, jnp.where(known, moved, -jnp.inf))

    steps = math.ceil(math.log2(max(restart, size - restart)))
    return _loops.fori_loop(0, steps, step, values)
