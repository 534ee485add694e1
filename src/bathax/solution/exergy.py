r"""Exergy: the work that a system can give to the outside with one reservoir at T_0, mu_0.

B = E - T_0 S - mu_0 N - Omega_0, Omega_0 = -T_0 ln tr e^{-(H - mu_0 N)/T_0} with H at that time.
That is T_0 times the relative entropy of the state and the thermal one, and so never negative.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from bathax._checks import Scalar, require, require_kind
from bathax._display import Module, Table, Tabular, over_time
from bathax._linalg import eigh
from bathax._programs import program
from bathax.reservoir.occupation import Thermal
from bathax.reservoir.reservoir import Reservoir
from bathax.solution.results import LinearSolution, Solution
from bathax.system.linear import LinearSystem
from bathax.system.models import as_modes


class Exergy(Tabular, Module):
    """The exergy of a system in time, as `exergy` finds it.

    At the times `t` the `value` B and the estimate `error` of its absolute error.

    An empty cavity could give some work, until it is as warm as its reservoir:

    >>> bath = bx.Reservoir(bx.Ohmic(0.01, 5.0), temperature=1.0)
    >>> sol = bx.solve(bx.Cavity(1.0, bath), bx.Fock(0), [0.0, 100.0])
    >>> [f"{b:.4f}" for b in bx.exergy(sol, bath).value]
    ['0.4587', '0.0011']
    """

    t: Float[Array, " times"]
    value: Float[Array, " times"]
    error: Float[Array, " times"]

    def _table(self) -> Table:
        values, errors = {"value": self.value}, {"value": self.error}
        return over_time(type(self).__name__, self.t, values, errors, "")


def exergy(solution: Solution | LinearSolution, reservoir: Reservoir) -> Exergy:
    r"""B = E - T_0 S - mu_0 N - Omega_0 of a cavity or several modes; see `Exergy`.

    `solution` is one that `solve` has returned, not one from a file, and `reservoir` gives T_0 and
    mu_0; it may be one of the system's own, or another. As in AHZ, E and S are those of the modes
    alone: what is stored in the coupling is not counted, and with one reservoir at T_0 a drive
    raises B by at most its work only if the coupling is weak. B is NaN where bosons have no thermal
    state, for e <= mu_0, and of systems that make pairs. Works under `jit`, `vmap` and `grad`.

    A quantum of a cavity at T_0 = 0 is all exergy:

    >>> cold = bx.Reservoir(bx.Ohmic(0.01, 5.0))
    >>> sol = bx.solve(bx.Cavity(1.0, cold), bx.Fock(1), [0.0])
    >>> f"{bx.exergy(sol, cold).value[0]:.4f}"
    '1.0000'
    """
    words = "a solution of a cavity or of several modes, as `solve` returns it"
    require_kind("solution", words, solution, (Solution, LinearSolution))
    require("solution", words, "one from a file", solution.origin is not None)
    require_kind("reservoir", "a `Reservoir(J, temperature)`", reservoir, Reservoir)
    thermal = isinstance(reservoir.occupation, Thermal)
    require("reservoir", "a thermal one", "another", thermal)
    own: Any = solution.origin
    return _exergy(as_modes(own.parts[0]), solution, reservoir)


@program
def _exergy(modes: LinearSystem, solution: Any, reservoir: Reservoir) -> Exergy:
    T, mu = reservoir.temperature, reservoir.occupation.level
    energies = _energies(modes, solution.t)
    sign = modes.sign
    potential = jnp.sum(_potential(energies - mu, T, sign), axis=1)
    value = solution.energy - T * solution.entropy - mu * solution.number - potential
    doubt = solution.error
    error = doubt.energy + jnp.abs(T) * doubt.entropy + jnp.abs(mu) * doubt.number
    value = jnp.where(modes.is_paired, jnp.nan, value)
    return Exergy(solution.t, value, error)


def _energies(modes: LinearSystem, ts: Float[Array, " times"]) -> Float[Array, "times modes"]:
    """The eigenvalues of h at each time."""
    return jax.vmap(lambda t: eigh(modes.at(t).h)[0])(ts)


def _potential(x: Float[Array, "..."], T: Scalar, sign: float) -> Float[Array, "..."]:
    """Omega of modes at the energies x above mu: sign T ln(1 - sign e^{-x/T})."""
    warm = T > 0.0
    scaled = x / jnp.where(warm, T, 1.0)
    if sign > 0.0:
        at_rest = jnp.where(x > 0.0, 0.0, jnp.nan)
        return jnp.where(warm & (x > 0.0), T * jnp.log(-jnp.expm1(-jnp.abs(scaled))), at_rest)
    filled = jnp.minimum(x, 0.0)
    return filled - jnp.where(warm, T * jnp.log1p(jnp.exp(-jnp.abs(scaled))), 0.0)
