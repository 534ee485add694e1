r"""Where a cavity ends up: limits t -> infinity from the spectral form of u(t) (AHZ Eq. 15)."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from bathax._checks import Scalar
from bathax.cavity.model import Cavity
from bathax.cavity.states import State


class BoundState(eqx.Module):
    """A real solution w_b of w - w_s - Sigma(w) = 0 below the reservoirs, and its residue Z.

    Without one, Z = 0 and the frequency is minus infinity.
    """

    frequency: Scalar
    residue: Scalar


class Estimated(NamedTuple):
    """A number and an estimate of its error."""

    value: float
    error: float


@eqx.filter_jit
def bound_state(cavity: Cavity) -> BoundState:
    """The bound state below the support, by Newton's method on a convex, increasing function."""
    lower = jnp.min(jnp.stack([bath.spectral_density.lower for bath in cavity.reservoirs]))

    def excess(w: Scalar) -> Scalar:
        return w - cavity.frequency - cavity.level_shift(w)

    def step(_: Int[Array, ""], w: Scalar) -> Scalar:
        value, slope = jax.value_and_grad(excess)(w)
        return w - value / slope

    start = lower - 1e-9 * cavity.frequency
    exists = excess(start) > 0.0
    frequency = lax.fori_loop(0, 50, step, start)
    residue = 1.0 / jax.grad(excess)(frequency)
    return BoundState(jnp.where(exists, frequency, -jnp.inf), jnp.where(exists, residue, 0.0))


def steady_number(cavity: Cavity, resolution: int = 2**14) -> Estimated:
    """v(t) for t -> infinity: what a cavity that starts empty ends up with.

    The error is the change from a quadrature of half the resolution.
    """
    coarse, fine = (float(noise_limit(cavity, n)) for n in (resolution // 2, resolution))
    return Estimated(fine, abs(fine - coarse) + 1e-14 * fine)


@eqx.filter_jit
def noise_limit(cavity: Cavity, resolution: int) -> Scalar:
    r"""\int dw J n [1 / |w - w_s - Sigma|^2 + Z^2 / (w - w_b)^2] by quadrature.

    The resolution must show a peak of width 2 pi J(w_s).
    """
    total = jnp.zeros(())
    for bath in cavity.reservoirs:
        nodes, masses = bath.spectral_density.measure(resolution)
        total += jnp.sum(masses * bath.occupation(nodes) * _response(cavity, nodes))
    return total


@eqx.filter_jit
def heat_current(cavity: Cavity, resolution: int = 2**13) -> Scalar:
    r"""The steady energy current from the first of two reservoirs to the second.

    2 pi \int dw w J_1 J_2 (n_1 - n_2) / |w - w_s - Sigma|^2; a bound state carries none.
    """
    first, second = cavity.reservoirs
    w, masses = first.spectral_density.measure(resolution)
    bias = first.occupation(w) - second.occupation(w)
    flow = w * masses * second.spectral_density(w) * bias * _continuum(cavity, w)
    return 2.0 * jnp.pi * jnp.sum(flow)


@eqx.filter_jit
def steady_temperature(cavity: Cavity, state: State, number: float) -> Scalar:
    """lim T(t) = w_s / (dS/dv) at v = `number`, the steady one, and |u|^2 = Z^2.

    v(t) changes longest of all. Without a bound state this is w_s / ln(1 + 1/v) for every state.
    """
    kept = bound_state(cavity).residue ** 2
    slope = jax.grad(state.entropy, 1)(kept, jnp.asarray(number, float))
    return cavity.frequency / slope


def _response(cavity: Cavity, w: Float[Array, " nodes"]) -> Float[Array, " nodes"]:
    r"""|\int_0^t u e^{iws} ds|^2 for t -> infinity, without the terms that average to zero."""
    bound = bound_state(cavity)
    return _continuum(cavity, w) + (bound.residue / (w - bound.frequency)) ** 2


def _continuum(cavity: Cavity, w: Float[Array, " nodes"]) -> Float[Array, " nodes"]:
    self_energy = jnp.zeros(w.shape, complex)
    for bath in cavity.reservoirs:
        self_energy += bath.spectral_density.self_energy(w.astype(complex))
    return 1.0 / ((w - cavity.frequency - self_energy.real) ** 2 + self_energy.imag**2)
