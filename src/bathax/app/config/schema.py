"""The tables of a study, one class for each, and what bathax makes of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, ClassVar

from msgspec.structs import fields

from bathax.app.config.checking import listed, require
from bathax.app.config.columns import spectral_density
from bathax.app.config.files import NamedFile
from bathax.app.config.rules import (
    Chosen,
    Complex,
    Count,
    Finite,
    Kind,
    NonNegative,
    Numbers,
    Points,
    Positive,
    Rule,
    StudyError,
    Table,
    Vector,
    as_complex,
)
from bathax.app.config.varying import Fit, Sweep, check_fit, check_sweep

# --- Reservoirs --------------------------------------------------------------------------------


class Ohmic(Kind, tag="ohmic"):
    """`bathax.Ohmic`."""

    eta: NonNegative
    cutoff: Positive
    exponent: Positive | None = None


class Lorentzian(Kind, tag="lorentzian"):
    """`bathax.Lorentzian`."""

    gamma0: NonNegative
    width: Positive
    center: Finite


class DrudeLorentz(Kind, tag="drude_lorentz"):
    """`bathax.DrudeLorentz`."""

    eta: NonNegative
    cutoff: Positive


class SemicircleBand(Kind, tag="semicircle"):
    """`bathax.SemicircleBand`."""

    eta: NonNegative
    center: Finite
    half_width: Positive


class BandEdge(Kind, tag="band_edge"):
    """`bathax.BandEdge`."""

    eta: NonNegative
    edge: Positive
    cutoff: Positive


class Tabulated(Kind, tag="tabulated"):
    """`bathax.Tabulated`, from a file with the columns `w,J`."""

    file: NamedFile

    def build(self) -> Any:
        """The measured spectral density."""
        import bathax as bx

        return bx.Tabulated(*spectral_density(self.file))


class DiscreteModes(Kind, tag="discrete"):
    """`bathax.DiscreteModes`."""

    frequencies: Numbers
    couplings: Numbers


SpectralDensity = (
    Ohmic | Lorentzian | DrudeLorentz | SemicircleBand | BandEdge | Tabulated | DiscreteModes
)


class Reservoir(Table):
    """One `[[reservoir]]`."""

    spectral_density: SpectralDensity
    temperature: NonNegative = 0.0

    def build(self, path: str) -> Any:
        """The `bathax.Reservoir` that stands at `path` in the study."""
        import bathax as bx

        with _blaming(f"{path}.spectral_density"):
            density = self.spectral_density.build()
        with _blaming(path):
            return bx.Reservoir(density, temperature=self.temperature)


# --- Solvers -----------------------------------------------------------------------------------


class Volterra(Kind, tag="volterra"):
    """`bathax.Volterra`."""

    rtol: Positive | None = None
    points: Points | None = None
    max_points: Points | None = None


class Resonance(Kind, tag="resonance"):
    """`bathax.Resonance`."""

    rtol: Positive | None = None
    nodes: Points | None = None


class BornMarkov(Kind, tag="born_markov"):
    """`bathax.BornMarkov`."""


class Hierarchy(Kind, tag="hierarchy"):
    """`bathax.Hierarchy`."""

    rtol: Positive | None = None
    depth: Points | None = None
    modes: Points | None = None


class Vacuum(Kind, tag="vacuum"):
    """`bathax.Vacuum`."""


class TimeConvolutionless(Kind, tag="time_convolutionless"):
    """`bathax.TimeConvolutionless`."""


class VanHove(Kind, tag="van_hove"):
    """`bathax.VanHove`."""


Solver = Volterra | Resonance | BornMarkov | Hierarchy | Vacuum | TimeConvolutionless | VanHove


# --- Systems -----------------------------------------------------------------------------------


class CavityInitial(Table):
    """The initial state of a cavity: one of five, of which only `squeezed` takes an `angle`."""

    JOINED: ClassVar[dict[str, str]] = {"angle": "squeezed"}

    fock: Count | None = None
    coherent: Complex | None = None
    thermal: NonNegative | None = None
    squeezed: Finite | None = None
    angle: Finite | None = None
    density_matrix: NamedFile | None = None

    def build(self) -> Any:
        """The initial state of bathax."""
        import bathax as bx

        match self.given():
            case {"fock": n}:
                return bx.Fock(n)
            case {"coherent": alpha}:
                return bx.Coherent(as_complex(alpha))
            case {"thermal": nbar}:
                return bx.Thermal(nbar)
            case {"squeezed": r, **rest}:
                return bx.Squeezed(r, rest.get("angle", 0.0))
            case {"density_matrix": file}:
                return bx.DensityMatrix(file.matrix())


class QubitInitial(Table):
    """The initial state of a qubit: one of four."""

    JOINED: ClassVar[dict[str, str]] = {}

    excited: Chosen | None = None
    ground: Chosen | None = None
    bloch: Vector | None = None
    density_matrix: NamedFile | None = None

    def build(self) -> Any:
        """The initial state of bathax."""
        import bathax as bx

        match self.given():
            case {"excited": _}:
                return bx.Excited()
            case {"ground": _}:
                return bx.Ground()
            case {"bloch": vector}:
                return bx.Bloch(*vector)
            case {"density_matrix": file}:
                return bx.QubitState(file.matrix())


class Cavity(Table, tag_field="kind", tag="cavity"):
    """The `[system]`, `bathax.Cavity` and its initial state."""

    SOLVERS: ClassVar[tuple[type[Kind], ...]] = (Volterra, Resonance, BornMarkov)

    frequency: Positive
    initial: CavityInitial


class Qubit(Table, tag_field="kind", tag="qubit"):
    """The `[system]`, `bathax.Qubit` and its initial state."""

    SOLVERS: ClassVar[tuple[type[Kind], ...]] = (Hierarchy, Vacuum, TimeConvolutionless, VanHove)

    frequency: Positive
    initial: QubitInitial


# --- The study ---------------------------------------------------------------------------------


class Time(Table):
    """The `[time]` grid: equally spaced points from `start` to `stop`, both included."""

    stop: Positive
    points: Points
    start: NonNegative = 0.0


class Study(Table):
    """A checked study; without a `[solver]` the system takes the library's own choice."""

    system: Cavity | Qubit
    reservoir: Annotated[tuple[Reservoir, ...], Rule("one or more [[reservoir]] tables", bool)]
    time: Time
    solver: Solver | None = None
    sweep: Sweep | None = None
    fit: Fit | None = None

    def build(self) -> tuple[Any, Any, Any, Any]:
        """The arguments of `bathax.solve`: system, initial state, times and solver.

        Imports JAX. Raises `StudyError` for what only the library can refuse.
        """
        import jax.numpy as jnp
        import numpy as np

        import bathax as bx

        reservoirs = tuple(one.build(f"reservoir.{i}") for i, one in enumerate(self.reservoir))
        with _blaming("system"):
            kind = getattr(bx, type(self.system).__name__)
            system = kind(self.system.frequency, reservoirs)
        with _blaming("system.initial"):
            initial = self.system.initial.build()
        times = jnp.asarray(np.linspace(self.time.start, self.time.stop, self.time.points))
        with _blaming("solver"):
            return system, initial, times, self.solver.build() if self.solver else None


