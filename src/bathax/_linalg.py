"""Linear algebra that can be mapped over a batch without a deadlock.

On the CPU, JAX distributes a batched LAPACK call over the thread pool on which the call itself
runs, and blocks until all threads are done. If there are as many such calls at once as threads,
they wait for each other for ever. Here each matrix of a batch is a call of its own.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_batching import custom_vmap
from jaxtyping import Array, Float, Inexact

from bathax import _loops


def one_by_one(function: Callable[..., Any]) -> Callable[..., Any]:
    """Under `vmap` a loop over the batch on the CPU, all together on other devices.

    What a loop works on stays in the cache, and members that equal the one before them cost
    nothing. Constant to differentiation.
    """

    @custom_vmap
    def call(*args: Any) -> Any:
        return function(*args)

    @call.def_vmap
    def _(axis_size: int, in_batched: list[Any], *args: Any) -> tuple[Any, Any]:
        def spread(batched: bool, arg: Array) -> Array:
            return arg if batched else jnp.broadcast_to(arg, (axis_size, *arg.shape))

        batch = jax.tree.map(spread, tuple(in_batched), args)
        found = lax.platform_dependent(
            *batch,
            cpu=lambda *batch: _in_turn(call, batch),
            default=jax.vmap(function),
        )
        return found, jax.tree.map(lambda _: True, found)

    return lambda *args: call(*lax.stop_gradient(args))


def differentiable_one_by_one(function: Callable[..., Any]) -> Callable[..., Any]:
    """`one_by_one` for values alone; derivatives of a batch are taken of all members together."""
    call = jax.custom_jvp(one_by_one(function))
    call.defjvp(lambda primals, tangents: jax.jvp(function, primals, tangents))
    return call


def _in_turn(function: Callable[..., Any], batch: Any) -> Any:
    """The results of all members."""

    def member(before: tuple[Any, Any], now: Any) -> tuple[Any, Any]:
        last, result = before
        equal = jax.tree.map(lambda a, b: jnp.all(a == b), last, now)
        same = jnp.all(jnp.stack(jax.tree.leaves(equal)))
        result = lax.cond(same, lambda: result, lambda: function(*now))
        return (now, result), result

    # Nothing equals NaN.
    none = jax.tree.map(lambda x: jnp.full_like(x[0], jnp.nan), batch)
    empty = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(function, *none))
    return _loops.scan(member, (none, empty), batch)[1]


svd = one_by_one(lambda matrix: tuple(jnp.linalg.svd(matrix, full_matrices=False)))
orthonormal = one_by_one(lambda matrix: jnp.linalg.qr(matrix)[0])
eigh = one_by_one(lambda matrix: tuple(jnp.linalg.eigh(matrix)))
eig = one_by_one(lambda matrix: _eig(matrix))
_solve = one_by_one(jnp.linalg.solve)


def _eig(matrix: Array) -> tuple[Array, Array, Array]:
    """Eigenvalues, eigenvectors, and the inverse of these."""
    values, vectors = jnp.linalg.eig(matrix)
    return values, vectors, jnp.linalg.inv(vectors)


def eigvalsh(matrix: Inexact[Array, "n n"]) -> Float[Array, " n"]:
    """Eigenvalues of a Hermitian matrix, in increasing order; constant to differentiation."""
    return eigh(matrix)[0]


def solve(matrix: Inexact[Array, "n n"], known: Inexact[Array, " n"]) -> Inexact[Array, " n"]:
    """x of matrix @ x = known, with derivatives from the linear system."""
    return lax.custom_linear_solve(
        lambda x: matrix @ x,
        known,
        solve=lambda _, right: _solve(matrix, right),
        transpose_solve=lambda _, right: _solve(matrix.T, right),
    )
