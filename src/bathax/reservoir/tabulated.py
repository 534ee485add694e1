"""A spectral density given by measured points."""

import warnings
from collections.abc import Callable
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Inexact

from bathax._checks import (
    NON_NEGATIVE,
    POSITIVE,
    RealLike,
    Scalar,
    as_float,
    as_inexact,
    converting,
    follows,
    is_concrete,
    is_finite,
    require,
    require_each,
)
from bathax.numerics.interpolation import monotone_cubic, smoothed
from bathax.numerics.quadrature import on_panels, principal_value
from bathax.reservoir.occupation import Occupation
from bathax.reservoir.rational import PartialFractions, Rational
from bathax.reservoir.rules import Measure
from bathax.reservoir.spectral_density import SpectralDensity

# The error of J(0) = 0, which is certain, relative to the median error of the points.
CERTAIN = 1e-3
# The tolerance of a rational fit to a table without errors, relative to its largest J.
SMOOTH = 1e-10


class Tabulated(SpectralDensity):
    r"""J(w) through measured points, by a monotone cubic that keeps it positive; zero outside.

    `w` are increasing frequencies and `J` the values there, non-negative and as many. Kernels are
    integrated by quadrature and are differentiable with respect to w and J. The second derivative
    of the cubic jumps at the points, and so does J where the table starts or ends above zero. This
    makes g(t) revive at t ~ 2 pi / spacing, which is an artefact of the table.

    `error`, if known, are the standard errors of the points. The error estimate of a solution
    includes neither these nor the error of interpolation: see `table_error`. `Tabulated.from_noisy`
    makes a smooth table of a measured J with noise.

    >>> w = jnp.linspace(0.0, 50.0, 101)
    >>> table = bx.Tabulated(w, bx.Ohmic(0.1, 5.0)(w))
    >>> round(float(table(5.2)), 3)  # between two points; 0.52 e^{-1.04}
    0.184
    """

    formula: ClassVar[str] = "J(w) = monotone cubic through the table"

    w: Float[Array, " knots"] = eqx.field(converter=as_float)
    J: Float[Array, " knots"] = eqx.field(converter=as_float)
    error: Float[Array, " knots"] = eqx.field(converter=as_float, default=0.0)

    def __check_init__(self) -> None:
        w, values, error = self.w, self.J, self.error
        require("J", "as long as `w`", f"{values.shape} long", w.shape == values.shape)
        require("w", "a list of at least 3 frequencies", w, w.ndim == 1 and len(w) > 2)
        words = "one number or as long as `w`"
        require("error", words, f"{error.shape} long", error.shape in ((), w.shape))
        require_each("w", "finite", w, is_finite)
        require_each("w", "increasing (sort `w`, and J with it)", w, follows)
        require_each("J", "finite", values, is_finite)
        words = "non-negative (`Tabulated.from_noisy` smooths a measured J)"
        require_each("J", words, values, lambda x: x >= 0.0)
        require_each("error", NON_NEGATIVE.words, error, NON_NEGATIVE.holds)

    @staticmethod
    def from_noisy(w: RealLike, J: RealLike, error: RealLike | None = None) -> "Tabulated":
        """A smooth table of a measured J: a smoothing spline, chosen by cross-validation.

        `w` are five frequencies or more, in any order, and `J` values of any sign. `error` are
        their standard errors, all equal if left out. The table has the spline's values at `w`, and
        0 where they are negative; at w = 0 it has J = 0, which a thermal reservoir needs. Its
        `error` is the standard error of the spline, from the scatter of the points around it.
        """
        w, values = np.asarray(as_float(w, "w")), np.asarray(as_float(J, "J"))
        require("J", "as long as `w`", f"{values.shape} long", w.shape == values.shape)
        require("w", "a list of at least 5 frequencies", w, w.ndim == 1 and len(w) > 4)
        errors = np.broadcast_to(as_float(1.0 if error is None else error, "error"), w.shape)
        require_each("J", "finite", values, is_finite)
        require_each("error", POSITIVE.words, errors, POSITIVE.holds)
        order = np.argsort(w)
        require_each("w", "finite and all different", w[order], lambda x: is_finite(x) & follows(x))
        w, values, errors = w[order], values[order], errors[order]
        at_zero = w == 0.0
        errors = np.where(at_zero, CERTAIN * np.median(errors), errors)
        smooth, spread = smoothed(w, np.where(at_zero, 0.0, values), errors)
        smooth = np.where(at_zero, 0.0, np.maximum(smooth, 0.0))
        require("J", "positive somewhere, once smoothed", "negative", np.any(smooth > 0.0))
        return Tabulated(w, smooth, spread)

    def raised(self) -> "Tabulated":
        """The table with each J > 0 raised by its standard `error`."""
        J = jnp.where(self.J > 0.0, self.J + self.error, self.J)
        return Tabulated(self.w, J, self.error)

    def is_consistent(self) -> Bool[Array, ""]:
        increasing = is_finite(self.w).all() & (self.w[1:] > self.w[:-1]).all()
        return increasing & ((self.J >= 0) & is_finite(self.J)).all()

    def thinned(self) -> "Tabulated":
        """Every second point of the table, and its last one."""
        kept = np.union1d(np.arange(0, len(self.w), 2), [len(self.w) - 1])
        words = "a list of at least 5 frequencies"
        require("w", words, f"{len(self.w)} long", len(kept) > 2)
        error = self.error[kept] if self.error.ndim else self.error
        return Tabulated(self.w[kept], self.J[kept], error)

    @converting(as_inexact)
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        return monotone_cubic(self.w, self.J, w)

    @property
    def lower(self) -> Scalar:
        """The last frequency of the table below which J is zero."""
        return self.w[jnp.maximum(jnp.argmax(self.J > 0.0) - 1, 0)]

    @property
    def bandwidth(self) -> Scalar:
        return jnp.max(jnp.abs(self.w))

    @property
    def extent(self) -> tuple[Scalar, Scalar]:
        return self.lower, self.w[-1]

    @property
    def weight(self) -> Scalar:
        return jnp.trapezoid(self.J, self.w)

    @property
    def corners(self) -> Float[Array, " knots"]:
        return self.w

    def measure(self, resolution: int) -> Measure:
        nodes, lengths = self._rule(resolution)
        return nodes, self(nodes) * lengths

    def rule_for(self, occupation: Occupation, resolution: int) -> Measure:
        nodes, lengths = self._rule(resolution, occupation.cuts(self.lower))
        return nodes, self(nodes) * lengths

    @converting(as_float)
    def level_shift(self, w: Float[Array, "..."]) -> Float[Array, "..."]:
        return principal_value(self, w, self._rule(8 * len(self.w)), (self.w[0], self.w[-1]))

    def rational(self, rtol: float | None = None, terms: int = 60) -> Rational:
        r"""The table as a rational function, which is analytic: by the AAA algorithm (SciPy).

        The fit has at most `terms` terms and misses J by at most `rtol` times the largest J; if
        `rtol` is left out it is 1e-10, or the largest `error` over the largest J. `kernel_error`
        \int |dg| dt has two parts: what the fit misses at the points, and its change when every
        fourth point is left out (or its difference from the monotone cubic where that fit fails).
        For concrete values only. A table too rough for a smooth function, whose fit has poles
        within its range, is refused.
        """
        require("w", "known: a fit cannot be traced", "traced", is_concrete(self.w, self.J))
        first = int(np.searchsorted(np.asarray(self.w), float(self.lower)))
        w, values = np.asarray(self.w)[first:], np.asarray(self.J)[first:]
        known = float(jnp.max(self.error)) / max(values.max(), np.finfo(float).tiny)
        wanted = max(known, SMOOTH) if rtol is None else rtol
        fit, within = _fitted(w, values, wanted, terms)
        words = (
            "smooth enough for a rational function (`Tabulated.from_noisy` smooths a measured J)"
        )
        found = f"rough: the fit has {within.size} poles among the points"
        require("J", words, found, within.size == 0)
        kept = np.setdiff1d(np.arange(len(w)), np.arange(2, len(w) - 1, 4))
        other, refused = _fitted(w[kept], values[kept], wanted, terms)
        error = self._kernel_error(w, values, fit, self if refused.size else other)
        return Rational(fit, w[0], w[-1], error)

    def _kernel_error(self, w: np.ndarray, values: np.ndarray, fit: Any, other: Any) -> float:
        r"""\int |dg| dt of the change between two fits, plus that of what the first one misses.

        Up to the time 2 pi / spacing of the table, after which g repeats itself.
        """
        # SciPy's interpolation takes as long to import as JAX, and few have tables.
        from scipy.interpolate import PchipInterpolator

        x, lengths = (np.asarray(part) for part in self._rule(8 * len(self.w)))
        x, lengths = x[x >= w[0]], lengths[x >= w[0]]
        missed = np.asarray(PchipInterpolator(w, np.real(fit(w)) - values)(x))
        change = np.real(fit(x)) - np.real(other(x))
        ts = np.linspace(0.0, 2.0 * np.pi / np.min(np.diff(w)), 1024)
        kernels = np.exp(-1j * np.outer(ts, x)) @ (lengths[:, None] * np.stack([missed, change], 1))
        return float(np.sum(np.trapezoid(np.abs(kernels), ts, axis=0)))

    def _rule(self, resolution: int, cuts: Float[Array, " cuts"] | None = None) -> Measure:
        """Nodes and lengths of Gauss-Legendre rules between the knots, where J is a polynomial.

        Equally spaced points are added to the knots, so that wide gaps of the table are resolved.
        """
        even = jnp.linspace(self.w[0], self.w[-1], resolution // 8)[1:-1]
        edges = jnp.concatenate([self.w, even])
        if cuts is not None:
            edges = jnp.concatenate([edges, jnp.clip(cuts, self.w[0], self.w[-1])])
        return on_panels(jnp.sort(edges), 12)


def tables_in(system: Any) -> list[Tabulated]:
    """The tables among the densities of a system."""
    return [node for node in jax.tree.leaves(system, is_leaf=_is_table) if _is_table(node)]


def with_tables(system: Any, change: Callable[[Tabulated], SpectralDensity]) -> Any:
    """The system with other densities for the tables in it."""
    return jax.tree.map(
        lambda node: change(node) if _is_table(node) else node, system, is_leaf=_is_table
    )


def _is_table(node: object) -> bool:
    return isinstance(node, Tabulated)


def _fitted(
    w: np.ndarray, values: np.ndarray, rtol: float, terms: int
) -> tuple[PartialFractions, np.ndarray]:
    """A rational function through a table, and those of its poles that lie among the points."""
    from scipy.interpolate import AAA

    with warnings.catch_warnings():
        # AAA warns if it has too few terms for `rtol`, which `kernel_error` shows.
        warnings.simplefilter("ignore", RuntimeWarning)
        poles = AAA(w, values, rtol=rtol, max_terms=min(terms, len(w) // 2)).poles()
    real = np.abs(poles.imag) < 1e-6 * (w[-1] - w[0])
    within = np.sort(poles.real[real & (poles.real > w[0]) & (poles.real < w[-1])])
    # Poles come in conjugate pairs, up to rounding.
    above, on = poles[poles.imag > 0.0], poles[poles.imag == 0.0].real
    poles = np.concatenate([above, above.conj(), on])
    residues = _residues(w, values, above, on)
    # The function has the first value of the table, exactly: a thermal n(w) needs J(0) = 0.
    constant = values[0] - np.sum(residues / (w[0] - poles)).real
    return PartialFractions(poles, residues, constant), within


def _residues(w: np.ndarray, values: np.ndarray, above: np.ndarray, on: np.ndarray) -> np.ndarray:
    """Residues at poles above, below and on the real axis: least squares, with a constant."""
    pairs = 2.0 / (w[:, None] - above)
    columns = np.hstack(
        [np.ones_like(w)[:, None], pairs.real, -pairs.imag, 1.0 / (w[:, None] - on)]
    )
    size = np.abs(columns).max(axis=0)
    _, *found = np.linalg.lstsq(columns / size, values)[0] / size
    real, imag, single = np.split(np.asarray(found), [len(above), 2 * len(above)])
    return np.concatenate([real + 1j * imag, real - 1j * imag, single])
