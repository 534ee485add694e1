"""The search for poles of the propagator: zeros of 1/G, continued from intervals of the support.

Bound states are found by bisection in the gaps of the support. Resonances are found by Newton's
method, from the shifted level and from those cells of polar grids around the edges about which the
phase of 1/G winds. Where J is rational, Aberth's method finds all of them. Nothing here is
differentiated.
"""

import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Complex, Float, Int

from bathax import _loops
from bathax.cavity.sheet import Sector, Sheet
from bathax.numerics.elementary import square_root

BISECTIONS, NEWTON_STEPS, ABERTH_STEPS = 60, 9, 30
# A polar grid around each edge: NEAR distances from NEAREST w_s to CHAINED bandwidths, FAR from
# there to FARTHEST bandwidths, where a cutoff makes chains of resonances; angles below the axis.
NEAREST, CHAINED, FARTHEST = 1e-9, 0.3, 30.0
NEAR, FAR = 32, 40
ANGLES = np.linspace(0.0, 0.5 * np.pi, 12)
# Newton's method has converged if a step is shorter than this fraction of the distance to an edge.
CONVERGED, MERGED = 1e-8, 1e-6
# The step at which half of the searches go to the other zero of a pair, and how close pairs are.
TURNED, PAIRED = 5, 0.1
# How many resonances are kept in each sector, and how many cells of each grid are starts.
KEPT, FOLLOWED = 8, 8


class Found(eqx.Module):
    """Zeros of 1/G, continued from the intervals `sector`; where not `exist`, any numbers."""

    z: Complex[Array, " z"]
    exist: Bool[Array, " z"]
    sector: tuple[int, ...] = eqx.field(static=True)

    @staticmethod
    def joined(*parts: "Found") -> "Found":
        """All of them."""
        return Found(
            jnp.concatenate([part.z for part in parts]),
            jnp.concatenate([part.exist for part in parts]),
            sum((part.sector for part in parts), ()),
        )


class Survey(eqx.Module):
    """Sigma and 1/G where poles are searched: on polar grids around the edges, at w_s, at edges.

    Each edge has a grid for the interval on either side of it, unless J vanishes there. `sectors`
    are these intervals, from which 1/G is continued.
    """

    grids: Complex[Array, "grids angles radii"]
    cleared: Complex[Array, "grids angles radii"]
    at_level: Complex[Array, ""]
    at_edges: Float[Array, " edges"]
    sectors: tuple[int, ...] = eqx.field(static=True)

    @staticmethod
    def of(sheet: Sheet) -> "Survey":
        """The survey, with one evaluation of Sigma."""
        ends, rays = sheet.edges.astype(complex), np.exp(-1j * ANGLES)
        count, covered = ends.shape[0], sheet.covered
        about = [(m, m - 1, rays) for m in range(1, count + 1) if covered[m] is not False]
        about += [(m, m, -rays.conj()) for m in range(count) if covered[m] is not False]
        sectors, corners, angles = zip(*about, strict=True) if about else ((), (), ())
        r = _radii(sheet).astype(complex)
        grids = ends[np.asarray(corners, int)][:, None, None] + (
            np.reshape(np.asarray(angles, complex), (-1, rays.size, 1)) * r[None, None, :]
        )
        z = jnp.concatenate([grids.ravel(), sheet.level[None], ends])
        sigma = sheet.self_energy(z)
        on_grids = sigma[: grids.size].reshape(grids.shape)
        density = sheet.continued_density(grids, sectors)
        value = grids - sheet.level - on_grids + 2j * jnp.pi * density
        return Survey(
            grids,
            value * _clearing(sheet, grids, sectors),
            sigma[grids.size].conj(),
            sigma[grids.size + 1 :].real,
            sectors,
        )


def _radii(sheet: Sheet) -> Float[Array, " radii"]:
    """Distances from an edge: two logarithmic ranges, one after the other."""
    system = sheet.system
    near, chained = jnp.log(NEAREST * system.frequency), jnp.log(CHAINED * system.bandwidth)
    steps, further = np.arange(NEAR) / NEAR, np.linspace(0.0, math.log(FARTHEST / CHAINED), FAR)
    return jnp.exp(jnp.concatenate([near + (chained - near) * steps, chained + further]))


