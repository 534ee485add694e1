"""What imports what in bathax, read from the source, and the drawing of it in architecture.md.

`python docs/import_graph.py` puts the drawing of today's imports into architecture.md.
"""

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1] / "src" / "bathax"
PAGE = Path(__file__).with_name("architecture.md")
START, END = "<!-- drawing of the imports -->\n", "<!-- end of the drawing -->\n"


class Import(NamedTuple):
    """`importer` imports `imported`, both as dotted names below `bathax`."""

    importer: str
    imported: str


@cache
def modules() -> dict[str, ast.Module]:
    """The syntax trees of the package by dotted name, packages by their own name."""
    trees = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        trees[name or "bathax"] = ast.parse(path.read_text(encoding="utf-8"))
    return trees


def imported_names(tree: ast.Module) -> list[str]:
    """Full dotted names of everything imported, anywhere in the module."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{'.' * node.level}{node.module}.{alias.name}" for alias in node.names]
    return names


@cache
def imports() -> list[Import]:
    """Every import of one module of the package by another."""
    found = []
    for importer, tree in modules().items():
        for full in imported_names(tree):
            package, _, name = full.partition(".")
            if package == "bathax":
                while name and name not in modules():  # the name of an object in the module
                    name = name.rpartition(".")[0]
                found.append(Import(importer, name or "bathax"))
    return found


def chapter(module: str) -> str:
    """The folder or file below `bathax` that a module is in."""
    return module.partition(".")[0]


def needs() -> dict[str, set[str]]:
    """The chapters that each chapter imports; `bathax` itself, the public names, is left out."""
    graph = {chapter(module): set[str]() for module in modules() if module != "bathax"}
    for importer, imported in imports():
        ends = chapter(importer), chapter(imported)
        if "bathax" not in ends and ends[0] != ends[1]:
            graph[ends[0]].add(ends[1])
    return graph


def reached(graph: dict[str, set[str]], start: str) -> set[str]:
    """All that is imported by way of others, `start` itself not counted."""
    return set().union(*({name} | reached(graph, name) for name in graph[start]))


def drawing() -> str:
    """The chapters as a graph for Mermaid, without arrows that follow from others."""
    graph = needs()
    lines = []
    for name in sorted(graph):
        further = set().union(*(reached(graph, other) for other in graph[name]))
        lines += [f"    {name} --> {other}" for other in sorted(graph[name] - further)]
    return "\n".join(["```mermaid", "flowchart TD", *lines, "```", ""])


def committed() -> str:
    """The drawing that is in architecture.md."""
    return PAGE.read_text(encoding="utf-8").partition(START)[2].partition(END)[0]


def main() -> None:
    """Put today's drawing into architecture.md."""
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.partition(START)[0], text.partition(END)[2]
    PAGE.write_text(before + START + drawing() + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
