"""A spectral density given by measured points."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Inexact

from bathax._checks import Scalar, as_float, is_concrete, require
from bathax.numerics.interpolation import monotone_cubic
from bathax.numerics.quadrature import gauss_legendre
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
        if is_concrete(self.w, self.J):
            require("w", "finite and increasing", self.w, bool(_increasing(self.w)))
            require("J", "non-negative and finite", self.J, bool(_non_negative(self.J)))

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

    def measure(self, resolution: int) -> Measure:
        # Gauss-Legendre between the knots, where J is a polynomial.
        intervals = len(self.w) - 1
        x, weights = (jnp.asarray(part) for part in gauss_legendre(8 + resolution // intervals))
        width = jnp.diff(self.w)[:, None]
        nodes = (self.w[:-1, None] + width * x[None, :]).ravel()
        return nodes, self(nodes) * (width * weights[None, :]).ravel()

    def level_shift(self, w: Float[Array, "..."]) -> Float[Array, "..."]:
        r"""Delta(w) = \int dw' [J(w') - J(w)] / (w - w') + J(w) log|(w - w_0) / (w_last - w)|."""
        nodes, masses = self.measure(64 * len(self.w))
        uniform = eqx.tree_at(lambda table: table.J, self, jnp.ones_like(self.J))
        _, lengths = uniform.measure(64 * len(self.w))
        here = self(w)[..., None]
        gap = w[..., None] - nodes
        difference = (masses - here * lengths) / jnp.where(gap == 0.0, jnp.inf, gap)
        ends = jnp.log(jnp.abs((w - self.w[0]) / (self.w[-1] - w)))
        inside = (w > self.w[0]) & (w < self.w[-1])
        return jnp.sum(difference, axis=-1) + jnp.where(inside, here[..., 0] * ends, 0.0)


def _increasing(w: Float[Array, " knots"]) -> Bool[Array, ""]:
    return jnp.all(jnp.isfinite(w)) & jnp.all(jnp.diff(w) > 0)


def _non_negative(values: Float[Array, " knots"]) -> Bool[Array, ""]:
    return jnp.all((values >= 0) & jnp.isfinite(values))
