"""Critical points of a scalar function: a root in an interval, and a line of roots in a plane.

The function may be anything that JAX can trace and differentiate, such as a quantity of a solution.
Roots are found by optimistix and differentiated implicitly: a root x of f(x, p) = 0 has the
derivative dx/dp = -(df/dp) / (df/dx), which does not depend on the iteration.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optimistix as optx
from jax import lax
from jaxtyping import Array, Float

from bathax._checks import RealLike, Scalar, as_float, holds, require, shown

# Newton steps for each point of a line; each doubles the number of digits.
CORRECTIONS = 4


def find_critical(
    function: Callable[[Scalar], Scalar],
    bracket: tuple[RealLike, RealLike],
    rtol: float = 1e-12,
) -> Scalar:
    """x between the ends of the bracket where a smooth scalar `function` changes sign.

    Bisection finds x to 1% of the bracket, then Newton's method to `rtol` times the bracket. An
    error of the function shifts x by that error over the slope. Works under `jit`, `vmap` and
    `grad` with respect to whatever the function closes over; the function must therefore work under
    `jit`. If the signs at the ends of the bracket are equal, concrete values raise `ValueError` and
    traced ones give NaN. x is NaN also if Newton's method leaves the bracket.

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
    search = eqx.filter_jit(partial(_search, program, rtol))
    x, at_low, at_high = search(*lax.stop_gradient((low, high, closure)))
    values = f"({low}, {high}), where it is {at_low} and {at_high}"
    words = "where the function changes sign"
    require("bracket", words, values, holds(_changes_sign, at_low, at_high))
    return _implicit(program)(x, *closure)


def _search(
    program: Callable[..., Scalar], rtol: float, low: Scalar, high: Scalar, closure: Sequence[Array]
) -> tuple[Scalar, Scalar, Scalar]:
    """The root, NaN unless it has been found in the bracket, and the values at its ends."""

    def excess(x: Scalar) -> Scalar:
        return program(low + x * (high - low), *closure)

    # One after the other, so that the program has the function once for both.
    at_low, at_high = lax.map(excess, jnp.array([0.0, 1.0]))

    def rising(x: Scalar, _: None) -> Scalar:
        """The function on [0, 1], with the sign that makes it rise through 0."""
        return excess(x) / (at_high - at_low)

    near = optx.root_find(
        rising,
        optx.Bisection(rtol=0.0, atol=0.01, flip=False),
        jnp.asarray(0.5),
        options={"lower": jnp.zeros(()), "upper": jnp.ones(())},
        throw=False,
    )
    # `_implicit` differentiates the result. The derivative of optimistix would call back into
    # Python, which programs on a GPU or from a disk cache cannot.
    found = optx.root_find(rising, optx.Newton(rtol=rtol, atol=rtol), near.value, throw=False)
    x = found.value
    reached = _changes_sign(at_low, at_high) & (x >= 0.0) & (x <= 1.0)
    reached &= found.result == optx.RESULTS.successful
    return jnp.where(reached, low + x * (high - low), jnp.nan), at_low, at_high


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
        p, gradients = lax.scan(correct, here, None, length=CORRECTIONS)
        gradient = gradients[-1]
        along = jnp.stack([-gradient[1], gradient[0]]) / jnp.sqrt(jnp.sum(gradient**2))
        along = jnp.where(jnp.sum(along * before) < 0.0, -along, along)
        return (p + along, along), p

    first = jnp.sign(step)
    return lax.scan(advance, (start / units, first), None, length=points)[1] * units[None]
