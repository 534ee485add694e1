"""Where two resonances merge: values, error estimates and gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm
from scipy.optimize import brentq

import bathax as bx

TIMES = jnp.linspace(0.0, 20.0, 11)
FILLING = 0.7
DISTANCES = 10.0 ** -np.arange(1.0, 16.0)


def estimate(density, frequency, times=TIMES):
    bath = bx.Reservoir(density, occupation=bx.Uniform(FILLING))
    return bx.Resonance().green_functions(bx.Cavity(frequency, bath), times)


def effective(frequency, peaks):
    """u as an element of e^{-iHt}: each Lorentzian is a damped mode, coupled by its weight."""
    h = np.diag([complex(frequency)] + [center - 1j * width for _, width, center in peaks])
    h[0, 1:] = h[1:, 0] = [np.sqrt(0.5 * gamma * width) for gamma, width, _ in peaks]
    return h


def expected_u(h):
    return at_all_times(h)[:, 0, 0]


def at_all_times(h):
    """e^{-iHt}."""
    return expm(-1j * np.asarray(TIMES)[:, None, None] * h)


def check(found, u):
    found = jax.tree.map(np.asarray, found)
    np.testing.assert_allclose(found.value.u, u, atol=1e-11)
    v = FILLING * (1.0 - np.abs(u) ** 2)
    np.testing.assert_allclose(found.value.v, v, atol=1e-10)
    assert found.status == 0
    for miss, claimed in [(found.value.u - u, found.error.u), (found.value.v - v, found.error.v)]:
        assert np.all(np.abs(miss) < 10.0 * claimed + 1e-13)


# --- one Lorentzian ------------------------------------------------------------------------------


@jax.jit
@jax.vmap
def near_critical_damping(gamma, detuning):
    """And the derivative by gamma."""

    def solved(gamma):
        found = estimate(bx.Lorentzian(gamma, 0.2, 2.0 + detuning), 2.0)
        return jnp.stack([found.value.u.real, found.value.u.imag, found.value.v]), found

    (_, found), (slope, _) = jax.jvp(solved, (gamma,), (1.0,))
    return found, slope


def test_a_lorentzian_around_critical_damping():
    signs = np.concatenate([np.ones(15), -np.ones(15), np.zeros(16)])
    gammas = 0.1 * (1.0 + signs * np.concatenate([DISTANCES, DISTANCES, np.zeros(16)]))
    detunings = np.concatenate([np.zeros(31), 0.1 * DISTANCES])
    found, slopes = jax.device_get(near_critical_damping(gammas, detunings))
    for k, (gamma, detuning) in enumerate(zip(gammas, detunings, strict=True)):
        h = effective(2.0, [(gamma, 0.2, 2.0 + detuning)])
        check(jax.tree.map(lambda x, k=k: x[k], found), expected_u(h))
        # d e^{-iHt} / d gamma, the corner of the exponential of a block matrix.
        change = effective(0.0, [(gamma, 0.2, 0.0)]) * 0.5 / gamma
        change[np.diag_indices(2)] = 0.0
        block = np.block([[h, change], [np.zeros((2, 2)), h]])
        slope = at_all_times(block)[:, 0, 2]
        np.testing.assert_allclose(slopes[k, 0] + 1j * slopes[k, 1], slope, atol=1e-8)
        slope_v = -2.0 * FILLING * (expected_u(h).conj() * slope).real
        np.testing.assert_allclose(slopes[k, 2], slope_v, atol=3e-8)


def test_critical_damping_has_a_closed_form():
    """u = e^{-lam t/2} (1 + lam t/2) in the frame of the cavity."""
    solution = bx.solve(
        bx.Cavity(2.0, bx.Reservoir(bx.Lorentzian(0.1, 0.2, 2.0))),
        bx.Fock(1),
        TIMES,
        bx.Resonance(),
    )
    decay = np.exp(-0.1 * TIMES) * (1.0 + 0.1 * TIMES)
    np.testing.assert_allclose(jnp.abs(solution.u), decay, atol=1e-12)


def test_the_gradient_at_critical_damping():
    def number(gamma):
        return jnp.abs(estimate(bx.Lorentzian(gamma, 1.0, 1.0), 1.0, jnp.array([2.0])).value.u[0])

    # u = e^{-t/2} (cosh x + t sinh x / (2 x)), x = t sqrt(1 - 2 gamma) / 2: its series about x = 0.
    expected = -np.exp(-1.0) * 2.0 * (0.5 + 1.0 / 6.0)
    assert jax.jit(jax.grad(number))(0.5) == pytest.approx(expected, abs=1e-8)


# --- several Lorentzians -------------------------------------------------------------------------


def discriminant(gamma, widths, other):
    """Of the eigenvalues of i H in the frame of the cavity, where all peaks are on resonance."""
    h = effective(0.0, [(gamma, widths[0], 0.0), (other, widths[1], 0.0)])
    z = np.linalg.eigvals(1j * h)
    return np.prod([(z[i] - z[j]) ** 2 for i in range(3) for j in range(i)]).real


def test_two_lorentzians_where_two_of_three_resonances_merge():
    widths, other = (0.2, 0.9), 0.05
    gamma = brentq(discriminant, 0.05, 0.3, args=(widths, other), xtol=1e-15)

    @jax.jit
    @jax.vmap
    def solved(gamma):
        peaks = bx.Lorentzian(gamma, widths[0], 2.0) + bx.Lorentzian(other, widths[1], 2.0)
        return estimate(peaks, 2.0)

    gammas = gamma * (1.0 + np.concatenate([[0.0], DISTANCES[::2], -DISTANCES[::2]]))
    found = jax.device_get(solved(gammas))
    for k, gamma in enumerate(gammas):
        h = effective(2.0, [(gamma, widths[0], 2.0), (other, widths[1], 2.0)])
        check(jax.tree.map(lambda x, k=k: x[k], found), expected_u(h))


@pytest.mark.parametrize("distance", [0.0, 1e-12, 1e-9, 1e-6, 1e-3, 0.1])
def test_three_resonances_that_merge_are_not_taken_for_a_result(distance):
    """At distance 0 the characteristic polynomial is (s + 2/5)^3."""
    peaks = [(0.54 * (1.0 + distance), 1.0, 2.0), (0.1, 0.2, 2.0)]
    found = estimate(sum(bx.Lorentzian(*peak) for peak in peaks), 2.0)
    miss = np.abs(np.asarray(found.value.u) - expected_u(effective(2.0, peaks)))
    assert np.all(miss < 10.0 * found.error.u)
    assert found.status == (0 if distance >= 1e-3 else 1)


# --- other densities -----------------------------------------------------------------------------


def around(coupling):
    """At an exceptional point, and on both sides at each distance."""
    signed = np.concatenate([[0.0], DISTANCES, -DISTANCES])
    return jnp.asarray(coupling * (1.0 + signed))


def with_slopes(u_and_v):
    """u and v for each coupling, and their derivatives by it."""

    def one(coupling):
        return jax.jvp(u_and_v, (coupling,), (jnp.ones(()),))

    return jax.jit(jax.vmap(one))


def check_all(found, claimed, expected):
    """`found` and `expected`: u and v, and their slopes; `claimed`: the errors of u and v."""
    for (value, slope), error, (right, right_slope) in zip(found, claimed, expected, strict=True):
        assert np.all(np.abs(value - right) < 10.0 * error + 1e-13)
        np.testing.assert_allclose(value, right, atol=1e-9)
        np.testing.assert_allclose(slope, right_slope, atol=1e-6)


def by_resonance(cavity_of, couplings):
    """u and v with their slopes, their errors, and whether the tolerance was reached."""

    def solved(coupling):
        found = bx.Resonance().green_functions(cavity_of(coupling), TIMES)
        return (found.value.u, found.value.v), (found.error.u, found.error.v, found.status)

    def one(coupling):
        return jax.jvp(solved, (coupling,), (jnp.ones(()),), has_aux=True)

    (u, v), (du, dv), (error_u, error_v, status) = jax.jit(jax.vmap(one))(couplings)
    assert not status.any()
    return [(u, du), (v, dv)], [error_u, error_v]


# Where 1/G_II(z) and its derivative vanish at once, for w_s = 1: at z = .58283771 - .57183910 i.
DRUDE = (0.171358975, 1.129264305)


def drude_response(z, eta, sheet):
    """1 / G(z) on the first sheet from above (0) or continued from there to below (1)."""
    q = z / DRUDE[1]
    log = jnp.log(q) - 1j * jnp.pi * (1.0 if sheet else -1.0)
    return z - 1.0 - eta.astype(complex) * DRUDE[1] * (q * log - 0.5 * jnp.pi) / (1.0 + q * q)


def drude_u(eta):
    """int A(w) e^{-iwt} dw, A = (1/G_I - 1/G_II) / (2 pi i): along w = 0..8, then down from 8."""
    x, weights = np.polynomial.legendre.leggauss(400)
    x, weights = 0.5 * (x + 1.0), 0.5 * weights
    along, down = 8.0 * x**4, 8.0 * x / (1.0 - x)
    z = jnp.asarray(np.concatenate([along, 8.0 - 1j * down]))
    lengths = np.concatenate([32.0 * x**3 * weights, -8j * weights / (1.0 - x) ** 2])
    upper, lower = drude_response(z, eta, 1), drude_response(z, eta, 0)
    spectral = (1.0 / upper - 1.0 / lower) / (-2j * jnp.pi)
    phases = jnp.exp(-1j * TIMES.astype(complex)[:, None] * z[None, :])
    return phases @ (spectral * lengths)


@pytest.mark.slow
def test_a_drude_lorentz_reservoir():
    def cavity(eta):
        density = bx.DrudeLorentz(eta, DRUDE[1])
        return bx.Cavity(1.0, bx.Reservoir(density, occupation=bx.Uniform(FILLING)))

    def expected(eta):
        u = drude_u(eta)
        return u, FILLING * (1.0 - jnp.abs(u) ** 2)

    couplings = around(DRUDE[0])
    found, claimed = by_resonance(cavity, couplings)
    (u, v), (du, dv) = with_slopes(expected)(couplings)
    check_all(found, claimed, [(u, du), (v, dv)])


@pytest.mark.slow
def test_a_rational_fit():
    """A peak cut off at both ends, at the coupling and frequency where two resonances merge."""
    w = np.linspace(0.5, 5.5, 201)
    fit = bx.Tabulated(w, bx.Lorentzian(0.2, 0.4, 3.0)(w)).rational()

    def cavity(factor):
        return bx.Cavity(3.0, bx.Reservoir(factor * fit, occupation=bx.Uniform(FILLING)))

    def stepped(factor):
        green = bx.Volterra(points=1024).green_functions(cavity(factor), TIMES).value
        return green.u, green.v

    couplings = around(0.9997868402)
    found, claimed = by_resonance(cavity, couplings)
    (u, v), (du, dv) = with_slopes(stepped)(couplings)
    check_all(found, claimed, [(u, du), (v, dv)])


@pytest.mark.parametrize("count", [2, 3])
def test_a_sum_of_equal_lorentzians(count):
    """Equal poles of J are one pole, and no root at their place counts."""
    one = bx.Lorentzian(0.1, 0.5, 1.0)
    J = sum([one] * count)
    found = bx.resonances(bx.Cavity(1.0, bx.Reservoir(J)))
    expected = np.linalg.eigvals(effective(1.0, [(0.1 * count, 0.5, 1.0)]))
    frequencies = np.asarray(found.frequencies)[np.asarray(found.exist)]
    assert len(frequencies) == len(expected)
    for z in expected:
        assert np.min(np.abs(frequencies - z)) < 1e-12
    assert found.complete
    assert np.sum(found.residues) == pytest.approx(1.0, abs=1e-12)
