"""The order of the chapters: imports go down only, and importing the package stays cheap."""

import ast
import os
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from import_graph import (
    Import,
    chapter,
    committed,
    drawing,
    imported_names,
    imports,
    modules,
)

import bathax

ROOT = Path(bathax.__file__).parent

# What may be imported by whom: only names of a smaller number, or of one's own chapter.
ORDER = {
    "_console": 0,
    "_garbage": 0,
    "_late": 0,
    "_programs": 0,
    "_xla": 0,
    "_status": 0,
    "_display": 1,
    "_loops": 1,
    "_linalg": 2,
    "_estimate": 3,
    "_checks": 3,
    "numerics": 4,
    "reservoir": 5,
    "system": 6,
    "cavity": 7,
    "linear": 8,
    "qubit": 8,  # in the vacuum it has the u(t) of the cavity
    "thermodynamics": 9,
    "solution": 10,
    "table_error": 11,
    "bathax": 12,  # the public names of all above
    "studies": 13,
    "interchange": 14,
    "units": 14,
    "plot": 15,
    "papers": 16,
    "app": 17,
}
# All that draws; nothing else imports matplotlib.
DRAWING = ("plot", "papers.ahz.figures", "papers.np.figures")


def test_every_module_belongs_to_a_chapter():
    assert {chapter(module) for module in modules()} <= set(ORDER)


def test_imports_go_down():
    upward = [
        f"{importer} imports {imported}"
        for importer, imported in imports()
        if chapter(importer) != chapter(imported)
        and ORDER[chapter(imported)] >= ORDER[chapter(importer)]
    ]
    assert not upward


def test_no_cycles():
    graph: dict[str, set[str]] = {}
    for importer, imported in imports():
        graph.setdefault(importer, set()).add(imported)
    assert list(TopologicalSorter(graph).static_order())


def late_calls() -> list[tuple[str, str, str]]:
    """Module, chapter and name of each `late(chapter, name)`."""
    found = []
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "late":
                found.append((module, *(argument.value for argument in node.args)))
    return found


@pytest.mark.parametrize(("module", "place", "name"), late_calls())
def test_what_a_method_calls_late_exists_in_a_chapter_above(module, place, name):
    assert place in modules()
    assert name in {getattr(node, "name", None) for node in modules()[place].body}
    assert module == "_late" or ORDER[chapter(place)] > ORDER[chapter(module)]


def test_matplotlib_is_imported_only_where_something_is_drawn():
    drawing = {
        module
        for module, tree in modules().items()
        if any(name.partition(".")[0] == "matplotlib" for name in imported_names(tree))
    }
    assert drawing
    assert all(f"{module}.".startswith(tuple(f"{d}." for d in DRAWING)) for module in drawing)


def test_only_the_application_imports_the_papers():
    users = {chapter(importer) for importer, name in imports() if chapter(name) == "papers"}
    assert users == {"papers", "app"}


def test_no_star_and_no_relative_imports():
    for module, tree in modules().items():
        for name in imported_names(tree):
            assert not name.endswith(".*"), module
            assert not name.startswith("."), module


PACKAGES = [
    ".".join(path.parent.relative_to(ROOT).parts)
    for path in ROOT.rglob("__init__.py")
    if path.parent != ROOT
]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_introduces_modules_that_exist(package):
    """Names in its docstring are modules in it or elsewhere, objects in a module, or public."""
    introduction = ast.get_docstring(modules()[package]) or ""
    inside = {
        part for module in modules() if module.startswith(package) for part in module.split(".")
    }
    names = [name.removeprefix("bathax.") for name in re.findall(r"`([a-z][\w.]*)`", introduction)]
    assert names
    for name in names:
        known = name in modules() or name.rpartition(".")[0] in modules()
        assert (
            known or name.partition(".")[0] in inside or hasattr(bathax, name) or name == "bathax"
        )


def test_the_drawing_of_the_architecture_is_that_of_the_imports():
    """Where it is not, `python docs/import_graph.py` draws it again."""
    assert committed() == drawing()


def test_type_checkers_are_told_of_the_annotations():
    assert (ROOT / "py.typed").is_file()


def test_the_imports_were_found():
    """Guards the tests above against looking at nothing."""
    assert Import("numerics.volterra", "numerics.toeplitz") in imports()
    assert Import("system.models", "system.system") in imports()


def run(code: str) -> str:
    """What a fresh interpreter prints."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, env=clean, capture_output=True, text=True, check=True).stdout


def test_import_loads_neither_jax_nor_matplotlib():
    heavy = run(
        "import sys, bathax; dir(bathax);"
        "print({'jax', 'matplotlib', 'diffrax', 'equinox', 'numpy'} & set(sys.modules))"
    )
    assert heavy.strip() == "set()"


def test_help_of_the_command_loads_neither():
    code = """
import sys
from bathax.app.cli import main
try:
    main(["--help"])
except SystemExit:
    print("loaded:", {"jax", "matplotlib", "xarray"} & set(sys.modules))
"""
    assert run(code).splitlines()[-1] == "loaded: set()"


def test_a_solution_loads_no_matplotlib():
    assert run("import sys, bathax; bathax.solve; print('matplotlib' in sys.modules)") == "False\n"


@pytest.mark.parametrize("order", ["bathax, jax", "jax, bathax"])
def test_numbers_have_64_bits_afterwards(order):
    assert run(f"import {order}; print(jax.numpy.ones(1).dtype)").strip() == "float64"


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="no_such_name"):
        bathax.no_such_name  # noqa: B018
    assert "Ohmic" in dir(bathax)
