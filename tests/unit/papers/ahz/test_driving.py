"""Work and heat of driven modes: laws that the cases of the figures obey."""

import numpy as np
import pytest

from bathax.papers.ahz import driving, figures
from bathax.papers.ahz.driving import PERIODS, QUENCHED, SPEEDS, WEIGHT
from bathax.papers.ahz.parameters import Effort

FEW = Effort(times=41)


@pytest.mark.slow
def test_work_of_ramps(monkeypatch):
    """It falls towards the change of the free energy, from above."""
    monkeypatch.setattr(driving, "WIDTHS", np.array([0.2, 1.6]))
    found = driving.drive_ramp(FEW)
    assert np.all(np.diff(found.work.value) < 0.0)
    assert np.all(found.work.value > found.slow)
    assert np.all(found.work.error < 1e-6)


@pytest.mark.slow
def test_a_crossing(monkeypatch):
    monkeypatch.setattr(driving, "SPEEDS", SPEEDS[-2:])
    found = driving.drive_crossing(FEW)
    law = np.exp(-2.0 * np.pi * WEIGHT / np.array(SPEEDS[-2:]))
    np.testing.assert_allclose(found.number.value[:, -1], law, atol=5e-3)


@pytest.mark.slow
def test_cycles_and_their_figure():
    found = driving.drive_cycle(FEW)
    assert [*found] == [*PERIODS]
    for cycle in found.values():
        assert cycle.work < 0.0
        assert 0.0 < cycle.efficiency < 0.5
        np.testing.assert_allclose(
            cycle.work - cycle.solution.energy_gain[-1].sum(), 0.0, atol=1e-9
        )
    assert len(figures.cycle(found).axes[0].lines) == len(PERIODS)


@pytest.mark.slow
def test_quenches_and_their_figure(monkeypatch):
    monkeypatch.setattr(driving, "QUENCHED", QUENCHED[:2])
    found = driving.drive_quench(FEW)
    for sol in found.values():
        assert sol.number[0] > sol.number[-1]
        assert np.abs(sol.first_law).max() < 1e-9
    assert len(figures.quench(found).axes) == 2


@pytest.mark.parametrize("draw", [figures.ramp, figures.crossing])
def test_figures(draw):
    """Of numbers that are made up."""
    estimated = driving.Estimated(np.ones((len(SPEEDS), 41)), np.zeros((len(SPEEDS), 41)))
    if draw is figures.ramp:
        one = driving.Estimated(np.ones(driving.WIDTHS.size), np.zeros(driving.WIDTHS.size))
        figure = draw(driving.Ramps(one, 0.5))
    else:
        figure = draw(driving.Crossing(np.linspace(-1.0, 1.0, 41), estimated))
    assert figure.axes[0].lines
