"""The cases of the paper: parameters, steady states and the measures taken on them."""

import jax.numpy as jnp
import numpy as np
import pytest

from bathax.cavity.solvers import BornMarkov
from bathax.solution import solve
from bathax.studies import paper

SKETCH = paper.Effort(
    times=15,
    temperatures=3,
    bisections=1,
    solver=BornMarkov(),
)


def test_the_critical_coupling_is_the_unit_of_coupling():
    cavity = paper.ohmic_cavity(1.0, 20.0)
    assert cavity.level_shift(jnp.zeros(())) == pytest.approx(-paper.FREQUENCY)


def test_reservoirs_share_the_coupling():
    w = jnp.asarray(1.3)
    one, two = paper.ohmic_cavity(0.1, 20.0), paper.ohmic_cavity(0.1, 10.0, 30.0)
    assert one.spectral_density(w) == pytest.approx(float(two.spectral_density(w)))


def test_fock_states_of_one_shape():
    assert [float(paper.fock(n).number) for n in paper.QUANTA] == list(paper.QUANTA)
    assert {paper.fock(n).probabilities.shape for n in paper.QUANTA} == {(11,)}


def test_border_temperature_has_the_occupation_n0():
    assert paper.border_temperature(5) == pytest.approx(5.4848, abs=1e-4)
    assert paper.mean_occupation(paper.border_temperature(5)) == pytest.approx(5.0)


def test_the_resonant_border_lies_below_that_of_no_coupling():
    shift = paper.resonant_border() / paper.border_temperature(5) - 1.0
    assert -3.0 * paper.WEAK < shift < -0.5 * paper.WEAK


def test_mean_occupation_of_a_cold_reservoir_is_zero():
    assert paper.mean_occupation(0.0) == 0.0
    assert paper.mean_occupation(0.0, 2.0) == pytest.approx(0.5 / np.expm1(0.5))


def test_temperature_inverts_occupation():
    assert paper.temperature_of(paper.mean_occupation(np.array([0.5, 3.0]))) == pytest.approx(
        [0.5, 3.0]
    )


def test_swings_of_a_decaying_oscillation():
    def samples(start, stop):
        t = np.linspace(start, stop, 200)
        v = 3.0 + np.cos(t) / t
        return paper.Samples(t, v, -np.sin(t) / t - np.cos(t) / t**2)

    parts = [samples(50.0, 100.0), samples(500.0, 550.0)]
    t, sizes = (np.concatenate(c) for c in zip(*(p.swings() for p in parts), strict=True))
    assert sizes * t == pytest.approx(2.0, rel=2e-3)
    assert parts[1].amplitude() == pytest.approx(2.0 / 500.0, rel=2e-2)


def test_no_exponent_without_swings():
    assert np.isnan(paper.oscillation(SKETCH).exponent())


def test_deviation_is_relative_to_the_largest_value():
    ts = jnp.linspace(0.0, 1.0, 5)
    cavity = paper.ohmic_cavity(0.1, 20.0)
    solution = solve(cavity, paper.fock(1), ts, BornMarkov())
    doubled = solve(cavity, paper.fock(2), ts, BornMarkov())
    assert paper.Comparison(solution, solution).deviation("energy") == 0.0
    expected = np.max(np.abs(doubled.energy - solution.energy)) / np.max(doubled.energy)
    assert paper.Comparison(doubled, solution).deviation("energy") == pytest.approx(float(expected))


def test_steady_states_of_the_two_reservoirs_approach_the_mean_when_hot():
    law = paper.zeroth_law(SKETCH)
    assert set(law.relaxations) == set(law.limits) == set(paper.PAIRS)
    for spread in paper.SPREADS:
        assert law.final[spread][-1] == pytest.approx(law.means[-1], rel=0.02)
        assert law.expected[spread] == pytest.approx(law.final[spread], rel=0.05)
    assert law.current < 0.0


def test_map_has_a_row_for_every_temperature():
    result = paper.figure_5(SKETCH)
    assert result.solution.energy.shape == (3, 15)
    assert np.all(np.diff(result.solution.v[:, -1]) > 0.0)
