"""Sums out_i = sum a_j b_k over a fixed list of triples (i, j, k), and their derivatives.

The product of a sparse matrix with a vector is such a sum: i is a row, j a column, and k tells
which of a few distinct values the entry has. Derivatives with respect to a and b are sums over the
same triples with the indices exchanged, so that each is as fast as the sum itself.

Nothing is added at scattered places, which processors do one number after the other: sums gather
WIDTH terms at a time, then WIDTH of these, and so on. Under `vmap` the batch is the last axis,
where `vmap` by itself puts it first: the members of a batch are next to each other in memory, and
vector instructions do the same with all of them.
"""

from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir
from jaxtyping import Array, Complex, Int

WIDTH = 4

# Indices of what is added, WIDTH rows of them; those beyond the last place stand for zero.
Places = Int[Array, "width sums"] | Int[np.ndarray, "width sums"]


class Tree(NamedTuple):
    """A sum over all triples with one index the same: products, sums of these, sums of those."""

    first: Places
    second: Places
    further: tuple[Places, ...]


class Triples(eqx.Module):
    """The trees of sums to the first, the second and the third index, of so many values each."""

    trees: tuple[Tree, Tree, Tree]
    sizes: tuple[int, int, int] = eqx.field(static=True)


def triples(indices: Int[np.ndarray, "3 triples"], sizes: tuple[int, int, int]) -> Triples:
    """The triples with these indices."""
    first, second, third = (_tree(indices, sizes, out) for out in range(3))
    return Triples((first, second, third), sizes)


def contracted(
    over: Triples, a: Complex[Array, "second ..."], b: Complex[Array, "third ..."]
) -> Complex[Array, "first ..."]:
    """sum a_j b_k for each i, and for each member of a batch."""
    leaves, structure = jax.tree.flatten(jax.tree.map(jnp.asarray, over.trees))
    return _contraction.bind(a, b, *leaves, structure=structure, sizes=over.sizes, out=0)


def _others(out: int) -> tuple[int, int]:
    return ((1, 2), (0, 2), (0, 1))[out]


def _tree(indices: np.ndarray, sizes: tuple[int, int, int], out: int) -> Tree:
    places, group = _pieces(indices[out], sizes[out])
    first, second = (np.append(indices[k], sizes[k])[places].astype(np.int32) for k in _others(out))
    further = []
    while len(group) > sizes[out]:
        places, group = _pieces(group, sizes[out])
        further.append(places.astype(np.int32))
    return Tree(first, second, tuple(further))


def _pieces(group: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The members of each group in pieces of WIDTH, at least one, and the group of each piece.

    The last piece of a group is filled up with the number of all members.
    """
    order, members = np.argsort(group, kind="stable"), np.bincount(group, minlength=count)
    pieces = np.maximum(-(-members // WIDTH), 1)
    start = np.cumsum(pieces) - pieces
    number = np.arange(len(group)) - np.repeat(np.cumsum(members) - members, members)
    places = np.full(WIDTH * pieces.sum(), len(group))
    places[WIDTH * start[group[order]] + number] = order
    return places.reshape(-1, WIDTH).T, np.repeat(np.arange(count), pieces)


def _sum(a: Array, b: Array, *leaves: Array, structure: Any, sizes: Any, out: int) -> Array:
    """The sum to the index `out` of factors with the two others, along the first axis."""
    del sizes
    tree = jax.tree.unflatten(structure, leaves)[out]
    a, b = _with_zero(a), _with_zero(b)
    product = _products_of_members(a, b) if a.ndim > 1 else lambda j, k: _at(a, j) * _at(b, k)
    terms = (product(j, k) for j, k in zip(tree.first, tree.second, strict=True))
    total = reduce(add, terms)
    for places in tree.further:
        total = _with_zero(total)
        total = reduce(add, (_at(total, each) for each in places))
    return total


def _products_of_members(a: Array, b: Array) -> Callable[[Array, Array], Array]:
    """a_j b_k of all members, with real and imaginary parts of b in arrays of their own.

    Vector instructions need not separate these then. The barrier is there because all members' b
    would be gathered once for a whole loop, too much for a cache.
    """
    a, real, imag = lax.optimization_barrier((a, b.real, b.imag))

    def product(j: Array, k: Array) -> Array:
        x, re, im = _at(a, j), _at(real, k), _at(imag, k)
        return lax.complex(x.real * re - x.imag * im, x.real * im + x.imag * re)

    return product


def _with_zero(x: Array) -> Array:
    return jnp.concatenate([x, jnp.zeros((1, *x.shape[1:]), x.dtype)])


def _at(x: Array, places: Array) -> Array:
    """x[places] for places known to be inside."""
    return x.at[places].get(mode="promise_in_bounds", wrap_negative_indices=False)


def _shape(a: Any, *_: Any, sizes: tuple[int, int, int], out: int, structure: Any) -> ShapedArray:
    del structure
    return ShapedArray((sizes[out], *a.shape[1:]), a.dtype)


def _jvp(primals: Any, tangents: Any, **fixed: Any) -> Any:
    a, b, *leaves = primals
    value = _contraction.bind(a, b, *leaves, **fixed)
    pairs = (tangents[0], b), (a, tangents[1])
    parts = [
        _contraction.bind(*pair, *leaves, **fixed)
        for pair in pairs
        if not any(isinstance(each, ad.Zero) for each in pair)
    ]
    return value, reduce(add, parts)


def _transpose(change: Any, a: Any, b: Any, *leaves: Any, out: int, **fixed: Any) -> Any:
    """The sum to the index of the factor that is not known."""
    unknown = 0 if ad.is_undefined_primal(a) else 1
    wanted, known = _others(out)[unknown], (b, a)[unknown]
    factors: list[Any] = [None, None, None]
    factors[out], factors[_others(out)[1 - unknown]] = change, known
    pair = (factors[k] for k in _others(wanted))
    found: list[Any] = [None] * (2 + len(leaves))
    found[unknown] = _contraction.bind(*pair, *leaves, out=wanted, **fixed)
    return found


def _batched(args: Any, axes: Any, **fixed: Any) -> Any:
    size = next(x.shape[axis] for x, axis in zip(args, axes, strict=True) if axis is not None)
    a, b = (
        jnp.broadcast_to(x[..., None], (*x.shape, size))
        if axis is None
        else jnp.moveaxis(x, axis, -1)
        for x, axis in zip(args[:2], axes[:2], strict=True)
    )
    return _contraction.bind(a, b, *args[2:], **fixed), a.ndim - 1


_contraction = Primitive("contraction")
_contraction.def_impl(_sum)
_contraction.def_abstract_eval(_shape)
ad.primitive_jvps[_contraction] = _jvp
ad.primitive_transposes[_contraction] = _transpose
batching.primitive_batchers[_contraction] = _batched
mlir.register_lowering(_contraction, mlir.lower_fun(_sum, multiple_results=False))
