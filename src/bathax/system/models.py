"""The two systems: a bosonic mode, and a two-level atom."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp

from bathax._checks import POSITIVE, Scalar, as_float, require
from bathax.reservoir.reservoir import Reservoir
from bathax.system.coupling import Channel
from bathax.system.drive import Drive
from bathax.system.linear import LinearSystem
from bathax.system.system import System


def _frequency(value: Any) -> Any:
    """A number, or a real function of the time."""
    if not callable(value):
        return as_float(value, "frequency")
    drive = Drive.of("frequency", value)
    real = drive.shape == () and not drive.is_complex
    require("frequency", "a function of the time that returns a real number", "not", real)
    return drive


class Cavity(System):
    """H = w_s a'a + sum_k w_k b_k'b_k + sum_k (V_k a'b_k + h.c.) (AHZ Eq. 12).

    `frequency` w_s > 0, and `reservoirs`, one `Reservoir` or several; their kernels add. The
    frequency may be a continuous function of the time, made of `jax.numpy`: `solve` then takes
    `Embedding`, and gives the work done too, as a `DrivenSolution`.

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=20.0))
    >>> round(float(2.0 * jnp.pi * cavity.spectral_density(1.0)), 4)  # the golden-rule decay rate
    0.5144
    """

    frequency: Any = eqx.field(converter=_frequency, metadata={"rule": POSITIVE})

    @property
    def is_driven(self) -> bool:
        """Whether the frequency changes in time."""
        return isinstance(self.frequency, Drive)

    @property
    def as_modes(self) -> LinearSystem:
        """The cavity as a system of one mode."""
        channels = [Channel(bath, [1.0]) for bath in self.reservoirs]
        if self.is_driven:
            return LinearSystem(Drive("frequency", _Single(self.frequency)), channels)
        return LinearSystem(self.frequency[None, None], channels)


class _Single(eqx.Module):
    """A frequency as a matrix."""

    frequency: Drive

    def __call__(self, t: Scalar) -> Any:
        return self.frequency(t)[None, None]


def as_modes(system: Cavity | LinearSystem) -> LinearSystem:
    """A cavity as a system of one mode."""
    return system.as_modes if isinstance(system, Cavity) else system


def as_cavity(system: LinearSystem) -> Cavity:
    """A static mode of bosons as a cavity, whose reservoirs have the numbers of channels in J."""
    system.require_static()
    baths = [
        Reservoir(jnp.sum(jnp.abs(one.coupling) ** 2) * J, occupation=one.reservoir.occupation)
        for one in system.channels
        for J in (one.reservoir.spectral_density,)
    ]
    return Cavity(system.frequency, baths)


class Qubit(System):
    """H = w_s s+s- + sum_k w_k b_k'b_k + sum_k (V_k s+ b_k + h.c.) (AHZ Eq. 20, NP).

    `frequency` w_s > 0, and `reservoirs`, one `Reservoir` or several; their kernels add. Basis
    states are counted by their quanta: 0 is the ground state, 1 the excited one.

    >>> qubit = bx.Qubit(1.0, bx.Reservoir(bx.Lorentzian(0.1, 0.5, 1.0)))
    >>> round(float(2.0 * jnp.pi * qubit.spectral_density(1.0)), 4)  # gamma0, decay without memory
    0.1
    """
