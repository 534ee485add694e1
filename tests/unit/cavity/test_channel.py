"""Populations and entropies of the evolved state against plain sums."""

from functools import partial
from math import comb

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import gammaln, xlogy

import bathax as bx
from bathax.numerics.quadrature import counting_rule
from bathax.system import channel

# |u|^2 and v from the first moments to a hot steady state
POINTS = [(0.999, 1e-4), (0.6, 0.3), (0.3, 5.0), (1e-3, 19.0), (0.0, 40.0), (0.5, 0.0)]


# One program each for all points.
entropy_of = jax.jit(bx.Mixture.entropy)
entropy_derivatives = jax.jit(channel.entropy_derivatives)


@partial(jax.jit, static_argnames="levels")
def populations(initial, transmission, noise, levels):
    """p_n below so many levels."""
    return channel.populations(initial, transmission, noise, np.arange(float(levels)))


def plain_populations(n0, transmission, noise, levels):
    """AHZ Eq. (16), term by term in exact integers and floats."""
    om, x = transmission / (1 + noise), noise / (1 + noise)
    loss = [comb(n0, k) * om**k * (1 - om) ** (n0 - k) for k in range(n0 + 1)]
    gain = [(1 + noise) ** -(k + 1.0) for k in range(n0 + 1)]
    return np.array(
        [
            sum(
                q * comb(n, k) * g * x ** (n - k)
                for k, (q, g) in enumerate(zip(loss, gain, strict=True))
                if k <= n
            )
            for n in range(levels)
        ]
    )


def plain_entropy(populations):
    positive = populations[populations > 0]
    return -np.sum(positive * np.log(positive))


@pytest.mark.parametrize(("transmission", "noise"), POINTS)
@pytest.mark.parametrize("n0", [0, 1, 5, 20])
def test_populations_and_entropy_of_a_fock_state(n0, transmission, noise):
    plain = plain_populations(n0, transmission, noise, 2500)
    initial = np.eye(n0 + 1)[n0]
    ours = populations(initial, transmission, noise, 100)
    np.testing.assert_allclose(ours, plain[:100], rtol=1e-11, atol=1e-15)
    entropy = entropy_of(bx.Mixture(initial), transmission, noise)
    np.testing.assert_allclose(entropy, plain_entropy(plain), rtol=1e-13, atol=1e-14)


@jax.jit
def populations_at_nodes(initial, transmission, noise):
    """Those at 128 levels that stand for 8,192."""
    return channel.populations(initial, transmission, noise, counting_rule(32, 8)[0])


@pytest.mark.parametrize(("transmission", "noise"), POINTS)
def test_128_nodes_give_the_sum_over_8192_levels(transmission, noise):
    levels, weights = counting_rule(32, 8)
    assert len(levels) == 128
    p = np.asarray(populations_at_nodes(np.eye(6)[5], transmission, noise))
    plain = plain_populations(5, transmission, noise, 2500)
    np.testing.assert_allclose(weights @ p, 1.0, rtol=1e-13)
    entropy = -weights @ xlogy(p, p)
    np.testing.assert_allclose(entropy, plain_entropy(plain), rtol=1e-13, atol=1e-14)


def populations_by_logarithms(n0, transmission, noise, levels=6000):
    """AHZ Eq. (16), where its binomials are too large for floats."""
    om, n, k = transmission / (1.0 + noise), np.arange(levels)[:, None], np.arange(n0 + 1)
    above = np.maximum(n - k, 0)
    loss = gammaln(n0 + 1) - gammaln(k + 1) - gammaln(n0 - k + 1)
    loss += k * np.log(om) + (n0 - k) * np.log1p(-om)
    gain = gammaln(n + 1) - gammaln(k + 1) - gammaln(above + 1)
    gain += above * np.log(noise / (1.0 + noise)) - (k + 1) * np.log1p(noise)
    return np.sum(np.where(k <= n, np.exp(loss + gain), 0.0), axis=1)


