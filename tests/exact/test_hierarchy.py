"""The hierarchy against reference values, Jaynes-Cummings sums, exact diagonalisation and |u|^2."""

import csv
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

HERE = Path(__file__).parent
RATES = {"gamma_minus": "gamma_minus", "gamma_plus": "gamma_plus", "gamma_z": "gamma_z"}
RATES |= {"shift": "eps_t"}


class Reference(NamedTuple):
    """The rows of one parameter set."""

    rows: list[dict[str, str]]

    def __getitem__(self, name: str) -> np.ndarray:
        return np.array([float(row[name]) for row in self.rows])

    @property
    def coherence(self) -> np.ndarray:
        return self["Re_c"] + 1j * self["Im_c"]


def references(file: str, key: str) -> dict[str, Reference]:
    """The parameter sets in a file, told apart by one column."""
    rows = list(csv.DictReader((HERE / file).read_text().splitlines()))
    return {
        name: Reference([row for row in rows if row[key] == name])
        for name in dict.fromkeys(row[key] for row in rows)
    }


LORENTZIAN = references("qubit_lorentzian.csv", "n0")
OHMIC = references("qubit_ohmic_thermal.csv", "set")


@pytest.mark.slow
@pytest.mark.parametrize("reference", LORENTZIAN.values(), ids=["resonant", "detuned"])
def test_lorentzian_with_constant_occupation(reference):
    """One exponential: the hierarchy is exact but for its depth."""
    width, center, gamma0 = (reference[n][0] for n in ("wc_or_lambda", "w0", "eta_or_gamma0"))
    density = bx.Lorentzian(gamma0, width, center)
    bath = bx.Reservoir(density, occupation=bx.Uniform(reference["n0"][0]))
    dmap = bx.dynamical_map(bx.Qubit(1.0, bath), reference["t"], bx.Hierarchy(rtol=1e-10))
    np.testing.assert_allclose(dmap.p11, reference["P11"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(dmap.p00, reference["P00"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(dmap.coherence, reference.coherence, rtol=0, atol=1e-12)
    np.testing.assert_allclose(dmap.dp11, reference["dP11"], rtol=0, atol=1e-12)
    for name, column in RATES.items():
        allowed = 1e-10 / np.abs(reference["D"])
        assert np.all(np.abs(getattr(dmap, name) - reference[column]) < allowed), name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kT", "eta", "rtol", "bound"),
    [
        ("A", 1.0, 0.002, 1e-5, 1e-6),
        ("C", 0.5, 0.02, 1e-5, 1e-5),
        ("C", 0.5, 0.02, 1e-6, 1e-7),
    ],
)
def test_thermal_ohmic_reservoir(name, kT, eta, rtol, bound):
    reference = OHMIC[name]
    qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), temperature=kT))
    dmap = bx.dynamical_map(qubit, reference["t"], bx.Hierarchy(rtol=rtol))
    pairs = (
        (dmap.p11, reference["P11"], dmap.error.p11),
        (dmap.p00, reference["P00"], dmap.error.p00),
        (dmap.coherence, reference.coherence, dmap.error.coherence),
        (dmap.determinant, reference["D"], dmap.error.determinant),
    )
    for value, exact, estimate in pairs:
        error = np.abs(value - exact)
        assert np.max(error) < bound
        assert np.all(error <= 3.0 * estimate + 2.0 * reference["err_P"])
    assert dmap.status == bx.Status.SUCCESS


def jaynes_cummings(t: np.ndarray, g: float, w: float, kT: float) -> tuple[np.ndarray, ...]:
    """P11, P00 and c of an atom of frequency 1 and one thermal mode, summed over its quanta."""
    n = np.arange(400)[:, None]
    weight = -np.expm1(-w / kT) * np.exp(-n * w / kT)
    detuning = 1.0 - w

    def amplitude(quanta: np.ndarray, sign: float) -> np.ndarray:
        root = np.sqrt(detuning**2 / 4 + g**2 * quanta)
        safe = np.where(root > 0, root, 1.0)
        return np.cos(root * t) - sign * 0.5j * detuning / safe * np.sin(root * t)

    excited = amplitude(n + 1.0, 1.0)
    ground = np.where(n > 0, amplitude(n, -1.0), 1.0)
    phase = np.exp(-1j * (w * (n + 0.5) + 0.5) * t)
    back = np.where(n > 0, np.exp(-1j * (w * (n - 0.5) + 0.5) * t), 1.0)
    c = np.sum(weight * excited * phase * np.conj(ground * back), axis=0)
    p11, p00 = (np.sum(weight * np.abs(part) ** 2, axis=0) for part in (excited, ground))
    return p11, p00, c


