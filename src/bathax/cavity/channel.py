r"""The exact map of the cavity: pure loss followed by a quantum-limited amplifier (AHZ Eq. 16).

The reservoirs act as a(t) = u a(0) + noise with <noise' noise> = v. Written as a loss with
transmission Om = |u|^2 / (1 + v) and an amplifier of gain 1 + v, all terms are positive:

p_n = sum_k q_k C(n, k) G^{k+1} x^{n-k},    q_k = sum_m p_m(0) C(m, k) Om^k (1 - Om)^{m-k},

with G = 1/(1 + v), x = v/(1 + v). Off the diagonal the binomials become geometric means.
"""

from collections.abc import Callable
from functools import partial
from math import comb
from typing import NamedTuple

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
# Less noise than this makes no population above the initial levels.
SILENT = 1e-60


class EntropyExpansion(NamedTuple):
    """S, and its first and second derivatives with respect to |u|^2 and v."""

    value: Scalar
    slopes: tuple[Scalar, Scalar]
    curvatures: tuple[tuple[Scalar, Scalar], tuple[Scalar, Scalar]]


def _log_binomials(n: np.ndarray, dimension: int) -> np.ndarray:
    """log C(n, k) for real n >= 0 and k below the dimension, -inf where n < k.

    As a sum over factors: differences of log-gamma functions lose digits at large n.
    """
    with np.errstate(divide="ignore"):
        factors = [np.log(np.maximum(n - j, 0.0) / (j + 1)) for j in range(dimension - 1)]
    return np.cumsum([np.zeros_like(n), *factors], axis=0).T


# A function of v and its derivatives; and such of its derivatives with respect to |u|^2, of which
# the j-th has as many as make up the same order.
Jet = tuple[Array, ...]
Jets = list[Jet]


def populations(
    initial: Float[Array, " d"], transmission: Scalar, noise: Scalar, levels: np.ndarray
) -> Float[Array, " levels"]:
    """p_n of an initial mixture of Fock states at increasing levels; transmission is |u|^2.

    Levels may be real numbers far up.
    """
    parts = _evolved(initial, transmission, noise, levels, 0)
    return jnp.concatenate([p for ((p,),) in parts])


def _evolved(
    initial: Float[Array, " d"], transmission: Scalar, noise: Scalar, levels: np.ndarray, order: int
) -> tuple[Jets, Jets]:
    """p_n and its derivatives up to an order, at the levels below d + 2 and at those above."""
    lossy, near = _lossy(initial, transmission, noise, order), _near(initial, levels)
    return _near_ground(lossy, noise, levels[:near]), _far_up(lossy, noise, levels[near:])


def _near(initial: Float[Array, " d"], levels: np.ndarray) -> int:
    """How many levels are within reach of few quanta, where populations at v = 0 have slopes."""
    return int(np.searchsorted(levels, initial.shape[0] + 2))


def _lossy(initial: Float[Array, " d"], transmission: Scalar, noise: Scalar, order: int) -> Jets:
    """q_k and its derivatives, like `_evolved`; it is a function of Om = |u|^2 G."""
    gain = 1.0 / (1.0 + noise)
    loss = jnp.maximum(1.0 - transmission * gain, 0.0)
    by_om = tuple(_lossy_slope(initial, loss, j) for j in range(order + 1))
    turning = (-transmission * gain**2, 2.0 * transmission * gain**3)
    return [
        _leibniz(_of_gain(_power_jet(gain, np.array([j])), gain), _composed(by_om[j:], turning))
        for j in range(order + 1)
    ]


def _lossy_slope(initial: Float[Array, " d"], loss: Scalar, order: int) -> Float[Array, " d"]:
    """d^j q / dOm^j: j quanta are taken out first, and go to the level above or stay."""
    taken = np.arange(1.0, initial.shape[0])
    for _ in range(order):
        initial = jnp.append(initial[1:] * taken, 0.0)
    q = lossy_populations(initial, loss)
    for _ in range(order):
        q = jnp.concatenate([jnp.zeros(1), q[:-1]]) - q
    return q


def lossy_populations(initial: Float[Array, " d"], loss: Scalar) -> Float[Array, " d"]:
    """q_k after a loss with transmission 1 - loss."""
    levels = np.arange(initial.shape[0])
    binomials = jnp.asarray(np.exp(_log_binomials(levels.astype(float), len(levels))))
    lost = np.maximum(levels[:, None] - levels[None, :], 0)
    return (initial @ (binomials * _powers(loss, lost))) * _powers(1.0 - loss, levels)


def _near_ground(lossy: Jets, noise: Scalar, levels: np.ndarray) -> Jets:
    """From powers x^{n-k}, whose derivatives are exact at v = 0."""
    k = np.arange(lossy[0][0].shape[0])
    binomials = jnp.asarray(np.exp(_log_binomials(levels, len(k)))).T
    gain = 1.0 / (1.0 + noise)
    powers = _power_jet(noise * gain, np.arange(len(levels)))
    grown = tuple(
        binomials * _shifted(part, len(k)) for part in _composed(powers, (gain**2, -2.0 * gain**3))
    )
    gains = _of_gain(_power_jet(gain, k + 1), gain)
    return [_leibniz(_leibniz(gains, q), grown, jnp.matmul) for q in lossy]


def _shifted(values: Float[Array, " levels"], count: int) -> Float[Array, "count levels"]:
    """Row k has the values from column k on, after zeros."""
    padded = jnp.concatenate([jnp.zeros(count - 1), values])
    starts = range(count - 1, -1, -1)
    return jnp.stack([padded[start : start + values.shape[0]] for start in starts])


