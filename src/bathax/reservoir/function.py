"""A spectral density given by any function of the frequency."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Inexact

from bathax import _loops
from bathax._checks import (
    FINITE,
    POSITIVE,
    Rule,
    Scalar,
    as_float,
    converting,
    is_concrete,
    parameter,
    require,
    require_whole,
)
from bathax.numerics.quadrature import on_panels, principal_value
from bathax.reservoir.occupation import Occupation
from bathax.reservoir.plain import PlainFunction
from bathax.reservoir.rules import Measure
from bathax.reservoir.spectral_density import SpectralDensity

# J is probed at these distances from its lower end, in units of `scale`. Where w J is below NOTHING
# times its largest value it is left out: the kernel is the same to 15 digits.
PROBES, NOTHING = np.geomspace(1e-4, 1e4, 801), 1e-17
# The density of panels goes like this power of J, plus this part of its mean.
POWER, LEAST = 0.125, 0.1
# Two quadrature rules have to agree to this relative accuracy.
AGREE = 1e-10


class Function(SpectralDensity):
    r"""J(w) = function(w) for `lower` <= w <= `upper`, zero outside.

    `function` takes an array of frequencies and returns J there: non-negative, and smooth inside
    the support; at the ends it may rise like any power. It is made of `jax.numpy`: a plain
    function, differentiated with respect to what it closes over, or an `equinox.Module` with
    parameters as its fields, for all of which programs are compiled once. `scale` > 0 is a
    frequency on which J varies. Without an `upper` end J must fall off faster than any power, and
    within 10,000 times `scale`.

    Kernels are integrated along the real axis, by Gauss-Legendre rules of 32 nodes on each of the
    `panels`, of which there are more for longer times. This serves `Volterra`, `Hierarchy`, fits
    and sweeps. J is not continued to complex frequencies: poles and `Resonance` are refused, and
    the self-energy is accurate only away from the support.

    >>> J = bx.Function(lambda w: 0.1 * w * jnp.exp(-w / 5.0), scale=5.0)
    >>> round(float(J(5.0)), 4)  # as `Ohmic(0.1, 5.0)`
    0.1839
    """

    formula: ClassVar[str] = "J(w) = function(w)"

    function: PlainFunction = eqx.field(converter=PlainFunction.of)
    lower: Scalar = parameter(FINITE, default=0.0)  # pyright: ignore
    upper: Scalar = parameter(Rule("a number", lambda x: x == x), default=jnp.inf)
    scale: Scalar = parameter(POSITIVE, default=1.0)
    panels: int = eqx.field(static=True, default=32)

    def __check_init__(self) -> None:
        require_whole("panels", self.panels, 1)
        if not is_concrete(self):
            return
        require("upper", "above `lower`", self.upper, self.upper > self.lower)
        w, values = np.asarray(self._probes), np.asarray(self(self._probes))
        bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0.0)))
        found = f"{values[bad[0]]:g} at w = {w[bad[0]]:g}" if bad.size else ""
        require("function", "non-negative and finite on its support", found, not bad.size)
        words = "one that falls off faster than any power within 10,000 `scale`, or ends at `upper`"
        require("function", words, f"{values[-1]:g} at w = {w[-1]:g}", self._falls_off(values))
        words = f"smooth enough for {self.panels} `panels`, or have more of them"
        require("function", words, "not", self._is_resolved())

    def is_consistent(self) -> Bool[Array, ""]:
        values = self(self._probes)
        usable = jnp.all(jnp.isfinite(values) & (values >= 0.0)) & (self.upper > self.lower)
        return usable & self._falls_off(values) & self._is_resolved()

    @converting(as_float)
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        inside = (w >= self.lower) & (w <= self.upper)
        within = jnp.minimum(self.lower + self.scale, 0.5 * (self.lower + self.upper))
        return jnp.where(inside, self.function(jnp.where(inside, w, within)), 0.0)

    @property
    def bandwidth(self) -> Scalar:
        return jnp.maximum(jnp.abs(self.lower), jnp.abs(self.lower + self._spread))

    @property
    def extent(self) -> tuple[Scalar, Scalar]:
        return self.lower, jnp.minimum(self.lower + 2.0 * self._spread, self._end)

    @property
    def corners(self) -> Float[Array, " corners"]:
        return jnp.stack([self.lower, self._end])

    def measure(self, resolution: int) -> Measure:
        nodes, lengths = self._rule(self.panels + resolution // 4)
        return nodes, self(nodes) * lengths

    def rule_for(self, occupation: Occupation, resolution: int) -> Measure:
        nodes, lengths = self._rule(self.panels + resolution // 4, occupation.cuts(self.lower))
        return nodes, self(nodes) * lengths

    @converting(as_float)
    def level_shift(self, w: Float[Array, "..."]) -> Float[Array, "..."]:
        return principal_value(self, w, self._rule(8 * self.panels), (self.lower, self._end))

    @property
    def _probes(self) -> Float[Array, " probes"]:
        """Frequencies inside the support, up to its end or to 10,000 times `scale`."""
        w = self.lower + self.scale * jnp.asarray(PROBES)
        even = (
            self.lower + (self.upper - self.lower) * jnp.linspace(0.0, 1.0, PROBES.size + 2)[1:-1]
        )
        return jnp.where(jnp.isfinite(self.upper), even, w)

    @property
    def _end(self) -> Scalar:
        """Where the support ends, or where w J becomes negligible."""
        w = self._probes
        size = (w - self.lower) * self(w)
        beyond = jnp.max(jnp.where(size > NOTHING * jnp.max(size), w, self.lower))
        return jnp.where(jnp.isfinite(self.upper), self.upper, lax.stop_gradient(beyond))

    @property
    def _spread(self) -> Scalar:
        """The root of the mean squared distance from the lower end, weighted by J."""
        nodes, masses = self.measure(64)
        weight = jnp.sum(masses)
        mean = masses @ (nodes - self.lower) ** 2 / jnp.where(weight > 0.0, weight, 1.0)
        return jnp.where(weight > 0.0, jnp.sqrt(jnp.where(weight > 0.0, mean, 1.0)), self.scale)

    def _rule(self, panels: int, cuts: Float[Array, " cuts"] | None = None) -> Measure:
        """Nodes and lengths of Gauss-Legendre rules on the support, more of them where J is large.

        w = lower + length s(x) makes powers at both ends smooth in x.
        """
        x = jnp.linspace(0.0, 1.0, PROBES.size)
        edges = lax.stop_gradient(
            _loops.interp(jnp.linspace(0.0, 1.0, panels + 1), self._share(x), x)
        )
        if cuts is not None:
            edges = jnp.sort(jnp.concatenate([edges, self._places(cuts)]))
        x, weights = on_panels(edges, 32)
        nodes, lengths = self._placed(x)
        return nodes, lengths * weights

    def _share(self, x: Float[Array, " places"]) -> Float[Array, " places"]:
        """The share of the panels below each place in [0, 1], by a small power of J."""
        w, slope = self._placed(0.5 * (x[1:] + x[:-1]))
        size = self(w)
        largest = jnp.max(size)
        density = (size / jnp.where(largest > 0.0, largest, 1.0)) ** POWER * slope
        mean = jnp.mean(density)
        density = density / jnp.where(mean > 0.0, mean, 1.0) + LEAST
        below = jnp.concatenate([jnp.zeros(1), jnp.cumsum(density)])
        return below / below[-1]

    def _placed(self, x: Float[Array, " places"]) -> Measure:
        """w and dw/dx at places in [0, 1]."""
        length = self._end - self.lower
        step = x**4 * (35.0 - 84.0 * x + 70.0 * x**2 - 20.0 * x**3)
        return self.lower + length * step, length * 140.0 * (x * (1.0 - x)) ** 3

    def _places(self, w: Float[Array, " places"]) -> Float[Array, " places"]:
        """x of w, by Newton's method; the nearest end outside of the support."""
        x = jnp.linspace(0.0, 1.0, PROBES.size)
        found = lax.stop_gradient(_loops.interp(w, self._placed(x)[0], x))
        for _ in range(4):
            here, slope = self._placed(found)
            inside = slope > 0.0
            step = jnp.where(inside, (w - here) / jnp.where(inside, slope, 1.0), 0.0)
            found = jnp.clip(found + step, 0.0, 1.0)
        return found

    def _falls_off(self, values: Float[Array | np.ndarray, " probes"]) -> Bool[Array, ""]:
        """Whether J is negligible where the probes end."""
        size = PROBES * jnp.asarray(values)
        return jnp.isfinite(self.upper) | (size[-1] <= NOTHING * jnp.max(size))

    def _is_resolved(self) -> Bool[Array, ""]:
        """Whether twice the panels give the same integral."""
        some, more = (
            jnp.sum(self(nodes) * lengths)
            for nodes, lengths in (self._rule(self.panels), self._rule(2 * self.panels))
        )
        return jnp.abs(more - some) <= AGREE * jnp.abs(more)
