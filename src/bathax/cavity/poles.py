r"""Bound states and resonances: the poles of the propagator G(z) = 1 / (z - w_s - Sigma(z)).

On its first sheet G has poles only on the real axis outside the support of J, the bound states, of
which every gap holds at most one. Continued through the support into the lower half plane,
1 / G_II = 1 / G + 2 pi i J, it has complex ones, the resonances: a frequency and half a width.
"""

import cmath
import math
from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Complex, Float, Int

from bathax._checks import Scalar, require
from bathax.numerics.quadrature import half_line
from bathax.reservoir.spectral_density import Interval, joined_poles
from bathax.reservoir.system import OpenSystem

BISECTIONS, NEWTON_STEPS = 60, 10
# A polar grid about each edge, on which resonances are looked for: so many distances from 1e-9 w_s
# up to 0.3 bandwidths, and from there, where a cutoff makes chains of resonances, up to 30, and
# angles below the real axis.
NEAREST, CHAINED, FARTHEST = 1e-9, 0.3, 30.0
NEAR, FAR = 32, 40
ANGLES = np.linspace(0.0, 0.5 * np.pi, 12)
# Where poles that do not exist are put, with residue 0: on no other frequency.
NOWHERE = 0.577 + 1.618j
# Lines end at e^LAST bandwidths, for densities with algebraic tails.
LAST = 11.5
# How far below the real axis resonances are counted, and again where one is on that very line.
WEDGE = 1.0
WEDGES = (WEDGE, 0.9)
# Newton's method is done when a step is shorter than this part of the distance to an edge.
CONVERGED = 1e-8
# Resonances kept in each sector, and cells of each grid that are followed to find them.
MOST, FOLLOWED = 8, 8


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


def edges(system: OpenSystem) -> Float[Array, " edges"]:
    """The real frequencies where the spectral density begins or ends, in increasing order."""
    points = [point for interval in _supports(system) for point in interval]
    # Reservoirs that begin at a known number, zero, share one edge.
    known = sorted({p for p in points if isinstance(p, float) and not math.isinf(p)})
    others = [p for p in points if not isinstance(p, float)]
    if not others:
        return jnp.asarray(np.asarray(known, float))
    return jnp.sort(jnp.stack([*map(jnp.asarray, known), *others]))


def _supports(system: OpenSystem) -> list[Interval]:
    """Intervals of the real axis that the densities cover, which may overlap."""
    return [pair for bath in system.reservoirs for pair in bath.spectral_density.support or ()]


def coverage(system: OpenSystem) -> list[bool | None]:
    """For each interval between the edges, whether J covers it; None where values decide."""
    endless = [
        tuple(isinstance(p, float) and math.isinf(p) for p in ab) for ab in _supports(system)
    ]
    count = edges(system).shape[0]
    if (True, True) in endless:
        return [True] * (count + 1)
    from_below, to_above = (any(ends) for ends in zip(*endless, strict=True))
    return [from_below, *[None] * (count - 1), to_above]


def ends_of(system: OpenSystem, sector: Sequence[int] | np.ndarray) -> tuple[Array, Array]:
    """The lower and upper ends of some of the intervals between the edges, infinite ones too."""
    ends = jnp.concatenate([np.full(1, -np.inf), edges(system), np.full(1, np.inf)])
    m = np.asarray(sector, int)
    return ends[m], ends[m + 1]


def intervals(system: OpenSystem) -> Float[Array, " intervals"]:
    """A frequency within each interval between the edges, and outside of the first and last."""
    ends = edges(system)
    if not ends.shape[0]:
        return system.frequency[None]
    unit = system.frequency
    middles = 0.5 * (ends[1:] + ends[:-1])
    return jnp.concatenate([ends[:1] - unit, middles, ends[-1:] + unit])


def inverse(
    system: OpenSystem, z: Complex[Array, "..."], through: Float[Array, "..."]
) -> Complex[Array, "..."]:
    """1 / G(z) in the lower half plane, continued from the real frequencies `through`."""
    return first_inverse(system, z) + 2j * jnp.pi * continued(system.continued_density, z, through)


def continued(
    density: Callable[[Array, Scalar], Array],
    z: Complex[Array, "..."],
    through: Float[Array, "..."],
) -> Complex[Array, "..."]:
    """A density in the lower half plane, each z[n] continued from a frequency of its own."""
    if not z.size:
        return z
    for _ in range(through.ndim):
        density = jax.vmap(density)
    return density(z, through)


