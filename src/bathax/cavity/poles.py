r"""Bound states and resonances: the poles of the propagator G(z) = 1 / (z - w_s - Sigma(z)).

On its first sheet G has poles only on the real axis outside the support of J, the bound states, of
which every gap holds at most one. Continued through the support into the lower half plane,
1 / G_II = 1 / G + 2 pi i J, it has complex ones, the resonances: a frequency and half a width.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Complex, Float

from bathax._programs import program
from bathax.cavity.pole_search import Found, Survey, gaps, resonant, with_slope
from bathax.cavity.sheet import (
    LAST,
    continued,
    direction,
    edges,
    ends_of,
    first_inverse,
    intervals,
    inverse,
    own_poles,
    require_analytic,
)
from bathax.cavity.star import eigenstates
from bathax.numerics.quadrature import half_line
from bathax.reservoir.system import OpenSystem, require_system

# Where poles that do not exist are put, with residue 0: on no other frequency.
NOWHERE = 0.577 + 1.618j
# How far below the real axis resonances are counted, and again where one is on that very line.
WEDGE = 1.0
WEDGES = (WEDGE, 0.9)


class Poles(eqx.Module):
    """Frequencies and residues of G, of which only those count that exist.

    Each is continued from one of the intervals between the edges, its `sector`.
    """

    frequencies: Complex[Array, " poles"]
    residues: Complex[Array, " poles"]
    exist: Bool[Array, " poles"]
    sector: tuple[int, ...] = eqx.field(static=True)


class BoundStates(eqx.Module):
    """Bound states in the gaps of the reservoirs, in increasing order, as many as there may be.

    Where a gap has none, `exist` is False, the frequency NaN and the residue Z = 0.
    """

    frequencies: Float[Array, " gaps"]
    residues: Float[Array, " gaps"]
    exist: Bool[Array, " gaps"]

    @property
    def placed(self) -> Complex[Array, " gaps"]:
        """The frequencies, and any number where there is none, to be weighted with Z = 0."""
        return jnp.where(self.exist, self.frequencies, -1.0).astype(complex)


class Resonances(eqx.Module):
    """Resonances z_p = w_p - i Gamma_p / 2 and their residues R_p, the least damped ones first.

    Of as many as fit, those count that `exist`; the others are NaN with R = 0. `complete` says
    whether those within `WEDGE` below the real axis are as many as the argument principle counts.
    """

    frequencies: Complex[Array, " poles"]
    residues: Complex[Array, " poles"]
    exist: Bool[Array, " poles"]
    complete: Bool[Array, ""]

    @property
    def widths(self) -> Float[Array, " poles"]:
        """Gamma_p = -2 Im z_p: the decay rate of |e^{-i z_p t}|^2."""
        return -2.0 * self.frequencies.imag


def discrete(system: OpenSystem) -> tuple[BoundStates, Poles]:
    """The bound states, and the poles in the lower half plane."""
    fixed = lax.stop_gradient(system)
    survey = Survey.of(fixed)
    bound, found = gaps(fixed, survey.at_edges), resonant(fixed, survey)
    z, residues = _residues(system, Found.joined(bound, found))
    count = bound.exist.shape[0]
    return _bound(bound, z[:count], residues[:count]), Poles(
        z[count:], residues[count:], found.exist, found.sector
    )


@program
def bound_states(system: OpenSystem) -> BoundStates:
    r"""Real w_b outside the support, w_b - w_s - Sigma(w_b) = 0, and Z = 1 / (1 - Sigma'(w_b)).

    As in AHZ Eq. (15): u(t) keeps Z e^{-i w_b t} for ever. A gap has at most one; a band with two
    edges can have two bound states, whose beat never ends.

    Works under `jit`, `vmap` and `grad`. A bound state within rounding of an edge has a residue
    that is as uncertain as its distance. In reservoirs of separate modes every eigenstate is bound.
    """
    require_system(system)
    if system.has_modes:
        return BoundStates(*eigenstates(system))
    require_analytic(system)
    fixed = lax.stop_gradient(system)
    found = gaps(fixed, fixed.self_energy(edges(fixed).astype(complex)).real)
    return _bound(found, *_residues(system, found))


@program
def resonances(system: OpenSystem) -> Resonances:
    r"""Poles of G continued through the support of J: 1/G(z) + 2 pi i J(z) = 0, Im z < 0.

    At weak coupling one, near w_s + Delta(w_s) - i pi J(w_s), with R near 1. Works under `jit`,
    `vmap` and `grad`, with derivatives of implicit functions; where two resonances merge there are
    none. At most `MOST` are found for each interval between the edges of J, and all where J is
    rational; none in reservoirs of separate modes.
    """
    require_system(system)
    if system.has_modes:
        none = jnp.zeros(0, complex)
        return Resonances(none, none, jnp.zeros(0, bool), jnp.asarray(True))
    require_analytic(system)
    found = sector_poles(system)
    z, exist = found.frequencies, found.exist
    order = jnp.argsort(jnp.where(exist, -z.imag, jnp.inf))
    z = jnp.where(exist, z, jnp.nan)
    return Resonances(z[order], found.residues[order], exist[order], are_complete(system, found))


def sector_poles(system: OpenSystem) -> Poles:
    """Poles of G in the lower half plane, continued from each interval of the real axis.

    At most `MOST` for each interval, the least damped ones, but all where J is rational. With
    derivatives of implicit functions.
    """
    fixed = lax.stop_gradient(system)
    found = resonant(fixed, Survey.of(fixed))
    return Poles(*_residues(system, found), found.exist, found.sector)


def _residues(system: OpenSystem, found: Found) -> tuple[Array, Array]:
    """Frequencies and residues 1 / (1/G)'; 0 where there is no pole."""
    through = intervals(system)[np.asarray(found.sector, int)]
    away = through.astype(complex) - NOWHERE * system.frequency.astype(complex)
    z = jnp.where(found.exist, found.z, lax.stop_gradient(away))
    z = _implicit(system, z, lax.stop_gradient(through))
    _, slope = with_slope(lambda z: inverse(system, z, through), z)
    # Where two poles merge the slope may vanish: without them u(0) = 1 is missed.
    # At an edge where J rises like a root it is infinite.
    simple = found.exist & (slope != 0.0) & jnp.isfinite(slope)
    residues = jnp.where(simple, 1.0 / jnp.where(simple, slope, 1.0), 0.0)
    return jnp.where(found.exist, z, away), residues


def _bound(found: Found, z: Complex[Array, " gaps"], residues: Array) -> BoundStates:
    return BoundStates(jnp.where(found.exist, z.real, jnp.nan), residues.real, found.exist)


@eqx.filter_custom_jvp
def _implicit(
    system: OpenSystem, z: Complex[Array, " z"], through: Float[Array, " z"]
) -> Complex[Array, " z"]:
    """Zeros of 1/G that have been found, as functions of the parameters of the system."""
    del system, through
    return z


@_implicit.def_jvp
def _implicit_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    # dz = -d(1/G) / (1/G)', evaluated at z as a function again: so in derivatives of every order.
    (system, z, through), (d_system, *_) = primals, tangents
    z = _implicit(system, z, through)
    _, slope = with_slope(lambda z: inverse(system, z, through), z)
    _, change = eqx.filter_jvp(lambda s: inverse(s, z, through), (system,), (d_system,))
    # Where two poles merge they have no derivative.
    slope = jnp.where(slope == 0.0, 1.0, slope)
    return z, jnp.zeros_like(z) if change is None else -change / slope


# --- whether all have been found -------------------------------------------------------------


def are_complete(system: OpenSystem, found: Poles) -> Bool[Array, ""]:
    """Whether all zeros of 1/G within `WEDGE` below the real axis are among the poles found."""
    system, found = lax.stop_gradient((system, found))
    sectors = np.arange(edges(system).shape[0] + 1)
    own, reached = own_poles(system, intervals(system)[:, None])
    belongs = np.asarray(found.sector) == sectors[:, None]

    def count(z: Complex[Array, " z"], counts: Bool[Array, "sectors z"]) -> Array:
        return jnp.sum(counts[None] & _in_wedge(system, z), axis=-1).astype(float)

    found_inside = count(found.frequencies, found.exist[None, :] & belongs)
    expected = _winding(system) + (count(own, reached) if own.size else 0.0)
    agree = jnp.any(jnp.abs(expected - found_inside) < 0.5, axis=0)
    gap = system.spectral_density(intervals(system)) == 0.0
    return jnp.all((gap | agree)[np.unique(found.sector)])


def _in_wedge(system: OpenSystem, z: Complex[Array, " z"]) -> Bool[Array, "wedges sectors z"]:
    """Whether between the lines at an angle from the ends of each interval."""
    low, high = (end[:, None] for end in ends_of(system, range(edges(system).shape[0] + 1)))

    def angle(end: Array) -> Float[Array, "wedges sectors z"]:
        corner = jnp.where(jnp.isfinite(end), end, 0.0).astype(complex)
        return -jnp.angle(z[None, :] - corner)[None]

    wedges = np.reshape(WEDGES, (-1, 1, 1))
    right_of_low = (low == -jnp.inf)[None] | (angle(low) < wedges)
    return right_of_low & ((high == jnp.inf)[None] | (angle(high) > wedges))


def _winding(system: OpenSystem) -> Float[Array, "wedges sectors"]:
    r"""How often 1/G, continued from each interval, winds about 0 along the boundary of a wedge.

    On the interval itself Im 1/G >= 0 and the phase of 1/G is between 0 and pi. From its ends it is
    followed along the lines, far out on which 1/G is z.
    """
    sides, wedges = intervals(system), np.asarray(WEDGES)[:, None]
    r, _ = half_line(LAST, 512)
    along = direction(system, 0.0) * (np.exp(-1j * wedges[:, :, None]) * r)
    z = edges(system).astype(complex)[None, :, None] + along
    first = first_inverse(system, z)

    def far(sides: Float[Array, " edges"]) -> Float[Array, "wedges edges"]:
        """The phase of 1/G, continued from one side of each edge, at the far end of its line."""
        through = jnp.broadcast_to(sides[None, :], z.shape[:2])
        values = first + 2j * jnp.pi * continued(system.continued_density, z, through)
        start = jnp.arctan2(jnp.maximum(values[..., 0].imag, 0.0), values[..., 0].real)
        return start + jnp.sum(jnp.angle(values[..., 1:] / values[..., :-1]), axis=-1)

    # The last interval has no line from above, the first one none from below.
    right = jnp.concatenate([far(sides[:-1]), -wedges], axis=1)
    left = jnp.concatenate([2.0 * np.pi - wedges, far(sides[1:])], axis=1)
    return (left - right) / (2.0 * jnp.pi)
