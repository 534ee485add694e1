"""Special functions that JAX lacks, with accurate derivatives.

The exponential integral, the Hurwitz zeta function and the Bessel function of order one. Each is
a fixed number of elementary operations on every element, so that all of them run vectorised under
`jit` and `vmap`; each carries its analytic derivative, so that no derivative passes through the
branch of a `where` that was not taken and reverse mode stores no intermediate sums.
"""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array, ArrayLike, Bool, Complex, Float

from bathax import _loops
from bathax.numerics.elementary import horner, power

# Exponential integral: the power series serves inside the parabola |z| + Re z < 4, where neither
# its cancellation (a factor e^{|z| + Re z}) nor the slowness of the continued fraction (an error
# e^{-4 sqrt(n (|z| + Re z) / 2)} after n terms) is felt; the asymptotic series serves outside the
# circle, where its smallest term e^{-|z|} is below the rounding error.
_PARABOLA, _CIRCLE = 4.0, 40.0
_SERIES_TERMS, _FRACTION_TERMS, _ASYMPTOTIC_TERMS = 130, 45, 40

# Hurwitz zeta function: terms of the even series of the block, and Bernoulli terms of the tail.
_BLOCK_TERMS, _TAIL_TERMS = 34, 16

# Bessel functions: where Hankel's expansion takes over, and the order at which recursion starts.
_HANKEL_FROM, _HANKEL_TERMS, _FIRST_ORDER = 25.0, 22, 70


# --- exponential integral -------------------------------------------------------------------


@jax.jit
def expint1(z: ArrayLike) -> Complex[Array, "..."]:
    """Exponential integral E_1(z) = ∫_z^∞ e^{-t}/t dt, principal branch.

    The cut is the negative real axis; on it the sign of the zero imaginary part tells the side,
    E_1(-q ± i0) = -Ei(q) ∓ iπ, and a real argument counts as the upper side. The error is below
    1e-14 of the modulus. For large |z| the value follows e^{-z}/z: it underflows to zero on the
    right and overflows to infinity left of Re z = -716, where `scaled_expint1` stays finite.
    E_1(0) is infinite. The derivative is -e^{-z}/z.
    """
    return _expint1(jnp.asarray(z, complex))


@jax.jit
def scaled_expint1(z: ArrayLike) -> Complex[Array, "..."]:
    """Scaled exponential integral e^z E_1(z) = ∫_0^∞ e^{-t}/(t + z) dt, which never overflows.

    Branch and accuracy are those of `expint1`; it falls off like 1/z, and is not finite at 0. The
    derivative is e^z E_1(z) - 1/z, a difference that loses a factor |z| of accuracy, once per
    order, up to |z| = 40: there 2e-13 is left of the first derivative, 5e-12 of the second.
    """
    return _scaled_expint1(jnp.asarray(z, complex))


@jax.custom_jvp
def _expint1(z: Complex[Array, "..."]) -> Complex[Array, "..."]:
    scaled = _outer(z)
    # Near overflow the product of e^{-z} and a small number is formed in the exponent.
    product = jnp.where(z.real < -700.0, jnp.exp(jnp.log(scaled) - z), jnp.exp(-z) * scaled)
    return jnp.where(_is_inner(z), _power_series(z), product)


@_expint1.defjvp
def _expint1_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    (z,), (dz,) = primals, tangents
    return _expint1(z), -jnp.exp(-z) / z * dz


@jax.custom_jvp
def _scaled_expint1(z: Complex[Array, "..."]) -> Complex[Array, "..."]:
    inner = _is_inner(z)
    return jnp.where(inner, jnp.exp(jnp.where(inner, z, 0.0)) * _power_series(z), _outer(z))


@_scaled_expint1.defjvp
def _scaled_expint1_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    (z,), (dz,) = primals, tangents
    value = _scaled_expint1(z)
    # The difference loses a factor |z| of accuracy: differentiate the series as soon as it serves.
    far = jnp.abs(z) > _CIRCLE
    outside, within = jnp.where(far, z, _CIRCLE), jnp.where(far, 1.0, z)
    _, slope = jax.jvp(_asymptotic_series, (outside,), (jnp.ones_like(z),))
    return value, jnp.where(far, slope, value - 1.0 / within) * dz


