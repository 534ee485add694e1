r"""Gregory's rule: integrals and convolutions of smooth functions sampled on a uniform grid.

\int_0^{t_n} f(s) ds = h [sum_{j=0}^{n} f_j - sum_{j<p} c_j (f_j + f_{n-j})] + O(h^{p+1}),

the trapezoidal sum with p corrected values at each end. For n < p, where the corrections overlap
the interval, the interpolating polynomials of the first p samples are integrated exactly. All
weights are rational numbers, computed exactly and rounded once.
"""

from fractions import Fraction
from functools import cache
from math import comb, factorial

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Inexact

from bathax._checks import Scalar

# Order 10 gains two digits over 8 on resolved grids; from 12 on, under-resolved grids blow up.
ORDER = 10


@cache
def bernoulli_numbers(count: int) -> tuple[Fraction, ...]:
    """B_0 .. B_{count-1}, with B_1 = -1/2."""
    numbers = [Fraction(1)]
    for m in range(1, count):
        total = sum(comb(m + 1, k) * numbers[k] for k in range(m))
        numbers.append(-Fraction(total) / (m + 1))
    return tuple(numbers)


@cache
def _lagrange_coefficients() -> tuple[tuple[Fraction, ...], ...]:
    """Monomial coefficients of the Lagrange polynomials on the nodes 0 .. p-1."""
    polynomials = []
    for i in range(ORDER):
        coefficients = [Fraction(1)]
        for j in (j for j in range(ORDER) if j != i):
            raised, kept = [Fraction(0), *coefficients], [*coefficients, Fraction(0)]
            coefficients = [(r - j * k) / (i - j) for r, k in zip(raised, kept, strict=True)]
        polynomials.append(tuple(coefficients))
    return tuple(polynomials)


@cache
def end_corrections() -> np.ndarray:
    """c_j: what the sum over j >= 0 exceeds the integral by, for polynomials of degree < p.

    That excess is 1/2 for the constant and zeta(-m) = -B_{m+1}/(m+1) for s^m.
    """
    bernoulli = bernoulli_numbers(ORDER + 1)
    excess = [Fraction(1, 2)] + [-bernoulli[m + 1] / (m + 1) for m in range(1, ORDER)]
    return np.array(
        [
            float(sum(a * e for a, e in zip(row, excess, strict=True)))
            for row in _lagrange_coefficients()
        ]
    )


@cache
def start_integrals() -> np.ndarray:
    """Weights [n, i] of int_0^n over the polynomial through the first p samples."""
    polynomials = _lagrange_coefficients()
    powers = range(ORDER)
    return np.array(
        [
            [
                float(sum(row[a] * Fraction(n ** (a + 1), a + 1) for a in powers))
                for row in polynomials
            ]
            for n in range(ORDER)
        ]
    )


@cache
def start_convolutions() -> np.ndarray:
    """Weights [n, i, j] of int_0^n k(n-s) f(s) ds for the polynomials through k_i and f_j."""
    coefficients = np.array(_lagrange_coefficients(), dtype=object)
    weights = []
    for n in range(ORDER):
        beta = [
            [
                Fraction(n ** (a + b + 1) * factorial(a) * factorial(b), factorial(a + b + 1))
                for b in range(ORDER)
            ]
            for a in range(ORDER)
        ]
        weights.append(coefficients @ np.array(beta, dtype=object) @ coefficients.T)
    return np.array(weights, dtype=float)


@cache
def _overlaps() -> np.ndarray:
    """c_i c_j where i + j = n, as weights [n, i, j] for n up to 2p - 2."""
    c, i = end_corrections(), np.arange(ORDER)
    at = i[:, None] + i[None, :] == np.arange(2 * ORDER - 1)[:, None, None]
    return at * np.outer(c, c)


def _bilinear(weights: np.ndarray, kernels: Array, f: Array) -> Complex[Array, "kernels n"]:
    return jnp.einsum("nij,ki,j->kn", jnp.asarray(weights, f.dtype), kernels, f)


def shifted_sum(
    weights: Inexact[Array, " order"], samples: Inexact[Array, " points"]
) -> Inexact[Array, " points"]:
    """sum_j weights_j samples_{n-j}, with zeros before the first sample."""
    size = samples.shape[0]
    padded = jnp.concatenate([jnp.zeros(len(weights), samples.dtype), samples])
    terms = (w * padded[len(weights) - j :][:size] for j, w in enumerate(weights))
    return sum(terms, jnp.zeros(size, samples.dtype))


def integrate(samples: Inexact[Array, " points"], step: Scalar) -> Inexact[Array, " points"]:
    """The running integral int_0^{t_n} f(s) ds at every grid point."""
    c = jnp.asarray(end_corrections(), samples.dtype)
    head = samples[:ORDER]
    sums = jnp.cumsum(samples) - c @ head - shifted_sum(c, samples)
    sums = sums.at[:ORDER].set(jnp.asarray(start_integrals(), samples.dtype) @ head)
    return sums * step.astype(samples.dtype)


def convolve(
    kernels: Complex[Array, "kernels points"], f: Complex[Array, " points"], step: Scalar
) -> Complex[Array, "kernels points"]:
    """int_0^{t_n} k(t_n - s) f(s) ds at every grid point, for several kernels and one f.

    Since the corrected weights factorise but for their overlap,
    1 - c_i - c_j = (1 - c_i)(1 - c_j) - c_i c_j, one FFT convolution of length 2 points does it,
    and the overlap touches the first 2p - 1 points only.
    """
    size = f.shape[0]
    c = jnp.asarray(end_corrections(), f.dtype)
    trim = jnp.ones(size, f.dtype).at[:ORDER].add(-c)
    spectrum = jnp.fft.fft(trim * f, 2 * size)
    sums = jnp.fft.ifft(jnp.fft.fft(trim[None, :] * kernels, 2 * size) * spectrum[None, :])
    head, f_head = kernels[:, :ORDER], f[:ORDER]
    overlap = _bilinear(_overlaps(), head, f_head)
    sums = sums[:, :size].at[:, : 2 * ORDER - 1].add(-overlap)
    start = _bilinear(start_convolutions(), head, f_head)
    return sums.at[:, :ORDER].set(start) * step.astype(f.dtype)
