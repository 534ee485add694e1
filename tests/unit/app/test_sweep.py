"""`bathax sweep`, `show` and `export`, in processes of their own where that is the point."""

import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import xarray

from bathax.app import cli, config
from bathax.app.config import StudyError

SWEEP = """
[solver]
kind = "born_markov"

[sweep]
quantities = ["energy", "critical_coupling"]
derivatives = ["reservoir.0.spectral_density.eta"]

[sweep.axes]
"reservoir.0.spectral_density.eta" = { start = 0.001, stop = 0.1, points = 2, spacing = "log" }
"reservoir.0.temperature" = { values = [1.0, -1.0], along = "run", name = "kT0" }
"reservoir.0.spectral_density.exponent" = { values = [1.0, 2.0], along = "run" }
"""
# Cheap to compile, and of as many points as the axis says.
QUICK = """
[sweep]
quantities = ["critical_coupling"]
axes = { "reservoir.0.spectral_density.eta" = { start = 0.01, stop = 1.0, points = 2000 } }
"""


@pytest.fixture
def write(tmp_path, study_text):
    def write(sweep):
        path = tmp_path / "sweep.toml"
        path.write_text(study_text + sweep)
        return path

    return write


@pytest.fixture
def call(capsys):
    def main(*arguments):
        status = cli.main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return main


def command(*arguments, devices=1, **options):
    """The command in a process of its own, with so many devices."""
    line = [sys.executable, "-c", "from bathax.app.cli import main; raise SystemExit(main())"]
    line += map(str, ["sweep", *arguments, "--devices", devices])
    pipe = subprocess.PIPE
    return subprocess.Popen(line, stdout=pipe, stderr=pipe, text=True, **options)


def run(*arguments, **options):
    process = command(*arguments, **options)
    stdout, stderr = process.communicate()
    return process.returncode, stdout, stderr


def contents(path):
    files = (file for file in path.rglob("*") if file.is_file())
    return {file.relative_to(path): file.read_bytes() for file in files}


# --- One sweep, shown and exported -------------------------------------------------------------


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    from tests.unit.app.conftest import STUDY

    folder = tmp_path_factory.mktemp("swept")
    (folder / "sweep.toml").write_text(STUDY + SWEEP)
    arguments = [folder / "sweep.toml", "--out", folder / "sweep.zarr"]
    return folder / "sweep.zarr", *run(*arguments)


@pytest.mark.slow
def test_the_store(swept):
    path, status, stdout, stderr = swept
    found = xarray.open_zarr(path, consolidated=False).load()
    assert (status, stdout) == (1, f"Written to {path}\n")
    assert stderr == "bathax: warning: 2 of 4 points failed: 2 invalid.\n"
    assert dict(found.sizes) == {"eta": 2, "run": 2, "time": 11}
    assert set(found.coords) == {"eta", "kT0", "exponent", "time"}
    assert found.kT0.attrs == {"long_name": "reservoir.0.temperature", "units": "energy"}
    assert "units" not in found.eta.attrs
    np.testing.assert_array_equal(found.status, [[0, 2], [0, 2]])
    # eta_c of an Ohmic reservoir is w_s / w_c; the factor on J is that over eta.
    np.testing.assert_allclose(found.critical_coupling[:, 0], 0.2 / found.eta, rtol=1e-12)
    np.testing.assert_allclose(
        found.critical_coupling_by_eta[:, 0], -0.2 / found.eta**2, rtol=1e-12
    )
    assert found.attrs["definition"]["sweep"]["axes"]["reservoir.0.temperature"]["name"] == "kT0"


@pytest.mark.slow
def test_show(swept, call, tmp_path):
    status, stdout, stderr = call("show", swept[0], "--figure", tmp_path / "figure")
    assert (status, stderr) == (0, "")
    lines = stdout.splitlines()
    assert "eta                             0.001 to 0.1          2 values" in stdout
    assert any(line.startswith("kT0") and line.endswith("2 values, along run") for line in lines)
    assert "           2 points: A parameter is outside its range" in stdout
    assert (tmp_path / "figure.png").stat().st_size > 1_000


