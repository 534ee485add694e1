"""The two tiers of validation: sentences for concrete values, a verdict for traced ones."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Bool

from bathax._checks import (
    FINITE,
    NON_NEGATIVE,
    POSITIVE,
    Scalar,
    Validated,
    as_complex,
    as_float,
    as_inexact,
    holds,
    is_concrete,
    is_valid,
    parameter,
    require,
    require_each,
    require_positive,
    require_whole,
)

VALUES = [-1.0, 0.0, 1.0, float("inf"), float("-inf"), float("nan")]
HOLDS = {
    FINITE: [True, True, True, False, False, False],
    POSITIVE: [False, False, True, False, False, False],
    NON_NEGATIVE: [False, True, True, False, False, False],
}


class Oscillator(Validated):
    """A module with one parameter of every rule, and a condition on two of them."""

    frequency: Scalar = parameter(POSITIVE)
    damping: Scalar = parameter(NON_NEGATIVE, default=0.0)
    phase: Scalar = parameter(default=0.0)

    def is_consistent(self) -> Bool[Array, ""]:
        return self.damping < self.frequency


class Pair(eqx.Module):
    """A module without rules of its own, that holds some with rules."""

    parts: tuple[Oscillator, ...]
    label: str = "pair"


@pytest.mark.parametrize("rule", HOLDS, ids=lambda rule: rule.words)
def test_rules(rule):
    np.testing.assert_array_equal(rule.holds(jnp.asarray(VALUES)), HOLDS[rule])


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int64(2), jnp.asarray(2), True])
def test_parameters_become_float64(value):
    field = Oscillator(value).frequency
    assert field.dtype == jnp.float64
    assert field == float(value)


REFUSED = [
    ({"frequency": 0.0}, "Argument `frequency` must be positive and finite, but is 0.0."),
    ({"frequency": float("nan")}, "Argument `frequency` must be positive and finite, but is nan."),
    ({"damping": -0.5}, "Argument `damping` must be non-negative and finite, but is -0.5."),
    ({"phase": float("inf")}, "Argument `phase` must be finite, but is inf."),
    ({"frequency": [1.0, 2.0]}, "Argument `frequency` must be a scalar, but is of shape (2,)."),
    ({"damping": np.zeros((1, 1))}, "Argument `damping` must be a scalar, but is of shape (1, 1)."),
]


@pytest.mark.parametrize(("change", "message"), REFUSED)
def test_concrete_values_raise_one_sentence(change, message):
    with pytest.raises(ValueError, match="Argument") as caught:
        Oscillator(**{"frequency": 1.0} | change)
    assert str(caught.value) == message


def test_values_fixed_inside_jit_are_judged_too():
    valid = jax.jit(lambda w: is_valid(Oscillator(w, -1.0)))
    assert not valid(1.0)


def test_traced_values_are_judged_one_by_one():
    @jax.jit
    @jax.vmap
    def valid(frequency, damping):
        return is_valid(Oscillator(frequency, damping))

    frequency = jnp.asarray([1.0, -1.0, 1.0, jnp.nan, 1.0])
    damping = jnp.asarray([0.5, 0.5, -0.5, 0.5, 2.0])
    np.testing.assert_array_equal(valid(frequency, damping), [True, False, False, False, False])


def test_trees_are_valid_when_all_their_parts_are():
    @jax.jit
    @jax.vmap
    def valid(first, second):
        return is_valid(Pair((Oscillator(1.0), Oscillator(first, second))))

    batch = jnp.asarray([1.0, -1.0, 1.0]), jnp.asarray([0.0, 0.0, -1.0])
    np.testing.assert_array_equal(valid(*batch), [True, False, False])
    assert is_valid([Oscillator(1.0), (Oscillator(2.0), "text", None)])
    assert is_valid(())
    assert is_valid("nothing to check")
    assert not is_valid((Oscillator(1.0), Oscillator(1.0, 2.0)))  # inconsistent


def test_parameters_are_differentiated_and_traced_once():
    traces = []

    @eqx.filter_jit
    def energy(oscillator):
        traces.append(oscillator)
        return oscillator.frequency**2

    for frequency in (1.0, 2.0, 3):
        energy(Oscillator(frequency))
    assert len(traces) == 1
    assert eqx.filter_grad(energy)(Oscillator(3.0)).frequency == 6.0


def test_is_concrete():
    seen = []

    def look(x):
        seen.extend([is_concrete(x), is_concrete(1.0, x), is_concrete(1.0, jnp.ones(2))])
        return x

    look(jnp.asarray(1.0))
    assert seen == [True, True, True]
    seen.clear()
    jax.grad(look)(1.0)
    assert seen == [False, False, True]


def test_holds_of_concrete_and_traced_values():
    verdicts, fixed = [], jnp.asarray(-3.0)

    def look(x):
        verdicts.append(holds(lambda x, y: x + y > 0, x, fixed))
        verdicts.append(holds(lambda y: y > 0, fixed))
        return x

    look(jnp.asarray(1.0))
    jax.jit(look)(1.0)
    assert verdicts == [False, False, True, False]


def test_require():
    require("points", "even", 4, True)
    with pytest.raises(ValueError, match="points") as caught:
        require("points", "even", 3, False)
    assert str(caught.value) == "Argument `points` must be even, but is 3."


def test_sentences_name_the_first_number_and_dump_no_array():
    with pytest.raises(ValueError, match="Argument") as caught:
        require_each("x", "positive", np.array([1.0, -2.0, -3.0]), lambda x: x > 0)
    assert str(caught.value) == "Argument `x` must be positive, but is -2 at index 1."
    with pytest.raises(ValueError, match=r"but is an array of shape \(200,\)\.$"):
        require("x", "positive", -np.ones(200), False)
    require_each("x", "positive", jnp.ones(3), lambda x: x > 0)


@pytest.mark.parametrize("value", [[1, 2], (1.0, 2), np.arange(1, 3), jnp.arange(1, 3)])
def test_as_float(value):
    found = as_float(value)
    assert found.dtype == jnp.float64
    np.testing.assert_array_equal(found, [1.0, 2.0])
    assert as_inexact(value).dtype == jnp.float64
    assert as_complex(value).dtype == as_inexact(1j).dtype == jnp.complex128


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (1.0 + 1.0j, "(1+1j)"),
        ("0.1", "'0.1'"),
        (None, "None"),
        ([1.0, None], "a `list`"),
        ({}, "a `dict`"),
        (Oscillator(1.0), "a `Oscillator`"),
        (Oscillator, "the class `Oscillator` instead of an object of it"),
    ],
)
def test_what_is_no_number(value, found):
    with pytest.raises(ValueError, match="real number") as caught:
        Oscillator(value)
    words = "a real number or an array of them"
    assert str(caught.value) == f"Argument `frequency` must be {words}, but is {found}."


def test_rows_of_several_lengths():
    with pytest.raises(ValueError, match="`x` must have rows of one length"):
        as_float([[1.0, 2.0], [3.0]], "x")


def test_without_float64():
    """Switched off after import, it is asked for instead of NaN."""
    with jax.enable_x64(False), pytest.raises(ValueError, match="`jax_enable_x64` has been"):
        as_float(1.0)
    with jax.enable_x64(False), pytest.raises(ValueError, match="`jax_enable_x64` has been"):
        is_valid(())


@pytest.mark.parametrize("value", [True, 2.0, "2", None, 1])
def test_settings(value):
    with pytest.raises(ValueError, match="`n` must be an integer, 2 or more"):
        require_whole("n", value, 2)
    with pytest.raises(ValueError, match="`x` must be a positive number"):
        require_positive("x", -value if value in (1, 2.0) else value)
    require_whole("n", np.int64(2), 2)
    require_positive("x", np.float64(2.0))
