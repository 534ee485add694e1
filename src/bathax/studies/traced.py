"""A function traced once, without what its results do not need, and its derivatives."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun
from jax.interpreters.partial_eval import dce_jaxpr

from bathax._checks import is_concrete

# How many programs of either kind are kept for further calls with the same function.
KEPT = 16


class Traced:
    """A function as a program without Python, and the `shapes` of its results.

    For arguments like these. Tracing an exact solution takes seconds, which optimisers, derivatives
    and loops would spend again and again; and they would differentiate the whole of a solution of
    which one quantity is used.
    """

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._program, self.shapes = jax.make_jaxpr(function, return_shape=True)(*arguments)
        self._run = self.only(lambda results: results)
        self._compiled: dict[Callable[[Any], Any], Callable[..., Any]] = {}

    def __call__(self, *arguments: Any) -> Any:
        """What the function returns."""
        return self._run(*arguments)

    def compiled(self, select: Callable[[Any], Any]) -> Callable[..., Any]:
        """The same, compiled once for each function that selects."""
        if select not in self._compiled:
            self._compiled[select] = jax.jit(self.only(select))
        return self._compiled[select]

    @property
    def is_closed(self) -> bool:
        """Whether it depends on nothing but its arguments and numbers that are known."""
        return is_concrete(self._program.consts)

    def only(self, select: Callable[[Any], Any]) -> Callable[..., Any]:
        """The function that returns a part of the results, without what that does not need."""
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
    """A function traced, or another one where it returns what lives in an inner program."""
    try:
        found = Traced(function, *arguments)
    except jax.errors.UnexpectedTracerError:
        return Traced(instead, *arguments)
    return found if found.is_closed else Traced(instead, *arguments)


class _Same(NamedTuple):
    """A function that has no hash, as one that is equal only to itself."""

    of: Callable[..., Any]

    def __call__(self, **parameters: Any) -> Any:
        return self.of(**parameters)

    def __hash__(self) -> int:
        return id(self.of)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.of is self.of


def hashable(of: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with a hash."""
    try:
        hash(of)
    except TypeError:
        return _Same(of)
    return of


def value_and_jacobian(function: Callable[[Any], Any], p: Any) -> tuple[Any, Any]:
    """What a function returns, and its derivatives by the numbers in p, in one forward pass."""

    def twice(p: Any) -> tuple[Any, Any]:
        value = function(p)
        return value, value

    jacobian, value = jax.jacfwd(twice, has_aux=True)(p)
    return value, jacobian
