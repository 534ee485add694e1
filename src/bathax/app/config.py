"""Study files: what `bathax run` computes, written in TOML and checked in milliseconds.

A study is a set of tables, each declared below as a class whose fields carry their own rule,
`frequency: Positive`. The first broken rule raises `StudyError`, one sentence that names the
dotted path, the rule and the value. Nothing here imports JAX before `Study.build`, so a mistake
is reported before the seconds that importing and compiling take.
"""

import cmath
import csv
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from math import inf, isfinite
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NoReturn, get_args, get_origin

from msgspec import Struct, ValidationError, convert, field
from msgspec.structs import asdict, fields


class StudyError(ValueError):
    """A study that cannot be used; the message is one sentence for its author."""


class Rule(NamedTuple):
    """A condition on a value, and the words that finish "must be ..."."""

    words: str
    holds: Callable[[Any], bool]


Finite = Annotated[float, Rule("a finite number", isfinite)]
Positive = Annotated[float, Rule("a positive, finite number", lambda x: 0 < x < inf)]
NonNegative = Annotated[float, Rule("a non-negative, finite number", lambda x: 0 <= x < inf)]
Count = Annotated[int, Rule("a non-negative integer", lambda n: n >= 0)]
Points = Annotated[int, Rule("an integer of at least 2", lambda n: n >= 2)]
Complex = Annotated[
    float | tuple[float, float],
    Rule("a finite number or a pair [re, im] of them", lambda z: cmath.isfinite(_as_complex(z))),
]
File = Annotated[Path, Rule("the path of an existing file", Path.is_file)]


class Table(Struct, forbid_unknown_fields=True):
    """A table of the study. A key that is left out takes the library's own default."""

    def given(self) -> dict[str, Any]:
        """The keys that the study sets: TOML has no null, so None stands for "left out"."""
        return {key: value for key, value in asdict(self).items() if value is not None}


class Kind(Table, tag_field="kind"):
    """A table whose `kind` chooses one class of bathax, named like the class declared here."""

    def build(self) -> Any:
        """The object of bathax, made from the keys that are given."""
        import bathax

        return getattr(bathax, type(self).__name__)(**self.given())


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

    file: File

    def build(self) -> Any:
        """The measured spectral density."""
        import bathax as bx

        return bx.Tabulated(*_read_columns(self.file))


class Reservoir(Table):
    """One `[[reservoir]]`."""

    spectral_density: Ohmic | Lorentzian | DrudeLorentz | SemicircleBand | BandEdge | Tabulated
    temperature: NonNegative = 0.0

    def build(self, path: str) -> Any:
        """The `bathax.Reservoir` that stands at `path` in the study."""
        import bathax as bx

        with _blaming(f"{path}.spectral_density"):
            density = self.spectral_density.build()
        with _blaming(path):
            return bx.Reservoir(density, temperature=self.temperature)


class Initial(Table):
    """The initial state: one of five, of which only `squeezed` takes an `angle`."""

    fock: Count | None = None
    coherent: Complex | None = None
    thermal: NonNegative | None = None
    squeezed: Finite | None = None
    angle: Finite | None = None
    density_matrix: File | None = None

    def build(self) -> Any:
        """The initial state of bathax."""
        import bathax as bx

        match self.given():
            case {"fock": n}:
                return bx.Fock(n)
            case {"coherent": alpha}:
                return bx.Coherent(_as_complex(alpha))
            case {"thermal": nbar}:
                return bx.Thermal(nbar)
            case {"squeezed": r, **rest}:
                return bx.Squeezed(r, rest.get("angle", 0.0))
            case {"density_matrix": file}:
                return bx.DensityMatrix(_read_matrix(file))


class Cavity(Table, tag_field="kind", tag="cavity"):
    """The `[system]`, `bathax.Cavity` and its initial state."""

    frequency: Positive
    initial: Initial


class Time(Table):
    """The `[time]` grid: equally spaced points from `start` to `stop`, both included."""

    stop: Positive
    points: Points
    start: NonNegative = 0.0


class Volterra(Kind, tag="volterra"):
    """`bathax.Volterra`."""

    rtol: Positive | None = None
    points: Points | None = None
    max_points: Points | None = None


class BornMarkov(Kind, tag="born_markov"):
    """`bathax.BornMarkov`."""


class Study(Table):
    """A checked study."""

    system: Cavity
    reservoir: Annotated[tuple[Reservoir, ...], Rule("one or more [[reservoir]] tables", bool)]
    time: Time
    solver: Volterra | BornMarkov = field(default_factory=Volterra)

    def build(self) -> tuple[Any, Any, Any, Any]:
        """The arguments of `bathax.solve`: system, initial state, times and solver.

        Imports JAX. Raises `StudyError` for what only the library can refuse.
        """
        import jax.numpy as jnp

        import bathax as bx

        reservoirs = tuple(one.build(f"reservoir.{i}") for i, one in enumerate(self.reservoir))
        with _blaming("system"):
            system = bx.Cavity(self.system.frequency, reservoirs)
        with _blaming("system.initial"):
            initial = self.system.initial.build()
        times = jnp.linspace(self.time.start, self.time.stop, self.time.points)
        with _blaming("solver"):
            return system, initial, times, self.solver.build()


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


# --- Reading -----------------------------------------------------------------------------------


def load(path: str | Path) -> Study:
    """The study in a TOML file, checked; raises `StudyError` where it breaks a rule."""
    return parse(read(path), Path(path).parent)


