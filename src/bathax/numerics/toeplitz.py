"""Lower-triangular Toeplitz systems as power-series division: Newton doubling with FFTs.

A lower-triangular Toeplitz matrix with first column a acts as multiplication by the power series
a(x) modulo x^n, so that solving with it is dividing by a(x). Sizes are powers of two.
"""

import jax.numpy as jnp
from jax import lax
from jax.numpy.fft import fft, ifft
from jaxtyping import Array, Complex


def triangle(column: Complex[Array, " n"]) -> Complex[Array, "n n"]:
    """The lower-triangular Toeplitz matrix with this first column."""
    lag = jnp.arange(column.shape[0])
    lag = lag[:, None] - lag[None, :]
    return jnp.where(lag >= 0, column[lag], jnp.zeros((), column.dtype))


def reciprocal(a: Complex[Array, " n"], size: int) -> Complex[Array, " size"]:
    """The first terms of 1/a(x), doubling r <- r - r (a r - 1).

    The product a r is known to be 1 in its first half, so that a cyclic convolution, which wraps
    onto that half only, is enough: transforms of length 2m double m terms.
    """
    m, r = 1, 1.0 / a[:1]
    while m < size:
        spectrum = fft(r, 2 * m)
        excess = ifft(fft(a[: 2 * m]) * spectrum)[m:]
        correction = ifft(fft(excess, 2 * m) * spectrum)[:m]
        r = jnp.concatenate([r, -correction])
        m *= 2
    return r


def divide(b: Complex[Array, " n"], a: Complex[Array, " n"]) -> Complex[Array, " n"]:
    """b(x) / a(x) modulo x^n; a_0 must not vanish and n must be a power of two.

    Derivatives follow from the linear system, not from the iteration: one division more.
    """

    def multiply(x: Complex[Array, " n"]) -> Complex[Array, " n"]:
        size = 2 * x.shape[0]
        return ifft(fft(a, size) * fft(x, size))[: x.shape[0]]

    fixed = lax.stop_gradient(a)
    inverse = reciprocal(fixed, a.shape[0] // 2)
    return lax.custom_linear_solve(
        multiply,
        b,
        solve=lambda _, right: _quotient(right, fixed, inverse),
        transpose_solve=lambda _, right: _quotient(right[::-1], fixed, inverse)[::-1],
    )


def _quotient(
    b: Complex[Array, " n"], a: Complex[Array, " n"], inverse: Complex[Array, " half"]
) -> Complex[Array, " n"]:
    """b / a from the first half of 1/a: the second half comes from the residual of the first."""
    n = b.shape[0]
    half = n // 2
    spectrum = fft(inverse, n)
    head = ifft(fft(b[:half], n) * spectrum)[:half]
    residual = b[half:] - ifft(fft(a) * fft(head, n))[half:]
    tail = ifft(fft(residual, n) * spectrum)[:half]
    return jnp.concatenate([head, tail])
