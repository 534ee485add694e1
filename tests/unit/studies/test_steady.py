"""Limits t -> infinity against exact facts and against long runs."""

import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.studies.steady import bound_state, heat_current, steady_number, steady_temperature


def cavity(eta, *temperatures):
    density = bx.Ohmic(eta / len(temperatures), 5.0)
    return bx.Cavity(1.0, [bx.Reservoir(density, temperature) for temperature in temperatures])


def test_no_bound_state_below_the_critical_coupling():
    bound = bound_state(cavity(0.19, 1.0))
    assert (bound.residue, bound.frequency) == (0.0, -np.inf)


def test_bound_state_above_it_solves_the_pole_equation():
    strong = cavity(0.3, 1.0)
    bound = bound_state(strong)
    assert bound.frequency < 0.0
    shift = strong.level_shift(bound.frequency)
    assert bound.frequency - 1.0 - shift == pytest.approx(0.0, abs=1e-12)
    assert 0.0 < bound.residue < 1.0


@pytest.mark.parametrize("eta", [0.1, 0.3])
def test_uniform_filling_gives_what_the_commutator_leaves(eta):
    # With n(w) = 1 everywhere v(inf) = 1 - |u(inf)|^2 = 1 - Z^2.
    bath = bx.Reservoir(bx.Ohmic(eta, 5.0), occupation=bx.Uniform(1.0))
    filled = bx.Cavity(1.0, bath)
    number = steady_number(filled, 2**10)
    assert number.value == pytest.approx(1.0 - float(bound_state(filled).residue) ** 2, abs=1e-10)
    assert number.error < 1e-8


def test_agrees_with_a_long_run():
    warm = cavity(0.1, 20.0)
    number = steady_number(warm, 2**10).value
    solution = bx.solve(warm, bx.Fock(5), jnp.asarray([30.0, 60.0]), bx.Volterra(points=2048))
    assert solution.v[-1] == pytest.approx(number, rel=1e-3)
    limit = steady_temperature(warm, bx.Fock(5), number)
    assert limit == pytest.approx(1.0 / np.log1p(1.0 / number))
    assert solution.temperature[-1] == pytest.approx(float(limit), rel=1e-3)


def test_bound_state_makes_the_temperature_remember():
    strong = cavity(0.3, 20.0)
    number = steady_number(strong, 2**10).value
    limits = [float(steady_temperature(strong, bx.Fock(n), number)) for n in (0, 5)]
    assert limits[0] + 1.0 < limits[1]


def test_heat_flows_from_hot_to_cold_at_the_golden_rule_rate():
    density = bx.Ohmic(0.001, 5.0)
    weak = bx.Cavity(1.0, [bx.Reservoir(density, 3.0), bx.Reservoir(density, 1.0)])
    rate = jnp.pi * density(jnp.ones(()))
    expected = float(rate * (1.0 / jnp.expm1(1.0 / 3.0) - 1.0 / jnp.expm1(1.0)))
    assert heat_current(weak, 2**13) == pytest.approx(expected, rel=0.02)
    assert heat_current(cavity(0.01, 2.0, 2.0), 2**8) == 0.0
