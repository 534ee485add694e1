"""Loops that stay loops inside of `inlined` functions.

There those of JAX would be written out, one step after the other.
"""

from collections.abc import Callable
from functools import partial, wraps
from types import FunctionType
from typing import Any, TypeVar, cast

import jax.numpy as jnp
from jax import lax

from bathax._programs import inlined, is_inlined, with_programs

Loop = TypeVar("Loop", bound=Callable[..., Any])


def _kept(loop: Loop) -> Loop:
    """A loop that stays one, the steps of which are `inlined`."""

    @wraps(loop)
    def called(*arguments: Any, **named: Any) -> Any:
        if not is_inlined():
            return loop(*arguments, **named)
        with with_programs():
            return loop(*[_inlined_steps(one) for one in arguments], **named)

    return cast("Loop", called)


def _inlined_steps(argument: Any) -> Any:
    return inlined(argument) if isinstance(argument, FunctionType | partial) else argument


fori_loop = _kept(lax.fori_loop)
map = _kept(lax.map)
scan = _kept(lax.scan)
while_loop = _kept(lax.while_loop)
# With loops inside, of bisections.
interp = _kept(jnp.interp)
searchsorted = _kept(jnp.searchsorted)
