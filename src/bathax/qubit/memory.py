r"""Non-Markovianity of a map of a qubit: negative rates, and the measures BLP and RHP.

All are computed from the map at its times, and do not see what happens between two of them.
"""

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float

from bathax import _loops
from bathax._checks import Scalar, require
from bathax._programs import program
from bathax.numerics.interpolation import hermite
from bathax.numerics.special import positive_root
from bathax.qubit.dynamical_map import DynamicalMap

RATES = ("gamma_minus", "gamma_plus", "gamma_z")
# The number of angles in a search for the best pair of states, and of refinements around it.
ANGLES = 33
ZOOMS = 4


def negative_rate_intervals(dmap: DynamicalMap, name: str) -> list[tuple[float, float]]:
    """The intervals (start, end) in which the rate `name` is below minus its error estimate.

    `name` is "gamma_minus", "gamma_plus" or "gamma_z". Times at which the rate is not resolved are
    skipped. A rate is a quotient N/M with M = D or D |c|^2, and N and M are smooth where D or c
    vanishes. It changes sign where N or M does; linear interpolation between samples locates this
    with an error of second order in their spacing. An interval that begins at the first resolved
    time or ends at the last one may be longer in reality. For concrete values only.

    gamma_- = 2 V tan(Vt) of a vacuum Rabi oscillation is negative in its second quarter:

    >>> mode = bx.DiscreteModes(frequencies=[1.0], couplings=[0.1])
    >>> qubit, ts = bx.Qubit(1.0, bx.Reservoir(mode)), jnp.linspace(0.0, 10.0 * jnp.pi, 9)
    >>> dmap = bx.dynamical_map(qubit, ts, bx.ExactDiagonalisation(quanta=1))
    >>> [(start, end)] = bx.negative_rate_intervals(dmap, "gamma_minus")
    >>> round(0.1 * start / np.pi, 4), round(0.1 * end / np.pi, 4)
    (0.5, 1.0)
    """
    require("name", f"one of {RATES}", repr(name), name in RATES)
    rate, error = getattr(dmap, name), getattr(dmap.error, name)
    known = np.isfinite(rate)
    t = np.asarray(dmap.t)[known]
    negative = np.asarray(rate < -error)[known]
    parts = [np.asarray(part)[known] for part in _quotient(dmap, name)]
    changes = np.flatnonzero(np.diff(negative)) if negative.size else []
    edges = [_crossing(t, parts, int(i)) for i in changes]
    if negative.size and negative[0]:
        edges.insert(0, float(t[0]))
    if negative.size and negative[-1]:
        edges.append(float(t[-1]))
    return list(zip(edges[::2], edges[1::2], strict=True))


def _quotient(dmap: DynamicalMap, name: str) -> tuple[Array | np.ndarray, Array | np.ndarray]:
    """Numerator and denominator of a rate, finite where the map is not invertible."""
    d, slope = dmap.determinant, dmap.ddeterminant
    if name != "gamma_z":
        p, dp = (dmap.p11, dmap.dp11) if name == "gamma_minus" else (dmap.p00, dmap.dp00)
        return -dp * d - slope * (1.0 - p), d
    c, dc = dmap.coherence, dmap.dcoherence
    square = c.real**2 + c.imag**2
    return 0.25 * (slope * square - 2.0 * d * (c.conj() * dc).real), d * square


def _crossing(t: np.ndarray, parts: list[np.ndarray], i: int) -> float:
    """Where, between samples i and i + 1, one of the parts passes zero."""
    before, after = next(
        ((part[i], part[i + 1]) for part in reversed(parts) if part[i] * part[i + 1] < 0.0),
        (parts[0][i], parts[0][i + 1]),
    )
    # Without a change of sign the rate only exceeds its error: the nearer sample is taken.
    fraction = np.clip(before / (before - after) if before != after else 0.0, 0.0, 1.0)
    return float(t[i] + fraction * (t[i + 1] - t[i]))


def determinant_passage(dmap: DynamicalMap, level: float = 0.0) -> float:
    """The first time at which D = P11 + P00 - 1 falls below `level`; NaN if it never does.

    The populations of two initial states differ by D times their initial difference (NP). Where D
    passes 0 all initial states have the same populations, and the map has no inverse; D = 1/e
    defines a lifetime. D has to be below `level` by more than its error estimate. The time is found
    by linear interpolation between samples, with an error of second order in their spacing. For
    concrete values only.

    >>> qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.01, 5.0), temperature=1.0))
    >>> dmap = bx.dynamical_map(qubit, jnp.linspace(0.0, 20.0, 201), bx.VanHove())
    >>> round(bx.determinant_passage(dmap, level=np.exp(-1.0)), 2)  # 1 / (2 pi J (2n + 1))
    8.98
    """
    t, height = np.asarray(dmap.t), np.asarray(dmap.determinant) - level
    below = np.flatnonzero(height < -np.asarray(dmap.error.determinant))
    if not below.size:
        return float("nan")
    i = max(int(np.argmax(height <= 0.0)), 1)
    return float(np.interp(0.0, -height[i - 1 : i + 1], t[i - 1 : i + 1]))


