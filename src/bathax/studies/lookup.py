"""What the table of quantities says: of a kind of system, of a variable, of what was measured.

Nothing here imports JAX.
"""

from collections.abc import Iterable
from math import inf

from bathax.studies.quantities import BOTH, OF_MAP, OF_SYSTEM, QUANTITIES, Quantity, SystemQuantity

# In front of the name of a complex quantity: its modulus.
MODULUS = "abs_"


# --- Of a kind of system -----------------------------------------------------------------------


def names_of(kind: str) -> list[str]:
    """The quantities of a "cavity" or a "qubit"."""
    return [name for name, row in QUANTITIES.items() if kind in row.systems]


def critical_of(kind: str) -> list[SystemQuantity]:
    """What `bathax critical` prints of a "cavity" or a "qubit"; first what each of them has."""
    found = [row for row in OF_SYSTEM.values() if row.critical and kind in row.systems]
    return sorted(found, key=lambda row: row.exists is not None)


def listing() -> str:
    """The table for a reader, a line for each quantity."""
    return "\n".join(_line(name, row) for name, row in QUANTITIES.items())


def _line(name: str, row: Quantity) -> str:
    words = f"{row.long_name}; {row.formula}" if row.formula else row.long_name
    unit = "" if row.unit.name == "1" else f" [{row.unit.name}]"
    of = "" if row.systems == BOTH else f", of a {row.systems[0]}"
    return f"  {name:<22}{words}{unit}{of}"


# --- Of a solution or a map --------------------------------------------------------------------


def attribute_of(name: str) -> str:
    """What a solution or a map calls a quantity."""
    return QUANTITIES[name].attribute or name


def renamed_in_maps() -> dict[str, str]:
    """What a map calls otherwise: its attributes, and the names of the quantities."""
    return {row.attribute: name for name, row in OF_MAP.items() if row.attribute}


def attributes() -> list[str]:
    """Under which names quantities are found in results: the names here, and those of a map."""
    return list(dict.fromkeys([*QUANTITIES, *renamed_in_maps()]))


# --- Of a variable -----------------------------------------------------------------------------


def about(name: str) -> dict[str, str]:
    """What is said of a variable, of its `<name>_error`, of a derivative `<name>_by_<parameter>`.

    In words what it is, and its unit, under the names that they have in a dataset.
    """
    of, by, parameter = name.partition("_by_")
    if by:
        words, units = about(of).values()
        words = f"derivative with respect to {parameter} of {words}"
        return {"long_name": words, "units": f"{units} / {parameter}"}
    if name.endswith("_error"):
        of = name.removesuffix("_error")
        return about(of) | {"long_name": f"error estimate of {of}"}
    if name not in QUANTITIES:
        return {"long_name": name, "units": "unknown"}
    return {"long_name": QUANTITIES[name].long_name, "units": QUANTITIES[name].unit.name}


def symbol_of(long_name: str) -> str:
    """The symbol in TeX of what is described by these words; empty without one."""
    return next((row.symbol for row in QUANTITIES.values() if row.long_name == long_name), "")


def has_levels(name: str) -> bool:
    """Whether a quantity is a number for each level."""
    return name in QUANTITIES and QUANTITIES[name].has_levels


def has_poles(name: str) -> bool:
    """Whether a quantity is infinite where T is."""
    return name in QUANTITIES and QUANTITIES[name].has_poles


def in_order(names: Iterable[str]) -> list[str]:
    """Names as in the table, others in front; each before its error and its derivatives."""
    places = {name: place for place, name in enumerate(QUANTITIES, 1)}
    places = {own: places[name] for own, name in renamed_in_maps().items()} | places

    def place(name: str) -> tuple[int, str]:
        quantity = name.partition("_by_")[0].removesuffix("_error")
        return places.get(quantity, 0), name

    return sorted(names, key=place)


# --- Of what was measured ----------------------------------------------------------------------


def measurable(kind: str) -> set[str]:
    """What columns of data of a "cavity" or a "qubit" may be called."""
    names = [name for name in names_of(kind) if not has_levels(name)]
    return {*names, *(f"{MODULUS}{name}" for name in names)}


def limits_of(name: str) -> tuple[float, float]:
    """Between which values what was measured is in any state: a real number, or a modulus."""
    row = QUANTITIES.get(name.removeprefix(MODULUS))
    if row is None or row.is_complex != name.startswith(MODULUS):
        return -inf, inf
    return row.limits


def measured_symbol(name: str) -> str:
    """The symbol in TeX of what was measured, of a modulus that inside it; empty without one."""
    row = QUANTITIES.get(name.removeprefix(MODULUS))
    return row.symbol if row else ""
