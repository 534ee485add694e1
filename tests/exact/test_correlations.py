"""Correlations of modes against closed forms."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

SWAP = jnp.array([[0.0, 1.0], [1.0, 0.0]])


def squeezed(r):
    """<a_j' a_i> and <a_i a_j> of two modes squeezed together."""
    return jnp.sinh(r) ** 2 * jnp.eye(2), 0.5 * jnp.sinh(2.0 * r) * SWAP


@pytest.mark.slow
def test_two_mode_squeezing_decays_in_equal_baths():
    """E_N = max(0, -ln(|u|^2 e^{-2r} + 1 - |u|^2 + 2 v)): a squeezed mode of the difference."""
    r, bath = 0.8, bx.Reservoir(bx.Ohmic(0.05, 5.0), temperature=0.3)
    channels = [bx.Channel(bath, c) for c in ([1.0, 0.0], [0.0, 1.0])]
    pair, (n, m) = bx.LinearSystem(jnp.eye(2), channels), squeezed(r)
    sol = bx.solve(pair, bx.Covariance(n, m), np.linspace(0.0, 20.0, 9))
    found = bx.mode_correlations(sol, 0, 1).entanglement
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


@pytest.mark.parametrize("pair", [0.0, 0.05j, 0.42])
def test_concurrence_of_a_density_matrix(pair):
    """Against Wootters' formula for rho in the basis of occupations."""
    n = np.array([[0.5, 0.2 + 0.1j], [0.2 - 0.1j, 0.5]]) * (1.0 - 2.0 * abs(pair))
    n += abs(pair) * np.eye(2)
    m = pair * np.array([[0.0, 1.0], [-1.0, 0.0]])
    first, second = n[0, 0].real, n[1, 1].real
    p2 = np.linalg.det(n).real + abs(pair) ** 2
    rho = np.diag([1.0 - first - second + p2, second - p2, first - p2, p2]).astype(complex)
    rho[2, 1], rho[1, 2] = n[0, 1], n[1, 0]
    rho[3, 0], rho[0, 3] = pair, np.conj(pair)
    assert np.min(np.linalg.eigvalsh(rho)) > -1e-15
    flip = np.fliplr(np.diag([-1.0, 1.0, 1.0, -1.0]))
    roots = np.sort(np.sqrt(np.abs(np.linalg.eigvals(rho @ flip @ rho.conj() @ flip))))
    expected = max(0.0, 2.0 * roots[-1] - roots.sum())
    found = bx.concurrence(n, 0, 1, m)
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-8)
    entropies = [-sum(p * np.log(p) for p in np.linalg.eigvalsh(rho) if p > 0.0)]
    entropies += [-sum(p * np.log(p) for p in (x, 1.0 - x)) for x in (first, second)]
    expected = entropies[1] + entropies[2] - entropies[0]
    np.testing.assert_allclose(
        bx.mutual_information(n, 0, 1, "fermion", m), expected, rtol=0.0, atol=1e-12
    )


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
    with pytest.raises(ValueError, match="one level"):
        bx.concurrence(jnp.eye(3), 0, [1, 2])


LEAD = bx.Reservoir(bx.FlatBand(0.5, -3.0, 3.0), temperature=0.2, chemical_potential=0.3)
BATH = bx.Reservoir(bx.Ohmic(0.1, 3.0), temperature=0.5)


def pair_of(statistics, coupling=0.2):
    """Two modes with a reservoir each, in a state that they share."""
    if statistics == "fermion":
        system = bx.double_dot([0.0, 0.3], coupling, LEAD, LEAD)
        return system, bx.Covariance([[0.5, 0.4], [0.4, 0.5]])
    n, m = squeezed(0.8)
    return bx.coupled_cavities([1.0, 1.3], coupling, [BATH, BATH]), bx.Covariance(n, m)


@pytest.mark.slow
@pytest.mark.parametrize("statistics", ["fermion", "boson"])
@pytest.mark.parametrize("size", [1e-3, 1e-6])
def test_errors_of_what_is_shared(statistics, size):
    """All elements of n and <a_i a_j> wrong by so much at random: errors are bounds."""
    sol = bx.solve(*pair_of(statistics), jnp.linspace(0.0, 3.0, 7))
    known = bx.mode_correlations(sol, 0, 1)
    assert jnp.max(known.error.mutual_information) < 1e-8
    sign = 1.0 if statistics == "boson" else -1.0
    blurred = eqx.tree_at(lambda sol: sol.error.n, sol, jnp.full((7, 2, 2), size))
    largest = 0.0
    for seed in range(20):
        noise = np.random.default_rng(seed).uniform(-0.5, 0.5, (4, 7, 2, 2)) * size
        n, m = noise[0] + 1j * noise[1], noise[2] + 1j * noise[3]
        wrong = eqx.tree_at(lambda sol: sol.n, blurred, sol.n + n + n.swapaxes(1, 2).conj())
        if hasattr(sol, "anomalous"):
            m = sol.anomalous + m + sign * m.swapaxes(1, 2)
            wrong = eqx.tree_at(lambda sol: sol.anomalous, wrong, m)
        found = bx.mode_correlations(wrong, 0, 1)
        for name in ("mutual_information", "entanglement"):
            true = jnp.abs(getattr(found, name) - getattr(known, name))[1:]
            ratio = true / getattr(found.error, name)[1:]
            assert jnp.all(ratio <= 1.0)
            largest = max(largest, float(jnp.max(ratio)))
    assert largest > 0.02


