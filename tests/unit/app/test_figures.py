"""Figures and claims from results small enough for seconds; nothing here is about their values."""

import dataclasses
import pickle
import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

import bathax as bx
from bathax.app import claims, figures
from bathax.app.figures import files, parts
from bathax.app.figures.cavity import POLE_HEIGHT
from bathax.app.figures.qubit import broken
from bathax.studies import paper, qubit
from tests.unit.app import small_study

SKETCH = paper.Effort(
    times=15,
    temperatures=3,
    bisections=1,
    solver=bx.BornMarkov(),
)
QUBIT_SKETCH = qubit.Effort(
    21, *[bx.VanHove()] * 4, field=bx.Hierarchy(depth=2, modes=2), exchanged=0.5
)
SECTION_5 = {
    *("Fig. 2a", "Fig. 2b", "Fig. 2c", "Fig. 3a", "Fig. 3b", "Fig. 3c", "Fig. 4", "Fig. 5"),
    *("zeroth law", "Markov", "Fig. 6 (i)", "Fig. 6 (ii)"),
    *("NP determinant", "NP equilibrium", "NP time scale", "NP van Hove", "NP master equation"),
    "NP reservoir",
}


class Written(NamedTuple):
    """A folder of figures and the lines printed while they were written."""

    folder: Path
    printed: list[str]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures") / "new" / "folder"
    with redirect_stdout(StringIO()) as printed:
        figures.write_all(folder, SKETCH, QUBIT_SKETCH, processes=1)
    return Written(folder, printed.getvalue().splitlines())


def solution_with(energy_rate, entropy_rate, **others):
    ts = jnp.linspace(0.0, 2.0, len(entropy_rate))
    cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0)))
    arrays = {
        "energy_rate": jnp.asarray(energy_rate),
        "entropy_rate": jnp.asarray(entropy_rate),
        "temperature": jnp.asarray(energy_rate / entropy_rate),
        "temperature_resolved": jnp.ones(len(entropy_rate), bool),
        **others,
    }
    return dataclasses.replace(bx.solve(cavity, bx.Fock(1), ts, bx.BornMarkov()), **arrays)


T = np.linspace(0.0, 2.0, 40)


# --- Lines through poles ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["temperature", "free_energy"])
def test_line_is_broken_at_a_pole(name):
    t, values = parts.with_gaps(solution_with(np.full(40, -1.0), 0.7 - T), name)
    (gap,) = np.flatnonzero(np.isnan(values))
    assert t[gap - 1] < 0.7 < t[gap + 1]
    assert len(t) == len(T) + 1
    assert np.all(np.diff(t) >= 0.0)


@pytest.mark.parametrize("name", ["energy", "entropy"])
def test_quantities_without_poles_are_not_broken(name):
    t, values = parts.with_gaps(solution_with(np.full(40, -1.0), 0.7 - T), name)
    assert t == pytest.approx(T)
    assert np.all(np.isfinite(values))


def test_samples_beside_a_narrow_pole_are_left_out():
    t, values = parts.with_gaps(solution_with(0.71 - T, 0.7 - T), "temperature")
    assert np.all(np.isfinite(values))
    assert np.min(np.abs(t - 0.7)) > 1.5 * T[1]
    assert len(t) == len(T) - 4


def test_line_through_a_wide_and_a_narrow_pole():
    entropy_rate = (0.3 - T) * (1.5 - T)
    t, values = parts.with_gaps(solution_with(1.51 - T, entropy_rate), "temperature")
    (gap,) = np.flatnonzero(np.isnan(values))
    assert t[gap - 1] < 0.3 < t[gap + 1]
    assert len(t) == len(T) - 4 + 1


def test_infinite_values_leave_a_gap():
    temperature = jnp.asarray(T).at[7].set(jnp.inf)
    solution = solution_with(np.ones(40), 1.0 + T, temperature=temperature)
    assert np.flatnonzero(np.isnan(parts.with_gaps(solution, "temperature")[1])).tolist() == [7]


def test_limits_ignore_the_pole():
    solution = solution_with(np.full(40, -1.0), 0.7 - T)
    figure = figures.inversion({0.0: solution})
    assert figure.axes[2].get_ylim() == (-POLE_HEIGHT, POLE_HEIGHT)
    dashed = [line for line in figure.axes[2].lines if line.get_linestyle() == "--"]
    assert [line.get_xdata()[0] for line in dashed] == pytest.approx([0.7])


# --- A qubit ---------------------------------------------------------------------------------


