"""How systems and reservoirs fit together, and start: a state alone means an uncorrelated start."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

BATH = bx.Reservoir(bx.Ohmic(0.05, 5.0))
TIMES = jnp.linspace(0.0, 2.0, 5)


class Correlated(bx.Preparation):
    """Some other start."""

    state: bx.Mixture = eqx.field(default_factory=lambda: bx.Fock(1))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("system", "state"),
    [(bx.Cavity(1.0, BATH), bx.Fock(1)), (bx.Qubit(1.0, BATH), bx.Excited())],
)
def test_a_state_alone_starts_uncorrelated(system, state):
    alone, prepared = (
        bx.solve(system, initial, TIMES) for initial in (state, bx.Uncorrelated(state))
    )
    np.testing.assert_array_equal(alone.energy, prepared.energy)
    assert prepared.initial is state


def test_solvers_refuse_starts_that_they_do_not_know():
    with pytest.raises(ValueError, match=r"`Uncorrelated\(state\)`, for this solver"):
        bx.solve(bx.Cavity(1.0, BATH), Correlated(), TIMES, bx.Volterra())
    with pytest.raises(ValueError, match="a state of a qubit"):
        bx.solve(bx.Qubit(1.0, BATH), bx.Uncorrelated(bx.Fock(1)), TIMES)


class Fermions(bx.Uniform):
    """A filling of modes that hold one quantum each."""

    statistics = "fermion"


@pytest.mark.parametrize("system", [bx.Cavity, bx.Qubit])
def test_quanta_of_another_statistics_are_refused(system):
    bath = bx.Reservoir(bx.Lorentzian(0.1, 0.2, 1.0), occupation=Fermions(0.5))
    with pytest.raises(ValueError, match="must be of bosons, but is of fermions"):
        system(1.0, bath)
