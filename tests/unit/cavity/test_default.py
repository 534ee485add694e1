"""The engine taken where none is asked for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax._status import Status
from bathax.cavity import default
from bathax.cavity.default import Automatic, default_solver

OHMIC = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.02, 5.0), 1.0))
# 5 GHz, 50 mK, 1 us: kappa = 2 pi J(w_s) = 2e-4.
LABORATORY = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(2e-4 / (2 * np.pi) * np.exp(0.2), 5.0), 0.21))


def test_engines_by_density_alone():
    modes = bx.Cavity(1.0, bx.Reservoir(bx.DiscreteModes([0.9], [0.1])))
    assert isinstance(default_solver(modes), bx.Diagonalisation)
    many = bx.DiscreteModes(np.linspace(0.1, 3.0, 2000), np.full(2000, 1e-3))
    assert isinstance(default_solver(bx.Cavity(1.0, bx.Reservoir(many))), bx.Volterra)
    assert isinstance(default_solver(OHMIC), Automatic)
    assert isinstance(
        default_solver(bx.Cavity(1.0, bx.Reservoir(bx.DrudeLorentz(0.1, 2.0)))), Automatic
    )


def test_laboratory_numbers():
    ts = jnp.linspace(0.0, 3e4, 11)
    estimate = default_solver(LABORATORY).green_functions(LABORATORY, ts)
    assert estimate.status == Status.SUCCESS
    exact = bx.Resonance().green_functions(LABORATORY, ts)
    np.testing.assert_array_equal(estimate.value.v, exact.value.v)
    assert estimate.error.v[-1] < 1e-10


def test_short_times_take_the_grid():
    ts = jnp.linspace(0.0, 10.0, 11)
    estimate = default_solver(OHMIC).green_functions(OHMIC, ts)
    np.testing.assert_array_equal(
        estimate.value.u, bx.Volterra().green_functions(OHMIC, ts).value.u
    )


def test_the_other_engine_where_the_first_one_fails(monkeypatch):
    ts = jnp.linspace(0.0, 10.0, 11)
    monkeypatch.setattr(default, "Volterra", lambda: bx.Volterra(points=64))
    estimate = default_solver(OHMIC).green_functions(OHMIC, ts)
    assert estimate.status == Status.SUCCESS
    np.testing.assert_array_equal(
        estimate.value.u, bx.Resonance().green_functions(OHMIC, ts).value.u
    )


@pytest.mark.slow
def test_the_better_engine_where_both_fail(monkeypatch):
    ts = jnp.linspace(0.0, 10.0, 11)
    good, bad = bx.Volterra(points=1024, rtol=1e-16), bx.Resonance(nodes=64, rtol=1e-30)
    monkeypatch.setattr(default, "Volterra", lambda: good)
    monkeypatch.setattr(default, "Resonance", lambda: bad)
    engines = [engine.green_functions(OHMIC, ts) for engine in (good, bad)]
    best = min(engines, key=lambda estimate: float(jnp.max(estimate.error.v)))
    estimate = default_solver(OHMIC).green_functions(OHMIC, ts)
    assert estimate.status == Status.TOLERANCE_NOT_REACHED
    np.testing.assert_array_equal(estimate.error.v, best.error.v)


@pytest.mark.slow
def test_a_batch_keeps_the_better_one_of_each_member(monkeypatch):
    ts = jnp.linspace(0.0, 10.0, 11)
    # Enough for the slow kernel, not for the fast one.
    monkeypatch.setattr(default, "Volterra", lambda: bx.Volterra(points=512))

    def estimate(solver, cutoff):
        cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.02, cutoff), 1.0))
        return solver.green_functions(cavity, ts)

    cutoffs = jnp.asarray([0.5, 5.0])
    ours = jax.vmap(lambda cutoff: estimate(Automatic(), cutoff))(cutoffs)
    assert ours.status.tolist() == [0, 0]
    for k, engine in enumerate((bx.Volterra(points=512), bx.Resonance())):
        alone = estimate(engine, cutoffs[k])
        assert alone.status == 0
        np.testing.assert_allclose(ours.value.u[k], alone.value.u, rtol=0, atol=1e-14)


def test_inside_jit_it_is_the_grid_and_the_status_tells():
    def status(stop):
        return Automatic().green_functions(OHMIC, jnp.linspace(0.0, 1.0, 5) * stop).status

    assert jax.jit(status)(10.0) == Status.SUCCESS
    assert jax.jit(status)(100.0) == Status.TOLERANCE_NOT_REACHED


def test_invalid_point_of_a_batch():
    ts = jnp.linspace(0.0, 10.0, 11)

    def estimate(eta):
        cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), 1.0))
        return Automatic().green_functions(cavity, ts)

    found = jax.vmap(estimate)(jnp.asarray([0.02, -1.0]))
    assert found.status.tolist() == [Status.SUCCESS, Status.INVALID]
    assert jnp.all(jnp.isnan(found.value.u[1]))
    assert jnp.all(jnp.isfinite(found.value.u[0]))


def test_message_names_the_other_engine():
    message = Status.TOLERANCE_NOT_REACHED.message
    assert "`Resonance()`" in message
    assert "`Volterra()`" in message


def test_derivative():
    ts = jnp.linspace(0.0, 10.0, 11)

    def number(solver, eta):
        cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), 1.0))
        return solver.green_functions(cavity, ts).value.v[-1]

    slope = jax.grad(lambda eta: number(Automatic(), eta))(0.02)
    assert slope == pytest.approx(
        float(jax.grad(lambda eta: number(bx.Volterra(), eta))(0.02)), rel=1e-12
    )
