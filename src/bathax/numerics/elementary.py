"""Polynomials, complex powers, roots, logarithms and phase factors, vectorised.

On the CPU the complex logarithm and exponential of XLA call scalar arctangent, sine and cosine. The
polynomials below are several times faster, and reverse mode stores one number per element.
"""

import math
from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array, Complex, Float, Inexact

# (sin x / x - 1) / x^2 as a polynomial of x^2, which interpolates it at the Chebyshev nodes of
# |x| < π/2: sin x is exact to 1.3e-18 with these.
SINE = (
    -0.16666666666666666633,
    0.0083333333333333158688,
    -0.00019841269841254973769,
    2.7557319219163233416e-6,
    -2.5052107616996182891e-8,
    1.6058977312464087621e-10,
    -7.6439702967985720524e-13,
    2.7314447669863993424e-15,
)


def horner(coefficients: Sequence[Array | float], x: Array) -> Array:
    """The polynomial sum_k c_k x^k; coefficients of x's type or Python numbers."""
    total = jnp.zeros_like(x)
    for c in reversed(coefficients):
        total = c + x * total
    return total


def power(w: Complex[Array, "..."], exponent: Float[Array, "..."]) -> Complex[Array, "..."]:
    """w^exponent for Re w > 0 and a real exponent."""
    return exponential(exponent.astype(w.dtype) * _log(w))


def decay(z: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
    """e^{-z} where a program is to be small: `exponential` runs faster, and compiles longer.

    `jnp.exp` of complex numbers takes two real exponentials, against overflow.
    """
    size = jnp.exp(-z.real)
    if not jnp.iscomplexobj(z):
        return size
    return lax.complex(size * jnp.cos(z.imag), -size * jnp.sin(z.imag))


@jax.custom_jvp
def damped_power(x: Inexact[Array, "..."], exponent: Float[Array, ""]) -> Inexact[Array, "..."]:
    """x^exponent e^{-x}, whose derivatives need no further power."""
    return x ** exponent.astype(x.dtype) * decay(x)


@partial(damped_power.defjvp, symbolic_zeros=True)
def _damped_power_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    (x, exponent), (dx, d_exponent) = primals, tangents
    value = damped_power(x, exponent)
    rate = jnp.zeros_like(x)
    if not isinstance(dx, SymbolicZero):
        rate += (exponent.astype(x.dtype) / x - 1.0) * dx
    if not isinstance(d_exponent, SymbolicZero):
        rate += jnp.log(x) * d_exponent.astype(x.dtype)
    return value, value * rate


@jax.custom_jvp
def reciprocal(w: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """1 / w by real divisions, which are faster, for 1e-150 < |w| < 1e150."""
    square = w.real**2 + w.imag**2
    return lax.complex(w.real / square, -w.imag / square)


@reciprocal.defjvp
def _reciprocal_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    (w,), (dw,) = primals, tangents
    inverse = reciprocal(w)
    return inverse, -(inverse * inverse) * dw


@jax.custom_jvp
def square_root(w: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """sqrt w, a smaller program than `jnp.sqrt`.

    The cut is the negative real axis; on it the sign of the zero imaginary part tells the side.
    """
    larger = jnp.sqrt(0.5 * (jnp.abs(w) + jnp.abs(w.real)))
    smaller = 0.5 * w.imag / jnp.where(larger > 0.0, larger, 1.0)
    right = w.real >= 0.0
    return lax.complex(
        jnp.where(right, larger, jnp.abs(smaller)),
        jnp.where(right, smaller, jnp.copysign(larger, w.imag)),
    )


@square_root.defjvp
def _square_root_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    (w,), (dw,) = primals, tangents
    root = square_root(w)
    return root, 0.5 * dw / root


@jax.custom_jvp
def logarithm(w: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """log w to 2e-16 times 1 + |log w|, a smaller program than `jnp.log`."""
    return lax.complex(jnp.log(jnp.abs(w)), jnp.arctan2(w.imag, w.real))


@logarithm.defjvp
def _logarithm_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    (w,), (dw,) = primals, tangents
    return logarithm(w), dw / w


@jax.custom_jvp
def phase_factor(angle: Float[Array, "..."]) -> Complex[Array, "..."]:
    """e^{i angle}, to 2e-16 for |angle| < 1e6, and 2e-16 times the angle beyond."""
    return lax.complex(_sine(angle, 1.0), _sine(angle, 0.0))


@phase_factor.defjvp
def _phase_factor_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    (angle,), (d_angle,) = primals, tangents
    value = phase_factor(angle)
    return value, value * lax.complex(jnp.zeros_like(d_angle), d_angle)


@jax.custom_jvp
def _log(w: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """log w for Re w > 0."""
    size = jnp.sqrt(w.real * w.real + w.imag * w.imag)
    return lax.complex(jnp.log(size), _angle(w.real, w.imag, size))


@_log.defjvp
def _log_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    (w,), (dw,) = primals, tangents
    return _log(w), dw / w


def _angle(x: Array, y: Array, size: Array) -> Array:
    """arg(x + iy) for x > 0: three half-angle steps, then the series of the arctangent."""
    t = y / (x + size)
    for _ in range(2):
        t = t / (1.0 + jnp.sqrt(1.0 + t * t))
    return 8.0 * t * horner([(-1.0) ** k / (2 * k + 1) for k in range(12)], t * t)


@jax.custom_jvp
def exponential(z: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """e^z to 2e-16 for |Im z| < 1e6, and 2e-16 times |Im z| beyond."""
    size = jnp.exp(z.real)
    return lax.complex(size * _sine(z.imag, 1.0), size * _sine(z.imag, 0.0))


@exponential.defjvp
def _exponential_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    (z,), (dz,) = primals, tangents
    value = exponential(z)
    return value, value * dz


def exponential_parts(z: Complex[Array, "..."]) -> Float[Array, "2 ..."]:
    """The real and the imaginary part of e^z, as one array."""
    quarters = np.array([1.0, 0.0]).reshape(2, *(1,) * z.ndim)
    return jnp.exp(z.real)[None] * _sine(z.imag[None], quarters)


def exprel(x: Complex[Array, "..."], power: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """(e^x - 1) / x for Re x <= 0, where e^x is known."""
    small = jnp.abs(x) < 1e-2
    series = 1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 * (1.0 + x / 6.0))))
    return jnp.where(small, series, (power - 1.0) / jnp.where(small, jnp.ones((), x.dtype), x))


def _sine(phase: Array, quarter: np.ndarray | float) -> Array:
    """sin(phase + quarter π/2) to one unit in the last place, from the nearest zero."""
    zero = jnp.round(phase * (1.0 / math.pi) + 0.5 * quarter)
    turns = 2.0 * zero - quarter
    # π/2 in two parts: the product with the first, of 33 bits, is exact.
    x = (phase - turns * 1.57079632673412561417e00) - turns * 6.07710050650619224932e-11
    square = x * x
    rest = horner(SINE, square)
    is_odd = zero - 2.0 * jnp.floor(0.5 * zero)
    return (1.0 - 2.0 * is_odd) * (x + x * (square * rest))


def positive_part(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """x where it is not negative, else 0; at 0 with the derivative from above, which is 1."""
    return jnp.where(x >= 0.0, x, 0.0)
