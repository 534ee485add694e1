r"""Whether bosons that are coupled without the rotating-wave approximation have a ground state.

With slow reservoirs, which follow x, the modes have the energy

1/2 Z' W Z - sum_channels |x|^2 \int J/w dw,    Z = (a, a'),

which has to be positive: a coupling (a + a') (Phi + Phi') needs w_s > 4 \int J/w dw.
"""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex

from bathax._checks import holds, require
from bathax._linalg import eigvalsh
from bathax.system.linear import LinearSystem


def require_stable(system: LinearSystem) -> None:
    """Refuse what runs away from its reservoirs; a system that is driven may do so for a while.

    Pairing is often given in a rotating frame, where an energy may be negative.
    """
    counter = any(channel.counter is not None for channel in system.channels)
    if not counter or system.is_driven or system.pairing is not None:
        return
    if system.statistics == "boson":
        words = "large enough for a ground state with these couplings, w_s > 4 int J/w for one mode"
        require("h", words, system.h, holds(_is_stable, system))


def _is_stable(system: LinearSystem) -> Bool[Array, ""]:
    ends = jnp.stack([bath.spectral_density.extent[0] for bath in system.reservoirs])
    return (eigvalsh(_energy_of_slow(system))[0] > 0.0) | (jnp.min(ends) < 0.0)


def _energy_of_slow(system: LinearSystem) -> Complex[Array, "d d"]:
    zero = jnp.zeros_like(system.h)
    energy = jnp.block([[system.h, zero], [zero, system.h.conj()]])
    for x, bath in zip(system.contacts.conj(), system.reservoirs, strict=True):
        pull = -bath.spectral_density.level_shift(jnp.zeros(())).astype(complex)
        mirrored = jnp.roll(x, system.size).conj()
        for row in (x, mirrored):
            energy -= pull * row.conj()[:, None] * row[None, :]
    return energy
