"""Results of any dimensions, in words and drawn."""

import numpy as np
import pytest
import xarray
from matplotlib.figure import Figure

import bathax as bx
from bathax.plot import parts, results
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


TS = np.linspace(0.0, 60.0, 121)


def test_a_solution_shows_state_functions_first_with_a_gap_at_the_pole_of_t():
    cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.01, 5.0), temperature=3.0))
    solution = bx.solve(cavity, bx.Fock(5), TS, bx.BornMarkov())
    figure = solution.plot()
    names = ["energy", "entropy", "temperature", "free_energy", "number", "populations"]
    assert [ax.get_title() for ax in figure.axes] == names
    assert figure.axes[0].get_xlabel() == parts.TIME
    entropy, temperature = (ax.lines[0].get_ydata() for ax in figure.axes[1:3])
    assert len(entropy) == len(TS)
    assert np.isnan(temperature).sum() == 1
    # All of S is seen, and of T the bulk.
    assert figure.axes[1].get_ylim()[0] < 0.0
    low, high = figure.axes[2].get_ylim()
    assert high - low < 0.1 * np.ptp(np.asarray(solution.temperature)[1:])


def test_several_modes_show_populations_pairs_and_currents(of_modes):
    axes = of_modes.plot().axes
    panels = [ax for ax in axes if ax.get_title()]
    names = ["n_ii", "n", "particle_current", "energy_current", "energy", "entropy"]
    assert [ax.get_title() for ax in panels] == names
    assert [len(ax.lines) for ax in panels] == [2, 0, 2, 2, 1, 1]
    assert panels[0].get_ylabel() == "$n_{i,i}$"
    assert [label.get_text() for label in panels[1].get_yticklabels()] == ["0,0", "1,1", "0,1"]
    assert panels[1].collections[0].get_array().shape == (3, len(of_modes.t))


def test_one_level_has_no_pairs():
    dataset = xarray.Dataset({"n": (("time", "mode", "other_mode"), np.ones((3, 1, 1), complex))})
    assert [ax.get_title() for ax in results.overview(dataset).axes] == ["n_ii"]


def test_a_map_shows_its_rates():
    qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.01, 5.0), temperature=1.0))
    axes = Figure().subplots(3, 2)
    figure = bx.dynamical_map(qubit, TS, bx.VanHove()).plot(axes)
    assert figure is axes[0, 0].figure
    shown = [ax.get_title() for ax in axes.flat]
    assert shown == ["coherence", "determinant", "gamma_minus", "gamma_plus", "gamma_z", "shift"]


def test_derivatives_in_a_map_have_a_diverging_scale():
    a, b = np.linspace(0.1, 1.0, 10), np.linspace(-1.0, 1.0, 11)
    values = np.outer(a, b) + 0.3
    values[0, 0] = 1e6
    dataset = xarray.Dataset(
        {"x": (("a", "b"), values), "x_by_a": (("a", "b"), values)}, {"a": a, "b": b}
    )
    plain, derivative = (ax.collections[0] for ax in results.overview(dataset).axes[:2])
    assert plain.get_cmap().name != derivative.get_cmap().name == "RdBu_r"
    assert plain.get_clim() != derivative.get_clim()
    low, high = derivative.get_clim()
    assert -low == high < 10.0
