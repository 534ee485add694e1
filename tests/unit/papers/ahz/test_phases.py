"""Phase diagrams: their lines against closed forms."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import gamma

from bathax.papers.ahz import phases
from bathax.papers.ahz.parameters import Effort

SKETCH = Effort(temperatures=10)


@pytest.fixture(scope="module")
def plane():
    return phases.phases_over_exponent(SKETCH)


@pytest.mark.slow
def test_the_bound_line_is_the_critical_coupling(plane):
    """eta_c(s) / eta_c(1) = 1 / Gamma(s)."""
    ratio, exponent = plane.bound.T
    np.testing.assert_allclose(ratio, 1.0 / gamma(exponent), rtol=1e-10)


@pytest.mark.slow
def test_on_the_dashed_line_the_resonance_holds_what_the_cavity_starts_with(plane):
    for point in plane.divergence[:2]:
        system = phases.cavity(*map(jnp.asarray, (*point, phases.WARM)))
        np.testing.assert_allclose(phases.resonant_occupation(system), phases.QUANTA, rtol=1e-9)


def test_everything_warms_to_some_temperature(plane):
    below, above = plane.regions
    assert below.warming.shape == (4, 4)
    assert above.warming.shape == (4, 3)
    assert np.all(below.warming > 0.0)
    assert np.all(above.warming > 0.0)


def test_regions_end_at_the_bound_line(plane):
    below, above = plane.regions
    assert np.all(below.x < plane.bound[:, :1])
    assert np.all(above.x > plane.bound[:, :1])
