"""Emitters with echoes, against exponentials of steps and a waveguide of many modes."""

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


def in_steps(rates, tau, phase, places, t):
    """u(t) of several emitters: all steps k at once in one exponential, like `stepped`."""
    n, k = len(rates), int(t / tau)
    distance = np.abs(np.subtract.outer(places, places))
    B = -0.5 * np.sqrt(np.outer(rates, rates)) * np.exp(1j * phase * distance)
    A = sum(np.kron(np.eye(k + 1, k=-d), B * (distance == d)) for d in range(k + 1))
    start, step = np.zeros(((k + 1) * n, n), complex), scipy.linalg.expm(A * tau)
    start[:n] = np.eye(n)
    for j in range(k):
        start[(j + 1) * n : (j + 2) * n] = (step @ start)[j * n : (j + 1) * n]
    return (scipy.linalg.expm(A * (t - k * tau)) @ start)[k * n :]


@pytest.mark.parametrize("phase", [np.pi, 0.4])
@pytest.mark.parametrize(
    ("rates", "tau", "places"),
    [
        ([1.0, 0.4, 2.0], 0.7, [0, 1, 3]),
        ([1.0, 1.0], 5.0, [2, 0]),
        ([0.0, 0.5, 1.5], 1.0, [0, 0, 1]),
    ],
)
def test_several_emitters(rates, tau, places, phase):
    ts = np.array([0.0, 0.2, 1.6, 4.1, 6.3, 16.0])
    found = bx.delayed_emission(bx.DelayedEmitter(rates, tau, phase, places), ts)
    expected = np.array([in_steps(rates, tau, phase, places, t) for t in ts])
    true = np.abs(found.u - expected).max(axis=(1, 2))
    assert np.all(true <= 10.0 * found.error)
    assert np.all(true < 1e-11)
    assert found.status == 0
    assert found.error[-1] < 1e-11


@pytest.mark.parametrize("phase", [np.pi, 0.0, 1.3])
@pytest.mark.parametrize(("gamma", "tau"), [(1.0, 1.0), (4.0, 0.3), (0.2, 5.0), (3.0, 4.0)])
def test_two_emitters_are_an_even_and_an_odd_one(gamma, tau, phase):
    """Each is one with an echo, known as a series."""
    ts = np.array([0.0, 0.2, 1.7, 6.1, 12.9, 200.0])
    pair = bx.delayed_emission(bx.DelayedEmitter(gamma, tau, phase, [0, 1]), ts)
    even, odd = (
        bx.delayed_emission(bx.DelayedEmitter(gamma, tau, phase + turn), ts)
        for turn in (0.0, np.pi)
    )
    for name in ("u", "du"):
        a, b = getattr(even, name), getattr(odd, name)
        expected = np.moveaxis(np.array([[a + b, a - b], [a - b, a + b]]) / 2.0, -1, 0)
        np.testing.assert_allclose(getattr(pair, name), expected, rtol=0, atol=1e-11)


def test_a_bound_state_between_two_emitters():
    """Half of the excitation is in the trapped mode, of which 1 / (1 + gamma tau / 2) stays."""
    for gamma, tau, sign in ((1.0, 1.0, 1.0), (0.5, 3.0, -1.0)):
        phase = np.pi if sign > 0.0 else 0.0
        pair = bx.DelayedEmitter(gamma, tau, phase, [0, 1])
        u = bx.delayed_emission(pair, [400.0], terms=512).u[0]
        kept = 0.5 / (1.0 + gamma * tau / 2.0)
        np.testing.assert_allclose(u, kept * np.array([[1, sign], [sign, 1]]), rtol=0, atol=1e-11)


