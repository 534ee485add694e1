"""What can be asked of a system, by name: what each quantity is, its unit, which systems have it.

Nothing here imports JAX, so that a study file is checked in milliseconds.
"""

from collections.abc import Iterable
from typing import NamedTuple

BOTH, CAVITY, QUBIT = ("cavity", "qubit"), ("cavity",), ("qubit",)


class Quantity(NamedTuple):
    """What a quantity is, its unit with hbar = k_B = 1, and the kinds of system that have it."""

    long_name: str
    units: str
    systems: tuple[str, ...] = BOTH


# In the order in which they are shown.
OF_SOLUTION = {
    "u": Quantity("amplitude function u(t)", "1", CAVITY),
    "du": Quantity("rate of change of u(t)", "energy", CAVITY),
    "v": Quantity("thermal noise function v(t, t)", "1", CAVITY),
    "dv": Quantity("rate of change of v(t, t)", "energy", CAVITY),
    "number": Quantity("mean number of quanta", "1"),
    "coherence": Quantity("coherence rho_10 of ground and excited state", "1", QUBIT),
    "energy": Quantity("internal energy E", "energy"),
    "entropy": Quantity("von Neumann entropy S", "1"),
    "energy_rate": Quantity("rate of change of E", "energy^2"),
    "entropy_rate": Quantity("rate of change of S", "energy"),
    "temperature": Quantity("dynamical temperature T = dE/dS", "energy"),
    "temperature_resolved": Quantity("whether T is a ratio of rates, not its limit", "1"),
    "chemical_potential": Quantity("dynamical chemical potential mu = dE/dN", "energy"),
    "free_energy": Quantity("free energy F = E - T S", "energy"),
    "interaction_energy": Quantity("energy of the coupling to the reservoirs", "energy", CAVITY),
    "entropy_production": Quantity("entropy production", "1", CAVITY),
    "populations": Quantity("probability of each level", "1"),
    "population_above": Quantity("probability of the levels left out", "1", CAVITY),
}
OF_MAP = {
    "p11": Quantity("P11, what stays excited", "1", QUBIT),
    "p00": Quantity("P00, what stays in the ground state", "1", QUBIT),
    "c": Quantity("factor c on the coherence", "1", QUBIT),
    "determinant": Quantity("determinant D = P11 + P00 - 1", "1", QUBIT),
    "dp11": Quantity("rate of change of P11", "energy", QUBIT),
    "dp00": Quantity("rate of change of P00", "energy", QUBIT),
    "dc": Quantity("rate of change of c", "energy", QUBIT),
    "ddeterminant": Quantity("rate of change of D", "energy", QUBIT),
    "gamma_minus": Quantity("rate gamma_- of emission", "energy", QUBIT),
    "gamma_plus": Quantity("rate gamma_+ of absorption", "energy", QUBIT),
    "gamma_z": Quantity("rate gamma_z of dephasing", "energy", QUBIT),
    "shift": Quantity("frequency of the coherence", "energy", QUBIT),
    "rates_resolved": Quantity("whether gamma_- and gamma_+ are known", "1", QUBIT),
    "coherence_resolved": Quantity("whether the shift is known", "1", QUBIT),
}
OF_SYSTEM = {
    "critical_coupling": Quantity("factor on J at which a bound state appears below", "1"),
    "critical_temperature": Quantity("kT0 above which T(t) has no pole", "energy", CAVITY),
    "resonant_occupation": Quantity("quanta n_p at which E stays in the end", "1", CAVITY),
    "final_energy": Quantity("E for t -> infinity", "energy", CAVITY),
    "final_entropy": Quantity("S for t -> infinity", "1", CAVITY),
    "final_temperature": Quantity("T for t -> infinity", "energy", CAVITY),
    "least_determinant": Quantity("least D(t)", "1", QUBIT),
}
QUANTITIES = OF_SOLUTION | OF_MAP | OF_SYSTEM


def names_of(kind: str) -> list[str]:
    """The quantities of a "cavity" or a "qubit"."""
    return [name for name, quantity in QUANTITIES.items() if kind in quantity.systems]


def about(name: str) -> Quantity:
    """What is behind a name, `<name>_error` and the derivative `<name>_by_<parameter>` included."""
    of, by, parameter = name.partition("_by_")
    if by:
        quantity = about(of)
        units = f"{quantity.units} / {parameter}"
        return Quantity(f"derivative with respect to {parameter} of {quantity.long_name}", units)
    if name.endswith("_error"):
        of = name.removesuffix("_error")
        return Quantity(f"error estimate of {of}", about(of).units)
    return QUANTITIES.get(name, Quantity(name, "unknown"))


def in_order(names: Iterable[str]) -> list[str]:
    """Names as in the table above, others in front; each before its error and its derivatives."""
    places = {name: place for place, name in enumerate(QUANTITIES, 1)}
    places["dcoherence"] = places["dc"]  # as a map calls it

    def place(name: str) -> tuple[int, str]:
        quantity = name.partition("_by_")[0].removesuffix("_error")
        return places.get(quantity, 0), name

    return sorted(names, key=place)
