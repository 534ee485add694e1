"""A level between two leads, and cavities between two reservoirs at any coupling."""

import numpy as np
import pytest

from bathax.papers.ahz import transport
from bathax.papers.ahz.parameters import Effort
from bathax.papers.ahz.transport import LEVEL_PAIRS, PAIRS, RATIOS, TRANSIENTS, share


@pytest.fixture(scope="module")
def zeroth():
    return transport.transport_zeroth()


@pytest.mark.slow
def test_a_weakly_coupled_level_is_filled_half_way_between_the_leads(zeroth):
    for pair in LEVEL_PAIRS:
        part = share(zeroth.levels[pair].number.value, pair)
        assert part[0] == pytest.approx(0.5, abs=0.01)


@pytest.mark.slow
def test_heat_flows_to_the_cold_lead_at_every_coupling(zeroth):
    for steady in zeroth.levels.values():
        assert np.all(-steady.energy_current.value > 1e6 * steady.energy_current.error)


@pytest.mark.slow
def test_a_hot_cavity_is_hotter_than_the_mean_by_the_classical_factor(zeroth):
    temperature = transport.cavity_temperature(zeroth.cavities[PAIRS[0]])
    assert temperature == pytest.approx(np.mean(PAIRS[0]) / (1.0 - RATIOS), rel=0.01)


def test_temperature_of_a_level_inverts_the_function_of_fermi():
    assert transport.level_temperature(transport.fermi(0.7)) == pytest.approx(0.7, rel=1e-12)
    assert transport.fermi(0.0) == 0.0


def test_noise_is_that_of_johnson_and_nyquist_at_a_small_bias():
    bias = np.array([1e-3])
    steady = transport.steady_levels(np.array([0.2]), *[np.array([0.2])] * 2, bias)
    assert steady.fano == pytest.approx(2.0 * 0.2 / bias, rel=1e-3)


@pytest.mark.slow
def test_currents_end_in_those_of_landauer():
    found = transport.transport_transient(Effort(times=15))
    assert found.current.value.shape == (len(TRANSIENTS), 15, 2)
    for now, end in ((found.current, found.steady.current), (found.number, found.steady.number)):
        last = now.value[:, -1] if now.value.ndim == 2 else now.value[:, -1, 1]
        assert last == pytest.approx(end.value, rel=0.01)
