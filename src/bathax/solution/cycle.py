"""Limit cycles of driven systems: what returns after each period, and engines."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from bathax._checks import RealLike, Scalar
from bathax._display import Module
from bathax._status import Status
from bathax.linear.embedding import Embedding
from bathax.solution.results import DrivenLinearSolution
from bathax.solution.solving import solve
from bathax.system.linear import LinearSystem
from bathax.system.models import Cavity, as_modes
from bathax.system.preparation import Periodic

# So many times of a period.
TIMES = 65


class LimitCycle(Module):
    """One period of a driven system after infinitely many.

    `solution` has all quantities at 65 times of a `period`, its end included, with their errors.
    `work` is that of the drive in a period, `heat` what each reservoir takes up, and `power` =
    work / period; they are negative if the system gives them. `efficiency` of an engine is the work
    it gives over the heat that it takes from the reservoirs which give some, NaN if it gives no
    work. `status` is that of the solution.

    Nothing is driven here, and the reservoir gives nothing:

    >>> bath = bx.Reservoir(bx.Lorentzian(0.3, 0.2, 1.4), occupation=bx.Uniform(2.0))
    >>> cycle = bx.limit_cycle(bx.Cavity(1.0, bath), 10.0)
    >>> f"{cycle.work:.4f}, {cycle.solution.number[0]:.4f}"
    '0.0000, 2.0000'
    """

    solution: DrivenLinearSolution
    period: Scalar

    @property
    def work(self) -> Float[Array, ""]:
        """What the drive does in a period."""
        return self.solution.work[-1]

    @property
    def heat(self) -> Float[Array, " channels"]:
        """What the reservoir of each channel takes up in a period."""
        return self.solution.heat[-1]

    @property
    def power(self) -> Float[Array, ""]:
        """The mean power of the drive."""
        return self.work / self.period

    @property
    def efficiency(self) -> Float[Array, ""]:
        """The work an engine gives, over the heat it takes."""
        taken = jnp.sum(jnp.maximum(-self.heat, 0.0))
        gives = (self.work < -self.solution.error.work[-1]) & (taken > 0.0)
        return jnp.where(gives, -self.work / jnp.where(gives, taken, 1.0), jnp.nan)

    @property
    def status(self) -> Int[Array, ""]:
        """That of the solution."""
        return self.solution.status

    @property
    def message(self) -> str:
        """The status in words; for concrete values only."""
        return Status(int(self.status)).message


def limit_cycle(
    system: Cavity | LinearSystem,
    period: RealLike,
    solver: Embedding | None = None,
    *,
    throw: bool = False,
) -> LimitCycle:
    """What becomes of a system whose drives have a `period`, whatever its start was.

    The joint state of modes and reservoirs that returns after a period obeys G = U G U' + S, with
    the propagator U of a period, and is summed by doubling the number of periods. There is none,
    and all is NaN, where something is not damped, like a bound state. A start approaches the cycle
    like the largest of `floquet_multipliers`, and the memory of reservoirs by powers of the time.
    Works under `jit`, `vmap` and `grad`, also with respect to the period.

    An engine between a hot and a cold reservoir, which are coupled in turn:

    >>> hot = bx.Reservoir(bx.Lorentzian(0.3, 0.2, 1.4), occupation=bx.Uniform(2.0))
    >>> cold = bx.Reservoir(bx.Lorentzian(0.3, 0.2, 0.7), occupation=bx.Uniform(0.3))
    >>> channels = [
    ...     bx.Channel(hot, [1.0], switch=lambda t: jnp.cos(0.1 * t) ** 2),
    ...     bx.Channel(cold, [1.0], switch=lambda t: jnp.sin(0.1 * t) ** 2),
    ... ]
    >>> engine = bx.LinearSystem(lambda t: 1.0 + 0.35 * jnp.cos(0.2 * t)[None, None], channels)
    >>> cycle = bx.limit_cycle(engine, 10.0 * jnp.pi, bx.Embedding(rtol=1e-8))
    >>> f"{cycle.work:.4f}, {cycle.efficiency:.4f}"
    '-0.7528, 0.4057'
    """
    preparation = Periodic(period)
    ts = preparation.period * jnp.linspace(0.0, 1.0, TIMES)
    found: Any = solve(as_modes(system), preparation, ts, solver, throw=throw)
    return LimitCycle(found, preparation.period)
