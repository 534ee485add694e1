"""Parameters of a system that change in time."""

from collections.abc import Callable
from typing import Any, NoReturn

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import wadler_lindig as wl
from jaxtyping import Array, Float

from bathax._checks import Scalar, is_concrete, require
from bathax._display import Shown
from bathax._programs import with_programs
from bathax.reservoir.plain import as_module, name_of

# A drive is looked at so many times to see whether it obeys rules.
PROBES = 257
# To find a jump it is looked at CLOSER times, each time where it changed most before. There a part
# JUMP of the change is left, and more than NOISE of the values.
CLOSER, JUMP, NOISE = 5, 0.1, 1e-9


class Drive(eqx.Module):
    """A parameter as a function of the time: a plain function, or a module that can be called.

    What a plain function closes over is differentiated. Programs are compiled once for a module,
    and once for each plain function.
    """

    name: str = eqx.field(static=True)
    call: Any

    @staticmethod
    def of(name: str, function: Callable[[Scalar], Any]) -> "Drive":
        """From a function of the time; refuses what JAX cannot trace."""
        if isinstance(function, Drive):
            return function
        words = "a function of the time, made of `jax.numpy`"

        def array(t: Scalar) -> Array:
            return jnp.asarray(function(t))

        try:
            closed = eqx.filter_closure_convert(array, jnp.zeros(()))
        except (
            jax.errors.ConcretizationTypeError,
            jax.errors.TracerArrayConversionError,
            TypeError,
        ):
            require(name, words, "not", False)
        return Drive(name, as_module(function, closed))

    def __call__(self, t: Scalar) -> Array:
        """The value at a time."""
        with with_programs():
            return jnp.asarray(self.call(t))

    def rate(self, t: Scalar) -> Array:
        """Its rate of change."""
        return jax.jvp(self, (t,), (jnp.ones_like(t),))[1]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the values."""
        return jax.eval_shape(self, jnp.zeros(())).shape

    @property
    def is_complex(self) -> bool:
        """Whether values are complex numbers."""
        return jnp.issubdtype(jax.eval_shape(self, jnp.zeros(())).dtype, jnp.complexfloating)

    def require(self, words: str, holds: Callable[[Any], Any], stop: Scalar) -> None:
        """Refuse known values that break a rule at some time up to `stop`, and name the time."""
        ts, values = self.probed(stop, jnp.zeros(()))
        if is_concrete(values):
            broken = np.flatnonzero([not holds(value) for value in np.asarray(values)])
            found = f"not at t = {ts[broken[0]]:.6g}" if broken.size else ""
            require(self.name, f"{words} at all times", found, not broken.size)

    def require_continuous(self, stop: Scalar) -> None:
        """Refuse known values that jump at some time up to `stop`, and name the time."""
        start, changes, least = jnp.zeros(()), [], 0.0
        for _ in range(CLOSER):
            ts, values = self.probed(stop, start)
            if not is_concrete(values):
                return
            values = np.asarray(values).reshape(PROBES, -1)
            change = np.max(np.abs(np.diff(values, axis=0)), axis=1)
            start, stop = ts[np.argmax(change)], ts[np.argmax(change) + 1]
            changes.append(np.max(change))
            least = max(least, NOISE * np.max(np.abs(values)))
        words = "continuous (what jumps takes two runs, of which one begins with `Continue`)"
        smooth = changes[-1] <= max(JUMP * changes[0], least)
        require(self.name, words, f"not at t = {float(stop):.6g}", smooth)

    def probed(self, stop: Scalar, start: Scalar) -> tuple[Float[Array, " probes"], Array]:
        """Some times from `start` to `stop`, and the values."""
        ts = jnp.linspace(start, stop, PROBES)
        return ts, jax.vmap(self)(ts)

    def __pdoc__(self, **options: Any) -> wl.AbstractDoc:
        """A module that shows itself, or the name of the function or of its class."""
        if isinstance(self.call, Shown):
            return self.call.__pdoc__(**options)
        return wl.TextDoc(name_of(self.call))

    def _refused(self, *_: Any) -> NoReturn:
        """A drive in place of a number."""
        found = "a function of the time"
        require(self.name, "constant in time here", found, False)
        raise AssertionError

    __jax_array__ = __array__ = __abs__ = __neg__ = __float__ = _refused
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refused
    __truediv__ = __rtruediv__ = __pow__ = __rpow__ = __matmul__ = __rmatmul__ = _refused
    __lt__ = __gt__ = __le__ = __ge__ = __getitem__ = _refused


def is_drive(value: Any) -> bool:
    """Whether it is a function of the time in place of a number."""
    return isinstance(value, Drive)
