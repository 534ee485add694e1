"""Initial states of a qubit, and their evolution under the exact map."""

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Complex, Float

from bathax._checks import (
    RealLike,
    Scalar,
    Validated,
    as_complex,
    as_float,
    holds,
    is_density_matrix,
    require,
    require_density_matrix,
)
from bathax.qubit.elements import MapElements


class QubitState(Validated):
    """A state of the qubit at t = 0, by its matrix `rho`; Hermitian, positive, trace 1.

    The basis is counted by quanta: rho[0, 0] is the population of the ground state, rho[1, 1] that
    of the excited one, and rho[1, 0] = <s-> the coherence.

    >>> plus = bx.QubitState([[0.5, 0.5], [0.5, 0.5]])
    >>> [float(p) for p in plus.populations]
    [0.5, 0.5]
    """

    rho: Complex[Array, "2 2"] = eqx.field(converter=as_complex)

    def __check_init__(self) -> None:
        shape = self.rho.shape
        require("rho", "a matrix of shape (2, 2)", f"of shape {shape}", shape == (2, 2))
        require_density_matrix("rho", self.rho)

    def is_consistent(self) -> Bool[Array, ""]:
        return is_density_matrix(self.rho)

    @property
    def populations(self) -> tuple[Scalar, Scalar]:
        """rho_00(0) of the ground state and rho_11(0) of the excited one."""
        return self.rho[0, 0].real, self.rho[1, 1].real

    def excited_population(self, elements: MapElements) -> Float[Array, "*times"]:
        """rho_11(t) = P11 rho_11(0) + (1 - P00) rho_00(0)."""
        ground, excited = self.populations
        return elements.p11 * excited + (1.0 - elements.p00) * ground

    def excited_rate(self, elements: MapElements) -> Float[Array, "*times"]:
        """d rho_11/dt = P11' rho_11(0) - P00' rho_00(0)."""
        ground, excited = self.populations
        return elements.dp11 * excited - elements.dp00 * ground

    def coherence(self, elements: MapElements) -> Complex[Array, "*times"]:
        """rho_10(t) = c rho_10(0), in the laboratory frame."""
        return elements.c.astype(complex) * self.rho[1, 0]

    def coherence_rate(self, elements: MapElements) -> Complex[Array, "*times"]:
        """d rho_10/dt = c' rho_10(0)."""
        return elements.dc.astype(complex) * self.rho[1, 0]


def Excited() -> QubitState:
    """The excited state, rho = |1><1|.

    >>> float(bx.Excited().rho[1, 1].real)
    1.0
    """
    return QubitState([[0.0, 0.0], [0.0, 1.0]])


def Ground() -> QubitState:
    """The ground state, rho = |0><0|.

    >>> float(bx.Ground().rho[0, 0].real)
    1.0
    """
    return QubitState([[1.0, 0.0], [0.0, 0.0]])


def Bloch(x: RealLike, y: RealLike, z: RealLike) -> QubitState:
    """The state (1 + x sx + y sy + z sz) / 2 of a Bloch vector of length 1 or less.

    sz = |1><1| - |0><0|, so that z = 1 is excited and z = -1 the ground state; with
    s+ = |1><0| = (sx + i sy) / 2 the coherence is rho_10 = (x - i y) / 2.

    >>> complex(bx.Bloch(0.0, 1.0, 0.0).rho[1, 0])
    -0.5j
    """
    x, y, z = as_float(x, "x"), as_float(y, "y"), as_float(z, "z")
    # A vector normalised in floating-point numbers may be longer than 1 by its rounding.
    inside = holds(lambda *r: sum(part**2 for part in r) <= 1.0 + 1e-12, x, y, z)
    require("x, y, z", "a vector of length 1 or less", f"({x}, {y}, {z})", inside)
    coherence = lax.complex(0.5 * x, -0.5 * y)
    ground, excited = 0.5 * (1.0 - z).astype(complex), 0.5 * (1.0 + z).astype(complex)
    rows = [[ground, coherence.conj()], [coherence, excited]]
    return QubitState(jnp.stack([jnp.stack(row) for row in rows]))
