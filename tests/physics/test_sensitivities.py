"""Gradients of u, v, S and T against eighth-order differences, in one vmapped program."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

NAMES = ("eta", "cutoff", "exponent", "frequency", "temperature")
TS = jnp.array([1.0, 3.0, 6.0])
# weak, intermediate, strong coupling; a warm reservoir and the vacuum
POINTS = jnp.array(
    [
        [0.002, 5.0, 1.0, 1.0, 20.0],
        [0.1, 5.0, 1.0, 1.0, 20.0],
        [0.3, 5.0, 1.0, 1.0, 20.0],
        [0.1, 4.0, 0.6, 1.3, 2.0],
        [0.03, 3.0, 2.5, 0.8, 20.0],
        [0.002, 5.0, 1.0, 1.0, 0.0],
        [0.1, 5.0, 1.0, 1.0, 0.0],
        [0.3, 5.0, 1.0, 1.0, 0.0],
    ]
)


def quantities(parameters):
    eta, cutoff, exponent, frequency, temperature = parameters
    bath = bx.Reservoir(bx.Ohmic(eta, cutoff, exponent), temperature)
    sol = bx.solve(bx.Cavity(frequency, bath), bx.Fock(5), TS, bx.Volterra(points=512))
    return jnp.stack([sol.u.real, sol.u.imag, sol.v, sol.entropy, sol.temperature])


@pytest.fixture(scope="module")
def differences():
    """Central differences of order 8 along every parameter."""
    steps = 0.004 * jnp.maximum(POINTS, 1e-9)
    weights = ((1, 4 / 5), (2, -1 / 5), (3, 4 / 105), (4, -1 / 280))
    shifts = jnp.array([k * sign for k, _ in weights for sign in (1.0, -1.0)])
    coefficients = jnp.array([c * sign for _, c in weights for sign in (1.0, -1.0)])
    directions = jnp.eye(len(NAMES))

    def along(point, step, direction):
        moved = point[None, :] + shifts[:, None] * (step * direction)[None, :]
        slope = jnp.tensordot(coefficients, jax.lax.map(quantities, moved), axes=1)
        return slope / jnp.where(step @ direction > 0, step @ direction, 1.0)

    def gradient(point, step):
        return jax.lax.map(lambda d: along(point, step, d), directions)

    return jax.jit(lambda: jax.lax.map(lambda ps: gradient(*ps), (POINTS, steps)))()


@pytest.mark.slow
@pytest.mark.parametrize("mode", [jax.jacfwd, jax.jacrev], ids=["forward", "reverse"])
def test_every_parameter(differences, mode):
    jacobian = jax.jit(jax.vmap(mode(quantities)))(POINTS)
    exact = jnp.moveaxis(jacobian, -1, 1)
    warm = POINTS[:, 4] > 0.0
    scale = jnp.maximum(jnp.max(jnp.abs(exact), axis=(1, 3), keepdims=True), 1.0)
    error = jnp.abs(exact - differences) / scale
    assert jnp.all(jnp.isfinite(jacobian))
    # At T0 = 0 the reservoir cannot be made colder.
    assert jnp.max(jnp.where(warm[:, None, None, None], error, 0.0)) < 1e-7
    assert jnp.max(error[:, :4]) < 1e-7
    # There v grows like T^{s+1} from T = 0.
    np.testing.assert_array_equal(exact[~warm, 4], 0.0)
