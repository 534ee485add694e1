"""All code on the pages of the site runs when it is built, and answers are short."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
ANSWERS = sorted(set((DOCS / "how-to").glob("*.md")) - {DOCS / "how-to" / "index.md"})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_starts_at_the_margin(page):
    # Blocks elsewhere, in lists and tabs, would be shown but not run.
    text = page.read_text(encoding="utf-8")
    assert not re.findall(r"^[ >]+```\s*(?:python|bash|pycon)", text, re.MULTILINE)
    assert "~~~" not in text


@pytest.mark.parametrize("page", ANSWERS, ids=lambda page: page.stem)
def test_an_answer_is_short_and_has_a_picture(page):
    text = page.read_text(encoding="utf-8")
    code = "".join(re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    assert 0 < len([line for line in code.splitlines() if line.strip()]) < 30
    assert "plt." in code


def test_readme_links_to_files_that_exist():
    text = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert len(links) > 10
    assert not [link for link in links if not (DOCS.parent / link).exists()]
