"""A spectral density given by measured points."""

import warnings
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Inexact
from scipy.interpolate import AAA

from bathax._checks import Scalar, as_float, holds, is_concrete, is_finite, require
from bathax.numerics.interpolation import monotone_cubic
from bathax.numerics.quadrature import gauss_legendre
from bathax.reservoir.rational import PartialFractions, Rational
from bathax.reservoir.spectral_density import Measure, SpectralDensity


class Tabulated(SpectralDensity):
    r"""J(w) through measured points, by a monotone cubic that keeps it positive; zero outside.

    `w` are increasing frequencies and `J` the values there, non-negative and as many. Kernels are
    integrated by quadrature and are differentiable with respect to w and J. The cubic has jumps in
    its second derivative, and J a jump where the table starts or ends at a value above zero, so
    that g(t) shows revivals at t ~ 2 pi / spacing that belong to the table, not to the reservoir.
    """

    formula: ClassVar[str] = "J(w) = monotone cubic through the table"

    w: Float[Array, " knots"] = eqx.field(converter=as_float)
    J: Float[Array, " knots"] = eqx.field(converter=as_float)

    def __check_init__(self) -> None:
        require("J", "as long as `w`", f"{self.J.shape} long", self.w.shape == self.J.shape)
        require(
            "w", "a list of at least 3 frequencies", self.w, self.w.ndim == 1 and len(self.w) > 2
        )
        require("w", "finite and increasing", self.w, holds(_increasing, self.w))
        require("J", "non-negative and finite", self.J, holds(_non_negative, self.J))

    def is_consistent(self) -> Bool[Array, ""]:
        return _increasing(self.w) & _non_negative(self.J)

    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        return monotone_cubic(self.w, self.J, w)

    @property
    def lower(self) -> Scalar:
        return self.w[0]

    @property
    def bandwidth(self) -> Scalar:
        return jnp.max(jnp.abs(self.w))

    @property
    def extent(self) -> tuple[Scalar, Scalar]:
        return self.w[0], self.w[-1]

    @property
    def weight(self) -> Scalar:
        return jnp.trapezoid(self.J, self.w)

    def measure(self, resolution: int) -> Measure:
        nodes, lengths = self._rule(resolution)
        return nodes, self(nodes) * lengths

    def level_shift(self, w: Float[Array, "..."]) -> Float[Array, "..."]:
        r"""Delta(w) = \int dw' [J(w') - J(w)] / (w - w') + J(w) log|(w - w_0) / (w_last - w)|."""
        nodes, lengths = self._rule(8 * len(self.w))
        masses = self(nodes) * lengths

        def shift(w: Scalar) -> Scalar:
            here, gap = self(w), w - nodes
            difference = (masses - here * lengths) / jnp.where(gap == 0.0, jnp.inf, gap)
            inside = (w > self.w[0]) & (w < self.w[-1])
            at = jnp.where(inside, w, 0.5 * (self.w[0] + self.w[-1]))
            ends = here * jnp.log((at - self.w[0]) / (self.w[-1] - at))
            return jnp.sum(difference) + jnp.where(inside, ends, 0.0)

        return jnp.vectorize(shift)(w)

    def rational(self, rtol: float = 1e-10, terms: int = 60) -> Rational:
        """The table as a rational function, which is analytic: by the AAA algorithm (SciPy).

        Fitted to `rtol` of the largest J with up to so many `terms`; its `kernel_error` compares
        it to the monotone cubic. For concrete values only. A table too rough for a smooth
        function, whose fit has poles within its range, is refused.
        """
        require("w", "known: a fit cannot be traced", self.w, is_concrete(self.w, self.J))
        w, values = np.asarray(self.w), np.asarray(self.J)
        with warnings.catch_warnings():
            # Too few terms for `rtol`: `kernel_error` tells.
            warnings.simplefilter("ignore", RuntimeWarning)
            fit = AAA(w, values, rtol=rtol, max_terms=min(terms, len(w) // 2))
        poles = fit.poles()
        real = np.abs(poles.imag) < 1e-6 * (w[-1] - w[0])
        within = real & (poles.real > w[0]) & (poles.real < w[-1])
        words = "smooth enough for a rational function without poles among the points"
        require("J", words, f"fitted with poles at {poles[within]}", not within.any())
        # They are in conjugate pairs but for rounding.
        above, on = poles[poles.imag > 0.0], poles[poles.imag == 0.0].real
        poles = np.concatenate([above, above.conj(), on])
        residues = _residues(w, values, above, on)
        # Where the table begins at zero, so does the function: a thermal n(w) needs it.
        constant = values[0] - np.sum(residues / (w[0] - poles)).real
        fractions = PartialFractions(poles, residues, constant)
        return Rational(fractions, w[0], w[-1], self._kernel_error(fractions))

    def _kernel_error(self, fractions: PartialFractions) -> float:
        r"""\int |dg| dt up to 2 pi / spacing of the table, after which g repeats itself."""
        x, lengths = (np.asarray(part) for part in self._rule(8 * len(self.w)))
        missed = np.asarray(self(jnp.asarray(x)) - fractions(jnp.asarray(x, complex)).real)
        ts = np.linspace(0.0, 2.0 * np.pi / np.min(np.diff(self.w)), 1024)
        kernel = np.exp(-1j * np.outer(ts, x)) @ (missed * lengths)
        return float(np.trapezoid(np.abs(kernel), ts))

    def _rule(self, resolution: int) -> Measure:
        """Nodes and lengths of Gauss-Legendre rules between the knots, where J is a polynomial.

        Even points between them keep a wide gap of the table from being under-resolved.
        """
        even = jnp.linspace(self.w[0], self.w[-1], resolution // 8)[1:-1]
        edges = jnp.sort(jnp.concatenate([self.w, even]))[:, None]
        x, weights = (jnp.asarray(part)[None, :] for part in gauss_legendre(12))
        width = jnp.diff(edges, axis=0)
        return (edges[:-1] + width * x).ravel(), (width * weights).ravel()


def _increasing(w: Float[Array | np.ndarray, " knots"]) -> Any:
    return is_finite(w).all() & (w[1:] > w[:-1]).all()


def _non_negative(values: Float[Array | np.ndarray, " knots"]) -> Any:
    return ((values >= 0) & is_finite(values)).all()


def _residues(w: np.ndarray, values: np.ndarray, above: np.ndarray, on: np.ndarray) -> np.ndarray:
    """Residues at poles above, below and on the real axis, by least squares beside a constant."""
    pairs = 2.0 / (w[:, None] - above)
    columns = np.hstack(
        [np.ones_like(w)[:, None], pairs.real, -pairs.imag, 1.0 / (w[:, None] - on)]
    )
    size = np.abs(columns).max(axis=0)
    _, *found = np.linalg.lstsq(columns / size, values)[0] / size
    real, imag, single = np.split(np.asarray(found), [len(above), 2 * len(above)])
    return np.concatenate([real + 1j * imag, real - 1j * imag, single])
