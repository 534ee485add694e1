"""The one entry, `solve(system, initial, ts, solver)`, and the `Solution` it returns."""

from collections.abc import Sequence
from dataclasses import fields

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Complex, Float, Int

from bathax._checks import as_float, holds, is_valid, require
from bathax.cavity.green import GreenFunctions
from bathax.cavity.model import Cavity
from bathax.cavity.solvers import Solver, Status, Volterra
from bathax.cavity.states import State
from bathax.thermodynamics import Thermodynamics, thermodynamics


class Quantities(eqx.Module):
    """What a solution gives at each of its times; see `GreenFunctions` and `Thermodynamics`."""

    u: Array
    du: Array
    v: Array
    dv: Array
    number: Array
    energy: Array
    entropy: Array
    energy_rate: Array
    entropy_rate: Array
    temperature: Array
    chemical_potential: Array
    free_energy: Array
    interaction_energy: Array
    entropy_production: Array


class Solution(Quantities):
    """The quantities at the times `t`, and how far to trust them.

    `error` holds an estimate of the absolute error of each quantity under the same name: the true
    error is at most a small multiple of it and as a rule far below. It is constant to
    differentiation. `temperature_resolved` is False where T is 0/0 and its limit is given.
    `status` is 0 when the requested tolerance was reached (`Status` has the others); where
    parameters were invalid all numbers are NaN.
    """

    t: Float[Array, " times"]
    error: Quantities
    temperature_resolved: Bool[Array, " times"]
    status: Int[Array, ""]
    initial: State

    @property
    def message(self) -> str:
        """The status in words; for concrete values only."""
        return Status(int(self.status)).message

    @property
    def populations(self) -> Float[Array, "times 64"]:
        """Probabilities of the first 64 Fock states; `fock_populations` gives any number."""
        return self.fock_populations(64)

    def fock_populations(self, levels: int) -> Float[Array, "times levels"]:
        """p_n(t) for n below `levels` (AHZ Eq. 16); what is missing from 1 lies above."""
        return jax.vmap(lambda u, v: self.initial.populations(u, v, levels))(self.u, self.v)

    def density_matrix(self, levels: int) -> Complex[Array, "times levels levels"]:
        """rho(t) in the Fock basis, cut at `levels`, in the laboratory frame."""
        return jax.vmap(lambda u, v: self.initial.density_matrix(u, v, levels))(self.u, self.v)


def solve(
    system: Cavity,
    initial: State,
    ts: ArrayLike | Sequence,
    solver: Solver = Volterra(),  # noqa: B008 (a frozen value)
) -> Solution:
    """Exact dynamics and thermodynamics of a system at the times `ts`.

    `ts` are increasing times >= 0; the start is always t = 0, with the system uncorrelated with
    its reservoirs. Works under `jit`, `vmap` and `grad` with respect to every parameter of the
    system, the initial state and the times. Bad input raises `ValueError` with one sentence where
    values are concrete; inside `jit` or `vmap` a bad point is NaN, with its `status`.
    """
    ts = as_float(ts)
    _check_times(ts)
    estimate = solver.green_functions(system, ts)
    usable = (estimate.status != Status.INVALID) & is_valid(initial)
    value, error, resolved = _observe(initial, system, estimate.green, estimate.error, usable)
    status = jnp.where(usable, estimate.status, Status.INVALID)
    return Solution(
        **_named(value),
        t=ts,
        error=error,
        temperature_resolved=resolved,
        status=status,
        initial=initial,
    )


def _check_times(ts: Float[Array, " times"]) -> None:
    require("ts", "a list of at least one time", f"of shape {ts.shape}", ts.ndim == 1 and ts.size)
    require("ts", "finite", ts, holds(lambda t: jnp.all(jnp.isfinite(t)), ts))
    require("ts", "non-negative", ts, holds(lambda t: t[0] >= 0.0, ts))
    require("ts", "increasing", ts, holds(lambda t: jnp.all(jnp.diff(t) > 0.0), ts))


@eqx.filter_jit
def _observe(
    initial: State,
    system: Cavity,
    green: GreenFunctions,
    error: GreenFunctions,
    usable: Bool[Array, ""],
) -> tuple[Quantities, Quantities, Bool[Array, " times"]]:
    value, bound, resolved = thermodynamics(initial, system, green, error)

    def joined(green: GreenFunctions, thermal: Thermodynamics) -> Quantities:
        both = {**_named(thermal), "u": green.u, "du": green.du, "v": green.v, "dv": green.dv}
        return jax.tree.map(lambda x: jnp.where(usable, x, jnp.nan), Quantities(**both))

    return joined(green, value), joined(error, bound), resolved & usable


def _named(module: eqx.Module) -> dict[str, Array]:
    return {field.name: getattr(module, field.name) for field in fields(module)}
