"""Derivatives with respect to one number: in forward mode, whichever mode asks for them.

Reverse mode would keep all that it needs on its way back, and its program is larger.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

_by_slope = ContextVar("by_slope", default=True)


def forward_differentiated(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose derivatives are df = (df/dp) dp, in either mode, if p is one real number.

    The slope df/dp does not depend on dp, so that reverse mode has a product alone to transpose.
    Derivatives with respect to several numbers are those of the function itself.
    """
    once = eqx.filter_jit(function)  # traced once for all slopes
    differentiable = eqx.filter_custom_jvp(function)
    with_slope = eqx.filter_jit(lambda primals, units: eqx.filter_jvp(once, primals, units))

    @differentiable.def_jvp
    def by_slope(primals: tuple, tangents: tuple) -> tuple[Any, Any]:
        (amount, *others), structure = jax.tree.flatten(tangents)
        if others or amount.size != 1 or jnp.iscomplexobj(amount):
            return eqx.filter_jvp(once, primals, tangents)
        unit = jax.tree.unflatten(structure, [jnp.ones(amount.shape)])
        value, slope = with_slope(primals, unit)
        return value, jax.tree.map(lambda s: s * amount.reshape(()).astype(s.dtype), slope)

    @wraps(function)
    def called(*arguments: Any) -> Any:
        return (differentiable if _by_slope.get() else function)(*arguments)

    return called


@contextmanager
def derivatives_of_operations() -> Iterator[None]:
    """Where functions have no rule of their own, for traces of which JAX then takes parts."""
    token = _by_slope.set(False)
    try:
        yield
    finally:
        _by_slope.reset(token)
