r"""Thermodynamics of a cavity far from equilibrium, along its trajectory (AHZ Eqs. 9-11).

E = w_s N, N = <a'a>, S = -Tr[rho ln rho], T = (dE/dt) / (dS/dt), mu = dE/dN, F = E - T S. Time
derivatives follow from u' and v' by the chain rule, not from finite differences.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from bathax._checks import Scalar
from bathax._estimate import Estimate
from bathax.cavity.green import GreenFunctions
from bathax.system import channel
from bathax.system.models import Cavity
from bathax.system.states import State
from bathax.thermodynamics.resolution import Rate, is_resolved, propagated

# A state counts as pure if its entropy is below this.
PURE = 1e-9
# If S changes by more than this per quantum that flows, some population is almost 0.
STEEP = 10.0
# Rounding of an entropy, relative to 1 + S.
ROUNDING = 2e-15

Times = Float[Array, " times"]


class Thermodynamics(eqx.Module):
    """The state quantities of the cavity, each an array over times; energies in units of hbar.

    `temperature` is E'/S'. It has true poles at instants with S' = 0, and is infinite while a state
    loses energy and stays pure. In the steady state and at t = 0 both rates vanish, and
    `temperature_resolved` is False: then it is the limit w_s / (dS/dv), which for a geometric state
    is w_s / ln((1 + v)/v), or 0 for a state that is pure at the start.
    `chemical_potential` dE/dN is w_s at all times, because the energy of a mode is w_s N.
    `entropy_production` is Delta S - Q/T0, where the heat Q = Delta E + <H_I> has left the
    reservoirs; it is never negative in the exact solution. It is defined for reservoirs of one
    temperature (NaN for several), and infinite at T0 = 0 once heat flows into the vacuum.
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
    """The real numbers at each time from which all quantities follow by algebra."""

    transmission: Float[Array, "*times"]
    noise: Float[Array, "*times"]
    transmission_rate: Float[Array, "*times"]
    noise_rate: Float[Array, "*times"]
    exchange: Float[Array, "*times"]
    interaction_noise: Float[Array, "*times"]
    entropy: Float[Array, "*times"]
    entropy_by_transmission: Float[Array, "*times"]
    entropy_by_noise: Float[Array, "*times"]


def thermodynamics(
    state: State, cavity: Cavity, estimate: Estimate[GreenFunctions]
) -> tuple[Thermodynamics, Thermodynamics, Bool[Array, " times"]]:
    """The quantities, estimates of their errors, and where the temperature is resolved."""
    value, bound = _moments(state, cavity, estimate)
    fixed = lax.stop_gradient((state, cavity, value))
    resolved = _is_resolved(*fixed, bound)
    errors = _errors(*fixed, bound, (resolved, estimate.t > 0.0))
    return _quantities(state, cavity, value, resolved), errors, resolved


def _moments(
    state: State, cavity: Cavity, estimate: Estimate[GreenFunctions]
) -> tuple[Moments, Moments]:
    """The moments, and first-order bounds on their errors."""
    green, error = estimate.value, estimate.error
    drift = green.drift(cavity.frequency)
    exchange = -2.0 * (green.u.conj() * drift).imag
    # An unresolved grid can give v < 0, or |u|^2 far above 1 + v, which no state has.
    transmission, noise = green.transmission, jnp.maximum(green.v, 0.0)
    most = 1.0 + noise
    possible = jnp.where(transmission > 2.0 * most, most, transmission)
    first, second = state.entropy_derivatives(possible, noise)
    entropy, by_transmission, by_noise = jnp.unstack(first)
    twice, mixed, twice_noise = jnp.unstack(second)
    value = Moments(
        transmission=transmission,
        noise=noise,
        transmission_rate=green.transmission_rate,
        noise_rate=green.dv,
        exchange=exchange,
        interaction_noise=green.interaction_noise,
        entropy=entropy,
        entropy_by_transmission=by_transmission,
        entropy_by_noise=by_noise,
    )
    u, drift, drift_error = jnp.abs(green.u), jnp.abs(drift), error.du + cavity.frequency * error.u
    of_transmission = 2.0 * u * error.u
    of_rate = 2.0 * (drift * error.u + u * drift_error)

    def spread(by_transmission: Array, by_noise: Array) -> Array:
        return jnp.abs(by_transmission) * of_transmission + jnp.abs(by_noise) * error.v

    blur = of_transmission + error.v
    hidden, steepness = _hidden(state, estimate, by_noise, blur)
    bound = Moments(
        transmission=of_transmission,
        noise=error.v,
        transmission_rate=of_rate,
        noise_rate=error.dv,
        exchange=of_rate,
        interaction_noise=error.interaction_noise,
        entropy=ROUNDING * (1.0 + entropy) + spread(by_transmission, by_noise) + hidden,
        entropy_by_transmission=spread(twice, mixed) + steepness[0],
        entropy_by_noise=spread(mixed, twice_noise) + steepness[1],
    )
    return value, lax.stop_gradient(bound)


