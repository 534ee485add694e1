r"""The work of a drive and the heat of reservoirs.

The power of a drive is tr(h' n) + 2 Re sum_channels c' <a' Phi>, and work its integral. A reservoir
that gains the energy E and N particles has taken up the heat E - mu N. With the energy of the modes
and of couplings, Delta E + Delta <H_I> + sum E_reservoirs = W.
"""

from collections.abc import Iterable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from bathax._checks import Scalar
from bathax._estimate import Estimate
from bathax.linear.green import DrivenGreenFunctions
from bathax.reservoir.reservoir import Reservoir
from bathax.system.linear import LinearSystem


class Work(eqx.Module):
    """What a drive does, and what reservoirs gain up to each time; see `DrivenSolution`."""

    power: Float[Array, "*times"]
    work: Float[Array, "*times"]
    particle_gain: Float[Array, "*times channels"]
    energy_gain: Float[Array, "*times channels"]
    heat: Float[Array, "*times channels"]


class Done(NamedTuple):
    """Work, and the power tr(h' n) that goes into the modes themselves."""

    work: Work
    inner: Float[Array, "*times"]


def work_done(
    system: LinearSystem,
    n: Complex[Array, "times n n"],
    of_n: Float[Array, " times"],
    estimate: Estimate[DrivenGreenFunctions],
) -> tuple[Done, Done]:
    """The work, and its errors, from n and the error of its elements."""
    levels = jnp.stack([bath.occupation.level for bath in system.reservoirs])

    def at(
        t: Scalar, n: Array, of_n: Scalar, green: DrivenGreenFunctions, error: DrivenGreenFunctions
    ) -> tuple[Done, Done]:
        slope, turning = system.rates(t)
        inner, outer = jnp.sum(slope * n.T).real, 2.0 * jnp.sum(turning * green.field).real
        heat = green.energy - levels * green.particles
        value = Work(inner + outer, green.work, green.particles, green.energy, heat)
        of_inner = jnp.sum(jnp.abs(slope)) * of_n
        of_power = of_inner + 2.0 * jnp.sum(jnp.abs(turning) * error.field)
        of_heat = error.energy + jnp.abs(levels) * error.particles
        doubt = Work(of_power, error.work, error.particles, error.energy, of_heat)
        return Done(value, inner), Done(doubt, of_inner)

    return jax.vmap(at)(estimate.t, n, of_n, estimate.value, estimate.error)


def over_temperatures(
    heat: Float[Array, "times channels"], reservoirs: Iterable[Reservoir]
) -> Float[Array, " times"]:
    """The entropy of reservoirs that took up this heat; infinite at T = 0."""
    temperatures = jnp.stack([bath.temperature for bath in reservoirs])[None]
    cold = temperatures == 0.0
    frozen = jnp.where(heat == 0.0, 0.0, jnp.sign(heat) * jnp.inf)
    return jnp.sum(jnp.where(cold, frozen, heat / jnp.where(cold, 1.0, temperatures)), axis=1)
