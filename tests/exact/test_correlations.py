"""Correlations of modes against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

SWAP = jnp.array([[0.0, 1.0], [1.0, 0.0]])


def squeezed(r):
    """<a_j' a_i> and <a_i a_j> of two modes squeezed together."""
    return jnp.sinh(r) ** 2 * jnp.eye(2), 0.5 * jnp.sinh(2.0 * r) * SWAP


def test_two_mode_squeezing_decays_in_equal_baths():
    """E_N = max(0, -ln(|u|^2 e^{-2r} + 1 - |u|^2 + 2 v)): a squeezed mode of the difference."""
    r, bath = 0.8, bx.Reservoir(bx.Ohmic(0.05, 5.0), temperature=0.3)
    channels = [bx.Channel(bath, c) for c in ([1.0, 0.0], [0.0, 1.0])]
    pair, (n, m) = bx.LinearSystem(jnp.eye(2), channels), squeezed(r)
    sol = bx.solve(pair, bx.Covariance(n), np.linspace(0.0, 20.0, 9))
    later = sol.u @ m.astype(complex) @ sol.u.swapaxes(1, 2)
    found = bx.logarithmic_negativity(sol.n, 0, 1, later)
    kept, v = jnp.abs(sol.u[:, 0, 0]) ** 2, sol.v[:, 0, 0].real
    expected = jnp.maximum(-jnp.log(kept * jnp.exp(-2.0 * r) + 1.0 - kept + 2.0 * v), 0.0)
    assert found[0] > 1.5
    assert found[-1] == 0.0
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-9)


def test_pure_states_share_twice_the_entropy_of_a_part():
    r = 0.8
    n, m = squeezed(r)
    one = bx.mutual_information(n, 0, 1, anomalous=m)
    c, s = np.cosh(r) ** 2, np.sinh(r) ** 2
    np.testing.assert_allclose(one, 2.0 * (c * np.log(c) - s * np.log(s)), rtol=1e-12)
    shared = bx.mutual_information([[0.5, 0.5], [0.5, 0.5]], 0, 1, "fermion")
    np.testing.assert_allclose(shared, 2.0 * np.log(2.0), rtol=1e-12)


def test_products_share_nothing():
    n = jnp.diag(jnp.array([0.0, 0.3, 1.0]))
    for statistics in ("boson", "fermion"):
        assert abs(bx.mutual_information(n, 0, [1, 2], statistics)) < 1e-14
    assert bx.logarithmic_negativity(n, [0, 1], 2, jnp.zeros((3, 3))) < 1e-14
    assert bx.concurrence(n, 1, 2) < 1e-14


def test_concurrence_of_a_density_matrix():
    """Against Wootters' formula for rho in the basis of occupations."""
    n = jnp.array([[0.6, 0.25 + 0.2j], [0.25 - 0.2j, 0.3]])
    p2 = jnp.linalg.det(n).real
    p0 = 1.0 - 0.9 + p2
    rho = np.zeros((4, 4), complex)
    rho[[0, 1, 2, 3], [0, 1, 2, 3]] = [p0, 0.3 - p2, 0.6 - p2, p2]
    rho[2, 1], rho[1, 2] = n[0, 1], n[1, 0]
    flip = np.fliplr(np.diag([-1.0, 1.0, 1.0, -1.0]))
    roots = np.sort(np.sqrt(np.abs(np.linalg.eigvals(rho @ flip @ rho.conj() @ flip))))
    expected = max(0.0, 2.0 * roots[-1] - roots.sum())
    assert expected > 0.1
    np.testing.assert_allclose(bx.concurrence(n, 0, 1), expected, rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("r", [0.0, 0.7])
def test_derivatives_in_pure_and_degenerate_states(r):
    def negativity(r, noise):
        n, m = squeezed(r)
        return bx.logarithmic_negativity(n + noise * jnp.eye(2), 0, 1, m)

    by_r, by_noise = jax.grad(negativity, (0, 1))(r, 0.1)
    lower = max(0.0, -np.log(np.exp(-2.0 * r) + 0.2))
    expected = -2.0 / (np.exp(-2.0 * r) + 0.2) if lower else 0.0
    np.testing.assert_allclose(by_noise, expected, atol=1e-12)
    np.testing.assert_allclose(by_r, -np.exp(-2.0 * r) * expected, atol=1e-12)
    for statistics in ("boson", "fermion"):
        slope = jax.grad(lambda n, s=statistics: bx.mutual_information(n, 0, 1, s))
        assert jnp.all(jnp.isfinite(slope(jnp.eye(2))))
        assert jnp.all(jnp.isfinite(slope(jnp.zeros((2, 2)))))
    assert jnp.all(jnp.isfinite(jax.grad(lambda n: bx.concurrence(n, 0, 1))(jnp.eye(2))))


def test_many_times_at_once():
    n = jnp.stack([jnp.eye(2) * x for x in (0.1, 0.4)])
    assert bx.mutual_information(n, 0, 1).shape == (2,)
    assert jax.jit(jax.vmap(lambda n: bx.concurrence(n, 0, 1)))(n).shape == (2,)


def test_bad_arguments_are_refused():
    n = jnp.eye(2)
    with pytest.raises(ValueError, match="other modes"):
        bx.mutual_information(n, 0, 0)
    with pytest.raises(ValueError, match="modes 0 to 1"):
        bx.mutual_information(n, 0, 2)
    with pytest.raises(ValueError, match="left out for fermions"):
        bx.mutual_information(n, 0, 1, "fermion", n)
    with pytest.raises(ValueError, match="one level"):
        bx.concurrence(jnp.eye(3), 0, [1, 2])
