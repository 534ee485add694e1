"""Relaxation: its cases, and the measures taken on maps."""

import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.papers.np.parameters import COUPLINGS, MODERATE, boltzmann, ohmic_qubit
from bathax.papers.np.relaxation import Relaxation, relaxation
from tests.unit.papers.np.sketch import SKETCH, mapped


@pytest.fixture(scope="module")
def relaxations():
    return relaxation(SKETCH._replace(vacuum=bx.VanHove()))


def test_relaxation_has_every_case(relaxations):
    assert tuple(relaxations.couplings) == COUPLINGS
    assert relaxations.temperatures[1.0] is relaxations.couplings[MODERATE]
    for case in (*relaxations.couplings.values(), *relaxations.temperatures.values()):
        assert case.exact.t.shape == (21,)
        assert case.exact.determinant[0] == pytest.approx(1.0)


def test_golden_rule_gives_the_lifetimes(relaxations):
    for case in relaxations.couplings.values():
        assert case.lifetime() * case.rate == pytest.approx(1.0, rel=0.05)
        assert case.deviation() == 0.0
    assert relaxations.exponent() == pytest.approx(-1.0, abs=0.03)


def test_a_small_hierarchy_relaxes_like_the_golden_rule():
    ts = jnp.linspace(0.0, 40.0, 41)
    small = bx.Hierarchy(rtol=1e-2, depth=3, modes=5)
    exact = bx.dynamical_map(ohmic_qubit(0.005, 1.0), ts, small)
    case = Relaxation(0.005, 1.0, exact, exact)
    assert case.lifetime() * case.rate == pytest.approx(1.0, rel=0.05)


def test_final_population_is_that_of_the_fixed_point():
    exact = mapped(lambda t: jnp.exp(-t))
    case = Relaxation(0.1, 1.0, exact, exact)
    assert case.final().value == pytest.approx(0.25)
    assert case.shift().value == pytest.approx(0.25 - boltzmann(1.0))
    assert 0.0 < case.shift().error < 1e-6
    assert case.lifetime() == pytest.approx(1.0, abs=1e-3)
    assert case.deviation() == 0.0


def test_no_lifetime_without_decay():
    case = mapped(lambda t: 1.0 - 0.01 * t, stop=1.0)
    assert np.isnan(Relaxation(0.1, 1.0, case, case).lifetime())
