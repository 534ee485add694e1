r"""The work of a drive and the heat of reservoirs.

The power of a drive is tr(h' n) + 2 Re sum_channels c' <a' Phi>, and work its integral. A reservoir
that gains the energy E and N particles has taken up the heat E - mu N. With the energy of the modes
and of couplings, Delta E + Delta <H_I> + sum E_reservoirs = W.
"""

from collections.abc import Iterable
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from bathax._checks import Scalar
from bathax.linear.green import (
    Correlations,
    DrivenGreenFunctions,
    contact,
    contact_error,
    expectation,
)
from bathax.reservoir.reservoir import Reservoir
from bathax.system.linear import LinearSystem
from bathax.thermodynamics.linear import on_the_way


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
    t: Scalar,
    states: tuple[Correlations, Correlations],
    found: tuple[DrivenGreenFunctions, DrivenGreenFunctions],
) -> tuple[Done, Done]:
    """The work up to a time, from the state and the Green functions, and its errors from theirs."""
    (state, bound), (green, error) = states, found
    levels = jnp.stack([bath.occupation.level for bath in system.reservoirs])
    rates, whole = system.rates(t), state.whole
    inner = expectation(rates, whole.n, whole.pairs, whole.mean)
    of_n = bound.n[0, 0]
    of_inner = jnp.zeros(())
    if state.mean is not None and bound.mean is not None:
        of_n += 2.0 * jnp.max(jnp.abs(state.mean)) * jnp.max(bound.mean)
        of_inner += 2.0 * jnp.sum(jnp.abs(rates.force) * bound.mean)
    of_inner += jnp.sum(jnp.abs(rates.h)) * of_n
    if state.pairs is not None:
        of_inner += jnp.sum(jnp.abs(rates.pairing)) * of_n
    outer, of_outer = _outer(rates.contacts, green, error)
    energy = on_the_way(system, green.energy)
    heat = energy - levels * green.particles
    of_heat = error.energy + jnp.abs(levels) * error.particles
    value = Work(inner + outer, green.work, green.particles, energy, heat)
    doubt = Work(of_inner + of_outer, error.work, error.particles, error.energy, of_heat)
    return Done(value, inner), Done(doubt, of_inner)


def _outer(
    turning: Complex[Array, "channels d"], green: DrivenGreenFunctions, error: DrivenGreenFunctions
) -> tuple[Scalar, Scalar]:
    """The power of couplings that change, and its error."""
    known = contact(turning, green, "field")
    unsure = contact_error(turning, green, error, "field")
    return 2.0 * jnp.sum(known).real, 2.0 * jnp.sum(unsure)


def over_temperatures(
    heat: Float[Array, "times channels"], reservoirs: Iterable[Reservoir]
) -> Float[Array, " times"]:
    """The entropy of reservoirs that took up this heat; infinite at T = 0."""
    temperatures = jnp.stack([bath.temperature for bath in reservoirs])[None]
    cold = temperatures == 0.0
    frozen = jnp.where(heat == 0.0, 0.0, jnp.sign(heat) * jnp.inf)
    return jnp.sum(jnp.where(cold, frozen, heat / jnp.where(cold, 1.0, temperatures)), axis=1)