def first_inverse(system: OpenSystem, z: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """1 / G(z) in the lower half plane on the first sheet, where Sigma(z*) = Sigma(z)*."""
    return z - system.frequency.astype(complex) - system.self_energy(z.conj()).conj()


def lines(
    system: OpenSystem, angle: float, nodes: int
) -> tuple[Complex[Array, "edges nodes"], Complex[Array, " nodes"]]:
    """Nodes on lines at an angle below the real axis from each edge, and dz."""
    r, dr = (part.astype(complex) for part in half_line(LAST, nodes))
    along = direction(system, angle)
    return edges(system).astype(complex)[:, None] + along * r[None, :], along * dr


def direction(system: OpenSystem, angle: float) -> Complex[Array, ""]:
    """One unit of distance along a line: the bandwidth, to a power of the root of 2.

    So nodes stay where they are while parameters vary: integrals along lines do not depend on them,
    and their derivatives are those of the sums that stand for them.
    """
    bandwidth = jnp.exp2(0.5 * jnp.round(2.0 * jnp.log2(lax.stop_gradient(system.bandwidth))))
    return bandwidth.astype(complex) * cmath.exp(-1j * angle)


def _with_slope(function: Callable[[Array], Array], x: Array) -> tuple[Array, Array]:
    return jax.jvp(function, (x,), (jnp.ones_like(x),))


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
    _, slope = _with_slope(lambda z: inverse(system, z, through), z)
    _, change = eqx.filter_jvp(lambda s: inverse(s, z, through), (system,), (d_system,))
    return z, jnp.zeros_like(z) if change is None else -change / slope


def require_analytic(system: OpenSystem) -> None:
    """Refuse a reservoir whose spectral density has no analytic continuation."""
    for bath in system.reservoirs:
        density = bath.spectral_density
        words = "analytic off the ends of its support"
        known = density.support is not None
        require("spectral_density", words, f"{density}, which is not known to be", known)


# --- all of them -----------------------------------------------------------------------------


def discrete(system: OpenSystem) -> tuple[BoundStates, Poles]:
    """The bound states, and the poles in the lower half plane."""
    fixed = lax.stop_gradient(system)
    survey = _Survey.of(fixed)
    bound, found = _gaps(fixed, survey), _resonant(fixed, survey)
    z, residues = _residues(system, _Found.joined(bound, found))
    count = bound.exist.shape[0]
    return _bound(bound, z[:count], residues[:count]), Poles(
        z[count:], residues[count:], found.exist, found.sector
    )


class _Found(eqx.Module):
    """Zeros of 1/G, continued from the intervals `sector`; any numbers where there are none."""

    z: Complex[Array, " z"]
    exist: Bool[Array, " z"]
    sector: tuple[int, ...] = eqx.field(static=True)

    @staticmethod
    def joined(*parts: "_Found") -> "_Found":
        """All of them."""
        return _Found(
            jnp.concatenate([part.z for part in parts]),
            jnp.concatenate([part.exist for part in parts]),
            sum((part.sector for part in parts), ()),
        )


def _residues(system: OpenSystem, found: _Found) -> tuple[Array, Array]:
    """Frequencies and residues 1 / (1/G)'; 0 where there is no pole."""
    through = intervals(system)[np.asarray(found.sector, int)]
    away = through.astype(complex) - NOWHERE * system.frequency.astype(complex)
    z = jnp.where(found.exist, found.z, lax.stop_gradient(away))
    z = _implicit(system, z, lax.stop_gradient(through))
    _, slope = _with_slope(lambda z: inverse(system, z, through), z)
    # Where two poles merge the slope may vanish: without them u(0) = 1 is missed.
    simple = found.exist & (slope != 0.0)
    residues = jnp.where(simple, 1.0 / jnp.where(simple, slope, 1.0), 0.0)
    return jnp.where(found.exist, z, away), residues


class _Survey(eqx.Module):
    """Sigma and 1/G where poles are looked for: on polar grids about the edges, at w_s, at edges.

    A grid for each edge and the interval on either side of it that J may cover, the `sectors` from
    which 1/G is continued.
    """

    grids: Complex[Array, "grids angles radii"]
    cleared: Complex[Array, "grids angles radii"]
    at_level: Complex[Array, ""]
    at_edges: Complex[Array, " edges"]
    sectors: tuple[int, ...] = eqx.field(static=True)

    @staticmethod
    def of(system: OpenSystem) -> "_Survey":
        """With one evaluation of Sigma."""
        ends, rays = edges(system).astype(complex), np.exp(-1j * ANGLES)
        count, covered = ends.shape[0], coverage(system)
        about = [(m, m - 1, rays) for m in range(1, count + 1) if covered[m] is not False]
        about += [(m, m, -rays.conj()) for m in range(count) if covered[m] is not False]
        sectors, corners, angles = zip(*about, strict=True) if about else ((), (), ())
        r = _radii(system).astype(complex)
        grids = ends[np.asarray(corners, int)][:, None, None] + (
            np.reshape(np.asarray(angles, complex), (-1, rays.size, 1)) * r[None, None, :]
        )
        level = system.frequency.astype(complex)
        z = jnp.concatenate([grids.ravel(), level[None], ends])
        sigma = system.self_energy(z.conj())
        on_grids = sigma[: grids.size].conj().reshape(grids.shape)
        through = intervals(system)[np.asarray(sectors, int)]
        density = continued(system.continued_density, grids, through)
        value = grids - level - on_grids + 2j * jnp.pi * density
        return _Survey(
            grids,
            value * _clearing(system, grids, through[:, None, None]),
            sigma[grids.size],
            sigma[grids.size + 1 :],
            sectors,
        )


def _radii(system: OpenSystem) -> Float[Array, " radii"]:
    """Distances from an edge, evenly spaced in their logarithm in two stretches."""
    near, chained = jnp.log(NEAREST * system.frequency), jnp.log(CHAINED * system.bandwidth)
    steps, further = np.arange(NEAR) / NEAR, np.linspace(0.0, math.log(FARTHEST / CHAINED), FAR)
    return jnp.exp(jnp.concatenate([near + (chained - near) * steps, chained + further]))


# --- bound states ----------------------------------------------------------------------------


@eqx.filter_jit
def bound_states(system: OpenSystem) -> BoundStates:
    r"""Real w_b outside the support, w_b - w_s - Sigma(w_b) = 0, and Z = 1 / (1 - Sigma'(w_b)).

    As in AHZ Eq. (15): u(t) keeps Z e^{-i w_b t} for ever. A gap has at most one; a band with two
    edges can have two bound states, whose beat never ends.

    Works under `jit`, `vmap` and `grad`. A bound state within rounding of an edge has a residue
    that is as uncertain as its distance.
    """
    require_analytic(system)
    fixed = lax.stop_gradient(system)
    found = _gaps(fixed, _Survey.of(fixed))
    return _bound(found, *_residues(system, found))


def _bound(found: _Found, z: Complex[Array, " gaps"], residues: Array) -> BoundStates:
    return BoundStates(jnp.where(found.exist, z.real, jnp.nan), residues.real, found.exist)


def _gaps(system: OpenSystem, survey: _Survey) -> _Found:
    """The bound state of each gap."""
    ends = edges(system)
    if not ends.shape[0]:
        return _Found(jnp.zeros(0, complex), jnp.zeros(0, bool), ())
    gaps = np.flatnonzero([covered is not True for covered in coverage(system)])
    outside = system.spectral_density(intervals(system)) == 0.0
    sigma = survey.at_edges.real
    at_ends, level = ends - system.frequency - sigma, (system.frequency + sigma)[np.array([0, -1])]
    low = jnp.concatenate([jnp.minimum(ends[:1], level[:1]), ends])
    high = jnp.concatenate([ends, jnp.maximum(ends[-1:], level[1:])])
    rises = jnp.concatenate([np.ones(1, bool), at_ends < 0.0])
    passes = jnp.concatenate([at_ends > 0.0, np.ones(1, bool)])
    exist = (outside & rises & passes)[gaps]

    def excess(w: Float[Array, " gaps"]) -> Float[Array, " gaps"]:
        return w - system.frequency - system.self_energy(w.astype(complex)).real

    w = _root(excess, low[gaps], high[gaps])
    return _Found(jnp.where(exist, w, low[gaps] - 1.0).astype(complex), exist, tuple(gaps.tolist()))


def _root(
    excess: Callable[[Array], Array], low: Float[Array, " gaps"], high: Float[Array, " gaps"]
) -> Float[Array, " gaps"]:
    """The root of an increasing function in each bracket."""

    def halve(_: Int[Array, ""], bracket: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = bracket
        middle = 0.5 * (low + high)
        above = excess(middle) > 0.0
        return jnp.where(above, low, middle), jnp.where(above, middle, high)

    low, high = lax.fori_loop(0, BISECTIONS, halve, (low, high))
    return 0.5 * (low + high)


# --- resonances ------------------------------------------------------------------------------


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


@eqx.filter_jit
def resonances(system: OpenSystem) -> Resonances:
    r"""Poles of G continued through the support of J: 1/G(z) + 2 pi i J(z) = 0, Im z < 0.

    At weak coupling one, near w_s + Delta(w_s) - i pi J(w_s), with R near 1. Works under `jit`,
    `vmap` and `grad`, with derivatives of implicit functions; where two resonances merge there are
    none. At most `MOST` are found for each interval between the edges of J, and all where J is
    rational.
    """
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
    found = _resonant(fixed, _Survey.of(fixed))
    return Poles(*_residues(system, found), found.exist, found.sector)


def are_complete(system: OpenSystem, found: Poles) -> Bool[Array, ""]:
    """Whether all zeros of 1/G within `WEDGE` below the real axis are among the poles found."""
    system, found = lax.stop_gradient((system, found))
    sectors = np.arange(edges(system).shape[0] + 1)
    own, reached = _own_poles(system, intervals(system)[:, None])
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


def _own_poles(
    system: OpenSystem, through: Float[Array, "*z 1"]
) -> tuple[Complex[Array, " own"], Bool[Array, "*z own"]]:
    """Poles of the spectral densities themselves, and which `through` leads to."""
    poles = [bath.spectral_density.poles for bath in system.reservoirs]
    z, _, low, high = joined_poles(poles)
    shape = (1,) * (through.ndim - 1) + z.shape
    return z, (low.reshape(shape) < through) & (through < high.reshape(shape))


def _clearing(
    system: OpenSystem, z: Complex[Array, "..."], through: Float[Array, "..."]
) -> Complex[Array, "..."]:
    """The factors that cancel poles of J in 1/G, continued."""
    own, reached = _own_poles(system, through[..., None])
    if not own.size:
        return jnp.ones_like(z)
    apart = z[..., None] - own.reshape((1,) * z.ndim + own.shape)
    return jnp.prod(jnp.where(reached, apart, 1.0), axis=-1)


def _newton(
    system: OpenSystem, through: Float[Array, " z"]
) -> Callable[[Complex[Array, " z"]], Complex[Array, " z"]]:
    """The step of Newton's method for 1/G without the poles of J, to be subtracted."""

    def function(z: Complex[Array, " z"]) -> Complex[Array, " z"]:
        return inverse(system, z, through) * _clearing(system, z, through)

    def step(z: Complex[Array, " z"]) -> Complex[Array, " z"]:
        value, slope = _with_slope(function, z)
        return value / slope

    return step


def _resonant(system: OpenSystem, survey: _Survey) -> _Found:
    """The poles in the lower half plane."""
    return _search(system, survey) if edges(system).shape[0] else _rational(system)


def _rational(system: OpenSystem) -> _Found:
    """All zeros where J is rational, one more than it has poles: Aberth's method.

    It starts from each pole of J repelled by the level, and from what the sum of all leaves.
    """
    own, masses, *_ = joined_poles([bath.spectral_density.poles for bath in system.reservoirs])
    unit = system.frequency.astype(complex)
    newton = _newton(system, jnp.broadcast_to(system.frequency, own.size + 1))
    half = 0.5 * (own - unit)
    root = jnp.sqrt(half**2 + masses)
    repelled = own - half + jnp.where((half.conj() * root).real < 0.0, -root, root)
    level = unit + jnp.sum(own - repelled)

    def advance(_: Int[Array, ""], state: tuple[Array, Array]) -> tuple[Array, Array]:
        # At a pole of J without weight, which is a root, 1/G is 0/0: it stays there.
        z, _ = state
        step, apart = newton(z), z[:, None] - z[None, :]
        others = jnp.sum(jnp.where(apart == 0.0, 0.0, 1.0 / apart), axis=1)
        return z - jnp.nan_to_num(step) / (1.0 - jnp.nan_to_num(step) * others), step

    z = jnp.append(repelled, level)
    z, step = lax.fori_loop(0, NEWTON_STEPS + 2, advance, (z, jnp.zeros_like(z)))
    good = (jnp.abs(step) < CONVERGED * system.frequency) & (z.imag <= 0.0)
    return _Found(z, good, (0,) * (own.size + 1))


def _search(system: OpenSystem, survey: _Survey) -> _Found:
    """Where Newton's method leads from the shifted levels and from the cells of grids."""
    sectors = np.unique(survey.sectors)
    levels, cells = _levels(system, survey.at_level), _enclosed(survey.grids, survey.cleared)
    starts = jnp.concatenate([*[levels] * sectors.size, cells.ravel()])
    sector = np.concatenate(
        [np.repeat(sectors, levels.size), np.repeat(survey.sectors, cells.shape[1])]
    )
    through, (low, high) = intervals(system)[sector], ends_of(system, sector)
    newton = _newton(system, through)

    def size(z: Array) -> Array:
        """How far from the nearest edge."""
        return jnp.minimum(jnp.abs(z - low.astype(complex)), jnp.abs(z - high.astype(complex)))

    def advance(_: Int[Array, ""], state: tuple[Array, Array]) -> tuple[Array, Array]:
        z, _ = state
        step = newton(z)
        length, farthest = jnp.abs(step), 0.5 * size(z)
        shortened = jnp.where(length > farthest, farthest / length, 1.0)
        return z - step * shortened.astype(complex), length

    z, step = lax.fori_loop(0, NEWTON_STEPS + 2, advance, (starts, jnp.zeros(starts.shape)))
    scale = size(z)
    good = (step < CONVERGED * scale) & (z.imag < 1e-12 * scale)
    # On the real axis only those in the interval itself count: the others are bound states.
    outside = (z.real < low) | (z.real > high)
    good &= ~(outside & (z.imag > -CONVERGED * scale))
    good &= system.spectral_density(through) > 0.0
    same = np.tril(sector[:, None] == sector[None, :], -1)
    earlier = same & (jnp.abs(z[:, None] - z[None, :]) < 1e-6 * scale[:, None])
    new = good & ~jnp.any(earlier & good[None, :], axis=1)
    # The least damped ones of each sector.
    counts = new[None, :] & (sector[None, :] == sectors[:, None])
    heights = jnp.where(counts, (z.imag / scale)[None, :], -jnp.inf).astype(jnp.float32)
    height, chosen = lax.top_k(heights, MOST)
    exist = (height > -jnp.inf).ravel()
    return _Found(z[chosen.ravel()], exist, tuple(np.repeat(sectors, MOST).tolist()))


def _levels(system: OpenSystem, sigma: Complex[Array, ""]) -> Complex[Array, " starts"]:
    """The shifted level by itself, and repelled by each pole of J.

    Near a pole z_J of J, of residue i m / 2 pi, 1/G is about z - w_s - m / (z - z_J).
    """
    unit = system.frequency.astype(complex)
    shifted = unit + sigma
    shifted = lax.complex(shifted.real, -jnp.abs(shifted.imag) - 1e-12 * system.frequency)[None]
    z, masses, *_ = joined_poles([bath.spectral_density.poles for bath in system.reservoirs])
    if not z.size:
        return shifted
    middle, half = 0.5 * (z + unit), 0.5 * (z - unit)
    root = jnp.sqrt(half**2 + masses)
    return jnp.concatenate([shifted, middle + root, middle - root])


def _enclosed(
    z: Complex[Array, "grids angles radii"], values: Complex[Array, "grids angles radii"]
) -> Complex[Array, "grids starts"]:
    """Cells of polar grids around which the phase of the values turns: where zeros are.

    The least damped come first; NaN where there are fewer.
    """
    phase = jnp.angle(values)
    outwards, across = _wrapped(jnp.diff(phase, axis=2)), _wrapped(jnp.diff(phase, axis=1))
    turn = outwards[:, :-1] + across[:, :, 1:] - outwards[:, 1:] - across[:, :, :-1]
    middle = 0.25 * (z[:, 1:, 1:] + z[:, 1:, :-1] + z[:, :-1, 1:] + z[:, :-1, :-1])
    holds, middle = ((x.reshape(z.shape[0], -1)) for x in (jnp.abs(turn) > jnp.pi, middle))
    # The first of those that hold have the largest rank.
    # In single precision the search is a call to a library instead of a sort.
    places = -np.arange(holds.shape[1], dtype=np.float32)[None, :]
    rank, first = lax.top_k(jnp.where(holds, places, -jnp.inf), FOLLOWED)
    return jnp.where(rank > -jnp.inf, jnp.take_along_axis(middle, first, axis=1), jnp.nan)


def _wrapped(phase: Float[Array, "..."]) -> Float[Array, "..."]:
    """Within half a turn of 0."""
    return phase - 2.0 * jnp.pi * jnp.round(phase / (2.0 * jnp.pi))
