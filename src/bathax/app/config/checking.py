"""Checks of a study: every value against the type declared for it, outermost first.

The first broken rule raises `StudyError`, one sentence that names the dotted path, the rule and
the value.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Annotated, Any, NoReturn, get_args, get_origin

from msgspec import ValidationError, convert
from msgspec.structs import fields

from bathax.app.config.rules import Rule, StudyError, Table

# A larger number of points, levels or quanta could not be computed.
MOST_POINTS = 10_000_000
BACKSLASH = "a path with backslashes goes into single quotes, like 'C:\\data\\j.csv'"


def check(path: tuple[str, ...], value: Any, declared: Any, decode: Callable) -> None:
    """Raise `StudyError` for the first rule that `value`, found at `path`, breaks."""
    tables = _tables(declared)
    if get_origin(declared) is dict:
        require(path, "a table", value, isinstance(value, dict))
        for key, item in value.items():
            check((*path, key), item, get_args(declared)[1], decode)
        return
    if tables and (isinstance(value, dict) or not _may_be_number(declared)):
        _check_table(path, value, _choose(path, value, tables), decode)
        return
    kind, rule = typed(declared)
    is_list = Ellipsis in get_args(kind)
    try:
        holds = rule.holds(convert(value, list if is_list else kind, dec_hook=decode))
    except ValidationError:
        holds = False
    spoilt = isinstance(value, str) and not value.isprintable()
    require(path, f"{rule.words} ({BACKSLASH})" if spoilt else rule.words, value, holds)
    if kind is int:
        require(path, f"at most {MOST_POINTS:,}", value, int(value) <= MOST_POINTS)
    for index, item in enumerate(value if is_list else ()):
        check((*path, str(index)), item, get_args(kind)[0], decode)


def _check_table(path: tuple[str, ...], value: dict, table: type[Table], decode: Callable) -> None:
    declared = {item.name: item.type for item in fields(table)}
    required = [item.name for item in fields(table) if item.required]
    keys = [*declared] if table.__struct_config__.tag is None else ["kind", *declared]
    for key in value:
        if key not in keys:
            refuse_unknown((*path, key), keys)
    for key in required:
        if key not in value:
            refuse_missing((*path, key), _words(declared[key]))
    for key, item in value.items():
        if key in declared:
            check((*path, key), item, declared[key], decode)


def _choose(path: tuple[str, ...], value: Any, tables: list[type[Table]]) -> type[Table]:
    """The class of the table `value`: the only one, or the one that its `kind` names."""
    require(path, "a table", value, isinstance(value, dict))
    kinds = [table.__struct_config__.tag for table in tables]
    if kinds == [None]:
        return tables[0]
    if "kind" not in value:
        refuse_missing((*path, "kind"), listed(kinds))
    require((*path, "kind"), listed(kinds), value["kind"], value["kind"] in kinds)
    return tables[kinds.index(value["kind"])]


def _tables(declared: Any) -> list[type[Table]]:
    """The tables among the alternatives of a declared type."""
    alternatives = (declared, *get_args(declared))
    return [one for one in alternatives if isinstance(one, type) and issubclass(one, Table)]


def _may_be_number(declared: Any) -> bool:
    """Whether a value may be one that a rule is declared for, and no table."""
    return any(get_origin(one) is Annotated for one in (declared, *get_args(declared)))


def typed(declared: Any) -> tuple[Any, Rule]:
    """The type and the rule of a declared value, which may be optional."""
    alternatives = (declared, *get_args(declared))
    kind, rule = get_args(next(one for one in alternatives if get_origin(one) is Annotated))
    return kind, rule


def _words(declared: Any) -> str:
    if _may_be_number(declared):
        return typed(declared)[1].words
    return "a table"


def listed(names: Sequence[object]) -> str:
    """The names in words, `one`, `another` or `a third`."""
    *most, last = [f"`{name}`" for name in names]
    return f"{', '.join(most)} or {last}" if most else last


def require(path: tuple[str, ...], words: str, value: Any, holds: bool) -> None:
    """Raise `StudyError` with the one sentence about a value unless its rule holds."""
    if not holds:
        shown = "a table" if isinstance(value, dict) else repr(value)
        raise StudyError(f"Argument `{'.'.join(path)}` must be {words}, but is {shown}.")


def refuse_unknown(path: tuple[str, ...], keys: Sequence[str]) -> NoReturn:
    """Raise `StudyError` for a key that is not among those there are, with the nearest of them."""
    near = get_close_matches(path[-1], keys, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"it must be {listed(keys)}."
    raise StudyError(f"Unknown key `{'.'.join(path)}`; {hint}")


def refuse_missing(path: tuple[str, ...], words: str) -> NoReturn:
    """Raise `StudyError` for a key that is left out."""
    raise StudyError(f"Missing key `{'.'.join(path)}`, which must be {words}.")


@contextmanager
def blaming(path: str) -> Iterator[None]:
    """Put the dotted path into error messages of the library."""
    try:
        yield
    except ValueError as error:
        message = str(error).replace("Argument `", f"Argument `{path}.", 1)
        raise StudyError(message) from error
