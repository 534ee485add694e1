r"""Bound states and resonances: the poles of the propagator G(z) = 1 / (z - w_s - Sigma(z)).

On its first sheet G has poles only on the real axis outside the support of J, the bound states, of
which every gap holds at most one. Continued through the support into the lower half plane,
1 / G_II = 1 / G + 2 pi i J, it has complex ones, the resonances: a frequency and half a width.
"""

import math
from collections.abc import Callable

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
WEDGE, NARROWER = 1.0, 0.9
# Newton's method is done when a step is shorter than this part of the distance to an edge.
CONVERGED = 1e-8
# Resonances kept in each sector, and cells of each grid that are followed to find them.
MOST, FOLLOWED = 8, 8


class Poles(eqx.Module):
    """Frequencies and residues of G, of which only those count that exist."""

    frequencies: Complex[Array, " poles"]
    residues: Complex[Array, " poles"]
    exist: Bool[Array, " poles"]


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
    return jnp.sort(jnp.asarray([*known, *others], float)) if points else jnp.zeros(0)


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


def intervals(system: OpenSystem) -> Float[Array, " intervals"]:
    """A frequency within each interval between the edges, and outside of the first and last."""
    ends = edges(system)
    if not ends.shape[0]:
        return system.frequency[None]
    unit = system.frequency
    middles = 0.5 * (ends[1:] + ends[:-1])
    return jnp.concatenate([ends[:1] - unit, middles, ends[-1:] + unit])


def inverse(system: OpenSystem, z: Complex[Array, "..."], through: Scalar) -> Complex[Array, "..."]:
    """1 / G(z) in the lower half plane, continued from the real frequency `through`."""
    return first_inverse(system, z) + 2j * jnp.pi * system.continued_density(z, through)


