r"""How well the state of a system tells the temperature of its reservoirs: Fisher information.

From N independent measurements at the time t an unbiased estimate of T has a variance of at least
1 / (N F(t)) (Braunstein and Caves, Phys. Rev. Lett. 72, 3439). Of a mode in a phase-invariant
Gaussian state F = (dn/dT)^2 / (n (1 + n)), which counting its quanta reaches; of a qubit with the
Bloch vector r F = |dr/dT|^2 + (r . dr/dT)^2 / (1 - |r|^2), without coherence
(dp/dT)^2 / (p (1 - p)), which a measurement of its population reaches.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from bathax._checks import (
    RealLike,
    Scalar,
    as_float,
    holds,
    is_valid,
    require,
    require_kind,
    require_times,
)
from bathax._display import Module, Table, Tabular, ending, over_time
from bathax._estimate import Estimate
from bathax._programs import program
from bathax._status import Status, concluded
from bathax.cavity.green import GreenFunctions
from bathax.cavity.solvers import Solver
from bathax.qubit.dynamical_map import chosen_solver
from bathax.qubit.elements import MapElements, MapSolver
from bathax.qubit.states import QubitState
from bathax.reservoir.occupation import Thermal
from bathax.system.models import Cavity, Qubit
from bathax.system.states import Gaussian
from bathax.system.system import System
from bathax.thermodynamics.reservoir_information import is_unsqueezed, solved
from bathax.thermodynamics.resolution import propagated

Times = Float[Array, " times"]


class ThermalInformation(Tabular, Module):
    """The Fisher information about the temperature of reservoirs; see `thermal_information`.

    `information` F at the times `t`, in units of 1/T^2, and an estimate of its absolute `error`.
    `status` is 0 if the tolerance of the solver was reached.

    A mode as a thermometer of another one is best after half a period of the exchange:

    >>> mode = bx.DiscreteModes(frequencies=[1.0], couplings=[0.1])
    >>> cavity = bx.Cavity(1.0, bx.Reservoir(mode, temperature=0.5))
    >>> ts = jnp.linspace(0.0, 10.0 * jnp.pi, 9)
    >>> found = bx.thermal_information(cavity, bx.Thermal(0.0), ts)
    >>> round(float(found.best_time / jnp.pi), 6)
    5.0
    """

    t: Times
    information: Times
    error: Times
    status: Int[Array, ""]

    @property
    def best_time(self) -> Scalar:
        """The first of the times at which the information is largest."""
        return self.t[jnp.argmax(self.information)]

    def _table(self) -> Table:
        values, errors = {"information": self.information}, {"information": self.error}
        return over_time(type(self).__name__, self.t, values, errors, ending(self.status))

    @property
    def message(self) -> str:
        """The status in words; for concrete values only."""
        return Status(int(self.status)).message


def thermal_information(
    system: Cavity | Qubit,
    initial: Gaussian | QubitState,
    ts: RealLike,
    solver: Solver | MapSolver | None = None,
    *,
    throw: bool = False,
) -> ThermalInformation:
    r"""How well the state of a `Cavity` or a `Qubit` tells T of its reservoirs, at the times `ts`.

    The quantum Fisher information about T, if the temperatures of all reservoirs rise alike; see
    this module. A cavity starts in a `Gaussian` state without squeezing around its displacement.
    At least one reservoir must be warm: for T -> 0 the limit of F depends on the density, like
    4 n / T^2 of an empty cavity in an Ohmic reservoir.

    Derivatives by T are exact ones of the solution. Their errors are estimated as that of n or p
    over the lowest T, and of a cavity also as large relative to dn/dT as that of v to v. Works
    under `jit`, `vmap` and `grad`; `solver` is as in `solve`.

    At weak coupling and in the end of it, F is that of a thermal mode, (w_s/T^2)^2 n (n + 1):

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.0003, 5.0), temperature=1.0))
    >>> found = bx.thermal_information(cavity, bx.Thermal(0.0), jnp.linspace(0.0, 6e3, 5))
    >>> f"{found.information[-1]:.2f}"  # e / (e - 1)^2
    '0.92'
    """
    require_kind("system", "a `Cavity` or a `Qubit`", system, (Cavity, Qubit))
    kind = Gaussian if isinstance(system, Cavity) else QubitState
    require_kind("initial", f"a `{kind.__name__}` of a {type(system).__name__}", initial, kind)
    for bath in system.reservoirs:
        thermal = isinstance(bath.occupation, Thermal)
        require("reservoirs", "thermal", type(bath.occupation).__name__, thermal)
    require("temperature", "positive for one reservoir or more", 0, holds(_is_warm, system))
    ts = as_float(ts, "ts")
    require_times(ts)
    found: Any = _of_qubit if isinstance(system, Qubit) else _of_cavity
    return concluded(found(system, initial, ts, solver), throw)


def _of_cavity(system: Cavity, initial: Gaussian, ts: Times, solver: Any) -> ThermalInformation:
    require("system", "constant in time here", "driven", not system.is_driven)
    require("initial", "without squeezing", initial, holds(is_unsqueezed, initial))

    def noise(cavity: Cavity) -> tuple[Times, Estimate[GreenFunctions]]:
        found = solved(cavity, ts, solver)
        return found.value.v, found

    _, slope, found = _warmed(system, noise)
    valid = is_valid((system, initial)) & _is_warm(system) & is_unsqueezed(initial)
    return _of_mode(initial, slope, _coldest(system), found, valid)


def _of_qubit(qubit: Qubit, initial: QubitState, ts: Times, solver: Any) -> ThermalInformation:
    solver, valid = chosen_solver(qubit, solver), is_valid((qubit, initial)) & _is_warm(qubit)

    def bloch(qubit: Qubit) -> tuple[Float[Array, "3 times"], Estimate[MapElements]]:
        found = solver.map_elements(qubit, ts)
        p, c = initial.excited_population(found.value), initial.coherence(found.value)
        return jnp.stack([2.0 * p - 1.0, 2.0 * c.real, 2.0 * c.imag]), found

    r, slope, found = _warmed(qubit, bloch)
    return _of_bloch(r, slope, _coldest(qubit), found, valid)


def _warmed(system: Any, solution: Callable[[Any], tuple[Array, Any]]) -> tuple[Array, Array, Any]:
    """A solution, its derivative by the temperature of all reservoirs, and its estimate."""

    def at(by: Scalar) -> tuple[Array, Any]:
        warm = [T + by for T in _temperatures(system)]
        return solution(eqx.tree_at(_temperatures, system, warm))

    zero = jnp.zeros(())
    return jax.jvp(at, (zero,), (zero + 1.0,), has_aux=True)


def _temperatures(system: System) -> list[Any]:
    return [bath.occupation.temperature for bath in system.reservoirs]


def _is_warm(system: System) -> Bool[Array, ""]:
    """Whether any reservoir is."""
    return jnp.max(jnp.stack(_temperatures(system))) > 0.0


def _coldest(system: System) -> Scalar:
    """The lowest temperature above 0, of which an error of the state is one of its derivative."""
    T = jnp.stack(_temperatures(system))
    return jnp.min(jnp.where(T > 0.0, T, jnp.inf))


@program
def _of_mode(
    initial: Gaussian, slope: Times, T: Scalar, found: Estimate[GreenFunctions], valid: Any
) -> ThermalInformation:
    u, v, of_v = found.value.u, found.value.v, found.error.v
    n = found.value.transmission * initial.excess + v
    of_n = 2.0 * jnp.abs(u) * found.error.u * initial.excess + of_v
    of_slope = of_v / T + _ratio(jnp.abs(slope) * of_v, v)
    variance = n * (1.0 + n)
    information = _ratio(slope**2, variance)
    error = _ratio(2.0 * jnp.abs(slope) * of_slope + of_slope**2, variance)
    error += propagated(_ratio((1.0 + 2.0 * n) * of_n, variance), information)
    reached = found.status == Status.SUCCESS
    return _marked(found.t, information, error, valid & found.valid, reached)


@program
def _of_bloch(
    r: Float[Array, "3 times"],
    slopes: Float[Array, "3 times"],
    T: Scalar,
    found: Estimate[MapElements],
    valid: Bool[Array, ""],
) -> ThermalInformation:
    mixed = jnp.maximum(1.0 - jnp.sum(r**2, axis=0), 0.0)
    along, size = jnp.sum(r * slopes, axis=0), jnp.sum(slopes**2, axis=0)
    information = size + _ratio(along**2, mixed)
    error = 2.0 * (found.error.p11 + found.error.p00 + found.error.c)
    of_slope = error / T
    of_square = 2.0 * jnp.sqrt(size) * of_slope + of_slope**2
    blurred = of_square + _ratio(of_square + 2.0 * error * information, mixed)
    reached = found.status == Status.SUCCESS
    return _marked(found.t, information, blurred, valid & found.valid, reached)


def _ratio(above: Times, below: Times) -> Times:
    """above / below, of which 0/0 is 0."""
    known = below > 0.0
    endless = jnp.where(above > 0.0, jnp.inf, 0.0)
    return jnp.where(known, above / jnp.where(known, below, 1.0), endless)


def _marked(
    t: Times, information: Times, error: Times, valid: Bool[Array, ""], reached: Bool[Array, ""]
) -> ThermalInformation:
    # At t = 0 the state does not depend on T.
    found = (jnp.where(t > 0.0, x, 0.0) for x in (information, error))
    information, error = (jnp.where(valid, x, jnp.nan) for x in found)
    status = jnp.where(reached, Status.SUCCESS, Status.TOLERANCE_NOT_REACHED)
    status = jnp.where(valid, status, Status.INVALID)
    return ThermalInformation(t, information, lax.stop_gradient(error), status)
