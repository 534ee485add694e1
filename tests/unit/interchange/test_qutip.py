"""Objects of QuTiP: round trips to 12 digits, and QuTiP's own solver with our rates."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import qutip

import bathax as bx
from bathax.numerics.grid import TimeGrid

GRID = TimeGrid(jnp.asarray(0.1), 41)
TIMES = np.asarray(GRID.times)
QUBIT = bx.Qubit(1.0, bx.Reservoir(bx.Lorentzian(0.1, 1.0, 1.2), occupation=bx.Uniform(0.5)))
PLUS = qutip.ket2dm((qutip.basis(2, 0) + 1j * qutip.basis(2, 1)).unit())


def mapped(count, stop=4.0):
    return bx.dynamical_map(QUBIT, jnp.linspace(0.0, stop, count), bx.TimeConvolutionless())


def assert_same(objects, matrices):
    assert len(objects) == len(matrices)
    for one, matrix in zip(objects, matrices, strict=True):
        np.testing.assert_allclose(one.full(), matrix, rtol=0, atol=1e-12)


def test_states():
    cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.02, 5.0), temperature=0.5))
    mode = bx.solve(cavity, bx.Coherent(1.0), TIMES[1:5], bx.BornMarkov())
    assert_same(mode.to_qutip(20), mode.density_matrix(20))
    a = qutip.destroy(20)
    number = [qutip.expect(a.dag() * a, rho) for rho in mode.to_qutip(20)]
    np.testing.assert_allclose(number, mode.number, rtol=1e-9)
    again = bx.DensityMatrix(mode.to_qutip(20)[0].unit().full())
    np.testing.assert_allclose(again.number, mode.number[0], rtol=1e-9)

    atom = bx.solve(QUBIT, bx.QubitState(PLUS.full()), TIMES[1:5], bx.VanHove())
    assert_same(atom.to_qutip(), atom.density_matrix())
    excited = [qutip.expect(qutip.num(2), rho) for rho in atom.to_qutip()]
    np.testing.assert_allclose(excited, atom.number, rtol=1e-12)
    coherence = [qutip.expect(qutip.destroy(2), rho) for rho in atom.to_qutip()]
    np.testing.assert_allclose(coherence, atom.coherence, rtol=1e-12)


def test_maps():
    dmap = mapped(9)
    objects = dmap.to_qutip()
    vector = qutip.operator_to_vector(PLUS)
    assert_same([qutip.vector_to_operator(S * vector) for S in objects], dmap.apply(PLUS.full()))
    assert all(S.istp for S in objects)
    # In QuTiP's order of the indices the Choi matrix has the output first.
    ours = np.asarray(dmap.choi()).reshape(-1, 2, 2, 2, 2)
    for S, choi in zip(objects, ours, strict=True):
        theirs = qutip.to_choi(S).full().reshape(2, 2, 2, 2)
        np.testing.assert_allclose(theirs, choi, atol=1e-12)


def correlation(bath):
    noise = np.asarray(bath.noise_kernel(GRID))
    return np.asarray(bath.memory_kernel(GRID)) + noise + noise.conj()


THERMAL = [
    bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=2.0),
    bx.Reservoir(bx.Ohmic(0.1, 5.0, 0.5)),
    bx.Reservoir(bx.SemicircleBand(0.01, 1.0, 0.5), temperature=0.5),
    bx.Reservoir(2.0 * bx.Ohmic(0.1, 5.0) + bx.Ohmic(0.2, 2.0), temperature=1.0),
]
OTHERS = [
    bx.Reservoir(bx.DiscreteModes([1.0, 2.0], [0.1, 0.3]), temperature=1.0),
    bx.Reservoir(bx.Lorentzian(0.1, 0.5, 1.0)),
    bx.Reservoir(bx.Lorentzian(0.1, 0.5, 1.0), occupation=bx.Uniform(0.5)),
    bx.Reservoir(bx.Ohmic(0.1, 5.0), occupation=bx.Uniform(0.5)),
]


@pytest.mark.slow
@pytest.mark.parametrize("bath", THERMAL + OTHERS, ids=lambda bath: repr(bath)[27:60])
def test_an_environment_has_the_same_correlation_function(bath):
    theirs, ours = bath.to_qutip().correlation_function(TIMES), correlation(bath)
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-12 * np.max(np.abs(ours)))


@pytest.mark.parametrize("bath", THERMAL, ids=lambda bath: repr(bath)[27:60])
def test_a_thermal_environment_and_back(bath):
    environment = bath.to_qutip()
    w = np.linspace(0.05, 9.0, 40)
    J = np.asarray(bath.spectral_density(w))
    np.testing.assert_allclose(environment.spectral_density(w), np.pi * J, rtol=1e-12)
    both = np.concatenate([-w[::-1], w])
    known = J * (np.asarray(bath.occupation(w)) + 1.0), J * np.asarray(bath.occupation(w))
    power = 2.0 * np.pi * np.concatenate([known[1][::-1], known[0]])
    np.testing.assert_allclose(environment.power_spectrum(both), power, rtol=1e-10, atol=1e-14)
    again = bx.Reservoir.from_qutip(environment)
    np.testing.assert_allclose(again.spectral_density(w), J, rtol=1e-12)
    assert again.temperature == bath.temperature


def test_drude_and_lorentz():
    bath = bx.Reservoir(bx.DrudeLorentz(0.1, 5.0), temperature=2.0)
    environment = bath.to_qutip()
    # The real part diverges at t = 0; QuTiP has a sum of exponentials.
    theirs = environment.correlation_function(TIMES[1:], Nk=60)
    np.testing.assert_allclose(theirs, correlation(bath)[1:], rtol=1e-9, atol=1e-10)
    again = bx.Reservoir.from_qutip(environment)
    np.testing.assert_allclose(again.spectral_density.eta, 0.1, rtol=1e-12)
    assert again.spectral_density.cutoff == 5.0


def test_a_spectrum_at_zero_frequency_and_single_numbers():
    environment = THERMAL[3].to_qutip()
    expected = 2.0 * np.pi * (0.2 + 0.2)  # 2 pi T J'(0)
    np.testing.assert_allclose(environment.power_spectrum(0.0), expected, rtol=1e-6)
    backwards, forwards = (environment.correlation_function(t) for t in (-0.5, 0.5))
    assert backwards == np.conj(forwards)
    assert environment.spectral_density(-1.0) == 0.0


def test_an_environment_without_a_formula_becomes_a_table():
    environment = qutip.UnderDampedEnvironment(T=0.5, lam=0.2, gamma=0.3, w0=1.0)
    w = np.linspace(0.0, 10.0, 201)
    bath = bx.Reservoir.from_qutip(environment, w)
    expected = environment.spectral_density(w) / np.pi
    np.testing.assert_allclose(bath.spectral_density(w), expected, rtol=1e-12, atol=1e-16)
    with pytest.raises(ValueError, match="`frequencies` must be given for an environment without"):
        bx.Reservoir.from_qutip(environment)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        (2.0, "must be a `qutip.BosonicEnvironment`, but is 2.0"),
        (qutip.OhmicEnvironment(None, 0.1, 5.0, 1.0), "must be one with a temperature `T`"),
    ],
)
def test_what_is_no_environment(environment, words):
    with pytest.raises(ValueError, match=words):
        bx.Reservoir.from_qutip(environment)


# --- Rates -----------------------------------------------------------------------------------


def test_mesolve_with_our_rates_gives_our_map():
    dmap = mapped(161)
    rates = dmap.rates()
    assert rates.error <= 1e-8
    options = {"method": "vern9", "atol": 1e-13, "rtol": 1e-12}
    for rho in (PLUS, qutip.fock_dm(2, 1), qutip.fock_dm(2, 0)):
        found = qutip.mesolve(rates.to_qutip(), rho, np.asarray(dmap.t), options=options)
        matrices = np.array([one.full() for one in found.states])
        np.testing.assert_allclose(matrices, dmap.apply(rho.full()), rtol=0, atol=1e-8)


@pytest.mark.slow
def test_rates_are_those_of_the_map_and_negative_ones_too():
    strong = bx.Qubit(1.0, bx.Reservoir(bx.Lorentzian(0.5, 0.1, 1.8)))
    ts = jnp.linspace(0.0, 6.0, 241)
    dmap = bx.dynamical_map(strong, ts, bx.Vacuum())
    rates = dmap.rates()
    assert jnp.min(dmap.gamma_minus) < 0.0
    for name in ("gamma_minus", "gamma_plus", "gamma_z", "shift"):
        curve, values = getattr(rates, name), getattr(dmap, name)
        np.testing.assert_allclose(jax.jit(lambda t, f=curve: f(t))(ts), values, atol=1e-12)
    between = 0.5 * (ts[1:] + ts[:-1])
    truth = bx.dynamical_map(strong, between, bx.Vacuum())
    np.testing.assert_allclose(rates.gamma_minus(between), truth.gamma_minus, atol=1e-8)
    found = qutip.mesolve(
        rates.to_qutip(), PLUS, np.asarray(ts), options={"rtol": 1e-10, "atol": 1e-12}
    )
    np.testing.assert_allclose(found.states[-1].full(), dmap.apply(PLUS.full())[-1], atol=1e-7)


@pytest.mark.slow
def test_rates_that_cannot_be_had():
    with pytest.raises(ValueError, match="must be so close together that rates in between are"):
        mapped(12).rates()
    with pytest.raises(ValueError, match="must be 8 times of a map or more, but is of shape"):
        mapped(5).rates()
    lost = bx.Qubit(1.0, bx.Reservoir(bx.DiscreteModes([1.0], [0.1])))
    dmap = bx.dynamical_map(lost, jnp.linspace(0.0, 10.0 * jnp.pi, 21), bx.Vacuum())
    with pytest.raises(
        ValueError, match="times at which all rates of the map are known, but is not"
    ):
        dmap.rates()


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "qutip", None)
    monkeypatch.delitem(sys.modules, "bathax.interchange.qutip", raising=False)
    with pytest.raises(
        ModuleNotFoundError, match=r"Package `qutip` is missing; install it with pip"
    ):
        THERMAL[0].to_qutip()


@pytest.mark.slow
def test_reservoirs_of_particles_have_no_environment_of_bosons():
    for bath in (
        bx.Reservoir(bx.Ohmic(0.1, 5.0), 1.0, chemical_potential=-0.5),
        bx.Reservoir(bx.Ohmic(0.1, 5.0), occupation=bx.FermiDirac(1.0)),
    ):
        with pytest.raises(ValueError, match="must be one of bosons without a chemical potential"):
            bath.to_qutip()
