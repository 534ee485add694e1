"""Functions of the time with names: a ramp, a sinusoid, a pulse, samples; and numbers among them.

Each has its parameters as fields, so that sweeps, fits and optimisers reach them.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from bathax import _loops
from bathax._checks import (
    POSITIVE,
    RealLike,
    Scalar,
    Validated,
    as_float,
    as_inexact,
    converting,
    follows,
    is_concrete,
    is_finite,
    parameter,
    require,
    require_each,
)
from bathax.system.drive import Drive


class Ramp(Validated):
    r"""From `start` to `stop`: start + (stop - start) (1 + tanh((t - center) / width)) / 2.

    Three quarters of the way lie within `center` +- `width`. It may stand wherever a function of
    the time may: as a frequency, an entry of h, a switch. Smooth functions keep the steps long.

    >>> w = bx.Ramp(1.0, 2.0, center=5.0, width=1.0)
    >>> [round(float(w(t)), 4) for t in (0.0, 5.0, 10.0)]
    [1.0, 1.5, 2.0]
    """

    start: Scalar = parameter()
    stop: Scalar = parameter()
    center: Scalar = parameter()
    width: Scalar = parameter(POSITIVE)

    @converting(as_float)
    def __call__(self, t: Float[Array, "..."]) -> Float[Array, "..."]:
        """The value at a time, or at several."""
        done = 0.5 * (1.0 + jnp.tanh((t - self.center) / self.width))
        return self.start + (self.stop - self.start) * done


class Sinusoid(Validated):
    r"""mean + amplitude sin(frequency t + phase).

    An oscillation around `mean` by at most `amplitude`; the angular `frequency` makes a period of
    2 pi / frequency, and `phase` is that at t = 0, in radians.

    >>> w = bx.Sinusoid(1.0, 0.3, frequency=1.2)
    >>> round(float(w(jnp.pi / 2.4)), 4)
    1.3
    """

    mean: Scalar = parameter()
    amplitude: Scalar = parameter()
    frequency: Scalar = parameter()
    phase: Scalar = parameter(default=0.0)

    @converting(as_float)
    def __call__(self, t: Float[Array, "..."]) -> Float[Array, "..."]:
        """The value at a time, or at several."""
        return self.mean + self.amplitude * jnp.sin(self.frequency * t + self.phase)


class Pulse(Validated):
    r"""A Gaussian in time: base + height e^{-(t - center)^2 / (2 width^2)}.

    It rises by `height` above or below `base` at the time `center`, with the standard deviation
    `width`.

    >>> switch = bx.Pulse(0.0, 1.0, center=3.0, width=0.5)
    >>> round(float(switch(3.5)), 4)
    0.6065
    """

    base: Scalar = parameter()
    height: Scalar = parameter()
    center: Scalar = parameter()
    width: Scalar = parameter(POSITIVE)

    @converting(as_float)
    def __call__(self, t: Float[Array, "..."]) -> Float[Array, "..."]:
        """The value at a time, or at several."""
        away = (t - self.center) / self.width
        return self.base + self.height * jnp.exp(-0.5 * away**2)


class Samples(Validated):
    """The cubic spline through `values` at increasing `times`, at rest before and after them.

    Four or more samples, as a generator of waveforms has them; the slope is zero at both ends.
    Derivatives with respect to the values are exact; the times are fixed. The spline is not smooth
    at the samples: it takes more steps than other drives do.

    >>> w = bx.Samples([0.0, 1.0, 2.0, 3.0], [1.0, 1.2, 1.2, 1.0])
    >>> round(float(w(1.5)), 4), float(w(10.0))
    (1.25, 1.0)
    """

    times: tuple[float, ...] = eqx.field(static=True)
    values: Float[Array, " samples"]

    def __init__(self, times: RealLike, values: RealLike) -> None:
        known = is_concrete(times)
        require("times", "known outside of `jit`, `vmap` and `grad`", "not", known)
        with jax.ensure_compile_time_eval():
            places = np.asarray(as_float(times, "times"))
        several, shape = places.ndim == 1 and places.size >= 4, places.shape
        require("times", "a list of four or more", f"of shape {shape}", several)
        require_each("times", "finite", places, is_finite)
        require_each("times", "increasing", places, follows)
        self.times, self.values = tuple(places.tolist()), as_float(values, "values")
        fits = self.values.shape == shape
        require(
            "values", f"a list of {shape[0]}, as `times`", f"of shape {self.values.shape}", fits
        )
        require_each("values", "finite", self.values, is_finite)

    def _given(self) -> dict[str, Any]:
        return {"times": np.array(self.times), "values": self.values}

    @converting(as_float)
    def __call__(self, t: Float[Array, "..."]) -> Float[Array, "..."]:
        """The value at a time, or at several."""
        times = jnp.array(self.times)
        t = jnp.clip(t, times[0], times[-1])
        k = jnp.clip(_loops.searchsorted(times, t, side="right") - 1, 0, times.size - 2)
        cubic, square, slope, value = jnp.asarray(_resting_spline(self.times))[:, k] @ self.values
        s = t - times[k]
        return ((cubic * s + square) * s + slope) * s + value


def _resting_spline(times: tuple[float, ...]) -> np.ndarray:
    """The coefficients of falling powers in each interval, for each sample alone."""
    from scipy.interpolate import CubicSpline

    return CubicSpline(times, np.eye(len(times)), bc_type="clamped").c


class Assembled(eqx.Module):
    """Numbers and functions of the time, in lists, as one array."""

    parts: Any

    @staticmethod
    def of(name: str, value: Any) -> "Assembled":
        """From nested lists, or from one of their entries."""
        return Assembled(_as_modules(name, value))

    @staticmethod
    def is_needed(value: Any) -> bool:
        """Whether there is a function in nested lists."""
        if isinstance(value, list | tuple):
            return any(Assembled.is_needed(one) for one in value)
        return callable(value)

    def __call__(self, t: Scalar) -> Array:
        """The array at a time."""
        return _array(self.parts, t)


def _as_modules(name: str, value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_as_modules(name, one) for one in value]
    return Drive.of(name, value) if callable(value) else as_inexact(value, name)


def _array(parts: Any, t: Scalar) -> Array:
    if isinstance(parts, list):
        each = [_array(one, t) for one in parts]
        return jnp.stack([one.astype(jnp.result_type(*each)) for one in each])
    number: Any = parts(t) if isinstance(parts, Drive) else parts
    return as_inexact(number)
