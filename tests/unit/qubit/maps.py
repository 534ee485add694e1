"""Maps in closed form, handed to `dynamical_map` by a solver that only returns them."""

import jax
import jax.numpy as jnp

import bathax as bx
from bathax._estimate import judged
from bathax.qubit.elements import MapElements, MapSolver

QUBIT = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0)))


def returned(ts, value, error):
    """Elements that are as right as their error says."""
    return judged(ts, value, error, valid=jnp.asarray(True), reached=jnp.asarray(True))


class Given(MapSolver):
    """The elements of a function of time, differentiated by JAX, and one error for them all."""

    elements: object
    error: object = 1e-14

    def map_elements(self, qubit, ts):  # noqa: ARG002
        @jax.jit
        @jax.vmap
        def with_slopes(t):
            return jax.jvp(self.elements, (t,), (jnp.ones(()),))

        value, slope = with_slopes(ts)
        value = MapElements(*value, *slope)
        error = jax.tree.map(lambda x: jnp.full(x.shape, self.error), value)
        return returned(ts, value, error)


def given(elements, ts, error=1e-14):
    return bx.dynamical_map(QUBIT, ts, Given(elements, error))


def semigroup(gamma_minus, gamma_plus, gamma_z, frequency):
    """P11, P00, c of constant rates."""
    total = gamma_minus + gamma_plus

    def elements(t):
        grown = -jnp.expm1(-total * t) / total
        decay = jnp.exp(-(0.5 * total + 2.0 * gamma_z) * t).astype(complex)
        c = decay * jnp.exp(-1j * (frequency * t).astype(complex))
        return 1.0 - gamma_minus * grown, 1.0 - gamma_plus * grown, c

    return elements


def oscillating(t):
    """D = cos t and c = e^{-it} / 4: rates tan(t) / 2, with poles and zeros."""
    p = 0.5 * (1.0 + jnp.cos(t))
    return p, p, 0.25 * jnp.exp(-1j * t.astype(complex))


def eternal(t):
    """gamma_- = gamma_+ = 1, gamma_z = -tanh(t) / 2: never divisible, and without revivals."""
    p = 0.5 * (1.0 + jnp.exp(-2.0 * t))
    return p, p, p.astype(complex)


def dephasing(t):
    """D = 1 and c = cos t: only gamma_z = tan(t) / 2."""
    one = jnp.ones_like(t)
    return one, one, jnp.cos(t).astype(complex)
