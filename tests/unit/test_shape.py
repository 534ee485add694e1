"""The shape of the code: short functions and files, and public names that say what they are."""

import ast
import inspect
from dataclasses import fields, is_dataclass
from pathlib import Path
from statistics import median

import pytest

import bathax as bx

FILES = sorted(Path(bx.__file__).parent.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
MOST_LINES, LONGEST, SHORT = 350, 45, 15


def functions() -> list[ast.FunctionDef]:
    """All functions and methods with a body of their own."""
    found = [node for tree in TREES.values() for node in ast.walk(tree)]
    return [node for node in found if isinstance(node, ast.FunctionDef) and body_of(node)]


def body_of(function: ast.FunctionDef) -> list[ast.stmt]:
    """What a function does, without its docstring."""
    return function.body[ast.get_docstring(function) is not None :]


def length(function: ast.FunctionDef) -> int:
    """Lines from the first to the last statement."""
    statements = body_of(function)
    return (statements[-1].end_lineno or 0) - statements[0].lineno + 1


def test_files_are_short():
    lengths = {str(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert not {path: lines for path, lines in lengths.items() if lines > MOST_LINES}


def test_functions_are_short():
    assert not [one.name for one in functions() if length(one) > LONGEST]
    every = [length(function) for function in functions()]
    assert median(every) <= 5
    assert sum(lines < SHORT for lines in every) > 0.9 * len(every)


def test_every_function_is_annotated():
    """All of them, not only public ones; `self` and `cls` need none."""
    bare = []
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                given = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
                named = [one.arg for one in given if not one.annotation]
                if node.returns is None or set(named) - {"self", "cls"}:
                    bare.append(f"{path.name}:{node.lineno} {node.name}")
    assert not bare


def test_loops_are_those_that_stay_loops():
    """Inside of programs that are traced as one, those of JAX are written out."""
    loops = {"fori_loop", "map", "scan", "while_loop", "interp", "searchsorted"}
    written_out = [
        f"{path.name}:{node.lineno}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if node.attr in loops and node.value.id in {"lax", "jnp"} and path.stem != "_loops"
    ]
    assert not written_out


@pytest.mark.parametrize("name", [name for name in dir(bx) if not name.startswith("_")])
def test_public_names_are_documented(name):
    thing = getattr(bx, name)
    members = vars(thing) if inspect.isclass(thing) else {}
    for own, member in {name: thing, **members}.items():
        if not own.startswith("_") and (callable(member) or isinstance(member, property)):
            text = member.fget.__doc__ if isinstance(member, property) else member.__doc__
            assert text or inspect.getdoc(getattr(thing, own, None)), own


@pytest.mark.parametrize("name", [name for name in dir(bx) if not name.startswith("_")])
def test_help_of_a_class_names_every_field(name):
    thing = getattr(bx, name)
    names = [field.name for field in fields(thing)] if is_dataclass(thing) else []
    names += getattr(thing, "_fields", ())
    # What a public base says stands there.
    known = [base for base in getattr(thing, "__mro__", ()) if base.__name__ in dir(bx)]
    said = "".join(base.__doc__ or "" for base in [thing, *known])
    assert not [own for own in names if f"`{own}`" not in said]


def test_help_shows_short_types():
    """No union of all that is a number, which would be longer than what is said of it."""
    for name in ("Ohmic", "Reservoir", "Squeezed", "solve", "critical_temperature"):
        text = str(inspect.signature(getattr(bx, name)))
        assert "bathax.RealLike" in text
        assert "Union" not in text
