"""Small cases of NP, and maps made by hand."""

import jax.numpy as jnp

import bathax as bx
from bathax.papers.np.parameters import Effort
from tests.unit.qubit.maps import given

SKETCH = Effort(
    times=21,
    vacuum=bx.Vacuum(bx.Volterra(rtol=1e-4, points=2**10)),
    weak=bx.VanHove(),
    strong=bx.VanHove(),
    single=bx.Hierarchy(depth=8, modes=1),
    field=bx.Hierarchy(depth=3, modes=6),
    exchanged=4.0,
    bound=bx.VanHove(),
    plane=bx.VanHove(),
)


def mapped(d, stop=12.0, times=121, final=0.25):
    """A map with D of a function of time, and the population at which all states arrive."""

    def elements(t):
        turn = jnp.exp(-1j * t.astype(complex))
        return final + (1.0 - final) * d(t), 1.0 - final + final * d(t), turn

    return given(elements, jnp.linspace(0.0, stop, times), error=1e-9)
