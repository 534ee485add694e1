"""The second-order master equation and its long-time limit, beside the exact map."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

TS = jnp.linspace(0.0, 8.0, 5)
SECOND = bx.TimeConvolutionless(points=1024)


def qubit(eta=0.01, temperature=0.0, cutoff=3.0):
    return bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(eta, cutoff), temperature))


def test_the_error_of_the_second_order_is_of_the_second_order():
    """In the vacuum the exact map is known: log c differs by O(eta^2)."""
    vacuum = bx.Vacuum(bx.Volterra(points=1024))

    @jax.jit
    def difference(eta):
        exact = bx.dynamical_map(qubit(eta), TS, vacuum)
        second = bx.dynamical_map(qubit(eta), TS, SECOND)
        return jnp.abs(jnp.log(exact.coherence / second.coherence))[1:]

    coarse, fine = difference(0.01), difference(0.005)
    assert jnp.all(abs(coarse / fine - 4.0) < 0.2)


@pytest.mark.slow
def test_elements_obey_their_master_equation():
    """D = |c|^2, no dephasing, and the elements are the integrals of their derivatives."""
    ts = jnp.linspace(0.0, 1.0, 257)
    dmap = bx.dynamical_map(qubit(0.1, 2.0), ts, SECOND)
    np.testing.assert_allclose(dmap.determinant, jnp.abs(dmap.coherence) ** 2, atol=1e-12)
    assert jnp.all(jnp.abs(dmap.gamma_z) <= dmap.error.gamma_z)
    for name in ("p11", "p00", "coherence"):
        value, slope = getattr(dmap, name), getattr(dmap, f"d{name}")
        simpson = (slope[:-2:2] + 4.0 * slope[1:-1:2] + slope[2::2]) / (6.0 * 128.0)
        np.testing.assert_allclose(value[2::2] - value[:-2:2], simpson, atol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_long_times_are_those_of_van_hove(temperature):
    bath = bx.Reservoir(bx.Ohmic(0.002, 3.0, 3.0), temperature)
    ts = jnp.array([150.0, 200.0])
    second = bx.dynamical_map(bx.Qubit(1.0, bath), ts, bx.TimeConvolutionless())
    limit = bx.dynamical_map(bx.Qubit(1.0, bath), ts, bx.VanHove())
    assert second.status == limit.status == bx.Status.SUCCESS
    for name in ("gamma_minus", "gamma_plus", "shift"):
        ours, golden = getattr(second, name), getattr(limit, name)
        np.testing.assert_allclose(ours, golden, rtol=1e-4, atol=1e-12)
    # What happened in the memory time stays, of order eta.
    np.testing.assert_allclose(second.p11, limit.p11, atol=0.05)


def test_van_hove_thermalises():
    w, temperature = 1.0, 0.7
    dmap = bx.dynamical_map(qubit(0.1, temperature), [1.0, 1e4], bx.VanHove())
    n = 1.0 / np.expm1(w / temperature)
    rate = 2.0 * np.pi * 0.1 * np.exp(-1.0 / 3.0)
    np.testing.assert_allclose(dmap.gamma_minus[0], rate * (n + 1.0), rtol=1e-12)
    np.testing.assert_allclose(dmap.gamma_plus[0], rate * n, rtol=1e-12)
    np.testing.assert_allclose(dmap.determinant[0], np.exp(-rate * (2.0 * n + 1.0)), rtol=1e-12)
    np.testing.assert_allclose(dmap.p11[1], 1.0 / (1.0 + np.exp(w / temperature)), rtol=1e-12)
    assert not dmap.rates_resolved[1]


def test_without_coupling_nothing_happens():
    for solver in (SECOND, bx.VanHove()):
        dmap = bx.dynamical_map(qubit(0.0, 1.0), TS, solver)
        np.testing.assert_allclose(dmap.p11, 1.0, rtol=1e-14)
        np.testing.assert_allclose(dmap.coherence, jnp.exp(-1j * TS.astype(complex)), atol=1e-13)
        assert dmap.status == bx.Status.SUCCESS


@pytest.mark.slow
def test_reservoirs_add():
    parts = [bx.Reservoir(bx.Ohmic(0.01, 3.0), t) for t in (0.5, 2.0)]
    for solver in (SECOND, bx.VanHove()):
        whole = bx.dynamical_map(bx.Qubit(1.0, parts), TS[1:], solver)
        each = [bx.dynamical_map(bx.Qubit(1.0, part), TS[1:], solver) for part in parts]
        rate = sum(dmap.gamma_plus for dmap in each)
        np.testing.assert_allclose(whole.gamma_plus, rate, rtol=1e-10)


def test_strong_damping_does_not_overflow():
    """The integrating factor e^G would reach e^1300."""
    dmap = bx.dynamical_map(qubit(0.5, 30.0), [10.0], bx.TimeConvolutionless(points=16384))
    assert dmap.status == bx.Status.SUCCESS
    assert 0.45 < dmap.p11[0] < 0.5
    np.testing.assert_allclose(dmap.p11 + dmap.p00, 1.0, rtol=1e-12)


def test_error_estimates_are_honest():
    rough = bx.dynamical_map(qubit(0.1, 2.0), TS, bx.TimeConvolutionless(points=64))
    fine = bx.dynamical_map(qubit(0.1, 2.0), TS, SECOND)
    assert rough.status == bx.Status.TOLERANCE_NOT_REACHED
    for name in ("p11", "p00", "coherence", "dp11", "dcoherence"):
        error = jnp.abs(getattr(rough, name) - getattr(fine, name))
        assert jnp.all(error <= 10.0 * getattr(rough.error, name)), name


@pytest.mark.slow
@pytest.mark.parametrize("solver", [SECOND, bx.VanHove()], ids=["second", "van Hove"])
def test_gradients_and_bad_points(solver):
    def excited(eta, temperature):
        dmap = bx.dynamical_map(qubit(eta, temperature), TS, solver)
        return dmap.p11[-1] + dmap.coherence[-1].real, dmap.status

    with_slopes = jax.jit(jax.vmap(jax.value_and_grad(excited, (0, 1), has_aux=True)))
    point, steps = np.array([0.01, 1.0]), np.diag([1e-5, 1e-3])
    moved = [point + k * step for step in steps for k in (-2, -1, 1, 2)]
    (values, status), slopes = jax.device_get(
        with_slopes(*np.array([*moved, point, point * [-1.0, 1.0]]).T)
    )
    np.testing.assert_array_equal(status, [0] * 9 + [2])
    np.testing.assert_array_equal(np.isnan(values), [False] * 9 + [True])
    for i, slope in enumerate(slopes):
        far_below, below, above, far_above = values[4 * i : 4 * i + 4]
        difference = (far_below - 8 * below + 8 * above - far_above) / (12 * steps[i, i])
        np.testing.assert_allclose(slope[8], difference, rtol=1e-7)
