"""Steps in time that begin short, and polynomials within each of them."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from bathax import _loops
from bathax._checks import Scalar
from bathax.numerics.quadrature import gauss_legendre

# Early steps are 1 + FINER times shorter, for about EARLY late steps.
FINER, EARLY = 9.0, 2.0
# Newton's method for times needs so many steps at most.
NEWTON = 12
# Functions of the time are polynomials through so many nodes of Gauss in each step.
NODES = 8

PLACES, _ = gauss_legendre(NODES)
# From values at the nodes to coefficients of powers of tau = 0..1.
FITTED = np.linalg.inv(np.vander(PLACES, increasing=True))


def graded_steps(stop: Scalar, points: int, coarser: Scalar) -> Float[Array, " edges"]:
    """The ends of so many steps, the last of which have no length: they end at `stop`.

    They are even in s = t + FINER tau ln(1 + t / tau), with tau of EARLY late steps, so that what
    begins at t = 0 is resolved. Those of a result `coarser` by 2 join two each. Constant in
    derivatives.
    """
    stop = lax.stop_gradient(stop)
    early = EARLY * stop / points

    def place(t: Array) -> Array:
        return t + FINER * early * jnp.log1p(t / early)

    wanted = coarser * place(stop) / points * jnp.arange(points + 1, dtype=float)

    def closer(_: Array, t: Array) -> Array:
        # From below; the slope of s is 1 + FINER / (1 + t / tau).
        return t + (wanted - place(t)) / (1.0 + FINER / (1.0 + t / early))

    times = _loops.fori_loop(0, NEWTON, closer, wanted / (1.0 + FINER))
    return jnp.minimum(times, stop).at[0].set(0.0)


def with_early_steps(steps: Float[Array, ""]) -> Float[Array, ""]:
    """How many graded steps there are for so many even ones."""
    return steps + FINER * EARLY * jnp.log1p(steps / EARLY)


def node_times(start: Scalar, length: Scalar) -> Float[Array, " nodes"]:
    """The nodes of a step."""
    return start + length * jnp.asarray(PLACES)


def fitted(values: Any) -> Any:
    """The coefficients of tau^0, tau^1, ... from values at the nodes, along the first axis."""

    def one(f: Array) -> Array:
        # What is constant has no rounding errors.
        return jnp.tensordot(FITTED.astype(f.dtype), f - f[:1], 1).at[0].add(f[0])

    return jax.tree.map(one, values)


def integrated(coefficients: Any, length: Scalar) -> Any:
    """The coefficients of the integral from the start of a step of this length."""

    def one(c: Array) -> Array:
        orders = jnp.arange(1.0, c.shape[0] + 1.0).reshape(-1, *[1] * (c.ndim - 1))
        return jnp.concatenate([jnp.zeros_like(c[:1]), c * (length / orders).astype(c.dtype)])

    return jax.tree.map(one, coefficients)


def powers(tau: Float[Array, "..."], count: int) -> Float[Array, "..."]:
    """1, tau, tau^2, ... along a last axis; as products they have derivatives at 0."""
    factors = jnp.broadcast_to(tau[..., None], (*tau.shape, count)).at[..., 0].set(1.0)
    return jnp.cumprod(factors, axis=-1)


def at_places(coefficients: Any, tau: Float[Array, "..."]) -> Any:
    """The values at places tau, from coefficients along the first axis."""

    def one(c: Array) -> Array:
        return jnp.tensordot(powers(tau, c.shape[0]).astype(c.dtype), c, 1)

    return jax.tree.map(one, coefficients)


def at_times(pieces: Any, edges: Float[Array, " edges"], ts: Float[Array, " times"]) -> Any:
    """The values at any times, from the coefficients in each step."""
    step = jnp.clip(_loops.searchsorted(edges, ts, side="right") - 1, 0, edges.size - 2)
    length = edges[step + 1] - edges[step]
    tau = (ts - edges[step]) / jnp.where(length > 0.0, length, 1.0)

    def at_time(k: Array, place: Scalar) -> Any:
        return at_places(jax.tree.map(lambda c: c[k], pieces), place)

    return jax.vmap(at_time)(step, tau)
