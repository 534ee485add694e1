"""Squeezed and displaced starts of constant modes: both engines of constant coefficients, and that
of steps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.linear import driven
from bathax.linear.starts import Product
from bathax.solution.observing import observe_driven

TS = jnp.linspace(0.0, 8.0, 9)
BATHS = [bx.Reservoir(bx.Ohmic(eta, 3.0), temperature=T) for eta, T in ((0.03, 0.5), (0.08, 2.0))]
COUPLINGS = [1.0, 0.3j], [0.0, 1.0]
h = jnp.array([[1.0, 0.2 + 0.1j], [0.2 - 0.1j, 1.3]])
n, m = jnp.sinh(0.5) ** 2 * jnp.eye(2), 0.5 * jnp.sinh(1.0) * jnp.array([[0.0, 1.0], [1.0, 0.0]])
STARTS = {
    "squeezed": bx.Covariance(n, anomalous=m),
    "displaced": bx.Covariance(n, displacement=[0.4, 1.0 - 0.5j]),
    "both": bx.Covariance(n, m, [0.4, 1.0 - 0.5j]),
}


def cavities():
    channels = [bx.Channel(bath, c) for bath, c in zip(BATHS, COUPLINGS, strict=True)]
    return bx.LinearSystem(h, channels)


@pytest.mark.slow
@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
@pytest.mark.parametrize("solver", [bx.Volterra(), bx.Embedding()], ids=["Volterra", "Embedding"])
def test_against_steps_in_time(start, solver):
    """All quantities, within the estimates of both."""
    system = cavities()
    sol = bx.solve(system, start, TS, solver)
    by_steps = driven.green_functions(
        system, Product(start, start.displacement is not None), TS, bx.Embedding()
    )
    expected = observe_driven(system, start, by_steps)
    assert sol.status == 0
    for name, error in vars(expected["error"]).items():
        found, unsure = np.asarray(getattr(sol, name)), np.asarray(getattr(sol.error, name))
        allowed = 10.0 * (unsure + np.asarray(error)) + 1e-13
        known = ~np.isnan(np.asarray(expected[name]))
        np.testing.assert_array_equal(known, ~np.isnan(found), err_msg=name)
        away = np.abs(found - np.asarray(expected[name]))
        assert np.all((away <= allowed)[known]), name
    assert np.max(np.abs(sol.first_law)) < 1e-9


@pytest.mark.slow
def test_pairs_of_fermions_in_wide_bands():
    """Pairs change nothing that is conserved; what bands without ends gain of energy is unknown."""
    lead = bx.Reservoir(bx.WideBand(0.4), temperature=0.5, chemical_potential=0.3)
    dots = bx.LinearSystem(h, bx.Channel(lead, [1.0, 0.2]), statistics="fermion")
    filled = bx.Covariance(0.5 * jnp.eye(2))
    paired = bx.Covariance(filled.n, anomalous=[[0.0, 0.4j], [-0.4j, 0.0]])
    solver = bx.Embedding(points=1024, rtol=1e-7)
    plain, sol = (bx.solve(dots, start, TS, solver) for start in (filled, paired))
    for name in ("n", "number", "particle_current"):
        np.testing.assert_allclose(getattr(sol, name), getattr(plain, name), atol=1e-14)
    lost = sol.number[0] - sol.number
    np.testing.assert_allclose(sol.particle_gain[:, 0], lost, atol=1e-8)
    u = np.asarray(sol.u)
    moved = u @ np.asarray(paired.anomalous) @ np.swapaxes(u, 1, 2)
    np.testing.assert_allclose(sol.anomalous, moved, atol=1e-14)
    assert np.all(sol.entropy < plain.entropy + 1e-12)
    for unknown in (sol.energy_gain, sol.heat, sol.energy_current, sol.interaction_energy):
        assert np.all(np.isnan(unknown))


@pytest.mark.slow
def test_gradients_and_batches():
    def taken_up(x):
        start = bx.Covariance(n, jnp.cos(x) * m, jnp.stack([x, 2.0 * x]))
        sol = bx.solve(cavities(), start, TS, bx.Embedding(points=256, modes=16))
        return sol.heat[-1].sum() + sol.entropy[-1]

    points, step = jnp.array([0.3, 0.5]), 1e-3
    slopes = jax.jit(jax.vmap(jax.grad(taken_up)))(points)
    for x, slope in zip(points, slopes, strict=True):
        a, b, c, d = (taken_up(x + k * step) for k in (-2.0, -1.0, 1.0, 2.0))
        assert slope == pytest.approx(float((a - 8 * b + 8 * c - d) / (12 * step)), rel=1e-7)