# --- bound states ----------------------------------------------------------------------------


def gaps(sheet: Sheet, sigma: Float[Array, " edges"]) -> Found:
    """The bound state of each gap of the support; `sigma` is Sigma at the edges."""
    ends, system = sheet.edges, sheet.system
    if not ends.shape[0]:
        return Found(jnp.zeros(0, complex), jnp.zeros(0, bool), ())
    gaps = np.flatnonzero([covered is not True for covered in sheet.covered])
    outside = system.spectral_density(sheet.sides) == 0.0
    at_ends, level = ends - system.frequency - sigma, (system.frequency + sigma)[np.array([0, -1])]
    low = jnp.concatenate([jnp.minimum(ends[:1], level[:1]), ends])
    high = jnp.concatenate([ends, jnp.maximum(ends[-1:], level[1:])])
    rises = jnp.concatenate([np.ones(1, bool), at_ends < 0.0])
    passes = jnp.concatenate([at_ends > 0.0, np.ones(1, bool)])
    exist = (outside & rises & passes)[gaps]

    def excess(w: Float[Array, " gaps"]) -> Float[Array, " gaps"]:
        return w - system.frequency - system.self_energy(w.astype(complex)).real

    w = _root(excess, low[gaps], high[gaps])
    return Found(jnp.where(exist, w, low[gaps] - 1.0).astype(complex), exist, tuple(gaps.tolist()))


