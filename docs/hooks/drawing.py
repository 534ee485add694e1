"""Draws the imports of the chapters, which architecture.md has as a graph for Mermaid, as SVG."""

import re

GRAPH = re.compile(r"```mermaid\nflowchart TD\n(.*?)```", re.DOTALL)
WIDTH, HEIGHT, ACROSS, DOWN = 118, 26, 150, 52


def on_page_markdown(markdown: str, **_: object) -> str:
    """The page with its graphs drawn."""
    return GRAPH.sub(lambda graph: drawn(arrows(graph[1])), markdown)


def arrows(text: str) -> list[tuple[str, str]]:
    """The pairs of names that are joined."""
    return re.findall(r"(\w+) --> (\w+)", text)


def places(joined: list[tuple[str, str]]) -> dict[str, tuple[float, float]]:
    """Where the middle of each name is: below all that import it, rows in the order of names."""
    names = sorted({name for pair in joined for name in pair})
    above = {name: [upper for upper, lower in joined if lower == name] for name in names}

    def row(name: str) -> int:
        return max((row(upper) + 1 for upper in above[name]), default=0)

    rows: dict[int, list[str]] = {}
    for name in names:
        rows.setdefault(row(name), []).append(name)
    widest = max(map(len, rows.values()))
    return {
        name: (ACROSS * (place + (widest - len(line)) / 2 + 0.5), DOWN * (level + 0.5))
        for level, line in rows.items()
        for place, name in enumerate(line)
    }


def drawn(joined: list[tuple[str, str]]) -> str:
    """The graph as SVG in the colours of the page."""
    at = places(joined)
    width = max(x for x, _ in at.values()) + ACROSS / 2
    height = max(y for _, y in at.values()) + DOWN / 2
    lines = [
        f'<path class="arrow" marker-end="url(#head)" d="M{at[a][0]},{at[a][1] + HEIGHT / 2} '
        f'L{at[b][0]},{at[b][1] - HEIGHT / 2 - 3}"/>'
        for a, b in joined
    ]
    boxes = [
        f'<rect x="{x - WIDTH / 2}" y="{y - HEIGHT / 2}" width="{WIDTH}" height="{HEIGHT}" rx="4"/>'
        f'<text x="{x}" y="{y + 4}">{name}</text>'
        for name, (x, y) in at.items()
    ]
    head = (
        '<defs><marker id="head" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" '
        'markerHeight="6" orient="auto"><path d="M0,0 L6,3 L0,6 z"/></marker></defs>'
    )
    return (
        f'<svg class="graph" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="What imports what">{head}{"".join(lines + boxes)}</svg>'
    )
