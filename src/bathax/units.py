r"""Numbers of an experiment in the units of bathax, and back.

bathax has hbar = k_B = 1 and one unit of energy, which a user chooses. A frequency nu in GHz is
what an instrument shows, with the energy h nu, so that a transition of 5 GHz is w_s = 5 in units of
h x 1 GHz. The 2 pi between nu and the angular frequency is in the time: w t is a phase in radians,
and one nanosecond is t = 2 pi. A rate like 1/T_1 = 1/(20 us) has the energy hbar / T_1, without
2 pi: it is given in 1/us, and not in MHz.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import xarray
from scipy import constants

from bathax._checks import require
from bathax.studies.lookup import unit_of
from bathax.studies.quantity import (
    ENERGY,
    ENTROPY,
    ENTROPY_RATE,
    POWER,
    RATE,
    TEMPERATURE,
)

# In joule and in seconds, with the constants of CODATA.
ENERGIES = MappingProxyType(
    {
        "kHz": 1e3 * constants.h,
        "MHz": 1e6 * constants.h,
        "GHz": 1e9 * constants.h,
        "THz": 1e12 * constants.h,
        "cm^-1": 1e2 * constants.h * constants.c,
        "ueV": 1e-6 * constants.e,
        "meV": 1e-3 * constants.e,
        "eV": constants.e,
        "mK": 1e-3 * constants.k,
        "K": constants.k,
        "J": 1.0,
    }
)
TIMES = MappingProxyType({"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12, "fs": 1e-15})
RATES = MappingProxyType({f"1/{name}": constants.hbar / one for name, one in TIMES.items()})
# Units of time and temperature that suit a unit of energy.
SUITABLE = MappingProxyType(
    {
        "kHz": ("ms", "mK"),
        "MHz": ("us", "mK"),
        "GHz": ("ns", "mK"),
        "ueV": ("ns", "mK"),
        "THz": ("ps", "K"),
        "cm^-1": ("ps", "K"),
        "meV": ("ps", "K"),
        "eV": ("fs", "K"),
    }
)


@dataclass(frozen=True)
class Units:
    """The unit of `energy` that is 1 in bathax, and those of `time` and `temperature` in figures.

    `units["ns"]` is one nanosecond as bathax counts it: multiply what goes in, and divide what
    comes out. Energies are kHz to THz (h nu), cm^-1, ueV to eV, K, mK (k_B T) and J, times s to fs,
    and rates 1/s to 1/fs (hbar over the time). The 2 pi between a frequency nu in GHz and
    w = 2 pi nu is in the time: with GHz as the unit, one nanosecond is 2 pi.

    A transmon of 5 GHz at 50 mK, whose coherence turns once in 0.2 ns:

    >>> units = bx.Units("GHz")
    >>> qubit = bx.Qubit(5.0, bx.Reservoir(bx.Ohmic(1e-5, 50.0), temperature=50.0 * units["mK"]))
    >>> round(float(qubit.reservoirs[0].occupation(qubit.frequency)), 4)
    0.0083
    >>> round(float(qubit.frequency * 0.2 * units["ns"] / (2.0 * jnp.pi)), 12)
    1.0
    >>> dmap = bx.dynamical_map(qubit, jnp.linspace(0.0, 5.0, 6) * units["us"], bx.VanHove())
    >>> round(float(1.0 / dmap.gamma_minus[0] / units["us"]), 3)  # 1 / gamma_-, in us
    0.555
    """

    energy: str = "GHz"
    time: str = ""
    temperature: str = ""

    def __post_init__(self) -> None:
        _require("energy", self.energy, ENERGIES)
        for name, one in zip(
            ("time", "temperature"), SUITABLE.get(self.energy, ("s", "K")), strict=True
        ):
            object.__setattr__(self, name, getattr(self, name) or one)
        _require("time", self.time, TIMES)
        _require("temperature", self.temperature, ("K", "mK"))

    def __getitem__(self, unit: str) -> float:
        """One of a unit of energy, time or rate, in the units of bathax."""
        _require("unit", unit, (*ENERGIES, *TIMES, *RATES))
        if unit in TIMES:
            return TIMES[unit] * ENERGIES[self.energy] / constants.hbar
        return (ENERGIES | RATES)[unit] / ENERGIES[self.energy]

    def convert(self, dataset: xarray.Dataset) -> xarray.Dataset:
        """The dataset of a result in these units, which stand in the attributes `units`.

        Numbers without a unit stay, and derivatives, whose parameter may have any.
        """
        found = {}
        for name, variable in dataset.variables.items():
            known = self.of(str(name))
            if known is not None:
                factor, words = known
                attributes = variable.attrs | {"units": words}
                found[name] = (variable.dims, variable.values / factor, attributes)
        times = {name: found.pop(name) for name in ("time",) if name in found}
        return dataset.assign(found).assign_coords(times)

    def of(self, name: str) -> tuple[float, str] | None:
        """What a quantity is divided by, and the unit that it is in then; None without a unit."""
        energy, time, kelvin = self.energy, self.time, self.temperature
        rate = self[f"1/{time}"]
        if name == "time":
            return self[time], time
        factors = {
            ENERGY: (self[energy], energy),
            TEMPERATURE: (self[kelvin], kelvin),
            RATE: (rate, f"1/{time}"),
            POWER: (self[energy] * rate, f"{energy}/{time}"),
            ENTROPY: (1.0, "k_B"),
            ENTROPY_RATE: (rate, f"k_B/{time}"),
        }
        unit = unit_of(name)
        return factors.get(unit) if unit else None


def is_converted(unit: str) -> bool:
    """Whether a unit of a variable is one of an experiment."""
    parts = unit.replace("1/", "").split("/")
    return all(part in (*ENERGIES, *TIMES, "k_B") for part in parts)


def _require(name: str, value: Any, known: Any) -> None:
    valid = isinstance(value, str) and value in known
    require(name, f"one of {', '.join(known)}", repr(value), valid)
