"""Products of complex matrices, and of samples that are matrices at each point of the last axis."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float, Inexact

from bathax import _loops
from bathax._checks import Scalar
from bathax._linalg import solve
from bathax.numerics.elementary import reciprocal

# Terms of the Taylor series of the exponential of a matrix of norm 1/8, and the most doublings.
TERMS, DOUBLINGS = 10, 12
# Up to this size elementwise operations, over all points at once, are faster than matrix ones.
SMALL = 4
# The real parts of these times a number are its real and its imaginary part.
PARTS = np.array([1.0, -1j])


def by_parts(
    a: Complex[Array, "*rows n"], parts: Float[Array, "2 n columns"]
) -> Complex[Array, "*rows columns"]:
    """a times a matrix of known real and imaginary parts, as a product of real matrices.

    On a CPU XLA multiplies these two to three times as fast as complex ones.
    """
    factors = np.outer(PARTS, PARTS.conj()).reshape(2, *(1,) * (a.ndim - 1), 2, 1)
    blocks = (a[None, ..., None, :] * factors).real
    flat = blocks.reshape(*blocks.shape[:-2], -1)
    return lax.complex(*(flat @ parts.reshape(-1, parts.shape[-1])))


def product(a: Inexact[Array, "..."], b: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
    """a b at each point: of numbers [points], or of matrices [n, m, points] and [m, k, points]."""
    if a.ndim == 1:
        return a * b
    if a.shape[1] <= SMALL:
        return jnp.sum(a[:, :, None] * b[None], axis=1)
    first, second = (jnp.moveaxis(matrices, -1, 0) for matrices in (a, b))
    return jnp.moveaxis(first @ second, 0, -1)


def transposed(a: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
    """The transpose at each point."""
    return a if a.ndim == 1 else a.swapaxes(0, 1)


def adjoint(a: Inexact[Array, "n m points"]) -> Inexact[Array, "m n points"]:
    """The Hermitian adjoint at each point."""
    return transposed(a).conj()


def unit_like(a: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
    """1, or the unit matrix, as one point that fits square matrices a."""
    return jnp.ones(1, a.dtype) if a.ndim == 1 else jnp.eye(a.shape[0], dtype=a.dtype)[:, :, None]


def eliminated(
    matrix: Inexact[Array, "n n"], known: Inexact[Array, "n columns"]
) -> Inexact[Array, "n columns"]:
    """x of matrix @ x = known by elimination in a loop, without a search for pivots.

    For matrices close to the unit matrix, or of which the first entries of rows are the largest.
    """

    def solved(matrix: Array, right: Array) -> Array:
        size = matrix.shape[0]
        places = jnp.arange(size)

        def step(k: Array, system: Array) -> Array:
            row = lax.dynamic_index_in_dim(system, k, keepdims=False)
            row = row / row[k]
            column = system[:, k] - (places == k).astype(system.dtype)
            return system - jnp.outer(column, row)

        system = jnp.concatenate([matrix, right], axis=1)
        return _loops.fori_loop(0, size, step, system)[:, size:]

    fixed = lax.stop_gradient(matrix)
    return lax.custom_linear_solve(
        lambda x: matrix @ x,
        known,
        solve=lambda _, right: solved(fixed, right),
        transpose_solve=lambda _, right: solved(fixed.T, right),
    )


def exponential_change(matrix: Complex[Array, "n n"]) -> Complex[Array, "n n"]:
    """e^M - 1, by doubling that of M / 2^k, whose norm is at most 1/8; for norms below 512."""
    size = lax.stop_gradient(jnp.max(jnp.sum(jnp.abs(matrix), axis=1)))
    halvings = jnp.clip(jnp.ceil(jnp.log2(jnp.maximum(8.0 * size, 1.0))), 0, DOUBLINGS)
    small = matrix * jnp.exp2(-halvings).astype(complex)
    unit = jnp.eye(matrix.shape[0], dtype=complex)

    def term(total: Array, order: Scalar) -> tuple[Array, None]:
        return unit + (small @ total) / order.astype(complex), None

    def larger(change: Array, k: Scalar) -> tuple[Array, None]:
        return jnp.where(k < halvings, doubled(change), change), None

    series, _ = _loops.scan(term, unit, jnp.arange(float(TERMS), 1.0, -1.0))
    return _loops.scan(larger, small @ series, jnp.arange(float(DOUBLINGS)))[0]


def doubled(change: Complex[Array, "n n"]) -> Complex[Array, "n n"]:
    """The square of 1 + X, less 1. Rounding stays relative to X, however small it is."""
    return 2.0 * change + change @ change


def orbit(
    change: Complex[Array, "n n"], start: Complex[Array, "n columns"], count: int
) -> tuple[Complex[Array, "count n columns"], Complex[Array, "n n"]]:
    """(1 + X)^k start for k = 0, 1, ..., count - 1, and (1 + X)^count - 1, for a power of two."""
    found = start[None]
    while found.shape[0] < count:
        found = jnp.concatenate([found, found + change @ found])
        change = doubled(change)
    return found, change


def solved(
    matrix: Complex[Array, "n n points"], known: Complex[Array, "n m points"]
) -> Complex[Array, "n m points"]:
    """x of matrix @ x = known at each point."""
    if matrix.shape[0] > SMALL:
        of_one = jax.vmap(solve, (None, 1), 1)
        return jax.vmap(of_one, (2, 2), 2)(matrix, known)
    fixed = lax.stop_gradient(matrix)
    return lax.custom_linear_solve(
        lambda x: product(matrix, x),
        known,
        solve=lambda _, right: _by_elimination(fixed, right),
        transpose_solve=lambda _, right: _by_elimination(transposed(fixed), right),
    )


def _by_elimination(matrix: Array, known: Array) -> Array:
    """Gaussian elimination, which swaps pairs of rows at the points where it has to."""
    size = matrix.shape[0]
    rows = list(jnp.concatenate([matrix, known], axis=1))
    for k in range(size):
        for below in range(k + 1, size):
            rows[k], rows[below] = _cleared(rows[k], rows[below], k)
    for k in reversed(range(size)):
        rows[k] = rows[k] * reciprocal(rows[k][k])[None, :]
        for above in range(k):
            rows[above] = rows[above] - rows[above][k][None, :] * rows[k]
    return jnp.stack([row[size:] for row in rows])


def _cleared(upper: Array, lower: Array, k: int) -> tuple[Array, Array]:
    """The row with the larger entry k, and the other one less the multiple that removes it."""
    swap = (_square(lower[k]) > _square(upper[k]))[None, :]
    upper, lower = jnp.where(swap, lower, upper), jnp.where(swap, upper, lower)
    return upper, lower - (lower[k] * reciprocal(upper[k]))[None, :] * upper


def _square(z: Complex[Array, "..."]) -> Array:
    return z.real**2 + z.imag**2
