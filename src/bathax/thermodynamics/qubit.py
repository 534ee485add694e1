r"""Thermodynamics of a qubit far from equilibrium, along its trajectory (AHZ Eqs. 9-11, 25).

Two numbers determine the thermodynamics: p = rho_11 and d = det rho = p (1 - p) - |rho_10|^2, with
E = w_s p and S = S(d) in closed form. Time derivatives follow by the chain rule from those of the
map, and T = E'/S'. Without coherence the factor p' cancels, and T = w_s / ln((1 - p)/p).
"""

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from bathax._checks import Scalar
from bathax._estimate import Estimate
from bathax.qubit.elements import MapElements
from bathax.qubit.entropy import entropy, entropy_slope
from bathax.qubit.states import QubitState
from bathax.system.models import Qubit
from bathax.thermodynamics.resolution import Rate, is_resolved, propagated

# Rounding of a sum, relative to its terms, and of a logarithm.
ROUNDING = 1e-15
LOGARITHM = 1e-14


class QubitThermodynamics(eqx.Module):
    """The state quantities of the qubit, each an array over times; energies in units of hbar.

    `number` is the excited population p. Without coherence `temperature` is w_s / ln((1 - p)/p):
    negative in an inverted state (p > 1/2), with a true pole at p = 1/2, which T and F share. With
    coherence it is E'/S', with poles where S' = 0, and 0 for a pure state. Where both rates vanish,
    `temperature_resolved` is False and it is the limit at fixed coherence, which is the closed form
    above once the coherence has decayed. Its error is infinite where E'/S' is unknown.
    `chemical_potential` dE/dN is w_s at all times, because the energy is w_s N.
    """

    number: Float[Array, "*times"]
    energy: Float[Array, "*times"]
    entropy: Float[Array, "*times"]
    energy_rate: Float[Array, "*times"]
    entropy_rate: Float[Array, "*times"]
    temperature: Float[Array, "*times"]
    chemical_potential: Float[Array, "*times"]
    free_energy: Float[Array, "*times"]


class Moments(eqx.Module):
    """p, d = det rho and their rates, from which every quantity here follows by algebra."""

    excited: Float[Array, "*times"]
    determinant: Float[Array, "*times"]
    excited_rate: Float[Array, "*times"]
    determinant_rate: Float[Array, "*times"]


class Slopes(eqx.Module):
    """dS/dd at several determinants: `here` at d, `below` at d less its error, `of_error` at that.

    `low`, `middle` and `high` are at the determinants of states without coherence, whose population
    is the lowest within its error, the one found, and the highest.
    """

    here: Float[Array, "*times"]
    below: Float[Array, "*times"]
    of_error: Float[Array, "*times"]
    low: Float[Array, "*times"]
    middle: Float[Array, "*times"]
    high: Float[Array, "*times"]


def thermodynamics(
    state: QubitState, qubit: Qubit, estimate: Estimate[MapElements]
) -> tuple[QubitThermodynamics, QubitThermodynamics, Bool[Array, "*times"]]:
    """The quantities, estimates of their errors, and where the temperature is resolved."""
    value = _moments(state, estimate.value)
    slope = entropy_slope(value.determinant)
    fixed, bound = lax.stop_gradient((value, _bounds(state, estimate)))
    slopes = lax.stop_gradient(_slopes(fixed, bound, slope))
    diagonal = state.rho[1, 0] == 0.0
    resolved = diagonal | _is_resolved(qubit.frequency, fixed, bound, slopes)
    quantities = _quantities(qubit.frequency, value, slope, where=(diagonal, resolved))
    frequency, given = lax.stop_gradient((qubit.frequency, quantities))
    errors = _errors(frequency, fixed, bound, slopes, diagonal=diagonal, given=given)
    return quantities, errors, resolved


def _moments(state: QubitState, elements: MapElements) -> Moments:
    p, rate = state.excited_population(elements), state.excited_rate(elements)
    coherence, turning = state.coherence(elements), state.coherence_rate(elements)
    lost = 2.0 * (coherence.conj() * turning).real
    return Moments(p, p * (1.0 - p) - _squared(coherence), rate, (1.0 - 2.0 * p) * rate - lost)


def _squared(z: Array) -> Array:
    return z.real**2 + z.imag**2


