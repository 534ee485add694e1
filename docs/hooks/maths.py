"""Writes equations as MathML, which browsers draw by themselves, in the font STIX Two Math."""

import html
import re
from importlib.util import find_spec
from pathlib import Path

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

EQUATION = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
SOURCE = re.compile(r"\\tag\{([^}]*)\}")
CLOSE = re.compile(r"<mo[^>]*>(\||/|&#x0007C;|&#x0002F;|&#x0221E;)</mo>")
SIGN = re.compile(r"(<mo>(?:=|&#x0003D;|→|&#x02192;)</mo>)<mo>(−|&#x02212;)</mo>")
FONT = "STIXTwoMath-Regular.ttf"


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the font to the files of the site."""
    font = Path(find_spec("ziamath").origin).parent / "fonts" / FONT
    files.append(File.generated(config, f"assets/{FONT}", content=font.read_bytes()))


def on_page_content(content: str, **_: object) -> str:
    """The page with its equations in MathML."""
    return EQUATION.sub(as_mathml, content)


def as_mathml(equation: re.Match[str]) -> str:
    """One equation within the text, or alone on its line, with its source beside it."""
    tag, tex = equation.groups()
    tex = html.unescape(tex)
    if tag == "span":
        return spaced(convert(tex))
    source = "".join(f'<span class="source">{name}</span>' for name in SOURCE.findall(tex))
    drawn = spaced(convert(SOURCE.sub("", tex), display="block"))
    return f'<div class="equation">{drawn}{source}</div>'


def spaced(mathml: str) -> str:
    """Bars, slashes and infinity without space around them, and signs close to their number."""
    without = CLOSE.sub(r'<mo stretchy="false" lspace="0" rspace="0">\1</mo>', mathml)
    return SIGN.sub(r'\1<mo form="prefix">\2</mo>', without)
