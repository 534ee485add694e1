"""How programs are compiled: quickly, where that is most of what is waited for.

On a processor the compiler spends most of its time on small fused loops. Without its newer way of
writing them (fusion emitters) it needs 60 to 80% of its time, and the programs run no slower;
without optimisation as well it needs a third or less, and the programs take about twice as long.
"""

from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.core import Tracer

# For programs that run often, and for those that run once as a rule.
OFTEN = {"xla_cpu_use_fusion_emitters": False}
ONCE = OFTEN | {"xla_backend_optimization_level": 0}


@cache
def compiler_options(*, once: bool = False) -> Mapping[str, Any]:
    """What the compiler is told: nothing on accelerators, or where it does not know the options."""
    wanted = ONCE if once else OFTEN
    if jax.default_backend() != "cpu":
        return {}
    try:
        jax.jit(lambda: jnp.zeros(()), compiler_options=wanted).lower().compile()
    except (jax.errors.JaxRuntimeError, ValueError):
        return {}
    return wanted


def program(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of modules and arrays as one program: compiled quickly where it is called alone.

    Inside `jit`, and under `grad` and `vmap`, it is part of another program, compiled as that is.
    """
    return _program(function, once=True)


def long_program(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a function that may run for longer than it takes to compile."""
    return _program(function, once=False)


def _program(function: Callable[..., Any], *, once: bool) -> Callable[..., Any]:
    part = eqx.filter_jit(function)

    @cache  # made at the first call: to look for the backend is not for an import
    def alone() -> Callable[..., Any]:
        options: Any = {"compiler_options": dict(compiler_options(once=once))}
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
