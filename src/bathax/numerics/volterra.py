r"""Volterra equations with a convolution kernel, solved at every grid point at once.

Gregory's rule (`gregory`, with corrections c_j) turns y(t) + \int_0^t K(t-s) y(s) ds = f(t) into a
linear system. "Trimmed" samples are the first p of them times 1 - c_j. For trimmed K and y the
system is lower-triangular Toeplitz, up to the overlap of the corrections at the two ends. The
overlap contains only the first p values of y, which are found first, so that it moves to the
right-hand side. Power-series division solves the system in O(N log N) without a sequential scan.

K, y and f are numbers at each time, or matrices, of which the last axis is time.
"""

import jax.numpy as jnp
from jaxtyping import Array, Complex

from bathax._checks import Scalar, holds, require
from bathax.numerics import gregory
from bathax.numerics.gregory import ORDER
from bathax.numerics.matrices import eliminated, unit_like
from bathax.numerics.toeplitz import divide


def solve_second_kind(
    kernel: Complex[Array, "*matrix points"],
    source: Complex[Array, "*matrices points"],
    step: Scalar,
) -> Complex[Array, "*matrices points"]:
    r"""y of y(t) + \int_0^t K(t-s) y(s) ds = f(t) on a uniform grid.

    `kernel` and `source` are K and f at t_j = j step; their length is a power of two, 64 or more.
    The error is O(step^11) for smooth K and f. Under-resolved input gives a wrong y without any
    sign of it: compare two step sizes, as `refine` does. A kernel that is not finite at t = 0
    has no Gregory rule: `ValueError`, or NaN where the samples are traced.
    """
    require_regular(kernel)
    step = step.astype(kernel.dtype)
    start, replaced = _started(step * kernel[..., :ORDER], source[..., :ORDER])
    column = gregory.extended(unit_like(kernel), kernel.shape[-1]) + step * gregory.trimmed(kernel)
    # For the first p points the division has to reproduce the values found before.
    known = gregory.with_start(gregory.trimmed(start), source)
    known += gregory.extended(replaced, known.shape[-1])
    return gregory.with_start(start, divide(known, column))


def _started(
    kernel: Complex[Array, "*matrix order"], source: Complex[Array, "*matrices order"]
) -> tuple[Complex[Array, "*matrices order"], Complex[Array, "*matrices more"]]:
    """The first p values of y, and their part of the sums that the division has to reproduce."""
    blocks = kernel if kernel.ndim == 3 else kernel[None, None]
    known = source if source.ndim == 3 else source[None, None]
    (size, columns, _), flat = known.shape, (lambda m: m.transpose(2, 0, 3, 1))
    convolving, products = map(flat, gregory.starting_system(blocks))
    matrix = jnp.eye(size * ORDER, dtype=kernel.dtype) + convolving.reshape(size * ORDER, -1)
    start = eliminated(matrix, known.transpose(2, 0, 1).reshape(size * ORDER, columns))
    replaced = products.reshape(-1, size * ORDER) @ start
    shaped = (values.reshape(-1, size, columns) for values in (start, replaced))
    start, replaced = (values.transpose(1, 2, 0) for values in shaped)
    return (start, replaced) if source.ndim == 3 else (start[0, 0], replaced[0, 0])


def solve_integro_differential(
    kernel: Complex[Array, "*matrix points"], step: Scalar
) -> Complex[Array, "*matrix points"]:
    r"""y of y'(t) = -\int_0^t k(t-s) y(s) ds, y(0) = 1, on a uniform grid.

    Integrated once it is of the second kind, y + K * y = 1 with K(t) = \int_0^t k(s) ds, which is
    smoother than k and starts from zero. Requirements and failures as in `solve_second_kind`.
    """
    require_regular(kernel)
    unit = jnp.broadcast_to(unit_like(kernel), kernel.shape)
    return solve_second_kind(gregory.integrate(kernel, step), unit, step)


def require_regular(kernel: Complex[Array, "... points"]) -> None:
    """Refuse a kernel that is infinite at t = 0, where the rule would integrate it wrongly."""
    first = kernel[..., 0]
    require("kernel", "finite at t = 0", first, holds(lambda k: jnp.all(jnp.isfinite(k)), first))