@program
def blp_measure(dmap: DynamicalMap) -> Scalar:
    r"""Breuer, Laine and Piilo: the largest total revival of a trace distance, max \int_{d'>0} d'.

    The map takes the difference of two Bloch vectors to (|c| r_perp, D r_z), rotated. The distance
    d is linear in the length of that difference, so that the best pair are two opposite pure
    states. At the polar angle theta they have

        d(t) = \sqrt{D^2 cos^2 theta + |c|^2 sin^2 theta}.

    The maximum over theta is searched on a grid that is refined around its best point. A revival is
    a sum of increments between samples and extrema of d^2, which are located by cubics through d^2
    and its exact derivative. With samples h apart the error is O(h^4) for every extremum, and
    O(h^2) where d touches zero; a rise and a fall within one step cancel. Differentiable, with the
    best angle held fixed; NaN for an invalid map.

    A vacuum Rabi oscillation brings the whole distance back:

    >>> mode = bx.DiscreteModes(frequencies=[1.0], couplings=[0.1])
    >>> qubit, ts = bx.Qubit(1.0, bx.Reservoir(mode)), jnp.linspace(0.0, 10.0 * jnp.pi, 9)
    >>> dmap = bx.dynamical_map(qubit, ts, bx.ExactDiagonalisation(quanta=1))
    >>> round(float(bx.blp_measure(dmap)), 4)
    1.0
    """
    d, c, steps = dmap.determinant, dmap.coherence, jnp.diff(dmap.t)
    squares = jnp.stack([d**2, c.real**2 + c.imag**2])
    slopes = 2.0 * jnp.stack([d * dmap.ddeterminant, (c.conj() * dmap.dcoherence).real])

    def revival(weight: Scalar) -> Scalar:
        weights = jnp.stack([weight, 1.0 - weight])
        square, slope = weights @ squares, weights @ slopes
        distance, between = positive_root(square), positive_root(_extrema(square, slope, steps))
        first, second = between - distance[:-1], distance[1:] - between
        return jnp.sum(jnp.maximum(first, 0.0) + jnp.maximum(second, 0.0))

    best, reach = jnp.asarray(0.25 * jnp.pi), 0.25 * jnp.pi
    for _ in range(ZOOMS):
        angles = best + reach * jnp.linspace(-1.0, 1.0, ANGLES)
        angles = jnp.clip(angles, 0.0, 0.5 * jnp.pi)
        totals = _loops.map(revival, jnp.cos(angles) ** 2)
        best, reach = angles[jnp.argmax(totals)], 2.0 * reach / (ANGLES - 1)
    return revival(lax.stop_gradient(jnp.cos(best) ** 2))


def _extrema(
    values: Float[Array, " times"], slopes: Float[Array, " times"], steps: Float[Array, " steps"]
) -> Float[Array, " steps"]:
    """The extremum of the cubic of each step, or its first value if it has none."""
    before, after = slopes[:-1], slopes[1:]
    inside = before * after < 0.0
    u = jnp.where(inside, before / jnp.where(inside, before - after, 1.0), 0.0)
    return hermite(u, (values[:-1], values[1:]), (steps * before, steps * after))


@program
def rhp_measure(dmap: DynamicalMap) -> Scalar:
    r"""Rivas, Huelga and Plenio: \int g dt, g = lim (|(Lambda_{t+e,t} (x) 1) Phi|_1 - 1) / e.

    Phi is maximally entangled. To first order in e the propagator adds a weight e gamma_k / 2 to it
    for each traceless jump operator L_k, in directions that are orthogonal to Phi and, with
    Tr L_j' L_k = delta_jk, to each other. So g is the sum of max(0, -gamma_k). s- and s+ have this
    normalisation; sz / \sqrt{2} has it with the rate 2 gamma_z, and

        g = max(0, -gamma_-) + max(0, -gamma_+) + 2 max(0, -gamma_z).

    By the trapezoidal rule over the resolved times; a negative rate counts if it exceeds its error
    estimate. The integral diverges if D or c passes through zero, because g ~ 1/(t - t_0) after
    such a time. The result is infinite if D changes sign, or if rates are unresolved between two
    times at which they are resolved. A zero that no sample comes close to, as of D = |u|^2 in the
    vacuum, is not seen: the sum is then finite, but grows like the logarithm of the number of
    samples. NaN for an invalid map.

    >>> qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.01, 5.0), temperature=1.0))
    >>> dmap = bx.dynamical_map(qubit, jnp.linspace(0.0, 40.0, 9), bx.VanHove())
    >>> float(bx.rhp_measure(dmap))  # without memory
    0.0
    """
    known = dmap.rates_resolved & dmap.coherence_resolved
    terms = [_negative_part(dmap, name, known) for name in RATES]
    g = terms[0] + terms[1] + 2.0 * terms[2]
    both = known[1:] & known[:-1]
    area = jnp.sum(jnp.where(both, 0.5 * (g[1:] + g[:-1]) * jnp.diff(dmap.t), 0.0))
    singular = _passes_zero(dmap.determinant, known)
    return jnp.where(jnp.isnan(dmap.p11[0]), jnp.nan, jnp.where(singular, jnp.inf, area))


def _negative_part(dmap: DynamicalMap, name: str, known: Bool[Array, " times"]) -> Array:
    rate = jnp.where(known, getattr(dmap, name), 0.0)
    return jnp.where(rate < -getattr(dmap.error, name), -rate, 0.0)


def _passes_zero(d: Float[Array, " times"], known: Bool[Array, " times"]) -> Bool[Array, ""]:
    """Whether D changes sign between known values, or values between known ones are unknown."""
    last = jnp.max(jnp.where(known, jnp.arange(known.shape[0]), -1))
    inside = jnp.arange(known.shape[0]) <= last
    gap = jnp.any(inside & ~known)
    flip = jnp.any(inside & known & (d < 0.0))
    return gap | flip
