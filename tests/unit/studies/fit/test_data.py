"""Data in any order, with gaps, with one error or many; what cannot be is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bathax as bx
from bathax.studies.fit.data import count_of, together


def test_times_in_any_order_and_more_than_once():
    data = bx.Data([2.0, 0.0, 1.0, 2.0], energy=([4.0, 0.0, 2.0, 5.0], 0.5))
    np.testing.assert_array_equal(data.t, [0.0, 1.0, 2.0])
    residuals = data.residuals({"energy": 2.0 * data.t})
    np.testing.assert_array_equal(residuals, [0.0, 0.0, 0.0, -2.0])


def test_missing_values_count_for_nothing():
    data = bx.Data([0.0, 1.0], energy=([1.0, np.nan], [0.1, np.nan]), entropy=([0.0, 1.0], 1.0))
    result = {"energy": jnp.array([2.0, 7.0]), "entropy": jnp.array([0.0, 1.0])}
    np.testing.assert_allclose(data.residuals(result), [10.0, 0.0, 0.0, 0.0])
    assert data.count == 3


def test_complex_values_and_moduli():
    data = bx.Data([0.0, 1.0], u=([1.0, 1j], 0.5), abs_u=([1.0, 0.5], 0.5))
    residuals = data.residuals({"u": jnp.array([1.0, 1.0 + 1.0j])})
    np.testing.assert_allclose(residuals, [0.0, 2.0, 0.0, 0.0, 0.0, 2 * (np.sqrt(2) - 0.5)])
    assert data.count == 6


def test_shows_its_numbers_inside_a_program_too():
    data = bx.Data([0.0, 1.0], energy=([1.0, 3.0], 0.1))
    inside = []
    jax.jit(lambda x: (inside.append(repr(data)), x)[1])(1.0)
    assert inside == [repr(data)]


def test_several_runs():
    runs = [bx.Data([0.0], energy=([1.0], 1.0)), bx.Data([0.0, 1.0], energy=([1.0, 2.0], 1.0))]
    results = [{"energy": jnp.array([2.0])}, {"energy": jnp.array([1.0, 5.0])}]
    np.testing.assert_array_equal(together(runs, results), [1.0, 0.0, 3.0])
    assert count_of(runs) == 3


@pytest.mark.parametrize(
    ("times", "quantities", "sentence"),
    [
        ([], {"energy": []}, "Argument `times` must be a list of numbers, but is of shape (0,)."),
        ([-1.0], {"energy": [1.0]}, "Argument `times` must be non-negative, but is -1 at index 0."),
        ([1.0], {}, "Argument `quantities` must be one or more, but is none."),
        (
            [1.0, 2.0],
            {"energy": [1.0]},
            "Argument `energy` must be as long as the times, 2, but is of shape (1,).",
        ),
        (
            [1.0],
            {"energy": [np.nan]},
            "Argument `energy` must be measured at least once, but is missing throughout.",
        ),
        (
            [1.0],
            {"energy": ([1.0], 0.0)},
            "Argument `energy_error` must be positive and finite wherever a value is, but is 0 at "
            "index 0.",
        ),
        (
            [1.0, 2.0],
            {"energy": ([1.0, -2.0], 0.1)},
            "Argument `energy` must be between 0 and inf within its errors (is its sign or unit "
            "another?), but is -2 at t = 2.",
        ),
        (
            [1.0],
            {"p11": ([42.0], 0.1)},
            "Argument `p11` must be between 0 and 1 within its errors (is its sign or unit "
            "another?), but is 42 at t = 1.",
        ),
    ],
)
def test_refusals(times, quantities, sentence):
    with pytest.raises(ValueError, match="must be") as caught:
        bx.Data(times, **quantities)
    assert str(caught.value) == sentence


def test_errors_for_all_or_for_none():
    with pytest.raises(ValueError, match="all with errors or all without"):
        bx.Data([1.0], energy=([1.0], 0.1), entropy=[1.0])
