"""Numbers with their errors, and what flows through a cavity in the steady state."""

from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp

from bathax._checks import Scalar
from bathax.cavity.model import Cavity


class Estimated(NamedTuple):
    """A number and an estimate of its error."""

    value: Any
    error: Any


@eqx.filter_jit
def heat_current(cavity: Cavity, resolution: int = 2**13) -> Scalar:
    r"""The steady energy current from the first of two reservoirs to the second.

    2 pi \int dw w J_1 J_2 (n_1 - n_2) / |w - w_s - Sigma|^2; a bound state carries none.
    """
    first, second = cavity.reservoirs
    w, masses = first.spectral_density.measure(resolution)
    bias = first.occupation(w) - second.occupation(w)
    z = w.astype(complex)
    inverse = z - cavity.frequency.astype(complex) - cavity.self_energy(z)
    response = 1.0 / jnp.abs(inverse) ** 2
    flow = w * masses * second.spectral_density(w) * bias * response
    return 2.0 * jnp.pi * jnp.sum(flow)
