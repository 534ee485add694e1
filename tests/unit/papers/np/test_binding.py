"""What a bound state keeps: shares, rates of decay, and the claim."""

import jax.numpy as jnp
import pytest

from bathax.papers.claims import AGREES, PARTLY
from bathax.papers.np.binding import ABOVE, RATIOS, TEMPERATURES, Bound, binding, share
from bathax.papers.np.claims.binding import conditions
from bathax.papers.np.parameters import CRITICAL, ohmic_qubit
from bathax.papers.np.results import Results
from tests.unit.papers.np.sketch import SKETCH, mapped


@pytest.fixture(scope="module")
def found():
    return binding(SKETCH)


@pytest.mark.slow
def test_every_case_is_there(found):
    assert found.left.determinant.shape == (len(RATIOS), len(TEMPERATURES))
    assert found.above.share == share(ohmic_qubit(ABOVE, 0.0)) > 0.0
    assert share(ohmic_qubit(0.5 * CRITICAL, 0.0)) == 0.0
    for case in (found.above, found.gap):
        vacuum = case.maps[0.0].determinant
        assert vacuum[-1] == pytest.approx(case.share, abs=0.01)


def test_decay_of_an_exponential():
    case = Bound(0.0, {1.0: mapped(lambda t: jnp.exp(-0.3 * t))})
    rate = case.decay(1.0)
    assert rate.value == pytest.approx(0.3, rel=1e-6)
    assert 0.0 < rate.error < 1e-6


@pytest.mark.slow
def test_the_claim_asks_whether_memory_falls(found):
    """By the golden rule nothing falls in a gap: then the conditions would be needed."""
    assert conditions(Results(None, None, None, found)).verdict == AGREES
    falling = found.above._replace(
        maps={0.0: found.above.maps[0.0], 1.0: mapped(lambda t: jnp.exp(-0.3 * t))}
    )
    results = Results(None, None, None, found._replace(above=falling, gap=falling))
    assert conditions(results).verdict == PARTLY
