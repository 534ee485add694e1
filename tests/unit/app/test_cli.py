"""The `bathax` command: what it prints, writes and returns."""

import signal
import subprocess
import sys
import tempfile
from types import ModuleType

import numpy as np
import pytest
import xarray

import bathax as bx
from bathax.app import arguments, cli, saving
from bathax.studies.quantities import QUANTITIES

HEAVY = ["jax", "numpy", "scipy", "matplotlib", "xarray", "zarr", "msgspec"]


@pytest.fixture
def out(tmp_path):
    return tmp_path / "result.zarr"


@pytest.fixture
def solved(monkeypatch, solution):
    """`run` gets the stand-in instead of solving."""
    monkeypatch.setattr(cli, "_solve", lambda _: solution)
    return solution


@pytest.fixture
def call(capsys):
    """Run the command; its exit status and what it printed on both streams."""

    def main(*arguments):
        status = cli.main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return main


def in_new_process(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


# --- Help, version, completion ---------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["critical", "--help"], ["figures", "--help"]]
)
def test_help_imports_nothing_heavy(arguments):
    code = f"""
import sys
from bathax.app.cli import main
try:
    main({arguments})
except SystemExit as done:
    print("exit", done.code, "heavy", sorted(set({HEAVY}) & set(sys.modules)))
"""
    status, stdout, stderr = in_new_process(code)
    assert stdout.startswith("usage: bathax")
    assert stdout.endswith("exit 0 heavy []\n")
    assert (status, stderr) == (0, "")


