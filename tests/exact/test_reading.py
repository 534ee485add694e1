"""Three readings of temperature, against mpmath, relative entropies and laws of thermodynamics."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import bathax as bx

CUTOFF, CRITICAL, KINDS = 5.0, 0.2, ("bare", "renormalised", "mean_force")


def ohmic(ratio, T):
    return bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(ratio * CRITICAL, CUTOFF), temperature=T))


def read(ratio, T, kind, ts, state=None):
    state = bx.Thermal(1.0) if state is None else state
    return bx.reading(bx.solve(ohmic(ratio, T), state, jnp.asarray(ts), bx.Resonance()), kind)


def self_energy(eta, z):
    q = z / CUTOFF
    return eta * CUTOFF * (-1 - q * mpmath.exp(-q) * mpmath.e1(-q))


def quanta(ratio, T, slope=False):
    """n(inf), the integral of D n, by mpmath, or its derivative by T."""
    eta, T = mpmath.mpf(ratio) * CRITICAL, mpmath.mpf(T)

    def integrand(w):
        q = w / CUTOFF
        J = eta * w * mpmath.exp(-q)
        shift = eta * CUTOFF * (-1 + q * mpmath.exp(-q) * mpmath.ei(q))
        n = 1 / mpmath.expm1(w / T)
        filled = n * (1 + n) * w / T**2 if slope else n
        return J / ((w - 1 - shift) ** 2 + mpmath.pi**2 * J**2) * filled

    ends = [0, 1e-4, 1e-2, 0.1, 0.3, 0.6, 0.8, 0.9, 1, 1.2, 2, 5, 10, 20, 50, 200, 2000]
    last = 60 * max(T, 1)
    return float(mpmath.quad(integrand, [end for end in ends if end <= last]))


def pole(ratio):
    """The zero of z - w_s - Sigma(z) on the second sheet, below the band."""
    eta = mpmath.mpf(ratio) * CRITICAL

    def inverse(z):
        beyond = 2j * mpmath.pi * eta * z * mpmath.exp(-z / CUTOFF)
        return z - 1 - self_energy(eta, z) + beyond

    return complex(mpmath.findroot(inverse, mpmath.mpc(1.0 - 1.2 * ratio, -0.1)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ratio", "bare", "plateau", "renormalised"),
    [
        (0.1, 22.2226, 0.8836, 19.635),
        (0.3, 28.5727, 0.6385, 18.245),
        (0.5, 40.0021, 0.3999, 15.995),
    ],
)
def test_the_three_temperatures(ratio, bare, plateau, renormalised):
    """At kT0 = 20 in the end: known values, and mpmath to 1e-8."""
    n, z = quanta(ratio, 20.0), pole(ratio)
    slope = np.log1p(1.0 / n)
    np.testing.assert_allclose([1.0 / slope, z.real / slope], [bare, renormalised], atol=6e-4)
    ts = np.append(np.linspace(0.0, 20.0, 5), 1e6)
    late = {kind: read(ratio, 20.0, kind, ts) for kind in KINDS}
    np.testing.assert_allclose(late["bare"].temperature[-1], 1.0 / slope, rtol=1e-8)
    np.testing.assert_allclose(late["renormalised"].plateau, z.real, rtol=1e-10)
    np.testing.assert_allclose(late["renormalised"].plateau, plateau, atol=6e-5)
    np.testing.assert_allclose(late["mean_force"].frequency, 20.0 * slope, rtol=1e-8)
    np.testing.assert_array_equal(late["mean_force"].temperature, 20.0)
    found = bx.mean_force(ohmic(ratio, 20.0))
    for name in ("energy", "entropy", "free_energy", "heat_capacity"):
        last = getattr(late["mean_force"], name)[-1]
        np.testing.assert_allclose(last, getattr(found, name), rtol=1e-8)


@pytest.mark.slow
def test_free_energy_is_a_relative_entropy():
    """F* - F*_eq = T D(rho || e^{-H*/T} / Z), of a Fock state, from its populations."""
    T, ts = 1.0, jnp.array([0.0, 1.0, 3.0, 10.0, 40.0])
    sol = bx.solve(ohmic(0.5, T), bx.Fock(3), ts, bx.Resonance())
    own, end = bx.reading(sol, "mean_force"), bx.mean_force(ohmic(0.5, T))
    p = np.asarray(sol.fock_populations(400))
    x = float(end.hamiltonian[0, 0].real) / T
    thermal = np.log(-np.expm1(-x)) - x * np.arange(400.0)
    logarithm = np.log(np.where(p > 0.0, p, 1.0))
    D = np.sum(p * (logarithm - thermal[None]), axis=1)
    assert np.all(D > 0.0)
    np.testing.assert_allclose(own.free_energy - end.free_energy, T * D, rtol=1e-9, atol=1e-11)


def test_energy_and_entropy_of_mean_force():
    """<H* - T dH*/dT> and S - <dH*/dT> with H* = w* n + c, differentiated by differences."""
    T, h, ts = 1.3, 1e-3, jnp.array([0.0, 2.0, 9.0])
    sol = bx.solve(ohmic(0.5, T), bx.Fock(2), ts, bx.Resonance())

    def numbers(T):
        found = bx.mean_force(ohmic(0.5, T))
        w = found.hamiltonian[0, 0].real
        return np.array([w, found.free_energy - T * np.log(-np.expm1(-w / T))])

    w, c = numbers(T)
    pairs = ((1, 4 / 5), (2, -1 / 5), (3, 4 / 105), (4, -1 / 280))
    dw, dc = sum(a * (numbers(T + k * h) - numbers(T - k * h)) for k, a in pairs) / h
    n, own = sol.number, bx.reading(sol, "mean_force")
    np.testing.assert_allclose(own.energy, (w - T * dw) * n + c - T * dc, rtol=1e-9)
    np.testing.assert_allclose(own.entropy, sol.entropy - dw * n - dc, rtol=1e-9)
    np.testing.assert_allclose(own.free_energy, own.energy - T * own.entropy, rtol=1e-12)
    np.testing.assert_allclose(own.heat, own.energy - own.energy[0], atol=1e-13)


@pytest.mark.parametrize(("ratio", "T"), [(0.3, 0.03), (0.9, 0.5), (0.5, 20.0)])
def test_errors_of_mean_force_are_honest(ratio, T):
    """Far from equilibrium, against integrals of n and dn/dT by mpmath."""
    n, slope = quanta(ratio, T), quanta(ratio, T, slope=True)
    w = T * np.log1p(1.0 / n)
    turned = w / T - T * slope / (n * (1.0 + n))
    gained = 2.0 * np.log(2.0) - (1.0 + n) * np.log1p(n) + n * np.log(n)
    end, own = bx.mean_force(ohmic(ratio, T)), read(ratio, T, "mean_force", [0.0, 1.0])
    expected = {
        "frequency": w,
        "energy": end.energy + (w - T * turned) * (1.0 - n),
        "entropy": end.entropy + gained - turned * (1.0 - n),
        "free_energy": end.free_energy + w * (1.0 - n) - T * gained,
    }
    for name, value in expected.items():
        true, error = abs(getattr(own, name)[0] - value), getattr(own.error, name)[0]
        assert true <= 10.0 * error + 1e-13 * abs(value), name
        assert error < 1e-8, name


@pytest.mark.slow
def test_two_modes_have_no_renormalised_temperature():
    """h^r, the Hermitian part of i u' u^{-1}, has a plateau; but n is no thermal state of it.

    It does not commute with h^r, and its eigenmodes would have temperatures of their own. With h*
    of mean force it does, and has T0.
    """
    h, ts, T = [[1.0, 0.15], [0.15, 1.6]], jnp.array([40.0, 60.0]), 2.0
    bath = bx.Reservoir(bx.Ohmic(0.02, CUTOFF), temperature=T)
    modes = bx.LinearSystem(h, bx.Channel(bath, [1.0, 0.7]))

    def propagator(ts):
        return bx.solve(modes, bx.Covariance(jnp.eye(2)), ts).u

    u, du = jax.jvp(propagator, (ts,), (jnp.ones_like(ts),))
    generator = 1j * np.asarray(du) @ np.linalg.inv(u)
    renormalised = (generator + generator.conj().swapaxes(1, 2)) / 2.0
    np.testing.assert_allclose(*renormalised, atol=3e-4)
    n, own = np.asarray(bx.steady_state(modes).n), bx.mean_force(modes).hamiltonian
    e, vectors = np.linalg.eigh(renormalised[0])
    turned = vectors.conj().T @ n @ vectors
    temperatures = e / np.log1p(1.0 / np.diag(turned).real)
    assert abs(turned[0, 1]) > 0.01
    assert temperatures[1] - temperatures[0] > 0.02
    np.testing.assert_allclose(own @ n, n @ own, atol=1e-10)


@pytest.mark.slow
def test_two_levels():
    """F* - F*_eq = T D of Gaussian states of fermions, and the end is the equilibrium."""
    T = 0.4
    leads = [bx.Reservoir(bx.FlatBand(rate, -4.0, 4.0), T, 0.3) for rate in (0.5, 0.8)]
    h = [[0.2, 0.3 + 0.1j], [0.3 - 0.1j, -0.4]]
    channels = [
        bx.Channel(lead, c) for lead, c in zip(leads, ([1.0, 0.2], [0.3j, 1.0]), strict=True)
    ]
    dots = bx.LinearSystem(h, channels, "fermion")
    sol = bx.solve(dots, bx.Covariance([[0.9, 0.1], [0.1, 0.2]]), jnp.array([0.0, 1.0, 5.0, 200.0]))
    own, end = bx.reading(sol, "mean_force"), bx.mean_force(dots)

    def log(x):
        e, vectors = np.linalg.eigh(x)
        return (vectors * np.log(e)) @ vectors.conj().T

    m, unit = np.asarray(end.n), np.eye(2)
    for n, F in zip(np.asarray(sol.n), np.asarray(own.free_energy), strict=True):
        D = np.trace(n @ (log(n) - log(m)) + (unit - n) @ (log(unit - n) - log(unit - m))).real
        np.testing.assert_allclose(F - end.free_energy, T * D, atol=1e-9)
    for name in ("energy", "entropy", "free_energy", "heat_capacity"):
        np.testing.assert_allclose(getattr(own, name)[-1], getattr(end, name), atol=1e-7)
    np.testing.assert_allclose(own.frequency[0], end.hamiltonian, rtol=1e-12)
    bare = bx.reading(sol, "bare")
    np.testing.assert_allclose(bare.energy, sol.energy, rtol=1e-14)
    assert jnp.all(jnp.isnan(bare.heat_capacity))
    with pytest.raises(ValueError, match="a `Cavity` or a `Qubit`"):
        bx.reading(sol, "renormalised")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_energy_and_entropy_of_steady_states(kind):
    """dE = T dS along steady states of other temperatures, and C = dE/dT of mean force.

    On the plateau w^r does not depend on T0, and so dE^r = T^r dS from a state that is thermal.
    """
    ts = jnp.append(jnp.linspace(0.0, 30.0, 5), 1e5)
    place = 4 if kind == "renormalised" else -1

    def at(T):
        own = read(0.5, T, kind, ts)
        numbers = jnp.stack([own.energy, own.entropy, own.temperature])[:, place]
        return numbers, (own.temperature[place], own.heat_capacity[place])

    (dE, dS, dT), (T, heat) = jax.jacfwd(at, has_aux=True)(2.0)
    np.testing.assert_allclose(dE, T * dS, rtol=1e-6)
    if kind != "renormalised":
        np.testing.assert_allclose(dE, heat * dT, rtol=1e-6)


def test_third_law():
    """S goes to 0 with T0 in every reading: like T0^2 ln(1/T0) for two, like T0 for mean force."""
    ts = np.append(np.linspace(0.0, 20.0, 5), 1e9)
    for T in (1e-3, 1e-4):
        late = {kind: read(0.5, T, kind, ts, bx.Fock(0)) for kind in KINDS}
        n = 0.1 * np.pi**2 * T**2 / (6.0 * 0.5**2)
        S = n * (1.0 - np.log(n))
        np.testing.assert_allclose(late["bare"].entropy[-1], S, rtol=30.0 * T)
        np.testing.assert_allclose(late["bare"].temperature[-1], 1.0 / np.log(1.0 / n), rtol=10 * T)
        leading = 0.1 * np.pi**2 * T / (3.0 * 0.5)
        for name in ("entropy", "heat_capacity"):
            np.testing.assert_allclose(getattr(late["mean_force"], name)[-1], leading, rtol=30 * T)
    cold = {kind: read(0.5, 0.0, kind, ts, bx.Fock(0)) for kind in KINDS}
    for kind, own in cold.items():
        for name in ("entropy", "temperature", "heat_capacity"):
            assert abs(getattr(own, name)[4]) < 1e-15, (kind, name)


def test_weak_coupling():
    """All agree with T0 up to the first power of the coupling, in T, S and E."""
    ts, T = np.append(np.linspace(0.0, 20.0, 5), 1e9), 1.0

    def apart(ratio):
        bare, renormalised, whole = (read(ratio, T, kind, ts) for kind in KINDS)
        n = bx.long_time_limit(ohmic(ratio, T)).noise
        T_r = renormalised.plateau / jnp.log1p(1.0 / n)
        E, S = (getattr(whole, x)[-1] - getattr(bare, x)[-1] for x in ("energy", "entropy"))
        C = whole.heat_capacity[-1] - bare.heat_capacity[-1]
        return jnp.abs(jnp.stack([bare.temperature[-1] - T, T_r - T, E, S, C]))

    less, more = apart(1e-4), apart(2e-4)
    np.testing.assert_allclose(jnp.log2(more / less), 1.0, atol=2e-3)
    assert jnp.all(less < 3e-4)


@pytest.mark.slow
def test_an_atom_in_the_vacuum():
    """Of a detuned Lorentzian, where u is two exponentials."""
    gamma, width, detuning, ts = 0.3, 1.0, 0.8, np.linspace(0.0, 10.0, 101)
    J = bx.Lorentzian(gamma, width, 1.0)
    sol = bx.solve(bx.Qubit(1.0 + detuning, bx.Reservoir(J)), bx.Excited(), ts)
    own = bx.reading(sol, "renormalised")
    # (z - w_s) (z - center + i width) = gamma width / 2.
    a, b = 1.0 + detuning, 1.0 - 1j * width
    z = np.roots([1.0, -(a + b), a * b - gamma * width / 2.0])
    weights = (z - b) / (z - z[::-1])
    terms = weights[None] * np.exp(-1j * z[None] * ts[:, None])
    u, du = terms.sum(axis=1), (-1j * z[None] * terms).sum(axis=1)
    np.testing.assert_allclose(own.frequency, -(du / u).imag, atol=1e-9)
    np.testing.assert_allclose(own.plateau, z[np.argmax(z.imag)].real, rtol=1e-12)
    p = np.abs(u[50]) ** 2
    T = -(du / u).imag[50] / np.log(1.0 / p - 1.0)
    assert own.on_plateau[50]
    np.testing.assert_allclose(own.temperature[50], T, rtol=1e-7)
    np.testing.assert_allclose(
        own.heat_capacity[50], p * (1.0 - p) * np.log(1.0 / p - 1.0) ** 2, rtol=1e-8
    )


def test_zero_temperature_out_of_equilibrium():
    """There h* is not known: nothing of mean force is but its T and C."""
    own = read(0.5, 0.0, "mean_force", [0.0, 1.0], bx.Fock(1))
    for name in ("energy", "entropy", "free_energy", "heat"):
        assert jnp.all(jnp.isnan(getattr(own, name))), name
    assert own.temperature[0] == own.heat_capacity[0] == 0.0
