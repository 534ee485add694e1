"""The types of values in a study, each with a rule, and the tables that hold them."""

import cmath
from collections.abc import Callable
from math import hypot, inf, isfinite
from typing import Annotated, Any, NamedTuple

from msgspec import Struct
from msgspec.structs import asdict


class StudyError(ValueError):
    """A study that cannot be used; the message is one sentence for its author."""


class Rule(NamedTuple):
    """A condition on a value, the words that finish "must be ...", and its unit, if that is known.

    Units are those with hbar = k_B = 1.
    """

    words: str
    holds: Callable[[Any], bool]
    units: str = "1"


FINITE = Rule("a finite number", isfinite)
POSITIVE = Rule("a positive, finite number", lambda x: 0 < x < inf)
NON_NEGATIVE = Rule("a non-negative, finite number", lambda x: 0 <= x < inf)

Finite = Annotated[float, FINITE]
Positive = Annotated[float, POSITIVE]
NonNegative = Annotated[float, NON_NEGATIVE]
Energy = Annotated[float, FINITE._replace(units="energy")]
PositiveEnergy = Annotated[float, POSITIVE._replace(units="energy")]
NonNegativeEnergy = Annotated[float, NON_NEGATIVE._replace(units="energy")]
# The unit of a coupling depends on the density.
Coupling = Annotated[float, NON_NEGATIVE._replace(units="")]
Count = Annotated[int, Rule("a non-negative integer", lambda n: n >= 0)]
Amount = Annotated[int, Rule("a positive integer", lambda n: n >= 1)]
Points = Annotated[int, Rule("an integer of at least 2", lambda n: n >= 2)]
Numbers = Annotated[tuple[Finite, ...], Rule("one or more finite numbers", bool)]
COMPLEX = Rule(
    "a finite number or a pair [re, im] of them", lambda z: cmath.isfinite(as_complex(z))
)
Complex = Annotated[float | tuple[float, float], COMPLEX]
# A number for each mode, and rows of a matrix.
NUMBERED = Rule("a list of numbers or pairs [re, im]", bool)
ROWS = Rule("a list of rows, each a list of numbers or pairs [re, im]", bool)
ROW = Rule("a row, a list of numbers or pairs [re, im]", bool)
Numbered = Annotated[tuple[Complex, ...], NUMBERED]
Matrix = Annotated[tuple[Annotated[tuple[Complex, ...], ROW], ...], ROWS]
Occupations = Annotated[tuple[NonNegative, ...], Rule("one or more numbers", bool)]
Vector = Annotated[
    tuple[float, float, float],
    Rule("three numbers [x, y, z] with x^2 + y^2 + z^2 <= 1", lambda r: hypot(*r) <= 1 + 1e-12),
]
Name = Annotated[str, Rule("a name", bool)]
Names = Annotated[tuple[Name, ...], Rule("one or more names", bool)]
Spacing = Annotated[str, Rule("`linear` or `log`", lambda name: name in ("linear", "log"))]
LOSSES = ("linear", "soft_l1", "cauchy")
Loss = Annotated[str, Rule("`linear`, `soft_l1` or `cauchy`", lambda name: name in LOSSES)]
STATISTICS = ("boson", "fermion")
Statistics = Annotated[str, Rule("`boson` or `fermion`", lambda name: name in STATISTICS)]
Chosen = Annotated[bool, Rule("true", bool)]


def as_complex(value: Any) -> Any:
    """A number that a study writes as a number or as a pair; a traced one is not changed."""
    return complex(*value) if isinstance(value, tuple) else value


class Table(Struct, forbid_unknown_fields=True):
    """A table of the study. A key that is left out takes the library's own default."""

    def given(self) -> dict[str, Any]:
        """The keys that the study sets: TOML has no null, so None stands for "left out"."""
        return {key: value for key, value in asdict(self).items() if value is not None}


class Kind(Table, tag_field="kind"):
    """A table whose `kind` chooses one class of bathax, named like the class declared here."""

    def build(self) -> Any:
        """The object of bathax, made from the keys that are given."""
        import bathax

        built = {
            key: value.build() if isinstance(value, Kind) else value
            for key, value in self.given().items()
        }
        return getattr(bathax, type(self).__name__)(**built)
