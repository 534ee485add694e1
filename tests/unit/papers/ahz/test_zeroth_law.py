"""Two reservoirs, sketched."""

import pytest

from bathax.cavity.solvers import BornMarkov
from bathax.papers.ahz.parameters import Effort
from bathax.papers.ahz.zeroth_law import PAIRS, SPREADS, zeroth_law


def test_steady_states_of_the_two_reservoirs_approach_the_mean_when_hot():
    law = zeroth_law(Effort(times=15, solver=BornMarkov()))
    assert set(law.relaxations) == set(law.limits) == set(PAIRS)
    for spread in SPREADS:
        assert law.final[spread][-1] == pytest.approx(law.means[-1], rel=0.02)
        assert law.expected[spread] == pytest.approx(law.final[spread], rel=0.05)
    assert law.current < 0.0
