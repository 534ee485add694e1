"""Results on disk: what goes in comes out, and nothing is ever half there."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import xarray
import zarr

import bathax
from bathax.app import store
from bathax.studies.lookup import names_of
from bathax.studies.quantities import OF_SOLUTION
from bathax.studies.store import SOLUTION, StoreError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "result.zarr"


def names_in(folder):
    return sorted(item.name for item in folder.iterdir())


def test_round_trip(solution, path):
    written = store.save(solution, path, "the study")
    read = store.load(path)
    xarray.testing.assert_identical(read, written)
    assert dict(read.sizes) == {"time": 11, "level": 4}
    assert read.populations.dims == ("time", "level")
    assert read.u.dtype == complex
    np.testing.assert_array_equal(read.u, solution.u)
    np.testing.assert_array_equal(read.time, solution.t)
    np.testing.assert_array_equal(read.energy_error, solution.error.energy)
    np.testing.assert_array_equal(read.temperature_resolved, solution.temperature_resolved)


def test_a_qubit_has_its_own_quantities(qubit_solution, path):
    written = store.save(qubit_solution, path, "the study")
    read = store.load(path)
    xarray.testing.assert_identical(read, written)
    found = [name for name in read.data_vars if not name.endswith("_error")]
    assert found == [name for name in OF_SOLUTION if name in names_of("qubit")]
    assert dict(read.sizes) == {"time": 11, "level": 2}
    np.testing.assert_array_equal(read.coherence, qubit_solution.coherence)
    np.testing.assert_array_equal(read.populations[:, 1], qubit_solution.number)
    np.testing.assert_array_equal(read.coherence_error, qubit_solution.error.coherence)


def test_attributes(solution, path):
    solution.status, solution.message = 3, "not converged"
    files = {"reservoir.0.spectral_density.file": "j.csv, SHA-256 1"}
    store.save(solution, path, "the study", files=files)
    assert store.load(path).attrs == {
        "format": SOLUTION,
        "bathax_version": bathax.__version__,
        "jax_version": pytest.importorskip("jax").__version__,
        "study": "the study",
        "files": {"reservoir.0.spectral_density.file": "j.csv, SHA-256 1"},
        "initial": {"kind": "Mixture", "probabilities": [0.0, 0.0, 1.0]},
        "status": 3,
        "message": "not converged",
    }


def test_every_variable_has_a_name_and_units(solution, path):
    store.save(solution, path, "")
    read = store.load(path)
    assert set(OF_SOLUTION) & set(read.data_vars) == set(OF_SOLUTION) & set(names_of("cavity"))
    assert {name for name in read.data_vars if name.endswith("_error")} == {
        f"{name}_error" for name in vars(solution.error)
    }
    for variable in read.variables.values():
        assert set(variable.attrs) == {"long_name", "units"}
    assert read.energy_error.attrs == {"long_name": "error estimate of energy", "units": "energy"}


def test_non_finite_values_survive(solution, path):
    solution.temperature[:3] = np.nan, np.inf, -np.inf
    store.save(solution, path, "")
    np.testing.assert_array_equal(store.load(path).temperature, solution.temperature)


def test_the_format_is_zarr_3(solution, path):
    store.save(solution, path, "")
    assert zarr.open_group(path, mode="r").metadata.zarr_format == 3


def test_an_earlier_result_is_replaced_only_on_request(solution, path):
    store.save(solution, path, "first")
    with pytest.raises(StoreError) as caught:
        store.save(solution, path, "second")
    assert (
        str(caught.value)
        == f"Result `{path}` exists; use --force (`overwrite=True`) to replace it."
    )
    assert store.load(path).study == "first"
    store.save(solution, path, "second", overwrite=True)
    assert store.load(path).study == "second"
    assert names_in(path.parent) == ["result.zarr"]


def make_file(path):
    path.write_text("precious")


def make_folder(path):
    path.mkdir()
    (path / "precious").touch()


def make_other_group(path):
    zarr.create_group(path, attributes={"format": "another"})


def make_array(path):
    zarr.create_array(path, shape=(2,), dtype="f8")


def make_broken_metadata(path):
    path.mkdir()
    (path / "zarr.json").write_text("{}")


def make_garbage_metadata(path):
    path.mkdir()
    (path / "zarr.json").write_text("{")


FOREIGN = [
    make_file,
    make_folder,
    make_other_group,
    make_array,
    make_broken_metadata,
    make_garbage_metadata,
]


@pytest.mark.parametrize("make", FOREIGN)
@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_not_a_result_is_never_replaced(solution, path, make, overwrite):
    make(path)
    with pytest.raises(StoreError) as caught:
        store.save(solution, path, "", overwrite=overwrite)
    assert str(caught.value) == f"Path `{path}` exists and does not hold a bathax result."
    assert path.exists()


@pytest.mark.parametrize("make", FOREIGN)
def test_what_is_not_a_result_is_not_loaded(path, make):
    make(path)
    with pytest.raises(StoreError) as caught:
        store.load(path)
    assert str(caught.value) == f"Path `{path}` does not hold a bathax result."


def test_what_is_not_there_is_not_loaded(path):
    with pytest.raises(StoreError) as caught:
        store.load(path)
    assert str(caught.value) == f"Result `{path}` does not exist."


def test_missing_folder(solution, tmp_path):
    with pytest.raises(StoreError) as caught:
        store.save(solution, tmp_path / "absent" / "result.zarr", "")
    assert str(caught.value) == f"Folder `{tmp_path / 'absent'}` does not exist."


def test_a_folder_that_cannot_be_written_to(solution, path, monkeypatch):
    # The superuser may write anywhere, so the answer of the system is put in its mouth.
    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(StoreError) as caught:
        store.save(solution, path, "")
    assert str(caught.value) == f"Folder `{path.parent}` cannot be written to: Permission denied."


@pytest.mark.parametrize("before", ["", "first"])
def test_a_kill_while_writing_leaves_nothing_for_the_next_time(solution, path, before):
    if before:
        store.save(solution, path, before)
    killed = f"""
