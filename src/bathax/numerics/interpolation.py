"""Curves through given points."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from bathax import _loops

# Bounds on the logarithm of the stiffness of a smoothing spline with unit spacing: with the lowest
# it passes through every point, with the highest it is a straight line through a thousand.
STIFFNESS = (-7.0, 25.0)


def hermite(
    u: Float[Array, "..."], values: tuple[Array, Array], slopes: tuple[Array, Array]
) -> Float[Array, "..."]:
    """The cubic with these values and slopes at u = 0 and u = 1."""
    (before, after), (start, end) = values, slopes
    bend = before * (1 - u) ** 2 * (1 + 2 * u) + after * u**2 * (3 - 2 * u)
    return bend + start * u * (1 - u) ** 2 - end * u**2 * (1 - u)


@jax.jit
def monotone_cubic(
    x: Float[Array, " knots"], y: Float[Array, " knots"], at: Float[Array, "..."]
) -> Float[Array, "..."]:
    """The monotone piecewise cubic through (x, y), zero outside [x_0, x_last].

    Slopes after Fritsch and Butland (weighted harmonic mean of the neighbouring secants, zero where
    they change sign), so that the curve stays between neighbouring values and keeps their sign.
    """
    inside = (at >= x[0]) & (at <= x[-1])
    at = jnp.where(inside, at, x[0])
    k = jnp.clip(_loops.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    width = x[k + 1] - x[k]
    u = (at - x[k]) / width
    slopes = _slopes(jnp.diff(x), jnp.diff(y) / jnp.diff(x))
    value = hermite(u, (y[k], y[k + 1]), (width * slopes[k], width * slopes[k + 1]))
    return jnp.where(inside, value, 0.0)


def _slopes(h: Float[Array, " intervals"], secant: Float[Array, " intervals"]) -> Array:
    """Slopes at the knots; the ends by the one-sided three-point formula, limited in size."""
    before, after = secant[:-1], secant[1:]
    monotone = before * after > 0
    w_before, w_after = h[:-1] + 2 * h[1:], 2 * h[:-1] + h[1:]
    safe_before, safe_after = jnp.where(monotone, before, 1.0), jnp.where(monotone, after, 1.0)
    mean = (w_before + w_after) / (w_before / safe_before + w_after / safe_after)
    inner = jnp.where(monotone, mean, 0.0)
    first = _end_slope(h[0], h[1], secant[0], secant[1])
    last = _end_slope(h[-1], h[-2], secant[-1], secant[-2])
    return jnp.concatenate([first[None], inner, last[None]])


def _end_slope(h0: Array, h1: Array, s0: Array, s1: Array) -> Array:
    slope = ((2 * h0 + h1) * s0 - h0 * s1) / (h0 + h1)
    slope = jnp.where(slope * s0 > 0, slope, 0.0)
    overshoots = (s0 * s1 < 0) & (jnp.abs(slope) > 3 * jnp.abs(s0))
    return jnp.where(overshoots, 3 * s0, slope)


def smoothed(
    x: Float[np.ndarray, " points"],
    y: Float[np.ndarray, " points"],
    errors: Float[np.ndarray, " points"],
) -> tuple[np.ndarray, np.ndarray]:
    """A smooth curve at noisy points, and its standard errors.

    The cubic smoothing spline, whose stiffness minimises generalised cross-validation
    [Craven & Wahba 1979]. Its errors are those of [Wahba 1983], which include the bias of a smooth
    curve. Only the ratios of the given errors matter: their size follows from the scatter of the
    points around the curve.
    """
    from scipy.interpolate import make_smoothing_spline
    from scipy.optimize import minimize_scalar

    weights = (np.mean(errors) / errors) ** 2
    unit = (x[-1] - x[0]) / len(x)

    def matrix(stiffness: float) -> np.ndarray:
        columns = np.eye(len(x))
        return make_smoothing_spline(x / unit, columns, w=weights, lam=np.exp(stiffness))(x / unit)

    def variance(smoother: np.ndarray) -> float:
        """The variance of y, from the degrees of freedom that the curve leaves."""
        left = len(x) - np.trace(smoother)
        return float(np.sum(weights * (y - smoother @ y) ** 2) / left)

    def score(stiffness: float) -> float:
        smoother = matrix(stiffness)
        return variance(smoother) / (len(x) - np.trace(smoother))

    found: Any = minimize_scalar(score, bounds=STIFFNESS)
    smoother = matrix(found.x)
    return smoother @ y, np.sqrt(variance(smoother) * np.diag(smoother) / weights)
