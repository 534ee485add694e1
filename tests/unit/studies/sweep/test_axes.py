"""Axes name every point of a grid once, and boxes cut it without gap or overlap."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bathax.studies.sweep.axes import Axes, box_shape, boxes

shapes = st.lists(st.integers(1, 12), min_size=1, max_size=4)


@given(shapes, st.integers(1, 200))
def test_boxes_cover_the_grid_once(shape, most):
    lengths = box_shape(shape, most)
    count = np.zeros(shape, int)
    for box in boxes(shape, lengths):
        count[box] += 1
    assert np.all(count == 1)
    assert math.prod(lengths) <= most


@given(shapes, st.integers(1, 200))
def test_a_box_is_whole_in_its_last_dimensions(shape, most):
    lengths = box_shape(shape, most)
    cut = [place for place, (a, b) in enumerate(zip(lengths, shape, strict=True)) if a < b]
    assert all(length == 1 for length in lengths[: cut[-1]]) if cut else lengths == tuple(shape)


def test_a_grid():
    axes = Axes.of({"eta": [0.1, 0.2], "kT": [1.0, 2.0, 3.0]})
    assert axes.shape == (2, 3)
    points = axes.points((slice(0, 2), slice(1, 3)))
    np.testing.assert_array_equal(points["eta"], [0.1, 0.1, 0.2, 0.2])
    np.testing.assert_array_equal(points["kT"], [2.0, 3.0, 2.0, 3.0])


def test_parameters_that_vary_together():
    axes = Axes.of({"eta": ("run", [0.1, 0.2]), "kT": ("run", [1.0, 2.0]), "cutoff": [5.0, 6.0]})
    assert axes.sizes == {"run": 2, "cutoff": 2}
    points = axes.points((slice(0, 2), slice(0, 2)))
    np.testing.assert_array_equal(points["eta"], [0.1, 0.1, 0.2, 0.2])
    np.testing.assert_array_equal(points["kT"], [1.0, 1.0, 2.0, 2.0])
    np.testing.assert_array_equal(points["cutoff"], [5.0, 6.0, 5.0, 6.0])


@pytest.mark.parametrize(
    ("axes", "sentence"),
    [
        ({}, "Argument `axes` must be a mapping with at least one parameter, but is {}."),
        ({"eta": []}, "Argument `axes.eta` must be a list of values, but is of shape (0,)."),
        ({"eta": 0.1}, "Argument `axes.eta` must be a list of values, but is of shape ()."),
        (
            {"eta": ("run", [1.0]), "kT": ("run", [1.0, 2.0])},
            "Argument `axes.kT` must be 1 values, as others along `run` are, but is 2 values.",
        ),
    ],
)
def test_refusals(axes, sentence):
    with pytest.raises(ValueError, match="must be") as caught:
        Axes.of(axes)
    assert str(caught.value) == sentence
