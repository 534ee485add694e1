"""Pages kept elsewhere in the repository: notebooks, benchmarks, CONTRIBUTING, CHANGELOG."""

import re
from pathlib import Path

import jupytext
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)([^)#]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the pages to those of the site."""
    for path in sorted((ROOT / "notebooks").glob("*.py")):
        add(files, config, f"tutorials/{path.stem}.md", as_markdown(path))
    for path in sorted((ROOT / "benchmarks").glob("*.md")):
        add(files, config, f"accuracy/{path.stem}.md", path.read_text(encoding="utf-8"))
    for name in ("CONTRIBUTING", "CHANGELOG"):
        text = (ROOT / f"{name}.md").read_text(encoding="utf-8")
        add(files, config, f"contribute/{name.lower()}.md", LINK.sub(linked, text))


def add(files: Files, config: MkDocsConfig, uri: str, text: str) -> None:
    """Add one page."""
    files.append(File.generated(config, uri, content=text))


def as_markdown(path: Path) -> str:
    """A notebook as Markdown: text, and its cells of code as blocks."""
    return "\n\n".join(
        f"```{' '.join(['python', *cell.metadata.get('tags', [])])}\n{cell.source}\n```"
        if cell.cell_type == "code"
        else cell.source
        for cell in jupytext.read(path).cells
    )


def linked(link: re.Match[str]) -> str:
    """A link to a page of the site, or else the name of the file without a link."""
    text, target = link.groups()
    if target.startswith("docs/"):
        return f"[{text}](../{target.removeprefix('docs/')})"
    return f"`{target}`"
