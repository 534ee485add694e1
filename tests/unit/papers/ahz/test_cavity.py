"""The cases of a cavity, sketched."""

import numpy as np

from bathax.cavity.solvers import BornMarkov
from bathax.papers.ahz.cavity import figure_5
from bathax.papers.ahz.parameters import Effort


def test_map_has_a_row_for_every_temperature():
    result = figure_5(Effort(times=15, temperatures=3, solver=BornMarkov()))
    assert result.solution.energy.shape == (3, 15)
    assert np.all(np.diff(result.solution.v[:, -1]) > 0.0)
