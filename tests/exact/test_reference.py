"""Independent reference values of the Ohmic cavity, at default settings."""

import json
from itertools import product
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

CASES = json.loads((Path(__file__).parent / "cavity_reference.json").read_text())


SOLVERS = {"volterra": None, "resonance": bx.Resonance()}


def case_and_solver(parameters):
    case, solver = parameters
    return f"{case['name']}-{solver}"


@pytest.fixture(
    scope="module", params=product(CASES, SOLVERS), ids=lambda p: f"{p[0]['name']}-{p[1]}"
)
def solved(request):
    case, solver = request.param
    bath = bx.Reservoir(bx.Ohmic(case["eta"], case["cutoff"]), case["kT"])
    return case, bx.solve(bx.Cavity(1.0, bath), bx.Fock(case["n0"]), case["t"], SOLVERS[solver])


@pytest.mark.slow
def test_green_functions(solved):
    case, solution = solved
    u = np.array(case["u_re"]) + 1j * np.array(case["u_im"])
    v = np.array(case["v"])
    np.testing.assert_allclose(solution.u, u, rtol=0, atol=1e-11)
    np.testing.assert_allclose(solution.v, v, rtol=1e-11, atol=0)


@pytest.mark.parametrize(
    ("name", "symbol"),
    [("energy", "E"), ("entropy", "S"), ("temperature", "T"), ("free_energy", "F")],
)
def test_thermodynamics(solved, name, symbol):
    case, solution = solved
    np.testing.assert_allclose(getattr(solution, name), case[symbol], rtol=1e-9)


def test_tolerance_is_reached_and_said_so(solved):
    _, solution = solved
    assert solution.status == 0
    assert solution.message == "The requested tolerance was reached."
    assert jnp.all(solution.error.u < 1e-9)
