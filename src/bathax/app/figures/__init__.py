"""The figures of AHZ, of NP and of what their texts claim, as files.

Functions take results of `bathax.studies` and axes, and draw; none of them solves. They return the
figure. `write_all` computes everything once and writes every figure and the table of claims.
"""

import os
from pathlib import Path
from types import ModuleType
from typing import Any

from bathax.app import claims
from bathax.app.figures.cavity import (
    border_maps,
    couplings,
    initial_states,
    inversion,
    markov,
    markov_deviation,
    oscillation,
    zeroth_law,
)
from bathax.app.figures.files import Drawing, replacing, write_figure
from bathax.app.figures.phases import over_exponent, over_temperature
from bathax.app.figures.qubit import (
    atom,
    determinant,
    exchange,
    populations,
    rates,
    time_scale,
    zero_crossing,
)
from bathax.studies import paper, phases, qubit

DRAWINGS = (
    Drawing("fig2_initial_states", "figure_2", initial_states),
    Drawing("fig3_couplings", "figure_3", couplings),
    Drawing("fig4_inversion", "figure_4", inversion),
    Drawing("fig5_border", "figure_5", border_maps),
    Drawing("markov", "markov", markov),
    Drawing("markov_deviation", "markov", markov_deviation),
    Drawing("zeroth_law", "zeroth_law", zeroth_law),
    Drawing("oscillation", "oscillation", oscillation),
    Drawing("fig6_atom", "figure_6", atom),
    Drawing("np_determinant", "relaxation", determinant),
    Drawing("np_populations", "relaxation", populations),
    Drawing("np_time_scale", "relaxation", time_scale),
    Drawing("np_rates", "memory", rates),
    Drawing("np_zero_crossing", "memory", zero_crossing),
    Drawing("np_reservoir", "exchange", exchange),
    Drawing("phases_temperature", "of_temperature", over_temperature),
    Drawing("phases_exponent", "of_exponent", over_exponent),
)


def write_all(
    directory: str | os.PathLike[str],
    of_cavity: paper.Effort = paper.FULL,
    of_qubit: qubit.Effort = qubit.FULL,
) -> None:
    """Compute everything, and write each figure as PNG and PDF, and `claims.md`.

    The folder is made if need be. Files appear whole or not at all; existing ones are replaced.
    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    cavity_results = _drawn(folder, paper, of_cavity)
    qubit_results = _drawn(folder, qubit, of_qubit)
    _drawn(folder, phases, of_cavity)
    with replacing(folder / "claims.md") as path:
        path.write_text(claims.tables(cavity_results, qubit_results), encoding="utf-8")


def _drawn(folder: Path, study: ModuleType, effort: Any) -> Any:
    """The results of a study, each one drawn as soon as it is there."""
    results = {}
    for name in study.Results._fields:
        results[name] = getattr(study, name)(effort)
        for drawing in DRAWINGS:
            if drawing.result == name:
                write_figure(folder / drawing.name, drawing.draw, results[name])
    return study.Results(**results)
