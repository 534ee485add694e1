"""Loops inside of functions that are traced as one program."""

import jax
import jax.numpy as jnp
import pytest
from jax import lax

import bathax as bx
from bathax import _loops
from bathax._programs import inlined

X = jnp.linspace(0.0, 2.0, 3)


def bent(x):
    return jnp.where(x > 0.0, jnp.sin(x), x)


LOOPS = {
    "scan": lambda of: of.scan(lambda x, _: (bent(x), None), X, length=30)[0],
    "map": lambda of: of.map(bent, X),
    "fori_loop": lambda of: of.fori_loop(0, 30, lambda _, x: bent(x), X),
    "while_loop": lambda of: of.while_loop(lambda x: x[2] > 0.1, bent, X),
}
SEARCHES = {
    "interp": lambda of: of.interp(jnp.asarray([0.5, 1.5]), X, X**2),
    "searchsorted": lambda of: of.searchsorted(X, jnp.asarray([0.5, 1.5])),
}


def equations(function):
    """All equations, those inside of loops and programs too."""
    return str(jax.make_jaxpr(function)()).count(" = ")


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
def test_they_stay_loops_with_small_steps(loop):
    kept, plain = inlined(lambda: loop(_loops)), lambda: loop(lax)
    assert equations(kept) < equations(plain)
    assert "jit" not in str(jax.make_jaxpr(kept)())
    assert jnp.array_equal(kept(), plain())
    assert jnp.array_equal(loop(_loops), plain())


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
def test_searches_are_not_written_out(search):
    kept, plain = inlined(lambda: search(_loops)), lambda: search(jnp)
    assert equations(kept) <= equations(plain)
    assert jnp.array_equal(kept(), plain())


def test_functions_of_a_user_keep_their_loops():
    def density(w):
        powers = lax.scan(lambda total, _: (0.5 * total + w, None), 0.0 * w, length=50)[0]
        return powers * jnp.exp(-(w**2))

    def energy(eta):
        bath = bx.Reservoir(bx.Function(lambda w: eta * density(w), upper=3.0), 1.0)
        return bx.solve(bx.Cavity(1.0, bath), bx.Fock(1), [0.0, 1.0], bx.Volterra(points=64)).energy

    def drive(t):
        return lax.fori_loop(0, 50, lambda _, total: 0.5 * total + t, 1.0)

    def driven(eta):
        cavity = bx.Cavity(drive, bx.Reservoir(bx.Ohmic(eta, 1.0), 1.0))
        return bx.solve(cavity, bx.Fock(1), [0.0, 1.0], bx.Embedding()).energy

    for of in energy, driven:
        assert "length=50" in str(jax.make_jaxpr(of)(0.1))
