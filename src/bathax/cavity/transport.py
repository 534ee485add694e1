r"""Heat currents through a cavity in its steady state: the Landauer formula for bosons.

A quantum of frequency w is transmitted from reservoir i to reservoir j with the probability
4 pi^2 J_i J_j |G|^2, where G = 1 / (w - w_s - Sigma) is the propagator on the real axis. A bound
state carries no heat.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax

from bathax._checks import Scalar, is_valid, require, require_kind, require_whole
from bathax._display import shown
from bathax._programs import program
from bathax.system.models import Cavity

ROUNDING = 1e-14


class HeatCurrent(NamedTuple):
    """An energy per time, in units of energy^2 (hbar = 1).

    `value` is the current, `error` an estimate of its absolute error.

    >>> hot, cold = (bx.Reservoir(bx.Ohmic(0.01, 5.0), T) for T in (3.0, 1.0))
    >>> current = bx.heat_current(bx.Cavity(1.0, [hot, cold]))
    >>> bool(current.error < 1e-9 * current.value)
    True
    """

    value: Scalar
    error: Scalar

    def __repr__(self) -> str:
        return shown(self)


def heat_current(cavity: Cavity, source: int = 0, resolution: int = 2**13) -> HeatCurrent:
    r"""The steady energy current from one reservoir into all the others.

    I_i = 2 pi \int dw w J_i(w) \sum_j J_j(w) [n_i(w) - n_j(w)] |G(w)|^2

    for i = `source`, counted from 0; the currents of all reservoirs add up to zero. Two reservoirs
    at different temperatures exchange heat for ever: the zeroth law of AHZ holds for the cavity
    alone. At weak coupling to two equal reservoirs the current is pi w_s J(w_s) (n_1 - n_2).

    The integral is a sum over about `resolution` frequencies in the support of J_i, whose spacing
    has to be less than the width of the resonance. The error estimate is the change from half of
    them; it is constant to differentiation. Works under `jit`, `vmap` and `grad`; a bad point of a
    batch is NaN. Reservoirs of separate modes have no steady state: `ValueError`.

    >>> hot, cold = (bx.Reservoir(bx.Ohmic(0.01, 5.0), T) for T in (3.0, 1.0))
    >>> current = bx.heat_current(bx.Cavity(1.0, [hot, cold]))
    >>> f"{current.value:.5f}"
    '0.04702'
    """
    require_kind("cavity", "a `Cavity`", cavity, Cavity)
    count = len(cavity.reservoirs)
    require("source", f"the index of one of {count} reservoirs", source, source in range(count))
    require_whole("resolution", resolution, 2)
    for bath in cavity.reservoirs:
        density = bath.spectral_density
        require("spectral_density", "continuous", f"{density}", density.is_continuous)
    fine, coarse = (_current(cavity, source, nodes) for nodes in (resolution, resolution // 2))
    error = jnp.abs(fine - coarse) + ROUNDING * jnp.abs(fine)
    known = jnp.where(is_valid(cavity), 0.0, jnp.nan)
    return HeatCurrent(fine + known, lax.stop_gradient(error) + known)


@program
def _current(cavity: Cavity, source: int, resolution: int) -> Scalar:
    """The sum over frequencies."""
    bath = cavity.reservoirs[source]
    w, masses = bath.spectral_density.measure(resolution)
    bias = sum(
        (
            other.spectral_density(w) * (bath.occupation(w) - other.occupation(w))
            for other in cavity.reservoirs
        ),
        jnp.zeros_like(w),
    )
    z = w.astype(complex)
    inverse = z - cavity.frequency.astype(complex) - cavity.self_energy(z)
    return 2.0 * jnp.pi * jnp.sum(w * masses * bias / jnp.abs(inverse) ** 2)