def first_inverse(system: OpenSystem, z: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """1 / G(z) in the lower half plane on the first sheet, where Sigma(z*) = Sigma(z)*."""
    return z - system.frequency.astype(complex) - system.self_energy(z.conj()).conj()


def lines(
    system: OpenSystem, angle: float, nodes: int
) -> tuple[Complex[Array, "edges nodes"], Complex[Array, " nodes"]]:
    """Nodes on lines at an angle below the real axis from each edge, and dz."""
    r, dr = (jnp.asarray(part, complex) for part in half_line(LAST, nodes))
    along = direction(system, angle)
    return jnp.add.outer(edges(system).astype(complex), along * r), along * dr


def direction(system: OpenSystem, angle: float) -> Complex[Array, ""]:
    """One unit of distance along a line: the bandwidth, to a power of the root of 2.

    So nodes stay where they are while parameters vary: integrals along lines do not depend on them,
    and their derivatives are those of the sums that stand for them.
    """
    bandwidth = jnp.exp2(0.5 * jnp.round(2.0 * jnp.log2(lax.stop_gradient(system.bandwidth))))
    return bandwidth.astype(complex) * jnp.exp(-1j * jnp.asarray(angle, complex))


def _with_slope(function: Callable[[Array], Array], x: Array) -> tuple[Array, Array]:
    return jax.jvp(function, (x,), (jnp.ones_like(x),))


def _polished(function: Callable[[Array], Array], root: Array) -> Array:
    """Two steps of Newton's method, which also carry the derivatives of an implicit function."""
    root = lax.stop_gradient(root)
    for _ in range(2):
        value, slope = _with_slope(function, root)
        root = root - value / slope
    return root


def require_analytic(system: OpenSystem) -> None:
    """Refuse a reservoir whose spectral density has no analytic continuation."""
    for bath in system.reservoirs:
        density = bath.spectral_density
        words = "analytic off the ends of its support"
        known = density.support is not None
        require("spectral_density", words, f"{density}, which is not known to be", known)


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
    ends = edges(system)
    if not ends.shape[0]:
        return BoundStates(jnp.zeros(0), jnp.zeros(0), jnp.zeros(0, bool))
    gaps = np.flatnonzero([covered is not True for covered in coverage(system)])
    outside = system.spectral_density(intervals(system)) == 0.0

    def excess(w: Float[Array, "..."]) -> Float[Array, "..."]:
        return w - system.frequency - system.self_energy(w.astype(complex)).real

    at_ends = excess(ends)
    low = jnp.concatenate([jnp.minimum(ends[:1], (ends - at_ends)[:1]), ends])
    high = jnp.concatenate([ends, jnp.maximum(ends[-1:], (ends - at_ends)[-1:])])
    rises = jnp.concatenate([jnp.ones(1, bool), at_ends < 0.0])
    passes = jnp.concatenate([at_ends > 0.0, jnp.ones(1, bool)])
    exist = (outside & rises & passes)[gaps]
    low, high = lax.stop_gradient((low[gaps], high[gaps]))
    frequencies = _root(excess, low, high, exist)
    _, slope = _with_slope(excess, frequencies)
    return BoundStates(
        jnp.where(exist, frequencies, jnp.nan), jnp.where(exist, 1.0 / slope, 0.0), exist
    )


def _root(
    excess: Callable[[Array], Array],
    low: Float[Array, " gaps"],
    high: Float[Array, " gaps"],
    exist: Bool[Array, " gaps"],
) -> Float[Array, " gaps"]:
    """The root of an increasing function in each bracket, with implicit derivatives."""

    def halve(_: Int[Array, ""], bracket: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = bracket
        middle = 0.5 * (low + high)
        above = lax.stop_gradient(excess(middle)) > 0.0
        return jnp.where(above, low, middle), jnp.where(above, middle, high)

    low, high = lax.fori_loop(0, BISECTIONS, halve, (low, high))
    return _polished(excess, jnp.where(exist, 0.5 * (low + high), low - 1.0))


# --- resonances ------------------------------------------------------------------------------


class Resonances(Poles):
    """Resonances z_p = w_p - i Gamma_p / 2 and their residues R_p, the least damped ones first.

    Of as many as fit, those count that `exist`; the others are NaN with R = 0. `complete` says
    whether those within `WEDGE` below the real axis are as many as the argument principle counts.
    """

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
    z, residues, exist = (
        jnp.concatenate([getattr(poles, name) for poles in found])
        for name in ("frequencies", "residues", "exist")
    )
    order = jnp.argsort(jnp.where(exist, -z.imag, jnp.inf))
    z = jnp.where(exist, z, jnp.nan)
    return Resonances(z[order], residues[order], exist[order], are_complete(system, found))


def are_complete(system: OpenSystem, found: list[Poles]) -> Bool[Array, ""]:
    """Whether all zeros of 1/G within `WEDGE` below the real axis are among the poles found."""

    def agrees(m: int, poles: Poles, wedge: float) -> Bool[Array, ""]:
        own, reached = _own_poles(system, intervals(system)[m])
        inside = jnp.sum(poles.exist & _in_wedge(system, poles.frequencies, m, wedge))
        poles_of_density = jnp.sum(reached & _in_wedge(system, own, m, wedge))
        missed = _winding(system, m, wedge) - (inside - poles_of_density).astype(float)
        return jnp.abs(missed) < 0.5

    def is_complete(m: int, poles: Poles) -> Bool[Array, ""]:
        gap = system.spectral_density(intervals(system)[m]) == 0.0
        return gap | agrees(m, poles, WEDGE) | agrees(m, poles, NARROWER)

    searched = [is_complete(m, poles) for m, poles in enumerate(found) if poles.exist.size]
    return jnp.all(jnp.stack(searched))


def _in_wedge(
    system: OpenSystem, z: Complex[Array, " z"], m: int, wedge: float
) -> Bool[Array, " z"]:
    """Between the lines at such an angle from the ends of the m-th interval."""
    ends, inside = edges(system), jnp.ones(z.shape, bool)
    if m > 0:
        inside &= -jnp.angle(z - ends[m - 1].astype(complex)) < wedge
    if m < ends.shape[0]:
        inside &= -jnp.angle(z - ends[m].astype(complex)) > wedge
    return inside


def _winding(system: OpenSystem, m: int, wedge: float) -> Float[Array, ""]:
    r"""How often 1/G, continued from the m-th interval, winds about 0 along the boundary.

    On the interval itself Im 1/G >= 0 and the phase of 1/G is between 0 and pi. From its ends it is
    followed along the lines, far out on which 1/G is z.
    """
    through = intervals(system)[m]
    z, _ = lines(system, wedge, 512)

    def far(z: Complex[Array, " nodes"]) -> Scalar:
        """The phase of 1/G at the far end of a line."""
        values = inverse(system, z, through)
        start = jnp.arctan2(jnp.maximum(values[0].imag, 0.0), values[0].real)
        return start + jnp.sum(jnp.angle(values[1:] / values[:-1]))

    left = far(z[m - 1]) if m > 0 else 2.0 * jnp.pi - wedge
    right = far(z[m]) if m < z.shape[0] else -wedge
    return jnp.asarray((left - right) / (2.0 * jnp.pi))


def _own_poles(system: OpenSystem, through: Scalar) -> tuple[Array, Array]:
    """Poles of the spectral densities themselves, and which `through` leads to."""
    poles = [bath.spectral_density.poles for bath in system.reservoirs]
    z, _, low, high = joined_poles(poles)
    return z, (low < through) & (through < high)


def sector_poles(system: OpenSystem) -> list[Poles]:
    """Poles of G in the lower half plane, continued from each interval of the real axis.

    At most `MOST` for each interval, the least damped ones, but all where J is rational. With
    derivatives of implicit functions.
    """
    none = Poles(jnp.zeros(0, complex), jnp.zeros(0, complex), jnp.zeros(0, bool))
    return [
        none if covered is False else _found(system, m)
        for m, covered in enumerate(coverage(system))
    ]


def _found(system: OpenSystem, m: int) -> Poles:
    """The poles continued from the m-th interval; none where it is a gap."""
    through = intervals(system)[m]
    fixed = lax.stop_gradient(system)
    z, exist = _search(fixed, m) if edges(system).shape[0] else _rational(fixed)
    away = through.astype(complex) - NOWHERE * system.frequency.astype(complex)
    z = _polished(lambda z: inverse(system, z, through), jnp.where(exist, z, away))
    _, slope = _with_slope(lambda z: inverse(system, z, through), z)
    return Poles(jnp.where(exist, z, away), jnp.where(exist, 1.0 / slope, 0.0), exist)


def _cleared(system: OpenSystem, through: Scalar) -> Callable[[Array], Array]:
    """1/G, continued, times the factors that cancel poles of J."""
    own, reached = _own_poles(system, through)

    def function(z: Complex[Array, "..."]) -> Complex[Array, "..."]:
        apart = jnp.subtract.outer(z, own)
        factors = jnp.where(jnp.broadcast_to(reached, apart.shape), apart, 1.0)
        return inverse(system, z, through) * jnp.prod(factors, axis=-1)

    return function


def _newton(
    function: Callable[[Array], Array],
) -> Callable[[Complex[Array, "..."]], Complex[Array, "..."]]:
    """The step of Newton's method, to be subtracted."""

    def step(z: Complex[Array, "..."]) -> Complex[Array, "..."]:
        value, slope = _with_slope(function, z)
        return value / slope

    return step


def _rational(system: OpenSystem) -> tuple[Array, Array]:
    """All zeros where J is rational, one more than it has poles: Aberth's method.

    It starts from each pole of J repelled by the level, and from what the sum of all leaves.
    """
    own, masses, *_ = joined_poles([bath.spectral_density.poles for bath in system.reservoirs])
    unit, newton = system.frequency.astype(complex), _newton(_cleared(system, system.frequency))
    half = 0.5 * (own - unit)
    root = jnp.sqrt(half**2 + masses)
    repelled = own - half + jnp.where((half.conj() * root).real < 0.0, -root, root)
    level = unit + jnp.sum(own - repelled)

    def advance(_: Int[Array, ""], z: Array) -> Array:
        # At a pole of J without weight, which is a root, 1/G is 0/0: it stays there.
        step, apart = jnp.nan_to_num(newton(z)), jnp.subtract.outer(z, z)
        others = jnp.sum(jnp.where(apart == 0.0, 0.0, 1.0 / apart), axis=1)
        return z - step / (1.0 - step * others)

    z = lax.fori_loop(0, NEWTON_STEPS, advance, jnp.append(repelled, level))
    good = (jnp.abs(newton(z)) < CONVERGED * system.frequency) & (z.imag <= 0.0)
    return z, good


def _search(system: OpenSystem, m: int) -> tuple[Array, Array]:
    """Where Newton's method leads from the shifted levels and from the cells of grids."""
    through, ends = intervals(system)[m], edges(system)
    function = _cleared(system, through)
    newton = _newton(function)
    starts = [_levels(system)]
    rays = jnp.asarray(np.exp(-1j * ANGLES))
    if m > 0:
        starts.append(_enclosed(function, ends[m - 1].astype(complex), rays, system))
    if m < ends.shape[0]:
        starts.append(_enclosed(function, ends[m].astype(complex), -rays.conj(), system))
    near = ends[max(m - 1, 0) : m + 1].astype(complex)

    def size(z: Array) -> Array:
        """How far from the nearest edge."""
        return jnp.min(jnp.abs(z[:, None] - near[None, :]), axis=1)

    def advance(_: Int[Array, ""], z: Array) -> Array:
        step = newton(z)
        length, farthest = jnp.abs(step), 0.5 * size(z)
        shortened = jnp.where(length > farthest, farthest / length, 1.0)
        return z - step * shortened.astype(complex)

    z = lax.fori_loop(0, NEWTON_STEPS, advance, jnp.concatenate(starts))
    good = (jnp.abs(newton(z)) < CONVERGED * size(z)) & (z.imag < 1e-12 * size(z))
    # On the real axis only those in the interval itself count: the others are bound states.
    outside = (z.real < ends[m - 1]) if m > 0 else jnp.zeros(z.shape, bool)
    if m < ends.shape[0]:
        outside |= z.real > ends[m]
    good &= ~(outside & (z.imag > -CONVERGED * size(z)))
    good &= system.spectral_density(through) > 0.0
    earlier = jnp.tril(jnp.abs(z[:, None] - z[None, :]) < 1e-6 * size(z)[:, None], -1)
    new = good & ~jnp.any(earlier & good[None, :], axis=1)
    depth = jnp.where(new, -z.imag / size(z), jnp.inf)
    chosen = jnp.argsort(depth)[:MOST]
    return z[chosen], new[chosen]


def _levels(system: OpenSystem) -> Complex[Array, " starts"]:
    """The shifted level by itself, and repelled by each pole of J.

    Near a pole z_J of J, of residue i m / 2 pi, 1/G is about z - w_s - m / (z - z_J).
    """
    unit = system.frequency.astype(complex)
    shifted = unit + system.self_energy(unit)
    shifted = lax.complex(shifted.real, -jnp.abs(shifted.imag) - 1e-12 * system.frequency)
    starts = [shifted[None]]
    for bath in system.reservoirs:
        z, masses, *_ = bath.spectral_density.poles
        middle, half = 0.5 * (z + unit), 0.5 * (z - unit)
        root = jnp.sqrt(half**2 + masses)
        starts += [middle + root, middle - root]
    return jnp.concatenate(starts)


def _enclosed(
    function: Callable[[Array], Array],
    corner: Complex[Array, ""],
    rays: Complex[Array, " rays"],
    system: OpenSystem,
) -> Complex[Array, " starts"]:
    """Cells of a polar grid about an edge around which the phase turns: where zeros are.

    The least damped come first; NaN where there are fewer.
    """
    near, chained = NEAREST * system.frequency, CHAINED * system.bandwidth
    r = jnp.concatenate(
        [
            near * (chained / near) ** (jnp.arange(NEAR) / NEAR),
            chained * (FARTHEST / CHAINED) ** jnp.linspace(0.0, 1.0, FAR),
        ]
    )
    z = corner + r.astype(complex)[None, :] * rays[:, None]
    phase = jnp.angle(function(z))
    outwards, across = _wrapped(jnp.diff(phase, axis=1)), _wrapped(jnp.diff(phase, axis=0))
    turn = outwards[:-1] + across[:, 1:] - outwards[1:] - across[:, :-1]
    middle = 0.25 * (z[1:, 1:] + z[1:, :-1] + z[:-1, 1:] + z[:-1, :-1])
    holds = (jnp.abs(turn) > jnp.pi).ravel()
    place = jnp.where(holds, jnp.cumsum(holds), 0)
    chosen = place[None, :] == 1 + jnp.arange(FOLLOWED)[:, None]
    start = jnp.sum(jnp.where(chosen, middle.ravel()[None, :], 0.0), axis=1)
    return jnp.where(jnp.any(chosen, axis=1), start, jnp.nan)


def _wrapped(phase: Float[Array, "..."]) -> Float[Array, "..."]:
    """Within half a turn of 0."""
    return phase - 2.0 * jnp.pi * jnp.round(phase / (2.0 * jnp.pi))
