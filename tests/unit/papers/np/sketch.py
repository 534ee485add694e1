"""Small cases of NP, and maps made by hand."""

import jax
import jax.numpy as jnp

import bathax as bx
from bathax.papers.np.parameters import Effort, ohmic_qubit
from bathax.qubit.elements import MapElements, MapEstimate, MapSolver

SKETCH = Effort(
    times=21,
    vacuum=bx.Vacuum(bx.Volterra(rtol=1e-4, points=2**10)),
    weak=bx.VanHove(),
    strong=bx.VanHove(),
    single=bx.Hierarchy(depth=8, modes=1),
    field=bx.Hierarchy(depth=3, modes=6),
    exchanged=4.0,
)


class Populations(MapSolver):
    """A map with D of a function of time and a final population, and one error for everything."""

    d: object
    final: object = 0.25
    error: object = 1e-9

    def map_elements(self, qubit, ts):  # noqa: ARG002
        d, slope = jax.vmap(lambda t: jax.jvp(self.d, (t,), (jnp.ones(()),)))(ts)
        p, q = self.final, 1.0 - self.final
        c = jnp.exp(-1j * ts.astype(complex))
        value = MapElements(ts, p + q * d, q + p * d, c, q * slope, p * slope, -1j * c)
        error = jax.tree.map(lambda x: jnp.full(x.shape, self.error), value)
        return MapEstimate(value, error, jnp.asarray(0))


def mapped(d, stop=12.0, times=121):
    ts = jnp.linspace(0.0, stop, times)
    return bx.dynamical_map(ohmic_qubit(0.1, 1.0), ts, Populations(d))
