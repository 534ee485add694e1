"""Functions that are traced once, reduced to the results that are used, and differentiated."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from types import CodeType, FunctionType
from typing import Any, NamedTuple

import jax
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun
from jax.interpreters.partial_eval import dce_jaxpr

from bathax._checks import is_concrete
from bathax._programs import program
from bathax.numerics.forward_mode import derivatives_of_operations

# How many programs of either kind are kept for further calls with the same function.
KEPT = 16


class Traced:
    """A function traced for arguments like these, and the `shapes` of its results.

    Tracing an exact solution takes seconds, which optimisers, derivatives and loops would spend
    repeatedly. They would also differentiate a whole solution of which one quantity is used.
    """

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        with derivatives_of_operations():
            self._program, self.shapes = jax.make_jaxpr(function, return_shape=True)(*arguments)
        self._run = self.only(lambda results: results)
        self._compiled: dict[Callable[[Any], Any], Callable[..., Any]] = {}

    def __call__(self, *arguments: Any) -> Any:
        """The results of the function."""
        return self._run(*arguments)

    def compiled(self, select: Callable[[Any], Any]) -> Callable[..., Any]:
        """The function reduced to selected results, compiled once for each `select`."""
        if select not in self._compiled:
            self._compiled[select] = program(self.only(select))
        return self._compiled[select]

    @property
    def is_closed(self) -> bool:
        """Whether it depends only on its arguments and on concrete numbers."""
        return is_concrete(self._program.consts)

    def only(self, select: Callable[[Any], Any]) -> Callable[..., Any]:
        """The function that returns a part of the results, without unneeded operations."""
        structure = jax.tree.structure(self.shapes)
        places = jax.tree.unflatten(structure, range(structure.num_leaves))
        places, selected = jax.tree.flatten(select(places))
        used = [place in places for place in range(structure.num_leaves)]
        needed, _ = dce_jaxpr(self._program.jaxpr, used, instantiate=True)
        flat = jaxpr_as_fun(ClosedJaxpr(needed, self._program.consts))
        order = [place for place in range(structure.num_leaves) if used[place]]

        def run(*arguments: Any) -> Any:
            found = dict(zip(order, flat(*jax.tree.leaves(arguments)), strict=True))
            return jax.tree.unflatten(selected, [found[place] for place in places])

        return run


def closed(function: Callable[..., Any], instead: Callable[..., Any], *arguments: Any) -> Traced:
    """A function traced, or the one `instead` if its results belong to an inner trace."""
    try:
        found = Traced(function, *arguments)
    except jax.errors.UnexpectedTracerError:
        return Traced(instead, *arguments)
    return found if found.is_closed else Traced(instead, *arguments)


class _Same:
    """An object as a key that is equal only to itself."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value


class Shareable(NamedTuple):
    """A function and the outside values that it uses; equal if both are the same objects."""

    of: Any
    outside: frozenset[tuple[str, _Same]]

    def __call__(self, **parameters: Any) -> Any:
        of = self.of.value if isinstance(self.of, _Same) else self.of
        return of(**parameters)


def shareable(of: Callable[..., Any]) -> Shareable:
    """A function with a hash, so that calls with the same one share what is traced and compiled.

    Unlike in `jit`, a new value of a global name or of an enclosing variable makes it another one.
    """
    try:
        hash(of)
    except TypeError:
        return Shareable(_Same(of), frozenset())
    return Shareable(of, frozenset(_outside(of, set())))


def _outside(of: Any, seen: set[int]) -> Iterator[tuple[str, _Same]]:
    """Names and values that a function uses from outside, and those that functions there use."""
    if not isinstance(of, FunctionType) or id(of) in seen:
        return
    seen.add(id(of))
    found = {name: of.__globals__[name] for name in _names(of.__code__) if name in of.__globals__}
    for name, cell in zip(of.__code__.co_freevars, of.__closure__ or (), strict=True):
        with suppress(ValueError):  # not known yet
            found[name] = cell.cell_contents
    for name, value in found.items():
        yield f"{of.__qualname__}.{name}", _Same(value)
        if getattr(value, "__module__", None) == of.__module__:
            yield from _outside(value, seen)


def _names(code: CodeType) -> set[str]:
    """Names that code and the functions in it look up."""
    inner = (one for one in code.co_consts if isinstance(one, CodeType))
    return {*code.co_names}.union(*map(_names, inner))


def value_and_jacobian(function: Callable[[Any], Any], p: Any) -> tuple[Any, Any]:
    """The value of a function and its derivatives with respect to p, in one forward pass."""

    def twice(p: Any) -> tuple[Any, Any]:
        value = function(p)
        return value, value

    jacobian, value = jax.jacfwd(twice, has_aux=True)(p)
    return value, jacobian
