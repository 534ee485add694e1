"""`bathax fit`: a study, a CSV file, a result that loads back and a figure."""

import hashlib
import json

import numpy as np
import pytest

import bathax as bx
from bathax.app import cli, config, fitting
from bathax.app.config import StudyError
from bathax.studies.outputs import StoreError

FIT = """
[solver]
kind = "born_markov"

[fit]
free = ["reservoir.0.spectral_density.eta"]
starts = 2
"""


@pytest.fixture
def call(capsys):
    def main(*arguments):
        status = cli.main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return main


@pytest.fixture
def study(tmp_path, study_text):
    path = tmp_path / "study.toml"
    path.write_text(study_text + FIT)
    return path


def decay(t):
    """E of two quanta at 2 pi J(w_s) in a reservoir at kT0 = 3, eta = 0.02, by Born-Markov."""
    rate, rest = 2 * np.pi * 0.02 * np.exp(-0.2), 1 / np.expm1(1 / 3)
    return rest + (2.0 - rest) * np.exp(-rate * t)


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data.csv"
    rows = [f"{t},{decay(t):.15g},0.05\n" for t in (4.0, 1.0, 2.0, 8.0)]
    path.write_text("t,number,number_error\n" + "".join(rows) + "3.0,,\n")
    return path


@pytest.mark.slow
def test_a_fit(study, data, call, tmp_path):
    out = tmp_path / "fit.json"
    status, stdout, stderr = call("fit", study, data, "--out", out)
    assert (status, stderr) == (0, "")
    assert stdout.splitlines()[2].split()[:2] == ["reservoir.0.spectral_density.eta", "0.02"]
    assert (tmp_path / "fit.png").stat().st_size > 1_000
    found = fitting.load(out)
    parameter = found["parameters"]["reservoir.0.spectral_density.eta"]
    np.testing.assert_allclose(parameter["value"], 0.02, rtol=1e-8)
    np.testing.assert_allclose(parameter["error"] ** 2, found["covariance"][0, 0])
    assert found["status"] == "converged"
    assert found["study"] == config.table(study.read_text())
    digest = hashlib.sha256(data.read_bytes()).hexdigest()
    assert found["files"] == {"data": f"data.csv, SHA-256 {digest}"}
    loaded = bx.load(out)
    np.testing.assert_array_equal(loaded.covariance, found["covariance"])
    np.testing.assert_array_equal(loaded.data.t, [1.0, 2.0, 3.0, 4.0, 8.0])
    sentence = (
        f"bathax: error: File `{out}` exists; use --force (`overwrite=True`) to replace it.\n"
    )
    assert call("fit", study, data, "--out", out) == (2, "", sentence)


def test_residuals_stand_below_their_quantity(study):
    """N is known well and E, w_s N, is off by half of its error: columns in no order."""
    t = np.array([1.0, 2.0, 4.0])
    data = bx.Data(t, number=(decay(t), 1e-6), energy=(decay(t) + 0.5, 1.0))
    parsed = config.load(study)
    view = fitting.view(parsed, data, fitting.run(parsed, data))
    found = {panel.name: panel.residuals for panel in view.panels}
    np.testing.assert_allclose(found["energy"], -0.5, rtol=1e-4)
    np.testing.assert_allclose(found["number"], 0.0, atol=1e-4)


def test_what_the_data_do_not_determine(study, data, call, tmp_path):
    """|u| knows nothing of a temperature: no number is given, and the command says so."""
    study.write_text(study.read_text().replace('eta"]', 'eta", "reservoir.0.temperature"]'))
    times = np.array([1.0, 2.0, 4.0, 8.0])
    rows = [f"{t},{np.exp(-np.pi * 0.02 * np.exp(-0.2) * t):.15g},0.01\n" for t in times]
    data.write_text("t,abs_u,abs_u_error\n" + "".join(rows))
    out = tmp_path / "fit.json"
    status, stdout, stderr = call("fit", study, data, "--out", out)
    assert status == 1
    assert stdout.splitlines()[3].split() == ["reservoir.0.temperature", "undetermined"]
    words = "do not determine `reservoir.0.temperature`: nothing that was measured depends on it."
    assert words in stderr
    found = fitting.load(out)
    assert words in found["message"]
    eta, temperature = found["parameters"].values()
    np.testing.assert_allclose(eta["value"], 0.02, rtol=1e-8)
    assert np.isnan(float(temperature["value"]))
    assert (tmp_path / "fit.png").stat().st_size > 1_000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x,number\n1,2\n", "must have a column `t`, columns named like quantities of a cavity"),
        ("t,numbr\n1,2\n", "but has t, numbr."),
        ("t,number_error\n1,2\n", "must have a column `t`"),
        (
            "t,number\n1,two\n",
            "must have a number or nothing as `number` in line 2, but has 'two'.",
        ),
        ("t,number\n,2\n", "must have a number as `t` in line 2, but has ''."),
        ("t,number\n1\n", "must have 2 cells, as many as there are names, in line 2, but has 1."),
        ("t,number,number_error\n1,-5,0.1\n", "(is its sign or unit another?), but is -5 at t = 1"),
    ],
)
def test_data_that_cannot_be_read(study, call, tmp_path, text, words):
    (tmp_path / "data.csv").write_text(text)
    status, _, stderr = call("fit", study, tmp_path / "data.csv", "--out", tmp_path / "fit.json")
    assert status == 2
    assert words in stderr
    assert not (tmp_path / "fit.json").exists()


@pytest.mark.parametrize(
    ("fit", "sentence"),
    [
        ('free = ["reservoir.0.eta"]', "Unknown key `fit.free.reservoir.0.eta`; it must be "),
        ("free = []", "Argument `fit.free` must be one or more names, but is []."),
        (
            'free = ["reservoir.0.spectral_density.exponent"]',
            "Argument `fit.free` must be numbers that the study gives, but is ",
        ),
        (
            'free = ["reservoir.0.temperature"]\nloss = "huber"',
            "Argument `fit.loss` must be `linear`, `soft_l1` or `cauchy`, but is 'huber'.",
        ),
    ],
)
def test_refusals(study_text, tmp_path, fit, sentence):
    with pytest.raises(StudyError) as caught:
        config.parse(f"{study_text}[fit]\n{fit}\n", tmp_path)
    assert str(caught.value).startswith(sentence)


def test_what_is_missing(study, data, call, tmp_path):
    out = tmp_path / "fit.json"
    study.write_text(study.read_text().partition("[fit]")[0])
    assert call("fit", study, data, "--out", out)[2] == (
        "bathax: error: Missing key `fit`, which must be a table.\n"
    )
    nothing = tmp_path / "nothing.csv"
    study.write_text(study.read_text() + '[fit]\nfree = ["system.frequency"]\n')
    assert call("fit", study, nothing, "--out", out)[2] == (
        f"bathax: error: Data file `{nothing}` does not exist.\n"
    )


def test_another_file_is_not_loaded(tmp_path):
    path = tmp_path / "fit.json"
    for text in ("", "[]", json.dumps({"format": "another"})):
        path.write_text(text)
        with pytest.raises(StoreError, match="does not hold the result of a fit"):
            fitting.load(path)
