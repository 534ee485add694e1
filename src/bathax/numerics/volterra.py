r"""Volterra equations with a convolution kernel, solved at every grid point at once.

The Gregory rule turns y(t) + \int_0^t K(t-s) y(s) ds = f(t) into a lower-triangular Toeplitz
system: the corrections at s -> t change the first p kernel samples, those at s -> 0 move p known
starting values to the right-hand side. A power-series division solves it in O(N log N) without a
sequential scan. Nothing here knows physics; any smooth kernel will do.
"""

import jax.numpy as jnp
from jaxtyping import Array, Complex

from bathax._checks import Scalar, holds, require
from bathax.numerics import gregory
from bathax.numerics.gregory import ORDER
from bathax.numerics.toeplitz import divide, triangle


def solve_second_kind(
    kernel: Complex[Array, " points"], source: Complex[Array, " points"], step: Scalar
) -> Complex[Array, " points"]:
    r"""y of y(t) + \int_0^t K(t-s) y(s) ds = f(t) on a uniform grid.

    `kernel` and `source` are K and f at t_j = j step; their length is a power of two, 64 or more.
    The error is O(step^11) for smooth K and f. Under-resolved input gives a wrong y without any
    sign of it: compare two step sizes, as `refine` does. A kernel that is not finite at t = 0
    has no Gregory rule: `ValueError`, or NaN where the samples are traced.
    """
    require_regular(kernel)
    step = step.astype(kernel.dtype)
    c = jnp.asarray(gregory.end_corrections(), kernel.dtype)
    start = _starting_values(kernel[:ORDER], source[:ORDER], step)
    column = (step * kernel).at[:ORDER].multiply(1.0 - c).at[0].add(1.0)
    known = source + step * gregory.shifted_sum(c * start, kernel)
    known = known.at[:ORDER].set(triangle(column[:ORDER]) @ start)
    return divide(known, column).at[:ORDER].set(start)


def solve_integro_differential(
    kernel: Complex[Array, " points"], step: Scalar
) -> Complex[Array, " points"]:
    r"""y of y'(t) = -\int_0^t k(t-s) y(s) ds, y(0) = 1, on a uniform grid.

    Integrated once it is of the second kind, y + K * y = 1 with K(t) = \int_0^t k(s) ds, which is
    smoother than k and starts from zero. Requirements and failures as in `solve_second_kind`.
    """
    require_regular(kernel)
    return solve_second_kind(gregory.integrate(kernel, step), jnp.ones_like(kernel), step)


def require_regular(kernel: Complex[Array, "... points"]) -> None:
    """Refuse a kernel that is infinite at t = 0, where the rule would integrate it wrongly."""
    first = kernel[..., 0]
    require("kernel", "finite at t = 0", first, holds(lambda k: jnp.all(jnp.isfinite(k)), first))


def _starting_values(
    kernel: Complex[Array, " order"], source: Complex[Array, " order"], step: Array
) -> Complex[Array, " order"]:
    """The first p values, from the exact convolution of the interpolating polynomials."""
    weights = jnp.asarray(gregory.start_convolutions(), kernel.dtype)
    matrix = jnp.eye(ORDER, dtype=kernel.dtype) + step * jnp.einsum("nij,i->nj", weights, kernel)
    return jnp.linalg.solve(matrix, source)