def _is_inner(z: Complex[Array, "..."]) -> Bool[Array, "..."]:
    return (jnp.abs(z) + z.real < _PARABOLA) & (jnp.abs(z) <= _CIRCLE)


def _power_series(z: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """E_1(z) = -γ - log z - sum_{k>=1} (-z)^k / (k k!); meaningless outside `_is_inner`."""
    z = jnp.where(_is_inner(z), z, 1.0)
    terms = [-((-1.0) ** k) / (k * math.factorial(k)) for k in range(1, _SERIES_TERMS)]
    return z * horner(terms, z) - np.euler_gamma - jnp.log(z)


def _outer(z: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """e^z E_1(z) outside `_is_inner`; meaningless inside."""
    far = jnp.abs(z) > _CIRCLE
    near = ~far & ~_is_inner(z)
    asymptotic = _asymptotic_series(jnp.where(far, z, _CIRCLE)) + _cut_term(z)
    return jnp.where(far, asymptotic, _continued_fraction(jnp.where(near, z, _CIRCLE)))


def _continued_fraction(z: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """e^z E_1(z) = 1/(z + 1 - 1/(z + 3 - 4/(z + 5 - 9/(z + 7 - ...))))."""

    def step(i: Array, tail: Array) -> Array:
        k = jnp.asarray(_FRACTION_TERMS - i, z.dtype)
        return z + (2.0 * k - 1.0) - k * k / tail

    return 1.0 / _loops.fori_loop(0, _FRACTION_TERMS, step, z + (2.0 * _FRACTION_TERMS + 1.0))


def _asymptotic_series(z: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """e^z E_1(z) ~ (1/z) sum_k k! (-1/z)^k."""
    u = 1.0 / z
    return u * horner([(-1.0) ** k * math.factorial(k) for k in range(_ASYMPTOTIC_TERMS)], u)


def _cut_term(z: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """∓iπ e^z on the two sides of the cut, which the asymptotic series does not distinguish."""
    on_cut = (z.imag == 0.0) & (z.real < 0.0)
    side = jnp.where(on_cut, jnp.copysign(math.pi, z.imag), 0.0)
    decay = jnp.exp(jnp.where(on_cut, z.real, 0.0))
    return lax.complex(jnp.zeros_like(side), -side * decay)


# --- Hurwitz zeta function ------------------------------------------------------------------


@jax.jit
def hurwitz_zeta(s: ArrayLike, a: ArrayLike) -> Complex[Array, "..."]:
    """Hurwitz zeta function ζ(s, a) = sum_{k>=0} (a + k)^{-s}.

    For real s > 1 and Re a >= 1, broadcast against each other. The relative error is below 1e-14
    for s <= 5 and |Im a| <= 1e6, and 2e-14 for s <= 8. It grows beyond, and as Re a falls below 1,
    where ζ(s, a) = a^{-s} + ζ(s, a + 1) restores it. Infinite at s = 1, meaningless for Re a < 0.
    Differentiable in both arguments, with ∂ζ/∂a = -s ζ(s + 1, a).

    Euler-Maclaurin summation from w = a + 6 on. The terms before it would cost a power each, but
    the five at a + 1, ..., a + 5 are one power of their centre c = a + 3, times a series in 1/c²:

        ζ(s, a) = a^{-s} + sum_{|d|<=2} (c + d)^{-s} + w^{-s} (w/(s-1) + 1/2 + Bernoulli terms).

    An `s` with few dimensions should not be broadcast: what depends on `s` alone is computed once.
    """
    s, a = jnp.asarray(s, float), jnp.asarray(a, complex)
    rank = max(s.ndim, a.ndim)
    return _zeta(*(x.reshape((1,) * (rank - x.ndim) + x.shape) for x in (s, a)))


@jax.custom_jvp
def _zeta(s: Float[Array, "..."], a: Complex[Array, "..."]) -> Complex[Array, "..."]:
    return _euler_maclaurin(s, a)


@partial(_zeta.defjvp, symbolic_zeros=True)
def _zeta_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    # Slopes along unit tangents: reverse mode stores these alone, not the terms of the sums. All
    # three differentiate the same sum, so that the compiler computes its powers once.
    (s, a), (ds, da) = primals, tangents
    value, tangent = _zeta(s, a), jnp.zeros_like(s * a.real, a.dtype)
    if not isinstance(ds, SymbolicZero):
        _, slope = jax.jvp(lambda s: _euler_maclaurin(s, a), (s,), (jnp.ones_like(s),))
        tangent += slope * ds.astype(a.dtype)
    if not isinstance(da, SymbolicZero):
        _, slope = jax.jvp(lambda a: _euler_maclaurin(s, a), (a,), (jnp.ones_like(a),))
        tangent += slope * da
    return value, tangent


def _euler_maclaurin(s: Float[Array, "..."], a: Complex[Array, "..."]) -> Complex[Array, "..."]:
    rising = _rising_factorials(2 * max(_BLOCK_TERMS, _TAIL_TERMS), s)
    c, w = a + 3.0, a + 6.0
    tail = w * (1.0 / (s - 1.0)).astype(a.dtype) + 0.5 + _bernoulli_terms(rising, w)
    return power(a, -s) + power(c, -s) * _block_series(rising, c) + power(w, -s) * tail


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _rising_factorials(count: int, s: Float[Array, "..."]) -> Float[Array, "count ..."]:
    """(s)_m / m! = s (s+1) ... (s+m-1) / m! along a new leading axis, m = 0, 1, ..., count - 1."""
    m = _leading_range(count, s)
    return jnp.prod(_up_to((s[None] + m) / (m + 1.0), 1.0), axis=1)


@_rising_factorials.defjvp
def _rising_factorials_jvp(count: int, primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    (s,), (ds,) = primals, tangents
    value = _rising_factorials(count, s)
    inverses = 1.0 / (s[None] + _leading_range(count, s))
    return value, value * jnp.sum(_up_to(inverses, 0.0), axis=1) * ds[None]


def _up_to(values: Float[Array, "count ..."], beyond: float) -> Float[Array, "count count ..."]:
    """Row k has the values before k, and `beyond` from k on: the factors of running products."""
    before = np.tri(len(values), k=-1, dtype=bool).reshape(
        (-1, len(values)) + (1,) * (values.ndim - 1)
    )
    return jnp.where(before, values[None], beyond)


def _leading_range(count: int, like: Array) -> Array:
    """0, 1, ..., count - 1 along a new leading axis."""
    return jnp.arange(count, dtype=like.dtype).reshape((-1,) + (1,) * like.ndim)


def _block_series(rising: Array, c: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """sum_{d=-2}^{2} (1 + d/c)^{-s} = sum_j (s)_{2j}/(2j)! (sum_d d^{2j}) c^{-2j}."""
    moments = np.array([5.0] + [2.0 + 2.0 * 4.0**j for j in range(1, _BLOCK_TERMS)])
    u = 1.0 / c
    return _real_series(_leading(moments, rising) * rising[: 2 * _BLOCK_TERMS : 2], u * u)


def _bernoulli_terms(rising: Array, w: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """sum_{k>=1} B_{2k}/(2k) (s)_{2k-1}/(2k-1)! w^{1-2k}."""
    u = 1.0 / w
    numbers = np.array(_BERNOULLI) / (2.0 * np.arange(1, _TAIL_TERMS + 1))
    return u * _real_series(_leading(numbers, rising) * rising[1 : 2 * _TAIL_TERMS : 2], u * u)


def _leading(values: np.ndarray, like: Array) -> np.ndarray:
    """The values along the first axis of an array."""
    return values.reshape((-1,) + (1,) * (like.ndim - 1))


@jax.custom_jvp
def _real_series(c: Float[Array, "terms ..."], x: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """sum_k c_k x^k = c_0 + x b_1 - |x|² b_2 with b_k = c_k + 2 Re x b_{k+1} - |x|² b_{k+2}.

    For real c all b_k are real: half the work of Horner's scheme, and as accurate for |x| << 1.
    """
    double, square = 2.0 * x.real, x.real * x.real + x.imag * x.imag
    first, *others = (lax.index_in_dim(c, k, keepdims=False) for k in range(len(c)))
    here = after = jnp.zeros_like(double)
    for term in reversed(others):
        here, after = term + double * here - square * after, here
    return lax.complex(first + x.real * here - square * after, x.imag * here)


@partial(_real_series.defjvp, symbolic_zeros=True)
def _real_series_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    (c, x), (dc, dx) = primals, tangents
    value, tangent = _real_series(c, x), jnp.zeros_like(c[0] * x.real, x.dtype)
    if not isinstance(dc, SymbolicZero):
        tangent += _real_series(dc, x)
    if not isinstance(dx, SymbolicZero):
        k = _leading_range(len(c), c[0])
        tangent += _real_series((k * c)[1:], x) * dx
    return value, tangent


# B_2, B_4, ..., B_32.
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
_BERNOULLI += (43867 / 798, -174611 / 330, 854513 / 138, -236364091 / 2730, 8553103 / 6)
_BERNOULLI += (-23749461029 / 870, 8615841276005 / 14322, -7709321041217 / 510)


# --- Bessel functions -----------------------------------------------------------------------


@jax.jit
def bessel_j1(x: ArrayLike) -> Float[Array, "..."]:
    """Bessel function J_1(x) = (1/π) ∫_0^π cos(θ - x sin θ) dθ.

    For any real x (it is odd), with an absolute error below 1e-15; its derivative is
    J_1(x)/x - J_2(x). Not a number at infinite x.
    """
    x = jnp.asarray(x, float)
    return 0.5 * x * _reduced_bessel(1, x)


@jax.jit
def jinc(x: ArrayLike) -> Float[Array, "..."]:
    """jinc(x) = 2 J_1(x)/x, with jinc(0) = 1.

    For any real x (it is even), with an absolute error below 1e-15 and, up to the first zero, a
    small relative one; its derivative is -2 J_2(x)/x. Not a number at infinite x.
    """
    return _reduced_bessel(1, jnp.asarray(x, float))


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _reduced_bessel(n: int, x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Λ_n(x) = n! (2/x)^n J_n(x), even and entire, with Λ_n(0) = 1."""
    small = jnp.abs(x) < _HANKEL_FROM
    return jnp.where(
        small,
        _downward_recursion(n, jnp.where(small, x, 0.0)),
        _hankel_expansion(n, jnp.where(small, _HANKEL_FROM, jnp.abs(x))),
    )


@_reduced_bessel.defjvp
def _reduced_bessel_jvp(n: int, primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    # Λ_n' = -x Λ_{n+1} / (2 (n + 1)) closes among the Λ, so every order of derivative is exact.
    (x,), (dx,) = primals, tangents
    return _reduced_bessel(n, x), -x / (2.0 * (n + 1)) * _reduced_bessel(n + 1, x) * dx


def _downward_recursion(n: int, x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Miller's algorithm: Λ_{m-1} = Λ_m - y Λ_{m+1} / (m (m+1)) with y = x²/4.

    Started anywhere far above |x|, it finds Λ up to a factor, which
    1 = J_0 + 2 sum_{k>=1} J_{2k} = -Λ_0 + 2 sum_{k>=0} y^k/(2k)! Λ_{2k} gives.
    """
    y = 0.25 * x * x
    above = here = total = jnp.ones_like(x)
    wanted = here
    for m in range(_FIRST_ORDER, 0, -1):
        here, above = here - y / (m * (m + 1)) * above, here
        wanted = here if m - 1 == n else wanted
        total = here + y / (m * (m + 1)) * total if m % 2 else total
    return wanted / (2.0 * total - here)


def _hankel_expansion(n: int, x: Float[Array, "..."]) -> Float[Array, "..."]:
    """J_n(x) = sqrt(2/(πx)) Re[e^{i(x - nπ/2 - π/4)} sum_k a_k(n) (i/x)^k], as Λ_n.

    The phase is added by rotation, so that a large x loses no digits.
    """
    a = [1.0]
    for k in range(1, _HANKEL_TERMS):
        a.append(a[-1] * (4 * n * n - (2 * k - 1) ** 2) / (8 * k))
    series = horner(a, lax.complex(jnp.zeros_like(x), 1.0 / x))
    wave = lax.complex(jnp.cos(x), jnp.sin(x)) * ((1.0 - 1.0j) * (-1.0j) ** n)
    return math.factorial(n) * (2.0 / x) ** n * (wave * series).real / jnp.sqrt(math.pi * x)


def positive_root(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """The square root, 0 with derivative 0 where x <= 0."""
    outside = x <= 0.0  # false for NaN, which has to stay
    return jnp.where(outside, 0.0, jnp.sqrt(jnp.where(outside, 1.0, x)))
