r"""The exact map of the cavity: pure loss followed by a quantum-limited amplifier (AHZ Eq. 16).

The reservoirs act as a(t) = u a(0) + noise with <noise' noise> = v. Written as a loss with
transmission Om = |u|^2 / (1 + v) and an amplifier of gain 1 + v, all terms are positive:

p_n = sum_k q_k C(n, k) G^{k+1} x^{n-k},    q_k = sum_m p_m(0) C(m, k) Om^k (1 - Om)^{m-k},

with G = 1/(1 + v), x = v/(1 + v). Off the diagonal the binomials become geometric means.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from bathax._checks import Scalar
from bathax.numerics.quadrature import counting_rule

# Populations below this add nothing to an entropy; second derivatives of the logarithm stay finite.
SMALLEST = 1e-120
# n^32 is within range at any n that is summed.
BLOCK = 32


def _log_binomials(n: np.ndarray, dimension: int) -> np.ndarray:
    """log C(n, k) for real n >= 0 and k below the dimension, -inf where n < k.

    As a sum over factors: differences of log-gamma functions lose digits at large n.
    """
    with np.errstate(divide="ignore"):
        factors = [np.log(np.maximum(n - j, 0.0) / (j + 1)) for j in range(dimension - 1)]
    return np.cumsum([np.zeros_like(n), *factors], axis=0).T


def lossy_populations(initial: Float[Array, " d"], loss: Scalar) -> Float[Array, " d"]:
    """q_k after a loss with transmission 1 - loss."""
    dimension = initial.shape[0]
    levels = np.arange(dimension)
    binomials = jnp.asarray(np.exp(_log_binomials(levels.astype(float), dimension)))
    lost = np.maximum(levels[:, None] - levels[None, :], 0)
    return (initial @ (binomials * _powers(loss, lost))) * _powers(1.0 - loss, levels)


def amplified_populations(
    q: Float[Array, " d"], noise: Scalar, levels: np.ndarray
) -> Float[Array, " levels"]:
    """p_n of the amplified state at increasing levels, which may be real numbers far up.

    Low levels, whole numbers, are formed from powers, whose derivative is exact at noise = 0, the
    others from logarithms, where binomials would overflow.
    """
    low = int(np.argmax(np.append((levels % 1 != 0) | (levels >= q.shape[0] + 32), True)))
    parts = [_near_ground(q, noise, levels[:low]), _far_up(q, noise, levels[low:])]
    return jnp.concatenate(parts)


def _powers(x: Scalar, exponents: np.ndarray) -> Array:
    """x^n for an array of n = 0, 1, ..., each computed once."""
    return _power(x, jnp.arange(exponents.max(initial=0) + 1.0))[exponents]


@jax.custom_jvp
def _power(x: Scalar, n: Array) -> Array:
    """x^n for n = 0, 1, ...; unlike `x**n` it has right derivatives at x = 0."""
    return x**n


@_power.defjvp
def _power_jvp(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple:
    x, n = primals
    return _power(x, n), n * _power(x, jnp.maximum(n - 1.0, 0.0)) * tangents[0]


def _near_ground(q: Float[Array, " d"], noise: Scalar, levels: np.ndarray) -> Array:
    k = np.arange(q.shape[0])
    gained = np.maximum(levels[:, None] - k[None, :], 0).astype(int)
    binomials = jnp.asarray(np.exp(_log_binomials(levels, q.shape[0])))
    x, gain = noise / (1.0 + noise), 1.0 / (1.0 + noise)
    return (binomials * _powers(x, gained)) @ (q * _powers(gain, k + 1))


def _far_up(q: Float[Array, " d"], noise: Scalar, levels: np.ndarray) -> Array:
    """As many k at a time as binomials relative to the last of them stay within range."""
    noisy = noise > 0.0
    noise = jnp.where(noisy, noise, 1.0)
    log_x, log_gain = -jnp.log1p(1.0 / noise), -jnp.log1p(noise)
    binomials, total = _log_binomials(levels, q.shape[0]), jnp.zeros(levels.shape)
    for start in range(0, q.shape[0], BLOCK):
        k = np.arange(start, min(start + BLOCK, q.shape[0]))
        last, scale = k[-1], binomials[:, k[-1]]
        relative = jnp.asarray(np.exp(binomials[:, k] - scale[:, None]))
        exponent = (levels - last) * log_x + (last + 1.0) * log_gain + scale
        total += jnp.exp(exponent) * (relative @ (q[k] * _powers(noise, last - k)))
    return jnp.where(noisy, total, 0.0)


def populations(
    initial: Float[Array, " d"], transmission: Scalar, noise: Scalar, levels: np.ndarray
) -> Float[Array, " levels"]:
    """p_n at the given levels for an initial mixture of Fock states; transmission is |u|^2."""
    loss = jnp.maximum(1.0 - transmission / (1.0 + noise), 0.0)
    return amplified_populations(lossy_populations(initial, loss), noise, levels)


def mixture_entropy(initial: Float[Array, " d"], transmission: Scalar, noise: Scalar) -> Scalar:
    r"""S = -\sum_n p_n ln p_n, the sum taken in 200 nodes up to n = 524,288.

    Exact to rounding for v up to 10^4; the terms beyond the last node are dropped.
    """
    levels, weights = entropy_rule(initial.shape[0])
    p = populations(initial, transmission, noise, levels)
    return 0.0 - jnp.sum(jnp.asarray(weights) * p * safe_log(p))


def entropy_rule(dimension: int, last: int = 2**19) -> tuple[np.ndarray, np.ndarray]:
    """Levels and weights that sum populations of a state with `dimension` initial levels.

    The first 32 levels one by one, or as many as reach beyond the initial ones, where structure is
    fine; above, populations are smooth in n.
    """
    exact = 32
    while exact < 1.5 * dimension:
        exact *= 2
    return counting_rule(exact, (last // exact).bit_length() - 1)


def safe_log(p: Array) -> Array:
    """ln p with a finite value and derivative at p = 0, to be multiplied by p."""
    return jnp.log(jnp.maximum(p, SMALLEST))


def density_matrix(
    initial: Complex[Array, "d d"], u: Complex[Array, ""], noise: Scalar, levels: int
) -> Complex[Array, "levels levels"]:
    """rho(t) in the Fock basis, cut at `levels`; the trace tells what is missing.

    Element (m, m + l) goes through the same two steps with sqrt(C(m, k) C(m + l, k + l)) for the
    binomials and a factor (conj(u) / (1 + v))^l.
    """
    gain = 1.0 / (1.0 + noise)
    loss = jnp.maximum(1.0 - (u.real**2 + u.imag**2) * gain, 0.0)
    turn = u.conj() * gain.astype(complex)

    def diagonal(offset: int) -> Complex[Array, " size"]:
        lossy = _lossy_diagonal(jnp.diagonal(initial, offset), loss, offset)
        return _amplified_diagonal(lossy, noise, offset, levels - offset) * turn**offset

    rho = jnp.diag(diagonal(0))
    for offset in range(1, min(initial.shape[0], levels)):
        upper = jnp.diag(diagonal(offset), offset)
        rho += upper + upper.conj().T
    return rho


def _lossy_diagonal(values: Complex[Array, " d"], loss: Scalar, offset: int) -> Array:
    levels = np.arange(values.shape[0])
    lost = np.maximum(levels[:, None] - levels[None, :], 0)
    matrix = jnp.asarray(_paired_binomials(levels, len(levels), offset)) * _powers(loss, lost)
    return values @ (matrix * _powers(1.0 - loss, levels)[None, :]).astype(complex)


def _amplified_diagonal(
    values: Complex[Array, " d"], noise: Scalar, offset: int, size: int
) -> Complex[Array, " size"]:
    levels, k = np.arange(size), np.arange(values.shape[0])
    gained = np.maximum(levels[:, None] - k[None, :], 0)
    x, gain = noise / (1.0 + noise), 1.0 / (1.0 + noise)
    matrix = jnp.asarray(_paired_binomials(levels, len(k), offset)) * _powers(x, gained)
    return (matrix * _powers(gain, k + 1)[None, :]).astype(complex) @ values


def _paired_binomials(levels: np.ndarray, dimension: int, offset: int) -> np.ndarray:
    """sqrt(C(n, k) C(n + offset, k + offset)) for k below the dimension."""
    plain = _log_binomials(levels.astype(float), dimension)
    shifted = _log_binomials(levels + float(offset), dimension + offset)[:, offset:]
    return np.exp(0.5 * (plain + shifted))
