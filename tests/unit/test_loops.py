"""Loops inside of functions that are traced as one program."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import bathax as bx
from bathax import _loops
from bathax._programs import inlined
from bathax.reservoir.plain import PlainFunction
from bathax.system.drive import Drive

X = jnp.linspace(0.0, 2.0, 3)


def bent(x):
    return jnp.where(x > 0.0, jnp.sin(x), x)


LOOPS = {
    "scan": lambda of, x: of.scan(lambda x, _: (bent(x), None), x, length=30)[0],
    "map": lambda of, x: of.map(bent, x),
    "fori_loop": lambda of, x: of.fori_loop(0, 30, lambda _, x: bent(x), x),
    "while_loop": lambda of, x: of.while_loop(lambda x: x[2] > 0.1, bent, x),
}
SEARCHES = {
    "interp": lambda of, x: of.interp(0.5, x, x**2),
    "searchsorted": lambda of, x: of.searchsorted(x, 0.5),
}


def equations(function):
    """All equations of a function of X, those inside of loops and programs too."""
    return str(jax.make_jaxpr(function)(X)).count(" = ")


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
def test_they_stay_loops_with_small_steps(loop):
    kept, plain = inlined(partial(loop, _loops)), partial(loop, lax)
    assert 3 < equations(kept) < equations(plain)
    assert "jit" not in str(jax.make_jaxpr(kept)(X))
    assert jnp.array_equal(kept(X), plain(X))
    # Outside of such functions they are those of JAX.
    assert str(jax.make_jaxpr(partial(loop, _loops))(X)) == str(jax.make_jaxpr(plain)(X))


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
def test_searches_are_not_written_out(search):
    kept, plain = inlined(partial(search, _loops)), partial(search, jnp)
    assert 3 < equations(kept) <= equations(plain)
    assert "scan" in str(jax.make_jaxpr(kept)(X))
    assert "scan" not in str(jax.make_jaxpr(inlined(plain))(X))
    assert jnp.array_equal(kept(X), plain(X))


def test_functions_of_a_user_keep_their_loops():
    def powers(x):
        return lax.scan(lambda total, _: (0.5 * total + x, None), 0.0 * x, length=50)[0]

    of_frequency, of_time = PlainFunction.of(powers), Drive.of("frequency", powers)
    assert equations(inlined(lambda x: powers(x[1]))) > 50
    assert equations(inlined(lambda x: of_frequency(x[1]))) < 20
    assert equations(inlined(lambda x: of_time(x[1]))) < 20


def test_functions_on_a_critical_line_keep_their_loops():
    def circle(p):
        return lax.fori_loop(0, 300, lambda _, total: 0.5 * (total + p @ p), 2.0) - 1.0

    def line(x):
        return bx.critical_line(circle, start=(x[1], 0.0), step=(0.1, 0.1), points=4)

    assert equations(line) < 300
    np.testing.assert_allclose(jnp.linalg.norm(line(X), axis=1), 1.0, rtol=1e-12)
