"""Zeros and growth of D."""

import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.papers.np.memory import first_rise, memory
from tests.unit.papers.np.sketch import SKETCH, mapped


def test_first_rise():
    assert first_rise(mapped(lambda t: jnp.exp(-t))) is None
    rise = first_rise(mapped(lambda t: 0.5 + 0.5 * jnp.cos(t)))
    assert rise.time == pytest.approx(np.pi, abs=0.1)
    assert rise.determinant == pytest.approx(0.0, abs=3e-3)


def test_one_mode_with_loss_passes_zero():
    mode = memory(SKETCH._replace(times=31)).mode
    assert bx.determinant_passage(mode) == pytest.approx(15.7, abs=0.3)
    # At t = 20, by diagonalisation of one damped mode.
    assert mode.determinant[10] == pytest.approx(-0.0279535917366179, abs=1e-6)
