"""Smooth curves through the points of a smooth function, of an order that loses no digits."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from bathax import _loops

# Between points at a distance h the error of a smooth curve is of order h^8.
DEGREE = 7
FEWEST = DEGREE + 1


class Spline(eqx.Module):
    """A polynomial of degree 7 on every interval, with 6 continuous derivatives.

    Called with a number of NumPy or Python it computes with NumPy, and with JAX otherwise.
    """

    knots: Float[Array | np.ndarray, " knots"]
    coefficients: Float[Array | np.ndarray, "terms intervals"]

    @staticmethod
    def through(x: Float[np.ndarray, " points"], y: Float[np.ndarray, " points"]) -> "Spline":
        """The curve through at least `FEWEST` points, of increasing x."""
        from scipy.interpolate import PPoly, make_interp_spline

        pieces = PPoly.from_spline(make_interp_spline(x, y, DEGREE))
        # The first and the last knot are repeated, with nothing in between.
        real = np.diff(pieces.x) > 0.0
        return Spline(np.append(pieces.x[:-1][real], pieces.x[-1]), pieces.c[:, real])

    def __call__(self, x: Any) -> Any:
        xp, of = (jnp, _loops) if isinstance(x, jax.Array) else (np, np)
        knots, coefficients = xp.asarray(self.knots), xp.asarray(self.coefficients)
        last = knots.shape[0] - 2
        interval = xp.clip(of.searchsorted(knots, x, side="right") - 1, 0, last)
        s, value = x - knots[interval], coefficients[0, interval]
        for row in coefficients[1:]:
            value = value * s + row[interval]
        return value

    def integral(self) -> "Spline":
        """The integral from the first knot."""
        powers = np.arange(len(self.coefficients), 0, -1)[:, None]
        rows = np.asarray(self.coefficients) / powers
        each = np.sum(rows * np.diff(self.knots) ** powers, axis=0)
        return Spline(self.knots, np.vstack([rows, np.append(0.0, np.cumsum(each)[:-1])]))
