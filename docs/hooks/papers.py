"""Computes figures and claims of the papers by `bathax figures`, and lays them out as a page."""

import os
import re
import subprocess
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

MARK = "<!-- claims and figures -->"
FOLDER = Path(__file__).parents[2] / "build" / "figures"
CACHE = Path(__file__).parents[2] / ".cache" / "docs"
TABLE = re.compile(r"(?:^\|.*\|\n)+", re.MULTILINE)
CELL = re.compile(r"(?<!\\)\|")
# Pixels of a screen and of the figures per inch.
PIXELS, DPI = 115, 250
# What each figure shows, in the order of the page.
SHOWN = {
    "fig2_initial_states": "AHZ Fig. 2. Energy, entropy, temperature and free energy of a cavity "
    "from several Fock states, at weak, intermediate and strong coupling.",
    "fig3_couplings": "AHZ Fig. 3. The same from five quanta, at couplings within each regime.",
    "fig4_inversion": "AHZ Fig. 4. Cold reservoirs: the temperature passes through infinity where "
    "the entropy is largest. It ripples with the period 2π/ω_s, where the mode beats with thermal "
    "quanta at the lower edge of the spectrum.",
    "fig5_border": "AHZ Fig. 5. Energy and temperature over time and the temperature of the "
    "reservoir. Enlarged: at the border the temperature passes through infinity in each ripple.",
    "fig6_atom": "AHZ Fig. 6. An excited atom in a Lorentzian vacuum.",
    "markov": "Where the Born-Markov approximation agrees.",
    "markov_deviation": "How far it is off, by coupling.",
    "zeroth_law": "A cavity between two reservoirs of different temperatures.",
    "oscillation": "What a bound state leaves, and how its oscillation dies out.",
    "np_determinant": "NP. How the determinant of the map falls, by coupling and by temperature.",
    "np_populations": "NP. Populations of atoms that start excited and in the ground state.",
    "np_time_scale": "NP. Lifetimes grow like 1/coupling²; the end is not quite Boltzmann's.",
    "np_rates": "NP. Rates of the exact master equation.",
    "np_zero_crossing": "NP. Where the determinant passes zero, rates do not exist.",
    "np_binding": "NP. With a bound state the determinant stays at Z² in the vacuum; thermal "
    "quanta make it fall.",
    "np_reservoir": "NP. What the reservoir gains, by frequency and time.",
    "transport_iv": "A level between two leads: current over bias, and its noise over the current.",
    "transport_transient": "A level after it is coupled to two leads: what they gain, until "
    "Landauer's currents flow (dashed).",
    "transport_zeroth": "The zeroth law from weak to strong coupling: a cavity between two "
    "reservoirs, a level between two leads, and the heat that flows through it for ever.",
    "readings": "Beyond the papers: three temperatures of a cavity at strong coupling, and the "
    "renormalised frequency, dashed where it has left its plateau.",
    "drive_ramp": "Beyond the papers: the work of raising the frequency of a strongly coupled "
    "cavity, down to the change of its free energy of mean force.",
    "drive_crossing": "A level that is swept through a band keeps what the law of Demkov and "
    "Osherov says.",
    "drive_cycle": "An engine between a hot and a cold reservoir, at three periods.",
    "drive_quench": "A cavity after a jump of its frequency, from equilibrium with its reservoir.",
    "phases_temperature": "Beyond the papers: where a cavity thermalises, over coupling and "
    "temperature.",
    "phases_exponent": "Beyond the papers: the same over coupling and exponent of the density.",
}
_started: list[subprocess.Popen[str]] = []


def on_files(_: Files, **__: object) -> None:
    """Start computing."""
    command = [sys.executable, "-m", "bathax.app.cli", "figures", "--out", str(FOLDER)]
    environment = os.environ | {"BATHAX_CACHE": str(CACHE)}
    _started[:] = [
        subprocess.Popen(
            command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    ]


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The page of the papers with its claims and figures."""
    if MARK not in markdown:
        return markdown
    (process,) = _started
    _, errors = process.communicate()
    if process.returncode or errors:
        raise PluginError(f"{page.file.src_uri}: {errors}")
    drawn = {name: (FOLDER / f"{name}.png").read_bytes() for name in SHOWN}
    for name, png in drawn.items():
        files.append(File.generated(config, f"figures/{name}.png", content=png))
    claims = (FOLDER / "claims.md").read_text(encoding="utf-8").partition("\n")[2]
    told = TABLE.sub(lambda table: "\n".join(map(claim, rows(table[0]))), claims)
    return markdown.replace(MARK, f"{told}\n## Figures\n\n{figures(drawn)}")


def figures(drawn: dict[str, bytes]) -> str:
    """Every figure with its caption, in the size in which it was drawn."""
    return "\n".join(
        f'<figure markdown>\n![{SHOWN[name]}](figures/{name}.png){{ .paper loading="lazy" '
        f"width={width_of(png) * PIXELS // DPI} }}\n"
        f"<figcaption>{SHOWN[name]}</figcaption>\n</figure>\n"
        for name, png in drawn.items()
    )


def width_of(png: bytes) -> int:
    """The number of pixels across, which stands at the head of the file."""
    return int.from_bytes(png[16:20])


def rows(table: str) -> list[list[str]]:
    """The cells of a table, without its head."""
    return [
        [cell.strip().replace(r"\|", "|") for cell in CELL.split(line)[1:-1]]
        for line in table.splitlines()[2:]
    ]


def claim(cells: list[str]) -> str:
    """A row of the table as a section: the claim, and what was found."""
    name, text, parameters, found, verdict = cells
    verdict = verdict.strip("*")
    findings = "\n".join(f"- {plain(finding)}" for finding in found.split("<br>"))
    return (
        f'### {name} <span class="verdict {verdict}">{verdict}</span>\n\n'
        f"> {plain(text)}\n\n*For* {plain(parameters)}\n{{ .parameters }}\n\n{findings}\n"
    )


def plain(text: str) -> str:
    """Text that is no Markdown."""
    return re.sub(r"([_*<\\])", r"\\\1", text)
