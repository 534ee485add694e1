"""A reservoir of separate modes, each known by its frequency and coupling."""

from typing import Any, ClassVar, NoReturn

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Inexact

from bathax._checks import Scalar, as_float, is_finite, require, require_each
from bathax.reservoir.rules import Measure
from bathax.reservoir.spectral_density import SpectralDensity


class DiscreteModes(SpectralDensity):
    r"""J(w) = sum_k V_k^2 delta(w - w_k): a few oscillators, or any reservoir made discrete.

    `frequencies` w_k and `couplings` V_k, as many, in any order and of any sign; a temperature
    needs all w_k > 0. Kernels are exact sums, g(t) = sum_k V_k^2 e^{-i w_k t}. J has no values, so
    that whatever needs one, like the golden rule, raises `ValueError`. Self-energy and level shift
    are infinite at a mode.

    >>> J = bx.DiscreteModes(frequencies=[1.0, 2.0], couplings=[0.1, 0.2])
    >>> round(float(J.self_energy(0.0).real), 4)  # -sum_k V_k^2 / w_k
    -0.03
    """

    formula: ClassVar[str] = "J(w)"

    frequencies: Float[Array, " modes"] = eqx.field(converter=as_float)
    couplings: Float[Array, " modes"] = eqx.field(converter=as_float)

    def __check_init__(self) -> None:
        w, v = self.frequencies, self.couplings
        words = "a list of at least one frequency"
        require("frequencies", words, f"of shape {w.shape}", w.ndim == 1 and w.size)
        require("couplings", "as long as `frequencies`", f"{v.shape} long", v.shape == w.shape)
        require_each("frequencies", "finite", w, is_finite)
        require_each("couplings", "finite", v, is_finite)

    def is_consistent(self) -> Bool[Array, ""]:
        return _finite(self.frequencies) & _finite(self.couplings)

    def __call__(self, w: Inexact[Array, "..."]) -> NoReturn:
        del w
        found = f"{type(self).__name__}, a sum of delta functions"
        raise ValueError(f"Argument `spectral_density` must have values J(w), but is {found}.")

    @property
    def lower(self) -> Scalar:
        return jnp.min(self.frequencies)

    @property
    def bandwidth(self) -> Scalar:
        return jnp.max(jnp.abs(self.frequencies))

    @property
    def extent(self) -> tuple[Scalar, Scalar]:
        return self.lower, jnp.max(self.frequencies)

    @property
    def is_continuous(self) -> bool:
        return False

    @property
    def modes(self) -> Measure:
        return self.frequencies, self.couplings

    def has_thermal_state(self, mu: Scalar) -> Bool[Array, ""]:
        return self.lower > mu

    def measure(self, resolution: int) -> Measure:
        del resolution
        return self.frequencies, self.couplings**2


def _finite(values: Float[Array | np.ndarray, " modes"]) -> Any:
    return is_finite(values).all()
