"""Runs the code of every page, and puts what it prints and draws below it.

The blocks of a page are the cells of one notebook, run in order in an empty folder. A kernel runs
several pages one after another, each without the names of those before. Python and bash blocks run;
a TOML or CSV block with a title becomes the file of that name.
`python hide` runs unseen, and what it prints is Markdown of the page. A block that fails fails the
build, and so does one that warns, unless it is `python warns`.
"""

import html
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import LifoQueue
from typing import NamedTuple

import nbformat
from jupyter_client.manager import KernelManager
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from bathax._xla import LEVEL

LOG = get_plugin_logger("blocks")
FENCE = re.compile(r"^```(python|bash|toml|csv)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WORDS = re.compile(r"^(```python) .*")
TITLE = re.compile(r'title="([^"]+)"')
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
ADDRESS = re.compile(r" at 0x[0-9a-f]+>")
WARNING = re.compile(r"^\S+:\d+: (\w+: .*)\n  .*\n", re.MULTILINE)
CACHE = Path(__file__).parents[2] / ".cache" / "docs"
# A kernel runs so many pages: compiled programs stay in its memory.
PAGES = 12
# How much XLA optimises programs of blocks, most of which run once, and those of commands.
OF_BLOCKS, OF_COMMANDS = (f"--{LEVEL}={level}" for level in (0, 1))
SETUP = """\
%reset -f
%cd -q {folder}
%matplotlib inline
import bathax, matplotlib.pyplot, matplotlib_inline.backend_inline
from bathax._garbage import collect_less_often
collect_less_often()
bathax.cache_programs()
matplotlib.pyplot.rcdefaults()
matplotlib.pyplot.style.use("bathax.plot.bathax")
matplotlib.pyplot.rcParams.update({"figure.facecolor": "none", "axes.facecolor": "none"})
matplotlib_inline.backend_inline.set_matplotlib_formats("svg")
"""


class Block(NamedTuple):
    """A block that runs: where it stands in the page, and the cell that it becomes."""

    start: int
    end: int
    code: str
    options: list[str]
    cell: str

    @property
    def hidden(self) -> bool:
        """Whether the page does not show it."""
        return "hide" in self.options


class Run(NamedTuple):
    """A page that was run: its blocks, and the outputs of each."""

    blocks: list[Block]
    outputs: list[list[nbformat.NotebookNode]]


_runs: dict[str, Future[Run]] = {}
_kernels: LifoQueue["Kernel"] = LifoQueue()


def on_files(files: Files, **_: object) -> None:
    """Start running all pages, long ones first, as many at a time as there are cores."""
    CACHE.mkdir(parents=True, exist_ok=True)
    pages = [file for file in files.documentation_pages() if FENCE.search(file.content_string)]
    count = os.cpu_count() or 1
    for _ in range(count):
        _kernels.put(Kernel())
    pool = ThreadPoolExecutor(count)
    for file in sorted(pages, key=lambda file: -len(file.content_string)):
        _runs[file.src_uri] = pool.submit(run, file.content_string)
    pool.shutdown(wait=False)


def on_post_build(**_: object) -> None:
    """End the kernels."""
    while not _kernels.empty():
        _kernels.get().stop()


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The page with the outputs below its blocks."""
    waiting = _runs.pop(page.file.src_uri, None)
    if waiting is None:
        return markdown
    try:
        finished = waiting.result()
    except CellExecutionError as error:
        raise PluginError(f"{page.file.src_uri}: {error}") from None
    text, parts, done = page.file.content_string, [], 0
    for number, (block, outputs) in enumerate(zip(*finished, strict=True), start=1):
        parts += [text[done : block.start], "" if block.hidden else WORDS.sub(r"\1", block.code)]
        heading = (HEADING.findall(text[: block.start]) or [page.title])[-1]
        parts += shown(outputs, block, Figures(page.file, number, heading, files, config))
        done = block.end
    return without_front_matter("".join([*parts, text[done:]]))


def without_front_matter(text: str) -> str:
    """The text below the settings at the head of a page."""
    return re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)


def blocks_of(text: str) -> Iterator[Block]:
    """The blocks of a page that run."""
    for fence in FENCE.finditer(text):
        language, options, code = fence.groups()
        title = TITLE.search(options)
        if language in ("toml", "csv"):
            if not title:
                continue
            code = f"%%writefile {title[1]}\n{code}"
        elif language == "bash":
            code = f"%%bash\nXLA_FLAGS={OF_COMMANDS}\n{code}"
        yield Block(*fence.span(), fence[0], options.split(), code)


class Kernel:
    """A kernel, started when it is needed, in a folder with one for each of its pages."""

    def __init__(self) -> None:
        self.pages = 0

    def execute(self, notebook: nbformat.NotebookNode) -> None:
        """Run the cells of a page, and keep what they put out."""
        if self.pages == PAGES:
            self.stop()
        if self.pages == 0:
            self.start()
        self.pages += 1
        setup = SETUP.replace("{folder}", tempfile.mkdtemp(dir=self.folder.name))
        notebook.cells.insert(0, nbformat.v4.new_code_cell(setup))
        times = {"timeout": 600, "startup_timeout": 300}
        client = NotebookClient(notebook, self.manager, coalesce_streams=True, **times)
        client.execute()
        if client.kc:
            client.kc.stop_channels()

    def start(self) -> None:
        """Begin it anew."""
        self.folder = tempfile.TemporaryDirectory()
        self.manager = KernelManager(transport="ipc", ip=f"{self.folder.name}/kernel")
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        own = {"PATH": path, "BATHAX_CACHE": str(CACHE), "XLA_FLAGS": OF_BLOCKS}
        self.manager.start_kernel(env=os.environ | own)

    def stop(self) -> None:
        """End it."""
        if self.pages:
            self.manager.shutdown_kernel(now=True)
            self.folder.cleanup()
        self.pages = 0


def run(text: str) -> Run:
    """Run the blocks of a page by a kernel that is free."""
    blocks = list(blocks_of(text))
    cells = [nbformat.v4.new_code_cell(block.cell) for block in blocks]
    kernel = _kernels.get()
    try:
        kernel.execute(nbformat.v4.new_notebook(cells=list(cells)))
    finally:
        _kernels.put(kernel)
    return Run(blocks, [cell.outputs for cell in cells])


class Figures(NamedTuple):
    """Where the figures of a block go, and what they are called."""

    page: File
    number: int
    heading: str
    files: Files
    config: MkDocsConfig

    def add(self, svg: str, count: int) -> str:
        """Add a figure to the files of the site; the Markdown that shows it."""
        name = f"{Path(self.page.src_uri).stem}-{self.number}{'abcdefgh'[count]}.svg"
        uri = (Path(self.page.src_uri).parent / name).as_posix()
        # Between the cells of a map light lines would show.
        svg = svg.replace('<g id="QuadMesh', '<g shape-rendering="crispEdges" id="QuadMesh')
        self.files.append(File.generated(self.config, uri, content=svg))
        return f'\n![{self.heading}]({name}){{ .figure loading="lazy" }}\n'


def shown(outputs: list[nbformat.NotebookNode], block: Block, figures: Figures) -> Iterator[str]:
    """What a block printed and drew, as Markdown."""
    for count, output in enumerate(outputs):
        data = output.get("data", {})
        if output.output_type == "error":
            raise PluginError(f"{figures.page.src_uri}: {output.evalue}")
        if output.get("name") == "stderr":
            if "warns" not in block.options:
                LOG.warning(f"{figures.page.src_uri}: {output.text}")
            yield printed(WARNING.sub(r"\1", output.text))
        elif output.output_type == "stream":
            yield f"\n\n{output.text}\n" if block.hidden else printed(output.text)
        elif "image/svg+xml" in data:
            yield figures.add(data["image/svg+xml"], count)
        elif not block.hidden:
            yield printed(data["text/plain"])


def printed(text: str) -> str:
    """A box of text below a block; nothing for files and for objects that only have an address."""
    if ADDRESS.search(text) or text.startswith("Writing "):
        return ""
    return f'\n\n<pre class="printed">{html.escape(text.rstrip(), quote=False)}</pre>\n'
