"""Every public name has an example in its docstring, which gives what it says."""

import doctest
import inspect
from itertools import chain

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.studies.sweep.program import Program

KNOWN = {"bx": bx, "jax": jax, "jnp": jnp, "np": np}
# An abstract class, of which `Uncorrelated` is the example.
WITHOUT = {"Preparation"}


def examples() -> dict[str, list[doctest.DocTest]]:
    """Those of each public function, and of each class with its methods."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = {}
    for name in dir(bx):
        thing = inspect.unwrap(getattr(bx, name))
        if inspect.isclass(thing) or inspect.isfunction(thing):
            tests = finder.find(thing, name, globs=dict(KNOWN))
            found[name] = [test for test in tests if test.examples]
    return found


EXAMPLES = examples()


def test_every_public_name_has_one():
    assert {name for name, tests in EXAMPLES.items() if not tests} == WITHOUT


@pytest.mark.slow
@pytest.mark.parametrize("example", list(chain(*EXAMPLES.values())), ids=lambda test: test.name)
def test_example(example, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BATHAX_CACHE", "off")
    # Tests use more memory in one process than a user's sweep may take by default.
    monkeypatch.setattr(Program, "_used", lambda _: 0)
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        outcome = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example)
    assert outcome.failed == 0
