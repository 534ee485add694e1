"""The rates of a map in the solver of dynamiqs, where that is installed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

dq = pytest.importorskip("dynamiqs")
# Importing it switches JAX to 32 bits.
dq.set_precision("double")


@pytest.fixture(autouse=True)
def _promotion_of_a_user():
    """dynamiqs needs JAX's standard promotion of types and ranks."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def test_mesolve_with_our_rates_gives_our_map():
    bath = bx.Reservoir(bx.Lorentzian(0.1, 1.0, 1.2), occupation=bx.Uniform(0.5))
    dmap = bx.dynamical_map(
        bx.Qubit(1.0, bath), jnp.linspace(0.0, 4.0, 161), bx.TimeConvolutionless()
    )
    rates = dmap.rates()

    def root(rate):
        return lambda t: jnp.sqrt(jnp.maximum(rate(t), 0.0))

    lower = dq.destroy(2)
    jumps = [
        dq.modulated(root(rates.gamma_minus), lower),
        dq.modulated(root(rates.gamma_plus), lower.dag()),
    ]
    start = np.array([[0.5, -0.5j], [0.5j, 0.5]])
    hamiltonian = dq.modulated(rates.shift, dq.number(2))
    method = dq.method.Tsit5(rtol=1e-11, atol=1e-13)
    found = dq.mesolve(hamiltonian, jumps, start, dmap.t, method=method)
    np.testing.assert_allclose(found.states.to_jax(), dmap.apply(start), rtol=0, atol=1e-8)
