"""Named parameters as a vector without bounds, such as the logarithms of positive ones."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from bathax._checks import as_float, is_concrete, require, require_kind, shown

# The scale of a number that may be 0.
ZERO = 0.1

Bounds = tuple[float, float]
Vector = Float[Array | np.ndarray, "*many parameters"]


class Parameters(eqx.Module):
    """The map of named numbers or arrays p, each between bounds, to a vector x without bounds.

    x = p where there are no bounds, x = log(p - low) with one, and x = log((p - low) / (high - p))
    with two.
    """

    low: Vector
    high: Vector
    example: dict[str, np.ndarray]

    @classmethod
    def of(cls, start: Mapping[str, Any], bounds: Mapping[str, Bounds]) -> "Parameters":
        """With the bounds given; others are above 0 if they start above 0, and else unbounded."""
        words = "a mapping with at least one parameter"
        require("start", words, shown(start), isinstance(start, Mapping) and bool(start))
        require_kind("bounds", "a mapping of pairs (low, high)", bounds, Mapping)
        unknown = [name for name in bounds if name not in start]
        require("bounds", f"of parameters among {', '.join(start)}", unknown, not unknown)
        example = {name: _known(f"start.{name}", start[name]) for name in sorted(start)}
        ends = [
            np.tile(_bounds(name, p, bounds.get(name)), (p.size, 1)) for name, p in example.items()
        ]
        low, high = np.concatenate(ends).T
        return cls(low, high, example)

    @property
    def labels(self) -> list[str]:
        """A name for each number: `eta`, or `J[3]` in an array."""
        return [
            name + "".join(f"[{k}]" for k in place)
            for name, p in self.example.items()
            for place in np.ndindex(p.shape)
        ]

    def vector(self, parameters: Mapping[str, Any]) -> np.ndarray:
        """The numbers p in one vector."""
        return np.concatenate([np.ravel(parameters[name]) for name in self.example]).astype(float)

    def named(self, vector: Vector) -> dict[str, Any]:
        """The numbers p by name."""
        ends = np.cumsum([p.size for p in self.example.values()])
        return {
            name: vector[end - p.size : end].reshape(p.shape)
            for (name, p), end in zip(self.example.items(), ends, strict=True)
        }

    def free(self, vector: np.ndarray) -> np.ndarray:
        """x for one vector p or several."""
        with np.errstate(divide="ignore"):
            above = np.log(np.where(self._has_low, vector - self._low, 1.0))
            below = np.log(np.where(self._has_high, self._high - vector, 1.0))
        return np.where(self.is_bounded, above - below, vector)

    def bounded(self, x: Vector) -> Vector:
        """p for x."""
        xp, either, both = self._numpy, self.is_bounded, self._has_low & self._has_high
        y = xp.where(either, x, 0.0)
        with np.errstate(over="ignore"):
            one = xp.where(self._has_low, self._low + xp.exp(y), self._high - xp.exp(-y))
            two = self._low + (self._high - self._low) / (1.0 + xp.exp(-y))
        return xp.where(both, two, xp.where(either, one, x))

    def scale(self, p: np.ndarray) -> np.ndarray:
        """The scale of each number: the distance of its bounds, or the size of p or of its start.

        Without bounds it is at least 0.1, because p may be 0.
        """
        least = np.where(self.is_bounded, 0.0, ZERO)
        size = np.maximum(np.maximum(np.abs(p), np.abs(self.vector(self.example))), least)
        return np.where(self._has_low & self._has_high, self._high - self._low, size)

    @property
    def is_bounded(self) -> Any:
        """Which numbers have a bound: then x is a logarithm, whose differences are factors."""
        return self._has_low | self._has_high

    @property
    def _numpy(self) -> Any:
        """JAX inside a program, and elsewhere NumPy, which compiles nothing."""
        return np if isinstance(self.low, np.ndarray) else jnp

    @property
    def _has_low(self) -> Any:
        return self._numpy.isfinite(self.low)

    @property
    def _has_high(self) -> Any:
        return self._numpy.isfinite(self.high)

    @property
    def _low(self) -> Vector:
        return self._numpy.where(self._has_low, self.low, 0.0)

    @property
    def _high(self) -> Vector:
        return self._numpy.where(self._has_high, self.high, 0.0)


def _known(name: str, value: Any) -> np.ndarray:
    """A start or a bound as an array of known numbers."""
    with jax.ensure_compile_time_eval():
        p = as_float(value, name)
    words = "known numbers (a fit is not itself for `jit`, `vmap` or `grad`)"
    require(name, words, "traced", is_concrete(p))
    return np.asarray(p)


def _bounds(name: str, p: np.ndarray, given: Bounds | None) -> Bounds:
    if given is None:
        given = (0.0, np.inf) if np.all(p > 0.0) else (-np.inf, np.inf)
    pair = isinstance(given, tuple | list) and len(given) == 2
    require(f"bounds.{name}", "a pair (low, high)", shown(given), pair)
    low, high = (float(_known(f"bounds.{name}", end)) for end in given)
    inside = np.all((p > low) & (p < high))
    require(f"start.{name}", f"between {low:g} and {high:g}", p, inside)
    return low, high
