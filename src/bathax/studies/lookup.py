"""Access to the table of quantities: by kind of system, by variable, by measured quantity.

Quantities of several modes have elements, whose names end in their place, counted from 0:
`particle_current_1` is that of channel 1, `n_0_1` the element of modes 0 and 1. Nothing here
imports JAX.
"""

import itertools
import re
from collections.abc import Iterable, Mapping
from math import inf
from typing import Any

from bathax.studies.quantities import OF_DRIVE, OF_MAP, OF_STEADY, OF_SYSTEM, QUANTITIES
from bathax.studies.quantity import ALL, Quantity, SystemQuantity, Unit

# The prefix for the modulus of a complex quantity.
MODULUS = "abs_"
# A quantity and the place of an element, and the subscript at the end of a symbol.
ELEMENT, SUBSCRIPT = re.compile(r"(\w+?)((?:_\d+)+)"), re.compile(r"(_\w|_\{\w+\})?$")
# Between the description of a quantity and the place of an element.
AT = " at "

Place = tuple[int, ...]


# --- Elements of quantities of several modes ---------------------------------------------------


def located(name: str) -> tuple[str, Place]:
    """The quantity and the place of its element that a name means, or the name and no place."""
    found = ELEMENT.fullmatch(name)
    if found is None:
        return name, ()
    quantity, place = found[1], tuple(map(int, found[2].split("_")[1:]))
    known = quantity in QUANTITIES and len(QUANTITIES[quantity].indices) == len(place)
    return (quantity, place) if known else (name, ())


def element(values: Any, quantity: str, place: Place) -> Any:
    """The element of an array of a quantity; real on the diagonal of a Hermitian matrix."""
    if not place:
        return values
    row, sizes = QUANTITIES[quantity], values.shape[-len(place) :]
    if len(sizes) != len(place) or any(k >= size for k, size in zip(place, sizes, strict=True)):
        name = "_".join([quantity, *map(str, place)])
        raise ValueError(f"Argument `{name}` must be an element of `{quantity}`, of shape {sizes}.")
    found = values[(..., *place)]
    return found if row.is_complex_at(place) else found.real


def elements(quantity: str, sizes: Mapping[str, int]) -> list[str]:
    """The names of all elements of a quantity of several modes, whose indices have these sizes."""
    ranges = (range(sizes.get(index, 0)) for index in QUANTITIES[quantity].indices)
    return ["_".join([quantity, *map(str, place)]) for place in itertools.product(*ranges)]


def row_of(name: str) -> Quantity | None:
    """The row of a quantity or of the one that an element belongs to, if there is one."""
    return QUANTITIES.get(located(name)[0])


# --- Of a kind of system -----------------------------------------------------------------------


def called(kind: str) -> str:
    """A kind of system in words."""
    plural = {
        "modes": "several modes",
        "driven": "systems that change in time",
        "driven modes": "several modes that change in time or make pairs",
    }
    return plural.get(kind, f"a {kind}")


def names_of(*kinds: str) -> list[str]:
    """The quantities of a "cavity", a "qubit" or of several "modes", and if it is "driven"."""
    return [name for name, row in QUANTITIES.items() if {*kinds} & {*row.systems}]


def critical_of(kind: str) -> list[SystemQuantity]:
    """What `bathax critical` prints of a "cavity" or a "qubit"; first what exists in every case."""
    found = [row for row in OF_SYSTEM.values() if row.critical and kind in row.systems]
    return sorted(found, key=lambda row: row.exists is not None)


def listing() -> str:
    """The table as text, a line for each quantity."""
    return "\n".join(_line(name, row) for name, row in QUANTITIES.items())


def _line(name: str, row: Quantity) -> str:
    words = f"{row.long_name}; {row.formula}" if row.formula else row.long_name
    unit = "" if row.unit.name == "1" else f" [{row.unit.name}]"
    of = "" if row.systems == ALL else f", of {' or '.join(map(called, row.systems))}"
    return f"  {name:<21} {words}{unit}{of}"


# --- Of a solution or a map --------------------------------------------------------------------


def attribute_of(name: str) -> str:
    """The name of a quantity in a solution, a map or a steady state."""
    return QUANTITIES[name].attribute or name


def renamed_in_maps() -> dict[str, str]:
    """Attributes of a map whose name differs from that of the quantity, and those names."""
    return {row.attribute: name for name, row in OF_MAP.items() if row.attribute}


def attributes() -> list[str]:
    """The names of quantities in results: those of the table, and those of a map."""
    return list(dict.fromkeys([*QUANTITIES, *renamed_in_maps()]))