def _bounds(state: QubitState, estimate: Estimate[MapElements]) -> Moments:
    """Bounds on the errors of the moments; at t = 0 the map is the identity, without error."""
    elements, error, later = estimate.value, estimate.error, estimate.t > 0.0
    ground, excited = state.populations
    p, weight = state.excited_population(elements), _squared(state.rho[1, 0])
    c, dc = jnp.abs(elements.c), jnp.abs(elements.dc)
    outside = jnp.maximum(-p, 0.0) + jnp.maximum(p - 1.0, 0.0)
    of_p = excited * error.p11 + ground * error.p00 + ROUNDING * p + outside
    of_rate = excited * error.dp11 + ground * error.dp00
    of_c = jnp.where(later, error.c, 0.0)
    of_p = jnp.where(later, of_p, 0.0)
    rate, tilt = jnp.abs(state.excited_rate(elements)), jnp.abs(1.0 - 2.0 * p)
    lost = (2.0 * c + of_c) * of_c + ROUNDING * c**2
    of_turning = 2.0 * (c * error.dc + dc * of_c + of_c * error.dc + ROUNDING * c * dc)
    return Moments(
        of_p,
        (tilt + of_p) * of_p + weight * lost,
        of_rate,
        tilt * of_rate + 2.0 * (rate + of_rate) * of_p + weight * of_turning,
    )


def _slopes(m: Moments, bound: Moments, here: Float[Array, "*times"]) -> Slopes:
    """All slopes; those other than `here` by one call, because the slope is a long formula."""
    p = [_between(m.excited + sign * bound.excited) for sign in (-1.0, 0.0, 1.0)]
    below = jnp.maximum(m.determinant - bound.determinant, 0.0)
    determinants = [below, bound.determinant, *(each * (1.0 - each) for each in p)]
    return Slopes(here, *entropy_slope(jnp.stack(determinants)))


def _between(p: Float[Array, "*times"]) -> Float[Array, "*times"]:
    return jnp.clip(p, 0.0, 1.0)


def _entropy_error(m: Moments, bound: Moments, slopes: Slopes) -> Float[Array, "*times"]:
    """A bound on the error of S: S(error), or slope times error, since S is concave, S(0) = 0."""
    # d < 0 is no state: its size is an error too.
    of_d = bound.determinant + jnp.maximum(-m.determinant, 0.0)
    steepest = jnp.minimum(slopes.below * of_d, entropy(jnp.minimum(of_d, 0.25)))
    return steepest + LOGARITHM * entropy(m.determinant)


def _entropy_rate_error(m: Moments, bound: Moments, slopes: Slopes) -> Float[Array, "*times"]:
    # dS/dd is convex and decreasing: it changes most towards pure states.
    of_slope = slopes.below - slopes.here + LOGARITHM * slopes.here
    rate = jnp.abs(m.determinant_rate)
    # If a pure state becomes mixed at a finite rate, S' is infinite.
    endless = (m.determinant <= 0.0) & (rate > bound.determinant_rate)
    error = (slopes.here + of_slope) * bound.determinant_rate + of_slope * rate
    return jnp.where(endless, jnp.inf, error)


def _is_resolved(
    frequency: Scalar, m: Moments, bound: Moments, slopes: Slopes
) -> Bool[Array, "*times"]:
    number = Rate(m.excited_rate, bound.excited_rate)
    rate = slopes.here * m.determinant_rate
    entropy = Rate(rate, _entropy_rate_error(m, bound, slopes))
    return is_resolved(number, entropy, frequency * (1.0 + m.excited))


def _quantities(
    frequency: Scalar,
    m: Moments,
    slope: Float[Array, "*times"],
    where: tuple[Bool[Array, ""], Bool[Array, "*times"]],
) -> QubitThermodynamics:
    """From the moments and dS/dd; `where` there is no coherence, and where T is resolved."""
    diagonal, resolved = where
    energy, energy_rate = frequency * m.excited, frequency * m.excited_rate
    entropy_, entropy_rate = entropy(m.determinant), slope * m.determinant_rate
    mixed = m.determinant > 0.0
    static = _static_temperature(frequency, m.excited, slope, mixed)
    moving = resolved & ~diagonal & mixed
    temperature = jnp.where(moving, _ratio(energy_rate, entropy_rate, moving), static)
    finite = jnp.isfinite(temperature)
    bound_energy = jnp.where(finite, temperature, 0.0) * entropy_
    return QubitThermodynamics(
        number=m.excited,
        energy=energy,
        entropy=entropy_,
        energy_rate=energy_rate,
        entropy_rate=entropy_rate,
        temperature=temperature,
        chemical_potential=jnp.broadcast_to(frequency, energy.shape),
        free_energy=jnp.where(finite, energy - bound_energy, -temperature),
    )


