"""Programs are shared by calls with the same function, and by no others."""

import functools
import operator

import jax.numpy as jnp
import pytest

from bathax.studies.traced import Traced, shareable

SCALE = 2.0


def scaled(a):
    return SCALE * a


def through_another(a):
    return (lambda x: scaled(x))(a)


def made(factor):
    def of(a):
        return factor * a

    return of


def test_a_function_is_equal_to_itself():
    for of in (scaled, through_another, made(2.0), functools.partial(scaled)):
        assert shareable(of) == shareable(of)
        assert hash(shareable(of)) == hash(shareable(of))
    assert shareable(scaled) != shareable(through_another)
    assert shareable(made(2.0)) != shareable(made(2.0))


@pytest.mark.parametrize("of", [scaled, through_another])
def test_a_name_that_means_something_else_is_noticed(of, monkeypatch):
    before = shareable(of)
    monkeypatch.setitem(globals(), "SCALE", 3.0)
    assert shareable(of) != before
    assert before(a=1.0) == 3.0


def test_a_variable_around_a_function_is_noticed():
    factor = 2.0

    def of(a):
        return factor * a

    before = shareable(of)
    factor = 3.0
    assert shareable(of) != before


def test_functions_without_a_hash():
    class Unhashable(list):
        def __call__(self, a):
            return a

    of = Unhashable()
    assert shareable(of) == shareable(of)
    assert shareable(of) != shareable(Unhashable())
    assert shareable(of)(a=3.0) == 3.0


def test_a_part_of_the_results():
    def both(x):
        return {"sum": jnp.sum(x), "all": (2.0 * x, x[0])}

    program = Traced(both, jnp.ones(3))
    x = jnp.arange(3.0)
    assert program(x)["sum"] == 3.0
    assert program.only(lambda found: found["all"][1])(x) == 0.0
    total = operator.itemgetter("sum")
    assert program.compiled(total) is program.compiled(total)
    assert program.compiled(total)(x) == 3.0
    assert program.is_closed
