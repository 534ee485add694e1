"""How the modes of a reservoir are filled at the start."""

import abc
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Inexact

from bathax._checks import (
    NON_NEGATIVE,
    Scalar,
    Validated,
    as_inexact,
    converting,
    parameter,
)
from bathax.reservoir.plain import PlainFunction


class Occupation(Validated):
    """Mean number n(w) of quanta in the mode of frequency w; the modes are uncorrelated.

    `statistics` is that of the quanta. `is_analytic` says whether n is known, and bounded, along
    paths in the lower half plane; `temperature` is that of a thermal state, None of any other.
    """

    statistics: ClassVar[str] = "boson"
    is_analytic: ClassVar[bool] = False
    temperature: ClassVar[Scalar | None] = None

    @property
    def constant(self) -> Scalar | None:
        """n where it is the same in every mode."""
        return None

    @abc.abstractmethod
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        """n(w); a thermal one also at complex w, for integrals along a rotated contour."""

    def is_vacuum(self) -> Bool[Array, ""]:
        """Whether every mode is known to be empty."""
        return jnp.asarray(False)


class BoseEinstein(Occupation):
    """n(w) = 1 / (e^{w/T} - 1) at the `temperature` T >= 0, and 0 at T = 0.

    >>> round(float(bx.BoseEinstein(temperature=1.0 / np.log(2.0))(1.0)), 4)
    1.0
    """

    is_analytic: ClassVar[bool] = True

    temperature: Scalar = parameter(NON_NEGATIVE)  # pyright: ignore

    @converting(as_inexact)
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        warm = self.temperature > 0
        temperature = jnp.where(warm, self.temperature, 1.0).astype(w.dtype)
        # At T = 0 the argument is anything safe: w may be far below zero there.
        x = jnp.where(warm, w / temperature, jnp.ones((), w.dtype))
        return jnp.where(warm, _bose(x), jnp.zeros((), w.dtype))

    def is_vacuum(self) -> Bool[Array, ""]:
        return self.temperature == 0.0


@jax.custom_jvp
def _bose(x: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
    """1 / (e^x - 1), whose derivatives underflow at large x as it does."""
    return -jnp.exp(-x) / jnp.expm1(-x)


@_bose.defjvp
def _bose_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    (x,), (dx,) = primals, tangents
    n = _bose(x)
    # In this order nothing overflows close to x = 0, in derivatives of any order: dx is like x.
    return n, -n * ((n + 1.0) * dx)


class Uniform(Occupation):
    """The same mean `number` >= 0 in every mode, n(w) = number.

    >>> float(bx.Uniform(0.5)(3.0))
    0.5
    """

    is_analytic: ClassVar[bool] = True

    number: Scalar = parameter(NON_NEGATIVE)

    @property
    def constant(self) -> Scalar:
        return self.number

    @converting(as_inexact)
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        return jnp.broadcast_to(self.number.astype(w.dtype), w.shape)

    def is_vacuum(self) -> Bool[Array, ""]:
        return self.number == 0.0


class Distribution(Occupation):
    """Any occupation given as a `function` n(w) of real w, a module where it has parameters.

    Kernels are integrated along the real axis, which resolves an n(w) as smooth as the spectral
    density; it must fall off with w where the spectral density has algebraic tails.

    >>> n = bx.Distribution(lambda w: jnp.exp(-w))
    >>> round(float(n(2.0)), 4)
    0.1353
    """

    function: PlainFunction = eqx.field(converter=PlainFunction.of)

    @converting(as_inexact)
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        return self.function(w)
