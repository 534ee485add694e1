"""The examples in the docstrings of public names give what they say."""

import doctest
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx

KNOWN = {"bx": bx, "jax": jax, "jnp": jnp, "np": np}


def examples() -> list[doctest.DocTest]:
    """Those of all public functions, and of classes with their methods."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = []
    for name in dir(bx):
        thing = inspect.unwrap(getattr(bx, name))
        if inspect.isclass(thing) or inspect.isfunction(thing):
            found += finder.find(thing, name, globs=dict(KNOWN))
    return [test for test in found if test.examples]


@pytest.mark.parametrize("example", examples(), ids=lambda test: test.name)
def test_example(example):
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        outcome = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example)
    assert outcome.failed == 0