# --- Of a variable -----------------------------------------------------------------------------


def about(name: str) -> dict[str, str]:
    """Attributes in a dataset of a variable, an error `<name>_error` or a derivative.

    A description and a unit; a derivative is called `<name>_by_<parameter>`.
    """
    of, by, parameter = name.partition("_by_")
    if by:
        words, units = about(of).values()
        words = f"derivative with respect to {parameter} of {words}"
        return {"long_name": words, "units": f"{units} / {parameter}"}
    if name.endswith("_error"):
        of = name.removesuffix("_error")
        return about(of) | {"long_name": f"error estimate of {of}"}
    row, (_, place) = row_of(name), located(name)
    if row is None:
        return {"long_name": name, "units": "unknown"}
    words = row.long_name + (AT + ", ".join(map(str, place)) if place else "")
    return {"long_name": words, "units": row.unit.name}


def unit_of(name: str) -> Unit | None:
    """The unit of a variable in a dataset, or of its error; None of a derivative and of others."""
    own = name.removesuffix("_error")
    row = row_of(renamed_in_maps().get(own, own))
    return row.unit if row else None


def symbol_of(long_name: str) -> str:
    """The TeX symbol of the quantity with this description; empty if there is none."""
    words, _, place = long_name.rpartition(AT)
    rows = QUANTITIES.values()
    for row in rows:
        if row.long_name == long_name:
            return row.symbol
    return next((_symbol_at(row, place) for row in rows if row.long_name == words), "")


def _symbol_at(row: Quantity, place: str) -> str:
    """The symbol of an element, whose place stands for the indices."""
    return SUBSCRIPT.sub("_{" + place.replace(" ", "") + "}", row.symbol, count=1)


def has_times(name: str) -> bool:
    """Whether a quantity, or a variable that is none, may have a number for each time."""
    return located(name)[0] not in OF_SYSTEM | OF_STEADY


def own_dimensions(name: str, count: int) -> tuple[str, ...]:
    """The names of so many dimensions of a variable, beside time."""
    row = row_of(name)
    if row and row.has_levels:
        return ("level",)[:count]
    if row and len(row.indices) == count:
        return row.indices
    return tuple(f"{name}_{k}" for k in range(count))


def has_levels(name: str) -> bool:
    """Whether a quantity has a number for each level."""
    return name in QUANTITIES and QUANTITIES[name].has_levels


def has_poles(name: str) -> bool:
    """Whether a quantity is infinite where T is."""
    return name in QUANTITIES and QUANTITIES[name].has_poles


def in_order(names: Iterable[str]) -> list[str]:
    """Names in the order of the table, others first; each before its error and derivatives."""
    places = {name: place for place, name in enumerate(QUANTITIES, 1)}
    places = {own: places[name] for own, name in renamed_in_maps().items()} | places

    def place(name: str) -> tuple[int, str]:
        quantity, _ = located(name.partition("_by_")[0].removesuffix("_error"))
        return places.get(quantity, 0), name

    return sorted(names, key=place)


# --- Of what was measured ----------------------------------------------------------------------


def measurable(kinds: Iterable[str], sizes: Mapping[str, int] | None = None) -> set[str]:
    """The allowed names of columns of data of kinds of systems.

    Of quantities with indices, of these `sizes`, elements are measured; of several modes the
    modulus alone of complex ones.
    """
    kinds = [*kinds]
    named = [name for name in names_of(*kinds) if has_times(name) and not has_levels(name)]
    several = "modes" in kinds
    # u and v of a cavity are numbers.
    named = [
        own
        for name in named
        for own in (elements(name, sizes or {}) if several or name in OF_DRIVE else [name])
    ]
    moduli = {f"{MODULUS}{name}" for name in named}
    return moduli | {name for name in named if not several or not _is_complex(name)}


def _is_complex(name: str) -> bool:
    quantity, place = located(name)
    return QUANTITIES[quantity].is_complex_at(place)


def limits_of(name: str) -> tuple[float, float]:
    """The limits of a measured quantity, a real number or a modulus, in any state."""
    quantity, place = located(name.removeprefix(MODULUS))
    row = QUANTITIES.get(quantity)
    if row is None or row.is_complex_at(place) != name.startswith(MODULUS):
        return -inf, inf
    return row.limits


def measured_symbol(name: str) -> str:
    """The TeX symbol of a measured quantity, for a modulus that inside it; empty without one."""
    return symbol_of(about(name.removeprefix(MODULUS))["long_name"])
