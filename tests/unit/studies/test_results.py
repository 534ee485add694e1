"""Fits, solutions and maps that are saved and loaded: the same numbers, without the model."""

import dataclasses
import json

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import bathax as bx
from bathax.studies.outputs import StoreError
from bathax.studies.results import to_dataset

TS = jnp.array([0.5, 1.0, 2.0])


def damped(eta):
    bath = bx.Reservoir(bx.Ohmic(eta, 5.0), temperature=2.0)
    return bx.solve(bx.Cavity(1.0, bath), bx.Fock(2), TS, bx.BornMarkov())


def lines(slope, offset):
    return {"x": slope * TS + offset, "z": lax.complex(slope * TS, slope * TS)}


def without_origin(solution):
    """As a file has it."""
    return eqx.tree_at(lambda s: s.origin, solution, None, is_leaf=lambda x: x is None)


def assert_same(one, other):
    if hasattr(one, "origin"):
        one, other = without_origin(one), without_origin(other)
    assert jax.tree.structure(one) == jax.tree.structure(other)
    for leaf, same in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(leaf, same)


@pytest.fixture(scope="module")
def fit():
    x = (np.array([1.6, 2.0, np.nan]), 0.1)
    data = bx.Data(TS, x=x, z=((1.0 + 1j) * np.array([0.5, 1.1, 2.0]), [0.1, 0.1, 0.2]))
    return bx.fit(lines, data, {"slope": 0.5, "offset": 1.0}, bounds={"offset": (0.0, 9.0)})


def test_a_fit(fit, tmp_path):
    fit.save(tmp_path / "fit.json")
    found = bx.load(tmp_path / "fit.json")
    assert isinstance(found, bx.Fit)
    assert repr(found) == repr(fit)
    for one in dataclasses.fields(fit):
        if one.name != "problem":
            assert_same(getattr(found, one.name), getattr(fit, one.name))
    for name in ("aic", "bic", "p_value", "serial_correlation", "at_bounds"):
        assert getattr(found, name) == getattr(fit, name)
    for ours, theirs in zip(
        found.band(lambda **p: p["slope"] * TS), fit.band(lambda **p: p["slope"] * TS), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    assert bx.compare({"one": found, "same": fit})["one"]["weight"] == 0.5
    with pytest.raises(ValueError, match="must be the model of offset, slope, but a fit read from"):
        found.profile("slope", [1.0])


@pytest.mark.slow
def test_several_modes(of_modes, tmp_path):
    bx.save(of_modes, tmp_path / "modes.zarr")
    found = bx.load(tmp_path / "modes.zarr")
    assert isinstance(found, bx.LinearSolution)
    assert_same(found, of_modes)


SHORT = bx.Embedding(points=128, modes=8, rtol=1.0)
OHMIC = bx.Reservoir(bx.Ohmic(0.1, 2.0), temperature=1.0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["cavity", "modes", "quench"])
def test_driven_systems(kind, tmp_path):
    """Work and heat too; a correlated start is known in words."""
    ramp = lambda t: 1.0 + 0.1 * t  # noqa: E731
    still = bx.LinearSystem([[1.5]], bx.Channel(OHMIC, [1.0]))
    system, initial = {
        "cavity": (bx.Cavity(ramp, OHMIC), bx.Fock(1).of_shared_shape()),
        "modes": (
            bx.LinearSystem(lambda t: [[ramp(t)]], bx.Channel(OHMIC, [1.0])),
            bx.Covariance([[0.5]]),
        ),
        "quench": (still, bx.Stationary(still)),
    }[kind]
    solution = bx.solve(system, initial, TS, SHORT)
    bx.save(solution, tmp_path / "solution.zarr")
    found = bx.load(tmp_path / "solution.zarr")
    assert type(found) is type(solution)
    if kind == "quench":
        assert "Stationary" in found.initial
        found = eqx.tree_at(lambda s: s.initial, found, initial)
    assert eqx.tree_equal(found, without_origin(solution))
    assert found.to_dataset().heat.dims == ("time", "channel")
    assert {"work", "heat_0"} <= {*found.to_dataframe().columns}


def test_numbers_that_are_not_finite_are_standard_json(fit, tmp_path):
    doubtful = dataclasses.replace(fit, covariance=np.full((2, 2), np.nan), chi2=np.inf)
    doubtful.save(tmp_path / "fit.json")

    def refuse(word):
        raise AssertionError(word)

    json.loads((tmp_path / "fit.json").read_text(), parse_constant=refuse)
    found = bx.load(tmp_path / "fit.json")
    assert np.isnan(found.covariance).all()
    assert found.chi2 == np.inf


def test_several_runs(tmp_path):
    runs = [bx.Data(TS, x=[1.0, 2.0, 4.0]), bx.Data(TS, x=[1.1, 2.1, 4.2])]
    fit = bx.fit(lambda slope: [{"x": slope * TS}] * 2, runs, {"slope": 1.0}, starts=1)
    fit.save(tmp_path / "fit.json")
    assert eqx.tree_equal(bx.load(tmp_path / "fit.json").data, runs)


STATES = [
    bx.Fock(2),
    bx.Squeezed(0.3, 0.5),
    bx.DensityMatrix(np.array([[0.5, 0.5j], [-0.5j, 0.5]]), levels=16),
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: type(state).__name__)
def test_a_solution(state, tmp_path):
    solution = eqx.tree_at(lambda s: s.initial, damped(0.02), state)
    bx.save(solution, tmp_path / "solution.zarr")
    found = bx.load(tmp_path / "solution.zarr")
    assert eqx.tree_equal(found, without_origin(solution))
    np.testing.assert_array_equal(found.density_matrix(8), solution.density_matrix(8))


def test_populations_of_as_many_levels_as_it_takes():
    """A thermal state of 39.5 quanta: 64 levels hold 1 - q^64 of it, q = n / (n + 1)."""
    q = 39.5 / 40.5
    hot = eqx.tree_at(
        lambda s: (s.u, s.v), damped(0.02), (jnp.zeros(3, complex), jnp.full(3, 39.5))
    )
    np.testing.assert_allclose(hot.population_above, q**64, rtol=1e-9)
    kept = to_dataset(hot, {})
    assert kept.sizes["level"] == 1024
    np.testing.assert_allclose(kept.populations[0], q ** np.arange(1024) / 40.5, rtol=1e-9)
    np.testing.assert_allclose(kept.population_above, q**1024, atol=1e-14)
    # A state known as a matrix has fewer levels, and says what it leaves out.
    matrix = eqx.tree_at(lambda s: s.initial, hot, bx.Coherent(1.0))
    np.testing.assert_allclose(to_dataset(matrix, {}).population_above, q**256, rtol=1e-9)


def qubit():
    return bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.02, 5.0), temperature=0.5))


