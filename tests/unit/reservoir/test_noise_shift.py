r"""The thermal part of the level shift, P \int J n / (w - w') dw', against SciPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

from .densities import PROBLEMS, Problem, bose

THERMAL = [name for name, problem in PROBLEMS.items() if problem.is_thermal]


@pytest.mark.parametrize("name", THERMAL)
@pytest.mark.parametrize("temperature", [0.2, 3.0])
def test_thermal_shift_is_the_principal_value(name, temperature):
    problem = PROBLEMS[name]
    filling = bose(temperature)
    weighted = Problem(
        problem.make,
        problem.parameters,
        lambda w, *p: problem.formula(w, *p) * filling(w),
        problem.lower,
        min(problem.upper, 40.0 * temperature),
    )
    bath = bx.Reservoir(problem.density, temperature)
    shift = jax.jit(lambda bath, w: bath.noise_shift(w))(bath, jnp.asarray(1.3))
    assert float(shift) == pytest.approx(weighted.level_shift(1.3), rel=1e-7)


def test_a_node_at_the_frequency_itself():
    """Gauss nodes of a table: where one meets w, the divided difference is the derivative."""
    bath = bx.Reservoir(PROBLEMS["tabulated"].density, 1.0)
    nodes, _ = bath.spectral_density.measure(1024)
    node = nodes[500]
    around = jnp.stack([node - 1e-6, node, node + 1e-6])
    below, at, above = jax.vmap(bath.noise_shift)(around)
    np.testing.assert_allclose(at, 0.5 * (below + above), rtol=1e-8)


def test_uniform_occupation_and_vacuum():
    density, w = PROBLEMS["Lorentzian"].density, jnp.asarray(1.0)
    filled = bx.Reservoir(density, occupation=bx.Uniform(0.7))
    assert filled.noise_shift(w) == pytest.approx(0.7 * float(density.level_shift(w)))
    assert bx.Reservoir(density).noise_shift(w) == 0.0
    # The tails of the Lorentzian lie at large negative frequencies: nothing overflows there.
    slope = jax.jit(jax.grad(lambda c: bx.Reservoir(bx.Lorentzian(0.3, 0.5, c)).noise_shift(w)))
    assert slope(1.2) == 0.0
