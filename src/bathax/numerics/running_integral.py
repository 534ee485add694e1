r"""Running integrals \int_0^t f(s) ds of functions that are analytic in a sector about t > 0.

The time axis is cut into panels that shrink towards t = 0 by a constant factor. On each panel f is
smooth, and a Gauss-Legendre rule integrates it. In the panel that contains t, the interpolating
polynomial through the nodes is integrated up to t.
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from bathax._checks import Scalar
from bathax.numerics.quadrature import gauss_legendre

# The number of panels, the number of nodes on each, and the length of the first panel times the
# bandwidth.
PANELS, NODES, FIRST = 32, 20, 1e-6


def running_integral(
    ts: Float[Array, " times"], bandwidth: Scalar
) -> tuple[Float[Array, " nodes"], Float[Array, "nodes times"]]:
    """Nodes in time, and their weights in the integral from 0 to each of the increasing times.

    For functions that are smooth within 1e-6 / `bandwidth` of t = 0.
    """
    ends = panels(ts[-1], bandwidth)
    x, _ = gauss_legendre(NODES)
    nodes = ends[:-1, None] + jnp.diff(ends)[:, None] * x[None, :]
    return nodes.ravel(), _running_weights(ts, ends)


def panels(last: Scalar, bandwidth: Scalar) -> Float[Array, " edges"]:
    """Ends of intervals of time that grow by a constant factor."""
    last = lax.stop_gradient(jnp.where(last > 0.0, last, 1.0))
    bandwidth = lax.stop_gradient(bandwidth)
    ratio = jnp.maximum(last * bandwidth / FIRST, 1e3) ** (1.0 / (PANELS - 1))
    powers = jnp.log(ratio) * np.arange(1.0 - PANELS, 1.0)
    return jnp.concatenate([np.zeros(1), last * jnp.exp(powers)])


def _running_weights(
    ts: Float[Array, " times"], ends: Float[Array, " edges"]
) -> Float[Array, "nodes times"]:
    """Weights of the nodes of all panels in the integral from 0 to each time."""
    starts, lengths = ends[:-1], jnp.diff(ends)
    since = ts[None, :] - starts[:, None]
    whole = ts[None, :] > ends[1:, None]
    within = (since > 0.0) & ~whole
    # At most one panel is covered in part.
    part = running_rule(jnp.sum(jnp.where(within, since / lengths[:, None], 0.0), axis=0))
    _, rule = gauss_legendre(NODES)
    weights = jnp.where(
        within[:, None, :], part[None, :, :], jnp.where(whole[:, None, :], rule[None, :, None], 0.0)
    )
    return (weights * lengths[:, None, None]).reshape(PANELS * NODES, ts.shape[0])


def running_rule(y: Float[Array, " y"]) -> Float[Array, "NODES y"]:
    """Weights of the Gauss-Legendre nodes in the integral of a polynomial from 0 to y."""
    return _series(jnp.asarray(_antiderivatives()), y)


@cache
def _antiderivatives() -> np.ndarray:
    """Chebyshev series of the integrals from 0 to y of the Lagrange polynomials of the nodes."""
    x, weights = gauss_legendre(NODES)
    degrees = np.arange(NODES)[:, None]
    legendre = np.polynomial.legendre
    series = (2 * degrees + 1) * weights * legendre.legvander(2 * x - 1, NODES - 1).T
    integrals = legendre.legint(series, lbnd=-1, scl=0.5)
    angles = np.pi / (NODES + 1) * (np.arange(NODES + 1) + 0.5)
    values = legendre.legval(np.cos(angles), integrals)
    coefficients = values @ np.cos(np.outer(angles, np.arange(NODES + 1))) * (2 / (NODES + 1))
    coefficients[:, 0] *= 0.5
    return coefficients


@jax.custom_jvp
def _series(coefficients: Float[Array, "n degrees"], y: Float[Array, " y"]) -> Array:
    """Chebyshev series in 2y - 1, 0 <= y <= 1."""
    angle = jnp.arccos(jnp.clip(2.0 * y - 1.0, -1.0, 1.0))
    return coefficients @ jnp.cos(np.arange(float(coefficients.shape[1]))[:, None] * angle[None, :])


@_series.defjvp
def _series_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    (coefficients, y), (_, dy) = primals, tangents
    slope = _series(2.0 * coefficients @ _derivative(coefficients.shape[1]), y)
    return _series(coefficients, y), slope * dy[None, :]


def _derivative(count: int) -> np.ndarray:
    """The matrix that takes the coefficients of a Chebyshev series to those of its derivative."""
    return np.polynomial.chebyshev.chebder(np.eye(count), axis=1)
