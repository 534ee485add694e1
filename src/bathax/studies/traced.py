"""A function traced once, without what its results do not need, and its derivatives."""

from collections.abc import Callable
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun
from jax.interpreters.partial_eval import dce_jaxpr


def traced(function: Callable[..., Any], *arguments: Any) -> tuple[Callable[..., Any], Any]:
    """The function as a program without Python, and the shapes of its results.

    For arguments like these. Tracing an exact solution takes seconds, which optimisers, derivatives
    and loops would spend again and again; and they would differentiate the whole of a solution of
    which one quantity is used.
    """
    program, shapes = jax.make_jaxpr(function, return_shape=True)(*arguments)
    needed, _ = dce_jaxpr(program.jaxpr, [True] * len(program.jaxpr.outvars), instantiate=True)
    flat = jaxpr_as_fun(ClosedJaxpr(needed, program.consts))

    def run(*arguments: Any) -> Any:
        return jax.tree.unflatten(jax.tree.structure(shapes), flat(*jax.tree.leaves(arguments)))

    return run, shapes


def value_and_jacobian(function: Callable[[Any], Any], p: Any) -> tuple[Any, Any]:
    """What a function returns, and its derivatives by the numbers in p, in one forward pass."""

    def twice(p: Any) -> tuple[Any, Any]:
        value = function(p)
        return value, value

    jacobian, value = jax.jacfwd(twice, has_aux=True)(p)
    return value, jacobian
