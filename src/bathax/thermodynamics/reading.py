"""What a reading says of a system that is strongly coupled: the quantities that depend on it."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Inexact, Int

from bathax._display import Module, Table, Tabular, ending, over_time, shown
from bathax._status import Status

ROUNDING = 1e-14


class ReadingQuantities(eqx.Module):
    """What depends on the reading, at each time; see `Reading`."""

    frequency: Inexact[Array, "..."]
    energy: Float[Array, "*times"]
    entropy: Float[Array, "*times"]
    temperature: Float[Array, "*times"]
    free_energy: Float[Array, "*times"]
    heat: Float[Array, "*times"]
    work: Float[Array, "*times"]
    heat_capacity: Float[Array, "*times"]


class Reading(Tabular, ReadingQuantities, Module):
    r"""A system in one of three readings of its thermodynamics, as `reading` finds it.

    At the times `t`: the `frequency` w of the reading, of several modes as a matrix, `energy` E,
    `entropy` S, `temperature` T and `free_energy` F = E - T S; since the first time the `heat`
    Q = \int w dn and the `work` W = \int n dw, which add up to the change of E; `heat_capacity` C,
    that of mean force T dS/dT, otherwise that of the thermal state of this n at the frequency w,
    n (1 + n) ln(1 + 1/n)^2 of a cavity, n (1 - n) ln(1/n - 1)^2 of an atom and NaN of several
    modes. `error` has an estimate of the absolute error of each, under the same name.

    `plateau` is the frequency that is meant: w itself but in the renormalised reading, where it is
    the real part of a pole and NaN if there is none. `on_plateau` is False, and all but `frequency`
    is NaN, where w says nothing of this pole. `status` is that of the solution, or of the
    equilibrium if this is worse.

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.02, 5.0), temperature=20.0))
    >>> sol = bx.solve(cavity, bx.Thermal(5.0), jnp.linspace(0.0, 400.0, 401), bx.Resonance())
    >>> own = bx.reading(sol, "renormalised")
    >>> f"{own.plateau:.4f}: {own.frequency[100]:.4f}, {own.frequency[400]:.4f}"
    '0.8836: 0.8838, 0.0051'
    >>> own.on_plateau[jnp.array([100, 400])].tolist()
    [True, False]
    """

    t: Float[Array, " times"]
    plateau: Inexact[Array, "..."]
    on_plateau: Bool[Array, " times"]
    error: ReadingQuantities
    status: Int[Array, ""]

    def _table(self) -> Table:
        errors = vars(self.error)
        values = {name: getattr(self, name) for name in errors}
        notes = [ending(self.status)]
        if self.plateau.ndim == 0:
            notes.insert(0, f"plateau = {shown(self.plateau)}")
        return over_time(type(self).__name__, self.t, values, errors, *notes)

    @property
    def message(self) -> str:
        """The status in words; for concrete values only."""
        return Status(int(self.status)).message


def heat_capacity(
    n: Float[Array, "*times"], error: Float[Array, "*times"], sign: float
) -> tuple[Float[Array, "*times"], Float[Array, "*times"]]:
    """C = n (1 + sign n) ln(1/n + sign)^2 in a thermal state of any frequency, and its error.

    The sign is 1 of a mode and -1 of an atom. C rises from 0 with a slope that falls, and so it
    changes by C(error) at most.
    """
    value, slope = jax.jvp(lambda n: _thermal(n, sign), (n,), (jnp.ones_like(n),))
    left = n if sign > 0.0 else jnp.minimum(n, 1.0 - n)
    change = jnp.where(left <= 2.0 * error, _thermal(error, 1.0), jnp.abs(slope) * error)
    return value, lax.stop_gradient(change + ROUNDING)


def _thermal(n: Float[Array, "*times"], sign: float) -> Float[Array, "*times"]:
    most = jnp.inf if sign > 0.0 else 1.0
    mixed = ((n > 0.0) & (n < most)) | jnp.isnan(n)
    m = jnp.where(mixed, n, 0.5)
    return jnp.where(mixed, m * (1.0 + sign * m) * jnp.log1p(1.0 / m + (sign - 1.0)) ** 2, 0.0)
