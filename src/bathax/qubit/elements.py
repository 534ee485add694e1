"""The three functions of time that make up the map of a qubit, and what a solver returns."""

import abc

import equinox as eqx
from jaxtyping import Array, Float, Inexact, Int

from bathax.qubit.model import Qubit


class MapElements(eqx.Module):
    """P11, P00 and c at the times t, with their time derivatives.

    rho_11(t) = P11 rho_11(0) + (1 - P00) rho_00(0) and rho_10(t) = c rho_10(0), in the laboratory
    frame: without a reservoir c = e^{-i w_s t}. The map has no other elements because quanta are
    conserved and the reservoirs are phase invariant (NP).
    """

    t: Float[Array, "*times"]
    p11: Float[Array, "*times"]
    p00: Float[Array, "*times"]
    c: Inexact[Array, "*times"]
    dp11: Float[Array, "*times"]
    dp00: Float[Array, "*times"]
    dc: Inexact[Array, "*times"]


class MapEstimate(eqx.Module):
    """Map elements, estimates of their absolute errors (real, under the same names), a `Status`.

    The errors are constant to differentiation; those of `c` and `dc` are moduli.
    """

    elements: MapElements
    error: MapElements
    status: Int[Array, ""]


class MapSolver(eqx.Module):
    """A way to the map of a qubit."""

    @abc.abstractmethod
    def map_elements(self, qubit: Qubit, ts: Float[Array, " times"]) -> MapEstimate:
        """P11, P00, c and their derivatives at the increasing times ts >= 0."""
