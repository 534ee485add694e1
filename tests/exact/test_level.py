"""A single fermionic level that starts in a state of a qubit."""

import jax
import numpy as np
import pytest

import bathax as bx

LEAD = bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), 0.3, 0.2)
TS = np.array([0.0, 1.0, 3.0])


def level(size=1):
    return bx.LinearSystem(0.3 * np.eye(size), bx.Channel(LEAD, [1.0] * size), "fermion")


@pytest.mark.slow
def test_populations_are_a_covariance():
    found = bx.solve(level(), bx.QubitState([[0.4, 0.0], [0.0, 0.6]]), TS)
    expected = bx.solve(level(), bx.Covariance([[0.6]]), TS)
    np.testing.assert_array_equal(found.n, expected.n)


@pytest.mark.slow
def test_other_states_are_refused():
    plus = bx.QubitState([[0.5, 0.5], [0.5, 0.5]])
    with pytest.raises(ValueError, match="without coherence"):
        bx.solve(level(), plus, TS)
    with pytest.raises(ValueError, match="a Gaussian state"):
        bx.solve(level(2), bx.Excited(), TS)
    coherent = jax.jit(lambda state: bx.solve(level(), state, TS).n)(plus)
    assert np.all(np.isnan(coherent))
