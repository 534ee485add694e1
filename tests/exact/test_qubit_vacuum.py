"""An excited atom in empty reservoirs whose Green function is known in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

TS = jnp.linspace(0.0, 7.4, 149)
SOLVER = bx.Vacuum(bx.Volterra(points=2048))
# gamma0 / lam: over-, critically and under-damped (AHZ Fig. 6 has 0.2 and 5)
DAMPING = [0.2, 0.5, 5.0]


def lorentzian_y(gamma0, width, ts):
    """u without its rotation, real on resonance (AHZ Eq. 24)."""
    square = width**2 - 2.0 * gamma0 * width
    critical = square == 0.0
    root = jnp.sqrt(jnp.where(critical, 1.0, square).astype(complex))
    half = 0.5 * ts.astype(complex)
    envelope = jnp.cosh(root * half) + width.astype(complex) / root * jnp.sinh(root * half)
    limit = 1.0 + 0.5 * width * ts
    return jnp.exp(-0.5 * width * ts) * jnp.where(critical, limit, envelope.real)


def exact(gamma0, width=1.0):
    """y and y' of the closed form."""
    numbers = jnp.asarray(gamma0), jnp.asarray(width)
    return jax.jvp(lambda t: lorentzian_y(*numbers, t), (TS,), (jnp.ones_like(TS),))


def mapped(gamma0, width=1.0, frequency=1.0):
    bath = bx.Reservoir(bx.Lorentzian(gamma0, width, frequency))
    return bx.dynamical_map(bx.Qubit(frequency, bath), TS, SOLVER)


@pytest.mark.parametrize("gamma0", DAMPING)
def test_elements(gamma0):
    dmap, (y, dy) = mapped(gamma0), exact(gamma0)
    rotation = jnp.exp(-1j * TS.astype(complex))
    np.testing.assert_allclose(dmap.p11, y**2, rtol=0, atol=2e-12)
    np.testing.assert_allclose(dmap.dp11, 2.0 * y * dy, rtol=0, atol=2e-11)
    np.testing.assert_allclose(dmap.coherence, y.astype(complex) * rotation, rtol=0, atol=2e-12)
    np.testing.assert_array_equal(dmap.p00, 1.0)


@pytest.mark.parametrize("gamma0", DAMPING)
def test_rates(gamma0):
    """gamma_- = -2 y'/y, with poles where y vanishes; neither heating, dephasing nor shift."""
    dmap, (y, dy) = mapped(gamma0), exact(gamma0)
    assert jnp.all(dmap.rates_resolved)
    error = jnp.abs(dmap.gamma_minus + 2.0 * dy / y)
    assert jnp.all(error <= 10.0 * dmap.error.gamma_minus + 1e-11 * jnp.abs(dy / y))
    np.testing.assert_array_equal(dmap.gamma_plus, 0.0)
    assert jnp.all(jnp.abs(dmap.gamma_z) <= dmap.error.gamma_z)
    assert jnp.all(jnp.abs(dmap.shift - 1.0) <= dmap.error.shift)


@pytest.mark.parametrize("gamma0", [0.2, 5.0])
def test_gradients(gamma0):
    """Of the populations, with respect to gamma0 and lam."""
    jacobian = jax.jit(jax.jacfwd(lambda *p: mapped(*p).p11, (0, 1)))(gamma0, 1.0)
    closed = jax.jacfwd(lambda *p: lorentzian_y(*p, TS) ** 2, (0, 1))
    for ours, analytic in zip(jacobian, closed(gamma0, jnp.asarray(1.0)), strict=True):
        np.testing.assert_allclose(ours, analytic, rtol=0, atol=1e-10)


@pytest.mark.parametrize("gamma0", [0.1, 0.3, 0.49])
def test_without_oscillation_there_is_no_memory(gamma0):
    dmap = mapped(gamma0)
    assert bx.blp_measure(dmap) == 0.0
    assert bx.rhp_measure(dmap) == 0.0
    assert bx.negative_rate_intervals(dmap, "gamma_minus") == []


def test_memory_above_half_the_width():
    """|u| has zeros t_n, where the rate turns to -infinity, and maxima at 2 pi n / W in between."""
    gamma0, width = 5.0, 1.0
    w = np.sqrt(2.0 * gamma0 * width - width**2)
    maxima = 2.0 * np.pi / w * np.arange(1, 4)
    zeros = maxima - 2.0 / w * np.arctan(w / width)
    dmap = mapped(gamma0)
    assert zeros[-1] < maxima[-1] < TS[-1] < zeros[-1] + 2.0 * np.pi / w
    intervals = bx.negative_rate_intervals(dmap, "gamma_minus")
    np.testing.assert_allclose(intervals, np.stack([zeros, maxima], axis=1), atol=5e-3)  # 2 h^2
    revivals = np.sum(np.exp(-0.5 * width * maxima))  # from 0 to the height of each maximum
    np.testing.assert_allclose(bx.blp_measure(dmap), revivals, rtol=0.01)


def test_one_resonant_mode_is_a_vacuum_rabi_oscillation():
    """c = e^{-i w t} cos(V t): the map returns to the identity, gamma_- = 2 V tan(V t)."""
    coupling = 0.5
    bath = bx.Reservoir(bx.DiscreteModes([1.0], [coupling]))
    dmap = bx.dynamical_map(bx.Qubit(1.0, bath), TS, SOLVER)
    np.testing.assert_allclose(dmap.p11, jnp.cos(coupling * TS) ** 2, rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        dmap.gamma_minus, 2.0 * coupling * jnp.tan(coupling * TS), rtol=1e-8, atol=1e-10
    )
    # The equator comes back from 0 at V t = pi/2 to 1 at pi, and V t stays below 3 pi/2.
    np.testing.assert_allclose(bx.blp_measure(dmap), 1.0, rtol=1e-3)
