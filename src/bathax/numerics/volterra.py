r"""Volterra equations with a convolution kernel, solved at every grid point at once.

Gregory's rule (`gregory`, with corrections c_j) turns y(t) + \int_0^t K(t-s) y(s) ds = f(t) into a
linear system. "Trimmed" samples are the first p of them times 1 - c_j. For trimmed K and y the
system is lower-triangular Toeplitz, up to the overlap of the corrections at the two ends. The
overlap contains only the first p values of y, which are found first, so that it moves to the
right-hand side. Power-series division solves the system in O(N log N) without a sequential scan.
"""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex

from bathax._checks import Scalar, holds, require
from bathax.numerics import gregory
from bathax.numerics.gregory import ORDER
from bathax.numerics.toeplitz import divide


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
    convolving, products = gregory.starting_system(step * kernel[:ORDER])
    start = _eliminated(jnp.eye(ORDER, dtype=kernel.dtype) + convolving, source[:ORDER])
    unit = jnp.zeros_like(kernel).at[0].set(1.0)
    column = unit + step * gregory.trimmed(kernel)
    # For the first p points the division has to reproduce the values found before.
    known = gregory.with_start(gregory.trimmed(start), source)
    known += jnp.pad(products @ start, (0, known.shape[0] - products.shape[0]))
    return gregory.with_start(start, divide(known, column))


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


def _eliminated(
    matrix: Complex[Array, "order order"], known: Complex[Array, " order"]
) -> Complex[Array, " order"]:
    """x of matrix @ x = known by elimination in a loop, without a search for pivots.

    On a grid that resolves the kernel the matrix is close to the identity.
    """

    def solved(matrix: Array, right: Array) -> Array:
        places = jnp.arange(ORDER)

        def step(k: Array, system: Array) -> Array:
            row = lax.dynamic_index_in_dim(system, k, keepdims=False)
            row = row / row[k]
            column = system[:, k] - (places == k).astype(system.dtype)
            return system - jnp.outer(column, row)

        system = jnp.concatenate([matrix, right[:, None]], axis=1)
        return lax.fori_loop(0, ORDER, step, system)[:, ORDER]

    fixed = lax.stop_gradient(matrix)
    return lax.custom_linear_solve(
        lambda x: matrix @ x,
        known,
        solve=lambda _, right: solved(fixed, right),
        transpose_solve=lambda _, right: solved(fixed.T, right),
    )
