"""AHZ Fig. 6 against its closed form."""

import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.papers.ahz.atom import REGIMES, WIDTH, figure_6
from bathax.papers.ahz.parameters import Effort

SKETCH = Effort(atom_times=41, atom_solver=bx.Vacuum(bx.Volterra(rtol=1e-4, points=2**10)))


@pytest.mark.slow
@pytest.mark.parametrize("ratio", REGIMES)
def test_figure_6_is_the_closed_form(ratio):
    solution = figure_6(SKETCH)[ratio]
    assert len(solution.t) == 41
    x = WIDTH * solution.t.astype(complex)
    g = np.sqrt(complex(1.0 - 2.0 * ratio))
    u = jnp.exp(-0.5 * x) * (jnp.cosh(0.5 * g * x) + jnp.sinh(0.5 * g * x) / g)
    np.testing.assert_allclose(solution.number, jnp.abs(u) ** 2, atol=1e-5)
