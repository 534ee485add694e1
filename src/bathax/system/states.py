"""Initial states of a mode, and their evolution under the exact channel (AHZ Eq. 16)."""

import abc
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Complex, Float

from bathax._checks import (
    NON_NEGATIVE,
    ComplexLike,
    RealLike,
    Scalar,
    Validated,
    as_complex,
    as_float,
    converting,
    holds,
    is_concrete,
    is_density_matrix,
    parameter,
    require,
    require_density_matrix,
)
from bathax.numerics.hermitian import von_neumann_entropy
from bathax.system import channel, gaussian
from bathax.system.entropy import by_differentiation, derivatives


class State(Validated):
    """A state of the mode at t = 0.

    The channel depends on u(t) and v(t): `transmission` below is |u|^2, `noise` is v. The entropy
    does not depend on the phase of u. Populations of `most_levels` take seconds at most.
    """

    most_levels: ClassVar[int] = 256

    @property
    @abc.abstractmethod
    def number(self) -> Scalar:
        """Mean number of quanta <a'a> at the start."""

    def of_shared_shape(self) -> "State":
        """The same state in padded arrays, so that similar states share a program."""
        return self

    @property
    @abc.abstractmethod
    def initial_entropy(self) -> Scalar:
        """S at the start."""

    @converting(as_float, as_float)
    def entropy(self, transmission: Scalar, noise: Scalar) -> Scalar:
        """S = -Tr[rho ln rho] of the evolved state (AHZ Eq. 9b)."""
        first, _ = self.entropy_derivatives(transmission[None], noise[None])
        return first[0, 0]

    def entropy_derivatives(
        self, transmission: Float[Array, " points"], noise: Float[Array, " points"]
    ) -> tuple[Float[Array, "3 points"], Float[Array, "3 points"]]:
        """(S, S_u, S_v) and (S_uu, S_uv, S_vv) at many points |u|^2 and v.

        The second three are constants to `grad`; they are what S and its slopes change by.
        """
        return derivatives(self, transmission, noise)

    @abc.abstractmethod
    def _entropy_derivatives(
        self, transmission: Float[Array, " points"], noise: Float[Array, " points"]
    ) -> Float[Array, "6 points"]:
        """All six in one pass, by formulas or by `by_differentiation`."""

    @abc.abstractmethod
    def density_matrix(
        self, u: Complex[Array, ""], noise: Scalar, levels: int
    ) -> Complex[Array, "levels levels"]:
        """The evolved state in the Fock basis, cut at `levels`."""

    @converting(as_complex, as_float)
    def populations(self, u: Complex[Array, ""], noise: Scalar, levels: int) -> Array:
        """Probabilities of the first Fock states."""
        return jnp.diagonal(self.density_matrix(u, noise, levels)).real


class Mixture(State):
    """An incoherent mixture of Fock states, sum_n p_n |n><n|.

    `probabilities` p_0, p_1, ... are non-negative and sum to 1, at most 1,024 of them.

    >>> half = bx.Mixture([0.5, 0.0, 0.5])
    >>> float(half.number), round(float(half.initial_entropy), 4)  # 1 and ln 2
    (1.0, 0.6931)
    """

    most_levels: ClassVar[int] = 4096

    probabilities: Float[Array, " d"] = eqx.field(converter=as_float)

    def __check_init__(self) -> None:
        shape = self.probabilities.shape
        words = f"a list of at most {channel.LARGEST} numbers"
        usable = len(shape) == 1 and shape[0] <= channel.LARGEST
        require("probabilities", words, f"of shape {shape}", usable)
        words = "non-negative and sum to 1"
        require("probabilities", words, self.probabilities, holds(Mixture.is_consistent, self))

    def is_consistent(self) -> Bool[Array, ""]:
        p = self.probabilities
        return (abs(p.sum() - 1.0) < 1e-8) & (p >= 0.0).all()

    @property
    def number(self) -> Scalar:
        return self.probabilities @ jnp.arange(self.probabilities.shape[0], dtype=float)

    def of_shared_shape(self) -> "Mixture":
        missing = channel.padding(self.probabilities.shape[0])
        if not missing or not is_concrete(self):
            return self
        return Mixture(np.pad(np.asarray(self.probabilities), (0, missing)))

    @property
    def initial_entropy(self) -> Scalar:
        return 0.0 - self.probabilities @ channel.safe_log(self.probabilities)

    def _entropy_derivatives(
        self, transmission: Float[Array, " points"], noise: Float[Array, " points"]
    ) -> Float[Array, "6 points"]:
        return channel.entropy_derivatives(self.probabilities, transmission, noise)

    @converting(as_complex, as_float)
    def density_matrix(
        self, u: Complex[Array, ""], noise: Scalar, levels: int
    ) -> Complex[Array, "levels levels"]:
        return jnp.diag(self.populations(u, noise, levels).astype(complex))

    @converting(as_complex, as_float)
    def populations(self, u: Complex[Array, ""], noise: Scalar, levels: int) -> Array:
        transmission = u.real**2 + u.imag**2
        return channel.populations(
            self.probabilities, transmission, noise, np.arange(levels, dtype=float)
        )


def Fock(n: int) -> Mixture:
    """The Fock state |n>, n = 0, 1, 2, ... 1023, a plain integer.

    >>> float(bx.Fock(5).number)
    5.0
    """
    whole = isinstance(n, int | np.integer) and 0 <= n < channel.LARGEST
    require("n", f"an integer from 0 to {channel.LARGEST - 1}", n, whole)
    return Mixture((np.arange(n + 1) == n).astype(float))


