"""The points of a sweep: named parameters along named dimensions, cut into boxes."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bathax._checks import as_float, require

Box = tuple[slice, ...]


class Parameter(NamedTuple):
    """The values of a parameter, the dimension along which it takes them, and its labels."""

    dimension: str
    values: np.ndarray
    attributes: dict[str, str]


class Axes(NamedTuple):
    """Parameters by name; those of one dimension vary together, those of several as a grid."""

    parameters: dict[str, Parameter]
    sizes: dict[str, int]

    @classmethod
    def of(cls, axes: Mapping[str, Any]) -> "Axes":
        """From `{name: values}` or `{name: (dimension, values, attributes)}`, as in xarray."""
        mapping = isinstance(axes, Mapping) and len(axes) > 0
        require("axes", "a mapping with at least one parameter", axes, mapping)
        parameters, sizes = {}, {}
        for name, given in axes.items():
            labelled = isinstance(given, tuple) and isinstance(given[0], str)
            dimension, values, *attributes = given if labelled else (name, given)
            values = np.array(as_float(values, f"axes.{name}"))
            listed = values.ndim == 1 and values.size > 0
            require(f"axes.{name}", "a list of values", f"of shape {values.shape}", listed)
            size = sizes.setdefault(dimension, len(values))
            rule = f"{size} values, as others along `{dimension}` are"
            require(f"axes.{name}", rule, f"{len(values)} values", len(values) == size)
            parameters[name] = Parameter(dimension, values, *attributes or [{}])
        return cls(parameters, sizes)

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values along each dimension."""
        return tuple(self.sizes.values())

    @property
    def first(self) -> dict[str, float]:
        """The parameters of the first point."""
        return {name: float(values[0]) for name, (_, values, _) in self.parameters.items()}

    def points(self, box: Box) -> dict[str, np.ndarray]:
        """The parameters at the points of a box, the last dimension varying fastest."""
        places = np.meshgrid(*(np.arange(cut.start, cut.stop) for cut in box), indexing="ij")
        place = dict(zip(self.sizes, places, strict=True))
        return {
            name: parameter.values[place[parameter.dimension].ravel()]
            for name, parameter in self.parameters.items()
        }


def box_shape(shape: Sequence[int], most: int) -> tuple[int, ...]:
    """Lengths of a box of at most `most` points, whole in its last dimensions, cut evenly."""
    lengths = []
    for size in reversed(shape):
        pieces = math.ceil(size / max(most, 1))
        lengths.append(math.ceil(size / pieces))
        most //= size
    return tuple(reversed(lengths))


def boxes(shape: Sequence[int], lengths: Sequence[int]) -> Iterator[Box]:
    """The boxes that a grid of this shape is cut into, those at the ends perhaps smaller."""
    cuts = [
        [slice(start, min(start + length, size)) for start in range(0, size, length)]
        for size, length in zip(shape, lengths, strict=True)
    ]
    return itertools.product(*cuts)
