"""Results of any dimensions, in words and drawn."""

import numpy as np
import pytest
import xarray

from bathax.plot import results
from bathax.studies.summaries import summary


@pytest.mark.parametrize("dims", [(), ("a",), ("a", "time"), ("a", "b", "time"), ("a", "level")])
def test_a_figure_of_any_dimensions(dims):
    sizes = {"a": 3, "b": 4, "time": 5, "level": 2}
    shape = [sizes[name] for name in dims]
    values = np.arange(np.prod(shape, initial=1.0)).reshape(shape)
    dataset = xarray.Dataset(
        {"x": (dims, values), "z": (dims, 1j * values), "x_error": (dims, values)},
        {name: np.geomspace(1.0, 100.0, sizes[name]) for name in dims},
        {"format": "a test", "bathax_version": "0", "message": "done"},
    )
    figure = results.overview(dataset)
    assert [ax.get_title().split(",")[0] for ax in figure.axes if ax.get_title()] == ["x", "z"]
    assert "x_error" not in summary(dataset)


def test_a_figure_has_the_symbols_of_the_table():
    """Of a complex quantity the modulus is drawn; others have no symbol."""
    words = {"energy": "internal energy E", "u": "amplitude function u(t)", "x": "another"}
    values = {"energy": np.ones(3), "u": 1j * np.ones(3), "x": np.ones(3)}
    dataset = xarray.Dataset(
        {name: ("time", values[name], {"long_name": words[name]}) for name in words}
    )
    figure = results.overview(dataset)
    assert [ax.get_ylabel() for ax in figure.axes[:3]] == ["$E$", "$|u|$", ""]
