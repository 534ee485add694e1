"""The parameters of AHZ: units, initial states, closed forms."""

import jax.numpy as jnp
import numpy as np
import pytest

from bathax.papers.ahz import parameters


def test_the_critical_coupling_is_the_unit_of_coupling():
    cavity = parameters.ohmic_cavity(1.0, 20.0)
    assert cavity.level_shift(jnp.zeros(())) == pytest.approx(-parameters.FREQUENCY)


def test_reservoirs_share_the_coupling():
    w = jnp.asarray(1.3)
    one, two = parameters.ohmic_cavity(0.1, 20.0), parameters.ohmic_cavity(0.1, 10.0, 30.0)
    assert one.spectral_density(w) == pytest.approx(float(two.spectral_density(w)))


def test_fock_states_of_one_shape():
    assert [float(parameters.fock(n).number) for n in parameters.QUANTA] == list(parameters.QUANTA)
    assert {parameters.fock(n).probabilities.shape for n in parameters.QUANTA} == {(11,)}


def test_border_temperature_has_the_occupation_n0():
    assert parameters.border_temperature(5) == pytest.approx(5.4848, abs=1e-4)
    assert parameters.mean_occupation(parameters.border_temperature(5)) == pytest.approx(5.0)


def test_mean_occupation_of_a_cold_reservoir_is_zero():
    assert parameters.mean_occupation(0.0) == 0.0
    assert parameters.mean_occupation(0.0, 2.0) == pytest.approx(0.5 / np.expm1(0.5))


@pytest.mark.slow
def test_temperature_inverts_occupation():
    number = parameters.mean_occupation(np.array([0.5, 3.0]))
    assert parameters.temperature_of(number) == pytest.approx([0.5, 3.0])
