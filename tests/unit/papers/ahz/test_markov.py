"""The deviation of an approximation."""

import jax.numpy as jnp
import numpy as np
import pytest

from bathax.cavity.solvers import BornMarkov
from bathax.papers.ahz.markov import Comparison
from bathax.papers.ahz.parameters import fock, ohmic_cavity
from bathax.solution.solving import solve


def test_deviation_is_relative_to_the_largest_value():
    ts = jnp.linspace(0.0, 1.0, 5)
    cavity = ohmic_cavity(0.1, 20.0)
    solution = solve(cavity, fock(1), ts, BornMarkov())
    doubled = solve(cavity, fock(2), ts, BornMarkov())
    assert Comparison(solution, solution).deviation("energy") == 0.0
    expected = np.max(np.abs(doubled.energy - solution.energy)) / np.max(doubled.energy)
    assert Comparison(doubled, solution).deviation("energy") == pytest.approx(float(expected))
