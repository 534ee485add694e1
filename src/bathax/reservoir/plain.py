"""Functions given by a user, as modules: `jit` and derivatives see the values they close over."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import wadler_lindig as wl
from jaxtyping import Array

from bathax._checks import is_concrete, require, shown


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
        if isinstance(function, eqx.Module):
            return PlainFunction(function)
        if is_concrete(closed):
            return PlainFunction(_Known(function))
        return PlainFunction(_Closed(*eqx.partition(closed, eqx.is_array)))

    def __call__(self, w: Array) -> Array:
        return jnp.asarray(self.call(w), float)

    def __pdoc__(self, **options: Any) -> wl.AbstractDoc:
        """The name of the function, or of the class of the module."""
        del options
        known = self.call.function if isinstance(self.call, _Known) else type(self.call)
        return wl.TextDoc(getattr(known, "__name__", "function").lstrip("_"))


class _Known(eqx.Module):
    """A function that closes over nothing traced; static in `jit`."""

    function: Callable[[Array], Array] = eqx.field(static=True)

    def __call__(self, w: Array) -> Array:
        return self.function(w)


class _Closed(eqx.Module):
    """A function of one number: the arrays that it closes over, and the rest, static in `jit`."""

    arrays: Any
    rest: Any = eqx.field(static=True)

    def __call__(self, w: Array) -> Array:
        return jnp.vectorize(eqx.combine(self.arrays, self.rest))(w)
