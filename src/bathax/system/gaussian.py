"""Gaussian states of one mode from their moments alpha, N = <da'da>, M = <da da>."""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Complex

from bathax import _loops
from bathax._checks import Scalar
from bathax.numerics.elementary import positive_part

# A state is pure if N (N + 1) - |M|^2 is below this fraction of N (N + 1).
PURE = 16.0 * jnp.finfo(float).eps


def entropy(excess: Scalar, squeezing: Scalar, transmission: Scalar, noise: Scalar) -> Scalar:
    """S = (n + 1) ln(n + 1) - n ln n with (n + 1/2)^2 = (|u|^2 N + v + 1/2)^2 - |u|^4 |M|^2.

    `squeezing` is |M|^2. n is found without cancellation from

    n (n + 1) = v (v + 1) + |u|^2 N (2 v + 1 - |u|^2) + |u|^4 [N (N + 1) - |M|^2];

    The bracket vanishes for a pure state; where it is below rounding it is taken to be zero.
    """
    tiny, number = jnp.finfo(float).tiny, excess * (excess + 1.0)
    mixed = number - squeezing
    mixed = jnp.where(mixed > PURE * number, mixed, 0.0)
    gained = transmission * excess * positive_part(2.0 * noise + 1.0 - transmission)
    product = jnp.maximum(noise * (noise + 1.0) + gained + transmission**2 * mixed, tiny)
    n = 2.0 * product / (1.0 + jnp.sqrt(1.0 + 4.0 * product))
    return (n + 1.0) * jnp.log1p(n) - n * jnp.log(n)


def density_matrix(
    alpha: Complex[Array, ""], excess: Scalar, anomalous: Complex[Array, ""], levels: int
) -> Complex[Array, "levels levels"]:
    r"""<m|rho|n>, row by row from the generating function of the Husimi distribution.

    sum_{mn} rho_{mn} x^m y^n / sqrt(m! n!) = p exp[(A x^2 + A* y^2)/2 + B x y + C x + C* y] with
    D = (N+1)^2 - |M|^2, A = M/D, B = 1 - (N+1)/D, C = [(N+1) alpha - M alpha*]/D gives
    sqrt(m+1) rho_{m+1,n} = A sqrt(m) rho_{m-1,n} + B sqrt(n) rho_{m,n-1} + C rho_{m,n}.
    """
    husimi = (excess + 1.0).astype(complex)
    d = husimi**2 - anomalous * anomalous.conj()
    a, b = anomalous / d, 1.0 - husimi / d
    c = (husimi * alpha - anomalous * alpha.conj()) / d
    overlap = husimi * alpha * alpha.conj() - (anomalous.conj() * alpha**2).real.astype(complex)
    vacuum = jnp.exp(-overlap / d) / jnp.sqrt(d)
    roots = jnp.sqrt(jnp.arange(levels, dtype=complex))

    def next_row(row: Array) -> Array:
        shifted = jnp.concatenate([jnp.zeros(1, complex), row[:-1]])
        return b * roots * shifted + c * row

    first = _ladder(vacuum, a.conj(), lambda element: c.conj() * element, levels)
    return _ladder(first, a, next_row, levels)


def _ladder(first: Array, coupling: Array, step: Callable[[Array], Array], levels: int) -> Array:
    """x_0 = first, sqrt(m+1) x_{m+1} = coupling sqrt(m) x_{m-1} + step(x_m), stacked."""

    def climb(pair: tuple[Array, Array], m: Array) -> tuple[tuple[Array, Array], Array]:
        below, here = pair
        root = jnp.sqrt(m).astype(complex)
        above = (coupling * root * below + step(here)) / jnp.sqrt(m + 1.0).astype(complex)
        return (here, above), here

    return _loops.scan(climb, (jnp.zeros_like(first), first), jnp.arange(levels, dtype=float))[1]
