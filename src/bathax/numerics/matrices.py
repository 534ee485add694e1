"""Products of samples that are numbers or matrices, at each point of the last axis."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Inexact

# Up to this size elementwise products, over all points at once, are faster than matrix products.
SMALL = 4


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
        return lax.fori_loop(0, size, step, system)[:, size:]

    fixed = lax.stop_gradient(matrix)
    return lax.custom_linear_solve(
        lambda x: matrix @ x,
        known,
        solve=lambda _, right: solved(fixed, right),
        transpose_solve=lambda _, right: solved(fixed.T, right),
    )
