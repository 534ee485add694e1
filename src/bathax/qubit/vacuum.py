"""The exact map in the vacuum, given by the Green function u(t) of a cavity (AHZ Eqs. 20-24)."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from bathax._checks import are_times, holds, is_valid, require
from bathax._estimate import Estimate, judged
from bathax._programs import program
from bathax._status import Status
from bathax.cavity.green import GreenFunctions
from bathax.cavity.solvers import Volterra
from bathax.qubit.elements import MapElements, MapSolver
from bathax.reservoir.occupation import Uniform
from bathax.reservoir.reservoir import Reservoir
from bathax.system.models import Cavity, Qubit
from bathax.system.system import System


class Vacuum(MapSolver):
    """P11 = |u|^2, P00 = 1, c = u with the cavity's u(t): exact at T0 = 0 (AHZ Eqs. 20-24).

    With at most one quantum in the whole system, an atom and a cavity obey the same equation, which
    the solver `volterra` solves. Reservoirs that are not empty are refused: `ValueError`, or
    `Status.INVALID` inside `jit`.

    Critical damping, P11 = e^{-lam t} (1 + lam t/2)^2:

    >>> J = bx.Lorentzian(gamma0=0.5, width=1.0, center=1.0)
    >>> qubit, ts = bx.Qubit(1.0, bx.Reservoir(J)), jnp.linspace(0.0, 8.0, 9)
    >>> dmap = bx.dynamical_map(qubit, ts, bx.Vacuum())
    >>> round(float(dmap.p11[2]), 4)  # 4 / e^2
    0.5413
    """

    volterra: Volterra = Volterra()

    def map_elements(self, qubit: Qubit, ts: Float[Array, " times"]) -> Estimate[MapElements]:
        for bath in qubit.reservoirs:
            filling = bath.occupation
            found = f"filled by a {type(filling).__name__} occupation"
            words = "empty (T = 0) for the solver `Vacuum`"
            require("reservoirs", words, found, holds(type(filling).is_vacuum, filling))
        # For this occupation no noise kernel has to be computed.
        densities = [bath.spectral_density for bath in qubit.reservoirs]
        empty = [Reservoir(density, occupation=Uniform(0.0)) for density in densities]
        estimate = self.volterra.green_functions(Cavity(qubit.frequency, empty), ts)
        return _from_green(estimate, is_in_vacuum(qubit) & is_valid(qubit) & are_times(ts))


def is_in_vacuum(qubit: System) -> Bool[Array, ""]:
    """Whether all reservoirs are known to be empty."""
    return jnp.all(jnp.stack([bath.occupation.is_vacuum() for bath in qubit.reservoirs]))


@program
def _from_green(
    estimate: Estimate[GreenFunctions], valid: Bool[Array, ""]
) -> Estimate[MapElements]:
    green = estimate.value
    value = MapElements(
        p11=green.transmission,
        p00=jnp.ones_like(green.v),
        c=green.u,
        dp11=green.transmission_rate,
        dp00=jnp.zeros_like(green.v),
        dc=green.du,
    )
    error, reached = _error(green, estimate.error), estimate.status == Status.SUCCESS
    return judged(estimate.t, value, error, valid=valid, reached=reached)


def _error(green: GreenFunctions, error: GreenFunctions) -> MapElements:
    """Bounds on the errors of |u|^2 and 2 Re[conj(u) u'] from those of u and u'."""
    u, du = lax.stop_gradient((jnp.abs(green.u), jnp.abs(green.du)))
    known = jnp.zeros_like(error.u)
    population = error.u * (2.0 * u + error.u)
    rate = 2.0 * (du * error.u + (u + error.u) * error.du)
    return MapElements(p11=population, p00=known, c=error.u, dp11=rate, dp00=known, dc=error.du)
