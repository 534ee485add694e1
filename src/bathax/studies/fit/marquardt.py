"""Levenberg-Marquardt, as a small program: one evaluation, two QR decompositions a step.

The damping follows the trust region of optimistix's `ClassicalTrustRegion`, which grows after good
steps, not only nearly perfect ones: half as many steps.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Bool, Float, Int

from bathax._checks import Scalar
from bathax.studies.traced import value_and_jacobian

Place = TypeVar("Place")

# The last two steps together change no number x by more, absolutely or relatively, or the last one
# no parameter by more than this part of its standard error: what is left is a hundred times less.
NEGLIGIBLE, OFFSET = 1e-6, 1e-4
# A step is taken where the sum of squares falls by this part of what the tangents foretell, and the
# next one may be longer where it falls by that.
ACCEPTED, GOOD = 0.1, 0.75
LONGER, SHORTER = 10.0, 0.1


class LevenbergMarquardt(NamedTuple):
    """The method of this module, which takes its last, short step without evaluating it.

    Rounding might not accept it.
    """

    steps: int = 150


class _State(NamedTuple):
    """Where the search is, what is known there, and the step it tries next.

    `half` is half the sum of squares, `foretold` how it changes with the step, `reach` the inverse
    of the damping.
    """

    x: Array
    known: Array
    half: Scalar
    step: Array
    foretold: Scalar
    reach: Scalar
    count: Int[Array, ""]
    done: Bool[Array, ""]


class Found(NamedTuple):
    """Where the search ended, what is known nearby, whether it converged, its steps."""

    x: Float[Array, " n"]
    place: Any
    converged: Bool[Array, ""]
    steps: Int[Array, ""]


def minimise(
    method: LevenbergMarquardt,
    evaluate: Callable[[Array], Place],
    terms: Callable[[Place, Array], Array],
    x: Float[Array, " n"],
) -> Found:
    """Minimise the sum of the squares of `terms` from x on.

    `evaluate` gives all that is known at a place, the expensive part; `terms` depends on x near
    the place that was evaluated.
    """
    example = jax.eval_shape(evaluate, x)
    _, unpack = ravel_pytree(jax.tree.map(lambda one: np.zeros(one.shape, one.dtype), example))

    def step(state: _State) -> _State:
        there = state.x + state.step
        seen, _ = ravel_pytree(evaluate(there))
        half = 0.5 * jnp.sum(terms(unpack(seen), there) ** 2)
        accept, reach = _judged(state, half)
        old = (state.x, state.known, state.half)
        x, known, half = (
            jnp.where(accept, *pair) for pair in zip((there, seen, half), old, strict=True)
        )
        r, jacobian = value_and_jacobian(lambda x: terms(unpack(known), x), x)
        trial, foretold, flat = _step(r, jacobian, reach)
        done = flat | _is_short(x + trial - state.x, state.x, NEGLIGIBLE)
        return _State(x, known, half, trial, foretold, reach, state.count + 1, done)

    def goes_on(state: _State) -> Bool[Array, ""]:
        possible = jnp.all(jnp.isfinite(state.step))
        return ~state.done & possible & (state.count < method.steps)

    zero, one = jnp.zeros(()), jnp.ones(())
    nothing = jnp.zeros_like(ravel_pytree(jax.tree.map(jnp.zeros_like, example))[0])
    start = _State(x, nothing, zero, 0.0 * x, zero, one, jnp.asarray(0), jnp.asarray(False))
    end = lax.while_loop(goes_on, step, start)
    # Of a parameter that the data do not tell, a small part of the error may be a long step.
    last = end.done & _is_short(end.step, end.x, OFFSET)
    return Found(jnp.where(last, end.x + end.step, end.x), unpack(end.known), end.done, end.count)


def _judged(state: _State, half: Scalar) -> tuple[Bool[Array, ""], Scalar]:
    """Whether a step is taken, as the first one always is, and how far the next one may reach."""
    gain, is_first = half - state.half, state.count == 0
    accept = is_first | (gain <= ACCEPTED * state.foretold)
    good = ~is_first & (state.foretold < 0.0) & (gain < GOOD * state.foretold)
    return accept, state.reach * jnp.where(accept, jnp.where(good, LONGER, 1.0), SHORTER)


def _step(
    r: Float[Array, " terms"], jacobian: Float[Array, "terms n"], reach: Scalar
) -> tuple[Float[Array, " n"], Scalar, Bool[Array, ""]]:
    """The damped step, the change of the sum it foretells, and whether r is flat.

    Flat is where r is at right angles to its tangents: with the projection P on those,
    |P r| / |r - P r| is what the parameters are off, relative to their standard errors, times the
    root of their number over the degrees of freedom [Bates & Watts 1981].
    """
    count, size = jacobian.shape
    tangents, triangle = jnp.linalg.qr(jacobian)
    along = tangents.T @ r
    damped = jnp.concatenate([triangle, jnp.eye(size) / jnp.sqrt(reach)])
    rotation, root = jnp.linalg.qr(damped)
    step = -solve_triangular(root, rotation[: along.shape[0]].T @ along)
    foretold = 0.5 * (jnp.sum((triangle @ step + along) ** 2) - jnp.sum(along**2))
    across = jnp.sum((r - tangents @ along) ** 2)
    freedom = max(count - size, 0)
    return step, foretold, freedom * jnp.sum(along**2) < size * OFFSET**2 * across


def _is_short(step: Float[Array, " n"], x: Float[Array, " n"], limit: float) -> Bool[Array, ""]:
    """Whether a step changes no number by more than the limit, absolutely or relatively."""
    return jnp.all(jnp.abs(step) < limit * (1.0 + jnp.abs(x)))
