"""How programs are compiled that run once as a rule: without optimisation, in half of the time.

They take about twice as long to run, which is less than what is waited for.
"""

from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.core import Tracer

QUICK = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}


@cache
def compiler_options() -> Mapping[str, Any]:
    """What the compiler is told: nothing on accelerators, or where it does not know the options."""
    if jax.default_backend() != "cpu":
        return {}
    try:
        jax.jit(lambda: jnp.zeros(()), compiler_options=QUICK).lower().compile()
    except (jax.errors.JaxRuntimeError, ValueError):
        return {}
    return QUICK


def program(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of modules and arrays as one program: compiled quickly where it is called alone.

    Inside `jit`, and under `grad` and `vmap`, it is part of another program, compiled as that is.
    One that may run for longer than it takes to compile is better off with `equinox.filter_jit`.
    """
    part = eqx.filter_jit(function)

    @cache  # made at the first call: to look for the backend is not for an import
    def alone() -> Callable[..., Any]:
        options: Any = {"compiler_options": dict(compiler_options())}
        return eqx.filter_jit(function, **options)

    @wraps(function)
    def called(*arguments: Any, **named: Any) -> Any:
        return (part if _is_traced(arguments, named) else alone())(*arguments, **named)

    return called


def _is_traced(*values: Any) -> bool:
    """Whether another program is being traced, of which a call with these values becomes a part."""
    if any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(values)):
        return True
    return isinstance(jnp.positive(0.0), Tracer)
