"""The `[[reservoir]]` tables of a study: spectral densities and occupations."""

from functools import reduce
from operator import add
from typing import Annotated, Any

from bathax.app.config.checking import blaming
from bathax.app.config.columns import spectral_density
from bathax.app.config.drives import Drive, each_built
from bathax.app.config.files import NamedFile
from bathax.app.config.rules import (
    Coupling,
    Energy,
    Kind,
    NonNegative,
    NonNegativeEnergy,
    Numbered,
    Numbers,
    Positive,
    PositiveEnergy,
    Rule,
    StudyError,
    Table,
)

# --- Spectral densities ------------------------------------------------------------------------


class Ohmic(Kind, tag="ohmic"):
    """`bathax.Ohmic`."""

    eta: Coupling
    cutoff: PositiveEnergy
    exponent: Positive | None = None


class Lorentzian(Kind, tag="lorentzian"):
    """`bathax.Lorentzian`."""

    gamma0: NonNegativeEnergy
    width: PositiveEnergy
    center: Energy


class DrudeLorentz(Kind, tag="drude_lorentz"):
    """`bathax.DrudeLorentz`."""

    eta: Coupling
    cutoff: PositiveEnergy


class SemicircleBand(Kind, tag="semicircle"):
    """`bathax.SemicircleBand`."""

    eta: Coupling
    center: Energy
    half_width: PositiveEnergy


class FlatBand(Kind, tag="flat"):
    """`bathax.FlatBand`."""

    gamma: NonNegativeEnergy
    low: Energy
    high: Energy


class WideBand(Kind, tag="wide_band"):
    """`bathax.WideBand`."""

    gamma: PositiveEnergy


class BandEdge(Kind, tag="band_edge"):
    """`bathax.BandEdge`."""

    eta: Coupling
    edge: PositiveEnergy
    cutoff: PositiveEnergy


class Tabulated(Kind, tag="tabulated"):
    """`bathax.Tabulated`, from a file with the columns `w,J` and perhaps `J_error`."""

    file: NamedFile

    def build(self) -> Any:
        """The measured spectral density."""
        import bathax as bx

        return bx.Tabulated(*spectral_density(self.file))


class DiscreteModes(Kind, tag="discrete"):
    """`bathax.DiscreteModes`."""

    frequencies: Numbers
    couplings: Numbers


class Sum(Kind, tag="sum"):
    """The sum of spectral densities."""

    terms: Annotated[tuple["SpectralDensity", ...], Rule("a list of one or more tables", bool)]

    def build(self) -> Any:
        """J_0 + J_1 + ..."""
        built = []
        for index, term in enumerate(self.terms):
            with blaming(f"terms.{index}"):
                built.append(term.build())
        return reduce(add, built)


class Scaled(Kind, tag="scaled"):
    """A multiple of a spectral density."""

    factor: NonNegative
    density: "SpectralDensity"

    def build(self) -> Any:
        """The factor times J."""
        with blaming("density"):
            density = self.density.build()
        return self.factor * density


SpectralDensity = (
    Ohmic
    | Lorentzian
    | DrudeLorentz
    | SemicircleBand
    | FlatBand
    | WideBand
    | BandEdge
    | Tabulated
    | DiscreteModes
    | Sum
    | Scaled
)


# --- Occupations -------------------------------------------------------------------------------


class BoseEinstein(Kind, tag="bose_einstein"):
    """`bathax.BoseEinstein`."""

    temperature: NonNegativeEnergy
    chemical_potential: Energy | None = None


class FermiDirac(Kind, tag="fermi_dirac"):
    """`bathax.FermiDirac`."""

    temperature: NonNegativeEnergy
    chemical_potential: Energy | None = None


class Uniform(Kind, tag="uniform"):
    """`bathax.Uniform`."""

    number: NonNegative


class FockMixture(Kind, tag="fock_mixture"):
    """`bathax.FockMixture`."""

    probabilities: Numbers


class Reservoir(Table):
    """One `[[reservoir]]`, thermal or with another occupation, and its coupling to several modes.

    `coupling` and `counter` have a number for each mode; `switch` is a function of the time.
    """

    spectral_density: SpectralDensity
    temperature: NonNegativeEnergy | None = None
    chemical_potential: Energy | None = None
    occupation: BoseEinstein | FermiDirac | Uniform | FockMixture | None = None
    coupling: Numbered | None = None
    switch: Drive | None = None
    counter: Numbered | None = None

    def build(self, path: str, statistics: str) -> Any:
        """The `bathax.Reservoir` that stands at `path` in the study, for quanta of a system."""
        import bathax as bx

        with blaming(f"{path}.spectral_density"):
            density = self.spectral_density.build()
        with blaming(path):
            temperature = 0.0 if self.temperature is None else self.temperature
            occupation = None if self.occupation is None else self.occupation.build()
            reservoir = bx.Reservoir(
                density, temperature, self.chemical_potential, occupation=occupation
            ).filled_with(statistics)
            reservoir.require_consistent()
            return reservoir

    def contact(self, path: str, reservoir: Any, usual: Any = None) -> Any:
        """The `bathax.Channel` to the reservoir that was built, by default with usual numbers."""
        import bathax as bx

        with blaming(path):
            coupling = usual if self.coupling is None else each_built(self.coupling)
            counter = None if self.counter is None else each_built(self.counter)
            switch = None if self.switch is None else self.switch.build()
            return bx.Channel(reservoir, coupling, switch, counter)

    @property
    def of_modes(self) -> dict[str, Any]:
        """What only reservoirs of several modes have."""
        return {"coupling": self.coupling, "switch": self.switch, "counter": self.counter}


def check_reservoir(path: str, reservoir: Reservoir) -> None:
    """Raise `StudyError` for a reservoir that is filled in two ways."""
    for name in ("temperature", "chemical_potential"):
        if getattr(reservoir, name) is not None and reservoir.occupation is not None:
            rule = f"`{name}` or `occupation`, but has both"
            raise StudyError(f"Argument `{path}` must have {rule}.")
