"""Lower-triangular Toeplitz systems as power-series division: Newton doubling with FFTs.

A lower-triangular Toeplitz matrix with first column a acts as multiplication by the power series
a(x) modulo x^n, so that solving with it is dividing by a(x). Sizes are powers of two.
"""

import jax.numpy as jnp
from jax import lax
from jax.numpy.fft import fft, ifft
from jaxtyping import Array, Complex

# Newton's iteration starts from so many terms, found by a loop: each doubling is a separate part of
# the program, which takes longer to compile than the loop takes to run.
FIRST = 128


def reciprocal(a: Complex[Array, " n"], size: int) -> Complex[Array, " size"]:
    """The first terms of 1/a(x), doubling r <- r - r (a r - 1)."""
    return _padded_reciprocal(a, size)[:size]


def divide(b: Complex[Array, " n"], a: Complex[Array, " n"]) -> Complex[Array, " n"]:
    """b(x) / a(x) modulo x^n; a_0 must not vanish and n must be a power of two.

    Derivatives follow from the linear system, not from the iteration: one division more.
    """

    def multiply(x: Complex[Array, " n"]) -> Complex[Array, " n"]:
        size = 2 * x.shape[0]
        return ifft(fft(a, size) * fft(x, size))[: x.shape[0]]

    fixed = lax.stop_gradient(a)
    spectra = fft(fixed), fft(_padded_reciprocal(fixed, a.shape[0] // 2))
    return lax.custom_linear_solve(
        multiply,
        b,
        solve=lambda _, right: _quotient(right, *spectra),
        transpose_solve=lambda _, right: _quotient(right[::-1], *spectra)[::-1],
    )


def _padded_reciprocal(a: Complex[Array, " n"], size: int) -> Complex[Array, " twice"]:
    """The first terms of 1/a(x), followed by as many zeros.

    The first half of the product a r is known to be 1. A cyclic convolution wraps onto that half
    only, so that transforms of length 2m suffice to double m terms.
    """
    m = min(FIRST, size)
    r = jnp.pad(_substituted(a[:m]), (0, m))
    while m < size:
        spectrum = fft(r)
        excess = _second_half(ifft(fft(a[: 2 * m]) * spectrum))
        correction = ifft(fft(excess) * spectrum)
        # The known terms, the new ones, and zeros for the next step.
        r = jnp.pad(r, (0, 2 * m)) - jnp.pad(correction[:m], (m, 2 * m))
        m *= 2
    return r


def _second_half(values: Complex[Array, " n"]) -> Complex[Array, " n"]:
    """The second half of the values, and zeros behind."""
    half = values.shape[0] // 2
    return jnp.pad(values[half:], (0, half))


def _substituted(a: Complex[Array, " n"]) -> Complex[Array, " n"]:
    """1/a(x) by forward substitution: each term is eliminated from the later equations."""
    size = a.shape[0]
    behind, places = jnp.pad(a, (size, 0)), jnp.arange(size)

    def step(k: Array, left: Array) -> Array:
        term = lax.dynamic_index_in_dim(left, k, keepdims=False, allow_negative_indices=False)
        term = term / a[0]
        column = lax.dynamic_slice_in_dim(behind, size - k, size, allow_negative_indices=False)
        return jnp.where(places == k, term, left - term * column)

    return lax.fori_loop(0, size, step, jnp.where(places == 0, 1.0, 0.0).astype(a.dtype))


def _quotient(
    b: Complex[Array, " n"], a: Complex[Array, " n"], inverse: Complex[Array, " n"]
) -> Complex[Array, " n"]:
    """b / a from the transforms of a and of the first half of 1/a.

    The second half comes from the residual of the first.
    """
    half = b.shape[0] // 2
    places = jnp.arange(b.shape[0])
    first = jnp.where(places < half, b, 0.0)
    head = jnp.where(places < half, ifft(fft(first) * inverse), 0.0)
    residual = _second_half(b - ifft(a * fft(head)))
    tail = ifft(fft(residual) * inverse)
    return head + jnp.pad(tail[:half], (half, 0))