def test_export(swept, call, tmp_path):
    status, _, stderr = call("export", swept[0], tmp_path / "sweep.nc")
    assert (status, stderr) == (0, "")
    found = xarray.open_dataset(tmp_path / "sweep.nc", engine="h5netcdf")
    original = xarray.open_zarr(swept[0], consolidated=False)
    np.testing.assert_array_equal(found.energy, original.energy)
    found.close()
    status, _, stderr = call("export", swept[0], tmp_path / "sweep.nc")
    assert status == 2
    assert stderr.endswith("sweep.nc` exists; use --force (`overwrite=True`) to replace it.\n")
    assert call("export", swept[0], tmp_path / "sweep.nc", "--force")[0] == 0
    status, _, stderr = call("export", swept[0], tmp_path / "no folder" / "sweep.nc")
    assert status == 2
    assert stderr.endswith("no folder` does not exist.\n")


def test_what_cannot_be_shown(call, tmp_path):
    status, _, stderr = call("show", tmp_path / "nothing.zarr")
    sentence = f"Result `{tmp_path / 'nothing.zarr'}` does not exist."
    assert (status, stderr) == (2, f"bathax: error: {sentence}\n")


def test_an_existing_sweep_is_noticed_before_jax_is_imported(swept):
    path = swept[0]
    code = f"""
import sys
from bathax.app.cli import main
print(main(["sweep", {str(path.with_name("sweep.toml"))!r}, "--out", {str(path)!r}]))
print("jax" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    remedy = "use --resume to go on with it or --force (`overwrite=True`) to replace it"
    assert done.stderr == f"bathax: error: Result `{path}` exists; {remedy}.\n"
    assert done.stdout == "2\nFalse\n"


# --- Study files -------------------------------------------------------------------------------

AXIS = '"reservoir.0.temperature" = {{ {} }}'


@pytest.mark.parametrize(
    ("quantities", "axes", "sentence"),
    [
        ("[]", "", "Argument `sweep.quantities` must be one or more names, but is []."),
        ('["energy"]', "", "Argument `sweep.axes` must be a table of one axis or more, but is "),
        ('["p11"]', AXIS.format("values = [1.0]"), "Argument `sweep.quantities` must be among `u`"),
        (
            '["energy"]',
            AXIS.format("start = 1.0"),
            "Argument `sweep.axes.reservoir.0.temperature` must be a list of `values`, or `start`, "
            "`stop` and `points` with or without `spacing`, but is `start`.",
        ),
        (
            '["energy"]',
            AXIS.format('start = 0.0, stop = 1.0, points = 3, spacing = "log"'),
            "Argument `sweep.axes.reservoir.0.temperature.start` must be positive for a spacing of "
            "`log`, but is 0.0.",
        ),
        (
            '["energy"]',
            AXIS.format('values = [1.0], name = "energy"'),
            "Argument `sweep.axes.reservoir.0.temperature.name` must be a name that is not taken, "
            "but is 'energy'.",
        ),
        (
            '["energy"]',
            '"reservoir.0.temperatur" = { values = [1.0] }',
            "Unknown key `sweep.axes.reservoir.0.temperatur`; did you mean `temperature`?",
        ),
        (
            '["energy"]',
            '"reservoir.1.temperature" = { values = [1.0] }',
            "Unknown key `sweep.axes.reservoir.1`; it must be `0`.",
        ),
        (
            '["energy"]',
            '"time.stop" = { values = [1.0] }',
            "Unknown key `sweep.axes.time`; it must be `system`, `reservoir` or `start`.",
        ),
        (
            '["energy"]',
            '"system.initial.fock" = { values = [1.0] }',
            "Argument `sweep.axes.system.initial.fock` must be the path of a number that varies "
            "continuously, but is 'system.initial.fock'.",
        ),
        # An axis that the study would ignore.
        (
            '["energy"]',
            '"system.initial.thermal" = { values = [1.0] }',
            "Argument `system.initial` must be one of `fock`, `mixture`, ",
        ),
    ],
)
def test_refusals(study_text, tmp_path, quantities, axes, sentence):
    text = f"{study_text}\n[sweep]\nquantities = {quantities}\n[sweep.axes]\n{axes}\n"
    with pytest.raises(StudyError) as caught:
        config.parse(text, tmp_path)
    assert str(caught.value).startswith(sentence)


def test_a_study_without_a_sweep(call, study_file, tmp_path):
    status, _, stderr = call("sweep", study_file, "--out", tmp_path / "sweep.zarr")
    assert status == 2
    assert stderr == "bathax: error: Missing key `sweep`, which must be a table.\n"


# --- Processes ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """A study of 2,000 points, and its store from one undisturbed process."""
    from tests.unit.app.conftest import STUDY

    folder = tmp_path_factory.mktemp("quick")
    (folder / "sweep.toml").write_text(STUDY + QUICK)
    status, _, stderr = run(folder / "sweep.toml", "--out", folder / "whole.zarr")
    assert (status, stderr) == (0, "")
    return folder / "sweep.toml", contents(folder / "whole.zarr")


@pytest.mark.slow
def test_two_processes_write_the_same_store(quick, tmp_path):
    study, whole = quick
    path = tmp_path / "sweep.zarr"
    status, stdout, stderr = run(study, "--out", path, "--processes", 2, "--log")
    assert (status, stdout.splitlines()[-1]) == (0, f"Written to {path}")
    assert stderr.count("bathax: box 1 of 8") == 2
    assert contents(path) == whole


@pytest.mark.slow
def test_two_devices_give_the_same_numbers(quick, tmp_path):
    study, _ = quick
    path = tmp_path / "sweep.zarr"
    assert run(study, "--out", path, devices=2)[0] == 0
    found = xarray.open_zarr(path, consolidated=False).load()
    np.testing.assert_allclose(found.critical_coupling, 0.2 / found.eta, rtol=1e-12)


@pytest.mark.slow
def test_killed_and_resumed(quick, tmp_path):
    study, whole = quick
    path, draw = tmp_path / "sweep.zarr", random.Random(5)
    for _ in range(3):
        process = command(study, "--out", path, "--resume")
        while process.poll() is None and not (path / "status" / "c").exists():
            time.sleep(0.01)
        time.sleep(draw.uniform(0.0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    before = {name: (path / name).stat().st_mtime_ns for name in whole if (path / name).exists()}
    done = [name for name in before if name.parts[:2] == ("status", "c")]
    assert len(done) > 0
    status, _, _ = run(study, "--out", path, "--resume")
    assert status == 0
    assert contents(path) == whole
    after = {name: (path / name).stat().st_mtime_ns for name in done}
    assert after == {name: before[name] for name in done}


@pytest.mark.slow
def test_a_sweep_is_not_resumed_with_another_file(quick, tmp_path):
    study, path = tmp_path / "sweep.toml", tmp_path / "sweep.zarr"
    study.write_text(quick[0].read_text().replace("fock = 2", 'density_matrix = "rho.npy"'))
    np.save(tmp_path / "rho.npy", np.diag([1.0, 0.0]))
    assert run(study, "--out", path)[0] == 0
    whole = contents(path)
    np.save(tmp_path / "rho.npy", np.diag([0.0, 1.0]))
    status, _, stderr = run(study, "--out", path, "--resume")
    assert status == 2
    words = "is of another sweep: `files.system.initial.density_matrix` is 'rho.npy, SHA-256 "
    assert f"Result `{path}` {words}" in stderr
    assert contents(path) == whole
    np.save(tmp_path / "rho.npy", np.diag([1.0, 0.0]))
    assert run(study, "--out", path, "--resume")[0] == 0


@pytest.mark.slow
def test_a_failing_process_stops_the_others(quick, tmp_path):
    study, _ = quick
    (tmp_path / "sweep.zarr").mkdir()
    status, _, stderr = run(study, "--out", tmp_path / "sweep.zarr", "--processes", 2)
    assert status == 2
    assert "exists and does not hold a bathax result" in stderr
