"""What a row of the table of quantities holds: words, symbol, unit, and which systems have it."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

# Kinds of system that have a quantity.
CAVITY, QUBIT, MODES = ("cavity",), ("qubit",), ("modes",)
BOTH, LINEAR, ALL = (*CAVITY, *QUBIT), (*CAVITY, *MODES), (*CAVITY, *QUBIT, *MODES)
# Systems that change in time, which have no study files.
DRIVEN = ("driven",)
# What the indices of quantities of several modes count.
CHANNEL, MODE = ("channel",), ("mode",)
MATRIX, NOISE = ("mode", "other_mode"), ("channel", "other_channel")


class Unit(NamedTuple):
    """A unit: its `name` with hbar = k_B = 1, and the label of an axis in figures.

    `ratio` is that label in TeX: a symbol, for which `{}` stands, over its unit. Figures use the
    frequency w_s of the system as the unit, and write hbar and k_B.
    """

    name: str
    ratio: str


NUMBER = Unit("1", "{}")
ENTROPY = Unit("1", r"{}\,/\,k_B")
ENTROPY_RATE = Unit("energy", r"{}\,/\,k_B\omega_s")
ENERGY = Unit("energy", r"{}\,/\,\hbar\omega_s")
POWER = Unit("energy^2", r"{}\,/\,\hbar\omega_s^2")
TEMPERATURE = Unit("energy", r"k_B{}\,/\,\hbar\omega_s")
RATE = Unit("energy", r"{}\,/\,\omega_s")


class Case(NamedTuple):
    """The arguments of `solve`, from which a number of a system is computed."""

    system: Any
    initial: Any
    ts: Any
    solver: Any = None


@dataclass(frozen=True)
class Quantity:
    """A row of the table: an attribute of a solution or of a map, at each of its times.

    `symbol` is TeX, `formula` plain text, empty if `long_name` has it. `systems` are the kinds of
    system that have the quantity. `attribute` is its name in a solution or a map, if that differs.
    In every state its value, or its modulus if it `is_complex`, is within `limits`. `has_levels`:
    there is a number for each level. `has_poles`: it is infinite where T is. `indices`: of several
    modes it has an element for each channel, or for each pair of modes, of a Hermitian matrix if it
    `is_hermitian`.
    """

    long_name: str
    symbol: str
    unit: Unit = NUMBER
    systems: tuple[str, ...] = ALL
    formula: str = ""
    attribute: str = ""
    limits: tuple[float, float] = (-inf, inf)
    is_complex: bool = False
    has_levels: bool = False
    has_poles: bool = False
    indices: tuple[str, ...] = ()
    is_hermitian: bool = False

    def is_complex_at(self, place: tuple[int, ...]) -> bool:
        """Whether the element at a place is complex; on the diagonal of a Hermitian matrix none."""
        if place and self.is_hermitian:
            return len({*place}) > 1
        return self.is_complex

    @property
    def label(self) -> str:
        """The symbol over its unit, as a figure prints it in units of w_s."""
        return f"${self.unit.ratio.format(self.symbol)}$"


@dataclass(frozen=True, kw_only=True)
class SystemQuantity(Quantity):
    """A row that is one number of a system, `computed` from a `Case`.

    `is_unbound`: it is defined only without bound states, and NaN if there is one. `critical` is
    the text with which `bathax critical` prints it, in cases where it `exists`; empty if it does
    not print it.
    """

    computed: Callable[[Case], Any]
    is_unbound: bool = False
    critical: str = ""
    exists: Callable[[Case], bool] | None = None
