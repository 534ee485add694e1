"""Lower-triangular Toeplitz systems as power-series division: Newton doubling with FFTs.

A lower-triangular Toeplitz matrix with first column a acts as multiplication by the power series
a(x) modulo x^n, so that solving with it is dividing by a(x). Sizes are powers of two. Terms are
numbers, or square matrices; the last axis numbers them.
"""

import jax.numpy as jnp
from jax import lax
from jax.numpy.fft import fft, ifft
from jaxtyping import Array, Complex

from bathax import _loops
from bathax.numerics.matrices import eliminated, product, transposed, unit_like

# Newton's iteration starts from so many terms, found by a loop: each doubling is a separate part of
# the program, which takes longer to compile than the loop takes to run.
FIRST = 128


def reciprocal(a: Complex[Array, "*matrix n"], size: int) -> Complex[Array, "*matrix size"]:
    """The first terms of 1/a(x), doubling r <- r - r (a r - 1)."""
    return _padded_reciprocal(a, size)[..., :size]


def divide(
    b: Complex[Array, "*matrices n"], a: Complex[Array, "*matrix n"]
) -> Complex[Array, "*matrices n"]:
    """a(x)^{-1} b(x) modulo x^n; a_0 must be invertible and n must be a power of two.

    Derivatives follow from the linear system, not from the iteration: one division more.
    """

    def multiply(x: Complex[Array, "*matrices n"]) -> Complex[Array, "*matrices n"]:
        count = x.shape[-1]
        return ifft(product(fft(a, 2 * count), fft(x, 2 * count)))[..., :count]

    fixed = lax.stop_gradient(a)
    spectra = fft(fixed), fft(_padded_reciprocal(fixed, a.shape[-1] // 2))
    backwards = tuple(map(transposed, spectra))
    return lax.custom_linear_solve(
        multiply,
        b,
        solve=lambda _, right: _quotient(right, *spectra),
        transpose_solve=lambda _, right: _quotient(right[..., ::-1], *backwards)[..., ::-1],
    )


def _padded_reciprocal(
    a: Complex[Array, "*matrix n"], size: int
) -> Complex[Array, "*matrix twice"]:
    """The first terms of 1/a(x), followed by as many zeros.

    The first half of the product a r is known to be 1. A cyclic convolution wraps onto that half
    only, so that transforms of length 2m suffice to double m terms.
    """
    m = min(FIRST, size)
    r = _padded(_substituted(a[..., :m]), 0, m)
    while m < size:
        spectrum = fft(r)
        excess = _second_half(ifft(product(fft(a[..., : 2 * m]), spectrum)))
        correction = ifft(product(spectrum, fft(excess)))
        # The known terms, the new ones, and zeros for the next step.
        r = _padded(r, 0, 2 * m) - _padded(correction[..., :m], m, 2 * m)
        m *= 2
    return r


def _padded(values: Array, before: int, after: int) -> Array:
    """Zeros before and after all terms."""
    return jnp.pad(values, [(0, 0)] * (values.ndim - 1) + [(before, after)])


def _second_half(values: Complex[Array, "*matrix n"]) -> Complex[Array, "*matrix n"]:
    """The second half of the values, and zeros behind."""
    half = values.shape[-1] // 2
    return _padded(values[..., half:], 0, half)


def _substituted(a: Complex[Array, "*matrix n"]) -> Complex[Array, "*matrix n"]:
    """1/a(x) by forward substitution: each term is eliminated from the later equations."""
    size, unit = a.shape[-1], unit_like(a)
    behind, places = _padded(a, size, 0), jnp.arange(size)
    here = places.reshape((1,) * (a.ndim - 1) + (size,))
    first = unit / a[:1] if a.ndim == 1 else eliminated(a[..., 0], unit[..., 0])[..., None]

    def step(k: Array, left: Array) -> Array:
        term = lax.dynamic_slice_in_dim(left, k, 1, axis=-1, allow_negative_indices=False)
        term = product(first, term)
        column = lax.dynamic_slice_in_dim(
            behind, size - k, size, axis=-1, allow_negative_indices=False
        )
        return jnp.where(here == k, term, left - product(column, term))

    return _loops.fori_loop(0, size, step, jnp.where(here == 0, unit, 0.0).astype(a.dtype))


def _quotient(
    b: Complex[Array, "*matrices n"],
    a: Complex[Array, "*matrix n"],
    inverse: Complex[Array, "*matrix n"],
) -> Complex[Array, "*matrices n"]:
    """1/a b from the transforms of a and of the first half of 1/a.

    The second half comes from the residual of the first.
    """
    size = b.shape[-1]
    is_early = jnp.arange(size).reshape((1,) * (b.ndim - 1) + (size,)) < size // 2
    first = jnp.where(is_early, b, 0.0)
    head = jnp.where(is_early, ifft(product(inverse, fft(first))), 0.0)
    residual = _second_half(b - ifft(product(a, fft(head))))
    tail = ifft(product(inverse, fft(residual)))
    return head + _padded(tail[..., : size // 2], size // 2, 0)
