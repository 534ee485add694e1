"""Figures and claims from results small enough for seconds; nothing here is about their values."""

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest

import bathax as bx
from bathax.app import figures
from bathax.papers import claims
from bathax.papers.ahz.figures import DRAWINGS as AHZ_DRAWINGS
from bathax.papers.ahz.parameters import Effort
from bathax.papers.np.figures import DRAWINGS as NP_DRAWINGS
from bathax.papers.np.parameters import Effort as QubitEffort
from tests.unit.app import small_paper

SKETCH = Effort(
    times=15,
    temperatures=4,
    bisections=1,
    solver=bx.BornMarkov(),
    atom_times=41,
    atom_solver=bx.VanHove(),
)
QUBIT_SKETCH = QubitEffort(
    21,
    *[bx.VanHove()] * 4,
    field=bx.Hierarchy(depth=2, modes=2),
    exchanged=0.5,
    bound=bx.VanHove(),
    plane=bx.VanHove(),
)
CLAIMS = (*figures.ahz_claims.CLAIMS, *figures.np_claims.CLAIMS)
SECTION_5 = {
    *("Fig. 2a", "Fig. 2b", "Fig. 2c", "Fig. 3a", "Fig. 3b", "Fig. 3c", "Fig. 4", "Fig. 5"),
    *("zeroth law", "zeroth law, coupling", "zeroth law, fermions", "zeroth law, in time"),
    *("Markov", "Fig. 6 (i)", "Fig. 6 (ii)"),
    *("NP determinant", "NP equilibrium", "NP time scale", "NP van Hove", "NP master equation"),
    *("NP conditions", "NP reservoir"),
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


@pytest.mark.slow
def test_every_figure_is_written_twice(written):
    stems = [drawing.name for drawing in (*AHZ_DRAWINGS, *NP_DRAWINGS)]
    names = {f"{stem}{end}" for stem in stems for end in (".png", ".pdf")}
    assert {path.name for path in written.folder.iterdir()} == names | {"claims.md"}
    starts = {".png": b"\x89PNG", ".pdf": b"%PDF"}
    for path in written.folder.iterdir():
        assert path.read_bytes().startswith(starts.get(path.suffix, b"# "))


@pytest.mark.slow
def test_each_file_is_announced(written):
    assert sorted(written.printed) == sorted(str(path) for path in written.folder.iterdir())


@pytest.mark.slow
def test_only_some_figures_are_written(tmp_path):
    figures.write_only(tmp_path, ["fig6", "markov"], SKETCH, QUBIT_SKETCH)
    assert {path.stem for path in tmp_path.iterdir()} == {"fig6_atom", "markov"}


def test_a_figure_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"`--only` must be one of fig2_.*, but is fig9\."):
        figures.write_only(tmp_path, ["fig9"])


def drawn(folder, *tasks):
    """By two processes."""
    return figures._drawn(folder, [(small_paper.__name__, *task) for task in tasks], 2)


@pytest.mark.slow
def test_processes_share_the_results(tmp_path):
    assert drawn(tmp_path, ("half", 6.0), ("third", 6.0)) == [3.0, 2.0]


@pytest.mark.slow
def test_a_result_that_fails_is_shown(tmp_path):
    with pytest.raises(TypeError, match="unsupported operand"):
        drawn(tmp_path, ("third", 6.0), ("half", "much"))


@pytest.mark.slow
def test_a_process_that_is_killed_is_noticed(tmp_path):
    with pytest.raises(ChildProcessError, match="has failed"):
        drawn(tmp_path, ("killed", 6.0), ("third", 6.0))


@pytest.mark.slow
def test_claims_have_a_row_each(written):
    lines = (written.folder / "claims.md").read_text().splitlines()
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines if line.startswith("|")]
    assert {len(row) for row in rows} == {5}
    ids = [row[0].strip() for row in rows if row[0].strip() not in ("id", "---")]
    assert len(ids) == len(set(ids)) == len(CLAIMS)
    assert set(ids) >= SECTION_5


@pytest.mark.slow
def test_claims_have_verdicts(written):
    text = (written.folder / "claims.md").read_text()
    verdicts = re.findall(r"\*\*(\w+)\*\* \|", text)
    assert len(verdicts) == len(CLAIMS)
    assert set(verdicts) <= {claims.AGREES, claims.PARTLY, claims.DISAGREES}
