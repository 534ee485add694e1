import jax.numpy as jnp
import numpy as np
import pytest

from bathax.numerics.slow_response import PLACES, shares, slower

RATES = np.array([1.0, 40.0 - 9.0j, 300.0, 1e4 + 5e3j])
MASSES = np.array([0.5, -2.0 + 1.0j, 7.0, 40.0j])


@pytest.mark.parametrize("lowest", [0, 1])
def test_slow_response_is_that_of_faster_modes(lowest):
    """Up to a power of s / A, at complex s."""
    fastest = jnp.asarray(30.0)
    kept, taken = shares(jnp.asarray(RATES), fastest, lowest)
    np.testing.assert_array_equal(kept, [1.0, 0.0, 0.0, 0.0])
    weights, rates = MASSES @ np.asarray(taken), np.asarray(slower(fastest))
    assert np.abs(rates).max() <= 30.0
    misses = []
    for s in (0.1 + 0.05j, 0.2 + 0.1j):
        fast = np.sum(MASSES[1:] / (s + RATES[1:]))
        misses.append(abs(np.sum(weights / (s + rates)) - fast))
        assert misses[-1] < 1e-7
    order = np.log2(misses[1] / misses[0])
    assert order == pytest.approx(PLACES.size + lowest - 1, abs=0.5)


def test_total_is_kept():
    _, taken = shares(jnp.asarray(RATES), jnp.asarray(30.0))
    assert np.sum(MASSES @ np.asarray(taken)) == pytest.approx(np.sum(MASSES[1:]), rel=1e-13)