def _static_temperature(
    frequency: Scalar,
    excited: Float[Array, "*times"],
    slope: Float[Array, "*times"],
    mixed: Bool[Array, "*times"],
) -> Float[Array, "*times"]:
    """T = dE/dS at fixed coherence, w_s / ((1 - 2 p) dS/dd); 0 for a pure state.

    Without coherence 1 - 2 p is +-r, and this is w_s / ln((1 - p)/p).
    """
    return jnp.where(mixed, _ratio(frequency, (1.0 - 2.0 * excited) * slope, mixed), 0.0)


def _ratio(above: Array, below: Array, wanted: Bool[Array, "*times"]) -> Float[Array, "*times"]:
    """A ratio, infinite at its poles; its derivatives are finite there and where not `wanted`."""
    pole = below == 0.0
    infinite = jnp.where(above < 0.0, -jnp.inf, jnp.inf)
    return jnp.where(pole, infinite, above / jnp.where(pole | ~wanted, 1.0, below))


# --- Errors ------------------------------------------------------------------------------------


def _errors(
    frequency: Scalar,
    m: Moments,
    bound: Moments,
    slopes: Slopes,
    *,
    diagonal: Bool[Array, ""],
    given: QubitThermodynamics,
) -> QubitThermodynamics:
    of_entropy = _entropy_error(m, bound, slopes)
    of_entropy_rate = _entropy_rate_error(m, bound, slopes)
    of_energy = frequency * bound.excited
    of_temperature = jnp.where(
        diagonal,
        _error_without_coherence(frequency, m, bound, slopes),
        _error_with_coherence(
            given,
            energy_rate=frequency * bound.excited_rate,
            entropy_rate=of_entropy_rate,
            pure=(m.determinant <= bound.determinant, frequency / slopes.of_error),
        ),
    )
    of_heat = propagated(given.temperature, of_entropy) + propagated(given.entropy, of_temperature)
    return QubitThermodynamics(
        number=bound.excited,
        energy=of_energy,
        entropy=of_entropy,
        energy_rate=frequency * bound.excited_rate,
        entropy_rate=of_entropy_rate,
        temperature=of_temperature,
        chemical_potential=jnp.zeros_like(of_energy),
        free_energy=of_energy + of_heat + propagated(of_entropy, of_temperature),
    )


def _error_without_coherence(
    frequency: Scalar, m: Moments, bound: Moments, slopes: Slopes
) -> Float[Array, "*times"]:
    """The largest change of T(p) within the error of p; T rises on either side of its pole."""

    def temperature(p: Array, slope: Array) -> Array:
        return _static_temperature(frequency, p, slope, p * (1.0 - p) > 0.0)

    low, high = _between(m.excited - bound.excited), _between(m.excited + bound.excited)
    middle = temperature(_between(m.excited), slopes.middle)
    lowest, highest = temperature(low, slopes.low), temperature(high, slopes.high)
    reach = jnp.maximum(highest - middle, middle - lowest)
    pole = (low <= 0.5) & (high >= 0.5)
    return jnp.where(pole, jnp.inf, reach + LOGARITHM * jnp.abs(middle))


def _error_with_coherence(
    given: QubitThermodynamics,
    *,
    energy_rate: Float[Array, "*times"],
    entropy_rate: Float[Array, "*times"],
    pure: tuple[Bool[Array, "*times"], Float[Array, "*times"]],
) -> Float[Array, "*times"]:
    """The error of T from those of both rates, or of the limit in its place.

    It is infinite where E'/S' is unknown: population and |rho_10|^2 may relax at the same rate, and
    then the limit differs from that of a state without coherence. `pure` tells where the state may
    be pure, and the error there: T vanishes like w_s over a logarithm.
    """
    ratio = _ratio(given.energy_rate, given.entropy_rate, given.entropy_rate != 0.0)
    missed = jnp.where(ratio == given.temperature, 0.0, jnp.abs(ratio - given.temperature))
    error = missed + _ratio_error(ratio, energy_rate, given.entropy_rate, entropy_rate)
    return jnp.where(*pure, error)


def _ratio_error(ratio: Array, above: Array, below: Array, of_below: Array) -> Array:
    """Bound on the error of a ratio from those of its parts; infinite where it may have a pole."""
    known = jnp.abs(below) - of_below
    error = (above + propagated(ratio, of_below)) / jnp.where(known > 0.0, known, 1.0)
    return jnp.where(known > 0.0, error, jnp.inf)