def test_help_is_in_sentences(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    stdout = capsys.readouterr().out
    assert "Exact dynamics and thermodynamics of small quantum systems in reservoirs." in stdout


def test_help_of_a_sweep_lists_the_quantities(capsys):
    with pytest.raises(SystemExit):
        cli.main(["sweep", "--help"])
    listed = capsys.readouterr().out.partition("quantities, with hbar = k_B = 1:\n")[2]
    assert [line.split()[0] for line in listed.splitlines()] == [*QUANTITIES]
    assert "  energy_rate           rate of change of E [energy^2]\n" in listed


def test_version(capsys):
    with pytest.raises(SystemExit) as done:
        cli.main(["--version"])
    assert done.value.code == 0
    assert capsys.readouterr().out == f"bathax {bx.__version__}\n"


@pytest.mark.parametrize("shell", arguments.SHELLS)
def test_completion(capsys, shell):
    with pytest.raises(SystemExit) as done:
        cli.main(["--print-completion", shell])
    assert done.value.code == 0
    stdout = capsys.readouterr().out
    assert "force" in stdout
    assert arguments.COMPLETE_FILE[shell] in stdout


# --- Mistakes --------------------------------------------------------------------------------

USAGE = [
    ([], "The following arguments are required: command; see `bathax --help`."),
    (["run"], "The following arguments are required: study, --out; see `bathax run --help`."),
    (["run", "s.toml"], "The following arguments are required: --out; see `bathax run --help`."),
    (["figures", "-x"], "Unrecognized arguments: -x; see `bathax --help`."),
    (["run", "s.toml", "--out"], "Argument --out: expected one argument; see `bathax run --help`."),
]


@pytest.mark.parametrize(("arguments", "sentence"), USAGE)
def test_usage_errors(call, arguments, sentence):
    assert call(*arguments) == (2, "", f"bathax: error: {sentence}\n")


def test_a_missing_study(call, tmp_path, out):
    path = tmp_path / "absent.toml"
    sentence = f"bathax: error: Study file `{path}` does not exist.\n"
    assert call("run", path, "--out", out) == (2, "", sentence)


def test_a_wrong_study_is_refused_before_jax_is_imported(study_file, study_text, out):
    study_file.write_text(study_text.replace("stop = 5.0", "stop = -5.0"))
    code = f"""
import sys
from bathax.app.cli import main
print(main(["run", {str(study_file)!r}, "--out", {str(out)!r}]))
print({{"jax", "xarray", "matplotlib"}} & set(sys.modules))
"""
    sentence = "Argument `time.stop` must be a positive, finite number, but is -5.0."
    assert in_new_process(code) == (0, "2\nset()\n", f"bathax: error: {sentence}\n")


def test_an_existing_result_is_noticed_before_solving(call, study_file, out, solution, monkeypatch):
    saving.save(solution, out, "first")
    monkeypatch.setattr(cli, "_solve", pytest.fail)
    sentence = (
        f"bathax: error: Result `{out}` exists; use --force (`overwrite=True`) to replace it.\n"
    )
    assert call("run", study_file, "--out", out) == (2, "", sentence)
    assert saving.load(out).study == "first"


def test_a_missing_folder_is_noticed_before_solving(call, study_file, tmp_path, monkeypatch):
    monkeypatch.setattr(cli, "_solve", pytest.fail)
    sentence = f"bathax: error: Folder `{tmp_path / 'absent'}` does not exist.\n"
    assert call("run", study_file, "--out", tmp_path / "absent" / "r.zarr") == (2, "", sentence)


def test_a_folder_that_cannot_be_written_to_is_noticed_before_solving(
    call, study_file, monkeypatch
):
    monkeypatch.setattr(cli, "_solve", pytest.fail)

    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    # The superuser may write anywhere, so the answer of the system is put in its mouth.
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    folder = study_file.parent
    sentence = f"bathax: error: Folder `{folder}` cannot be written to: Permission denied.\n"
    assert call("run", study_file, "--out", folder / "r.zarr") == (2, "", sentence)
    assert call("export", folder, folder / "r.nc") == (2, "", sentence)
    assert call("figures", "--out", folder / "figures") == (2, "", sentence)


@pytest.mark.parametrize(
    ("arguments", "ending"),
    [
        (["run", "s.toml", "--out", "m.nc"], "Argument --out: must end in .zarr, but is m.nc"),
        (["sweep", "s.toml", "--out", "m.h5"], "Argument --out: must end in .zarr, but is m.h5"),
        (["fit", "s.toml", "d.csv", "--out", "f.png"], "Argument --out: must end in .json, but is"),
        (["export", "m.zarr", "n.zarr"], "Argument out: must end in .nc, but is n.zarr"),
    ],
)
def test_a_name_of_another_kind_of_file(call, arguments, ending):
    status, _, stderr = call(*arguments)
    assert status == 2
    assert ending in stderr


REFUSED_BY_THE_LIBRARY = [
    (
        'kind = "ohmic", eta = 0.05, cutoff = 5.0',
        'kind = "lorentzian", gamma0 = 0.1, width = 1.0, center = 1.0',
        "Argument `reservoir.0.temperature` must be 0 for a spectral density with weight at "
        "w <= 0, which has no thermal state, but is 3.0.",
    ),
    (
        "[time]",
        '[solver]\nkind = "volterra"\npoints = 100\n[time]',
        "Argument `solver.points` must be a power of two, 64 or more, but is 100.",
    ),
    (
        "fock = 2",
        'density_matrix = "rho.npy"',
        "Argument `system.initial.rho` must be a square matrix, but is of shape (2, 3).",
    ),
    (
        "fock = 2",
        'density_matrix = "j.csv"',
        "File `{folder}/j.csv` must hold one array of numbers saved by `numpy.save`.",
    ),
    (
        'kind = "ohmic", eta = 0.05, cutoff = 5.0',
        'kind = "tabulated", file = "j.csv"',
        "Argument `reservoir.0.spectral_density.J` must be non-negative (`Tabulated.from_noisy` "
        "smooths a measured J), but is -1 at index 1.",
    ),
    (
        'kind = "ohmic", eta = 0.05, cutoff = 5.0',
        'kind = "tabulated", file = "unnamed.csv"',
        "File `{folder}/unnamed.csv` must begin with a line that names the columns `w,J`, but line "
        "1 is '1,0'.",
    ),
    (
        'kind = "ohmic", eta = 0.05, cutoff = 5.0',
        'kind = "tabulated", file = "broken.csv"',
        "File `{folder}/broken.csv` must have a number as `J` in line 3, but has 'many'.",
    ),
]


@pytest.mark.parametrize(("old", "new", "sentence"), REFUSED_BY_THE_LIBRARY)
def test_what_the_library_refuses(call, study_file, study_text, out, old, new, sentence):
    folder = study_file.parent
    np.save(folder / "rho.npy", np.ones((2, 3)))
    (folder / "j.csv").write_text("w,J\n1,0\n2,-1\n3,0\n")
    (folder / "unnamed.csv").write_text("1,0\n2,1\n3,0\n")
    (folder / "broken.csv").write_text("w,J\n1,0\n2,many\n3,0\n")
    study_file.write_text(study_text.replace(old, new))
    error = f"bathax: error: {sentence.format(folder=folder)}\n"
    assert call("run", study_file, "--out", out) == (2, "", error)
    assert not out.exists()


def test_what_only_the_solver_refuses(call, study_file, qubit_study_text, out):
    study_file.write_text(qubit_study_text + '[solver]\nkind = "vacuum"\n')
    status, _, stderr = call("run", study_file, "--out", out)
    assert status == 2
    assert stderr.startswith("bathax: error: Argument `reservoirs` must be empty (T = 0) for the ")


@pytest.mark.parametrize("package", ["msgspec", "xarray", "zarr"])
def test_a_missing_optional_package(study_file, out, package):
    code = f"""
import sys
sys.modules[{package!r}] = None
from bathax.app.cli import main
sys.exit(main(["run", {str(study_file)!r}, "--out", {str(out)!r}]))
"""
    sentence = f"Package `{package}` is missing; install it with pip install 'bathax[app]'."
    assert in_new_process(code) == (2, "", f"bathax: error: {sentence}\n")


def test_completion_without_shtab(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "shtab", None)
    sentence = "Package `shtab` is missing; install it with pip install 'bathax[app]'."
    assert call("--print-completion", "bash") == (2, "", f"bathax: error: {sentence}\n")


def test_another_missing_module_is_a_defect_not_a_mistake(monkeypatch):
    monkeypatch.setitem(sys.modules, "bathax.app.figures", None)
    with pytest.raises(ModuleNotFoundError):
        cli.main(["figures"])


# --- Runs ------------------------------------------------------------------------------------


def test_summary(call, study_file, out, solved):
    status, stdout, stderr = call("run", study_file, "--out", out)
    assert (status, stderr) == (0, "")
    assert (
        stdout
        == f"""\
            t            E            S            T            F
            0            3            4            7            9
            1            4            5            8           10
          2.5          5.5          6.5          9.5         11.5
            4            7            8           11           13
            5            8            9           12           14
    max error      6.0e-09      6.0e-09      6.0e-09      6.0e-09
status: {solved.message}
Written to {out}
"""
    )


def test_a_qubit(call, study_file, qubit_study_text, out, monkeypatch, qubit_solution):
    monkeypatch.setattr(
        bx, "solve", lambda system, *_, **__: solved.append(system) or qubit_solution
    )
    solved = []
    study_file.write_text(qubit_study_text)
    status, stdout, stderr = call("run", study_file, "--out", out)
    assert (status, stderr) == (0, "")
    assert [type(system) for system in solved] == [bx.Qubit]
    assert stdout.splitlines()[0].split() == ["t", "E", "S", "T", "F"]
    assert saving.load(out).coherence.dtype == complex


def test_the_study_is_kept_with_the_result(call, study_file, study_text, out, solved):
    call("run", study_file, "--out", out)
    assert saving.load(out).study == study_text
    np.testing.assert_array_equal(saving.load(out).energy, solved.energy)


def test_force_replaces_an_earlier_result(call, study_file, study_text, out, solved):
    saving.save(solved, out, "first")
    status, _, _ = call("run", study_file, "--out", out, "--force")
    assert status == 0
    assert saving.load(out).study == study_text


def test_a_doubtful_result_is_written_with_a_warning(call, study_file, out, solved):
    solved.status, solved.message = 1, "The tolerance was not reached."
    status, _, stderr = call("run", study_file, "--out", out)
    assert (status, stderr) == (1, "bathax: warning: The tolerance was not reached.\n")
    assert saving.load(out).status == 1


def interrupt(*_, **__):
    raise KeyboardInterrupt


def test_ctrl_c_while_solving(call, study_file, out, monkeypatch):
    monkeypatch.setattr(cli, "_solve", interrupt)
    assert call("run", study_file, "--out", out) == (130, "", "bathax: interrupted\n")
    assert [item.name for item in out.parent.iterdir()] == ["study.toml"]


@pytest.mark.usefixtures("solved")
def test_ctrl_c_while_writing(call, study_file, out, monkeypatch):
    monkeypatch.setattr(xarray.Dataset, "to_zarr", interrupt)
    status, _, stderr = call("run", study_file, "--out", out)
    assert (status, stderr) == (130, "bathax: interrupted\n")
    assert [item.name for item in out.parent.iterdir()] == ["study.toml"]


def test_the_signal_of_ctrl_c(study_file, out):
    code = f"""
import signal, sys
from bathax.app import cli
cli._solve = lambda study: signal.raise_signal(signal.SIGINT)
sys.argv = ["bathax", "run", {str(study_file)!r}, "--out", {str(out)!r}]
cli.main()
"""
    assert in_new_process(code) == (128 + signal.SIGINT, "", "bathax: interrupted\n")


def test_figures(call, monkeypatch, tmp_path):
    calls = []
    module = ModuleType("bathax.app.figures")
    module.write_all = module.write_only = lambda *arguments: calls.append(arguments)
    monkeypatch.setitem(sys.modules, "bathax.app.figures", module)
    assert call("figures", "--out", tmp_path) == (0, "", "")
    assert call("figures", "--only", "fig2", "np", "--out", tmp_path) == (0, "", "")
    assert calls == [(tmp_path,), (tmp_path, ["fig2", "np"])]


@pytest.mark.slow
@pytest.mark.usefixtures("solved")
@pytest.mark.parametrize(("arguments", "kept"), [([], True), (["--no-cache"], False)])
def test_programs_are_kept_unless_they_are_not_to_be(
    call, study_file, out, monkeypatch, arguments, kept
):
    calls = []
    monkeypatch.setattr(cli, "cache_programs", lambda: calls.append(True))
    assert call("run", study_file, "--out", out, *arguments)[0] == 0
    assert call("show", out)[0] == 0  # which compiles nothing
    assert calls == [True] * kept


@pytest.mark.slow
def test_a_result_is_written_though_nobody_reads_what_is_printed(study_file, out):
    """As behind `| head`."""
    command = [sys.executable, "-m", "bathax.app.cli", "run", str(study_file), "--out", str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0
    assert saving.load(out).status == 0


@pytest.mark.slow
def test_end_to_end(study_file, study_text, out):
    command = [sys.executable, "-m", "bathax.app.cli", "run", str(study_file), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(f"\nWritten to {out}\n")
    result = saving.load(out)
    assert (result.study, result.status) == (study_text, 0)
    np.testing.assert_array_equal(result.time, np.linspace(0.0, 5.0, 11))
    np.testing.assert_allclose(result.number, 2.0 * abs(result.u) ** 2 + result.v, rtol=1e-12)
    np.testing.assert_allclose(result.populations.sum("level"), 1.0, rtol=1e-6)
    assert result.energy[0] == pytest.approx(2.0)
    assert result.energy_error.max() < 1e-8


# --- critical ------------------------------------------------------------------------------------


OHMIC = 'kind = "ohmic", eta = 0.05, cutoff = 5.0'


@pytest.mark.slow
def test_critical_points_of_a_cavity(tmp_path, call, study_text):
    study = tmp_path / "study.toml"
    text = study_text.replace("fock = 2", "fock = 5").replace("eta = 0.05", "eta = 0.1")
    study.write_text(text)
    status, printed, _ = call("critical", study)
    lines = [line.rsplit(maxsplit=1) for line in printed.splitlines()]
    names, values = [name for name, _ in lines], [float(value) for _, value in lines]
    assert status == 0
    assert names == [
        "factor on J for a bound state below",
        "resonant occupation",
        "kT0 above which T(t) has no pole",
    ]
    assert values[0] == 2.0
    assert values[2] == pytest.approx(1.8947, rel=1e-4)


@pytest.mark.slow
def test_critical_points_of_a_qubit(tmp_path, call, study_text):
    study = tmp_path / "study.toml"
    study.write_text(study_text.replace("cavity", "qubit").replace("fock = 2", "excited = true"))
    status, printed, _ = call("critical", study)
    assert status == 0
    assert "least determinant" in printed.splitlines()[-1]


def test_a_density_without_critical_points_is_refused(tmp_path, call, study_text):
    density = 'kind = "discrete", frequencies = [0.9, 1.2], couplings = [0.2, 0.1]'
    study = tmp_path / "study.toml"
    study.write_text(study_text.replace(OHMIC, density))
    status, _, complaint = call("critical", study)
    assert status == 2
    assert "`spectral_density` must be analytic off the ends of its support" in complaint
