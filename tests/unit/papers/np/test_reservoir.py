"""What a reservoir gains, and when it returns."""

import numpy as np
import pytest

from bathax.papers.np.parameters import FILLING
from bathax.papers.np.reservoir import (
    exchange,
    first_return,
    gain_of_mode,
    off_resonance,
    resonant_share,
)
from tests.unit.papers.np.sketch import SKETCH


@pytest.fixture(scope="module")
def exchanged():
    return exchange(SKETCH)


@pytest.mark.slow
def test_the_reservoir_gains_on_resonance_what_the_atom_loses(exchanged):
    moderate, weak = exchanged
    assert moderate.t.shape == (21,)
    lost = 1.0 - moderate.excited_population[-1]
    np.testing.assert_allclose(moderate.quanta[0, -1], lost, atol=1e-3)
    n, t = FILLING, float(weak.t[-1])
    assert gain_of_mode(weak, 1.0)[-1] == pytest.approx((n + 1.0) * t**2, rel=0.15)
    assert resonant_share(weak, 0.5) < resonant_share(weak, 1.0) < 1.0
    assert off_resonance(weak) < 0.4 * off_resonance(moderate)


@pytest.mark.slow
def test_a_mode_off_resonance_returns_after_one_period(exchanged):
    time, left = first_return(exchanged.weak, 3.0)
    assert time == pytest.approx(np.pi, abs=0.2)
    assert 0.0 < left < 0.1
