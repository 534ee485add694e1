"""The figures of AHZ, of solutions made by hand."""

import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.figure import Figure

import bathax as bx
from bathax.papers.ahz import figures
from bathax.papers.ahz.figures.cavity import POLE_HEIGHT
from bathax.plot import parts

T = np.linspace(0.0, 2.0, 40)
VACUUM = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0)))
LIFETIME = float(np.exp(0.2) / (0.2 * np.pi))


def test_limits_ignore_the_pole(made_of):
    solution = made_of(np.full(40, -1.0), 0.7 - T)
    figure = figures.inversion({0.0: solution})
    assert figure.axes[2].get_ylim() == (-POLE_HEIGHT, POLE_HEIGHT)
    dashed = [line for line in figure.axes[2].lines if line.get_linestyle() == "--"]
    assert [line.get_xdata()[0] for line in dashed] == pytest.approx([0.7])


def test_pole_of_an_atom_is_where_half_is_left():
    ts = jnp.linspace(0.0, 4.0, 100)
    solution = bx.solve(VACUUM, bx.Excited(), ts, bx.VanHove())
    t, values = parts.with_gaps(solution, "temperature")
    (gap,) = np.flatnonzero(np.isnan(values))
    assert t[gap - 1] < LIFETIME * np.log(2.0) < t[gap + 1]
    figure = figures.atom({0.2: solution})
    dashed = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    expected = pytest.approx([LIFETIME * np.log(2.0)], rel=1e-3)
    assert [line.get_xdata()[0] for line in dashed] == expected


def test_draws_on_given_axes(made_of):
    solution = made_of(np.full(40, -1.0), 0.7 - T)
    axes = Figure().subplots(2, 2)
    assert figures.inversion({0.0: solution}, axes) is axes[0, 0].figure
    assert all(ax.lines for ax in axes.flat)
