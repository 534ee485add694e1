"""Figures as files that appear whole or not at all."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from bathax.app.figures.parts import style


class Drawing(NamedTuple):
    """A file, the result it shows and the function that draws it."""

    name: str
    result: str
    draw: Callable[..., Figure]


def write_figure(target: Path, draw: Callable[..., Figure], result: Any) -> None:
    """Draw a result in the one style, and write it as PNG and PDF."""
    with style():
        figure = draw(result)
        for suffix in (".png", ".pdf"):
            with replacing(target.with_suffix(suffix)) as path:
                figure.savefig(path, format=suffix[1:])
            # Arranged once; otherwise every format does it again.
            figure.set_layout_engine("none")


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path to write to, which becomes `target` at once when all went well."""
    path = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        yield path
        path.replace(target)
    finally:
        path.unlink(missing_ok=True)
    print(target)
