"""How the modes of a reservoir are filled at the start."""

import abc
from typing import Any, ClassVar, NoReturn

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Inexact

from bathax._checks import (
    NON_NEGATIVE,
    Scalar,
    Validated,
    as_float,
    as_inexact,
    converting,
    holds,
    is_finite,
    parameter,
    require,
)
from bathax.reservoir.plain import PlainFunction

# Panels that grow with the distance from mu, in units of T, up to where n is constant.
GRADES = np.array([-38.0, -16.0, -8.0, -4.0, -2.0, 0.0, 2.0, 4.0, 8.0, 16.0, 38.0])
# The number of panels between the end of a band of bosons and T, which grow with the distance from
# mu, and the least such distance in units of T, that of rounding.
NEAR, LEAST = 24, 1e-16


def _as_potential(value: Any) -> Any:
    """A chemical potential as an array, or None."""
    return None if value is None else as_float(value, "chemical_potential")


class Occupation(Validated):
    """Mean number n(w) of quanta in the mode of frequency w; the modes are uncorrelated.

    `statistics` is that of the quanta. `is_analytic` says whether n is known, and bounded, along
    paths in the lower half plane; `temperature` is that of a thermal state, None of any other.
    `planck` is it too, where n is Planck's 1 / (e^{w/T} - 1), for which closed forms exist.
    """

    statistics: ClassVar[str] = "boson"
    is_analytic: ClassVar[bool] = False
    temperature: ClassVar[Scalar | None] = None

    @property
    def planck(self) -> Scalar | None:
        """T of Planck's law; None for any other occupation."""
        return None

    @property
    def constant(self) -> Scalar | None:
        """n where it is the same in every mode."""
        return None

    @property
    def level(self) -> Scalar:
        """mu; 0 where it has none."""
        return jnp.zeros(())

    @property
    def breaks(self) -> tuple[Scalar, ...]:
        """Real frequencies with poles of n below them, where paths return to the real axis."""
        return ()

    def cuts(self, lower: Scalar) -> Float[Array, " cuts"]:
        """Real frequencies that cut the axis above `lower` into panels on which n is smooth."""
        del lower
        return jnp.zeros(0)

    @abc.abstractmethod
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        """n(w); a thermal one also at complex w, for integrals along a rotated contour."""

    def is_vacuum(self) -> Bool[Array, ""]:
        """Whether every mode is known to be empty."""
        return jnp.asarray(False)

    def chances(self, w: Float[Array, " modes"], levels: int) -> Float[Array, "modes levels"]:
        """Probabilities of 0, 1, ... quanta in separate modes; those of Gaussian states."""
        ratio = (n := self(w)) / (n + 1.0)
        return (1.0 - ratio)[:, None] * ratio[:, None] ** np.arange(float(levels))[None, :]


class Thermal(Occupation):
    """A thermal state with a temperature and, where particles are exchanged, a chemical potential.

    None is the chemical potential of quanta that are not conserved, 0.
    """

    is_analytic: ClassVar[bool] = True

    temperature: Scalar = parameter(NON_NEGATIVE)  # pyright: ignore
    chemical_potential: Scalar | None = eqx.field(converter=_as_potential, default=None)

    def __check_init__(self) -> None:
        super().__check_init__()
        mu = self.chemical_potential
        if mu is not None:
            require("chemical_potential", "a scalar", f"of shape {mu.shape}", mu.ndim == 0)
            require("chemical_potential", "finite", mu, holds(is_finite, mu))

    def is_consistent(self) -> Bool[Array, ""]:
        return jnp.isfinite(self.level)

    @property
    def level(self) -> Scalar:
        """mu."""
        mu = self.chemical_potential
        return jnp.zeros_like(self.temperature) if mu is None else mu


