"""The figures of NP, of maps made by hand."""

import dataclasses
import pickle

import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.papers.np import figures
from bathax.papers.np.memory import Memory, memory
from bathax.papers.np.parameters import Effort

VACUUM = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0)))


def test_negative_rates_are_shaded():
    ts = jnp.linspace(0.0, 3.0, 31)
    dmap = dataclasses.replace(bx.dynamical_map(VACUUM, ts, bx.VanHove()), gamma_z=1.05 - ts)
    figure = figures.rates(Memory(dmap, dmap, dmap))
    shaded = [[patch.get_x() for patch in ax.patches] for ax in figure.axes]
    assert [len(starts) for starts in shaded] == [0] * 6 + [1] * 3
    assert shaded[-1] == pytest.approx([1.05], abs=0.06)


def test_rates_have_a_gap_where_the_determinant_passes_zero():
    values = figures.broken(np.arange(4.0), np.array([2.0, 1.0, -1.0, -2.0]))
    assert np.flatnonzero(np.isnan(values)).tolist() == [2]


@pytest.mark.slow
def test_results_go_from_process_to_process():
    """As bytes, from which they come out the same."""
    found = memory(Effort(21, *[bx.VanHove()] * 4))
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.moderate.p11, found.moderate.p11)