class DensityMatrix(State):
    """Any state given by its matrix `rho` in the Fock basis; Hermitian, positive, trace 1.

    The evolved matrix is cut at `levels` (default 64): entropy and populations need v << levels.
    `Mixture`, for a diagonal matrix, and `Gaussian` need no cut.

    >>> plus = bx.DensityMatrix([[0.5, 0.5], [0.5, 0.5]])  # (|0> + |1>) / sqrt(2)
    >>> float(plus.number)
    0.5
    """

    rho: Complex[Array, "d d"] = eqx.field(converter=as_complex)
    levels: int = eqx.field(static=True, default=64)

    def __check_init__(self) -> None:
        shape = self.rho.shape
        square = len(shape) == 2 and shape[0] == shape[1]
        require("rho", "a square matrix", f"of shape {shape}", square)
        require(
            "levels", f"at least the dimension {shape[0]}", self.levels, self.levels >= shape[0]
        )
        require_density_matrix("rho", self.rho)

    def is_consistent(self) -> Bool[Array, ""]:
        return is_density_matrix(self.rho)

    @property
    def number(self) -> Scalar:
        return jnp.diagonal(self.rho).real @ jnp.arange(self.rho.shape[0], dtype=float)

    @property
    def initial_entropy(self) -> Scalar:
        return von_neumann_entropy(self.rho)

    def _entropy_derivatives(
        self, transmission: Float[Array, " points"], noise: Float[Array, " points"]
    ) -> Float[Array, "6 points"]:
        def entropy(transmission: Scalar, noise: Scalar) -> Scalar:
            amplitude = jnp.sqrt(jnp.maximum(transmission, jnp.finfo(float).tiny)).astype(complex)
            return von_neumann_entropy(self.density_matrix(amplitude, noise, self.levels))

        return by_differentiation(entropy, transmission, noise)

    @converting(as_complex, as_float)
    def density_matrix(
        self, u: Complex[Array, ""], noise: Scalar, levels: int
    ) -> Complex[Array, "levels levels"]:
        return channel.density_matrix(self.rho, u, noise, levels)


class Gaussian(State):
    """A Gaussian state: displacement <a>, and the moments <da'da> and <da da> around it.

    `displacement` alpha, `excess` N = <da'da> >= 0, `anomalous` M = <da da> with
    |M|^2 <= N (N + 1). Evolves in closed form: alpha -> u alpha, N -> |u|^2 N + v, M -> u^2 M.

    >>> displaced = bx.Gaussian(displacement=1.0 + 1.0j, excess=0.5)
    >>> float(displaced.number)  # |alpha|^2 + N
    2.5
    """

    displacement: Complex[Array, ""] = eqx.field(converter=as_complex)
    excess: Scalar = parameter(NON_NEGATIVE)
    anomalous: Complex[Array, ""] = eqx.field(converter=as_complex, default=0.0)

    def __check_init__(self) -> None:
        words = "finite and physical, |M|^2 <= N (N + 1)"
        require("anomalous", words, self.anomalous, holds(Gaussian.is_consistent, self))

    def is_consistent(self) -> Bool[Array, ""]:
        excess = jnp.maximum(self.excess, 0.0)
        bound = excess * (excess + 1.0) * (1.0 + 1e-9) + 1e-12
        return (jnp.abs(self.anomalous) ** 2 <= bound) & jnp.isfinite(jnp.abs(self.displacement))

    @property
    def number(self) -> Scalar:
        return self.excess + self.displacement.real**2 + self.displacement.imag**2

    @property
    def initial_entropy(self) -> Scalar:
        return self._entropy(jnp.ones(()), jnp.zeros(()))

    def _entropy(self, transmission: Scalar, noise: Scalar) -> Scalar:
        squeezing = (self.anomalous * self.anomalous.conj()).real
        return gaussian.entropy(self.excess, squeezing, transmission, noise)

    def _entropy_derivatives(
        self, transmission: Float[Array, " points"], noise: Float[Array, " points"]
    ) -> Float[Array, "6 points"]:
        return by_differentiation(self._entropy, transmission, noise)

    @converting(as_complex, as_float)
    def density_matrix(
        self, u: Complex[Array, ""], noise: Scalar, levels: int
    ) -> Complex[Array, "levels levels"]:
        transmission = u.real**2 + u.imag**2
        excess = transmission * self.excess + noise
        return gaussian.density_matrix(u * self.displacement, excess, u**2 * self.anomalous, levels)


def Thermal(nbar: RealLike) -> Gaussian:
    """The thermal state with mean number nbar >= 0.

    >>> round(float(bx.Thermal(1.0).initial_entropy), 4)  # 2 ln 2
    1.3863
    """
    return Gaussian(0.0, nbar)


def Coherent(alpha: ComplexLike) -> Gaussian:
    """The coherent state |alpha>, alpha any complex number.

    >>> float(bx.Coherent(2.0j).number)
    4.0
    """
    return Gaussian(alpha, 0.0)


def Squeezed(r: RealLike, angle: RealLike = 0.0, nbar: RealLike = 0.0) -> Gaussian:
    """The squeezed vacuum S(r e^{i angle})|0>, or a squeezed thermal state with nbar > 0.

    <a'a> = nbar cosh 2r + sinh^2 r and <aa> = -(nbar + 1/2) e^{i angle} sinh 2r.

    >>> round(float(bx.Squeezed(1.0).number), 4)  # sinh^2 1
    1.3811
    """
    r, angle, nbar = as_float(r, "r"), as_float(angle, "angle"), as_float(nbar, "nbar")
    strength = -(nbar + 0.5) * jnp.sinh(2.0 * r)
    anomalous = lax.complex(strength * jnp.cos(angle), strength * jnp.sin(angle))
    return Gaussian(0.0, nbar * jnp.cosh(2.0 * r) + jnp.sinh(r) ** 2, anomalous)
