"""The figures of AHZ: `cavity` Figs. 2-5 and what the text claims, `atom` Fig. 6, `transport`,
`readings`, `driving` and `phases` beyond.

Functions take results and axes, and draw; none of them solves. They return the figure.
"""

from bathax.papers.ahz.figures.atom import atom
from bathax.papers.ahz.figures.cavity import (
    border_maps,
    couplings,
    initial_states,
    inversion,
    markov,
    markov_deviation,
    oscillation,
    zeroth_law,
)
from bathax.papers.ahz.figures.driving import crossing, cycle, quench, ramp
from bathax.papers.ahz.figures.phases import over_exponent, over_temperature
from bathax.papers.ahz.figures.readings import readings
from bathax.papers.ahz.figures.transport import current_voltage, transient, zeroth
from bathax.plot.files import Drawing

DRAWINGS = (
    Drawing("fig2_initial_states", "figure_2", initial_states),
    Drawing("fig3_couplings", "figure_3", couplings),
    Drawing("fig4_inversion", "figure_4", inversion),
    Drawing("fig5_border", "figure_5", border_maps),
    Drawing("fig6_atom", "figure_6", atom),
    Drawing("markov", "markov", markov),
    Drawing("markov_deviation", "markov", markov_deviation),
    Drawing("zeroth_law", "zeroth_law", zeroth_law),
    Drawing("oscillation", "oscillation", oscillation),
    Drawing("transport_iv", "transport_iv", current_voltage),
    Drawing("transport_transient", "transport_transient", transient),
    Drawing("transport_zeroth", "transport_zeroth", zeroth),
    Drawing("readings", "readings", readings),
    Drawing("drive_ramp", "drive_ramp", ramp),
    Drawing("drive_crossing", "drive_crossing", crossing),
    Drawing("drive_cycle", "drive_cycle", cycle),
    Drawing("drive_quench", "drive_quench", quench),
    Drawing("phases_temperature", "phases_over_temperature", over_temperature),
    Drawing("phases_exponent", "phases_over_exponent", over_exponent),
)