def check_relations(study: Study) -> None:
    """Raise `StudyError` for the first rule broken that joins two keys."""
    start, stop = study.time.start, study.time.stop
    require(("time", "stop"), f"greater than `time.start` = {start}", stop, stop > start)
    _check_initial(study.system.initial)
    if study.sweep is not None:
        check_sweep(study, study.sweep)
    if study.fit is not None:
        check_fit(study, study.fit)
    if study.solver is not None:
        fitting = [one.__struct_config__.tag for one in study.system.SOLVERS]
        words = f"{listed(fitting)} for a {study.system.__struct_config__.tag}"
        kind = study.solver.__struct_config__.tag
        require(("solver", "kind"), words, kind, kind in fitting)


def _check_initial(initial: CavityInitial | QubitInitial) -> None:
    """One state is given, and what may join one joins that."""
    given, joined = initial.given(), initial.JOINED
    states = [item.name for item in fields(initial) if item.name not in joined]
    alone = [name for name, state in joined.items() if name in given and state not in given]
    if len(given.keys() & states) != 1 or alone:
        hints = [f" (an `{name}` may join `{state}`)" for name, state in joined.items()]
        found = " with ".join(f"`{key}`" for key in given) or "empty"
        rule = f"one of {listed(states)}{''.join(hints)}"
        raise StudyError(f"Argument `system.initial` must be {rule}, but is {found}.")


@contextmanager
def _blaming(path: str) -> Iterator[None]:
    """Put the dotted path into what the library says of an argument."""
    try:
        yield
    except ValueError as error:
        if isinstance(error, StudyError):
            raise
        message = str(error).replace("Argument `", f"Argument `{path}.", 1)
        raise StudyError(message) from error