def read(path: str | Path) -> str:
    """The text of a study file."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StudyError(f"Study file `{path}` does not exist.") from None
    except OSError as error:
        raise StudyError(f"Study file `{path}` cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise StudyError(f"Study file `{path}` is not text in UTF-8.") from None


def parse(text: str, folder: Path) -> Study:
    """The study in a TOML text, checked; the files it names are found from `folder`."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"The study is not valid TOML: {error}.") from None

    def decode(kind: type, value: Any) -> Any:
        return kind(folder / value)

    _check((), table, Study, decode)
    study = convert(table, Study, dec_hook=decode)
    _check_relations(study)
    return study


# --- Checking: every value against the type declared for it, outermost first ---------------------


def _check(path: tuple[str, ...], value: Any, declared: Any, decode: Callable) -> None:
    """Raise `StudyError` for the first rule that `value`, found at `path`, breaks."""
    tables = _tables(declared)
    if tables:
        _check_table(path, value, _choose(path, value, tables), decode)
        return
    kind, rule = _typed(declared)
    is_list = get_origin(kind) is tuple
    try:
        holds = rule.holds(convert(value, list if is_list else kind, dec_hook=decode))
    except ValidationError:
        holds = False
    _require(path, rule.words, value, holds)
    for index, item in enumerate(value if is_list else ()):
        _check((*path, str(index)), item, get_args(kind)[0], decode)


def _check_table(path: tuple[str, ...], value: dict, table: type[Table], decode: Callable) -> None:
    declared = {item.name: item.type for item in fields(table)}
    required = [item.name for item in fields(table) if item.required]
    keys = [*declared] if table.__struct_config__.tag is None else ["kind", *declared]
    for key in value:
        if key not in keys:
            near = get_close_matches(key, keys, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"it must be {_listed(keys)}."
            raise StudyError(f"Unknown key `{'.'.join((*path, key))}`; {hint}")
    for key in required:
        if key not in value:
            _refuse_missing((*path, key), _words(declared[key]))
    for key, item in value.items():
        if key in declared:
            _check((*path, key), item, declared[key], decode)


def _choose(path: tuple[str, ...], value: Any, tables: list[type[Table]]) -> type[Table]:
    """The table that `value` fills: the only one there is, or the one that `kind` names."""
    _require(path, "a table", value, isinstance(value, dict))
    kinds = [table.__struct_config__.tag for table in tables]
    if kinds == [None]:
        return tables[0]
    if "kind" not in value:
        _refuse_missing((*path, "kind"), _listed(kinds))
    _require((*path, "kind"), _listed(kinds), value["kind"], value["kind"] in kinds)
    return tables[kinds.index(value["kind"])]


def _check_relations(study: Study) -> None:
    """The rules that join two keys."""
    start, stop = study.time.start, study.time.stop
    _require(("time", "stop"), f"greater than `time.start` = {start}", stop, stop > start)
    given = study.system.initial.given()
    states = [item.name for item in fields(Initial) if item.name != "angle"]
    if len(given.keys() & states) != 1 or ("angle" in given and "squeezed" not in given):
        rule = f"one of {_listed(states)} (an `angle` may join `squeezed`)"
        found = " with ".join(f"`{key}`" for key in given) or "empty"
        raise StudyError(f"Argument `system.initial` must be {rule}, but is {found}.")


def _tables(declared: Any) -> list[type[Table]]:
    """The tables among the alternatives of a declared type."""
    alternatives = (declared, *get_args(declared))
    return [one for one in alternatives if isinstance(one, type) and issubclass(one, Table)]


def _typed(declared: Any) -> tuple[Any, Rule]:
    """The type and the rule of a declared value, which may be optional."""
    alternatives = (declared, *get_args(declared))
    kind, rule = get_args(next(one for one in alternatives if get_origin(one) is Annotated))
    return kind, rule


def _words(declared: Any) -> str:
    return "a table" if _tables(declared) else _typed(declared)[1].words


def _listed(names: Sequence[object]) -> str:
    *most, last = [f"`{name}`" for name in names]
    return f"{', '.join(most)} or {last}" if most else last


def _require(path: tuple[str, ...], words: str, value: Any, holds: bool) -> None:
    if not holds:
        shown = "a table" if isinstance(value, dict) else repr(value)
        raise StudyError(f"Argument `{'.'.join(path)}` must be {words}, but is {shown}.")


def _refuse_missing(path: tuple[str, ...], words: str) -> NoReturn:
    raise StudyError(f"Missing key `{'.'.join(path)}`, which must be {words}.")


# --- Data files ----------------------------------------------------------------------------------


def _as_complex(value: float | tuple[float, float]) -> complex:
    return complex(*value) if isinstance(value, tuple) else complex(value)


def _read_columns(file: Path) -> tuple[Any, Any]:
    """The columns `w` and `J` of a CSV file, as arrays."""
    import numpy as np

    with file.open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        if not {"w", "J"} <= set(reader.fieldnames or ()):
            raise StudyError(f"File `{file}` must begin with a line that names the columns `w,J`.")
        w, density = [], []
        for row in reader:
            try:
                w.append(float(row["w"]))
                density.append(float(row["J"]))
            except (TypeError, ValueError):
                rule = f"two numbers in every line, unlike line {reader.line_num}"
                raise StudyError(f"File `{file}` must hold {rule}.") from None
    return np.array(w), np.array(density)


def _read_matrix(file: Path) -> Any:
    """The array in a `.npy` file."""
    import numpy as np

    try:
        return np.load(file, allow_pickle=False)
    except (ValueError, EOFError):
        raise StudyError(f"File `{file}` must hold one array saved by `numpy.save`.") from None
