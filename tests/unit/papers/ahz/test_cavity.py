"""The cases of a cavity, sketched."""

import numpy as np

from bathax.cavity.solvers import BornMarkov
from bathax.papers.ahz.cavity import figure_5
from bathax.papers.ahz.parameters import Effort


def test_maps_have_a_row_for_every_temperature():
    result = figure_5(Effort(times=15, temperatures=4, solver=BornMarkov()))
    for found, shape in ((result.whole, (4, 30)), (result.border, (2, 30))):
        assert found.solution.energy.shape == shape
        assert np.all(np.diff(found.solution.v[:, -1]) > 0.0)
