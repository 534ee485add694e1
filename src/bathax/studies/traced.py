"""A function traced once, without what its results do not need, and its derivatives."""

from collections.abc import Callable
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun
from jax.interpreters.partial_eval import dce_jaxpr

from bathax._checks import is_concrete


class Traced:
    """A function as a program without Python, and the `shapes` of its results.

    For arguments like these. Tracing an exact solution takes seconds, which optimisers, derivatives
    and loops would spend again and again; and they would differentiate the whole of a solution of
    which one quantity is used.
    """

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._program, self.shapes = jax.make_jaxpr(function, return_shape=True)(*arguments)
        self._run = self.only(lambda results: results)

    def __call__(self, *arguments: Any) -> Any:
        """What the function returns."""
        return self._run(*arguments)

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


def value_and_jacobian(function: Callable[[Any], Any], p: Any) -> tuple[Any, Any]:
    """What a function returns, and its derivatives by the numbers in p, in one forward pass."""

    def twice(p: Any) -> tuple[Any, Any]:
        value = function(p)
        return value, value

    jacobian, value = jax.jacfwd(twice, has_aux=True)(p)
    return value, jacobian
