r"""The modes of the reservoirs that a hierarchy has quanta in, and what its size follows from.

Balanced truncation (`numerics.balancing`) writes the kernels of emission and absorption in common
modes, \int dw J (n+1) e^{-iwt} = o . e^{-At} a and \int dw J n e^{-iwt} = o . e^{-At} b. The modes
are those that count for a qubit that rotates with w_s and dephases with the rate

g = \sqrt{\int dw J} / 2 + 6 \sqrt{\int dw J n}.

That rate decides on the order of the modes alone: with all of them the kernels are exact. This one
needed the fewest elements in sets of couplings and temperatures; half or twice of it does little.
Thermal noise has coordinates of the modes in which truncated hierarchies do not grow (`passivity`).
"""

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Complex, Float

from bathax._checks import Scalar, are_times, is_valid
from bathax._programs import optimised
from bathax.numerics.balancing import RANK, ReducedModes, reduced_modes
from bathax.numerics.grid import span
from bathax.numerics.passivity import passive
from bathax.reservoir.strength import separated
from bathax.system.models import Qubit

# Nodes of the reservoir's quadrature, and the most modes that double precision distinguishes.
RESOLUTION, MOST_MODES = 512, 30
# The rate at which a qubit responds, in terms of the roots of the kernels at t = 0.
ALONE, THERMAL = 0.5, 6.0
# Bounds on the factor by which elements shrink with each quantum.
STRONGEST, WEAKEST = 0.77, 0.01


class Character(eqx.Module):
    """Elements shrink by e^-costs with a quantum in each mode; there are `rank` modes."""

    costs: Float[Array, " modes"]
    rank: Scalar

    def fall(self, count: Scalar) -> Scalar:
        """The mean difference in cost between so many modes."""
        last = jnp.clip(jnp.minimum(count, self.rank) - 1.0, 1.0, self.costs.shape[0] - 1.0)
        return (self.costs[last.astype(int)] - self.costs[0]) / last


@optimised
def reduced(
    qubit: Qubit, ts: Float[Array, " times"]
) -> tuple[Bool[Array, ""], ReducedModes, Character]:
    """Whether the input is valid, the modes of emission and absorption, and their character."""
    valid = is_valid(qubit) & are_times(ts)
    strength, unit = _separated(qubit)
    strength = jnp.where(valid, strength, 0.0)
    nodes, memory, noise = unit.exponentials(RESOLUTION)
    known = is_valid(unit.reservoirs)
    kernels = jnp.where(known, jnp.stack([memory + noise, noise]), jnp.zeros((), memory.dtype))
    horizon = jnp.where(are_times(ts), span(ts), 1.0)
    response = _response(*lax.stop_gradient((qubit.frequency, strength, memory, noise)))
    modes = reduced_modes(nodes, kernels, horizon, MOST_MODES, response=response)
    modes = passive(modes, strength) if modes.reduced else modes
    modes = modes.scaled(strength)
    return valid, modes, lax.stop_gradient(_character(modes))


def _separated(qubit: Qubit) -> tuple[Scalar, Qubit]:
    """The strength of the only reservoir, and the qubit with one of unit strength."""
    first, *others = qubit.reservoirs
    if others:
        return jnp.ones(()), qubit
    strength, density = separated(first.spectral_density)
    return strength, eqx.tree_at(lambda q: q.reservoirs[0].spectral_density, qubit, density)


def _response(
    frequency: Scalar, strength: Scalar, memory: Array, noise: Array
) -> Complex[Array, ""]:
    """i w_s + g, with g rounded to a power of 2.

    The modes do not change then with a little more coupling, as derivatives assume.
    """
    alone, thermal = jnp.sqrt(strength * jnp.abs(jnp.sum(jnp.stack([memory, noise]), axis=1)))
    rate = jnp.exp2(jnp.round(jnp.log2(ALONE * alone + THERMAL * thermal)))
    return lax.complex(rate, frequency)


def _character(modes: ReducedModes) -> Character:
    r"""An element falls by \sqrt{|o_k a_k| / |A_kk|} with each quantum in mode k."""
    weight, tiny = modes.weight, jnp.finfo(float).tiny
    rates = jnp.maximum(jnp.abs(jnp.diagonal(modes.generator)), tiny)
    size = jnp.abs(modes.output) * jnp.sqrt(jnp.sum(jnp.abs(modes.excited) ** 2, axis=0))
    strengths = jnp.sqrt(jnp.maximum(size / rates, tiny))
    first = jnp.max(strengths)
    costs = jnp.log(first / strengths) - jnp.log(jnp.clip(first, WEAKEST, STRONGEST))
    kept = weight > RANK * weight[0]
    # Without coupling there are no modes; the smallest hierarchies have one nevertheless.
    rank = jnp.maximum(jnp.sum(kept), 1)
    return Character(lax.cummax(costs), rank.astype(float))
