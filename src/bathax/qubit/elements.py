"""The three functions of time that make up the map of a qubit, what follows, and the solvers."""

import abc

import equinox as eqx
from jaxtyping import Array, Float, Inexact

from bathax._display import Module
from bathax._estimate import Estimate
from bathax.system.models import Qubit
from bathax.system.preparation import Preparation, require_uncorrelated


class MapElements(eqx.Module):
    """P11, P00 and c with their time derivatives.

    rho_11(t) = P11 rho_11(0) + (1 - P00) rho_00(0) and rho_10(t) = c rho_10(0), in the laboratory
    frame: without a reservoir c = e^{-i w_s t}. The map has no other elements because quanta are
    conserved and the reservoirs are phase invariant (NP).
    """

    p11: Float[Array, "*times"]
    p00: Float[Array, "*times"]
    c: Inexact[Array, "*times"]
    dp11: Float[Array, "*times"]
    dp00: Float[Array, "*times"]
    dc: Inexact[Array, "*times"]


class MapQuantities(Module):
    """The quantities of a map at each of its times; see `DynamicalMap`."""

    p11: Float[Array, "*times"]
    p00: Float[Array, "*times"]
    coherence: Inexact[Array, "*times"]
    determinant: Float[Array, "*times"]
    dp11: Float[Array, "*times"]
    dp00: Float[Array, "*times"]
    dcoherence: Inexact[Array, "*times"]
    ddeterminant: Float[Array, "*times"]
    gamma_minus: Float[Array, "*times"]
    gamma_plus: Float[Array, "*times"]
    gamma_z: Float[Array, "*times"]
    shift: Float[Array, "*times"]


class MapSolver(Module):
    """A method that computes the map of a qubit."""

    @abc.abstractmethod
    def map_elements(self, qubit: Qubit, ts: Float[Array, " times"]) -> Estimate[MapElements]:
        """P11, P00, c and their derivatives at the increasing times ts >= 0."""

    def from_preparation(
        self, qubit: Qubit, preparation: Preparation, ts: Float[Array, " times"]
    ) -> Estimate[MapElements]:
        """The same; a correlated preparation is refused, because the qubit then has no map."""
        require_uncorrelated(preparation)
        return self.map_elements(qubit, ts)