@pytest.mark.slow
@pytest.mark.parametrize("n0", [15, 31, 35, 40, 63, 84])
def test_entropies_of_large_fock_states(n0):
    """At the sizes where initial levels come in one block more, or in a longer row."""
    points = np.array([(0.9, 0.3), (0.3, 5.0), (0.9, 2.0), (0.1, 30.0)])
    entropies = jax.jit(jax.vmap(bx.Fock(n0).entropy))(*jnp.asarray(points.T))
    expected = [plain_entropy(populations_by_logarithms(n0, *point)) for point in points]
    np.testing.assert_allclose(entropies, expected, rtol=1e-12)


def test_a_large_fock_state_with_little_noise():
    entropy = entropy_of(bx.Fock(100), 0.5, 0.01)
    expected = plain_entropy(plain_populations(100, 0.5, 0.01, 400))
    np.testing.assert_allclose(entropy, expected, rtol=1e-12)


slopes_of_populations = jax.jit(jax.jacfwd(populations, (1, 2)), static_argnames="levels")


@pytest.mark.parametrize(("transmission", "noise"), POINTS)
@pytest.mark.parametrize("argument", [1, 2])
def test_derivatives_of_populations(transmission, noise, argument):
    """The noise obeys dp_n/dv = (n + 1) p_{n+1} + n p_{n-1} - (2n + 1) p_n, loss the like."""
    point = (np.eye(6)[5], transmission, noise)
    slope = np.asarray(slopes_of_populations(*point, levels=30)[argument - 1])
    p, n = np.asarray(populations(*point, 32)), np.arange(30.0)
    up, down = p[1:31], np.append(0.0, p[:29])
    diffusion = (n + 1) * up + n * down - (2 * n + 1) * p[:30]
    if argument == 2:
        np.testing.assert_allclose(slope, diffusion, atol=1e-13)
    elif transmission > 0.1:
        # d/d ln|u|^2 at fixed v: gain of a loss, -v times the diffusion
        drift = n * p[:30] - (n + 1) * up
        np.testing.assert_allclose(transmission * slope, drift - noise * diffusion, atol=1e-12)


@jax.jit
def sum_and_derivatives(initial, *point):
    """The entropy as a sum over levels, its slopes by both arguments, and its Hessian."""
    levels, weights = counting_rule(128, 12)

    def entropy(*point):
        p = channel.populations(initial, *point, levels)
        return 0.0 - weights @ (p * channel.safe_log(p))

    return entropy(*point), jax.grad(entropy, (0, 1))(*point), jax.hessian(entropy, (0, 1))(*point)


@pytest.mark.slow
@pytest.mark.parametrize(("transmission", "noise"), [p for p in POINTS if p[1] > 0.0])
@pytest.mark.parametrize("n0", [0, 40])
def test_derivatives_of_the_entropy(n0, transmission, noise):
    """Its closed forms against automatic differentiation of the sum."""
    initial = np.eye(n0 + 1)[n0]
    found = entropy_derivatives(initial, np.array([transmission]), np.array([noise]))[:, 0]
    entropy, slopes, hessian = sum_and_derivatives(initial, transmission, noise)
    np.testing.assert_allclose(found[0], entropy, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(found[1:3], slopes, rtol=1e-11, atol=1e-13)
    (uu, uv), (_, vv) = hessian
    np.testing.assert_allclose(found[3:], [uu, uv, vv], rtol=1e-10, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    "state",
    [bx.Fock(5), bx.Thermal(0.7), bx.DensityMatrix(np.diag([0.2, 0.3, 0.5]), levels=24)],
    ids=["mixture", "gaussian", "matrix"],
)
def test_entropies_are_differentiated_by_the_derivatives_they_come_with(state):
    """To any order, in both modes, and by the state as well."""
    point = jnp.asarray([0.4, 0.3])

    def entropy(state, point):
        return state.entropy(*point)

    @jax.jit
    def derivatives(state, point):
        rows = jnp.concatenate(state.entropy_derivatives(point[:1], point[1:]))[:, 0]
        by_state, slopes = jax.grad(entropy, (0, 1))(state, point)
        return rows, by_state, slopes, jax.hessian(entropy, 1)(state, point)

    found, by_state, slopes, hessian = jax.device_get(derivatives(state, point))
    np.testing.assert_allclose(slopes, found[1:3], rtol=1e-12)
    np.testing.assert_allclose(hessian, found[np.array([[3, 4], [4, 5]])], rtol=1e-11)
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(by_state))


