"""From Green functions and maps to all quantities of a solution, each as one program."""

from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Int

from bathax._checks import Scalar, is_valid
from bathax._estimate import Estimate
from bathax._programs import program
from bathax._status import Status
from bathax.cavity.green import GreenFunctions
from bathax.linear.green import Correlations, DrivenGreenFunctions, LinearGreenFunctions
from bathax.qubit.elements import MapElements
from bathax.qubit.states import QubitState
from bathax.solution.results import CavityWork, Quantities, QubitQuantities, named
from bathax.system.covariance import Covariance
from bathax.system.drive import is_drive
from bathax.system.linear import LinearSystem
from bathax.system.models import Cavity, Qubit
from bathax.system.states import State
from bathax.thermodynamics import cavity, linear, qubit
from bathax.thermodynamics.driven import quantities as of_driven
from bathax.thermodynamics.work import Done, over_temperatures, work_done


@program
def observe_cavity(
    system: Cavity, initial: State, estimate: Estimate[GreenFunctions]
) -> dict[str, Any]:
    """Of a cavity: E, S, T, F and the Green functions."""
    known, unknown, resolved = _quantities_of_cavity(system, initial, estimate)
    usable = estimate.valid & is_valid(initial)
    found = _marked(usable, estimate.status, value=known, error=unknown)
    return found | {"temperature_resolved": resolved & usable}


def _quantities_of_cavity(
    system: Cavity, initial: State, estimate: Estimate[GreenFunctions]
) -> tuple[Quantities, Quantities, Bool[Array, " times"]]:
    value, bound, resolved = cavity.thermodynamics(initial, system, estimate)

    def joined(green: GreenFunctions, thermal: cavity.Thermodynamics) -> Quantities:
        return Quantities(u=green.u, du=green.du, v=green.v, dv=green.dv, **named(thermal))

    return joined(estimate.value, value), joined(estimate.error, bound), resolved


@program
def observe_driven_cavity(
    system: Cavity,
    initial: State,
    entropy: Scalar,
    estimate: Estimate[GreenFunctions],
    of_mode: Estimate[DrivenGreenFunctions],
) -> dict[str, Any]:
    """With the frequency of each time, and with the work done since the entropy was as given."""
    w = jax.vmap(system.as_modes.at)(estimate.t).h[:, 0, 0].real
    now = eqx.tree_at(lambda cavity: cavity.frequency, system, w, is_leaf=is_drive)
    value, error, resolved = _quantities_of_cavity(now, initial, estimate)
    known, unsure = jax.vmap(partial(_work, system.as_modes))(
        of_mode.t, value.number, error.number, of_mode.value, of_mode.error
    )
    outside, doubt = (
        over_temperatures(done.work.heat, system.reservoirs) for done in (known, unsure)
    )
    produced, doubt = value.entropy - entropy + outside, error.entropy + doubt
    value, error = (
        CavityWork(
            **named(part)
            | {"energy_rate": part.energy_rate + done.inner, "entropy_production": production},
            **named(done.work),
        )
        for part, done, production in ((value, known, produced), (error, unsure, doubt))
    )
    usable = estimate.valid & is_valid(initial)
    found = _marked(usable, estimate.status, value=value, error=lax.stop_gradient(error))
    return found | {"temperature_resolved": resolved & usable}


def _work(
    modes: LinearSystem,
    t: Scalar,
    number: Scalar,
    of_number: Scalar,
    green: DrivenGreenFunctions,
    error: DrivenGreenFunctions,
) -> tuple[Done, Done]:
    """At one time, from the number of quanta of a cavity."""
    unused = jnp.zeros(len(modes.channels))
    state, bound = (
        Correlations(n[None, None], unused, unused) for n in (number.astype(complex), of_number)
    )
    return work_done(modes, t, (state, bound), (green, error))


@program
def observe_qubit(
    system: Qubit, initial: QubitState, estimate: Estimate[MapElements]
) -> dict[str, Any]:
    """Of a qubit, from the elements of its map."""
    value, bound, resolved = qubit.thermodynamics(initial, system, estimate)
    known = QubitQuantities(coherence=initial.coherence(estimate.value), **named(value))
    of_coherence = lax.stop_gradient(jnp.abs(initial.rho[1, 0]) * estimate.error.c)
    unknown = QubitQuantities(coherence=of_coherence, **named(bound))
    usable = estimate.valid & is_valid(initial)
    found = _marked(usable, estimate.status, value=known, error=unknown)
    return found | {"temperature_resolved": resolved & usable}


@program
def observe_modes(
    system: LinearSystem, initial: Covariance, estimate: Estimate[LinearGreenFunctions]
) -> dict[str, Any]:
    """Of modes of which n, u and v say all."""
    value, error = linear.quantities(system, initial.n, estimate.value, estimate.error)
    return _marked(estimate.valid, estimate.status, value=value, error=error)


@program
def observe_driven(
    system: LinearSystem, initial: Covariance | None, estimate: Estimate[DrivenGreenFunctions]
) -> dict[str, Any]:
    """Of modes that are driven, make pairs, or have a mean or a past; or are squeezed."""
    value, error = of_driven(system, initial, estimate)
    return _marked(estimate.valid, estimate.status, value=value, error=error)


def _marked(
    usable: Bool[Array, ""], status: Int[Array, ""], *, value: eqx.Module, error: eqx.Module
) -> dict[str, Any]:
    """The fields of a solution; all numbers are NaN if a parameter is invalid."""
    value, error = jax.tree.map(lambda x: jnp.where(usable, x, jnp.nan), (value, error))
    status = jnp.where(usable, status, Status.INVALID)
    return named(value) | {"error": error, "status": status}
