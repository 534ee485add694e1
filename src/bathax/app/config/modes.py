"""The `[system]` of a study with several modes: any matrix h, a level, dots, a chain, cavities."""

from typing import Any, ClassVar, get_args

from bathax.app.config.checking import refuse_missing, require
from bathax.app.config.rules import (
    ComplexEnergy,
    Energies,
    Energy,
    EnergyMatrix,
    Finite,
    Kind,
    Matrix,
    Occupations,
    Pair,
    Statistics,
    Table,
    as_complex,
)
from bathax.app.config.systems import OfModes

Path = tuple[str, ...]


class ModesInitial(Table):
    """The initial state of several modes: the covariance n, or how many quanta each mode has."""

    JOINED: ClassVar[dict[str, str]] = {}

    n: Matrix | None = None
    occupations: Occupations | None = None

    def check(self, size: int) -> None:
        """Raise `StudyError` for a state of another number of modes."""
        if self.occupations is not None:
            _require_length(("system", "initial", "occupations"), self.occupations, size)
        if self.n is not None:
            _require_square(("system", "initial", "n"), self.n, size)

    def build(self) -> Any:
        """The initial state of bathax."""
        import bathax as bx

        match self.given():
            case {"n": n}:
                return bx.Covariance(_as_rows(n))
            case {"occupations": each}:
                places = range(len(each))
                return bx.Covariance([[each[i] if i == j else 0.0 for j in places] for i in places])


class Modes(Table, tag_field="kind", kw_only=True):
    """What systems of several modes share. Each kind has its `size` and makes its `lattice`."""

    FAMILY: ClassVar[str] = "modes"
    SOLVERS: ClassVar[tuple[type[Kind], ...]] = get_args(OfModes)
    RESERVOIRS: ClassVar[str] = "one or more tables"
    quanta: ClassVar[str] = "fermion"
    size: ClassVar[int] = 1

    initial: ModesInitial

    def build(self, reservoirs: tuple[Any, ...], channels: tuple[Any, ...]) -> Any:
        """The system of bathax; channels with a coupling of their own replace the usual ones."""
        import bathax as bx

        found = self.lattice(reservoirs)
        pairs = zip(channels, found.channels, strict=True)
        return bx.LinearSystem(found.h, [own or usual for own, usual in pairs], found.statistics)

    def check(self, reservoirs: tuple[Any, ...]) -> None:
        """Raise `StudyError` for the first rule broken that joins modes and reservoirs."""
        count = len(reservoirs)
        require(("reservoir",), self.RESERVOIRS, count, self.takes(count))
        for index, one in enumerate(reservoirs):
            self.check_coupling(("reservoir", str(index), "coupling"), one.coupling)
        self.initial.check(self.size)

    def check_coupling(self, path: Path, coupling: Any) -> None:
        """Raise `StudyError` for a coupling of another number of modes."""
        if coupling is not None:
            _require_length(path, coupling, self.size)

    def takes(self, count: int) -> bool:
        """Whether there may be so many reservoirs."""
        return count > 0

    def lattice(self, reservoirs: tuple[Any, ...]) -> Any:
        """The system of bathax, with the couplings that reservoirs have if none are given."""
        raise NotImplementedError


class Linear(Modes, tag="linear", kw_only=True):
    """`bathax.LinearSystem`, whose reservoirs all have a `coupling`."""

    h: EnergyMatrix
    statistics: Statistics | None = None

    @property
    def quanta(self) -> str:
        """The statistics of the quanta."""
        return self.statistics or "boson"

    @property
    def size(self) -> int:
        """The number of modes."""
        return len(self.h)

    def check(self, reservoirs: tuple[Any, ...]) -> None:
        """Raise `StudyError` for rows of other lengths, and as for other modes."""
        _require_square(("system", "h"), self.h, self.size)
        super().check(reservoirs)

    def check_coupling(self, path: Path, coupling: Any) -> None:
        """Raise `StudyError` also for a coupling that is left out."""
        if coupling is None:
            refuse_missing(path, _list_of(self.size))
        super().check_coupling(path, coupling)

    def build(self, _: tuple[Any, ...], channels: tuple[Any, ...]) -> Any:
        """The system of bathax."""
        import bathax as bx

        return bx.LinearSystem(_as_rows(self.h), channels, self.quanta)


class Level(Modes, tag="level", kw_only=True):
    """`bathax.resonant_level`."""

    energy: Energy

    def lattice(self, reservoirs: tuple[Any, ...]) -> Any:
        """The level between its leads."""
        import bathax as bx

        return bx.resonant_level(self.energy, reservoirs)


class DoubleDot(Modes, tag="double_dot", kw_only=True):
    """`bathax.double_dot`, whose reservoirs are the left and the right one."""

    RESERVOIRS: ClassVar[str] = "two tables, the left and the right lead"
    size: ClassVar[int] = 2

    energies: Pair
    tunnelling: ComplexEnergy
    flux: Finite | None = None

    def takes(self, count: int) -> bool:
        """Whether there may be so many reservoirs."""
        return count == 2

    def lattice(self, reservoirs: tuple[Any, ...]) -> Any:
        """The dots between their leads."""
        import bathax as bx

        return bx.double_dot(
            self.energies, as_complex(self.tunnelling), *reservoirs, flux=self.flux
        )


class Chain(Modes, tag="chain", kw_only=True):
    """`bathax.chain`, whose reservoirs are at its first and at its last mode."""

    RESERVOIRS: ClassVar[str] = "one or two tables, for the ends of the chain"

    energies: Energies
    hopping: ComplexEnergy
    statistics: Statistics | None = None

    @property
    def quanta(self) -> str:
        """The statistics of the quanta."""
        return self.statistics or "boson"

    @property
    def size(self) -> int:
        """The number of modes."""
        return len(self.energies)

    def takes(self, count: int) -> bool:
        """Whether there may be so many reservoirs."""
        return count in (1, 2)

    def lattice(self, reservoirs: tuple[Any, ...]) -> Any:
        """The chain between its reservoirs."""
        import bathax as bx

        hopping = as_complex(self.hopping)
        return bx.chain(self.energies, hopping, *reservoirs, statistics=self.quanta)


class CoupledCavities(Modes, tag="coupled_cavities", kw_only=True):
    """`bathax.coupled_cavities`, with one reservoir for each or a common one."""

    RESERVOIRS: ClassVar[str] = "one table, or one for each cavity"
    quanta: ClassVar[str] = "boson"

    frequencies: Energies
    coupling: ComplexEnergy

    @property
    def size(self) -> int:
        """The number of modes."""
        return len(self.frequencies)

    def takes(self, count: int) -> bool:
        """Whether there may be so many reservoirs."""
        return count in (1, self.size)

    def lattice(self, reservoirs: tuple[Any, ...]) -> Any:
        """The cavities with their reservoirs."""
        import bathax as bx

        shared = reservoirs[0] if len(reservoirs) == 1 else reservoirs
        return bx.coupled_cavities(self.frequencies, as_complex(self.coupling), shared)


def _list_of(size: int) -> str:
    return f"a list of {size}, a number for each mode"


def _require_length(path: Path, values: tuple[Any, ...], size: int) -> None:
    require(path, _list_of(size), [*values], len(values) == size)


def _require_square(path: Path, rows: tuple[Any, ...], size: int) -> None:
    square = all(len(row) == size for row in (rows, *rows))
    require(path, f"{size} rows of {size}", [[*row] for row in rows], square)


def _as_rows(rows: tuple[Any, ...]) -> list[list[Any]]:
    return [[as_complex(one) for one in row] for row in rows]