@pytest.mark.slow
@pytest.mark.parametrize("state", [bx.Fock(5), bx.Thermal(0.7)], ids=["mixture", "gaussian"])
def test_third_derivatives_of_the_entropy_in_reverse_mode(state):
    """Those of a slope, as the Hessian of a temperature has them."""

    def rows(point):
        return jnp.concatenate(state.entropy_derivatives(point[:1], point[1:]))[:, 0]

    point, step = np.array([0.4, 0.3]), 1e-4 * np.eye(2)
    twice = jax.jit(jax.jacrev(jax.jacrev(lambda x: rows(x)[1])))(point)
    above, below = np.split(
        jax.jit(jax.vmap(rows))(np.concatenate([point + step, point - step])), 2
    )
    differences = (above - below) / 2e-4
    np.testing.assert_allclose(twice, differences[:, np.array([3, 4])], rtol=1e-5)


def test_the_entropy_of_a_mixture_is_differentiated_by_its_probabilities():
    point = jnp.asarray(0.4), jnp.asarray(0.3)

    def entropy(share):
        return bx.Mixture(jnp.stack([1.0 - share, 0.0 * share, share])).entropy(*point)

    entropies, slopes = jax.jit(jax.vmap(jax.value_and_grad(entropy)))(
        np.array([0.299, 0.3, 0.301])
    )
    np.testing.assert_allclose(slopes[1], (entropies[2] - entropies[0]) / 2e-3, rtol=1e-5)


def test_derivatives_are_finite_without_noise():
    def entropy(transmission, noise):
        return bx.Fock(5).entropy(transmission, noise)

    point = (jnp.asarray(0.4), jnp.asarray(0.0))
    slopes, hessian = jax.jit(
        lambda *point: (jax.grad(entropy, (0, 1))(*point), jax.hessian(entropy, (0, 1))(*point))
    )(*point)
    assert np.all(np.isfinite(hessian[0]))
    assert np.all(np.isfinite(slopes))


def test_density_matrix_of_a_superposition_keeps_trace_and_mean_amplitude():
    rho = jnp.full((2, 2), 0.5 + 0.0j)
    u, noise, levels = jnp.asarray(0.6 - 0.3j), jnp.asarray(0.4), 60
    evolved = channel.density_matrix(rho, u, noise, levels)
    np.testing.assert_allclose(jnp.trace(evolved), 1.0, atol=1e-12)
    lower = np.diag(np.sqrt(np.arange(1.0, levels)), 1)
    np.testing.assert_allclose(
        jnp.trace(jnp.asarray(lower, complex) @ evolved), 0.5 * u, atol=1e-12
    )
    assert np.linalg.eigvalsh(evolved).min() > -1e-15


@pytest.mark.parametrize(
    "state",
    [
        bx.Thermal(0.3),
        bx.Squeezed(0.3, nbar=0.4),
        bx.Mixture([0.2, 0.3, 0.3, 0.2]),
        bx.DensityMatrix([[0.6, 0.1], [0.1, 0.4]], levels=24),
    ],
    ids=["thermal", "squeezed", "mixture", "matrix"],
)
def test_slopes_of_the_entropy_at_the_start(state):
    """At |u|^2 = 1 and v = 0 they are limits from |u|^2 < 1, from where every motion comes."""
    slopes = jax.jit(lambda x, v: state.entropy_derivatives(x, v)[0][1])(
        np.array([1.0, 1.0 - 1e-7]), np.zeros(2)
    )
    np.testing.assert_allclose(slopes[0], slopes[1], rtol=1e-4)
