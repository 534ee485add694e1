"""How the modes of a reservoir are filled at the start."""

import abc

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Inexact

from bathax._checks import NON_NEGATIVE, Scalar, Validated, parameter


class Occupation(Validated):
    """Mean number n(w) of quanta in the mode of frequency w; the modes are uncorrelated."""

    @abc.abstractmethod
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        """n(w), also at complex w, where kernels are integrated along a rotated contour."""


class BoseEinstein(Occupation):
    """n(w) = 1 / (e^{w/T} - 1), and 0 at T = 0."""

    temperature: Scalar = parameter(NON_NEGATIVE)

    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        warm = self.temperature > 0
        temperature = jnp.where(warm, self.temperature, 1.0).astype(w.dtype)
        # Beyond 700 T the occupation is below the smallest number; keep the exponential finite.
        exponent = w / temperature
        exponent = jnp.where(exponent.real < 700.0, exponent, jnp.asarray(700.0, w.dtype))
        return jnp.where(warm, 1.0 / jnp.expm1(exponent), jnp.zeros((), w.dtype))


class Uniform(Occupation):
    """The same mean number in every mode, n(w) = number."""

    number: Scalar = parameter(NON_NEGATIVE)

    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        return jnp.broadcast_to(self.number.astype(w.dtype), w.shape)


class Distribution(Occupation):
    """Any occupation given as a function n(w), a pytree of its own where it has parameters.

    It must accept complex w if the spectral density is integrated along a rotated contour
    (`Ohmic`, `BandEdge`), and be analytic in the sector -pi/4 <= arg w <= 0.
    """

    function: eqx.Module

    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        return self.function(w)  # type: ignore[operator]