def test_a_solution_of_a_qubit(tmp_path):
    solution = bx.solve(qubit(), bx.Bloch(0.6, 0.0, 0.2), TS, bx.VanHove())
    bx.save(solution, tmp_path / "solution.zarr")
    assert eqx.tree_equal(bx.load(tmp_path / "solution.zarr"), without_origin(solution))


def test_a_map(tmp_path):
    dmap = bx.dynamical_map(qubit(), TS, bx.VanHove())
    bx.save(dmap, tmp_path / "map.zarr")
    found = bx.load(tmp_path / "map.zarr")
    assert eqx.tree_equal(found, dmap)
    np.testing.assert_array_equal(found.choi(), dmap.choi())


def test_what_is_there_is_kept(fit, tmp_path):
    for result, name in ((fit, "fit.json"), (damped(0.02), "solution.zarr")):
        path = tmp_path / name
        bx.save(result, path)
        with pytest.raises(StoreError, match=f"`{path}` exists; use --force"):
            bx.save(result, path)
        bx.save(result, path, overwrite=True)


@pytest.mark.slow
def test_what_cannot_be_saved(tmp_path):
    batch = jax.vmap(damped)(jnp.array([0.01, 0.02]))
    with pytest.raises(ValueError, match="must be one solution or map of known numbers"):
        bx.save(batch, tmp_path / "batch.zarr")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "bathax fit, version 1"}, "has the format `bathax fit, version 1`, but must"),
        ({"format": "another"}, "does not hold the result of a fit"),
        ({"data": {}}, "does not hold the whole result of a fit"),
    ],
)
def test_what_is_no_whole_fit(fit, tmp_path, change, words):
    path = tmp_path / "fit.json"
    fit.save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(StoreError, match=words):
        bx.load(path)