@pytest.mark.slow
def test_what_is_shared_has_a_derivative():
    def shared(coupling):
        system, start = pair_of("fermion", coupling)
        sol = bx.solve(system, start, jnp.array([0.0, 3.0]), bx.Embedding(modes=12))
        found = bx.mode_correlations(sol, 0, 1)
        return jnp.stack([found.mutual_information[-1], found.entanglement[-1]])

    slope, h = jax.jacfwd(shared)(0.2), 1e-4
    difference = (shared(0.2 + h) - shared(0.2 - h)) / (2.0 * h)
    np.testing.assert_allclose(slope, difference, rtol=1e-6, atol=1e-7)


@pytest.mark.slow
def test_populations_of_eigenmodes():
    """h = w + g sigma_x has (a_1 +- a_2) / sqrt 2; the mean counts too."""
    n0, mean = jnp.array([[0.6, 0.2], [0.2, 0.3]]), jnp.array([0.5, 0.5j])
    system = bx.coupled_cavities([1.0, 1.0], 0.3, [BATH, BATH])
    ts = jnp.linspace(0.0, 5.0, 6)
    sol = bx.solve(system, bx.Covariance(n0, displacement=mean), ts)
    assert isinstance(sol, bx.DrivenLinearSolution)
    a = sol.displacement
    whole = np.asarray(sol.n + a[:, :, None] * a.conj()[:, None, :])
    np.testing.assert_allclose(sol.mode_populations, np.einsum("tii->ti", whole.real), atol=1e-14)
    half, across = 0.5 * np.real(whole[:, 0, 0] + whole[:, 1, 1]), np.real(whole[:, 0, 1])
    expected = np.stack([half - across, half + across], axis=1)
    np.testing.assert_allclose(sol.eigenmode_populations, expected, atol=1e-13)
    weighed = sol.eigenmode_populations @ jnp.array([0.7, 1.3])
    np.testing.assert_allclose(weighed, sol.energy, atol=1e-12)


@pytest.mark.slow
def test_eigenmodes_of_a_driven_system():
    """E = sum_k e_k(t) n_k(t) with those of each time, and derivatives by a field."""

    def modes_of(field):
        dots = bx.LinearSystem(
            lambda t: [[field * t, 0.2], [0.2, 0.5]], [bx.Channel(LEAD, [1.0, 0.0])], "fermion"
        )
        return bx.solve(
            dots, bx.Covariance(jnp.diag(jnp.array([1.0, 0.0]))), jnp.linspace(0.0, 3.0, 4)
        )

    sol = modes_of(0.4)
    h = jnp.array([[[0.4 * t, 0.2], [0.2, 0.5]] for t in sol.t])
    weighed = jnp.sum(jnp.linalg.eigvalsh(h) * sol.eigenmode_populations, axis=1)
    np.testing.assert_allclose(weighed, sol.energy, atol=1e-12)
    slope, h = jax.jacfwd(lambda x: modes_of(x).eigenmode_populations[-1])(0.4), 1e-4
    up, down = (modes_of(x).eigenmode_populations[-1] for x in (0.4 + h, 0.4 - h))
    np.testing.assert_allclose(slope, (up - down) / (2.0 * h), rtol=1e-6, atol=1e-8)


@pytest.mark.slow
def test_solutions_from_a_file_have_no_eigenmodes(tmp_path):
    sol = bx.solve(*pair_of("fermion"), [0.0, 1.0])
    bx.save(sol, tmp_path / "sol.zarr")
    loaded = bx.load(tmp_path / "sol.zarr")
    np.testing.assert_allclose(loaded.mode_populations, sol.mode_populations)
    for ask in (lambda: loaded.eigenmode_populations, lambda: bx.mode_correlations(loaded, 0, 1)):
        with pytest.raises(ValueError, match="one from a file"):
            ask()
