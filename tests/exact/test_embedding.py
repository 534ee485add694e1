"""Damped modes in place of reservoirs, against the Volterra engine, references, closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

import bathax as bx
from tests.exact import test_linear as linear

TS = jnp.linspace(0.0, 20.0, 9)
QUANTITIES = ("u", "n", "entropy", "particle_current", "energy_current", "interaction_energy")


def agree(one, other, factor=10.0):
    """Whether two solutions agree within their errors."""
    for name in QUANTITIES:
        miss = np.abs(np.asarray(getattr(one, name)) - np.asarray(getattr(other, name)))
        assert np.all(miss <= factor * (getattr(one.error, name) + getattr(other.error, name)))


@pytest.mark.slow
@pytest.mark.parametrize("name", linear.TRANSIENT)
def test_reference(name):
    case = linear.REFERENCES[name]
    initial = bx.Covariance(case["parameters"]["n0"])
    sol = bx.solve(linear.system(case), initial, case["times"], bx.Embedding())
    assert sol.status == 0
    for key, quantity in {
        "u": "u",
        "n": "n",
        "entropy": "entropy",
        "dE_dt": "energy_current",
    }.items():
        miss = np.abs(np.asarray(getattr(sol, quantity)) - linear.numbers(case["values"][key]))
        assert miss.max() < 2e-12
        assert np.all(miss < 10.0 * getattr(sol.error, quantity) + case["error"][key])


def two_leads(mu, gamma=0.01, temperature=0.025851991):
    """A level between two Lorentzian leads, each around its chemical potential."""
    leads = [
        bx.Reservoir(bx.Lorentzian(gamma, 1.0, sign * mu), temperature, sign * mu)
        for sign in (1, -1)
    ]
    channels = [bx.Channel(lead, [1.0]) for lead in leads]
    return bx.LinearSystem([[1.0]], channels, "fermion")


@pytest.mark.slow
def test_current_between_lorentzian_leads():
    """The steady current from the transmission, and the two engines at earlier times."""
    dot, empty = two_leads(1.0), bx.Covariance([[0.0]])
    late = bx.solve(dot, empty, [4000.0], bx.Embedding(points=2**14))
    np.testing.assert_allclose(-late.particle_current[0, 0], 8.130726699e-4, rtol=1e-8)
    engines = [
        bx.solve(dot, empty, [1.0, 5.0, 20.0], s)
        for s in (bx.Volterra(rtol=1e-9), bx.Embedding(rtol=3e-7))
    ]
    assert all(sol.status == 0 for sol in engines)
    agree(*engines)


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [0.0, 0.5])
def test_bound_state_outside_a_band(temperature):
    """|u|^2 tends to the square of its weight, and n keeps a part of the start for ever."""
    band = bx.SemicircleBand(eta=0.5, center=0.0, half_width=1.0)
    level = bx.LinearSystem(
        [[2.0]], bx.Channel(bx.Reservoir(band, temperature, 0.3), [1.0]), "fermion"
    )
    sol = bx.solve(level, bx.Covariance([[1.0]]), [0.0, 50.0, 100.0], bx.Embedding(rtol=1e-8))
    other = bx.solve(level, bx.Covariance([[1.0]]), [0.0, 50.0, 100.0])
    assert sol.status == other.status == 0
    agree(sol, other)
    weight = float(np.abs(sol.u[-1, 0, 0]))
    energy = bx.bound_states(bx.Cavity(2.0, bx.Reservoir(band))).frequencies
    slope = jax.grad(lambda w: band.self_energy(w.astype(complex)).real)(energy[energy > 1.0][0])
    np.testing.assert_allclose(weight, 1.0 / (1.0 - slope), atol=1e-3)


@pytest.mark.slow
def test_separate_modes_stay_what_they_are():
    modes = bx.DiscreteModes([0.5, 1.0, 1.7], [0.1, 0.2, 0.1])
    bath = bx.Reservoir(modes, 0.3, 0.8)
    level = bx.LinearSystem([[1.0]], bx.Channel(bath, [1.0j]), "fermion")
    sol, other = (
        bx.solve(level, bx.Covariance([[0.7]]), TS, s) for s in (bx.Embedding(), bx.Volterra())
    )
    assert sol.status == 0
    agree(sol, other)


@pytest.mark.slow
def test_table_of_a_density():
    """Nodes on the real axis, of which there are more on finer grids."""
    w = np.linspace(0.0, 20.0, 101)
    table = bx.Tabulated(w, bx.Ohmic(0.1, 2.0)(w))
    system = bx.LinearSystem([[1.0]], bx.Channel(bx.Reservoir(table, 0.5), [1.0]))
    sol, other = (
        bx.solve(system, bx.Covariance([[0.7]]), [1.0, 5.0], s)
        for s in (bx.Embedding(rtol=1e-6), bx.Volterra())
    )
    assert sol.status == other.status == 0
    agree(sol, other)


@pytest.mark.slow
def test_too_few_modes_are_noticed():
    dot = linear.system(linear.REFERENCES[linear.TRANSIENT[0]])
    few = bx.Embedding(points=1024, modes=16)
    sol, exact = (bx.solve(dot, bx.Covariance([[0.2]]), TS, s) for s in (few, bx.Volterra()))
    assert sol.status == 1
    agree(sol, exact)


@pytest.mark.slow
def test_derivatives():
    """By all kinds of parameters, as those of the Volterra engine."""
    start = {name: jnp.asarray(value) for name, value in linear.PARAMETERS.items()}
    exact = jax.jit(jax.jacfwd(linear.transport))(start)
    found = jax.jit(jax.jacrev(lambda p: linear.transport(p, bx.Embedding(points=256))))(start)
    for name in start:
        np.testing.assert_allclose(found[name], exact[name], atol=1e-7)


@pytest.mark.slow
def test_filling_of_a_wide_peak():
    r"""A level far below mu in a wide Lorentzian lead fills to \int A f dw."""
    lead = bx.Reservoir(bx.Lorentzian(0.5, 3.0, 0.0), 0.1, 0.5)
    level = bx.LinearSystem([[-0.5]], bx.Channel(lead, [1.0]), "fermion")
    sol = bx.solve(level, bx.Covariance([[0.0]]), [60.0], bx.Embedding(rtol=1e-7))

    def spectrum(w):
        J = lead.spectral_density
        propagator = 1.0 / (w + 0.5 - complex(J.self_energy(w)))
        return float(J(w)) * abs(propagator) ** 2 / (np.exp((w - 0.5) / 0.1) + 1.0)

    expected = quad(spectrum, -60.0, 5.0, points=[-0.5, 0.5], epsabs=1e-8, limit=200)[0]
    np.testing.assert_allclose(sol.number[0], expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("lower", [0.02475, 1e-4])
def test_band_of_bosons_next_to_the_pole_of_their_occupation(lower):
    """Modes of a band that ends next to w = 0, of few nodes, know how large n is at its end."""
    band = bx.SemicircleBand(0.3, 2.40786 + lower, 2.40786)
    channels = [
        bx.Channel(bx.Reservoir(band, 1.2984), [0.6, 0.8j]),
        bx.Channel(bx.Reservoir(bx.Lorentzian(0.3, 0.7, 1.2)), [0.8, -0.6]),
    ]
    system = bx.LinearSystem([[0.8, 0.3j], [-0.3j, 1.5]], channels)
    sol, other = (
        bx.solve(
            system, bx.Covariance(np.diag([1.0, 0.2])), np.linspace(0.0, 3.6, 9), s(rtol=1e-11)
        )
        for s in (bx.Embedding, bx.Volterra)
    )
    assert sol.status == other.status == 0
    agree(sol, other)
