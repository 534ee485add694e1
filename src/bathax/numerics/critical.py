"""Critical points of a scalar function: a root in an interval, and a line of roots in a plane.

The function may be anything that JAX can trace and differentiate, such as a quantity of a solution.
Roots are found in a shrinking bracket and differentiated implicitly: a root x of f(x, p) = 0 has
the derivative dx/dp = -(df/dp) / (df/dx), which does not depend on the iteration.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from bathax import _loops
from bathax._checks import RealLike, Scalar, as_float, holds, require, shown

# Evaluations of a function in search for its root; bisection alone takes half as many.
MOST = 100
# A function is taken to jump through 0 if it does not come closer to 0 than this part of its size.
JUMP = 1e-6
# Newton steps for each point of a line; each doubles the number of digits.
CORRECTIONS = 4


def find_critical(
    function: Callable[[Scalar], Scalar],
    bracket: tuple[RealLike, RealLike],
    rtol: float = 1e-12,
) -> Scalar:
    """x between the ends of the bracket where a smooth scalar `function` changes sign.

    The bracket shrinks to `rtol` times its width, by inverse quadratic interpolation or by halves,
    which takes about ten values of the function. An error of the function shifts x by that error
    over the slope. Works under `jit`, `vmap` and `grad` with respect to whatever the function
    closes over; the function must therefore work under `jit`. If the signs at the ends of the
    bracket are equal, concrete values raise `ValueError` and traced ones give NaN. x is NaN also
    where the function jumps through 0, and where it is NaN on the way.

    >>> root = lambda a: bx.find_critical(lambda x: x**2 - a, (0.0, 2.0))
    >>> f"{root(2.0):.4f}, {jax.grad(root)(2.0):.4f}"  # sqrt(2) and 1 / (2 sqrt(2))
    '1.4142, 0.3536'
    """
    pair = isinstance(bracket, Sequence) and len(bracket) == 2
    require("bracket", "a pair (low, high)", shown(bracket), pair)
    low, high = (as_float(end, "bracket") for end in bracket)
    increasing = holds(lambda low, high: low < high, low, high)
    require("bracket", "two increasing numbers", f"({low}, {high})", increasing)
    # What the function closes over becomes an argument: it is traced once, here.
    program, closure = jax.closure_convert(function, low)
    closure = [jnp.asarray(value) for value in closure]
    search = jax.jit(partial(_search, program, rtol))
    x, at_low, at_high = search(*lax.stop_gradient((low, high, closure)))
    values = f"({low}, {high}), where it is {at_low} and {at_high}"
    words = "where the function changes sign"
    require("bracket", words, values, holds(_changes_sign, at_low, at_high))
    return _implicit(program)(x, *closure)


class _Bracket(NamedTuple):
    """The latest points at which the function is known, on the bracket as [0, 1].

    The root is between the first point, the newest, and the second one; the third is the one that
    was dropped last. `next` is the point to come after `count` others, `ends` the first two values,
    `scale` what the function exceeded at both ends of a bracket.
    """

    points: Float[Array, " 3"]
    values: Float[Array, " 3"]
    next: Scalar
    count: Int[Array, ""]
    ends: Float[Array, " 2"]
    scale: Scalar


def _search(
    program: Callable[..., Scalar], rtol: float, low: Scalar, high: Scalar, closure: Sequence[Array]
) -> tuple[Scalar, Scalar, Scalar]:
    """The root, NaN unless it has been found in the bracket, and the values at its ends."""

    def advance(known: _Bracket) -> _Bracket:
        # The ends take part in the loop, so that the program has the function once.
        return _with_value(known, program(low + known.next * (high - low), *closure), rtol)

    unknown = jnp.full(3, jnp.nan)
    zero = jnp.zeros(())
    start = _Bracket(unknown, unknown, zero, jnp.asarray(0), unknown[:2], zero)
    found = _loops.while_loop(partial(_goes_on, rtol=rtol), advance, start)
    at_low, at_high = found.ends
    reached = _changes_sign(at_low, at_high) & _vanishes(found) & ~jnp.isnan(found.values[0])
    x = _crossing(found)
    return jnp.where(reached, low + x * (high - low), jnp.nan), at_low, at_high


def _with_value(known: _Bracket, value: Scalar, rtol: float) -> _Bracket:
    """The bracket with the value at its next point, and the point to come."""
    (a, b, _), (at_a, at_b, _) = known.points, known.values
    same = jnp.sign(value) == jnp.sign(at_a)
    points = jnp.stack([known.next, jnp.where(same, b, a), jnp.where(same, a, b)])
    values = jnp.stack([value, jnp.where(same, at_b, at_a), jnp.where(same, at_a, at_b)])
    ends = known.ends.at[known.count].set(value, mode="drop")
    least = jnp.minimum(rtol / jnp.abs(points[1] - points[0]), 0.5)
    part = jnp.clip(_proposed(points, values), least, 1.0 - least)
    inside = points[0] + part * (points[1] - points[0])
    coming = jnp.where(known.count == 0, 1.0, inside)
    scale = jnp.fmax(known.scale, _least(values))
    return _Bracket(points, values, coming, known.count + 1, ends, scale)


def _proposed(points: Float[Array, " 3"], values: Float[Array, " 3"]) -> Scalar:
    """Where the root is expected, from 0 at the first point to 1 at the second.

    By inverse quadratic interpolation where that is monotonic, else in the middle (Chandrupatla,
    Adv. Eng. Softw. 28, 145, 1997).
    """
    (a, b, c), (at_a, at_b, at_c) = points, values
    place, level = (a - b) / (c - b), (at_a - at_b) / (at_c - at_b)
    monotonic = (level**2 < place) & ((1.0 - level) ** 2 < 1.0 - place)
    towards_b = at_a / (at_b - at_a) * at_c / (at_b - at_c)
    towards_c = (c - a) / (b - a) * at_a / (at_c - at_a) * at_b / (at_c - at_b)
    return jnp.where(monotonic, towards_b + towards_c, 0.5)


def _crossing(known: _Bracket) -> Scalar:
    """Where the straight line through the ends of the bracket vanishes."""
    (a, b, _), (at_a, at_b, _) = known.points, known.values
    rise = at_b - at_a
    return a - at_a * (b - a) / jnp.where(rise == 0.0, 1.0, rise)


def _least(values: Float[Array, " 3"]) -> Scalar:
    """How close to 0 the function comes at the ends of the bracket."""
    return jnp.min(jnp.abs(values[:2]))


def _vanishes(known: _Bracket) -> Bool[Array, ""]:
    """Whether the function becomes small, which it does not where it jumps."""
    low, high = known.ends
    return _least(known.values) <= JUMP * jnp.maximum(jnp.abs(high - low), known.scale)


def _goes_on(known: _Bracket, rtol: float) -> Bool[Array, ""]:
    wide = jnp.abs(known.points[1] - known.points[0]) > 2.0 * rtol
    goes_on = (wide | ~_vanishes(known)) & (_least(known.values) > 0.0)
    goes_on &= ~jnp.isnan(known.values[0])
    return (known.count < 2) | (goes_on & _changes_sign(*known.ends) & (known.count < MOST))


def _implicit(program: Callable[..., Scalar]) -> Callable[..., Scalar]:
    """A root x of program(x, *p) = 0 that was found, as a differentiable function of p."""

    @jax.custom_jvp
    def root(x: Scalar, *p: Array) -> Scalar:
        del p
        return x

    @root.defjvp
    def _(primals: tuple, tangents: tuple) -> tuple[Scalar, Scalar]:
        # x is differentiable in turn, which gives derivatives of any order.
        (x, *p), (_, *dp) = primals, tangents
        x = root(x, *p)
        _, slope = jax.jvp(lambda x: program(x, *p), (x,), (jnp.ones_like(x),))
        _, change = jax.jvp(lambda *p: program(x, *p), tuple(p), tuple(dp))
        return x, -change / slope

    return root


def _changes_sign(low: Any, high: Any) -> Any:
    return ((low <= 0.0) & (high >= 0.0)) | ((low >= 0.0) & (high <= 0.0))


def critical_line(
    function: Callable[[Float[Array, " 2"]], Scalar],
    start: RealLike,
    step: RealLike,
    points: int,
) -> Float[Array, "points 2"]:
    """Points of the line f(x, y) = 0 in a plane, followed from near `start`.

    `step` is a vector. The sizes of its components are the units of length along the axes, in which
    each step has length 1, and its direction tells to which side the first step goes. The line may
    turn back. The method is pseudo-arclength continuation: a step along the tangent, then Newton's
    method along the gradient. Works under `jit`, `vmap` and `grad`; points beyond an end of the
    line are NaN.

    >>> circle = lambda p: p[0] ** 2 + p[1] ** 2 - 1.0
    >>> line = bx.critical_line(circle, start=(1.0, 0.0), step=(0.1, 0.1), points=4)
    >>> np.round(np.hypot(*line.T), 4).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    start, step = as_float(start, "start"), as_float(step, "step")
    require("start", "a point (x, y)", f"of shape {start.shape}", start.shape == (2,))
    require("step", "a vector (x, y)", f"of shape {step.shape}", step.shape == (2,))
    units = jnp.abs(step)
    with_gradient = jax.value_and_grad(lambda p: function(p * units))

    def correct(p: Float[Array, " 2"], _: None) -> tuple[Array, Array]:
        """A point closer to the line, and the gradient before."""
        value, gradient = with_gradient(p)
        return p - value * gradient / jnp.sum(gradient**2), gradient

    def advance(place: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], Array]:
        here, before = place
        p, gradients = _loops.scan(correct, here, None, length=CORRECTIONS)
        gradient = gradients[-1]
        along = jnp.stack([-gradient[1], gradient[0]]) / jnp.sqrt(jnp.sum(gradient**2))
        along = jnp.where(jnp.sum(along * before) < 0.0, -along, along)
        return (p + along, along), p

    first = jnp.sign(step)
    return _loops.scan(advance, (start / units, first), None, length=points)[1] * units[None]
