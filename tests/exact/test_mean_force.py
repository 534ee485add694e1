"""The equilibrium of a system with its reservoirs, against diagonalised wholes and quadrature."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import bathax as bx

CUTOFF, CRITICAL = 5.0, 0.2


def ohmic(ratio, T, frequency=1.0):
    """The cavity of AHZ, of coupling `ratio` eta_c."""
    return bx.Cavity(frequency, bx.Reservoir(bx.Ohmic(ratio * CRITICAL, CUTOFF), temperature=T))


def grand(w, T, mu=0.0, sign=1.0):
    """-T ln Z of free modes; sign -1 for fermions."""
    x = (w - mu) / T
    return sign * T * np.log1p(-sign * np.exp(-x))


def diagonalised(h, couplings, w, T, mu=0.0, sign=1.0):
    """F* and n of modes coupled to a few hundred others, from the eigenstates of the whole."""
    n = len(h)
    H = np.diag(np.concatenate([np.zeros(n), w])).astype(complex)
    H[:n, :n], H[n:, :n] = h, couplings
    H[:n, n:] = couplings.conj().T
    e, vectors = np.linalg.eigh(H)
    filled = 1.0 / (np.exp((e - mu) / T) - sign)
    own = (vectors[:n] * filled) @ vectors[:n].conj().T
    return grand(e, T, mu, sign).sum() - grand(w, T, mu, sign).sum(), own


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ratio", "T", "expected"),
    [
        (0.5, 0.5, -0.29532588),
        (0.5, 1.0, -1.04435757),
        (0.5, 20.0, -74.26515763),
        (0.1, 1.0, -0.54257769),
    ],
)
def test_known_free_energies(ratio, T, expected):
    assert float(bx.mean_force(ohmic(ratio, T)).free_energy) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize(
    ("ratio", "n", "frequency"),
    [(0.1, 21.726388, 0.899983), (0.3, 28.075592, 0.69997), (0.5, 39.504161, 0.499974)],
)
def test_known_frequencies(ratio, n, frequency):
    """n and T ln(1 + 1/n) at kT0 = 20."""
    found = bx.mean_force(ohmic(ratio, 20.0))
    assert found.n[0, 0].real == pytest.approx(n, abs=1e-6)
    assert found.hamiltonian[0, 0].real == pytest.approx(frequency, abs=1e-6)
    assert found.hamiltonian[0, 0].real == pytest.approx(20.0 * np.log1p(1.0 / n), abs=1e-7)


def eigenstates(level, w, squares):
    """Eigenvalues of a level coupled to modes, e_k - w_k and then the last, and its weights.

    Roots of e - level = sum V_k^2 / (e - w_k) by bisection, at known distances from the modes.
    """
    ends = np.append(w, w[-1] + level + squares.sum() / level)
    low, high = np.zeros_like(ends), np.diff(ends, prepend=0.0)
    apart = ends[:, None] - w[None]
    for _ in range(60):
        below = 0.5 * (low + high)
        e = ends - below - level
        with np.errstate(divide="ignore"):
            above = e > (squares / (apart - below[:, None])).sum(axis=1)
        low, high = np.where(above, below, low), np.where(above, high, below)
    weights = 1.0 / (1.0 + (squares / (apart - low[:, None]) ** 2).sum(axis=1))
    return ends - low, weights


def test_a_diagonalised_reservoir():
    """1,500 modes in place of the continuum, even in ln w, because n is singular at w = 0."""
    w = np.geomspace(1e-10, 150.0, 1500)
    e, weights = eigenstates(1.0, w, 0.1 * w * np.exp(-w / CUTOFF) * w * np.log(w[1] / w[0]))
    for T in (0.5, 20.0):
        F = (grand(e[:-1], T) - grand(w, T)).sum() + grand(e[-1], T)
        found = bx.mean_force(ohmic(0.5, T))
        np.testing.assert_allclose(found.free_energy, F, rtol=1e-8)
        np.testing.assert_allclose(found.n[0, 0].real, weights @ (1.0 / np.expm1(e / T)), rtol=1e-8)


def semicircle(count, center, half_width):
    """Eigenfrequencies of a chain, and their weights at its end, which are those of J / eta."""
    angle = np.pi * np.arange(1, count + 1) / (count + 1)
    return center + half_width * np.cos(angle), 2.0 / (count + 1) * np.sin(angle) ** 2


@pytest.mark.slow
@pytest.mark.parametrize("statistics", ["boson", "fermion"])
def test_two_modes_with_bound_states(statistics):
    """Two channels that share a temperature; states below and above both bands are filled."""
    T, mu, sign = 0.7, -1.0, 1.0 if statistics == "boson" else -1.0
    h = np.array([[2.0, 0.3 + 0.2j], [0.3 - 0.2j, 4.1]])
    c = np.array([[1.0, 0.4j], [0.3, 1.2]])
    bands = [(0.6, 2.0, 1.0), (1.4, 4.0, 1.5)]
    baths = [bx.Reservoir(bx.SemicircleBand(*band), T, mu) for band in bands]
    channels = [bx.Channel(bath, row) for bath, row in zip(baths, c, strict=True)]
    system = bx.LinearSystem(h, channels, statistics)
    assert jnp.sum(bx.bound_states(system).exist) >= 2
    parts = [(eta, *semicircle(400, *band)) for eta, *band in bands]
    w = np.concatenate([part[1] for part in parts])
    rows = [
        np.sqrt(eta * m)[:, None] * row.conj() for (eta, _, m), row in zip(parts, c, strict=True)
    ]
    F, n = diagonalised(h, np.concatenate(rows), w, T, mu, sign)
    found = bx.mean_force(system)
    assert found.status == 0
    np.testing.assert_allclose(found.free_energy, F, atol=1e-11)
    np.testing.assert_allclose(found.n, n, atol=1e-11)
    # h* is the modular Hamiltonian of n.
    e, vectors = np.linalg.eigh(n)
    own = (vectors * (mu + T * np.log(sign + 1.0 / e))) @ vectors.conj().T
    np.testing.assert_allclose(found.hamiltonian, own, atol=1e-10)


def exact(ratio, T):
    """F* by mpmath, with the closed form of Delta."""
    eta = mpmath.mpf(ratio) * CRITICAL
    T, cutoff = mpmath.mpf(T), mpmath.mpf(CUTOFF)

    def integrand(w):
        q = w / cutoff
        shift = eta * cutoff * (-1 + q * mpmath.exp(-q) * mpmath.ei(q))
        return mpmath.arg(mpmath.mpc(1 + shift - w, mpmath.pi * eta * w * mpmath.exp(-q))) / (
            mpmath.expm1(w / T)
        )

    ends = [0, 1e-6, 1e-4, 1e-3, 1e-2, 0.05, 0.1, 0.3, 0.6, 0.8, 0.9, 1, 1.2, 2, 5, 10, 20, 50, 200]
    return float(-mpmath.quad(integrand, [*ends, 1000, 1e4]) / mpmath.pi)


@pytest.mark.parametrize(("ratio", "T"), [(0.01, 1.0), (0.3, 0.05), (0.5, 20.0), (0.98, 1.0)])
def test_errors_are_honest(ratio, T):
    found = bx.mean_force(ohmic(ratio, T))
    assert abs(found.free_energy - exact(ratio, T)) < 10.0 * found.error.free_energy


DENSITIES = {
    "ohmic": bx.Ohmic(0.1, 5.0),
    "sub-Ohmic": bx.Ohmic(0.05, 5.0, 0.5),
    "super-Ohmic": bx.Ohmic(0.05, 5.0, 3.0),
    "band with two bound states": bx.SemicircleBand(1.5, 4.0, 1.0),
    "flat": bx.FlatBand(0.3, 0.5, 2.0),
    "edge": bx.BandEdge(0.1, 0.9, 1.0),
    # The mode is just at the end of the band.
    "sum": bx.Ohmic(0.1, 5.0) + bx.SemicircleBand(0.3, 2.0, 1.0),
    "table": bx.Tabulated(w := np.linspace(0.0, 40.0, 30), 0.1 * w * np.exp(-w / 5.0)),
    "function": bx.Function(lambda w: 0.1 * w * jnp.exp(-w / 5.0)),
    "uncoupled": bx.Ohmic(0.0, 5.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DENSITIES)
def test_derivatives_of_the_free_energy(name):
    """dF = -S dT + n dw_s, and C = T dS/dT: n has another formula, and bound states in it."""
    J = DENSITIES[name]

    @jax.jit
    def at(frequency, T):
        cavity = bx.Cavity(frequency, bx.Reservoir(J, temperature=T))
        found = bx.mean_force(cavity)
        return (found.free_energy, found.entropy), found

    frequency, T = (4.0 if "two" in name else 1.0), 0.8
    slopes, found = jax.jacfwd(at, (0, 1), has_aux=True)(frequency, T)
    (by_frequency, by_T), (_, heat) = slopes
    tolerance = 1e-8 if name == "table" else 1e-10
    np.testing.assert_allclose(by_frequency, found.n[0, 0].real, rtol=tolerance)
    np.testing.assert_allclose(by_T, -found.entropy, rtol=1e-10)
    np.testing.assert_allclose(T * heat, found.heat_capacity, rtol=1e-10)
    np.testing.assert_allclose(found.energy, found.free_energy + T * found.entropy, rtol=1e-14)


@pytest.mark.slow
def test_reverse_mode_by_temperature():
    """dn/dT = -dS*/dw_s, where no bound state is at the frequency at which n would be infinite."""

    def at(kind, frequency, T):
        found = bx.mean_force(ohmic(0.5, T, frequency))
        return jnp.sum(getattr(found, kind)).real

    slope = jax.jit(jax.grad(lambda T: at("n", 1.0, T)))(2.0)
    np.testing.assert_allclose(slope, -jax.grad(lambda w: at("entropy", w, 2.0))(1.0), rtol=1e-9)


@pytest.mark.slow
def test_energy_and_entropy_along_an_isotherm():
    """dE = T dS + n dw_s at constant T with the T of the reservoirs, and not with the bare T."""

    def at(frequency):
        found = bx.mean_force(ohmic(0.5, 2.0, frequency))
        return jnp.stack([found.energy, found.entropy])

    dE, dS = jax.jacfwd(at)(1.0)
    n = bx.long_time_limit(ohmic(0.5, 2.0)).noise
    np.testing.assert_allclose(dE - n, 2.0 * dS, rtol=1e-10)
    bare = 1.0 / jnp.log1p(1.0 / n)
    assert abs(bare * dS - (dE - n)) > 0.5 * abs(dS)


def test_third_law():
    """S* -> eta pi^2 T / (3 (w_s + Delta(0))), which is 0 with T, and C is the same."""
    for T in (1e-3, 1e-5):
        found = bx.mean_force(ohmic(0.5, T))
        leading = 0.1 * np.pi**2 * T / (3.0 * 0.5)
        np.testing.assert_allclose(found.entropy, leading, rtol=30.0 * T)
        np.testing.assert_allclose(found.heat_capacity, leading, rtol=30.0 * T)
    at_zero = bx.mean_force(ohmic(0.5, 0.0))
    assert at_zero.free_energy == at_zero.entropy == at_zero.heat_capacity == 0.0
    assert at_zero.hamiltonian[0, 0] == 0.0


def test_high_temperatures_are_classical():
    """The classical F* of a Gaussian model is T ln(w_s + Delta(0)) / T, as if w were less."""
    found = bx.mean_force(ohmic(0.5, 2000.0))
    np.testing.assert_allclose(found.free_energy, 2000.0 * np.log(0.5 / 2000.0), rtol=2e-4)
    np.testing.assert_allclose(found.heat_capacity, 1.0, rtol=1e-4)
    np.testing.assert_allclose(found.hamiltonian[0, 0].real, 0.5, rtol=1e-6)


def test_beyond_the_critical_coupling():
    """The whole has no equilibrium: an error, and NaN in a batch that leaves others as they are."""
    with pytest.raises(ValueError, match="without a bound state at w <= mu"):
        bx.mean_force(ohmic(1.1, 1.0))
    free = jax.vmap(lambda ratio: bx.mean_force(ohmic(ratio, 1.0)))
    found = free(jnp.array([0.5, 1.1, 0.1]))
    assert found.status.tolist() == [0, 2, 0]
    expected = [-1.04435757, np.nan, -0.54257769]
    np.testing.assert_allclose(found.free_energy, expected, atol=1e-8)


@pytest.mark.parametrize(
    ("baths", "words"),
    [
        ([bx.Reservoir(bx.Ohmic(0.1, 5.0), T) for T in (1.0, 2.0)], "one temperature"),
        ([bx.Reservoir(bx.Ohmic(0.1, 5.0), occupation=bx.Uniform(1.0))], "thermal"),
        ([bx.Reservoir(bx.DiscreteModes([1.0], [0.1]), 1.0)], "continuous"),
    ],
)
def test_no_equilibrium(baths, words):
    with pytest.raises(ValueError, match=words):
        bx.mean_force(bx.Cavity(1.0, baths))


def test_bands_without_ends_are_refused():
    level = bx.LinearSystem(
        [[0.1]], bx.Channel(bx.Reservoir(bx.WideBand(0.5), 0.1), [1.0]), "fermion"
    )
    with pytest.raises(ValueError, match="a band with ends"):
        bx.mean_force(level)
