"""Initial states of the cavity and what becomes of them under the exact map."""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, ArrayLike, Bool, Complex, Float

from bathax._checks import (
    NON_NEGATIVE,
    Scalar,
    Validated,
    as_complex,
    as_float,
    holds,
    is_density_matrix,
    parameter,
    require,
    require_density_matrix,
)
from bathax.cavity import channel, gaussian
from bathax.cavity.channel import EntropyExpansion
from bathax.cavity.hermitian import von_neumann_entropy


class State(Validated):
    """A state of the mode at t = 0.

    The map depends on u(t) and v(t): `transmission` below is |u|^2, `noise` is v. Entropy does not
    depend on the phase of u.
    """

    @property
    @abc.abstractmethod
    def number(self) -> Scalar:
        """Mean number of quanta <a'a> at the start."""

    @abc.abstractmethod
    def entropy(self, transmission: Scalar, noise: Scalar) -> Scalar:
        """S = -Tr[rho ln rho] of the evolved state (AHZ Eq. 9b)."""

    def entropy_expansion(self, transmission: Scalar, noise: Scalar) -> EntropyExpansion:
        """S with its first and second derivatives with respect to |u|^2 and v."""
        point = (transmission, noise)
        slopes = jax.jacfwd(self.entropy, (0, 1))
        curvatures = jax.jacfwd(slopes, (0, 1))
        return EntropyExpansion(self.entropy(*point), slopes(*point), curvatures(*point))

    @abc.abstractmethod
    def density_matrix(
        self, u: Complex[Array, ""], noise: Scalar, levels: int
    ) -> Complex[Array, "levels levels"]:
        """The evolved state in the Fock basis, cut at `levels`."""

    def populations(self, u: Complex[Array, ""], noise: Scalar, levels: int) -> Array:
        """Probabilities of the first Fock states."""
        return jnp.diagonal(self.density_matrix(u, noise, levels)).real


class Mixture(State):
    """An incoherent mixture of Fock states, sum_n p_n |n><n|.

    `probabilities` p_0, p_1, ... are non-negative and sum to 1.
    """

    probabilities: Float[Array, " d"] = eqx.field(converter=as_float)

    def __check_init__(self) -> None:
        shape = self.probabilities.shape
        require("probabilities", "a list of numbers", f"of shape {shape}", len(shape) == 1)
        words = "non-negative and sum to 1"
        require("probabilities", words, self.probabilities, holds(Mixture.is_consistent, self))

    def is_consistent(self) -> Bool[Array, ""]:
        normalised = jnp.abs(jnp.sum(self.probabilities) - 1.0) < 1e-8
        return normalised & jnp.all(self.probabilities >= 0.0)

    @property
    def number(self) -> Scalar:
        return self.probabilities @ jnp.arange(self.probabilities.shape[0], dtype=float)

    def entropy(self, transmission: Scalar, noise: Scalar) -> Scalar:
        return channel.mixture_entropy(self.probabilities, transmission, noise)

    def entropy_expansion(self, transmission: Scalar, noise: Scalar) -> EntropyExpansion:
        return channel.mixture_expansion(self.probabilities, transmission, noise)

    def density_matrix(
        self, u: Complex[Array, ""], noise: Scalar, levels: int
    ) -> Complex[Array, "levels levels"]:
        return jnp.diag(self.populations(u, noise, levels).astype(complex))

    def populations(self, u: Complex[Array, ""], noise: Scalar, levels: int) -> Array:
        transmission = u.real**2 + u.imag**2
        return channel.populations(
            self.probabilities, transmission, noise, np.arange(levels, dtype=float)
        )


def Fock(n: int) -> Mixture:
    """The Fock state |n>, n = 0, 1, 2, ... a plain integer."""
    whole = isinstance(n, int | np.integer) and n >= 0
    require("n", "a non-negative integer", n, whole)
    return Mixture(np.eye(n + 1)[n])


class DensityMatrix(State):
    """Any state given by its matrix in the Fock basis; Hermitian, positive, trace 1.

    The evolved matrix is cut at `levels` (default 64), which entropy and populations need enough
    of: v << levels. For a diagonal matrix use `Mixture`, which needs no cut, and for a Gaussian
    state `Gaussian`.
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

    def entropy(self, transmission: Scalar, noise: Scalar) -> Scalar:
        amplitude = jnp.sqrt(jnp.maximum(transmission, jnp.finfo(float).tiny)).astype(complex)
        return von_neumann_entropy(self.density_matrix(amplitude, noise, self.levels))

    def density_matrix(
        self, u: Complex[Array, ""], noise: Scalar, levels: int
    ) -> Complex[Array, "levels levels"]:
        return channel.density_matrix(self.rho, u, noise, levels)


class Gaussian(State):
    """A Gaussian state: displacement <a>, and the moments <da'da> and <da da> around it.

    `displacement` alpha, `excess` N = <da'da> >= 0, `anomalous` M = <da da> with
    |M|^2 <= N (N + 1). Evolves in closed form: alpha -> u alpha, N -> |u|^2 N + v, M -> u^2 M.
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

    def entropy(self, transmission: Scalar, noise: Scalar) -> Scalar:
        squeezing = (self.anomalous * self.anomalous.conj()).real
        return gaussian.entropy(transmission * self.excess + noise, transmission**2 * squeezing)

    def density_matrix(
        self, u: Complex[Array, ""], noise: Scalar, levels: int
    ) -> Complex[Array, "levels levels"]:
        transmission = u.real**2 + u.imag**2
        excess = transmission * self.excess + noise
        return gaussian.density_matrix(u * self.displacement, excess, u**2 * self.anomalous, levels)


def Thermal(nbar: ArrayLike) -> Gaussian:
    """The thermal state with mean number nbar >= 0."""
    return Gaussian(0.0, nbar)


def Coherent(alpha: ArrayLike) -> Gaussian:
    """The coherent state |alpha>, alpha any complex number."""
    return Gaussian(alpha, 0.0)


def Squeezed(r: ArrayLike, angle: ArrayLike = 0.0, nbar: ArrayLike = 0.0) -> Gaussian:
    """The squeezed vacuum S(r e^{i angle})|0>, or a squeezed thermal state with nbar > 0.

    <a'a> = nbar cosh 2r + sinh^2 r and <aa> = -(nbar + 1/2) e^{i angle} sinh 2r.
    """
    r, angle, nbar = as_float(r), as_float(angle), as_float(nbar)
    strength = -(nbar + 0.5) * jnp.sinh(2.0 * r)
    anomalous = lax.complex(strength * jnp.cos(angle), strength * jnp.sin(angle))
    return Gaussian(0.0, nbar * jnp.cosh(2.0 * r) + jnp.sinh(r) ** 2, anomalous)
