"""Errors of results that come from tables: of interpolation between their points, and of noise."""

from dataclasses import fields
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from bathax._checks import RealLike, require
from bathax.reservoir.tabulated import Tabulated, tables_in, with_tables
from bathax.solution.results import Quantities, QubitQuantities
from bathax.solution.solving import solve


def table_error(
    system: Any, initial: Any, ts: RealLike, solver: Any = None
) -> Quantities | QubitQuantities:
    """The uncertainty of each quantity that comes from the tables among the densities of a system.

    The largest sum of two changes up to each time: when every second point of each `Tabulated`
    density is left out, and when J is raised by its standard `error`, if it has one. The first is
    about 8 times the error of interpolation where the points resolve J, and large where they do
    not. For concrete values only. The arguments are those of `solve`, whose own error estimate has
    to be added.

    The energy of an atom that decays like e^{-Gamma t}, with Gamma known to 1%:

    >>> w = jnp.linspace(0.0, 40.0, 161)
    >>> J = bx.Ohmic(0.1, 5.0)(w)
    >>> qubit = bx.Qubit(1.0, bx.Reservoir(bx.Tabulated(w, J, error=0.01 * J)))
    >>> ts = jnp.linspace(0.0, 1.0, 9) / (2.0 * jnp.pi * qubit.spectral_density(1.0))
    >>> unknown = bx.table_error(qubit, bx.Excited(), ts, bx.VanHove())
    >>> round(float(unknown.energy[-1]), 4)  # 0.01 / e
    0.0037
    """
    best, *others = (
        solve(one, initial, ts, solver) for one in (system, *_with_other_tables(system))
    )

    def change(name: str) -> Array:
        values = [jnp.abs(getattr(one, name) - getattr(best, name)) for one in others]
        return lax.cummax(sum(values[1:], values[0]))

    return type(best.error)(**{one.name: change(one.name) for one in fields(best.error)})


def _with_other_tables(system: Any) -> list[Any]:
    """The system with thinned tables, and with tables raised by their errors if they have any."""
    tables = tables_in(system)
    require("system", "one with a `Tabulated` density", "without", tables)
    others = [with_tables(system, Tabulated.thinned)]
    noisy = any(np.any(np.asarray(table.error) > 0.0) for table in tables)
    return [*others, with_tables(system, Tabulated.raised)] if noisy else others
