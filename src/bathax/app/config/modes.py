"""The `[system]` of a study with several modes: any matrix h, a level, dots, a chain, cavities."""

from collections.abc import Callable
from typing import Any, ClassVar, get_args

from bathax.app.config.checking import refuse_missing, require
from bathax.app.config.drives import (
    Entries,
    Entry,
    EntryMatrix,
    Level,
    Levels,
    Pair,
    built,
    each_built,
)
from bathax.app.config.rules import (
    Finite,
    Kind,
    Matrix,
    Occupations,
    Statistics,
    Table,
)
from bathax.app.config.systems import OfModes

Path = tuple[str, ...]
# The channel that a table of a reservoir makes of a reservoir and of its usual coupling.
Contact = Callable[..., Any]


class ModesInitial(Table):
    """The initial state of several modes: the covariance n, or how many quanta each mode has."""

    JOINED: ClassVar[dict[str, str]] = {}

    n: Matrix | None = None
    occupations: Occupations | None = None

    def check(self, size: int, path: Path) -> None:
        """Raise `StudyError` for a state of another number of modes."""
        if self.occupations is not None:
            _require_length((*path, "occupations"), self.occupations, size)
        if self.n is not None:
            _require_square((*path, "n"), self.n, size)

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

    initial: ModesInitial | None = None

    def build(self, reservoirs: tuple[Any, ...], contacts: tuple[Contact, ...]) -> Any:
        """The system of bathax, its usual channels changed by what tables of reservoirs say."""
        import bathax as bx

        found = self.lattice(reservoirs)
        pairs = zip(contacts, found.channels, strict=True)
        channels = [contact(usual.reservoir, usual.coupling) for contact, usual in pairs]
        return bx.LinearSystem(found.h, channels, found.statistics)

    def check(self, reservoirs: tuple[Any, ...], path: Path = ("system",)) -> None:
        """Raise `StudyError` for the first rule broken that joins modes and reservoirs."""
        count = len(reservoirs)
        require(("reservoir",), self.RESERVOIRS, count, self.takes(count))
        for index, one in enumerate(reservoirs):
            self.check_coupling(("reservoir", str(index), "coupling"), one.coupling)
            self.check_length(("reservoir", str(index), "counter"), one.counter)
        if self.initial is not None:
            self.initial.check(self.size, (*path, "initial"))

    def check_coupling(self, path: Path, coupling: Any) -> None:
        """Raise `StudyError` for a coupling of another number of modes."""
        self.check_length(path, coupling)

    def check_length(self, path: Path, numbers: Any) -> None:
        """Raise `StudyError` for numbers of another number of modes."""
        if numbers is not None:
            _require_length(path, numbers, self.size)

    def takes(self, count: int) -> bool:
        """Whether there may be so many reservoirs."""
        return count > 0

    def lattice(self, reservoirs: tuple[Any, ...]) -> Any:
        """The system of bathax, with the couplings that reservoirs have if none are given."""
        raise NotImplementedError


class Linear(Modes, tag="linear", kw_only=True):
    """`bathax.LinearSystem`, whose reservoirs all have a `coupling`."""

    h: EntryMatrix
    statistics: Statistics | None = None
    pairing: EntryMatrix | None = None
    force: Entries | None = None

    @property
    def quanta(self) -> str:
        """The statistics of the quanta."""
        return self.statistics or "boson"

    @property
    def size(self) -> int:
        """The number of modes."""
        return len(self.h)

    def check(self, reservoirs: tuple[Any, ...], path: Path = ("system",)) -> None:
        """Raise `StudyError` for rows of other lengths, and as for other modes."""
        _require_square((*path, "h"), self.h, self.size)
        if self.pairing is not None:
            _require_square((*path, "pairing"), self.pairing, self.size)
        self.check_length((*path, "force"), self.force)
        super().check(reservoirs, path)

    def check_coupling(self, path: Path, coupling: Any) -> None:
        """Raise `StudyError` also for a coupling that is left out."""
        if coupling is None:
            refuse_missing(path, _list_of(self.size))
        super().check_coupling(path, coupling)

    def build(self, reservoirs: tuple[Any, ...], contacts: tuple[Contact, ...]) -> Any:
        """The system of bathax."""
        import bathax as bx

        channels = [contact(one) for contact, one in zip(contacts, reservoirs, strict=True)]
        pairing = None if self.pairing is None else _as_rows(self.pairing)
        force = None if self.force is None else each_built(self.force)
        return bx.LinearSystem(_as_rows(self.h), channels, self.quanta, pairing, force)


class ResonantLevel(Modes, tag="level", kw_only=True):
    """`bathax.resonant_level`."""

    energy: Level

    def lattice(self, reservoirs: tuple[Any, ...]) -> Any:
        """The level between its leads."""
        import bathax as bx

        return bx.resonant_level(built(self.energy), reservoirs)


class DoubleDot(Modes, tag="double_dot", kw_only=True):
    """`bathax.double_dot`, whose reservoirs are the left and the right one."""

    RESERVOIRS: ClassVar[str] = "two tables, the left and the right lead"
    size: ClassVar[int] = 2

    energies: Pair
    tunnelling: Entry
    flux: Finite | None = None

    def takes(self, count: int) -> bool:
        """Whether there may be so many reservoirs."""
        return count == 2

    def lattice(self, reservoirs: tuple[Any, ...]) -> Any:
        """The dots between their leads."""
        import bathax as bx

        energies, tunnelling = each_built(self.energies), built(self.tunnelling)
        return bx.double_dot(energies, tunnelling, *reservoirs, flux=self.flux)


class Chain(Modes, tag="chain", kw_only=True):
    """`bathax.chain`, whose reservoirs are at its first and at its last mode."""

    RESERVOIRS: ClassVar[str] = "one or two tables, for the ends of the chain"

    energies: Levels
    hopping: Entry
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

        energies, hopping = each_built(self.energies), built(self.hopping)
        return bx.chain(energies, hopping, *reservoirs, statistics=self.quanta)


class CoupledCavities(Modes, tag="coupled_cavities", kw_only=True):
    """`bathax.coupled_cavities`, with one reservoir for each or a common one."""

    RESERVOIRS: ClassVar[str] = "one table, or one for each cavity"
    quanta: ClassVar[str] = "boson"

    frequencies: Levels
    coupling: Entry

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
        frequencies, coupling = each_built(self.frequencies), built(self.coupling)
        return bx.coupled_cavities(frequencies, coupling, shared)


def _list_of(size: int) -> str:
    return f"a list of {size}, a number for each mode"


def _require_length(path: Path, values: tuple[Any, ...], size: int) -> None:
    require(path, _list_of(size), [*values], len(values) == size)


def _require_square(path: Path, rows: tuple[Any, ...], size: int) -> None:
    square = all(len(row) == size for row in (rows, *rows))
    require(path, f"{size} rows of {size}", [[*row] for row in rows], square)


def _as_rows(rows: tuple[Any, ...]) -> list[list[Any]]:
    return [each_built(row) for row in rows]
