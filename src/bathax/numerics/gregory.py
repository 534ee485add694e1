r"""Gregory's rule: integrals and convolutions of smooth functions sampled on a uniform grid.

\int_0^{t_n} f(s) ds = h [sum_{j=0}^{n} f_j - sum_{j<p} c_j (f_j + f_{n-j})] + O(h^{p+1}),

the trapezoidal rule with corrected weights at the p samples next to each end. For n < p the
interval is too short for that, and the polynomial through the first p samples is integrated
exactly. All weights are rational numbers, computed exactly and rounded once.
"""

from fractions import Fraction
from functools import cache
from math import comb, factorial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float, Inexact

from bathax._checks import Scalar
from bathax.numerics.matrices import product

# Order 10 gains two digits over order 8 on resolved grids; from 12 on coarse grids are unstable.
ORDER = 10
# Running sums are formed by blocks, as matrix products, whose derivatives are matrix products too.
BLOCK = 32


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
    """The corrections c_j of Gregory's rule, from its exactness for polynomials of degree < p.

    By Euler-Maclaurin the sum of s^m over s = 0, 1, ... exceeds the integral, at its lower end, by
    1/2 for m = 0 and by zeta(-m) = -B_{m+1}/(m+1) for m > 0. sum_j c_j j^m has to equal that.
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


@cache
def _block_weights() -> np.ndarray:
    """Weights [i, n] of sample i of a block, in three groups of columns n.

    In the running sums within the block (1 for i <= n, less c_{n-i} for the last p samples up to
    n), in those of the next block (-c_{n-i} alone), and in the sum of the whole block.
    """
    i, n = np.arange(BLOCK)[:, None], np.arange(2 * BLOCK)
    corrections = np.pad(end_corrections(), (0, 2 * BLOCK))[np.maximum(n - i, 0)]
    inside = (i <= n) & (n < BLOCK)
    return np.hstack([inside - np.where(i <= n, corrections, 0.0), np.ones((BLOCK, 1))])


@cache
def _start_weights() -> np.ndarray:
    """Weights [i, n] of the first p samples: in the first p integrals, and as corrections c_i."""
    return np.column_stack([start_integrals().T, -end_corrections()])


@cache
def _convolution_start() -> np.ndarray:
    """Weights [i, j, n] of k_i f_j in the first p convolutions, and then in all overlaps."""
    return np.moveaxis(np.concatenate([start_convolutions(), _overlaps()]), 0, 2)


@cache
def _starting_system() -> np.ndarray:
    """Weights [i, n, j] of k_i f_j, for the first p samples of a kernel k and of a solution f.

    There are three groups of rows n. The first p give the convolution (k * f)(t_n), which
    determines the first p values of f. The next p give its sums over trimmed samples, which the
    power-series division has to reproduce. The others are overlaps of corrections from t_p on.
    """
    c, at = end_corrections(), np.arange(ORDER)
    kept = 1.0 - c
    trimmed = (at[:, None] + at == at[:, None, None]) * np.outer(kept, kept)
    return np.concatenate([start_convolutions(), trimmed, _overlaps()[ORDER:]]).swapaxes(0, 1)


def starting_system(
    kernel: Complex[Array, "*matrix order"],
) -> tuple[Complex[Array, "*matrix order order"], Complex[Array, "*matrix more order"]]:
    """Two matrices [n, j] that act on the first p samples f_j; see `_starting_system`."""
    weights = jnp.asarray(_starting_system(), kernel.dtype)
    both = jnp.tensordot(kernel, weights, axes=1)
    return both[..., :ORDER, :], both[..., ORDER:, :]


def trimmed(samples: Inexact[Array, "... points"]) -> Inexact[Array, "... points"]:
    """(1 - c_j) f_j, the samples as they enter a sum corrected at one end."""
    c = jnp.asarray(end_corrections(), samples.dtype)
    kept = 1.0 - jnp.pad(c, (0, samples.shape[-1] - ORDER))
    return samples * kept.reshape((1,) * (samples.ndim - 1) + kept.shape)


def with_start(
    start: Inexact[Array, "... order"], samples: Inexact[Array, "... points"]
) -> Inexact[Array, "... points"]:
    """The samples with the first p replaced."""
    # Elementwise, so that the compiler merges it with what comes before and after.
    size = samples.shape[-1]
    is_start = jnp.arange(size).reshape((1,) * (samples.ndim - 1) + (size,)) < ORDER
    return jnp.where(is_start, extended(start, size), samples)


def extended(samples: Inexact[Array, "... some"], points: int) -> Inexact[Array, "... points"]:
    """The samples, followed by zeros."""
    missing = points - samples.shape[-1]
    return jnp.pad(samples, [(0, 0)] * (samples.ndim - 1) + [(0, missing)])


def integrate(samples: Inexact[Array, "... points"], step: Scalar) -> Inexact[Array, "... points"]:
    """The running integral int_0^{t_n} f(s) ds at every grid point."""
    if samples.ndim > 1:
        return jax.vmap(lambda row: integrate(row, step))(samples)
    rules = (_block_weights(), _start_weights())
    weights, starting = (jnp.asarray(rule, samples.dtype) for rule in rules)
    size, head = samples.shape[0], samples[:ORDER]
    blocks = jnp.pad(samples, (0, -size % BLOCK)).reshape(-1, BLOCK)
    # Contributions of the samples of a block: to itself, to the next block, and to all later ones.
    within, next_, total = jnp.split(blocks @ weights, (BLOCK, 2 * BLOCK), axis=1)
    start = head @ starting
    earlier = _sums_before(total[:, 0]) + start[ORDER]
    sums = earlier[:, None] + within + jnp.pad(next_[:-1], ((1, 0), (0, 0)))
    return with_start(start[:ORDER], sums.ravel()[:size]) * step.astype(samples.dtype)


def _sums_before(values: Inexact[Array, " n"]) -> Inexact[Array, " n"]:
    """The sum of all values before each."""
    size = values.shape[0]
    if size <= 4 * BLOCK:
        return values @ jnp.asarray(np.triu(np.ones((size, size)), 1), values.dtype)
    blocks = jnp.pad(values, (0, -size % BLOCK)).reshape(-1, BLOCK)
    upper = np.hstack([np.triu(np.ones((BLOCK, BLOCK)), 1), np.ones((BLOCK, 1))])
    sums = blocks @ jnp.asarray(upper, values.dtype)
    return (sums[:, :BLOCK] + _sums_before(sums[:, BLOCK])[:, None]).ravel()[:size]


def integrate_damped(
    samples: Float[Array, " points"], exponent: Float[Array, " points"], step: Scalar
) -> Float[Array, " points"]:
    """int_0^{t_n} f(s) e^{G(s) - G(t_n)} ds at every grid point, for samples of f and G.

    With the weights of `integrate`. An associative scan forms the damped sums, so that a large G
    neither overflows nor loses digits. The change of G over 10 points must not overflow.
    """

    def joined(first: tuple[Array, Array], second: tuple[Array, Array]) -> tuple[Array, Array]:
        return first[0] * second[0], first[1] * second[0] + second[1]

    c = jnp.asarray(end_corrections(), samples.dtype)
    damping = jnp.exp(-jnp.diff(exponent, prepend=exponent[:1]))
    sums = lax.associative_scan(joined, (damping, samples))[1]
    since_start = jnp.exp(exponent[None, :ORDER] - exponent[:, None])
    head = samples[:ORDER]
    # The last p samples, damped over 0 .. p - 1 steps.
    ends, late = jnp.zeros_like(samples), samples
    for weight in end_corrections():
        ends = ends + weight * late
        late = damping * jnp.concatenate([jnp.zeros(1, samples.dtype), late[:-1]])
    sums = sums - since_start @ (c * head) - ends
    start = jnp.asarray(start_integrals(), samples.dtype) * since_start[:ORDER]
    return step * sums.at[:ORDER].set(start @ head)


def convolve(
    k: Complex[Array, "*left points"], f: Complex[Array, "*right points"], step: Scalar
) -> Complex[Array, "*both points"]:
    """int_0^{t_n} k(t_n - s) f(s) ds at every grid point, for numbers or for matrices.

    The corrected weights factorise up to an overlap, 1 - c_i - c_j = (1 - c_i)(1 - c_j) - c_i c_j.
    The first term is one FFT convolution of length 2 points; the overlap contributes to the first
    2p - 1 points only.
    """
    size = f.shape[-1]
    spectra = [jnp.fft.fft(extended(trimmed(samples), 2 * size)) for samples in (k, f)]
    sums = jnp.fft.ifft(product(*spectra))[..., :size]
    early, late = (samples[..., :ORDER] for samples in (k, f))
    # All products k_i f_j, i before j.
    heads = product(jnp.repeat(early, ORDER, axis=-1), jnp.tile(late, ORDER))
    weights = _convolution_start().reshape(ORDER**2, -1)
    start = heads @ jnp.asarray(weights, f.dtype)
    overlaps = extended(start[..., ORDER:], size)
    return with_start(start[..., :ORDER], sums - overlaps) * step.astype(f.dtype)


def running_weights(points: int) -> Float[Array, "points points"]:
    """Weights [n, j] of the running integral to t_n, for a step of 1.

    They vanish for j > n, but for the first p integrals, which use the first p samples.
    """
    return jax.vmap(lambda samples: integrate(samples, jnp.ones(())), 1, 1)(jnp.eye(points))
