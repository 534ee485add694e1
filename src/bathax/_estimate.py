"""What a solver returns: quantities at given times, estimates of their errors, and a status."""

from typing import Generic, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from bathax._display import Table, Tabular, ending, over_time
from bathax._status import Status

Record = TypeVar("Record", bound=eqx.Module)


class Estimate(Tabular, eqx.Module, Generic[Record]):
    """A record of quantities at the times `t`, an `error` of each under its name, and a `Status`.

    An error is an upper bound of the order of the true error, of a complex quantity the modulus; it
    is constant to differentiation. `valid` tells whether the status is not INVALID. It costs
    less than the status, which needs all errors: inside `jit` unused numbers are not computed.
    """

    t: Float[Array, " times"]
    value: Record
    error: Record
    valid: Bool[Array, ""]
    status: Int[Array, ""]

    def _table(self) -> Table:
        heading = f"Estimate of {type(self.value).__name__}"
        values, errors = vars(self.value), vars(self.error)
        return over_time(heading, self.t, values, errors, ending(self.status))


def judged(
    t: Float[Array, " times"],
    value: Record,
    error: Record,
    *,
    valid: Bool[Array, ""],
    reached: Bool[Array, ""],
) -> Estimate[Record]:
    """The estimate with its status: INVALID and NaN, or whether the tolerance is `reached`."""
    t, value, error = jax.tree.map(lambda x: jnp.where(valid, x, jnp.nan), (t, value, error))
    status = jnp.where(reached, Status.SUCCESS, Status.TOLERANCE_NOT_REACHED)
    return Estimate(t, value, error, valid, jnp.where(valid, status, Status.INVALID))
