"""The figure of a fit: residuals below what they belong to, on one axis of time, no empty panel."""

import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.plot.fit import View, fitted, view_of
from bathax.studies.fit.result import Band

TIMES = np.array([2.0, 0.5, 1.0, 3.0, 1.0])


def model(rate, phase, t):
    wave = jnp.exp(-rate * t).astype(complex) * jnp.exp(1j * (phase * t).astype(complex))
    return {"z": wave, "energy": jnp.exp(-2.0 * rate * t)}


@pytest.fixture(scope="module")
def fit():
    """Of a complex and a real quantity, of which the last is off by half an error."""
    truth = model(0.3, 0.7, jnp.asarray(TIMES))
    data = bx.Data(TIMES, z=(truth["z"], 1e-4), energy=(truth["energy"] + 0.5, 1.0))
    return bx.fit(
        lambda rate, phase: model(rate, phase, data.t), data, {"rate": 0.2, "phase": 0.6}, starts=1
    )


def test_residuals_and_curves_belong_to_their_quantity(fit):
    energy, wave = view_of(fit).panels
    assert (energy.name, wave.name) == ("energy", "z")
    np.testing.assert_allclose(energy.residuals, [np.full(5, -0.5)], atol=1e-4)
    np.testing.assert_allclose(wave.residuals, np.zeros((2, 5)), atol=1e-4)
    np.testing.assert_allclose(wave.curve.value, np.exp(-0.3 * wave.times), rtol=1e-6)
    np.testing.assert_allclose(energy.curve.value, np.exp(-0.6 * energy.times), rtol=1e-6)
    np.testing.assert_array_equal(wave.measured, TIMES)


def test_a_fit_from_a_file_has_the_same_curves(fit, tmp_path):
    fit.save(tmp_path / "fit.json")
    loaded = view_of(bx.load(tmp_path / "fit.json"))
    for one, same in zip(view_of(fit).panels, loaded.panels, strict=True):
        np.testing.assert_allclose(one.curve.value, same.curve.value, rtol=1e-12)
        np.testing.assert_array_equal(one.residuals, same.residuals)
    assert len(bx.load(tmp_path / "fit.json").plot().axes) == 4


def test_several_runs_have_their_own_panels():
    runs = [bx.Data(TIMES[:3], energy=(np.exp(-TIMES[:3]), 0.1)) for _ in range(2)]
    results = lambda rate: [{"energy": jnp.exp(-rate * run.t)} for run in runs]  # noqa: E731
    found = bx.fit(results, runs, {"rate": 0.5}, starts=1)
    assert [panel.name for panel in view_of(found).panels] == ["energy", "energy"]


def test_no_panel_is_empty_and_times_are_shared(fit):
    w = np.linspace(0.1, 2.0, 20)
    view = view_of(fit)
    density = (w, Band(w, 0.1 * w))
    figure = fitted(View(view.panels, density, ["A sentence of warning."]))
    assert len(figure.axes) == 5
    assert all(ax.has_data() and ax.axison for ax in figure.axes)
    above, below = figure.axes[:2], figure.axes[2:4]
    for one, other in zip(above, below, strict=True):
        assert one.get_shared_x_axes().joined(one, other)
    assert figure.get_suptitle() == "A sentence of warning."
    figure.canvas.draw()
    heights = [ax.get_position().height for ax in (above[0], figure.axes[-1])]
    assert heights[1] > 1.4 * heights[0]


def test_given_axes_are_used(fit):
    own = fit.plot().axes
    figure = fit.plot(own)
    assert figure is own[0].figure
    assert len(own[0].lines) == 4


def test_units_of_an_experiment(fit):
    units = bx.Units("meV")
    energy, wave, *below = fit.plot(units=units).axes
    assert energy.get_ylabel() == "$E$ (meV)"
    assert wave.get_ylabel() == "z"
    assert below[0].get_xlabel() == "$t$ (ps)"
    plain = fit.plot().axes[0].lines[-1]
    np.testing.assert_allclose(energy.lines[-1].get_xdata(), plain.get_xdata() / units["ps"])
    np.testing.assert_allclose(energy.lines[-1].get_ydata(), plain.get_ydata() / units["meV"])
