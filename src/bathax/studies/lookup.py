"""Access to the table of quantities: by kind of system, by variable, by measured quantity.

Nothing here imports JAX.
"""

from collections.abc import Iterable
from math import inf

from bathax.studies.quantities import (
    BOTH,
    OF_MAP,
    OF_MODES,
    OF_SYSTEM,
    QUANTITIES,
    Quantity,
    SystemQuantity,
    Unit,
)

# The prefix for the modulus of a complex quantity.
MODULUS = "abs_"
# All that has a description, whether or not a study file knows it.
DESCRIBED = QUANTITIES | OF_MODES


# --- Of a kind of system -----------------------------------------------------------------------


def names_of(kind: str) -> list[str]:
    """The quantities of a "cavity" or a "qubit"."""
    return [name for name, row in QUANTITIES.items() if kind in row.systems]


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
    of = "" if row.systems == BOTH else f", of a {row.systems[0]}"
    return f"  {name:<22}{words}{unit}{of}"


# --- Of a solution or a map --------------------------------------------------------------------


def attribute_of(name: str) -> str:
    """The name of a quantity in a solution or a map."""
    return DESCRIBED[name].attribute or name


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
    if name not in DESCRIBED:
        return {"long_name": name, "units": "unknown"}
    return {"long_name": DESCRIBED[name].long_name, "units": DESCRIBED[name].unit.name}


def unit_of(name: str) -> Unit | None:
    """The unit of a variable in a dataset, or of its error; None of a derivative and of others."""
    own = name.removesuffix("_error")
    row = DESCRIBED.get(renamed_in_maps().get(own, own))
    return row.unit if row else None


def symbol_of(long_name: str) -> str:
    """The TeX symbol of the quantity with this description; empty if there is none."""
    return next((row.symbol for row in DESCRIBED.values() if row.long_name == long_name), "")


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
        quantity = name.partition("_by_")[0].removesuffix("_error")
        return places.get(quantity, 0), name

    return sorted(names, key=place)


# --- Of what was measured ----------------------------------------------------------------------


def measurable(kind: str) -> set[str]:
    """The allowed names of columns of data of a "cavity" or a "qubit"."""
    names = [name for name in names_of(kind) if not has_levels(name)]
    return {*names, *(f"{MODULUS}{name}" for name in names)}


def limits_of(name: str) -> tuple[float, float]:
    """The limits of a measured quantity, a real number or a modulus, in any state."""
    row = QUANTITIES.get(name.removeprefix(MODULUS))
    if row is None or row.is_complex != name.startswith(MODULUS):
        return -inf, inf
    return row.limits


def measured_symbol(name: str) -> str:
    """The TeX symbol of a measured quantity, for a modulus that inside it; empty without one."""
    row = DESCRIBED.get(name.removeprefix(MODULUS))
    return row.symbol if row else ""
