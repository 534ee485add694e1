"""The `[system]` and the `[solver]` of a study."""

from typing import Any, ClassVar, get_args

from msgspec.structs import fields

from bathax.app.config.checking import listed
from bathax.app.config.drives import Frequency, built
from bathax.app.config.files import NamedFile
from bathax.app.config.rules import (
    Amount,
    Chosen,
    Complex,
    Count,
    Finite,
    Kind,
    NonNegative,
    Numbers,
    Points,
    Positive,
    PositiveEnergy,
    StudyError,
    Table,
    Vector,
    as_complex,
)

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


class Diagonalisation(Kind, tag="diagonalisation"):
    """`bathax.Diagonalisation`."""

    rtol: Positive | None = None


class Automatic(Kind, tag="automatic"):
    """`bathax.Automatic`."""


class BornMarkov(Kind, tag="born_markov"):
    """`bathax.BornMarkov`."""


class Hierarchy(Kind, tag="hierarchy"):
    """`bathax.Hierarchy`."""

    rtol: Positive | None = None
    depth: Points | None = None
    modes: Amount | None = None
    steps: Amount | None = None
    max_size: Amount | None = None


class ExactDiagonalisation(Kind, tag="exact_diagonalisation"):
    """`bathax.ExactDiagonalisation`."""

    rtol: Positive | None = None
    quanta: Count | None = None
    max_size: Points | None = None


class Vacuum(Kind, tag="vacuum"):
    """`bathax.Vacuum`."""

    volterra: Volterra | None = None


class TimeConvolutionless(Kind, tag="time_convolutionless"):
    """`bathax.TimeConvolutionless`."""

    rtol: Positive | None = None
    points: Points | None = None
    max_points: Points | None = None


class VanHove(Kind, tag="van_hove"):
    """`bathax.VanHove`."""


class Embedding(Kind, tag="embedding"):
    """`bathax.Embedding`."""

    rtol: Positive | None = None
    points: Points | None = None
    max_points: Points | None = None
    modes: Amount | None = None


OfCavity = Automatic | Volterra | Resonance | Diagonalisation | BornMarkov | Embedding
OfQubit = Hierarchy | ExactDiagonalisation | Vacuum | TimeConvolutionless | VanHove
OfModes = Volterra | Embedding
Solver = OfCavity | OfQubit | OfModes


# --- Systems -----------------------------------------------------------------------------------


class Gaussian(Table):
    """`bathax.Gaussian`."""

    displacement: Complex
    excess: NonNegative
    anomalous: Complex | None = None

    def build(self) -> Any:
        """The state of bathax."""
        import bathax as bx

        anomalous = 0.0 if self.anomalous is None else self.anomalous
        return bx.Gaussian(as_complex(self.displacement), self.excess, as_complex(anomalous))


class CavityInitial(Table):
    """The initial state of a cavity: one kind of state, with the options of that kind."""

    JOINED: ClassVar[dict[str, str]] = {
        "angle": "squeezed",
        "nbar": "squeezed",
        "levels": "density_matrix",
    }

    fock: Count | None = None
    mixture: Numbers | None = None
    coherent: Complex | None = None
    thermal: NonNegative | None = None
    squeezed: Finite | None = None
    angle: Finite | None = None
    nbar: NonNegative | None = None
    gaussian: Gaussian | None = None
    density_matrix: NamedFile | None = None
    levels: Amount | None = None

    def build(self) -> Any:
        """The initial state of bathax."""
        import bathax as bx

        match self.given():
            case {"fock": n}:
                return bx.Fock(n)
            case {"mixture": probabilities}:
                return bx.Mixture(probabilities)
            case {"gaussian": state}:
                return state.build()
            case {"coherent": alpha}:
                return bx.Coherent(as_complex(alpha))
            case {"thermal": nbar}:
                return bx.Thermal(nbar)
            case {"squeezed": r, **rest}:
                return bx.Squeezed(r, **rest)
            case {"density_matrix": file, **rest}:
                return bx.DensityMatrix(file.matrix(), **rest)


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

    FAMILY: ClassVar[str] = "cavity"
    quanta: ClassVar[str] = "boson"
    SOLVERS: ClassVar[tuple[type[Kind], ...]] = get_args(OfCavity)

    frequency: Frequency
    initial: CavityInitial | None = None

    def build(self, reservoirs: tuple[Any, ...], _: Any) -> Any:
        """The system of bathax."""
        import bathax as bx

        return bx.Cavity(built(self.frequency), reservoirs)


class Qubit(Table, tag_field="kind", tag="qubit"):
    """The `[system]`, `bathax.Qubit` and its initial state."""

    FAMILY: ClassVar[str] = "qubit"
    quanta: ClassVar[str] = "boson"
    SOLVERS: ClassVar[tuple[type[Kind], ...]] = get_args(OfQubit)

    frequency: PositiveEnergy
    initial: QubitInitial | None = None

    def build(self, reservoirs: tuple[Any, ...], _: Any) -> Any:
        """The system of bathax."""
        import bathax as bx

        return bx.Qubit(self.frequency, reservoirs)


def check_initial(initial: Any) -> None:
    """Check that one state is given, with no other options than its own."""
    given, joined = initial.given(), initial.JOINED
    states = [item.name for item in fields(initial) if item.name not in joined]
    alone = [name for name, state in joined.items() if name in given and state not in given]
    if len(given.keys() & states) != 1 or alone:
        hints = [f" (`{name}` may join `{state}`)" for name, state in joined.items()]
        found = " with ".join(f"`{key}`" for key in given) or "empty"
        rule = f"one of {listed(states)}{''.join(hints)}"
        raise StudyError(f"Argument `system.initial` must be {rule}, but is {found}.")