VACUUM = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0)))
LIFETIME = float(np.exp(0.2) / (0.2 * np.pi))


def test_pole_of_an_atom_is_where_half_is_left():
    ts = jnp.linspace(0.0, 4.0, 100)
    solution = bx.solve(VACUUM, bx.Excited(), ts, bx.VanHove())
    t, values = parts.with_gaps(solution, "temperature")
    (gap,) = np.flatnonzero(np.isnan(values))
    assert t[gap - 1] < LIFETIME * np.log(2.0) < t[gap + 1]
    figure = figures.atom({0.2: solution})
    dashed = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    expected = pytest.approx([LIFETIME * np.log(2.0)], rel=1e-3)
    assert [line.get_xdata()[0] for line in dashed] == expected


def test_negative_rates_are_shaded():
    ts = jnp.linspace(0.0, 3.0, 31)
    dmap = dataclasses.replace(bx.dynamical_map(VACUUM, ts, bx.VanHove()), gamma_z=1.05 - ts)
    figure = figures.rates(qubit.Memory(dmap, dmap, dmap))
    shaded = [[patch.get_x() for patch in ax.patches] for ax in figure.axes]
    assert [len(starts) for starts in shaded] == [0] * 6 + [1] * 3
    assert shaded[-1] == pytest.approx([1.05], abs=0.06)


def test_rates_have_a_gap_where_the_determinant_passes_zero():
    values = broken(np.arange(4.0), np.array([2.0, 1.0, -1.0, -2.0]))
    assert np.flatnonzero(np.isnan(values)).tolist() == [2]


# --- Drawing ---------------------------------------------------------------------------------


def test_draws_on_given_axes():
    solution = solution_with(np.full(40, -1.0), 0.7 - T)
    axes = Figure().subplots(2, 2)
    assert figures.inversion({0.0: solution}, axes) is axes[0, 0].figure
    assert all(ax.lines for ax in axes.flat)


def test_style_lasts_only_for_its_context():
    before = dict(mpl.rcParams)
    with parts.style():
        assert mpl.rcParams["mathtext.fontset"] == "stix"
    assert dict(mpl.rcParams) == before


# --- Files -----------------------------------------------------------------------------------


def test_every_figure_is_written_twice(written):
    names = {f"{drawing.name}{end}" for drawing in figures.DRAWINGS for end in (".png", ".pdf")}
    assert {path.name for path in written.folder.iterdir()} == names | {"claims.md"}
    starts = {".png": b"\x89PNG", ".pdf": b"%PDF"}
    for path in written.folder.iterdir():
        assert path.read_bytes().startswith(starts.get(path.suffix, b"# "))


def test_each_file_is_announced(written):
    assert sorted(written.printed) == sorted(str(path) for path in written.folder.iterdir())


def test_a_process_draws_beside_this_one(tmp_path):
    with figures._beside(tmp_path, small_study, 6.0) as results:
        assert results() == small_study.Results(3.0, 2.0)


def test_a_process_that_fails_is_noticed(tmp_path, capfd):
    with (
        pytest.raises(ChildProcessError, match="has failed"),
        figures._beside(tmp_path, small_study, "much") as results,
    ):
        results()
    assert "TypeError" in capfd.readouterr().err


def test_results_go_from_process_to_process():
    """As bytes, from which they come out the same."""
    found = qubit.memory(QUBIT_SKETCH)
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.moderate.p11, found.moderate.p11)


def test_failing_drawing_leaves_no_file(tmp_path):
    def fail(result):
        raise RuntimeError(result)

    with pytest.raises(RuntimeError, match="nothing"):
        files.write_figure(tmp_path / "broken", fail, "nothing")
    assert list(tmp_path.iterdir()) == []


# --- Claims ----------------------------------------------------------------------------------


def test_claims_have_a_row_each(written):
    lines = (written.folder / "claims.md").read_text().splitlines()
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines if line.startswith("|")]
    assert {len(row) for row in rows} == {5}
    ids = [row[0].strip() for row in rows if row[0].strip() not in ("id", "---")]
    assert len(ids) == len(set(ids)) == len(claims.CLAIMS)
    assert set(ids) >= SECTION_5


def test_claims_have_verdicts(written):
    text = (written.folder / "claims.md").read_text()
    verdicts = re.findall(r"\*\*(\w+)\*\* \|", text)
    assert len(verdicts) == len(claims.CLAIMS)
    assert set(verdicts) <= {claims.AGREES, claims.PARTLY, claims.DISAGREES}