@pytest.mark.slow
@pytest.mark.parametrize("w", [1.0, 1.3])
def test_one_thermal_mode(w):
    ts = np.linspace(0.5, 20.0, 8)
    bath = bx.Reservoir(bx.DiscreteModes([w], [0.1]), temperature=1.0)
    dmap = bx.dynamical_map(bx.Qubit(1.0, bath), ts, bx.Hierarchy(rtol=1e-10))
    for value, exact in zip(
        (dmap.p11, dmap.p00, dmap.coherence), jaynes_cummings(ts, 0.1, w, 1.0), strict=True
    ):
        np.testing.assert_allclose(value, exact, rtol=0, atol=1e-12)


def diagonalised(
    ts: np.ndarray, modes: tuple[float, float], couplings: tuple[float, float], kT: float
) -> tuple[np.ndarray, ...]:
    """P11, P00 and c with two thermal modes, each cut where fewer than 1e-11 of it is above."""
    sizes = [int(np.ceil(-np.log(1e-11) * kT / w)) for w in modes]
    lower = [np.diag(np.sqrt(np.arange(1.0, size)), 1) for size in (2, *(s + 2 for s in sizes))]
    units = [np.eye(len(a)) for a in lower]

    def embedded(matrix: np.ndarray, place: int) -> np.ndarray:
        parts = [matrix if k == place else units[k] for k in range(3)]
        return np.kron(np.kron(parts[0], parts[1]), parts[2])

    s, b1, b2 = (embedded(a, k) for k, a in enumerate(lower))
    energy = s.T @ s + modes[0] * b1.T @ b1 + modes[1] * b2.T @ b2
    hop = s.T @ (couplings[0] * b1 + couplings[1] * b2)
    values, vectors = np.linalg.eigh(energy + hop + hop.T)
    weights = [np.exp(-np.arange(len(u)) * w / kT) for u, w in zip(units[1:], modes, strict=True)]
    field = np.diag(np.kron(*(weight / np.sum(weight) for weight in weights)))
    projectors = [np.diag([1.0, 0.0]), np.diag([0.0, 1.0])]

    def evolved(start: np.ndarray, watched: np.ndarray) -> np.ndarray:
        inside = vectors.T @ np.kron(start, field) @ vectors
        outside = vectors.T @ np.kron(watched, np.eye(len(field))) @ vectors
        phases = np.exp(-1j * np.subtract.outer(values, values)[None] * ts[:, None, None])
        return np.einsum("ij,tij,ji->t", inside, phases, outside)

    raise_ = np.array([[0.0, 0.0], [1.0, 0.0]])
    p00, p11 = (evolved(projector, projector).real for projector in projectors)
    return p11, p00, evolved(raise_, raise_.T)