def _root(
    excess: Callable[[Array], Array], low: Float[Array, " gaps"], high: Float[Array, " gaps"]
) -> Float[Array, " gaps"]:
    """The root of an increasing function in each bracket."""

    def halve(_: Int[Array, ""], bracket: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = bracket
        middle = 0.5 * (low + high)
        above = excess(middle) > 0.0
        return jnp.where(above, low, middle), jnp.where(above, middle, high)

    low, high = _loops.fori_loop(0, BISECTIONS, halve, (low, high))
    return 0.5 * (low + high)


# --- resonances ------------------------------------------------------------------------------


def resonant(sheet: Sheet, survey: Survey) -> Found:
    """The poles in the lower half plane."""
    return _search(sheet, survey) if sheet.edges.shape[0] else _rational(sheet)


def _rational(sheet: Sheet) -> Found:
    """All zeros of 1/G for a rational J, one more than it has poles, by Aberth's method.

    The starts are the poles of J, each repelled by the level w_s, and one more that makes the sum
    of all starts right.
    """
    own, unit = sheet.density_poles, sheet.level
    sector = (0,) * (own.size + 1)
    cleared = _cleared(sheet, sector)
    half = 0.5 * (own - unit)
    root = square_root(half**2 + sheet.density_masses)
    # Starts on one line could not leave it if it is a symmetry axis, and equal ones not each other:
    # they are turned a little, each by another angle.
    turns = np.exp(0.1j * (1.0 + np.arange(own.size) / 7.0))
    repulsion = (jnp.where((half.conj() * root).real < 0.0, -root, root) - half) * turns
    starts = jnp.append(own + repulsion, unit - jnp.sum(repulsion))

    def advance(_: Int[Array, ""], state: tuple[Array, Array]) -> tuple[Array, Array]:
        # A pole of J with mass 0 is a root at which 1/G is 0/0: the start stays there.
        z, _ = state
        value, slope = with_slope(cleared, z)
        step, apart = value / slope, z[:, None] - z[None, :]
        others = jnp.sum(jnp.where(apart == 0.0, 0.0, 1.0 / apart), axis=1)
        return z - jnp.nan_to_num(step) / (1.0 - jnp.nan_to_num(step) * others), step

    z, step = _loops.fori_loop(0, ABERTH_STEPS, advance, (starts, jnp.zeros_like(starts)))
    # Poles that merge are known to the root of the rounding error. There 1/G' may vanish but for
    # rounding, and the last step be as large as any.
    size, scale = jnp.abs(sheet.continued_inverse(z, sector)), sheet.frequency + jnp.abs(z)
    hit = size < 16.0 * jnp.finfo(float).eps * scale
    good = (hit | (jnp.abs(step) < MERGED * sheet.frequency)) & (z.imag <= 0.0)
    # The factors that cancel poles of J leave a zero where two are equal, or where one has no mass.
    good &= size < scale
    return Found(z, good, sector)


def _search(sheet: Sheet, survey: Survey) -> Found:
    """Zeros that Newton's method finds from the shifted levels and from the cells of grids.

    Each start is followed twice. The second time it jumps to the other zero of the parabola that
    approximates 1/G near the first zero; so both of two resonances that merge are found.
    """
    sectors = np.unique(survey.sectors)
    levels, cells = _levels(sheet, survey.at_level), _enclosed(survey.grids, survey.cleared)
    starts = jnp.concatenate([*[levels] * sectors.size, cells.ravel()])
    sector = np.concatenate(
        [np.repeat(sectors, levels.size), np.repeat(survey.sectors, cells.shape[1])]
    )
    starts, sector = jnp.tile(starts, 2), np.tile(sector, 2)
    low, high = sheet.ends_of(sector)

    def size(z: Array) -> Array:
        """The distance to the nearer end of the interval."""
        return jnp.minimum(jnp.abs(z - low.astype(complex)), jnp.abs(z - high.astype(complex)))

    z, length, apart = _followed(_cleared(sheet, sector), starts, size)
    scale = size(z)
    good = (length < MERGED * scale) & (z.imag < 1e-12 * scale)
    # On the real axis only those in the interval itself count: the others are bound states.
    outside = (z.real < low) | (z.real > high)
    good &= ~(outside & (z.imag > -CONVERGED * scale))
    good &= (sheet.system.spectral_density(sheet.sides) > 0.0)[sector]
    new = good & ~_repeated(z, good, (sector, scale, apart))
    # The least damped ones of each sector.
    counts = new[None, :] & (sector[None, :] == sectors[:, None])
    heights = jnp.where(counts, (z.imag / scale)[None, :], -jnp.inf).astype(jnp.float32)
    height, chosen = lax.top_k(heights, KEPT)
    exist = (height > -jnp.inf).ravel()
    return Found(z[chosen.ravel()], exist, tuple(np.repeat(sectors, KEPT).tolist()))


def _followed(
    function: Callable[[Array], Array], starts: Complex[Array, " z"], size: Callable[[Array], Array]
) -> tuple[Complex[Array, " z"], Float[Array, " z"], Float[Array, " z"]]:
    """Zeros near the starts, the last steps, and the distance to the other zero of the parabola.

    Each step goes to the closer zero of the parabola that has the value, the slope, and the change
    of the slope since the last step. So zeros that merge are found as fast as others. The second
    half of the starts goes to the farther zero once.
    """
    second = np.arange(starts.size) >= starts.size // 2

    def advance(k: Int[Array, ""], state: tuple[Array, ...]) -> tuple[Array, ...]:
        z, before, slope_before, curvature, _, _ = state
        value, slope = with_slope(function, z)
        moved, scale = z - before, size(z)
        told = jnp.abs(moved) > CONVERGED * scale
        change = (slope - slope_before) / jnp.where(told, moved, 1.0)
        curvature = jnp.where(told, change, curvature)
        straight = value / slope
        # 2 f / (f' +- sqrt(f'^2 - 2 f f'')), with the sign of the larger denominator.
        root = square_root(1.0 - 2.0 * straight * curvature / slope)
        closer = 2.0 * straight / (1.0 + jnp.where(root.real < 0.0, -root, root))
        both = 2.0 * slope / curvature
        step = jnp.where(second & (k == TURNED), both - closer, closer)
        length = jnp.abs(step)
        shortened = jnp.where(length > 0.5 * scale, 0.5 * scale / length, 1.0)
        return z - step * shortened.astype(complex), z, slope, curvature, length, jnp.abs(both)

    unknown, none = jnp.zeros_like(starts), jnp.zeros(starts.shape)
    state = (starts, starts, unknown, unknown, none, none)
    z, *_, length, apart = _loops.fori_loop(0, NEWTON_STEPS, advance, state)
    return z, length, apart


def _repeated(
    z: Complex[Array, " z"], good: Bool[Array, " z"], about: tuple[np.ndarray, Array, Array]
) -> Bool[Array, " z"]:
    """Zeros found before in the list, and in its second half those that belong to no pair."""
    sector, scale, apart = about
    second = np.arange(z.size) >= z.size // 2
    same = np.tril(sector[:, None] == sector[None, :], -1)
    # Of a pair closer than the resolution, each half of the list has one zero.
    pair = jnp.where(apart > MERGED * scale, 0.5 * apart, 0.0)[:, None]
    near = jnp.where(second[:, None] & ~second[None, :], pair, MERGED * scale[:, None])
    earlier = same & (jnp.abs(z[:, None] - z[None, :]) < near)
    return jnp.any(earlier & good[None, :], axis=1) | (second & ~(apart < PAIRED * scale))


def _levels(sheet: Sheet, sigma: Complex[Array, ""]) -> Complex[Array, " starts"]:
    """The shifted level by itself, and repelled by each pole of J.

    Near a pole z_J of J, of residue i m / 2 pi, 1/G is about z - w_s - m / (z - z_J).
    """
    unit, z = sheet.level, sheet.density_poles
    shifted = unit + sigma
    damped = -jnp.abs(shifted.imag) - 1e-12 * sheet.frequency
    shifted = lax.complex(shifted.real, damped)[None]
    if not z.size:
        return shifted
    middle, half = 0.5 * (z + unit), 0.5 * (z - unit)
    root = square_root(half**2 + sheet.density_masses)
    return jnp.concatenate([shifted, middle + root, middle - root])


def _enclosed(
    z: Complex[Array, "grids angles radii"], values: Complex[Array, "grids angles radii"]
) -> Complex[Array, "grids starts"]:
    """Cells of polar grids about which the phase of the values winds: they contain zeros.

    The least damped come first, followed by NaN if there are fewer than are followed.
    """
    phase = jnp.angle(values)
    outwards, across = _wrapped(jnp.diff(phase, axis=2)), _wrapped(jnp.diff(phase, axis=1))
    turn = outwards[:, :-1] + across[:, :, 1:] - outwards[:, 1:] - across[:, :, :-1]
    middle = 0.25 * (z[:, 1:, 1:] + z[:, 1:, :-1] + z[:, :-1, 1:] + z[:, :-1, :-1])
    holds, middle = ((x.reshape(z.shape[0], -1)) for x in (jnp.abs(turn) > jnp.pi, middle))
    # The first cells with a zero have the largest rank.
    # In single precision XLA calls a library for this instead of sorting.
    places = -np.arange(holds.shape[1], dtype=np.float32)[None, :]
    rank, first = lax.top_k(jnp.where(holds, places, -jnp.inf), FOLLOWED)
    return jnp.where(rank > -jnp.inf, jnp.take_along_axis(middle, first, axis=1), jnp.nan)


def _wrapped(phase: Float[Array, "..."]) -> Float[Array, "..."]:
    """The phase, between -pi and pi."""
    return phase - 2.0 * jnp.pi * jnp.round(phase / (2.0 * jnp.pi))


def _cleared(sheet: Sheet, sector: Sector) -> Callable[[Array], Array]:
    """1/G times factors that cancel its poles, those of J."""
    return lambda z: sheet.continued_inverse(z, sector) * _clearing(sheet, z, sector)


def _clearing(sheet: Sheet, z: Complex[Array, "..."], sector: Sector) -> Complex[Array, "..."]:
    """The factors that cancel poles of J in 1/G, continued from a sector for each row of z."""
    own = sheet.density_poles
    if not own.size:
        return jnp.ones_like(z)
    reached = sheet.reached(sector)
    rows, rest = reached.shape[:-1], (1,) * (z.ndim - reached.ndim + 1)
    apart = z[..., None] - own.reshape((1,) * z.ndim + own.shape)
    return jnp.prod(jnp.where(reached.reshape(*rows, *rest, own.size), apart, 1.0), axis=-1)


def with_slope(function: Callable[[Array], Array], x: Array) -> tuple[Array, Array]:
    """f(x) and f'(x), of each number by itself."""
    return jax.jvp(function, (x,), (jnp.ones_like(x),))
