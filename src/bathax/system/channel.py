r"""The exact map of the cavity: pure loss followed by a quantum-limited amplifier (AHZ Eq. 16).

The reservoirs act as a(t) = u a(0) + noise, with <noise' noise> = v. This is a loss of transmission
Om = |u|^2 / (1 + v) followed by an amplifier of gain 1 + v, and all terms are positive:

p_n = sum_k q_k C(n, k) G^{k+1} x^{n-k},    q_k = sum_m p_m(0) C(m, k) Om^k (1 - Om)^{m-k},

with G = 1/(1 + v), x = v/(1 + v). Off the diagonal the binomials become geometric means.

T is a ratio of derivatives of the entropy S = -sum_n p_n ln p_n. S is differentiated with respect
to Om, on which q alone depends, and to v, on which the amplifier alone depends. The chain rule then
gives derivatives with respect to |u|^2 and v. Arrays have the levels first and the points
(|u|^2, v) last.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float, Inexact

from bathax import _loops
from bathax._checks import Scalar
from bathax.numerics.elementary import positive_part
from bathax.numerics.quadrature import counting_rule

# Smaller populations do not contribute to an entropy; second derivatives of their logarithm would
# overflow.
SMALLEST = 1e-120
# States are padded to a multiple of UNIT levels, so that they share programs. Initial levels are
# summed in blocks of BLOCK: v^32 neither overflows nor underflows.
UNIT, BLOCK = 8, 32
# With less noise than this there is no population far above the initial levels.
LEAST_NOISE = 1e-60
# The most levels that a mixture starts with: binomial coefficients of more of them overflow.
LARGEST = 1024
# Levels are summed ROW at a time. Populations fall like (n + 1)^k e^{-n / n_0} with
# n_0 = 1 / ln(1 + 1/v): a sum ends at n / n_0 = REACH + 3 k, where they are below e^-50.
ROW, REACH = 24, 64.0
# The logarithm to base 2 of the highest level in a sum.
HIGHEST = 40

Points = Float[Array, " points"]


# --- Populations -------------------------------------------------------------------------------


def populations(
    initial: Float[Array, " d"], transmission: Scalar, noise: Scalar, levels: np.ndarray
) -> Float[Array, " levels"]:
    """p_n at increasing `levels`, from a mixture of Fock states; transmission is |u|^2.

    Far above the initial ones, levels may be any real numbers.
    """
    om, v = (transmission / (1.0 + noise))[None], noise[None]
    initial = padded(initial)
    near = int(np.searchsorted(levels, initial.shape[0] + 2))
    q = _lossy(initial[None], om)
    row = jnp.asarray(_constants(levels[near:], initial.shape[0]))
    far = _high(row, _reduced(q, v), v)
    return jnp.concatenate([_low(levels[:near], q, v)[0], far[:, 0]])[:, 0]


def padded(initial: Float[Array, " d"]) -> Float[Array, " more"]:
    """The same populations with empty levels added."""
    return jnp.pad(initial, (0, padding(initial.shape[0])))


def padding(dimension: int) -> int:
    """How many levels to add for a multiple of `UNIT`, or of `BLOCK` above one block."""
    return -dimension % (UNIT if dimension <= BLOCK else BLOCK)


def _lossy(initial: Float[Array, "rows d"], om: Points) -> Float[Array, "rows d points"]:
    """q_k of each row of populations after the loss."""
    k = np.arange(initial.shape[1])
    ways = jnp.asarray(_binomials(k.astype(float), len(k)))
    falling = ways[:, :, None] * _powers(positive_part(1.0 - om), k)[_apart(k, k)]
    kept = initial @ falling.reshape(len(k), -1)
    return kept.reshape(-1, len(k), om.shape[0]) * _powers(om, k)[None]


def _low(
    levels: np.ndarray, q: Float[Array, "rows d points"], v: Points
) -> Float[Array, "rows levels points"]:
    """sum_k q_k C(n, k) G^{k+1} x^{n-k} for low levels, term by term; valid down to v = 0."""
    k, gain = np.arange(q.shape[1]), 1.0 / (1.0 + v)
    n = levels.astype(int)
    ways = jnp.asarray(_binomials(levels, len(k)))
    grown = ways[:, :, None] * _powers(v * gain, np.arange(n.max(initial=0) + 1))[_apart(n, k)]
    return jnp.sum(grown[None] * (q * _powers(gain, k + 1)[None])[:, None], axis=2)


def _constants(levels: np.ndarray, dimension: int) -> np.ndarray:
    """For high levels n and each block of k: n, ln C(n, last) and all C(n, k) / C(n, last).

    `last` is the largest k of a block.
    """
    binomials = _log_binomials(levels, dimension)
    size = min(dimension, BLOCK)
    blocks = binomials.reshape(len(levels), dimension // size, size).swapaxes(0, 1)
    scale = blocks[:, :, -1:]
    n = np.broadcast_to(levels[:, None], scale.shape)
    return np.concatenate([n, scale, np.exp(blocks - scale)], axis=2)


def _reduced(
    terms: Float[Array, "rows d points"], v: Points
) -> Float[Array, "blocks k rows points"]:
    """f_k v^{last-k} of some terms f_k, by blocks of k."""
    rows, dimension, points = terms.shape
    size = min(dimension, BLOCK)
    weighted = terms * _powers(_noisy(v), size - 1 - np.arange(dimension) % size)[None]
    return jnp.moveaxis(weighted.reshape(rows, dimension // size, size, points), 0, 2)


def _noisy(v: Float[Array, "..."]) -> Float[Array, "..."]:
    """v, or 1 where it is too small to populate high levels."""
    return jnp.where(v > LEAST_NOISE, v, 1.0)


def _high(
    row: Float[Array, "blocks levels constants"],
    terms: Float[Array, "blocks k rows points"],
    v: Points,
) -> Float[Array, "levels rows points"]:
    """sum_k f_k C(n, k) G^{k+1} x^{n-k} for high levels: a matrix product for each block of k."""
    blocks, size, rows, points = terms.shape
    sums = row[:, :, 2:] @ terms.reshape(blocks, size, rows * points)
    common = _common(row, v)[:, :, None]
    return jnp.sum(sums.reshape(blocks, row.shape[1], rows, points) * common, axis=0)


def _common(
    row: Float[Array, "blocks levels constants"], v: Points
) -> Float[Array, "blocks levels points"]:
    """C(n, last) G^{last+1} x^{n-last}, by logarithms: the binomials would overflow."""
    size = row.shape[2] - 2
    last = (size * jnp.arange(1.0, row.shape[0] + 1.0) - 1.0)[:, None, None]
    n, scale, v = row[:, :, :1], row[:, :, 1:2], v[None, None]
    logarithm = scale - (n - last) * jnp.log1p(1.0 / _noisy(v)) - (last + 1.0) * jnp.log1p(v)
    return jnp.where(v > LEAST_NOISE, jnp.exp(logarithm), 0.0)


def _powers(x: Inexact[Array, "*points"], exponents: np.ndarray) -> Inexact[Array, "..."]:
    """x^n for integers n >= 0, from their binary digits, so that derivatives exist at x = 0."""
    digits = exponents.reshape(*exponents.shape, *(1,) * x.ndim)
    square = jnp.broadcast_to(x, (*exponents.shape, *x.shape))
    total = one = jnp.ones_like(square)
    for digit in range(int(exponents.max(initial=0)).bit_length()):
        total = total * jnp.where(digits >> digit & 1, square, one)
        square = square * square
    return total


def _apart(n: np.ndarray, k: np.ndarray) -> np.ndarray:
    """n - k, and 0 where n < k."""
    return np.maximum(n[:, None] - k, 0)


def _binomials(n: np.ndarray, dimension: int) -> np.ndarray:
    """C(n, k) for k below the dimension."""
    return np.exp(_log_binomials(n, dimension))


def _log_binomials(n: np.ndarray, dimension: int) -> np.ndarray:
    """log C(n, k) for real n >= 0 and k below the dimension, -inf where n < k.

    As a sum over factors: differences of log-gamma functions lose digits at large n.
    """
    with np.errstate(divide="ignore"):
        factors = [np.log(np.maximum(n - j, 0.0) / (j + 1)) for j in range(dimension - 1)]
    return np.cumsum([np.zeros_like(n), *factors], axis=0).T


# --- Entropy -----------------------------------------------------------------------------------


def entropy_derivatives(
    initial: Float[Array, " d"], transmission: Points, noise: Points
) -> Float[Array, "6 points"]:
    r"""S = -\sum_n p_n ln p_n of the evolved mixture, and derivatives with respect to |u|^2 and v.

    In the order S, S_u, S_v, S_uu, S_uv, S_vv. Levels up to n = 2^40 are summed by Gauss rules of
    the counting measure, which is exact to rounding for v up to 10^10.
    """
    gain = 1.0 / (1.0 + noise)
    s, by_om, by_v, om_om, om_v, v_v = _summed(padded(initial), transmission * gain, noise)
    # Om = |u|^2 G depends on v as well.
    turn = -transmission * gain * gain
    mixed = gain * (om_v + om_om * turn - gain * by_om)
    twice = v_v + turn * (2.0 * om_v + om_om * turn - 2.0 * gain * by_om)
    return jnp.stack([s, gain * by_om, by_v + by_om * turn, gain * gain * om_om, mixed, twice])


def _summed(initial: Float[Array, " d"], om: Points, v: Points) -> Float[Array, "6 points"]:
    """S and its derivatives with respect to Om and v, summed until the populations end."""
    dimension = initial.shape[0]
    q = _lossy_derivatives(initial, om)
    low = np.arange(dimension + 2.0)
    lowest = _entropy(_low_derivatives(low, q, v), jnp.ones(len(low)))
    terms = _reduced(_moments(q), v)
    # A point that is NaN must not decide where the sums of the others end.
    hottest = lax.stop_gradient(jnp.max(jnp.where(jnp.isnan(v), 0.0, v)))
    fall = jnp.log1p(1.0 / jnp.maximum(hottest, LEAST_NOISE))

    def add(total: Array, row: tuple[Array, Array]) -> tuple[Array, None]:
        constants, weights = row
        needed = constants[0, 0, 0] * fall < REACH + 3.0 * dimension
        added = lax.cond(
            needed,
            lambda: _entropy(_high_derivatives(constants, terms, v), weights),
            lambda: jnp.zeros_like(total),
        )
        return total + added, None

    constants, weights = map(jnp.asarray, _rows(dimension))
    return _loops.scan(add, lowest, (constants, weights))[0]


def _rows(dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """Constants and weights of the higher levels: every level at first, then Gauss rules."""
    exact = 32
    while exact < 1.5 * dimension:
        exact *= 2
    rule = counting_rule(exact, (2**HIGHEST // exact).bit_length() - 1)
    levels, weights = (part[dimension + 2 :] for part in rule)
    missing = -len(levels) % ROW
    levels = np.pad(levels, (0, missing), "edge").reshape(-1, ROW)
    weights = np.pad(weights, (0, missing)).reshape(-1, ROW)
    return np.stack([_constants(n, dimension) for n in levels]), weights


def _lossy_derivatives(initial: Float[Array, " d"], om: Points) -> Float[Array, "3 d points"]:
    """q, dq/dOm and d^2q/dOm^2, from the loss of p with one or two quanta taken out.

    dq_k/dOm = r_{k-1} - r_k, where r is the loss of (m + 1) p_{m+1}.
    """
    dimension = initial.shape[0]
    taking = np.diag(np.arange(1.0, dimension), 1)
    rising = np.eye(dimension, k=-1) - np.eye(dimension)
    taken = jnp.asarray(np.stack([np.eye(dimension), taking, taking @ taking])) @ initial
    steps = np.stack([np.eye(dimension), rising, rising @ rising])
    return jnp.asarray(steps) @ _lossy(taken, om)


def _low_derivatives(
    n: np.ndarray, q: Float[Array, "3 d points"], v: Points
) -> list[Float[Array, "levels points"]]:
    """p_n and its derivatives at low levels, with dp_n/dv = G [n p_{n-1} - (n + 1) p_n]."""
    once = np.diag(n[1:], -1) - np.diag(n + 1.0)
    twice = np.diag((n + 1.0) * (n + 2.0)) - np.diag(2.0 * n[1:] * (n[1:] + 1.0), -1)
    twice += np.diag(n[2:] * (n[2:] - 1.0), -2)
    gain = 1.0 / (1.0 + v[None])
    p, by_om, om_om = _low(n, q, v)
    by_v, om_v = (gain * (once @ part) for part in (p, by_om))
    return [p, by_om, by_v, om_om, om_v, gain * gain * (twice @ p)]


def _moments(q: Float[Array, "3 d points"]) -> Float[Array, "6 d points"]:
    """k^j d^i q_k / dOm^i, from which derivatives with respect to v follow at high levels."""
    k = np.arange(float(q.shape[1]))
    factors = jnp.asarray(np.stack([k**j for j in (0, 0, 1, 0, 1, 2)])[:, :, None])
    return factors * q[np.array([0, 1, 0, 2, 1, 0])]


def _high_derivatives(
    row: Float[Array, "blocks levels constants"],
    terms: Float[Array, "blocks k 6 points"],
    v: Points,
) -> list[Float[Array, "levels points"]]:
    """p_n and its derivatives at high levels: d/dv multiplies each term k by a - k / v."""
    m, by_om, km, om_om, k_by_om, kkm = jnp.unstack(_high(row, terms, v), axis=1)
    n, v = row[0, :, :1], v[None]
    r, gain = 1.0 / _noisy(v), 1.0 / (1.0 + v)
    a = (n - v) * r * gain
    # a^2 + da/dv and 1/v^2 - 2 a / v, the factors of 1 and k in the second derivative
    curved = (n * (n - 1.0) - 4.0 * n * v + 2.0 * v * v) * r * r * gain * gain
    bent = (1.0 + 3.0 * v - 2.0 * n) * r * r * gain
    by_v, om_v = a * m - r * km, a * by_om - r * k_by_om
    return [m, by_om, by_v, om_om, om_v, curved * m + bent * km + r * r * kkm]


def _entropy(
    derivatives: list[Float[Array, "levels points"]], weights: Float[Array, " levels"]
) -> Float[Array, "6 points"]:
    """-sum_n w_n p_n ln p_n and its derivatives, from those of the populations."""
    p, by_om, by_v, om_om, om_v, v_v = derivatives
    log_p = safe_log(p)
    logs = 1.0 + log_p
    inverse = jnp.where(p > SMALLEST, 1.0 / jnp.maximum(p, SMALLEST), 0.0)
    summands = [
        p * log_p,
        by_om * logs,
        by_v * logs,
        om_om * logs + by_om * by_om * inverse,
        om_v * logs + by_om * by_v * inverse,
        v_v * logs + by_v * by_v * inverse,
    ]
    # One matrix product goes through the levels in the order in which they are stored.
    sums = weights @ jnp.concatenate(summands, axis=1)
    return -sums.reshape(len(summands), -1)


def safe_log(p: Array) -> Array:
    """ln p, finite with its derivative at p = 0; to be multiplied by p."""
    return jnp.log(jnp.maximum(p, SMALLEST))


# --- Density matrices --------------------------------------------------------------------------


@partial(jax.jit, static_argnames="levels")
def density_matrix(
    initial: Complex[Array, "d d"], u: Complex[Array, ""], noise: Scalar, levels: int
) -> Complex[Array, "levels levels"]:
    """rho(t) in the Fock basis, cut at `levels`; the trace tells what is missing.

    Elements (m, m + l) go through the same loss and amplifier as populations, with
    sqrt(C(m, k) C(m + l, k + l)) in place of the binomials and a factor (conj(u) / (1 + v))^l.
    """
    dimension = initial.shape[0]
    offsets, k = np.arange(min(dimension, levels)), np.arange(dimension)
    gain = 1.0 / (1.0 + noise)
    loss = positive_part(1.0 - (u.real**2 + u.imag**2) * gain)
    diagonals = jnp.pad(initial, ((0, 0), (0, dimension)))[k, k + offsets[:, None]]
    falling = _paired_binomials(k, offsets, dimension) * _powers(loss, _apart(k, k))[None]
    lossy = jnp.einsum("lm,lmk->lk", diagonals, falling.astype(complex))
    n = np.arange(levels)
    grown = _paired_binomials(n, offsets, dimension) * _powers(noise * gain, _apart(n, k))[None]
    factors = (_powers(1.0 - loss, k) * _powers(gain, k + 1)).astype(complex)
    evolved = jnp.einsum("lk,lnk->ln", lossy * factors[None], grown.astype(complex))
    turned = evolved * _powers(u.conj() * gain.astype(complex), offsets)[:, None]
    apart = np.abs(n[:, None] - n)
    upper = jnp.pad(turned, ((0, levels - len(offsets)), (0, 0)))[apart, np.minimum(n[:, None], n)]
    return jnp.where(n[:, None] <= n, upper, upper.conj())


def _paired_binomials(
    levels: np.ndarray, offsets: np.ndarray, dimension: int
) -> Float[Array, "offsets levels d"]:
    """sqrt(C(n, k) C(n + l, k + l)) for k below the dimension."""
    n = levels.astype(float)
    plain = _log_binomials(n, dimension)
    parts = [_log_binomials(n + float(k), dimension + int(k))[:, k:] for k in offsets]
    return jnp.asarray(np.exp(0.5 * (plain + np.stack(parts))))
