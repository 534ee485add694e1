"""Functions given by a user, as modules: `jit` and derivatives see the values they close over."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import wadler_lindig as wl
from jaxtyping import Array

from bathax._checks import is_concrete, require, shown
from bathax._programs import with_programs


class PlainFunction(eqx.Module):
    """A function of an array of frequencies.

    Traced values that it closes over become arrays of the module, so that it can be an argument of
    the programs inside a solver.
    """

    call: Any

    @staticmethod
    def of(function: Any) -> "PlainFunction":
        """From a plain function or a callable module; refuses what JAX cannot trace."""
        if isinstance(function, PlainFunction):
            return function
        require(
            "function", "a function of an array of frequencies", shown(function), callable(function)
        )
        words = "made of `jax.numpy` (of one that is not, `Tabulated(w, J)` takes the values)"
        try:
            closed = eqx.filter_closure_convert(function, jnp.zeros(()))
            found = jax.eval_shape(closed, jnp.zeros(()))
        except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError):
            require("function", words, "not", False)
        one = getattr(found, "shape", None) == () and not jnp.iscomplexobj(found)
        require("function", "one that returns a real number for each frequency", "not", one)
        return PlainFunction(as_module(function, closed))

    def __call__(self, w: Array) -> Array:
        call = jnp.vectorize(self.call) if isinstance(self.call, Closed) else self.call
        with with_programs():
            return jnp.asarray(call(w), float)

    def __pdoc__(self, **options: Any) -> wl.AbstractDoc:
        """The name of the function, or of the class of the module."""
        del options
        return wl.TextDoc(name_of(self.call))


class Known(eqx.Module):
    """A function that closes over nothing traced; static in `jit`."""

    function: Callable[[Array], Any] = eqx.field(static=True)

    def __call__(self, w: Array) -> Any:
        return self.function(w)


class Closed(eqx.Module):
    """A function of a number: the arrays that it closes over, and the rest, static in `jit`."""

    arrays: Any
    rest: Any = eqx.field(static=True)

    def __call__(self, w: Array) -> Any:
        return eqx.combine(self.arrays, self.rest)(w)


def as_module(function: Any, closed: Any) -> Any:
    """The function, or a module in its place, with what `filter_closure_convert` has found."""
    if isinstance(function, eqx.Module):
        return function
    if is_concrete(closed):
        return Known(function)
    return Closed(*eqx.partition(closed, eqx.is_array))


def name_of(module: Any) -> str:
    """That of the function, or of the class of the module."""
    known = module.function if isinstance(module, Known) else type(module)
    return getattr(known, "__name__", "function").lstrip("_")
