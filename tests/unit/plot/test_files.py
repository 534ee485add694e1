"""Files that appear whole or not at all."""

import pytest

from bathax.plot import files


def test_failing_drawing_leaves_no_file(tmp_path):
    def fail(result):
        raise RuntimeError(result)

    with pytest.raises(RuntimeError, match="nothing"):
        files.write_figure(tmp_path / "broken", fail, "nothing")
    assert list(tmp_path.iterdir()) == []