def _far_up(lossy: Jets, noise: Scalar, levels: np.ndarray) -> Jets:
    """From logarithms, as binomials would overflow, and v^{last-k}, for a block of k at a time."""
    dimension, noisy = lossy[0][0].shape[0], noise > SILENT
    noise = jnp.where(noisy, noise, 1.0)
    gain = 1.0 / (1.0 + noise)
    binomials = _log_binomials(levels, dimension)
    total = [(jnp.zeros(levels.shape),) * len(q) for q in lossy]
    for start in range(0, dimension, BLOCK):
        k = np.arange(start, min(start + BLOCK, dimension))
        last, scale = float(k[-1]), binomials[:, k[-1]]
        relative = jnp.asarray(np.exp(binomials[:, k] - scale[:, None]))
        powers = _power_jet(noise, k[-1] - k)
        weighted = [_leibniz(powers, tuple(part[k] for part in q)) for q in lossy]
        # x^{n - last} G^{last + 1}
        common = jnp.exp(
            scale - (levels - last) * jnp.log1p(1.0 / noise) - (last + 1.0) * jnp.log1p(noise)
        )
        rise, fall = (levels - last) * (gain / noise), (last + 1.0) * gain
        bend = fall * gain - rise * (1.0 / noise + gain)
        grown = (common, common * (rise - fall), common * ((rise - fall) ** 2 + bend))
        evolved = [_leibniz(grown, q) for q in _sums(weighted, relative)]
        total = jax.tree.map(jnp.add, total, evolved)
    return jax.tree.map(lambda part: jnp.where(noisy, part, 0.0), total)


def _sums(weighted: Jets, relative: Float[Array, "levels k"]) -> Jets:
    """sum_k relative_nk f_k of every derivative, as one matrix product."""
    parts, structure = jax.tree.flatten(weighted)
    return jax.tree.unflatten(structure, list(jnp.stack(parts) @ relative.T))


def _power_jet(x: Scalar, n: np.ndarray) -> Jet:
    """x^n with two derivatives."""
    first, second = jnp.asarray(n, float), jnp.asarray(n * (n - 1), float)
    return _powers(x, n), first * _powers(x, n - 1), second * _powers(x, n - 2)


def _of_gain(f: Jet, gain: Scalar) -> Jet:
    """A function of G = 1 / (1 + v) as one of v."""
    return _composed(f, (-(gain**2), 2.0 * gain**3))


def _composed(f: Jet, slopes: tuple[Scalar, Scalar]) -> Jet:
    """f(y(v)) from the derivatives of f, as many as are known, and of y."""
    first, second = slopes
    composed = f[:1]
    if len(f) > 1:
        composed += (f[1] * first,)
    if len(f) > 2:
        composed += (f[2] * first**2 + f[1] * second,)
    return composed


def _leibniz(f: Jet, g: Jet, product: Callable[[Array, Array], Array] = jnp.multiply) -> Jet:
    """The derivatives of a product, as many as are known of both."""

    def derivative(n: int) -> Array:
        terms = (float(comb(n, i)) * product(f[i], g[n - i]) for i in range(1, n + 1))
        return sum(terms, product(f[0], g[n]))

    return tuple(derivative(n) for n in range(min(len(f), len(g))))


def _powers(x: Scalar, exponents: np.ndarray) -> Array:
    """x^n for an array of n, by repeated squaring: derivatives are right at x = 0; n < 0 as 0."""
    table, square = jnp.ones(1), x
    while table.shape[0] <= exponents.max(initial=0):
        table, square = jnp.concatenate([table, square * table]), square**2
    return table[np.maximum(exponents, 0)]


def mixture_entropy(initial: Float[Array, " d"], transmission: Scalar, noise: Scalar) -> Scalar:
    r"""S = -\sum_n p_n ln p_n, the sum taken in 200 nodes up to n = 524,288.

    Exact to rounding for v up to 10^4; the terms beyond the last node are dropped.
    """
    levels, weights = entropy_rule(initial.shape[0])
    p = populations(initial, transmission, noise, levels)
    return 0.0 - (p * safe_log(p)) @ jnp.asarray(weights)


def mixture_expansion(
    initial: Float[Array, " d"], transmission: Scalar, noise: Scalar
) -> EntropyExpansion:
    """S and its derivatives in closed form, at little more than the cost of S."""
    levels, weights = entropy_rule(initial.shape[0])
    near, far = _evolved(initial, transmission, noise, levels, 2)
    count = _near(initial, levels)
    return jax.tree.map(
        jnp.add, _expansion(near, weights[:count]), _expansion(far, weights[count:])
    )


def _expansion(evolved: Jets, weights: np.ndarray) -> EntropyExpansion:
    (p, by_v, by_vv), (by_u, by_uv), (by_uu,) = evolved
    inverse = jnp.where(p > SMALLEST, 1.0 / jnp.maximum(p, SMALLEST), 0.0)
    log_p = safe_log(p)

    def entropy(values: Array) -> Scalar:
        return 0.0 - values @ jnp.asarray(weights)

    def slope(change: Array) -> Scalar:
        return entropy(change * (1.0 + log_p))

    def curvature(one: Array, other: Array, both: Array) -> Scalar:
        return entropy(both * (1.0 + log_p) + one * other * inverse)

    mixed = curvature(by_u, by_v, by_uv)
    curvatures = ((curvature(by_u, by_u, by_uu), mixed), (mixed, curvature(by_v, by_v, by_vv)))
    return EntropyExpansion(entropy(p * log_p), (slope(by_u), slope(by_v)), curvatures)


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


@partial(jax.jit, static_argnames="levels")
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
