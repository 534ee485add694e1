"""Solutions with rates made by hand."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

TIMES = np.linspace(0.0, 2.0, 40)


@pytest.fixture(scope="session")
def made_of():
    """A function of dE/dt, dS/dt at 40 times up to 2 and anything else a solution holds."""
    cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0)))
    solution = bx.solve(cavity, bx.Fock(1), TIMES, bx.BornMarkov())

    def make(energy_rate, entropy_rate, **others):
        values = {
            "energy_rate": energy_rate,
            "entropy_rate": entropy_rate,
            "temperature": energy_rate / entropy_rate,
            "entropy": np.cumsum(entropy_rate),
            "temperature_resolved": np.ones(TIMES.shape, bool),
            **others,
        }
        arrays = {name: jnp.asarray(value) for name, value in values.items()}
        return dataclasses.replace(solution, **arrays)

    return make


@pytest.fixture(scope="session")
def of_modes():
    """Two levels in a row between two leads."""
    channels = [
        bx.Channel(bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), 0.1, mu), shape)
        for mu, shape in ((0.5, [1.0, 0.0]), (-0.5, [0.0, 1.0]))
    ]
    dots = bx.LinearSystem([[0.0, 0.3], [0.3, 0.1]], channels, statistics="fermion")
    return bx.solve(dots, bx.Covariance(jnp.diag(jnp.array([1.0, 0.0]))), TIMES[::4])
