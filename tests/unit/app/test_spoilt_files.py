"""A few of the files of `benchmarks/file_campaign.py`, which reads thousands."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))
file_campaign = pytest.importorskip("file_campaign")

OUTCOMES = {"columns, plain": {"read"}, "columns, broken": {"refused"}}


@pytest.mark.slow
@pytest.mark.parametrize("kind", file_campaign.READERS)
def test_spoilt_files(kind):
    """They are read as they are written, or refused in one sentence; nothing else happens."""
    counts = file_campaign.campaign(kind, 60)
    assert {*counts} <= OUTCOMES.get(kind, {"read", "refused"})
    assert counts.total() >= 60
