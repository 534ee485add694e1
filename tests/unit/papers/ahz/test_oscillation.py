"""The measures taken on an oscillation."""

import numpy as np
import pytest

from bathax.cavity.solvers import BornMarkov
from bathax.papers.ahz.oscillation import Samples, oscillation
from bathax.papers.ahz.parameters import Effort


def test_swings_of_a_decaying_oscillation():
    def samples(start, stop):
        t = np.linspace(start, stop, 200)
        v = 3.0 + np.cos(t) / t
        return Samples(t, v, -np.sin(t) / t - np.cos(t) / t**2)

    parts = [samples(50.0, 100.0), samples(500.0, 550.0)]
    t, sizes = (np.concatenate(c) for c in zip(*(p.swings() for p in parts), strict=True))
    assert sizes * t == pytest.approx(2.0, rel=2e-3)
    assert parts[1].amplitude() == pytest.approx(2.0 / 500.0, rel=2e-2)


def test_no_exponent_without_swings():
    assert np.isnan(oscillation(Effort(times=15, solver=BornMarkov())).exponent())
