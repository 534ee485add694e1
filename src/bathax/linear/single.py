r"""A driven cavity as one mode: its Green functions, for all of its states.

N = |u|^2 N(0) + v, and N' = 2 Im <a' Phi>, so that v' = N' - N(0) d|u|^2/dt; u' follows from what
the reservoirs do to u, and the part of noise in <H_I> is what is not due to u.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from bathax._checks import Scalar
from bathax._estimate import Estimate
from bathax._programs import program
from bathax.cavity.green import GreenFunctions
from bathax.linear.green import DrivenGreenFunctions
from bathax.system.models import Cavity


@program
def green_functions(
    cavity: Cavity, number: Scalar, found: Estimate[DrivenGreenFunctions]
) -> Estimate[GreenFunctions]:
    """Those of the cavity that started with so many quanta, from those of the mode."""
    w = jax.vmap(cavity.as_modes.at)(found.t).h[:, 0, 0].real
    green = found.value
    u, contact = green.u[:, 0, 0], jnp.sum(green.field[:, :, 0], axis=1)
    du = -1j * (w.astype(complex) * u + jnp.sum(green.memory[:, :, 0], axis=1))
    value = GreenFunctions(u, du, green.v[:, 0, 0].real, jnp.zeros_like(w), jnp.zeros_like(w))
    exchange = -2.0 * (u.conj() * value.drift(w)).imag
    dv = 2.0 * contact.imag - number * value.transmission_rate
    value = GreenFunctions(u, du, value.v, dv, 2.0 * contact.real - number * exchange)
    error = _error(lax.stop_gradient((w, number, u, du)), found.error)
    return Estimate(found.t, value, error, found.valid, found.status)


def _error(fixed: tuple[Array, ...], error: DrivenGreenFunctions) -> GreenFunctions:
    w, number, u, du = fixed
    of_u, of_contact = error.u[:, 0, 0], jnp.sum(error.field[:, :, 0], axis=1)
    of_du = w * of_u + jnp.sum(error.memory[:, :, 0], axis=1)
    of_rate = 2.0 * number * (jnp.abs(u) * of_du + jnp.abs(du) * of_u)
    spread = 2.0 * of_contact + of_rate
    return GreenFunctions(of_u, of_du, error.v[:, 0, 0], spread, spread)
