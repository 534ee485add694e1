"""What a table leaves open, against the density that it was taken from."""

import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

TS = jnp.linspace(1.0, 16.0, 16)
W = np.linspace(0.0, 30.0, 41)
SOURCE = bx.Ohmic(0.05, 2.0)
SOLVER = bx.Volterra(points=512)
NOISE = 0.002 * np.random.default_rng(1).normal(size=41)


def cavity(density):
    return bx.Cavity(1.0, bx.Reservoir(density, 1.0))


@pytest.fixture(scope="module")
def exact():
    return bx.solve(cavity(SOURCE), bx.Fock(1), TS, SOLVER)


@pytest.mark.slow
@pytest.mark.parametrize(
    "table",
    [
        bx.Tabulated(W, SOURCE(W)),
        bx.Tabulated(W, np.maximum(np.asarray(SOURCE(W)) + NOISE * (W > 0), 0.0), 0.002),
    ],
    ids=["coarse", "noisy"],
)
def test_it_covers_the_true_error_and_is_not_far_above(exact, table):
    found = bx.solve(cavity(table), bx.Fock(1), TS, SOLVER)
    error = bx.table_error(cavity(table), bx.Fock(1), TS, SOLVER)
    for name in ("u", "v", "number", "energy", "entropy"):
        true = np.maximum.accumulate(np.abs(getattr(found, name) - getattr(exact, name)))
        claimed = np.asarray(getattr(error, name))
        assert np.all(true < 3.0 * claimed), name
        assert np.max(claimed) < 30.0 * np.max(true), name
        assert np.max(getattr(found.error, name)) < 0.1 * np.max(claimed), name


def test_without_a_table():
    with pytest.raises(ValueError, match="`system` must be one with a `Tabulated` density"):
        bx.table_error(cavity(SOURCE), bx.Fock(1), TS)
