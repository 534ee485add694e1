"""The parameters of NP against the library."""

import jax.numpy as jnp
import pytest

import bathax as bx
from bathax.papers.np import parameters


@pytest.mark.parametrize(("temperature", "boltzmann"), [(0.0, 0.0), (1.0, 0.2689414213699951)])
def test_golden_rule_is_the_van_hove_limit(temperature, boltzmann):
    qubit = parameters.ohmic_qubit(0.02, temperature)
    dmap = bx.dynamical_map(qubit, jnp.asarray([1.0]), bx.VanHove())
    rate = parameters.golden_rule(0.02, temperature)
    assert dmap.gamma_minus[0] + dmap.gamma_plus[0] == pytest.approx(rate)
    assert parameters.boltzmann(temperature) == pytest.approx(boltzmann)
    assert dmap.gamma_plus[0] / rate == pytest.approx(boltzmann)


@pytest.mark.parametrize(("eta", "temperature"), [(0.02, 0.0), (0.002, 1.0), (0.1, 1.0)])
def test_solver_of_each_case(eta, temperature):
    cold, weak, strong = parameters.FULL.vacuum, parameters.FULL.weak, parameters.FULL.strong
    expected = cold if temperature == 0.0 else weak if eta < 0.01 else strong
    assert parameters.FULL.solver(eta, temperature) is expected
