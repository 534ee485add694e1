"""How functions become programs: traced as one, and without optimisation if called alone.

Such a program usually runs once. It compiles in half the time and takes about twice as long to run,
which costs less than the compilation saves.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.core import Tracer

QUICK = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}

P = ParamSpec("P")
R = TypeVar("R")
# Whether `inlined` has switched off the programs within a program, and not a user who debugs.
_inlining = ContextVar("inlining", default=False)


@cache
def compiler_options() -> Mapping[str, Any]:
    """The options of the compiler: none on accelerators, or where it does not know them."""
    if jax.default_backend() != "cpu":
        return {}
    try:
        jax.jit(lambda: jnp.zeros(()), compiler_options=QUICK).lower().compile()
    except (jax.errors.JaxRuntimeError, ValueError):
        return {}
    return QUICK


def program(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of modules and arrays as one program, compiled quickly when it is called alone.

    Inside `jit`, and under `grad` and `vmap`, it becomes part of another program. A function that
    may run for longer than it takes to compile is better `optimised`.
    """
    function = inlined(function)
    part = eqx.filter_jit(function)

    @cache  # at the first call, because an import should not look for a backend
    def alone() -> Callable[..., Any]:
        options: Any = {"compiler_options": dict(compiler_options())}
        return eqx.filter_jit(function, **options)

    @wraps(function)
    def called(*arguments: Any, **named: Any) -> Any:
        return (part if is_traced(arguments, named) else alone())(*arguments, **named)

    return called


def optimised(function: Callable[P, R]) -> Callable[P, R]:
    """A function of modules and arrays as one program, always compiled with optimisation."""
    return eqx.filter_jit(inlined(function))


def is_traced(*values: Any) -> bool:
    """Whether a call with these values becomes part of another program that is being traced."""
    if any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(values)):
        return True
    return isinstance(jnp.positive(0.0), Tracer)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """A function that is traced as one program, not as a program of many.

    Most functions of `jax.numpy` are programs: for each new shape they are traced by themselves and
    then written into the program around them, which takes a third of the time of a trace. Here
    their operations are written there at once. Loops inside have to be those of `_loops`.
    """

    @wraps(function)
    def called(*arguments: P.args, **named: P.kwargs) -> R:
        config: Any = jax.config
        if config.jax_disable_jit:
            return function(*arguments, **named)
        token = _inlining.set(True)
        try:
            with jax.disable_jit():
                return function(*arguments, **named)
        finally:
            _inlining.reset(token)

    return called


@contextmanager
def with_programs() -> Iterator[None]:
    """Where `jax.jit` has effect inside of an `inlined` function: around functions of a user."""
    if not is_inlined():
        yield
        return
    token = _inlining.set(False)
    try:
        with jax.disable_jit(False):
            yield
    finally:
        _inlining.reset(token)


def is_inlined() -> bool:
    """Whether what is called now is part of an `inlined` function."""
    return _inlining.get()
