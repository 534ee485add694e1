"""Couplings of modes to reservoirs."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex

from bathax._checks import (
    Scalar,
    Validated,
    as_complex,
    holds,
    require,
    require_kind,
    shown,
)
from bathax.reservoir.reservoir import Reservoir
from bathax.system.drive import Drive
from bathax.system.matrices import all_finite


def _as_switch(switch: Any) -> Drive | None:
    if switch is None:
        return None
    words = "a function of the time"
    require("switch", words, shown(switch), callable(switch))
    drive = Drive.of("switch", switch)
    real = drive.shape == () and not drive.is_complex
    require("switch", f"{words} that returns a real number", "not", real)
    return drive


def _as_counter(counter: Any) -> Array | None:
    return None if counter is None else as_complex(counter, "counter")


class Channel(Validated):
    """How modes are coupled to a reservoir: x' Phi + h.c., x = sum_i conj(c_i) a_i.

    Phi = sum_k V_k b_k is the field of the `reservoir`, J(w) = sum_k |V_k|^2 delta(w - w_k), and
    `coupling` has the numbers c_i, without unit. A `switch` is a continuous real function of the
    time that multiplies them, made of `jax.numpy`. With the numbers d_i of `counter`, x = sum_i
    conj(c_i) a_i + conj(d_i) a_i': terms that create or destroy two quanta at once, like those of a
    force on a coordinate, (a + a') (Phi + Phi'), for c = d.

    >>> lead = bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), temperature=0.1, chemical_potential=0.5)
    >>> bx.Channel(lead, [1.0, 0.0]).coupling.shape
    (2,)
    """

    reservoir: Reservoir
    coupling: Complex[Array, " modes"] = eqx.field(converter=as_complex)
    switch: Drive | None = eqx.field(converter=_as_switch, default=None)
    counter: Complex[Array, " modes"] | None = eqx.field(converter=_as_counter, default=None)

    def __check_init__(self) -> None:
        words = "a `Reservoir(J, temperature)`"
        require_kind("reservoir", words, self.reservoir, Reservoir)
        for name, numbers in self._numbers.items():
            require(name, "a list of numbers", numbers, numbers.ndim == 1)
            require(name, "finite", numbers, holds(all_finite, numbers))
        words = f"a list of {self.coupling.shape[0]}, as `coupling`"
        for name, numbers in self._numbers.items():
            alike = numbers.shape == self.coupling.shape
            require(name, words, f"of length {numbers.shape[0]}", alike)

    def is_consistent(self) -> Bool[Array, ""]:
        return jnp.all(jnp.stack([all_finite(numbers) for numbers in self._numbers.values()]))

    @property
    def _numbers(self) -> dict[str, Array]:
        given = {"coupling": self.coupling, "counter": self.counter}
        return {name: numbers for name, numbers in given.items() if numbers is not None}

    def _given(self) -> dict[str, Any]:
        """Without what is left out."""
        return {name: value for name, value in super()._given().items() if value is not None}

    def at(self, t: Scalar) -> "Channel":
        """The channel at a time, with its switch in the couplings."""
        if self.switch is None:
            return self
        factor = self.switch(t).astype(complex)
        counter = None if self.counter is None else self.counter * factor
        return Channel(self.reservoir, self.coupling * factor, counter=counter)
