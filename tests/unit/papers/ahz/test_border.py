"""The border of AHZ Fig. 5 in closed form."""

import pytest

from bathax.papers.ahz.border import resonant_border
from bathax.papers.ahz.parameters import WEAK, border_temperature


@pytest.mark.slow
def test_the_resonant_border_lies_below_that_of_no_coupling():
    shift = resonant_border() / border_temperature(5) - 1.0
    assert -3.0 * WEAK < shift < -0.5 * WEAK
