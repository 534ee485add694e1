"""Quantities by name, as a sweep records them for each of its points."""

from collections.abc import Iterable
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from bathax._checks import is_valid
from bathax._status import Status
from bathax.cavity.poles import bound_states
from bathax.qubit.dynamical_map import dynamical_map
from bathax.solution.solving import solve
from bathax.solution.steady import steady_state
from bathax.studies.lookup import attribute_of, element, located
from bathax.studies.quantities import OF_DRIVE, OF_MAP, OF_MODES, OF_SOLUTION, OF_STEADY, OF_SYSTEM
from bathax.studies.quantity import Case
from bathax.system.linear import LinearSystem
from bathax.system.system import System


def observe(
    names: Iterable[str],
    system: System | LinearSystem,
    initial: Any,
    ts: Float[Array, " times"],
    solver: Any = None,
) -> dict[str, Array]:
    """The named `QUANTITIES`, error estimates as `<name>_error`, the times `t` and a `status`.

    Only what the names need is computed. For numbers of the system, like a critical coupling, the
    status says whether one is NaN without reason; numbers that are defined only without bound
    states may be NaN if there is one. Works under `jit`, `vmap` and `grad`.
    """
    names = list(names)
    found: dict[str, Array] = {"t": ts}
    for group, compute in (
        (OF_SOLUTION | OF_MODES | OF_DRIVE, lambda: solve(system, initial, ts, solver)),  # pyright: ignore
        (OF_MAP, lambda: dynamical_map(system, ts, solver)),  # pyright: ignore
        (OF_STEADY, lambda: steady_state(system)),  # pyright: ignore
    ):
        wanted = [name for name in names if located(name)[0] in group]
        if wanted:
            result = compute()
            found |= _estimated(result, wanted)
            found["status"] = jnp.maximum(found.get("status", 0), result.status)
    case = Case(system, initial, ts, solver)
    numbers = {}
    for name in names:
        quantity, place = located(name)
        if quantity in OF_SYSTEM:
            numbers[name] = element(OF_SYSTEM[quantity].computed(case), quantity, place)
    if numbers:
        found["status"] = jnp.maximum(found.get("status", 0), _status(system, numbers))
    return found | numbers


def _status(system: System | LinearSystem, numbers: dict[str, Array]) -> Int[Array, ""]:
    """The status: whether a number of a system is NaN although it should have a value."""
    unknown = {name: jnp.any(jnp.isnan(value)) for name, value in numbers.items()}
    unbound = [name for name in numbers if OF_SYSTEM[located(name)[0]].is_unbound]
    if unbound:
        bound = jnp.any(bound_states(system).exist)
        unknown |= {name: unknown[name] & ~bound for name in unbound}
    failed = jnp.any(jnp.stack(list(unknown.values())))
    status = jnp.where(failed, Status.NOT_A_NUMBER, Status.SUCCESS)
    return jnp.where(is_valid(system), status, Status.INVALID)


def _estimated(result: Any, names: Iterable[str]) -> dict[str, Array]:
    """Quantities of a result, or their elements, and their errors."""
    found = {}
    for name in names:
        quantity, place = located(name)
        own = attribute_of(quantity)
        found[name] = element(getattr(result, own), quantity, place)
        if hasattr(result.error, own):
            found[f"{name}_error"] = element(getattr(result.error, own), quantity, place)
    return found
