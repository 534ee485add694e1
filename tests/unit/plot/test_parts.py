"""Curves with gaps at the poles of T, and the style."""

import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
import pytest

from bathax.plot import parts

T = np.linspace(0.0, 2.0, 40)


@pytest.mark.parametrize("name", ["temperature", "free_energy"])
def test_line_is_broken_at_a_pole(made_of, name):
    t, values = parts.with_gaps(made_of(np.full(40, -1.0), 0.7 - T), name)
    (gap,) = np.flatnonzero(np.isnan(values))
    assert t[gap - 1] < 0.7 < t[gap + 1]
    assert len(t) == len(T) + 1
    assert np.all(np.diff(t) >= 0.0)


@pytest.mark.parametrize("name", ["energy", "entropy"])
def test_quantities_without_poles_are_not_broken(made_of, name):
    t, values = parts.with_gaps(made_of(np.full(40, -1.0), 0.7 - T), name)
    assert t == pytest.approx(T)
    assert np.all(np.isfinite(values))


def test_samples_beside_a_narrow_pole_are_left_out(made_of):
    t, values = parts.with_gaps(made_of(0.71 - T, 0.7 - T), "temperature")
    assert np.all(np.isfinite(values))
    assert np.min(np.abs(t - 0.7)) > 1.5 * T[1]
    assert len(t) == len(T) - 4


def test_line_through_a_wide_and_a_narrow_pole(made_of):
    entropy_rate = (0.3 - T) * (1.5 - T)
    t, values = parts.with_gaps(made_of(1.51 - T, entropy_rate), "temperature")
    (gap,) = np.flatnonzero(np.isnan(values))
    assert t[gap - 1] < 0.3 < t[gap + 1]
    assert len(t) == len(T) - 4 + 1


def test_infinite_values_leave_a_gap(made_of):
    temperature = jnp.asarray(T).at[7].set(jnp.inf)
    solution = made_of(np.ones(40), 1.0 + T, temperature=temperature)
    assert np.flatnonzero(np.isnan(parts.with_gaps(solution, "temperature")[1])).tolist() == [7]


def test_style_lasts_only_for_its_context():
    before = dict(mpl.rcParams)
    with parts.style():
        assert mpl.rcParams["mathtext.fontset"] == "stix"
    assert dict(mpl.rcParams) == before
