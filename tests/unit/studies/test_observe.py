"""Numbers of a system that are not one on purpose, and others."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.studies.observe import observe


@pytest.fixture(scope="module")
def found():
    """At a coupling below the critical one, 0.2, at one above, and at an invalid one."""

    def numbers(eta):
        cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(eta, 5.0), 1.0))
        return observe(["critical_temperature"], cavity, bx.Fock(2), jnp.ones(1))

    return jax.jit(jax.vmap(numbers))(jnp.array([0.01, 0.3, -1.0]))


@pytest.mark.slow
def test_a_number_that_is_not_there_on_purpose_is_no_failure(found):
    np.testing.assert_array_equal(
        found["status"], [bx.Status.SUCCESS, bx.Status.SUCCESS, bx.Status.INVALID]
    )
    np.testing.assert_array_equal(jnp.isfinite(found["critical_temperature"]), [True, False, False])
