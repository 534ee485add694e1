"""How strong a reservoir is, apart from the shape of its spectral density."""

import equinox as eqx
import jax.numpy as jnp

from bathax._checks import Scalar
from bathax.reservoir.spectral_density import SpectralDensity


def separated(density: SpectralDensity) -> tuple[Scalar, SpectralDensity]:
    """A number and the density that J is so many times as large as.

    What follows from the second alone is the same for all members of a batch over strengths.
    """
    name = density.strength
    if name is None:
        return jnp.ones(()), density
    strength = getattr(density, name)
    return strength, eqx.tree_at(lambda J: getattr(J, name), density, jnp.ones_like(strength))
