"""Pairs, forces and squeezed states against whole systems with discrete modes, and closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

import bathax as bx
from tests.exact.whole import Bath, Whole

TS = np.linspace(0.0, 5.0, 6)
BOSONS = bx.Reservoir(bx.FlatBand(0.3, 0.2, 4.0), temperature=0.8)
FERMIONS = bx.Reservoir(bx.FlatBand(0.5, -3.0, 3.0), temperature=0.2, chemical_potential=0.3)
OF_BOSONS = Bath.flat(0.3, (0.2, 4.0), 40, lambda w: 1.0 / np.expm1(w / 0.8))
OF_FERMIONS = Bath.flat(0.5, (-3.0, 0.3, 3.0), 30, lambda w: 1.0 / (np.exp((w - 0.3) / 0.2) + 1.0))


def require_equal(sol, expected, atol):
    assert sol.status == 0
    for name in expected[0]:
        found = np.asarray(getattr(sol, name))
        np.testing.assert_allclose(
            found, [each[name] for each in expected], atol=atol, err_msg=name
        )
        assert np.all(np.asarray(getattr(sol.error, name)) < atol)
    assert np.abs(sol.first_law).max() < 1e-10


@pytest.mark.slow
def test_a_force_on_a_coordinate():
    """(a + a') (Phi + Phi')."""
    one = np.array([1.0])
    whole = Whole([[1.2]], [[0.0]], [0.0], 1.0, one, one, OF_BOSONS, 1.0)
    oscillator = bx.LinearSystem([[1.2]], bx.Channel(BOSONS, [1.0], counter=[1.0]))
    sol = bx.solve(oscillator, bx.Covariance([[0.5]]), TS)
    require_equal(sol, whole.solve([[0.5]], [[0.0]], [0.0], TS), 1e-9)


@pytest.mark.slow
def test_everything_at_once():
    """A squeezed, displaced mode with pairing, counter-rotating terms, a force and a switch."""
    h, pairing = (lambda t: 1.0 + 0.2 * jnp.sin(t)), (lambda t: 0.3 * jnp.exp(-1j * t))
    force, switch = (lambda t: 0.2 * jnp.cos(t) + 0.1j), (lambda t: 1.0 - 0.5 * jnp.exp(-(t**2)))
    whole = Whole(
        lambda t: [[h(t)]], lambda t: [[pairing(t + 0j)]], lambda t: [force(t + 0j)], switch,
        np.array([1.0]), np.array([0.4j]), OF_BOSONS, 1.0,
    )  # fmt: skip
    mode = bx.LinearSystem(
        lambda t: h(t)[None, None],
        bx.Channel(BOSONS, [1.0], switch=switch, counter=[0.4j]),
        pairing=lambda t: pairing(t.astype(complex))[None, None],
        force=lambda t: force(t.astype(complex))[None],
    )
    sol = bx.solve(mode, bx.Covariance([[0.5]], [[0.2j]], [0.7]), TS)
    require_equal(sol, whole.solve([[0.5]], [[0.2j]], [0.7], TS), 1e-8)
    ts = np.linspace(1.9, 2.1, 9)
    near = bx.solve(mode, bx.Covariance([[0.5]], [[0.2j]], [0.7]), ts)
    slope = np.polynomial.Polynomial.fit(ts, near.energy, 6).deriv()(2.0)
    assert near.energy_rate[4] == pytest.approx(slope, abs=1e-8)
    power = np.polynomial.Polynomial.fit(ts, near.work, 6).deriv()(2.0)
    assert near.power[4] == pytest.approx(power, abs=1e-8)


@pytest.mark.slow
def test_fermions_in_pairs():
    h = np.array([[0.3, 0.2], [0.2, -0.1]])
    pairing = np.array([[0.0, 0.4 + 0.1j], [-0.4 - 0.1j, 0.0]])
    c, d, n = np.array([1.0, 0.3]), np.array([0.2j, 0.1]), np.diag([0.9, 0.2])
    whole = Whole(h, pairing, [0.0, 0.0], 1.0, c, d, OF_FERMIONS, -1.0)
    channel = bx.Channel(FERMIONS, c, counter=d)
    dots = bx.LinearSystem(h, channel, "fermion", pairing=pairing)
    sol = bx.solve(dots, bx.Covariance(n), TS)
    require_equal(sol, whole.solve(n, np.zeros((2, 2)), [0.0, 0.0], TS), 1e-8)
    n, m = np.asarray(sol.n), np.asarray(sol.anomalous)
    rows = (n, np.swapaxes(m, 1, 2)), (m.conj(), np.eye(2) - np.swapaxes(n, 1, 2))
    joint = np.concatenate([np.concatenate(row, axis=2) for row in rows], axis=1)
    p = np.linalg.eigvalsh(joint)
    assert p.min() > -1e-12
    np.testing.assert_allclose(sol.entropy, -np.sum(p * np.log(p + 1e-300), axis=1), atol=1e-10)


@pytest.mark.slow
def test_squeezed_and_displaced_states_of_plain_modes():
    """m = u m(0) u^T, <a> = u <a>(0), and all that is known of a `Cavity`."""
    channels = bx.Channel(BOSONS, [1.0])
    cavity = bx.solve(bx.Cavity(1.2, BOSONS), bx.Coherent(0.7), TS, bx.Volterra())
    start = bx.Covariance([[0.0]], displacement=[0.7])
    sol = bx.solve(bx.LinearSystem([[1.2]], channels), start, TS)
    names = ("number", "energy", "entropy", "energy_rate", "entropy_rate", "temperature")
    for name in (*names, "free_energy"):
        expected, found = (np.asarray(getattr(one, name))[1:] for one in (cavity, sol))
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-8, err_msg=name)
    r = 0.6
    n, m = np.sinh(r) ** 2, 0.5 * np.sinh(2.0 * r)
    squeezed = bx.solve(bx.Cavity(1.2, BOSONS), bx.Squeezed(r), TS, bx.Volterra())
    sol = bx.solve(bx.LinearSystem([[1.2]], channels), bx.Covariance([[n]], [[m]]), TS)
    np.testing.assert_allclose(sol.number, squeezed.number, atol=1e-10)
    np.testing.assert_allclose(sol.entropy[1:], squeezed.entropy[1:], atol=1e-9)
    u = np.asarray(sol.u[:, 0, 0])
    np.testing.assert_allclose(sol.anomalous[:, 0, 0], u**2 * m, atol=1e-11)
    assert sol.entropy[0] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.slow
def test_no_pairs_is_no_pairing():
    """A system with pairs of which there are none is the plain one."""
    h = jnp.array([[1.0, 0.2], [0.2, 1.4]])
    plain = bx.LinearSystem(h, bx.Channel(BOSONS, [1.0, 0.5j]))
    paired = bx.LinearSystem(h, bx.Channel(BOSONS, [1.0, 0.5j], counter=[0.0, 0.0]))
    start = bx.Covariance([[0.5, 0.1j], [-0.1j, 0.2]])
    one, other = bx.solve(plain, start, TS), bx.solve(paired, start, TS)
    names = ("n", "number", "energy", "entropy", "particle_current", "energy_current")
    for name in names:
        found, expected = (np.asarray(getattr(each, name)) for each in (other, one))
        np.testing.assert_allclose(found, expected, atol=1e-10, err_msg=name)


@pytest.mark.slow
def test_a_damped_oscillator_in_equilibrium():
    r"""<X^2> by the fluctuation-dissipation theorem, X = (a + a') / sqrt(2).

    With (a + a') (Phi + Phi') and R(w) = \int J(x) 2 x / (w^2 - x^2) dx it is
    \int J coth(w / 2 T) 2 c^2 w0^2 / |w0^2 - w^2 + 2 c^2 w0 R(w)|^2 dw.
    """
    w0, c, eta, cutoff, T = 1.0, 0.8, 0.05, 2.0, 0.3

    def J(w):
        return eta * w * np.exp(-w / cutoff)

    def response(w):
        near = quad(J, 0.0, 2.0 * w, weight="cauchy", wvar=w, epsabs=1e-13)[0]
        far = quad(lambda x: J(x) / (x - w), 2.0 * w, np.inf, epsabs=1e-13)[0]
        other = quad(lambda x: J(x) / (x + w), 0.0, np.inf, epsabs=1e-13)[0]
        return -near - far - other - 1j * np.pi * J(w)

    def spectrum(w):
        D = w0**2 - w**2 + 2.0 * c**2 * w0 * response(w)
        return J(w) / np.tanh(w / (2.0 * T)) * 2.0 * (c * w0) ** 2 / abs(D) ** 2

    pieces = ((0.0, 0.5), (0.5, 0.8), (0.8, 1.1), (1.1, 2.0), (2.0, 8.0), (8.0, 50.0))
    x, weights = np.polynomial.legendre.leggauss(24)
    expected = 0.0
    for a, b in pieces:
        ws = 0.5 * (a + b) + 0.5 * (b - a) * x
        expected += 0.5 * (b - a) * weights @ [spectrum(w) for w in ws]
    bath = bx.Reservoir(bx.Ohmic(eta, cutoff), temperature=T)
    oscillator = bx.LinearSystem([[w0]], bx.Channel(bath, [c], counter=[c]))
    sol = bx.solve(oscillator, bx.Periodic(5.0), [0.0, 2.5, 5.0])
    found = sol.n[:, 0, 0].real + 0.5 + sol.anomalous[:, 0, 0].real
    np.testing.assert_allclose(found, expected, atol=1e-8)


@pytest.mark.slow
def test_a_driven_parametric_oscillator_is_squeezed():
    """Below threshold the quadratures of a nearly Markovian mode have kappa / (kappa +- 2 Delta).

    In the rotating frame, with vacuum: <x^2> = 1/2 kappa / (kappa + 2 |Delta|).
    """
    kappa, gain = 0.4, 0.08
    wide = bx.Reservoir(bx.FlatBand(kappa, -12.0, 12.0), occupation=bx.Uniform(0.0))
    mode = bx.LinearSystem([[0.0]], bx.Channel(wide, [1.0]), pairing=[[1j * gain]])
    sol = bx.solve(mode, bx.Covariance([[0.0]]), [0.0, 25.0], bx.Embedding(points=1024))
    n, m = sol.n[-1, 0, 0].real, sol.anomalous[-1, 0, 0]
    low, high = n + 0.5 - abs(m), n + 0.5 + abs(m)
    assert low == pytest.approx(0.5 * kappa / (kappa + 2.0 * gain), rel=3e-2)
    assert high == pytest.approx(0.5 * kappa / (kappa - 2.0 * gain), rel=3e-2)


@pytest.mark.slow
def test_gradients():
    @jax.jit
    def number(x):
        mode = bx.LinearSystem(
            [[1.0]],
            bx.Channel(BOSONS, [1.0], counter=[x[0]]),
            pairing=lambda t: (x[1] * jnp.cos(t)).astype(complex)[None, None],
            force=lambda t: (x[2] * t).astype(complex)[None],
        )
        start = bx.Covariance([[0.2]], displacement=[0.3])
        sol = bx.solve(mode, start, TS[:4], bx.Embedding(points=512))
        return sol.energy[-1] + sol.work[-1] + sol.entropy[-1]

    at, step = jnp.array([0.3, 0.2, 0.1]), 1e-4
    found = jax.grad(number)(at)
    for k, unit in enumerate(np.eye(3)):
        a, b, c, d = (float(number(at + s * step * unit)) for s in (-2.0, -1.0, 1.0, 2.0))
        assert found[k] == pytest.approx((a - 8 * b + 8 * c - d) / (12 * step), abs=1e-7)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: bx.LinearSystem([[1.0]], bx.Channel(BOSONS, [1.0], counter=[1.0, 2.0])),
         "Argument `counter` must be a list of 1, as `coupling`, but is of length 2."),
        (lambda: bx.LinearSystem(np.eye(2), bx.Channel(BOSONS, [1.0, 0.0]),
                                 pairing=[[0, 1], [2, 0]]),
         "Argument `pairing` must be symmetric for bosons"),
        (lambda: bx.LinearSystem(np.eye(2), bx.Channel(FERMIONS, [1.0, 0.0]), "fermion",
                                 pairing=np.ones((2, 2))),
         "Argument `pairing` must be antisymmetric for fermions"),
        (lambda: bx.LinearSystem([[1.0]], bx.Channel(FERMIONS, [1.0]), "fermion", force=[1.0]),
         "Argument `force` must be left out for fermions, but is given."),
        (lambda: bx.LinearSystem([[1.0]], bx.Channel(BOSONS, [1.0]), force=lambda t: t),
         r"Argument `force` must be of shape \(1,\), but is of shape \(\)."),
        (lambda: bx.solve(bx.LinearSystem([[0.3]], bx.Channel(BOSONS, [1.0], counter=[1.0])),
                          bx.Covariance([[0.0]]), TS),
         "Argument `h` must be large enough for a ground state"),
        (lambda: bx.steady_state(
            bx.LinearSystem([[1.0]], bx.Channel(BOSONS, [1.0], counter=[1.0]))),
         "Argument `counter` must be left out here, where quanta are conserved, but is given."),
        (lambda: bx.solve(bx.LinearSystem([[1.0]], bx.Channel(BOSONS, [1.0])),
                          bx.Covariance([[0.1]], [[0.9]]), TS),
         "Argument `anomalous` must be possible beside `n`"),
        (lambda: bx.solve(bx.LinearSystem([[1.0]], bx.Channel(BOSONS, [1.0], counter=[1.0])),
                          bx.Covariance([[0.1]]), TS, bx.Volterra()),
         r"Argument `solver` must be `Embedding\(\)` for a system that changes in time"),
        (lambda: bx.solve(
            bx.LinearSystem([[1.0]], bx.Channel(BOSONS, [1.0]),
                            force=lambda t: (1.0 / (t - 2.5)).astype(complex)[None]),
            bx.Covariance([[0.1]]), TS),
         "Argument `force` must be finite at all times, but is not at t = 2.5."),
    ],
)  # fmt: skip
def test_bad_input(make, words):
    with pytest.raises(ValueError, match=words):
        make()
