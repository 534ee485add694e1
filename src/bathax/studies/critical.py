"""The critical points of one system, as a table of names and numbers."""

from functools import singledispatch
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from bathax.cavity.critical import critical_coupling
from bathax.cavity.poles import bound_states
from bathax.cavity.sheet import Sheet
from bathax.linear import bound_states as linear
from bathax.studies.lookup import critical_of
from bathax.studies.quantity import Case, SystemQuantity
from bathax.system.linear import LinearSystem
from bathax.system.models import Cavity, Qubit
from bathax.system.system import System


@singledispatch
def critical_points(system: object, initial: Any, ts: Float[Array, " times"]) -> dict[str, float]:
    """The critical points of a system, as numbers by name.

    For a `Cavity`: the couplings at which bound states appear, as factors on its J, and its bound
    states; if there are none, the resonant occupation and, for an initial state with quanta, kT0*.
    For a `Qubit`: the same couplings, and the least determinant at the times `ts`. For several
    modes: how many bound states there are, and the weight of each in all modes.
    """
    del initial, ts
    raise TypeError(f"{type(system).__name__} has no critical points")


@critical_points.register
def _(system: Cavity, initial: Any, ts: Float[Array, " times"]) -> dict[str, float]:
    points = _couplings(system)
    bound = bound_states(system)
    for frequency, residue in zip(bound.frequencies, bound.residues, strict=True):
        if residue > 0.0:
            points[f"residue of the bound state at {frequency:.6g}"] = float(residue)
    is_bound = bool(jnp.any(bound.exist))
    rows = [row for row in critical_of("cavity") if not (row.is_unbound and is_bound)]
    return points | _computed(rows, Case(system, initial, ts))


@critical_points.register
def _(system: Qubit, initial: Any, ts: Float[Array, " times"]) -> dict[str, float]:
    return _couplings(system) | _computed(critical_of("qubit"), Case(system, initial, ts))


@critical_points.register
def _(system: LinearSystem, initial: Any, ts: Float[Array, " times"]) -> dict[str, float]:
    del initial, ts
    bound = linear.bound_states(system)
    there = zip(bound.frequencies[bound.exist], bound.residues[bound.exist], strict=True)
    weights = {
        f"weight of the bound state at {w:.6g}": float(jnp.trace(residue).real)
        for w, residue in there
    }
    return {"number of bound states": float(len(weights))} | weights


def _couplings(system: System) -> dict[str, float]:
    count = Sheet.of(system).edges.size
    names = {0: "factor on J for a bound state below", -1: "factor on J for a bound state above"}
    return {names[i]: float(critical_coupling(system, i)) for i in names if count > -i}


def _computed(rows: list[SystemQuantity], case: Case) -> dict[str, float]:
    """The numbers of a case that exist."""
    return {
        row.critical: float(row.computed(case))
        for row in rows
        if row.exists is None or row.exists(case)
    }
