"""The reference of the site has an entry for every public name."""

import re
from pathlib import Path

import bathax as bx

PAGES = Path(__file__).parents[2] / "docs" / "reference"


def test_every_public_name_has_one_entry():
    entries = [
        entry.rpartition(".")[2]
        for page in PAGES.glob("*.md")
        for entry in re.findall(r"^::: (bathax\S*)$", page.read_text(encoding="utf-8"), re.M)
    ]
    assert set(bx.__all__) - {"__version__"} <= set(entries)
    assert len(entries) == len(set(entries))
