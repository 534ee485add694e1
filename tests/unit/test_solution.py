"""`solve` as its users meet it: transformations, tolerances, bad input."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

TS = jnp.linspace(0.0, 4.0, 9)
FIXED = bx.Volterra(rtol=1e-6, points=512)


def cavity(eta=0.1, cutoff=5.0, temperature=2.0, frequency=1.0):
    return bx.Cavity(frequency, bx.Reservoir(bx.Ohmic(eta, cutoff), temperature))


def final(eta, solver=FIXED):
    return bx.solve(cavity(eta), bx.Fock(2), TS, solver).temperature[-1]


@pytest.mark.slow
def test_eager_vmap_and_grad_agree():
    etas = jnp.array([0.02, 0.1])
    eager = jnp.stack([final(0.02), final(0.1)])
    batch, slopes = jax.jit(jax.vmap(jax.value_and_grad(final)))(etas)
    np.testing.assert_allclose(batch, eager, rtol=1e-12)
    np.testing.assert_allclose(slopes[1], jax.jit(jax.jacfwd(final))(0.1), rtol=1e-10)


@pytest.mark.slow
def test_tolerance_is_met_with_points_chosen_eagerly_and_inside_jit():
    solver = bx.Volterra(rtol=1e-4, max_points=512)
    chosen = solver.green_functions(cavity(), TS)
    compiled = jax.jit(lambda eta: solver.green_functions(cavity(eta), TS))(0.1)
    truth = bx.Volterra(points=8192).green_functions(cavity(), TS)
    for estimate in (chosen, compiled):
        assert estimate.status == bx.Status.SUCCESS
        assert jnp.max(estimate.error.u) <= 1e-4
        assert jnp.max(jnp.abs(estimate.value.u - truth.value.u)) <= 1e-4


def test_tolerance_out_of_reach_is_said():
    solution = bx.solve(cavity(), bx.Fock(2), TS, bx.Volterra(rtol=1e-13, max_points=256))
    assert solution.status == bx.Status.TOLERANCE_NOT_REACHED
    assert "Allow the solver more points" in solution.message
    truth = bx.Volterra(points=8192).green_functions(cavity(), TS)
    assert jnp.all(jnp.abs(solution.u - truth.value.u) <= 10.0 * solution.error.u)


@pytest.mark.slow
def test_a_concrete_call_that_misses_its_tolerance_warns():
    with pytest.warns(bx.ToleranceWarning, match="tolerance was not reached"):
        bx.solve(cavity(), bx.Fock(2), TS, bx.Volterra(points=128))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        jax.jit(lambda eta: bx.solve(cavity(eta), bx.Fock(2), TS, bx.Volterra(points=128)))(0.1)


def test_more_times_and_other_levels_share_the_programs(caplog):
    """The results are those of the times asked for, and of the state."""
    first = bx.solve(cavity(), bx.Fock(2), TS, FIXED)
    more = jnp.append(TS, 1.01 * TS[-1])
    with jax.log_compiles():
        second = bx.solve(cavity(), bx.Fock(3), more, FIXED)
    assert "_attempt" not in caplog.text
    assert "_observe" not in caplog.text
    assert second.t.shape == second.temperature.shape == more.shape
    np.testing.assert_allclose(second.v[:-1], first.v, rtol=1e-7, atol=1e-9)
    alone = bx.solve(cavity(), bx.Fock(3), TS[-1:], FIXED)
    np.testing.assert_allclose(second.energy[-2], alone.energy[0], rtol=1e-9)


@pytest.mark.slow
def test_a_bad_point_of_a_batch_leaves_the_others_alone():
    etas = jnp.array([0.05, -0.1, jnp.nan, 0.1])
    batch = jax.vmap(lambda eta: bx.solve(cavity(eta), bx.Fock(2), TS, FIXED))(etas)
    np.testing.assert_array_equal(batch.status, [0, 2, 2, 0])
    good = jnp.array([True, False, False, True])
    for quantity in (batch.u, batch.v, batch.temperature, batch.entropy, batch.error.energy):
        np.testing.assert_array_equal(jnp.all(jnp.isfinite(quantity), axis=1), good)
        np.testing.assert_array_equal(jnp.all(jnp.isnan(quantity), axis=1), ~good)
    np.testing.assert_allclose(batch.temperature[3, -1], final(0.1), rtol=1e-12)


def test_times_at_zero_and_late_have_a_temperature():
    """Where E'/S' is 0/0: at the start, and once an exponential decay has drowned in rounding."""
    bath = bx.Reservoir(bx.Lorentzian(0.5, 2.0, 1.0), occupation=bx.Uniform(0.7))
    solution = bx.solve(bx.Cavity(1.0, bath), bx.Fock(2), [0.0, 1.0, 150.0])
    np.testing.assert_array_equal(solution.temperature_resolved, [False, True, False])
    assert solution.temperature[0] == 0.0
    steady = 1.0 / jnp.log1p(1.0 / 0.7)
    np.testing.assert_allclose(solution.temperature[2], steady, rtol=1e-10)


def test_the_start_alone_can_be_asked_for():
    solution = bx.solve(cavity(), bx.Fock(2), [0.0])
    assert solution.status == bx.Status.SUCCESS
    np.testing.assert_allclose([solution.number[0], solution.u[0].real], [2.0, 1.0], rtol=1e-14)


@pytest.mark.slow
def test_vacuum_ends_at_zero_temperature_through_a_pole():
    solution = bx.solve(cavity(0.02, temperature=0.0), bx.Fock(2), jnp.linspace(0.0, 60.0, 121))
    assert jnp.all(jnp.isfinite(solution.temperature))
    top = int(jnp.argmax(solution.entropy))
    assert solution.temperature[top - 1] < 0.0 < solution.temperature[top + 1]
    assert solution.temperature[-1] < 0.5


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            lambda: cavity(eta=-0.1),
            "Argument `eta` must be non-negative and finite, but is -0.1.",
        ),
        (
            lambda: cavity(cutoff=float("nan")),
            "Argument `cutoff` must be positive and finite, but is nan.",
        ),
        (
            lambda: cavity(temperature=-1.0),
            "Argument `temperature` must be non-negative and finite, but is -1.0.",
        ),
        (
            lambda: cavity(frequency=0.0),
            "Argument `frequency` must be positive and finite, but is 0.0.",
        ),
        (
            lambda: bx.solve(cavity(), bx.Fock(1), []),
            "Argument `ts` must be a list of at least one time, but is of shape (0,).",
        ),
        (
            lambda: bx.solve(cavity(), bx.Fock(1), [0.0, 2.0, 1.0]),
            "Argument `ts` must be increasing, but is 1 at index 2.",
        ),
        (
            lambda: bx.solve(cavity(), bx.Fock(1), [-1.0, 1.0]),
            "Argument `ts` must be non-negative, but is -1 at index 0.",
        ),
        (
            lambda: bx.Volterra(points=1000),
            "Argument `points` must be a power of two, 64 or more, but is 1000.",
        ),
    ],
)
def test_bad_input_is_one_sentence(bad, message):
    with pytest.raises(ValueError, match="Argument") as caught:
        bad()
    assert str(caught.value) == message


def test_a_kernel_singular_at_the_start_is_refused():
    system = bx.Cavity(1.0, bx.Reservoir(bx.DrudeLorentz(0.1, 5.0)))
    with pytest.raises(ValueError, match="must be a density that falls faster than 1/w"):
        bx.solve(system, bx.Fock(1), TS, FIXED)


@pytest.mark.parametrize("missing", [1e-2, 1e-6, 0.0])
def test_populations_have_as_many_levels_as_are_missing(missing):
    """Of a hot cavity some hundred levels are populated; at 0 up to rounding."""
    bath = bx.Reservoir(bx.Ohmic(0.1, 5.0), 20.0)
    sol = bx.solve(bx.Cavity(1.0, bath), bx.Fock(2), jnp.linspace(0.0, 10.0, 5))
    found = np.asarray(sol.populations_within(missing))
    assert np.all(1.0 - found.sum(axis=-1) <= missing + 1e-12)
    np.testing.assert_allclose(
        found, np.asarray(sol.fock_populations(found.shape[1])), rtol=0.0, atol=1e-15
    )