def _hidden(
    state: State, estimate: Estimate[GreenFunctions], by_noise: Times, blur: Times
) -> tuple[Times, tuple[Times, Times]]:
    """Errors of S and of its slopes where populations are smaller than the errors of |u|^2 and v.

    There are two such cases. Populations may come out negative, for |u|^2 > 1 + v or v < 0, by a
    defect that is cut off. And a state may hardly have left the subspace that it started in. Near
    the border of that subspace S changes like d ln d with the distance d, which is the defect plus
    the error. The slopes of S are logarithms of populations, cut at `SMALLEST`, times the flow into
    them. The population may be as large as d; the flow from n quanta is n with respect to |u|^2,
    and (n + 1) + n |u|^2 with respect to v.
    """
    green = estimate.value
    defect = jnp.maximum(green.transmission - 1.0 - green.v, 0.0) + jnp.maximum(-green.v, 0.0)
    scale = 1.0 + state.number
    flows = (state.number, scale + state.number * green.transmission)
    at_start = (1.0 - green.transmission + green.v < blur) & (jnp.abs(by_noise) > STEEP * flows[1])
    outside = defect > 0.0
    blurred = outside | (at_start & (estimate.t > 0.0))
    distance = jnp.where(blurred, defect + blur, 1.0)
    hidden = jnp.where(distance < 0.1, scale * distance * (1.0 - jnp.log(distance)), jnp.inf)
    logarithm = jnp.log(jnp.minimum(scale * distance, 1.0)) - jnp.log(channel.SMALLEST)
    steepness = jnp.where(blurred, logarithm, 0.0)
    return jnp.where(outside, hidden, 0.0), (flows[0] * steepness, flows[1] * steepness)


def _beyond_first_order(error: Times, m: Moments, bound: Moments) -> Times:
    """How far the error of E'/S' exceeds its first order; infinite where S' may vanish.

    Only S' depends on the slopes of S. If their errors change S' by a fraction r, the error of the
    ratio is 1/(1 - r) times the first order. Errors of the rates are in E' too and largely cancel.
    """
    lost = _lost_rate(m, bound)
    left = jnp.abs(_entropy_rate(m)) - lost
    known = left > 0.0
    return jnp.where(known, propagated(error, lost / jnp.where(known, left, 1.0)), jnp.inf)


def _number_rate(state: State, m: Moments) -> Times:
    return m.transmission_rate * state.number + m.noise_rate


def _entropy_rate(m: Moments) -> Times:
    return m.entropy_by_transmission * m.transmission_rate + m.entropy_by_noise * m.noise_rate


def _is_resolved(state: State, cavity: Cavity, m: Moments, bound: Moments) -> Bool[Array, " times"]:
    of_number = state.number * bound.transmission_rate + bound.noise_rate
    of_entropy = propagated(m.entropy_by_transmission, bound.transmission_rate)
    of_entropy += propagated(m.entropy_by_noise, bound.noise_rate) + _lost_rate(m, bound)
    number = Rate(_number_rate(state, m), of_number)
    scale = cavity.frequency * (1.0 + m.transmission * state.number + m.noise)
    return is_resolved(number, Rate(_entropy_rate(m), of_entropy), scale)


def _lost_rate(m: Moments, bound: Moments) -> Times:
    """How much of S' may be due to errors of the slopes of S."""
    of_loss = propagated(m.transmission_rate, bound.entropy_by_transmission)
    return of_loss + propagated(m.noise_rate, bound.entropy_by_noise)


def _errors(
    state: State,
    cavity: Cavity,
    m: Moments,
    bound: Moments,
    known: tuple[Bool[Array, " times"], Bool[Array, " times"]],
) -> Thermodynamics:
    """Errors to first order in those of the moments, and for T beyond first order.

    `known` tells where T is resolved, and which times are later than 0.
    """
    resolved, begun = known
    errors = _propagated(lambda m: _quantities(state, cavity, m, resolved), m, bound)
    beyond = _beyond_first_order(errors.temperature, m, bound)
    at_rest = _limit_and_doubt(state, cavity, m)[1] + _since_start(cavity, m, bound, begun)
    doubt = jnp.where(resolved, beyond, at_rest)
    return eqx.tree_at(
        lambda e: (e.temperature, e.free_energy),
        errors,
        (
            errors.temperature + doubt,
            errors.free_energy + propagated(m.entropy + bound.entropy, doubt),
        ),
    )