def test_superradiance():
    """N emitters at one place decay at N gamma; with a delay they do in the limit."""
    N, gamma, ts = 5, 0.4, np.array([0.0, 0.5, 2.0, 5.0])
    together = np.ones(N) / np.sqrt(N)
    expected = np.exp(-0.5 * N * gamma * ts)

    def kept(delay, places):
        emitters = bx.DelayedEmitter(gamma, delay, 0.0, places)
        found = bx.delayed_emission(emitters, ts, terms=4096)
        return np.abs(np.asarray(found.u) @ together @ together)

    np.testing.assert_allclose(kept(0.0, range(N)), expected, rtol=0, atol=1e-13)
    np.testing.assert_allclose(kept(1.0, [3] * N), expected, rtol=0, atol=1e-13)
    off = [np.abs(kept(tau, range(N)) - expected).max() for tau in (0.02, 0.01)]
    assert off[1] < 0.02
    np.testing.assert_allclose(off[0] / off[1], 2.0, rtol=0.05)


def test_light_is_not_faster():
    """An array of emitters, from one end to the other; no more than one quantum is there."""
    emitters = bx.DelayedEmitter(1.0, 0.5, 0.3, range(6))
    found = bx.delayed_emission(emitters, np.array([0.3, 1.2, 2.4, 2.6]))
    reached = np.abs(found.u[:, :, 0]) > 0.0
    assert reached.sum(axis=1).tolist() == [1, 3, 5, 6]
    assert np.all(found.population.sum(axis=1) < 1.0)


def test_derivatives_of_several_emitters():
    """By time, rates, delay and phase, against differences of eighth order."""
    pairs = ((1, 4 / 5), (2, -1 / 5), (3, 4 / 105), (4, -1 / 280))

    def at(x):
        t, delay, phase, *rates = x
        emitters = bx.DelayedEmitter(jnp.stack(rates), delay, phase, [0, 1, 3])
        start = jnp.array([0.6, 0.0, 0.8], complex)
        u = bx.delayed_emission(emitters, t[None], terms=16).u[0] @ start
        return jnp.concatenate([u.real, u.imag])

    point = jnp.array([3.4, 0.9, 2.0, 1.1, 0.3, 0.7])
    jacobian, at = jax.jit(jax.jacrev(at))(point), jax.jit(at)
    for k in range(6):
        along = jnp.zeros(6).at[k].set(0.01)
        change = sum(w * (at(point + j * along) - at(point - j * along)) for j, w in pairs)
        np.testing.assert_allclose(jacobian[:, k], change / 0.01, rtol=0, atol=1e-9)


def test_steps_and_terms_that_are_missing_are_in_the_error():
    ts = jnp.array([1.0, 20.0, 100.0])
    with pytest.warns(bx.ToleranceWarning):
        few = bx.delayed_emission(bx.DelayedEmitter(1.0, 0.5, np.pi, [0, 1]), ts, terms=16)
    assert few.error[0] < 1e-10
    assert few.error[1:].tolist() == [1.0, 1.0]
    # A long step: all of its power series would be needed.
    with pytest.warns(bx.ToleranceWarning):
        long = bx.delayed_emission(bx.DelayedEmitter(10.0, 12.0, np.pi, [0, 1]), ts)
    fine = bx.delayed_emission(bx.DelayedEmitter(10.0, 1.0, np.pi / 12, [0, 12]), ts)
    assert fine.status == 0
    assert np.all(np.abs(long.u - fine.u).max(axis=(1, 2)) <= 10.0 * long.error)


def test_invalid_places_and_rates():
    for rate, places, words in (
        ([1.0, 1.0], None, "a number"),
        ([1.0, 1.0], [0, 1, 2], "one for each of `places`"),
        ([1.0, -1.0], [0, 1], "non-negative"),
        (1.0, [0.0, 0.5], "whole numbers"),
        (1.0, [[0, 1]], "whole numbers"),
    ):
        with pytest.raises(ValueError, match=words):
            bx.DelayedEmitter(rate, 1.0, 0.0, places)

    def u(rate):
        emitters = bx.DelayedEmitter(jnp.stack([rate, 1.0]), 1.0, 0.0, [0, 1])
        return bx.delayed_emission(emitters, [0.0, 3.0], terms=8).u

    found = jnp.isnan(jax.vmap(u)(jnp.array([0.5, -1.0])))
    assert found.all(axis=(1, 2, 3)).tolist() == [False, True]
    assert not found[0].any()
