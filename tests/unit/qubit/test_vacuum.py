"""The solver for empty reservoirs: what it takes, refuses and says of its errors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

TS = jnp.linspace(0.0, 6.0, 13)
SOLVER = bx.Vacuum(bx.Volterra(rtol=1e-7, points=1024))
DENSITIES = {
    "ohmic": bx.Ohmic(0.1, 5.0),
    "band": bx.SemicircleBand(0.05, 1.2, 0.5),
    "table": bx.Tabulated([0.0, 0.5, 1.0, 2.0], [0.0, 0.1, 0.15, 0.0]),
    "modes": bx.DiscreteModes([0.9, 1.2], [0.2, -0.1]),
    "sum": bx.Ohmic(0.05, 5.0) + 0.5 * bx.Lorentzian(0.1, 0.5, 1.0),
}


def qubit(eta=0.1, temperature=0.0):
    return bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), temperature))


@pytest.mark.slow
@pytest.mark.parametrize("name", DENSITIES)
def test_every_density_gives_the_green_function_of_its_cavity(name):
    bath = bx.Reservoir(DENSITIES[name])
    dmap = bx.dynamical_map(bx.Qubit(1.0, bath), TS, SOLVER)
    green = SOLVER.volterra.green_functions(bx.Cavity(1.0, bath), TS).value
    np.testing.assert_allclose(dmap.coherence, green.u, atol=1e-14)
    np.testing.assert_allclose(dmap.p11, jnp.abs(green.u) ** 2, atol=1e-14)
    np.testing.assert_allclose(dmap.dcoherence, green.du, atol=1e-13)
    np.testing.assert_array_equal(dmap.p00, 1.0)
    np.testing.assert_array_equal(dmap.gamma_plus, 0.0)
    assert jnp.all(jnp.abs(dmap.gamma_z) <= dmap.error.gamma_z)
    assert jnp.all(jnp.abs(dmap.complete_positivity_margin) < 1e-12)


def test_error_estimates_are_honest():
    rough = bx.dynamical_map(qubit(), TS, bx.Vacuum(bx.Volterra(points=256)))
    exact = bx.dynamical_map(qubit(), TS, SOLVER)
    for name in ("p11", "coherence", "determinant", "dp11", "dcoherence", "gamma_minus", "shift"):
        error = jnp.abs(getattr(rough, name) - getattr(exact, name))
        assert jnp.max(error) > 1e-11
        assert jnp.all(error <= 10.0 * getattr(rough.error, name)), name


def test_two_reservoirs_add():
    two = bx.Qubit(1.0, [bx.Reservoir(bx.Ohmic(0.04, 5.0)), bx.Reservoir(bx.Ohmic(0.06, 5.0))])
    expected = bx.dynamical_map(qubit(), TS, SOLVER)
    np.testing.assert_allclose(bx.dynamical_map(two, TS, SOLVER).p11, expected.p11, rtol=1e-12)


FILLED = {
    "BoseEinstein": bx.Reservoir(bx.Ohmic(0.1, 5.0), 2.0),
    "Uniform": bx.Reservoir(bx.Ohmic(0.1, 5.0), occupation=bx.Uniform(0.5)),
    "Distribution": bx.Reservoir(
        bx.Ohmic(0.1, 5.0), occupation=bx.Distribution(bx.BoseEinstein(2.0))
    ),
}


@pytest.mark.parametrize("name", FILLED)
def test_filled_reservoirs_are_refused(name):
    empty = bx.Reservoir(bx.Ohmic(0.1, 5.0))
    with pytest.raises(ValueError, match="reservoirs") as caught:
        bx.dynamical_map(bx.Qubit(1.0, [empty, FILLED[name]]), TS, SOLVER)
    assert str(caught.value) == (
        "Argument `reservoirs` must be empty (T = 0) for the solver `Vacuum`, "
        f"but is filled by a {name} occupation."
    )


def test_no_quanta_in_any_mode_is_the_vacuum():
    empty = bx.Reservoir(bx.Ohmic(0.1, 5.0), occupation=bx.Uniform(0.0))
    dmap = bx.dynamical_map(bx.Qubit(1.0, empty), TS, SOLVER)
    np.testing.assert_allclose(dmap.p11, bx.dynamical_map(qubit(), TS, SOLVER).p11, rtol=1e-13)


def test_bad_points_of_a_batch_are_marked():
    @jax.jit
    @jax.vmap
    def solve(eta, temperature):
        return bx.dynamical_map(qubit(eta, temperature), TS, SOLVER)

    eta = jnp.array([0.1, -0.1, 0.1, 0.05])
    batch = solve(eta, jnp.array([0.0, 0.0, 2.0, 0.0]))
    np.testing.assert_array_equal(batch.status, [0, 2, 2, 0])
    good = np.array([True, False, False, True])
    for values in (batch.p11, batch.coherence, batch.p00, batch.gamma_minus, batch.error.p11):
        np.testing.assert_array_equal(jnp.all(jnp.isfinite(values), axis=1), good)
        np.testing.assert_array_equal(jnp.all(jnp.isnan(values), axis=1), ~good)
    assert not jnp.any(batch.rates_resolved[1:3])
    assert jnp.all(jnp.any(jnp.isnan(batch.kraus()[1]), axis=(1, 2, 3)))
    np.testing.assert_allclose(batch.p11[0], bx.dynamical_map(qubit(), TS, SOLVER).p11, rtol=1e-12)


def test_densities_with_a_singular_kernel_are_refused():
    singular = bx.Qubit(1.0, bx.Reservoir(bx.DrudeLorentz(0.1, 5.0)))
    for solver in (SOLVER, bx.TimeConvolutionless()):
        with pytest.raises(ValueError, match="must be a density that falls faster than 1/w"):
            bx.dynamical_map(singular, TS, solver)