def _quantities(
    state: State, cavity: Cavity, m: Moments, resolved: Bool[Array, " times"]
) -> Thermodynamics:
    number = m.transmission * state.number + m.noise
    energy = cavity.frequency * number
    energy_rate, entropy_rate = cavity.frequency * _number_rate(state, m), _entropy_rate(m)
    dynamical = energy_rate / jnp.where(resolved, entropy_rate, 1.0)
    temperature = jnp.where(resolved, dynamical, _limit_and_doubt(state, cavity, m)[0])
    interaction = m.exchange * state.number + m.interaction_noise
    heat = energy - cavity.frequency * state.number + interaction
    return Thermodynamics(
        number=number,
        energy=energy,
        entropy=m.entropy,
        energy_rate=energy_rate,
        entropy_rate=entropy_rate,
        temperature=temperature,
        chemical_potential=jnp.broadcast_to(cavity.frequency, energy.shape),
        free_energy=energy - temperature * m.entropy,
        interaction_energy=interaction,
        entropy_production=m.entropy
        - state.initial_entropy
        - _heat_over_temperature(state, cavity, heat),
    )


def _limit_and_doubt(state: State, cavity: Cavity, m: Moments) -> tuple[Times, Times]:
    """T where E'/S' is 0/0, and an estimate of its error.

    T is w_s dN/dS along the trajectory. Near a noisy steady state it hardly depends on the
    direction: along v it is w_s / (dS/dv), and the difference to its value along |u|^2 estimates
    the error. Without noise only |u|^2 changes. The entropy of a pure state has infinite slope.
    """

    def ratio(number: Scalar, entropy: Times) -> Times:
        moving = entropy != 0.0
        energy = cavity.frequency * number
        return jnp.where(moving, energy / jnp.where(moving, entropy, 1.0), 0.0)

    by_noise = ratio(jnp.ones(()), m.entropy_by_noise)
    by_loss = ratio(state.number, m.entropy_by_transmission)
    in_vacuum = jnp.where(_is_pure_start(m), 0.0, by_loss)
    noisy = m.noise > 0.0
    doubt = jnp.where(noisy, jnp.abs(by_noise - by_loss), 0.0)
    return jnp.where(noisy, by_noise, in_vacuum), doubt


def _since_start(cavity: Cavity, m: Moments, bound: Moments, begun: Bool[Array, " times"]) -> Times:
    """The error of T = 0 for a state that has hardly begun to be mixed.

    With a second population p, T is about w_s / ln p, and p is below the errors of |u|^2 and v.
    """
    blur = jnp.minimum(bound.transmission + bound.noise, 0.1)
    begun &= _is_pure_start(m) & (blur > 0.0)
    return jnp.where(begun, -cavity.frequency / jnp.log(jnp.where(begun, blur, 0.1)), 0.0)


def _is_pure_start(m: Moments) -> Bool[Array, " times"]:
    return (m.transmission > 0.5) & (m.entropy < PURE)


def _heat_over_temperature(state: State, cavity: Cavity, heat: Times) -> Times:
    temperatures = jnp.stack([bath.temperature for bath in cavity.reservoirs])
    temperature = jnp.where(jnp.all(temperatures == temperatures[0]), temperatures[0], jnp.nan)
    cold = temperature == 0.0
    rounding = 1e-12 * cavity.frequency * (1.0 + state.number)
    into_vacuum = jnp.where(heat < -rounding, -jnp.inf, 0.0)
    return jnp.where(cold, into_vacuum, heat / jnp.where(cold, 1.0, temperature))


def _propagated(
    function: Callable[[Moments], Thermodynamics], value: Moments, bound: Moments
) -> Thermodynamics:
    """sum_i |df/dm_i| bound_i for every output of a function of the moments."""
    leaves, structure = jax.tree.flatten(value)
    numbers, bounds = jnp.stack(leaves), jnp.stack(jax.tree.leaves(bound))

    def of_stack(numbers: Float[Array, "moments times"]) -> Thermodynamics:
        return function(jax.tree.unflatten(structure, list(numbers)))

    def along(direction: Float[Array, " moments"]) -> Thermodynamics:
        move = jnp.broadcast_to(direction[:, None], numbers.shape)
        return jax.jvp(of_stack, (numbers,), (move,))[1]

    slopes = jax.vmap(along)(jnp.eye(len(leaves)))
    return jax.tree.map(lambda slope: jnp.sum(propagated(slope, bounds), axis=0), slopes)
