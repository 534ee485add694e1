"""An emitter with its own echo, against exponentials of steps and a waveguide of many modes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

import bathax as bx


def stepped(gamma, tau, phase, t):
    """u(k tau + s) for all steps k at once: y' = -(gamma/2) (1 + e^{i phase} shift) y."""
    k = int(t / tau)
    A = -0.5 * gamma * (np.eye(k + 1) + np.exp(1j * phase) * np.eye(k + 1, k=-1))
    start, step = np.zeros(k + 1, complex), scipy.linalg.expm(A * tau)
    start[0] = 1.0
    # Each step starts where the one before it ends.
    for j in range(k):
        start[j + 1] = (step @ start)[j]
    return (scipy.linalg.expm(A * (t - k * tau)) @ start)[k]


@pytest.mark.parametrize("phase", [np.pi, 0.0, 1.3])
@pytest.mark.parametrize(("gamma", "tau"), [(1.0, 1.0), (4.0, 0.3), (0.2, 5.0)])
def test_method_of_steps(gamma, tau, phase):
    ts = np.array([0.0, 0.2, 1.7, 2.0, 6.1, 12.9])
    found = bx.delayed_emission(bx.DelayedEmitter(gamma, tau, phase), ts)
    expected = np.array([stepped(gamma, tau, phase, t) for t in ts])
    np.testing.assert_allclose(found.u, expected, rtol=0, atol=1e-12)
    assert np.all(np.abs(found.u - expected) <= 10.0 * found.error)
    assert found.status == 0


def test_known_values():
    ts = jnp.array([2.0, 400.0])
    trapped = bx.delayed_emission(bx.DelayedEmitter(1, 1, np.pi), ts).population
    np.testing.assert_allclose(trapped, [0.450435303678, 4.0 / 9.0], rtol=0, atol=1e-12)
    lost = bx.delayed_emission(bx.DelayedEmitter(1, 1, 0), ts).population
    np.testing.assert_allclose(lost, [0.00417498338104, 0.0], rtol=0, atol=1e-12)


def test_derivatives():
    """By time, delay and phase, against differences of eighth order."""
    pairs = ((1, 4 / 5), (2, -1 / 5), (3, 4 / 105), (4, -1 / 280))

    def at(x):
        t, gamma, tau, phase = x
        u = bx.delayed_emission(bx.DelayedEmitter(gamma, tau, phase), t[None]).u[0]
        return jnp.stack([u.real, u.imag])

    point = jnp.array([3.4, 1.1, 0.9, 2.0])
    jacobian, at = jax.jit(jax.jacrev(at))(point), jax.jit(at)
    for k in range(4):
        along = jnp.zeros(4).at[k].set(0.01)
        change = sum(w * (at(point + j * along) - at(point - j * along)) for j, w in pairs)
        np.testing.assert_allclose(jacobian[:, k], change / 0.01, rtol=0, atol=1e-9)
    t, *others = point
    du = bx.delayed_emission(bx.DelayedEmitter(*others), t[None]).du[0]
    np.testing.assert_allclose([du.real, du.imag], jacobian[:, 0], rtol=0, atol=1e-12)


def test_a_cavity_in_a_waveguide_of_many_modes():
    """J = (gamma / 2 pi) (1 + cos((w - w_s) tau + phi)) on a wide band."""
    gamma, tau, phase, center, count = 1.0, 1.0, np.pi, 400.0, 1001
    w = np.linspace(1.0, 2.0 * center - 1.0, count)
    J = gamma / (2.0 * np.pi) * (1.0 + np.cos((w - center) * tau + phase))
    modes = bx.DiscreteModes(w, np.sqrt(J * (w[1] - w[0])))
    ts = jnp.array([0.5, 1.5, 3.0, 6.0])
    whole = bx.solve(bx.Cavity(center, bx.Reservoir(modes)), bx.Fock(1), ts)
    found = bx.delayed_emission(bx.DelayedEmitter(gamma, tau, phase), ts)
    np.testing.assert_allclose(whole.number, found.population, rtol=0, atol=3e-3)


def test_limits():
    """Without delay the rates add up; without coupling nothing decays."""
    ts = jnp.array([0.0, 1.0, 7.0])
    at_once = bx.delayed_emission(bx.DelayedEmitter(0.6, 0.0, 0.7), ts)
    expected = np.exp(-0.3 * (1.0 + np.exp(0.7j)) * np.asarray(ts))
    np.testing.assert_allclose(at_once.u, expected, rtol=0, atol=1e-14)
    free = bx.delayed_emission(bx.DelayedEmitter(0, 1, 0), ts)
    np.testing.assert_array_equal(free.u, 1.0)


def test_terms_that_are_missing_are_in_the_error():
    emitter, ts = bx.DelayedEmitter(1.0, 0.1, np.pi), jnp.array([1.0, 20.0, 100.0])
    exact = bx.delayed_emission(emitter, ts)
    with pytest.warns(bx.ToleranceWarning):
        few = bx.delayed_emission(emitter, ts, terms=16)
    assert few.error[0] < 1e-10 < few.error[1]
    assert jnp.all(abs(few.u - exact.u) <= few.error)


def test_invalid_ones():
    for values in ((-1.0, 1.0, 0.0), (1.0, -1.0, 0.0), (1.0, 1.0, np.nan)):
        with pytest.raises(ValueError, match="must be"):
            bx.DelayedEmitter(*values)
    with pytest.raises(ValueError, match="non-negative"):
        bx.delayed_emission(bx.DelayedEmitter(1, 1, 0), [-1.0, 1.0])

    def u(delay):
        return bx.delayed_emission(bx.DelayedEmitter(1.0, delay, 0.0), [0, 3]).u

    assert jnp.isnan(jax.vmap(u)(jnp.array([0.5, -1.0]))).all(axis=1).tolist() == [False, True]
