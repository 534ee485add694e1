"""Three readings of the temperature of a cavity at strong coupling, and what is claimed of them."""

import numpy as np
import pytest

from bathax.papers.ahz import claims, figures
from bathax.papers.ahz import readings as cases
from bathax.papers.ahz.parameters import Effort
from bathax.papers.ahz.readings import COLD, FOLLOWED, RATIOS, WARM
from bathax.papers.ahz.results import Results
from bathax.papers.claims import AGREES, DISAGREES, PARTLY


@pytest.fixture(scope="module")
def found():
    return cases.readings(Effort(times=41))


@pytest.mark.slow
def test_known_values(found):
    """n, T bare, T^r on the plateau and w* at kT0 = 20, for .1, .3 and .5 eta_c."""
    ends, places = found.by_coupling, [int(np.argmin(abs(RATIOS - r))) for r in (0.1, 0.3, 0.5)]
    for name, values, within in (
        ("number", [21.726388, 28.075592, 39.504161], 1e-6),
        ("bare", [22.2226, 28.5727, 40.0021], 5e-5),
        ("renormalised", [19.635, 18.245, 15.995], 5e-4),
        ("mean_force", [0.899983, 0.69997, 0.499974], 1e-6),
    ):
        got = getattr(ends, name)
        got = got.value if name in ("number", "mean_force") else got
        np.testing.assert_allclose(got[places], values, atol=within)


@pytest.mark.slow
def test_all_frequencies_have_the_same_ratio_to_their_temperature(found):
    for ends in (found.by_coupling, found.by_temperature):
        ratio = ends.plateau / ends.renormalised
        np.testing.assert_allclose(1.0 / ends.bare, ratio, rtol=1e-8)
    T0 = np.full(RATIOS.shape, WARM)
    ratio = found.by_coupling.mean_force.value / T0
    np.testing.assert_allclose(1.0 / found.by_coupling.bare, ratio, rtol=1e-8)


@pytest.mark.slow
def test_entropies_vanish_with_the_temperature(found):
    """That of the cavity alone is below that of all it has changed, in the cold."""
    ends = found.by_temperature
    assert np.all(np.diff(ends.own) > 0.0)
    assert np.all(ends.own[:2] < ends.whole.value[:2])
    assert ends.own[0] < COLD[0]


def test_figure_and_claims(found):
    figure = figures.readings(found)
    assert len(figure.axes) == 3
    assert len(figure.axes[1].lines) == 2 * len(FOLLOWED)
    results = Results(**dict.fromkeys(Results._fields, found))
    verdicts = [claim(results).verdict for claim in claims.readings.CLAIMS]
    assert verdicts == [PARTLY, PARTLY, DISAGREES, AGREES, AGREES]
