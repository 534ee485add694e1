"""All code on the pages of the site runs when it is built."""

import re
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parents[2] / "docs").rglob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_python_blocks_start_at_the_margin(page):
    # Blocks elsewhere, in lists and tabs, are shown but do not run.
    text = page.read_text(encoding="utf-8")
    assert not re.findall(r"^[ >]+```\s*(?:python|bash|pycon)", text, re.M)
    assert "~~~" not in text