class BoseEinstein(Thermal):
    """n(w) = 1 / (e^{(w - mu)/T} - 1), and 0 at T = 0 (AHZ Eq. 10).

    The `temperature` T >= 0 and the `chemical_potential` mu, below all modes. If mu is left out it
    is 0, and closed forms of kernels are known.

    >>> round(float(bx.BoseEinstein(temperature=1.0 / np.log(2.0))(1.0)), 4)
    1.0
    """

    @property
    def planck(self) -> Scalar | None:
        return self.temperature if self.chemical_potential is None else None

    def cuts(self, lower: Scalar) -> Float[Array, " cuts"]:
        # n has a pole at mu, and so panels are graded towards it down to the lower end.
        warm = self.temperature > 0
        nearest = (lower - self.level) / jnp.where(warm, self.temperature, 1.0)
        near = jnp.clip(nearest, LEAST, 1.0) ** (np.arange(NEAR) / NEAR)
        grades = jnp.concatenate([near, GRADES[GRADES > 0.0]])
        return lax.stop_gradient(self.level + self.temperature * grades)

    @converting(as_inexact)
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        warm = self.temperature > 0
        temperature = jnp.where(warm, self.temperature, 1.0).astype(w.dtype)
        # At T = 0 the argument is anything safe: w may be far below mu there.
        above = w - self.level.astype(w.dtype)
        x = jnp.where(warm, above / temperature, jnp.ones((), w.dtype))
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


class FermiDirac(Thermal):
    """f(w) = 1 / (e^{(w - mu)/T} + 1), and a step at T = 0 (AHZ Eq. 10).

    The `temperature` T >= 0 and the `chemical_potential` mu, 0 if it is left out.

    >>> round(float(bx.FermiDirac(temperature=0.5, chemical_potential=1.0)(1.5)), 4)
    0.2689
    """

    statistics: ClassVar[str] = "fermion"

    @property
    def breaks(self) -> tuple[Scalar, ...]:
        return (self.level,)

    def cuts(self, lower: Scalar) -> Float[Array, " cuts"]:
        del lower
        return self.level + self.temperature * GRADES

    @converting(as_inexact)
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        warm = self.temperature > 0
        above = w - self.level.astype(w.dtype)
        x = above / jnp.where(warm, self.temperature, 1.0).astype(w.dtype)
        step = jnp.where(above.real < 0.0, 1.0, 0.0).astype(w.dtype)
        return jnp.where(warm, _fermi(jnp.where(warm, x, jnp.zeros((), w.dtype))), step)


@jax.custom_jvp
def _fermi(x: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
    """1 / (e^x + 1), which overflows nowhere."""
    falling = x.real > 0.0
    small = jnp.exp(jnp.where(falling, -x, x))
    return jnp.where(falling, small, jnp.ones((), x.dtype)) / (1.0 + small)


@_fermi.defjvp
def _fermi_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    (x,), (dx,) = primals, tangents
    f = _fermi(x)
    return f, -f * ((1.0 - f) * dx)


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


class FockMixture(Occupation):
    """Separate modes, each in the mixture sum_n p_n |n><n| of its Fock states.

    `probabilities` p_0, p_1, ... are non-negative and sum to 1. All modes of a reservoir have the
    same; several reservoirs, of one mode each, have their own. The state is phase invariant, but
    it is not Gaussian, and n(w) alone says too little: only a `Qubit` with `DiscreteModes` has a
    solver for it, `ExactDiagonalisation`, and all else refuses it.

    A photon in the mode makes the Rabi oscillation of an excited atom faster, cos^2(sqrt(2) V t):

    >>> mode = bx.DiscreteModes(frequencies=[1.0], couplings=[0.1])
    >>> qubit = bx.Qubit(1.0, bx.Reservoir(mode, occupation=bx.FockMixture([0.0, 1.0])))
    >>> dmap = bx.dynamical_map(qubit, jnp.array([0.0, 10.0]))
    >>> round(float(dmap.p11[-1]), 4)
    0.0243
    """

    probabilities: Float[Array, " levels"] = eqx.field(converter=as_float)

    def __check_init__(self) -> None:
        shape = self.probabilities.shape
        require("probabilities", "a list", f"of shape {shape}", len(shape) == 1 and shape[0])
        known = holds(FockMixture.is_consistent, self)
        require("probabilities", "non-negative and sum to 1", self.probabilities, known)

    def is_consistent(self) -> Bool[Array, ""]:
        p = self.probabilities
        return (abs(p.sum() - 1.0) < 1e-8) & (p >= 0.0).all()

    def __call__(self, w: Any) -> NoReturn:
        del w
        words = "that of a Gaussian state, unless for `ExactDiagonalisation` of a `Qubit`"
        raise ValueError(f"Argument `occupation` must be {words}, but is {type(self).__name__}.")

    def chances(self, w: Float[Array, " modes"], levels: int) -> Float[Array, "modes levels"]:
        p = self.probabilities[:levels]
        padded = jnp.pad(p, (0, levels - p.shape[0]))
        return jnp.broadcast_to(padded, (*w.shape, levels))
