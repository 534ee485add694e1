"""Figures as files, which appear when they are complete."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from bathax._console import say
from bathax.plot.parts import style
from bathax.studies.outputs import replacing


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
            say(target.with_suffix(suffix))
            # The layout is computed once; otherwise it is for each format.
            figure.set_layout_engine(None)
