"""Several modes as they are often met: a level, a double dot, a chain, coupled cavities."""

from collections.abc import Iterable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Complex, Float

from bathax._checks import ComplexLike, RealLike, as_complex, as_float, require, require_kind
from bathax._programs import program
from bathax.reservoir.reservoir import Reservoir
from bathax.system.coupling import Channel
from bathax.system.linear import LinearSystem


def resonant_level(energy: RealLike, leads: Reservoir | Iterable[Any]) -> LinearSystem:
    r"""A level of fermions between leads, H = eps d'd + sum_leads (d' Phi + h.c.).

    `energy` eps, and `leads` one `Reservoir` or several. A lead empties the level at the rate
    2 pi J(eps), the `gamma` of a `FlatBand`.

    >>> J = bx.FlatBand(gamma=0.5, low=-5.0, high=5.0)
    >>> dot = bx.resonant_level(0.0, [bx.Reservoir(J, 0.1, mu) for mu in (0.5, -0.5)])
    >>> f"{bx.steady_state(dot).particle_current[1]:.4f}"
    '0.1229'
    """
    energy = as_float(energy, "energy")
    require("energy", "a number", f"of shape {energy.shape}", energy.ndim == 0)
    channels = [Channel(lead, [1.0]) for lead in _several("leads", leads)]
    return LinearSystem(jnp.reshape(energy, (1, 1)), channels, "fermion")


def double_dot(
    energies: RealLike,
    tunnelling: ComplexLike,
    left: Reservoir,
    right: Reservoir,
    *,
    flux: RealLike | None = None,
) -> LinearSystem:
    r"""Two levels of fermions between two leads, in series or as a ring.

    H = sum_i eps_i d_i'd_i + (t d_1'd_2 + h.c.) and two leads, with the two `energies` eps and
    `tunnelling` t. In series `left` reaches dot 1 and `right` dot 2. With a `flux`, the phase phi
    around the ring in radians, both leads reach both dots: c = (e^{i phi/4}, e^{-i phi/4}) on the
    left and its complex conjugate on the right (Kubala and Koenig, Phys. Rev. B 65, 245301). Each
    half of the ring, between a lead and the tunnel contact, then encloses phi/2.

    Without tunnelling a phase of pi blocks the ring, the interferometer of Aharonov and Bohm:

    >>> left, right = (bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), 0.1, mu) for mu in (0.5, -0.5))
    >>> open_, blocked = (
    ...     bx.double_dot([0.1, 0.1], 0.0, left, right, flux=phi) for phi in (0.0, np.pi)
    ... )
    >>> [f"{bx.transmission(dot, 0.0)[0, 1]:.4f}" for dot in (open_, blocked)]
    ['0.9901', '0.0000']
    """
    levels = _levels(energies)
    require("energies", "a list of two", f"of length {levels.size}", levels.size == 2)
    dots = chain(levels, tunnelling, left, right, statistics="fermion")
    if flux is None:
        return dots
    flux = as_float(flux, "flux")
    require("flux", "a number", f"of shape {flux.shape}", flux.ndim == 0)
    quarter = 0.25 * flux * jnp.array([1.0, -1.0])
    phases = jnp.exp(1j * quarter.astype(complex))
    return LinearSystem(dots.h, [Channel(left, phases), Channel(right, phases.conj())], "fermion")


def chain(
    energies: RealLike,
    hopping: ComplexLike,
    left: Reservoir,
    right: Reservoir | None = None,
    *,
    statistics: str = "boson",
) -> LinearSystem:
    r"""Modes in a row, with a reservoir at one end or at both.

    H = sum_i eps_i a_i'a_i + sum_i (t_i a_i'a_{i+1} + h.c.) and the reservoirs, of which `left`
    reaches the first mode and `right`, if there is one, the last. `energies` is the list of eps,
    `hopping` one t for all neighbours, which may be complex, or the list of all t; `statistics`
    "boson" or "fermion".

    A chain without disorder carries as much as its contacts let in, however long it is:

    >>> left, right = (bx.Reservoir(bx.FlatBand(0.5, -5.0, 5.0), 0.1, mu) for mu in (0.5, -0.5))
    >>> wire = bx.chain(np.zeros(6), 0.25, left, right, statistics="fermion")
    >>> f"{bx.steady_state(wire).particle_current[1]:.4f}"
    '0.1142'
    """
    levels = _levels(energies)
    ends = np.eye(levels.size)[[0, -1]]
    reservoirs = [left] if right is None else [left, right]
    channels = [Channel(one, end) for one, end in zip(reservoirs, ends, strict=False)]
    return LinearSystem(_row(levels, hopping, "hopping"), channels, statistics)


def coupled_cavities(
    frequencies: RealLike, coupling: ComplexLike, reservoirs: Reservoir | Iterable[Any]
) -> LinearSystem:
    r"""Cavities in a row, with a reservoir each, or with a common one.

    H = sum_i w_i a_i'a_i + sum_i (g_i a_i'a_{i+1} + h.c.) and the reservoirs. `frequencies` is the
    list of w, `coupling` one g for all neighbours or the list of all g. `reservoirs` is a list with
    a `Reservoir` for each cavity, or one, which all share: it damps a_1 + a_2 + ... alone.

    Two equal cavities in one bath at T = 0 keep the half of a photon that is in a_1 - a_2:

    >>> pair = bx.coupled_cavities([1.0, 1.0], 0.1, bx.Reservoir(bx.Ohmic(0.05, 5.0)))
    >>> late = bx.long_time_covariance(pair, bx.Covariance([[1.0, 0.0], [0.0, 0.0]]))
    >>> round(float(jnp.trace(late.at([0.0])[0]).real), 4)
    0.5
    """
    levels = _levels(frequencies, "frequencies")
    own = _several("reservoirs", reservoirs)
    if isinstance(reservoirs, Reservoir):
        channels = [Channel(reservoirs, np.ones(levels.size))]
    else:
        words = f"one `Reservoir`, or a list of {levels.size}, one for each cavity"
        require("reservoirs", words, f"of length {len(own)}", len(own) == levels.size)
        channels = [Channel(*one) for one in zip(own, np.eye(levels.size), strict=True)]
    return LinearSystem(_row(levels, coupling, "coupling"), channels)


def _several(name: str, reservoirs: Reservoir | Iterable[Any]) -> list[Reservoir]:
    """One reservoir or several as a list."""
    several = list(reservoirs) if isinstance(reservoirs, Iterable) else [reservoirs]
    for one in several:
        require_kind(name, "one `Reservoir(J, temperature)` or several", one, Reservoir)
    return several


def _levels(energies: RealLike, name: str = "energies") -> Float[Array, " n"]:
    levels = as_float(energies, name)
    is_list = levels.ndim == 1 and levels.size > 0
    require(name, "a list of numbers, one for each mode", f"of shape {levels.shape}", is_list)
    return levels


def _row(levels: Float[Array, " n"], hopping: ComplexLike, name: str) -> Complex[Array, "n n"]:
    """The matrix h of modes that are coupled to their neighbours."""
    each: ArrayLike = as_complex(hopping, name)
    count = levels.size - 1
    fits = each.shape in ((), (count,))
    require(name, f"a number or a list of {count}", f"of shape {each.shape}", fits)
    return _tridiagonal(levels, jnp.broadcast_to(each, (count,)))


@program
def _tridiagonal(
    levels: Float[Array, " n"], hopping: Complex[Array, " between"]
) -> Complex[Array, "n n"]:
    above = jnp.diag(hopping, 1)
    return jnp.diag(levels).astype(complex) + above + above.conj().T
