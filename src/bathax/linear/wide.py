r"""The modes of a reservoir without ends, in which J has a part gamma / 2 pi at all energies.

That part has no memory, g(t) = gamma delta(t), and half of its noise has none, as if all energies
were half filled. Modes stand for the rest, f - 1/2, whose kernel is singular like 1/t:

- A single reduction would mix rates of all sizes, and lose as many digits: modes of the `SCALES`
  are reduced each by themselves.
- Modes faster than a limit are replaced by slower ones of the same response.
- Noise turns by mu. At a large bias, where no grid follows it, all of it is replaced.
"""

from dataclasses import replace
from itertools import pairwise

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Complex, Inexact

from bathax._checks import Scalar
from bathax.linear.comparison import FAR
from bathax.numerics.balancing import PANELLED, ReducedModes, reduced_modes
from bathax.numerics.slow_response import shares, slower
from bathax.reservoir.occupation import FermiDirac
from bathax.reservoir.reservoir import Reservoir
from bathax.system.linear import LinearSystem

# The limit, and the rates between which modes are reduced by themselves, in units of 1 / horizon.
FASTEST, SCALES = 1e6, (3e3, 1e5)
# No node of a path from mu is closer to the modes than this part of the bias.
CLOSER = 0.7


def parts(
    system: LinearSystem, k: int, horizon: Scalar, resolution: int, count: int, slowing: float
) -> list[ReducedModes]:
    """Those of channel k: 3/5 of `count` on each scale, the limit `slowing` times lower."""
    bath, bias = system.reservoirs[k], system.biases[k]
    nodes, *masses = bath.exponentials(resolution)
    # The modes serve the derivative by T as well, and all of them shift with mu.
    masses = jnp.stack([*masses, _warmed(bath, resolution)])
    far, mu = bias * horizon > FAR, bath.occupation.level
    center = jnp.where(far, system.frequency, mu).astype(complex)
    fastest = jnp.minimum(FASTEST / horizon, jnp.where(far, CLOSER * bias, jnp.inf)) / slowing
    kept, taken = shares(1j * (nodes - center), fastest, lowest=1)
    nodes = jnp.concatenate([kept * (nodes - center), -1j * slower(fastest)]) + center
    masses = jnp.concatenate([kept[None] * masses, masses @ taken], axis=1)
    rates = lax.stop_gradient(jnp.abs(nodes - center) * horizon)
    return [
        _within((low <= rates) & (rates < high), nodes, masses, horizon, 3 * count // 5)
        for low, high in pairwise((0.0, *SCALES, jnp.inf))
    ]


def _warmed(bath: Reservoir, resolution: int) -> Inexact[Array, " nodes"]:
    """T times the derivative by T of the masses of g~."""
    bath = lax.stop_gradient(bath)

    def noise(T: Scalar) -> Array:
        filled = FermiDirac(T, bath.occupation.level)
        return bath.spectral_density.exponentials(filled, resolution)[2]

    return jax.jvp(noise, (bath.temperature,), (bath.temperature,))[1]


def _within(
    inside: Bool[Array, " nodes"],
    nodes: Complex[Array, " nodes"],
    masses: Complex[Array, "kernels nodes"],
    horizon: Scalar,
    count: int,
) -> ReducedModes:
    """The modes of g and g~ for these nodes only."""
    masses = jnp.where(inside[None], masses, 0.0)
    modes = reduced_modes(nodes, masses, horizon, count, PANELLED)
    return replace(modes, excited=modes.excited[:2])
