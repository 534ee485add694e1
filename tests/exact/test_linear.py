"""Several modes against reference numbers, discretised reservoirs, balances and the cavity."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

import bathax as bx

REFERENCES = {
    case["name"]: case
    for case in json.loads(Path(__file__).with_name("linear_reference.json").read_text())[
        "references"
    ]
}
TRANSIENT = [name for name, case in REFERENCES.items() if case["times"] != "infinity"]
TS = jnp.linspace(0.0, 20.0, 9)


def density(of):
    """A spectral density as the references describe it."""
    if of["kind"] == "Flat":
        return bx.FlatBand(of["gamma"], of["lo"], of["hi"])
    return bx.Ohmic(of["eta"], of["wc"], of["s"])


def channel(lead):
    mu = lead["mu"] if lead["statistics"] == "fermion" else None
    return bx.Channel(bx.Reservoir(density(lead["J"]), lead["T"], mu), lead["c"])


def system(case):
    leads = case["parameters"]["leads"]
    channels = [channel(lead) for lead in leads]
    return bx.LinearSystem(case["parameters"]["h"], channels, leads[0]["statistics"])


def numbers(value):
    if isinstance(value, dict):
        return np.asarray(value["re"]) + 1j * np.asarray(value["im"])
    return np.asarray(value)


@pytest.mark.slow
@pytest.mark.parametrize("name", TRANSIENT)
def test_reference(name):
    case = REFERENCES[name]
    expected = case["values"]
    sol = bx.solve(system(case), bx.Covariance(case["parameters"]["n0"]), case["times"])
    assert sol.status == 0
    names = {
        "u": "u",
        "n": "n",
        "entropy": "entropy",
        "dN_dt": "particle_current",
        "dE_dt": "energy_current",
    }
    for key, quantity in names.items():
        miss = np.abs(np.asarray(getattr(sol, quantity)) - numbers(expected[key]))
        assert miss.max() < 3e-13
        assert np.all(miss < 10.0 * getattr(sol.error, quantity) + case["error"][key])
    interaction = numbers(expected["H_int"]).reshape(sol.interaction_energy.shape)
    np.testing.assert_allclose(sol.interaction_energy, interaction, atol=1e-12)


@pytest.mark.slow
def test_steady_state_of_a_chain():
    """n tends to it like 1 / t^2, the currents like 1 / t^3."""
    case = REFERENCES["boson chain steady state, hot and cold"]
    sol = bx.solve(system(case), bx.Covariance(jnp.zeros((2, 2))), [300.0, 600.0])
    expected = case["values"]
    n = np.asarray(sol.n)
    np.testing.assert_allclose((4.0 * n[1] - n[0]) / 3.0, numbers(expected["n"]), atol=1e-9)
    np.testing.assert_allclose(sol.particle_current[-1], expected["dN_dt"], atol=1e-9)
    np.testing.assert_allclose(sol.energy_current[-1], expected["dE_dt"], atol=1e-9)


@pytest.mark.slow
def test_one_mode_is_a_cavity():
    bath = bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=2.0)
    mode = bx.LinearSystem([[1.0]], bx.Channel(bath, [1.0]))
    sol = bx.solve(mode, bx.Covariance([[3.0]]), TS)
    cavity = bx.solve(bx.Cavity(1.0, bath), bx.Thermal(3.0), TS, bx.Volterra())
    for of_mode, of_cavity in (("number", "number"), ("energy", "energy"), ("entropy", "entropy")):
        expected = getattr(cavity, of_cavity)
        np.testing.assert_allclose(getattr(sol, of_mode), expected, rtol=1e-12)
    np.testing.assert_allclose(sol.u[:, 0, 0], cavity.u, atol=1e-12)
    np.testing.assert_allclose(sol.interaction_energy[:, 0], cavity.interaction_energy, atol=1e-11)


# --- discretised reservoirs ----------------------------------------------------------------------


def discretised(h, leads, initial, ts):
    """n(t) from single-particle evolution with Gauss-Legendre modes on panels cut at mu."""
    x, weights = np.polynomial.legendre.leggauss(300)
    blocks, couplings, filled = [np.asarray(h, complex)], [], [np.asarray(initial, complex)]
    for bath, c in leads:
        low, high = (float(end) for end in bath.spectral_density.extent)
        cut = float(np.clip(bath.occupation.level, low, high))
        for a, b in ((low, cut), (cut, high)):
            if a == b:
                continue
            w = 0.5 * (a + b) + 0.5 * (b - a) * x
            strength = np.sqrt(np.asarray(bath.spectral_density(w)) * 0.5 * (b - a) * weights)
            blocks.append(np.diag(w))
            filled.append(np.diag(np.asarray(bath.occupation(w))))
            couplings.append(np.outer(np.asarray(c), strength))
    sizes = np.cumsum([0, *(len(block) for block in blocks)])
    whole, state = np.zeros((2, sizes[-1], sizes[-1]), complex)
    for start, block, part in zip(sizes, blocks, filled, strict=False):
        inside = slice(start, start + len(block))
        whole[inside, inside], state[inside, inside] = block, part
    whole[: sizes[1], sizes[1] :] = np.hstack(couplings)
    whole[sizes[1] :, : sizes[1]] = whole[: sizes[1], sizes[1] :].conj().T
    values, vectors = np.linalg.eigh(whole)
    inside = vectors[: sizes[1]]
    state = vectors.conj().T @ state @ vectors
    turned = [np.exp(-1j * values * t) for t in ts]
    return np.array(
        [inside @ (np.outer(phase, phase.conj()) * state) @ inside.conj().T for phase in turned]
    )


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [0.0, 0.05, 1.0])
@pytest.mark.parametrize("band", ["flat", "semicircle"])
def test_a_double_dot_between_discretised_leads(temperature, band):
    """Aharonov-Bohm phases in the couplings; mu inside a band and beyond it."""
    J = {
        "flat": bx.FlatBand(gamma=0.4, low=-2.0, high=2.5),
        "semicircle": bx.SemicircleBand(eta=0.2, center=0.2, half_width=2.0),
    }[band]
    h = [[0.3, 0.2 + 0.1j], [0.2 - 0.1j, -0.1]]
    initial = [[0.6, 0.1j], [-0.1j, 0.2]]
    couplings = [[1.0, 0.5j], [0.3 - 0.2j, 1.1]]
    baths = [bx.Reservoir(J, temperature, mu) for mu in (0.4, -3.0)]
    channels = [bx.Channel(bath, c) for bath, c in zip(baths, couplings, strict=True)]
    dots = bx.LinearSystem(h, channels, statistics="fermion")
    sol = bx.solve(dots, bx.Covariance(initial), TS)
    assert sol.status == 0
    baths = dots.reservoirs
    expected = discretised(h, list(zip(baths, couplings, strict=True)), initial, TS.tolist())
    miss = np.abs(sol.n - expected)
    # With a square root at the ends of its band the discretised lead is the less accurate one.
    assert miss.max() < (1e-11 if band == "flat" else 1e-7)
    occupied = np.linalg.eigvalsh(sol.n)
    assert occupied.min() > -1e-11
    assert occupied.max() < 1.0 + 1e-11


@pytest.mark.slow
@pytest.mark.parametrize("mu", [None, -1e-5])
@pytest.mark.parametrize("kind", ["flat", "semicircle"])
def test_bosons_whose_band_begins_close_to_mu(kind, mu):
    """n(w) rises like 1 / (w - mu) at the edge; modes of the reservoir are even in log(w - mu)."""
    low = 1e-5 if mu is None else 0.0
    J = bx.FlatBand(0.3, low, 3.0) if kind == "flat" else bx.SemicircleBand(0.2, 2.0 + low, 2.0)
    bath = bx.Reservoir(J, 1.0, mu)
    sol = bx.solve(bx.LinearSystem([[1.0]], bx.Channel(bath, [1.0])), bx.Covariance([[0.5]]), TS)
    assert sol.status == 0
    end, edge = (float(part) for part in (J.extent[1], J.extent[0]))
    x, weights = np.polynomial.legendre.leggauss(20)
    ends = edge + np.concatenate([[0.0], (end - edge) * np.exp(np.linspace(-20.0, 0.0, 61))])
    ends = np.unique(np.concatenate([ends, np.linspace(edge + 0.1 * (end - edge), end, 16)]))
    half, middle = 0.5 * np.diff(ends), 0.5 * (ends[1:] + ends[:-1])
    w = (middle[:, None] + half[:, None] * x).ravel()
    strength = np.sqrt(np.asarray(J(w)) * (half[:, None] * weights).ravel())
    whole = np.diag(np.append(1.0, w))
    whole[0, 1:] = whole[1:, 0] = strength
    values, vectors = np.linalg.eigh(whole)
    filled = np.append(0.5, np.asarray(bath.occupation(w)))
    for t, found in zip(TS.tolist(), sol.n[:, 0, 0].tolist(), strict=True):
        row = (vectors[0] * np.exp(-1j * values * t)) @ vectors.T
        assert found.real == pytest.approx(np.abs(row) ** 2 @ filled, abs=1e-7)


# --- balances and derivatives --------------------------------------------------------------------


def random_system(seed, statistics):
    """Three modes with complex couplings to two reservoirs."""
    rng = np.random.default_rng(seed)
    h = rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3))
    h = 0.2 * (h + h.conj().T) + (1.5 if statistics == "boson" else 0.0) * np.eye(3)
    c = rng.normal(size=(2, 3)) + 1j * rng.normal(size=(2, 3))
    if statistics == "boson":
        baths = [bx.Reservoir(bx.Ohmic(0.03, 3.0), 2.0), bx.Reservoir(bx.Ohmic(0.02, 2.0), 0.0)]
    else:
        J = bx.FlatBand(0.3, -3.0, 3.0)
        baths = [bx.Reservoir(J, 0.3, 0.5), bx.Reservoir(J, 0.0, -0.5)]
    channels = [bx.Channel(bath, row) for bath, row in zip(baths, c, strict=True)]
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    initial = (q * np.array([0.1, 0.5, 0.9])) @ q.T
    return bx.LinearSystem(h, channels, statistics), bx.Covariance(initial)


@pytest.mark.slow
@pytest.mark.parametrize("statistics", ["boson", "fermion"])
def test_particles_and_energy_are_conserved(statistics):
    """What modes and couplings lose, the reservoirs gain."""
    modes, initial = random_system(1, statistics)

    @jax.jit
    def rates(ts):
        def kept(ts):
            sol = bx.solve(modes, initial, ts)
            whole = sol.energy + jnp.sum(sol.interaction_energy, axis=1)
            return (sol.number, whole), sol

        (_, rate, sol) = jax.jvp(kept, (ts,), (jnp.ones_like(ts),), has_aux=True)
        return rate, sol

    (of_number, of_energy), sol = rates(TS[1:])
    assert sol.status == 0
    np.testing.assert_allclose(of_number, -jnp.sum(sol.particle_current, axis=1), atol=1e-10)
    np.testing.assert_allclose(of_energy, -jnp.sum(sol.energy_current, axis=1), atol=1e-10)


PARAMETERS = {
    "level": 0.3,
    "hopping": 0.4,
    "coupling": 0.8,
    "width": 0.5,
    "temperature": 0.2,
    "mu": 0.6,
    "edge": 2.0,
}


def transport(p, solver=None):
    """Currents, n and S of a double dot at a late time."""
    bath = bx.Reservoir(bx.FlatBand(p["width"], -3.0, p["edge"]), p["temperature"], p["mu"])
    other = bx.Reservoir(bx.FlatBand(0.3, -3.0, 3.0), 0.0, -0.5)
    h = jnp.stack([jnp.stack([p["level"], p["hopping"]]), jnp.stack([p["hopping"], 0.0 * p["mu"]])])
    one = jnp.stack([p["coupling"], 0.0 * p["coupling"]])
    dots = bx.LinearSystem(h, [bx.Channel(bath, one), bx.Channel(other, [0.0, 1.0])], "fermion")
    sol = bx.solve(
        dots,
        bx.Covariance(jnp.diag(jnp.array([1.0, 0.0]))),
        [3.0],
        solver or bx.Volterra(points=512),
    )
    parts = [sol.particle_current, sol.energy_current, sol.n.real, sol.n.imag, sol.entropy]
    return jnp.concatenate([part.ravel() for part in parts])


def check_derivatives(function, parameters, atol):
    """In both modes, against differences."""
    start = {name: jnp.asarray(value) for name, value in parameters.items()}
    run, forward, reverse = map(jax.jit, (function, jax.jacfwd(function), jax.jacrev(function)))
    by_forward, by_reverse, step = forward(start), reverse(start), 1e-3
    for name, value in start.items():
        values = [run(start | {name: value + k * step}) for k in (-2, -1, 1, 2)]
        expected = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step)
        np.testing.assert_allclose(by_forward[name], expected, atol=atol)
        np.testing.assert_allclose(by_reverse[name], by_forward[name], atol=1e-11)


@pytest.mark.slow
def test_derivatives_by_all_kinds_of_parameters():
    check_derivatives(transport, PARAMETERS, 1e-7)


@pytest.mark.slow
def test_a_batch_of_biases():
    def current(bias):
        leads = [
            bx.Reservoir(bx.FlatBand(0.4, -3.0, 3.0), 0.1, sign * bias) for sign in (0.5, -0.5)
        ]
        channels = [bx.Channel(leads[0], [1.0, 0.0]), bx.Channel(leads[1], [0.0, 1.0])]
        dots = bx.LinearSystem([[0.1, 0.3], [0.3, -0.1]], channels, "fermion")
        sol = bx.solve(dots, bx.Covariance(jnp.zeros((2, 2))), [30.0], bx.Volterra(points=1024))
        return sol.particle_current[0, 1]

    biases = jnp.array([0.0, 0.5, -0.5])
    batch = jax.jit(jax.vmap(current))(biases)
    np.testing.assert_allclose(batch, [current(bias) for bias in biases], atol=1e-13)
    assert abs(batch[0]) < 1e-6
    np.testing.assert_allclose(batch[1], -batch[2], atol=1e-6)


@pytest.mark.slow
def test_matrix_exponential_of_modes_without_coupling():
    h = np.array([[1.0, 0.3j], [-0.3j, 0.7]])
    silent = bx.Channel(bx.Reservoir(bx.Ohmic(0.1, 5.0), 1.0), [0.0, 0.0])
    sol = bx.solve(bx.LinearSystem(h, silent), bx.Covariance(np.diag([1.0, 0.0])), TS)
    expected = expm(-1j * h * np.asarray(TS)[:, None, None])
    np.testing.assert_allclose(sol.u, expected, atol=1e-12)
    np.testing.assert_allclose(sol.entropy, sol.entropy[0], atol=1e-11)
    assert np.all(sol.particle_current == 0.0)
