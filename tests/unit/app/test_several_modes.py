"""The command with several modes: run, show, export, sweep, fit, critical; a solution read back."""

import subprocess
import sys

import numpy as np
import pytest
import xarray

import bathax as bx
from bathax.app import cli
from tests.unit.app.test_modes_config import LEFT, RIGHT, study_of

# Few points, in place of a search for their number.
SOLVER = """
[solver]
kind = "volterra"
points = 512
rtol = 1e-6
"""
FIT = """
[fit]
free = ["system.energy"]
starts = 1
"""
SWEEP = """
[sweep]
quantities = ["steady_particle_current", "steady_n_0_0", "current_noise", "particle_current_1"]
derivatives = ["system.energy"]

[sweep.axes]
"reservoir.0.chemical_potential" = { values = [0.0, 0.5], name = "mu" }
"system.energy" = { values = [0.0, 0.3], name = "e" }
"""


@pytest.fixture
def call(capsys):
    def main(*arguments):
        status = cli.main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return main


@pytest.fixture
def write(tmp_path):
    def write(tables):
        path = tmp_path / "study.toml"
        path.write_text(study_of("level", SOLVER + tables))
        return path

    return write


def solved(energy):
    ts = np.linspace(0.0, 5.0, 11)
    dot = bx.resonant_level(energy, [LEFT, RIGHT])
    return bx.solve(dot, bx.Covariance([[0.0]]), ts, bx.Volterra(rtol=1e-6, points=512))


@pytest.mark.slow
def test_run_show_and_export(write, call, tmp_path):
    path = tmp_path / "level.zarr"
    status, stdout, stderr = call("run", write(""), "--out", path)
    assert (status, stderr) == (0, "")
    names = ["t", "N", "E", "S", "T", "particle_current_0", "particle_current_1"]
    assert stdout.splitlines()[0].split() == names
    expected = solved(0.3)
    found = bx.load(path)
    assert isinstance(found, bx.LinearSolution)
    for name in (
        "n",
        "u",
        "particle_current",
        "energy_current",
        "interaction_energy",
        "temperature",
    ):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    np.testing.assert_array_equal(found.initial.n, [[0.0]])
    status, stdout, _ = call("show", path)
    assert status == 0
    assert "particle_current" in stdout
    assert (tmp_path / "level.png").stat().st_size > 1_000
    assert call("export", path, tmp_path / "level.nc")[0] == 0
    with xarray.open_dataset(tmp_path / "level.nc", engine="h5netcdf") as exported:
        np.testing.assert_array_equal(exported.n_real[:, 0, 0], expected.number)


@pytest.mark.slow
def test_a_sweep(write, call, tmp_path):
    path = tmp_path / "sweep.zarr"
    command = [sys.executable, "-c", "from bathax.app.cli import main; raise SystemExit(main())"]
    command += ["sweep", write(SWEEP), "--out", path, "--devices", "1"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    found = xarray.open_zarr(path, consolidated=False).load()
    assert found.steady_particle_current.dims == ("mu", "e", "channel")
    assert found.current_noise.dims == ("mu", "e", "channel", "other_channel")
    assert found.steady_n_0_0.dims == found.steady_n_0_0_by_e.dims == ("mu", "e")
    assert found.particle_current_1.dims == ("mu", "e", "time")
    end = bx.steady_state(bx.resonant_level(0.3, [LEFT, RIGHT]))
    last = found.isel(mu=1, e=1)
    np.testing.assert_allclose(last.steady_particle_current, end.particle_current, rtol=1e-10)
    np.testing.assert_allclose(last.steady_n_0_0, end.n[0, 0].real, rtol=1e-10)
    late = solved(0.3).particle_current[:, 1]
    np.testing.assert_allclose(last.particle_current_1, late, atol=1e-10)
    assert call("show", path)[0] == 0


@pytest.mark.slow
def test_a_fit_to_a_current_and_a_population_finds_a_negative_energy(write, call, tmp_path):
    sol = solved(-0.15)
    rows = zip(sol.t, sol.particle_current[:, 1], sol.number, strict=True)
    lines = "".join(f"{t},{current},1e-3,{n},1e-3\n" for t, current, n in rows)
    header = "t,particle_current_1,particle_current_1_error,n_0_0,n_0_0_error\n"
    data, out = tmp_path / "data.csv", tmp_path / "fit.json"
    data.write_text(header + lines)
    status, stdout, stderr = call("fit", write(FIT), data, "--out", out)
    assert (status, stderr) == (0, "")
    assert stdout.splitlines()[2].split()[:2] == ["system.energy", "-0.15"]
    assert (tmp_path / "fit.png").stat().st_size > 1_000


def test_columns_that_are_not_measured_of_modes_are_refused(write, call, tmp_path):
    (tmp_path / "data.csv").write_text("t,particle_current_2\n1,2\n")
    status, _, stderr = call("fit", write(FIT), tmp_path / "data.csv", "--out", tmp_path / "f.json")
    assert status == 2
    assert "columns named like quantities of several modes" in stderr


def test_bound_states_are_critical_points(write, call):
    status, stdout, stderr = call("critical", write(""))
    assert (status, stderr) == (0, "")
    assert stdout.split()[:4] == ["number", "of", "bound", "states"]
