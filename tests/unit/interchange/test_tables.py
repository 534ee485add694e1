"""Datasets and data frames: the numbers, their names, units, errors and how they ended."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray

import bathax as bx
from bathax.studies.lookup import attribute_of
from bathax.studies.quantities import OF_MAP, OF_SOLUTION

TS = jnp.linspace(0.0, 4.0, 9)
BATH = bx.Reservoir(bx.Ohmic(0.02, 5.0), temperature=0.5)


def solved(frequency=1.0):
    return bx.solve(bx.Cavity(frequency, BATH), bx.Fock(2), TS, bx.BornMarkov())


def of_a_qubit():
    return bx.solve(bx.Qubit(1.0, BATH), bx.Bloch(0.6, 0.0, 0.2), TS, bx.VanHove())


def mapped():
    return bx.dynamical_map(bx.Qubit(1.0, BATH), TS, bx.VanHove())


CASES = (
    (solved, "cavity", OF_SOLUTION),
    (of_a_qubit, "qubit", OF_SOLUTION),
    (mapped, "qubit", OF_MAP),
)


@pytest.mark.parametrize(("make", "kind", "table"), CASES)
def test_all_quantities_of_the_table_are_there(make, kind, table):
    result = make()
    dataset, frame = result.to_dataset(), result.to_dataframe()
    np.testing.assert_array_equal(dataset.time, TS)
    assert frame.index.name == "time"
    for name, row in table.items():
        if kind not in row.systems:
            continue
        own = attribute_of(name)
        about = dataset[own].attrs
        assert (about["long_name"], about["units"]) == (row.long_name, row.unit.name)
        if not row.has_levels:
            np.testing.assert_array_equal(dataset[own], getattr(result, own))
            np.testing.assert_array_equal(frame[own], getattr(result, own))
            assert frame.attrs["units"][own] == row.unit.name
        if hasattr(result.error, own):
            np.testing.assert_array_equal(frame[f"{own}_error"], getattr(result.error, own))
    assert frame.attrs["status"] == dataset.attrs["status"] == 0
    assert frame.attrs["message"] == result.message


def test_several_modes(of_modes):
    dataset, frame = of_modes.to_dataset(), of_modes.to_dataframe()
    assert dataset.n.dims == ("time", "mode", "other_mode")
    assert dataset.energy_current.dims == ("time", "channel")
    assert dataset.particle_current.attrs["units"] == "energy"
    for name in ("n", "number", "particle_current", "interaction_energy"):
        np.testing.assert_array_equal(dataset[name], getattr(of_modes, name))
        np.testing.assert_array_equal(dataset[f"{name}_error"], getattr(of_modes.error, name))
    np.testing.assert_array_equal(frame.energy_current_1, of_modes.energy_current[:, 1])
    error = of_modes.error.energy_current[:, 1]
    np.testing.assert_array_equal(frame.energy_current_1_error, error)
    assert "n" not in frame


def test_a_fit():
    data = bx.Data(TS, energy=(5.0 * np.exp(-0.2 * TS), 0.1))
    found = bx.fit(
        lambda rate, unused: {"energy": 5.0 * jnp.exp(-rate * TS) + 0.0 * unused},
        data,
        {"rate": 0.5, "unused": 1.0},
        starts=1,
    )
    dataset, frame = found.to_dataset(), found.to_dataframe()
    assert isinstance(dataset, xarray.Dataset)
    assert list(frame.index) == found.labels
    np.testing.assert_allclose(frame.value["rate"], found.parameters["rate"])
    np.testing.assert_allclose(frame.error["rate"], found.errors["rate"])
    assert np.isnan(frame.value["unused"])
    np.testing.assert_array_equal(dataset.covariance, found.covariance)
    assert frame.attrs["message"] == found.message


def test_a_batch_is_refused():
    batch = jax.vmap(solved)(jnp.array([1.0, 2.0]))
    with pytest.raises(ValueError, match="must be one solution or map of known numbers"):
        batch.to_dataset()