@pytest.mark.slow
def test_two_thermal_modes():
    ts, modes, couplings = np.linspace(1.0, 8.0, 4), (0.8, 1.3), (0.1, 0.15)
    bath = bx.Reservoir(bx.DiscreteModes(modes, couplings), temperature=0.25)
    dmap = bx.dynamical_map(bx.Qubit(1.0, bath), ts, bx.Hierarchy(rtol=1e-9))
    for value, exact in zip(
        (dmap.p11, dmap.p00, dmap.coherence),
        diagonalised(ts, modes, couplings, 0.25),
        strict=True,
    ):
        np.testing.assert_allclose(value, exact, rtol=0, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("strength", [0.2, 0.4])
def test_many_modes_at_strong_coupling(strength):
    """So many modes that they are reduced, so cold that two quanta are rare: 8e-7."""
    ts, w = jnp.linspace(0.5, 20.0, 9), np.linspace(0.6, 2.4, 32)
    shape = np.sqrt(np.sin(np.pi * (w - 0.55) / 1.9))
    modes = bx.DiscreteModes(w, strength * shape / np.linalg.norm(shape))
    qubit = bx.Qubit(1.0, bx.Reservoir(modes, temperature=0.08))
    exact = bx.ExactDiagonalisation(quanta=1).map_elements(qubit, ts)
    found = bx.Hierarchy(rtol=1e-6).map_elements(qubit, ts)
    for name in ("p11", "p00", "c"):
        difference = np.abs(getattr(found.value, name) - getattr(exact.value, name))
        allowed = getattr(exact.error, name) + getattr(found.error, name)
        assert np.all(allowed < 1.8e-6), name
        assert np.all(difference <= allowed), name


@pytest.mark.slow
@pytest.mark.parametrize("eta", [0.1, 0.5])
def test_in_the_vacuum_it_is_the_cavity(eta):
    ts = jnp.linspace(0.5, 10.0, 8)
    bath = bx.Reservoir(bx.Ohmic(eta, 5.0))
    u = bx.solve(bx.Cavity(1.0, bath), bx.Fock(1), ts, bx.Volterra(rtol=1e-12)).u
    dmap = bx.dynamical_map(bx.Qubit(1.0, bath), ts, bx.Hierarchy(depth=4, modes=27))
    np.testing.assert_allclose(dmap.p11, jnp.abs(u) ** 2, rtol=0, atol=1e-10)
    np.testing.assert_allclose(dmap.p00, 1.0, rtol=0, atol=1e-13)
    np.testing.assert_allclose(dmap.coherence, u, rtol=0, atol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("eta", [0.01, 0.05, 0.1, 0.2, 0.5])
def test_in_the_vacuum_errors_are_known(eta):
    """The size chosen for a tolerance, against the cavity."""
    ts, bath = jnp.linspace(0.0, 20.0, 41), bx.Reservoir(bx.Ohmic(eta, 5.0))
    u = bx.solve(bx.Cavity(1.0, bath), bx.Fock(1), ts, bx.Volterra(rtol=1e-11)).u
    dmap = bx.dynamical_map(bx.Qubit(1.0, bath), ts, bx.Hierarchy())
    assert dmap.status == bx.Status.SUCCESS
    assert np.all(np.abs(dmap.p11 - jnp.abs(u) ** 2) <= 10.0 * dmap.error.p11 + 1e-11)
    assert np.all(np.abs(dmap.coherence - u) <= 10.0 * dmap.error.coherence + 1e-11)
    assert np.max(dmap.error.p11) <= 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("coupling", [0.0, 1e-6, 1e-3])
def test_modes_that_hardly_couple(coupling):
    """The spectrum of the generator is nearly a line, against perturbation theory."""
    # 1 - p11 = (n + 1) g^2 t^2 at resonance, up to the fourth order.
    ts, bath = jnp.linspace(0.0, 20.0, 5), bx.Reservoir(bx.DiscreteModes([1.0], [coupling]), 0.5)
    dmap = bx.dynamical_map(bx.Qubit(1.0, bath), ts, bx.Hierarchy(rtol=1e-6))
    n = 1.0 / np.expm1(2.0)
    assert dmap.status == bx.Status.SUCCESS
    np.testing.assert_allclose(
        1.0 - dmap.p11, (n + 1.0) * (coupling * ts) ** 2, rtol=1e-3, atol=1e-12
    )
    np.testing.assert_allclose(1.0 - dmap.p00, n * (coupling * ts) ** 2, rtol=1e-3, atol=1e-12)


@pytest.mark.slow
def test_without_coupling_nothing_happens():
    def coherence(eta):
        bath = bx.Reservoir(bx.Ohmic(eta, 5.0), 1.0)
        return bx.dynamical_map(bx.Qubit(1.0, bath), ts, bx.Hierarchy(rtol=1e-4)).coherence

    ts = jnp.linspace(0.0, 10.0, 9)
    for found in (coherence(0.0), jax.jit(coherence)(0.0), jax.vmap(coherence)(jnp.zeros(1))[0]):
        np.testing.assert_allclose(found, np.exp(-1j * np.asarray(ts)), rtol=0, atol=1e-11)


@pytest.mark.slow
def test_a_molecule_at_room_temperature():
    """The measured J of B777 (cm^-1, 300 K) as a table: an answer, and an error that covers it."""
    w = np.concatenate([[0.0], np.geomspace(0.5, 1500.0, 160)])
    peaks = ((0.8, 0.557), (0.5, 1.936))
    J = sum(0.5 / 1.3 * s * w**5 * np.exp(-np.sqrt(w / a)) / (10080.0 * a**4) for s, a in peaks)
    atom = bx.Qubit(100.0, bx.Reservoir(bx.Tabulated(w, J), 208.5))
    ts = jnp.linspace(0.0, 0.1, 5)
    rough, fine = (bx.dynamical_map(atom, ts, bx.Hierarchy(rtol=rtol)) for rtol in (1e-3, 1e-5))
    assert (rough.status, fine.status) == (0, 0)
    assert np.all(np.abs(rough.p11 - fine.p11) < 10.0 * (rough.error.p11 + fine.error.p11))
    # Both populations end near those of Boltzmann, e^{-w_s / kT} : 1.
    weight = np.exp(-100.0 / 208.5)
    assert fine.p11[-1] == pytest.approx(weight / (1.0 + weight), abs=0.02)
