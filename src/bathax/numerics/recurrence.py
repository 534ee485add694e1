r"""Three-term recurrences of a sparse matrix, y_{k+1} = (G + a) y_k - q_k y_{k-1}.

They are linear systems of equations, L y = given, whose matrix L is banded, and are differentiated
as such: a change dG of G adds dG y_k to what is given. So the parts of a derivative with respect to
the entries of G are summed for many k at once, and no step is repeated for them.

Under `vmap` the members of a batch are the last axis of all arrays in a loop, for which
`contraction` is fast; `vmap` by itself would have them first, and move them in each step.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_batching import custom_vmap
from jaxtyping import Array, Complex, Float, Int

from bathax import _loops
from bathax.numerics.sparse import SparseMatrix

# So many members at a time stay in the cache of a processor and fill its vector instructions.
TILE = 16

Loop = Callable[["Recurrence", Any], Any]


class Recurrence(eqx.Module):
    """G, a, and the q_k of so many terms."""

    matrix: SparseMatrix
    shift: Float[Array, "..."]
    backs: Float[Array, "terms ..."]

    def after(self, before: Array, now: Array, back: Array) -> Array:
        """y_{k+1} from the two before it."""
        return self.matrix @ now + _times(self.shift, now) - _times(back, before)

    def rows(
        self, before: Complex[Array, " n"], now: Complex[Array, " n"]
    ) -> Complex[Array, "more n"]:
        """The first two y_k, which are given, and those that follow."""
        none = jnp.zeros((self.backs.size, now.size), now.dtype)
        return lax.custom_linear_solve(
            self._lacking,
            jnp.concatenate([jnp.stack([before, now]), none]),
            solve=lambda _, given: _solved(self, given),
            transpose_solve=lambda _, given: _solved_transposed(self, given),
        )

    def _lacking(self, y: Complex[Array, "more n"]) -> Complex[Array, "more n"]:
        """L y."""
        expected = jax.vmap(self.after)(y[:-2], y[1:-1], self.backs)
        return jnp.concatenate([y[:2], y[2:] - expected])


class Series(NamedTuple):
    """The last two of the terms so far, and the sum of terms times their weights."""

    before: Complex[Array, "n ..."]
    now: Complex[Array, "n ..."]
    total: Complex[Array, "n ..."]


@jax.custom_jvp
def extended(
    recurrence: Recurrence,
    series: Series,
    weights: Float[Array, " terms"],
    chosen: Int[Array, " components"],
) -> tuple[Series, Complex[Array, "terms components"]]:
    """A series with as many further terms, and the chosen components of these."""
    return _extended(recurrence, (series, weights, chosen))


@extended.defjvp
def _extended_jvp(primals: Any, tangents: Any) -> Any:
    """By the solution of L y = given, which keeps all terms."""

    def extended(recurrence: Recurrence, series: Series, weights: Array, chosen: Any) -> Any:
        rows = recurrence.rows(series.before, series.now)
        terms = rows[1:-1]
        total = series.total + lax.complex(weights @ terms.real, weights @ terms.imag)
        return Series(rows[-2], rows[-1], total), terms[:, chosen]

    return jax.jvp(extended, primals, tangents)


def _members_last(loop: Loop) -> Loop:
    """The same with the members of a `vmap` along the last axis, on the CPU TILE at a time."""

    @custom_vmap
    def call(recurrence: Recurrence, others: Any) -> Any:
        return loop(recurrence, others)

    @call.def_vmap
    def _(size: int, batched: Any, *args: Any) -> Any:
        leaves, structure = jax.tree.flatten(args)
        own = jax.tree.leaves(batched)

        def tiled(width: int, *leaves: Array) -> Any:
            def of_tile(tile: list[Array]) -> Any:
                members = iter(tile)
                parts = (
                    jnp.moveaxis(next(members), 0, -1) if each else _for_all(x, width)
                    for x, each in zip(leaves, own, strict=True)
                )
                found = loop(*jax.tree.unflatten(structure, parts))
                return jax.tree.map(lambda x: jnp.moveaxis(x, -1, 0), found)

            tiles = [_in_tiles(x, width) for x, each in zip(leaves, own, strict=True) if each]
            found = _loops.map(of_tile, tiles)
            return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:])[:size], found)

        equal = -(-size // -(-size // TILE))
        found = lax.platform_dependent(
            *leaves, cpu=partial(tiled, equal), default=partial(tiled, size)
        )
        return found, jax.tree.map(lambda _: True, found)

    return call


def _in_tiles(x: Array, width: int) -> Array:
    """Parts of so many members; the last member fills the last part."""
    tiles = -(-len(x) // width)
    rest = jnp.broadcast_to(x[-1:], (tiles * width - len(x), *x.shape[1:]))
    return jnp.concatenate([x, rest]).reshape(tiles, width, *x.shape[1:])


def _for_all(x: Array, width: int) -> Array:
    """What all members of a tile have in common: indices have no axis for members."""
    if jnp.issubdtype(x.dtype, jnp.integer):
        return x
    x = x[..., None]
    return jnp.broadcast_to(x, (*x.shape[:-1], width)) if jnp.iscomplexobj(x) else x


@_members_last
def _extended(recurrence: Recurrence, others: tuple[Series, Array, Array]) -> Any:
    series, weights, chosen = others

    def term(series: Series, which: tuple[Array, Array]) -> tuple[Series, Array]:
        (before, now, total), (back, weight) = series, which
        after = recurrence.after(before, now, back)
        return Series(now, after, total + _times(weight, now)), now[chosen]

    return _loops.scan(term, series, (recurrence.backs, weights))


def _rows(recurrence: Recurrence, given: Array) -> Array:
    """The solution of L y = given."""

    def row(carry: tuple[Array, Array], which: tuple[Array, Array]) -> tuple[Any, Array]:
        (before, now), (back, added) = carry, which
        after = recurrence.after(before, now, back) + added
        return (now, after), after

    _, rest = _loops.scan(row, (given[0], given[1]), (recurrence.backs, given[2:]))
    return jnp.concatenate([given[:2], rest])


_solved = _members_last(_rows)


@_members_last
def _solved_transposed(recurrence: Recurrence, given: Array) -> Array:
    """The solution with the transpose of L."""
    return jax.linear_transpose(lambda given: _rows(recurrence, given), given)(given)[0]


def _times(factor: Float[Array, "..."], x: Array) -> Array:
    """A real number times x, in half as many operations as a complex one takes."""
    factor = factor[None]
    return lax.complex(factor * x.real, factor * x.imag)
