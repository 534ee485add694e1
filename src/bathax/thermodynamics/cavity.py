r"""Thermodynamics of a cavity far from equilibrium, along its trajectory (AHZ Eqs. 9-11).

E = w_s N, N = <a'a>, S = -Tr[rho ln rho], T = (dE/dt) / (dS/dt), mu = dE/dN, F = E - T S. Time
derivatives follow from u' and v' by the chain rule, never from differences.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from bathax._checks import Scalar
from bathax.cavity import channel
from bathax.cavity.green import GreenFunctions
from bathax.cavity.model import Cavity
from bathax.cavity.states import State
from bathax.thermodynamics.resolution import Rate, is_resolved, share

# A state of less entropy is pure.
PURE = 1e-9
# So many times at once that what a batch of trajectories computes for them stays in the cache.
AT_ONCE = 25
# Rounding of an entropy, relative to 1 + S.
ROUNDING = 2e-15


class Thermodynamics(eqx.Module):
    """The state quantities of the cavity, each an array over times; energies in units of hbar.

    `temperature` is E'/S'; at isolated instants with S' = 0 it has true poles, and it is infinite
    while a state loses energy and stays pure. Where both rates vanish (`temperature_resolved`
    False: in the steady state, and at t = 0) it is the limit w_s / (dS/dv), for a geometric state
    w_s / ln((1 + v)/v), and 0 for a state that is pure at the start.
    `chemical_potential` dE/dN is w_s at all times, because the energy of a mode is w_s N.
    `entropy_production` is Delta S - Q/T0 with the heat Q = Delta E + <H_I> that left the
    reservoirs; never negative in the exact solution. Defined for reservoirs of one temperature
    (NaN for several), infinite at T0 = 0 once heat flows into the vacuum.
    """

    number: Float[Array, "*times"]
    energy: Float[Array, "*times"]
    entropy: Float[Array, "*times"]
    energy_rate: Float[Array, "*times"]
    entropy_rate: Float[Array, "*times"]
    temperature: Float[Array, "*times"]
    chemical_potential: Float[Array, "*times"]
    free_energy: Float[Array, "*times"]
    interaction_energy: Float[Array, "*times"]
    entropy_production: Float[Array, "*times"]


class Moments(eqx.Module):
    """The real numbers at one time from which every quantity here follows by algebra."""

    transmission: Scalar
    noise: Scalar
    transmission_rate: Scalar
    noise_rate: Scalar
    exchange: Scalar
    pull: Scalar
    entropy: Scalar
    entropy_by_transmission: Scalar
    entropy_by_noise: Scalar


def thermodynamics(
    state: State, cavity: Cavity, green: GreenFunctions, error: GreenFunctions
) -> tuple[Thermodynamics, Thermodynamics, Bool[Array, " times"]]:
    """The quantities, estimates of their errors, and where the temperature is resolved."""

    def at_one_time(green: GreenFunctions, error: GreenFunctions) -> tuple:
        value, bound = _moments(state, cavity, green, error)
        resolved = _is_resolved(state, cavity, value, bound)

        def quantities(m: Moments) -> Thermodynamics:
            return _quantities(state, cavity, m, resolved)

        errors = _propagated(quantities, value, bound)
        beyond = _beyond_first_order(errors.temperature, *lax.stop_gradient((value, bound)))
        doubt = jnp.where(resolved, beyond, _limit_and_doubt(state, cavity, value)[1])
        bound_energy = share(lax.stop_gradient(value.entropy) + bound.entropy, doubt)
        errors = eqx.tree_at(
            lambda e: (e.temperature, e.free_energy),
            errors,
            (errors.temperature + doubt, errors.free_energy + bound_energy),
        )
        return quantities(value), errors, resolved

    return lax.map(lambda pair: at_one_time(*pair), (green, error), batch_size=AT_ONCE)


def _moments(
    state: State, cavity: Cavity, green: GreenFunctions, error: GreenFunctions
) -> tuple[Moments, Moments]:
    """The moments at one time and first-order bounds on their errors."""
    drift = green.drift(cavity.frequency)
    exchange = -2.0 * (green.u.conj() * drift).imag
    # An unresolved grid can give v < 0, which no state has.
    point = (green.transmission, jnp.maximum(green.v, 0.0))
    entropy = state.entropy_expansion(*point)
    value = Moments(
        *point,
        green.transmission_rate,
        green.dv,
        exchange,
        green.pull,
        entropy.value,
        *entropy.slopes,
    )
    u, drift, drift_error = jnp.abs(green.u), jnp.abs(drift), error.du + cavity.frequency * error.u
    transmission, rate = 2.0 * u * error.u, 2.0 * (drift * error.u + u * drift_error)

    def spread(by: tuple[Array, Array]) -> Array:
        return jnp.abs(by[0]) * transmission + jnp.abs(by[1]) * error.v

    rounding = ROUNDING * (1.0 + value.entropy)
    hidden, steepness = _unphysical(state, green, transmission + error.v)
    bounds = (
        rounding + spread(entropy.slopes) + hidden,
        *(spread(row) + more for row, more in zip(entropy.curvatures, steepness, strict=True)),
    )
    bound = Moments(transmission, error.v, rate, error.dv, rate, error.pull, *bounds)
    return value, lax.stop_gradient(bound)


def _unphysical(
    state: State, green: GreenFunctions, error: Scalar
) -> tuple[Scalar, tuple[Scalar, Scalar]]:
    """Errors of S and of its slopes where |u|^2 > 1 + v or v < 0, by a defect that is cut off.

    Near a pure state S changes like d ln d with the distance d, here the defect and the error. Its
    slopes are logarithms of populations, cut at `SMALLEST`, that may be as large as d, each times
    what flows into it: from n quanta n by |u|^2, and (n + 1) + n |u|^2 by v.
    """
    defect = jnp.maximum(green.transmission - 1.0 - green.v, 0.0) + jnp.maximum(-green.v, 0.0)
    outside, scale = defect > 0.0, 1.0 + state.number
    distance = jnp.where(outside, defect + error, 1.0)
    hidden = jnp.where(distance < 0.1, scale * distance * (1.0 - jnp.log(distance)), jnp.inf)
    logarithm = jnp.log(jnp.minimum(scale * distance, 1.0)) - jnp.log(channel.SMALLEST)
    steepness = jnp.where(outside, logarithm, 0.0)
    flows = (state.number, scale + state.number * green.transmission)
    return jnp.where(outside, hidden, 0.0), (flows[0] * steepness, flows[1] * steepness)


def _beyond_first_order(error: Scalar, m: Moments, bound: Moments) -> Scalar:
    """How far the error of E'/S' exceeds its first order; infinite where S' may vanish.

    Only S' knows the slopes of S. If they may change it by a fraction r, the ratio is known up to
    1/(1 - r) times the first order. The rates are in E' too and largely cancel.
    """
    slopes = (bound.entropy_by_transmission, bound.entropy_by_noise)
    rates = (m.transmission_rate, m.noise_rate)
    lost = share(rates[0], slopes[0]) + share(rates[1], slopes[1])
    left = jnp.abs(_entropy_rate(m)) - lost
    known = left > 0.0
    return jnp.where(known, share(error, lost / jnp.where(known, left, 1.0)), jnp.inf)


def _number_rate(state: State, m: Moments) -> Scalar:
    return m.transmission_rate * state.number + m.noise_rate


def _entropy_rate(m: Moments) -> Scalar:
    return m.entropy_by_transmission * m.transmission_rate + m.entropy_by_noise * m.noise_rate


def _is_resolved(state: State, cavity: Cavity, m: Moments, bound: Moments) -> Bool[Array, ""]:
    def rate(function: Callable[[Moments], Scalar]) -> Rate:
        return Rate(function(m), _propagated(function, m, bound))

    number = m.transmission * state.number + m.noise
    scale = cavity.frequency * (1.0 + number)
    return is_resolved(rate(lambda m: _number_rate(state, m)), rate(_entropy_rate), scale)


def _quantities(
    state: State, cavity: Cavity, m: Moments, resolved: Bool[Array, ""]
) -> Thermodynamics:
    number = m.transmission * state.number + m.noise
    energy = cavity.frequency * number
    energy_rate, entropy_rate = cavity.frequency * _number_rate(state, m), _entropy_rate(m)
    dynamical = energy_rate / jnp.where(resolved, entropy_rate, 1.0)
    temperature = jnp.where(resolved, dynamical, _limit_and_doubt(state, cavity, m)[0])
    interaction = m.exchange * state.number + m.pull
    heat = energy - cavity.frequency * state.number + interaction
    start = state.entropy(jnp.ones(()), jnp.zeros(()))
    return Thermodynamics(
        number=number,
        energy=energy,
        entropy=m.entropy,
        energy_rate=energy_rate,
        entropy_rate=entropy_rate,
        temperature=temperature,
        chemical_potential=cavity.frequency,
        free_energy=energy - temperature * m.entropy,
        interaction_energy=interaction,
        entropy_production=m.entropy - start - _heat_over_temperature(state, cavity, heat),
    )


def _limit_and_doubt(state: State, cavity: Cavity, m: Moments) -> tuple[Scalar, Scalar]:
    """T where E'/S' is 0/0, and how far that could be wrong.

    T is w_s dN/dS along the trajectory. Towards a noisy steady state the direction matters less
    and less; along v it is w_s / (dS/dv), and the difference to that along |u|^2 is the doubt.
    Without noise only |u|^2 moves; at the start the entropy of a pure state has infinite slope.
    """

    def ratio(number: Scalar, entropy: Scalar) -> Scalar:
        moving = entropy != 0.0
        energy = cavity.frequency * number
        return jnp.where(moving, energy / jnp.where(moving, entropy, 1.0), 0.0)

    by_noise = ratio(jnp.ones(()), m.entropy_by_noise)
    by_loss = ratio(state.number, m.entropy_by_transmission)
    at_start = (m.transmission > 0.5) & (m.entropy < PURE)
    in_vacuum = jnp.where(at_start, 0.0, by_loss)
    noisy = m.noise > 0.0
    doubt = jnp.where(noisy, jnp.abs(by_noise - by_loss), 0.0)
    return jnp.where(noisy, by_noise, in_vacuum), lax.stop_gradient(doubt)


def _heat_over_temperature(state: State, cavity: Cavity, heat: Scalar) -> Scalar:
    temperatures = jnp.stack([bath.temperature for bath in cavity.reservoirs])
    temperature = jnp.where(jnp.all(temperatures == temperatures[0]), temperatures[0], jnp.nan)
    cold = temperature == 0.0
    rounding = 1e-12 * cavity.frequency * (1.0 + state.number)
    into_vacuum = jnp.where(heat < -rounding, -jnp.inf, 0.0)
    return jnp.where(cold, into_vacuum, heat / jnp.where(cold, 1.0, temperature))


def _propagated(function: Callable[[Moments], Any], value: Moments, bound: Moments) -> Any:
    """sum_i |df/dm_i| bound_i for every output of a function of the moments."""
    slopes = jax.jacfwd(function)(lax.stop_gradient(value))

    def total(slope: Moments) -> Array:
        return sum(jax.tree.leaves(jax.tree.map(share, slope, bound)), jnp.zeros(()))

    return jax.tree.map(total, slopes, is_leaf=lambda node: isinstance(node, Moments))