import os, signal
from pathlib import Path
from bathax.studies.store import write_files
class Killing:
    def to_bytes(self):
        os.kill(os.getpid(), signal.SIGKILL)
write_files({{"zarr.json": Killing()}}, Path({str(path)!r}))
"""
    assert subprocess.run([sys.executable, "-c", killed]).returncode == -signal.SIGKILL
    assert names_in(path.parent) == [".result.zarr.partial", *["result.zarr"] * bool(before)]
    store.save(solution, path, "second", overwrite=True)
    assert names_in(path.parent) == ["result.zarr"]


def test_a_kill_between_two_results_brings_the_first_one_back(solution, path):
    store.save(solution, path, "first")
    staging = path.with_name(".result.zarr.partial")
    staging.mkdir()
    path.rename(staging / "old")
    with pytest.raises(StoreError, match="exists; use --force"):
        store.save(solution, path, "second")
    assert store.load(path).study == "first"
    assert names_in(path.parent) == ["result.zarr"]


def fail_halfway(error):
    """A `write_bytes` that writes and then fails."""
    write = Path.write_bytes

    def write_bytes(path, content):
        write(path, content)
        raise error

    return write_bytes


ERRORS = [OSError(28, "No space left on device"), RuntimeError("boom"), KeyboardInterrupt()]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("earlier", [False, True])
def test_an_interrupted_write_leaves_no_trace(solution, path, monkeypatch, error, earlier):
    if earlier:
        store.save(solution, path, "first")
    monkeypatch.setattr(Path, "write_bytes", fail_halfway(error))
    with pytest.raises((StoreError, type(error))):
        store.save(solution, path, "second", overwrite=True)
    assert names_in(path.parent) == ["result.zarr"] * earlier
    if earlier:
        assert store.load(path).study == "first"


def test_a_full_disk_is_reported_in_a_sentence(solution, path, monkeypatch):
    monkeypatch.setattr(Path, "write_bytes", fail_halfway(ERRORS[0]))
    with pytest.raises(StoreError) as caught:
        store.save(solution, path, "")
    assert str(caught.value) == f"Result `{path}` cannot be written: No space left on device."


@pytest.mark.parametrize("after", [False, True])
def test_an_interrupted_replacement_keeps_one_whole_result(solution, path, monkeypatch, after):
    store.save(solution, path, "first")
    rename = type(path).rename

    def interrupted(self, target):
        if self.name == "new":
            if after:
                rename(self, target)
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(type(path), "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.save(solution, path, "second", overwrite=True)
    assert store.load(path).study == ("second" if after else "first")
    assert names_in(path.parent) == ["result.zarr"]


def press_ctrl_c(monkeypatch, times):
    write, left = Path.write_bytes, iter(range(times))

    def write_bytes(path, content):
        for _ in left:
            signal.raise_signal(signal.SIGINT)
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", write_bytes)


def test_ctrl_c_waits_for_the_write(solution, path, monkeypatch):
    press_ctrl_c(monkeypatch, 1)
    with pytest.raises(KeyboardInterrupt):
        store.save(solution, path, "whole")
    assert store.load(path).study == "whole"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_twice_does_not_wait(solution, path, monkeypatch):
    press_ctrl_c(monkeypatch, 2)
    with pytest.raises(KeyboardInterrupt):
        store.save(solution, path, "")
    assert names_in(path.parent) == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_handler_of_ctrl_c_is_left_alone(solution, path, monkeypatch):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        press_ctrl_c(monkeypatch, 2)
        store.save(solution, path, "whole")
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert store.load(path).study == "whole"
