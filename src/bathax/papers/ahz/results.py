"""Everything that is computed of AHZ."""

from typing import NamedTuple

from bathax.papers.ahz.atom import figure_6 as figure_6
from bathax.papers.ahz.border import border as border
from bathax.papers.ahz.border import resonant_border as resonant_border
from bathax.papers.ahz.cavity import Maps
from bathax.papers.ahz.cavity import figure_2 as figure_2
from bathax.papers.ahz.cavity import figure_3 as figure_3
from bathax.papers.ahz.cavity import figure_4 as figure_4
from bathax.papers.ahz.cavity import figure_5 as figure_5
from bathax.papers.ahz.driving import Crossing, Ramps
from bathax.papers.ahz.driving import drive_crossing as drive_crossing
from bathax.papers.ahz.driving import drive_cycle as drive_cycle
from bathax.papers.ahz.driving import drive_quench as drive_quench
from bathax.papers.ahz.driving import drive_ramp as drive_ramp
from bathax.papers.ahz.markov import Comparison
from bathax.papers.ahz.markov import markov as markov
from bathax.papers.ahz.oscillation import Oscillation
from bathax.papers.ahz.oscillation import oscillation as oscillation
from bathax.papers.ahz.phases import Plane
from bathax.papers.ahz.phases import phases_over_exponent as phases_over_exponent
from bathax.papers.ahz.phases import phases_over_temperature as phases_over_temperature
from bathax.papers.ahz.readings import Readings
from bathax.papers.ahz.readings import readings as readings
from bathax.papers.ahz.steady import Steady
from bathax.papers.ahz.steady import steady as steady
from bathax.papers.ahz.transport import Steady as LevelSteady
from bathax.papers.ahz.transport import Transient, Zeroth
from bathax.papers.ahz.transport import transport_iv as transport_iv
from bathax.papers.ahz.transport import transport_transient as transport_transient
from bathax.papers.ahz.transport import transport_zeroth as transport_zeroth
from bathax.papers.ahz.zeroth_law import ZerothLaw
from bathax.papers.ahz.zeroth_law import zeroth_law as zeroth_law
from bathax.papers.claims import Estimated
from bathax.solution.cycle import LimitCycle
from bathax.solution.results import LinearSolution, QubitSolution, Solution


class Results(NamedTuple):
    """The results of the functions of these names."""

    figure_2: dict[float, dict[int, Solution]]
    figure_3: tuple[dict[float, Solution], ...]
    figure_4: dict[float, Solution]
    figure_5: Maps
    figure_6: dict[float, QubitSolution]
    markov: dict[float, Comparison]
    zeroth_law: ZerothLaw
    oscillation: Oscillation
    steady: dict[float, Steady]
    border: Estimated
    resonant_border: float
    transport_iv: dict[float, LevelSteady]
    transport_transient: Transient
    transport_zeroth: Zeroth
    readings: Readings
    drive_ramp: Ramps
    drive_crossing: Crossing
    drive_cycle: dict[float, LimitCycle]
    drive_quench: dict[float, LinearSolution]
    phases_over_temperature: Plane
    phases_over_exponent: Plane
