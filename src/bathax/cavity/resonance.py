r"""u and v at any time at once: bound states, resonances and what is left of the cut.

u(t) = (i/2pi) \int dw G(w + i0) e^{-iwt}. The line is pushed into the lower half plane, up to lines
e + r e^{-i theta} from every edge e of the support:

u(t) = sum_b Z_b e^{-i w_b t} + sum_p R_p e^{-i z_p t}
     + sum_e \int dz [J_right - J_left](z) G_left(z) G_right(z) e^{-izt},

left and right of a line being G and J continued from the two sides of the edge (AHZ Eq. 15, which
it is for theta -> 0). The lines are integrated by the trapezoidal rule in log r. Of a pole whose
place among the nodes is xi, complex, the rule takes the part 1 / (1 - e^{-2 pi i xi}), and exactly
the rest is left for the sum over resonances: neither how close to a line they are matters, nor on
which side. The noise kernel g~ has J n on lines at another angle. Everything else is algebra of
exponentials, at a cost that does not depend on t.
"""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float

from bathax._checks import Scalar, are_times, is_valid, require
from bathax.cavity.green import GreenFunctions
from bathax.cavity.model import Cavity
from bathax.cavity.poles import (
    LAST,
    BoundStates,
    Poles,
    are_complete,
    continued,
    direction,
    discrete,
    edges,
    ends_of,
    first_inverse,
    intervals,
    lines,
    require_analytic,
)
from bathax.cavity.solvers import Estimate, Solver, judged, largest_size
from bathax.numerics.elementary import phase_factor
from bathax.numerics.exponential_sum import (
    ExponentialSum,
    Terms,
    convolution,
    overlap,
    together,
)
from bathax.numerics.quadrature import half_line_position
from bathax.reservoir.occupation import BoseEinstein, Uniform
from bathax.reservoir.tabulated import Tabulated

# Angles of the lines of u and of g~ below the real axis. The poles of n(w) are at pi/2.
ANGLE, NOISE_ANGLE = 0.55, 0.8
# Before this time in units of the bandwidth's inverse, lines that are cut off do not tell much.
SOON = 1e-3
# What that makes of v in a finite band, where G falls off slowly.
BAND = 1e-11
ROUNDING = 64.0 * jnp.finfo(float).eps


class Resonance(Solver):
    r"""The exact solution as a sum of exponentials, at a cost that does not depend on the times.

    For spectral densities that are analytic off the ends of their support (all but
    `DiscreteModes`; of `Tabulated` its `rational` fit, outside of `jit`) and thermal or uniform
    occupations. `nodes`, an even number, is how many exponentials stand for the cut of each edge.
    `rtol` bounds the error estimate as that of `Volterra`. Couplings, temperatures and states in a
    batch share their exponentials: under `vmap` over those a sweep is a few matrix products.

    The error estimate is the square of the relative change from half the nodes, plus rounding.
    Where the argument principle counts more resonances than have been found, it includes by how
    much u(0) = 1 is missed. Parameters at which two resonances merge (a critically damped
    `Lorentzian`) are out of reach, which shows there.
    """

    nodes: int = eqx.field(static=True, default=512)
    rtol: float = eqx.field(static=True, default=1e-9)

    def __check_init__(self) -> None:
        even = self.nodes >= 64 and self.nodes % 2 == 0
        require("nodes", "an even number, 64 or more", self.nodes, even)
        require("rtol", "positive", self.rtol, self.rtol > 0)

    def green_functions(self, cavity: Cavity, ts: Float[Array, " times"]) -> Estimate:
        cavity = rationalised(cavity)
        require_analytic(cavity)
        require_continued(cavity)
        return _solve(cavity, ts, self.nodes, self.rtol)


def rationalised(cavity: Cavity) -> Cavity:
    """The cavity with rational functions for the tables among its densities."""

    def is_table(node: object) -> bool:
        return isinstance(node, Tabulated)

    return jax.tree.map(
        lambda node: node.rational() if is_table(node) else node, cavity, is_leaf=is_table
    )


def require_continued(cavity: Cavity) -> None:
    """Refuse an occupation that is only known on the real axis."""
    for bath in cavity.reservoirs:
        known = isinstance(bath.occupation, BoseEinstein | Uniform)
        require("occupation", "thermal or uniform", f"{bath.occupation}", known)


@eqx.filter_jit
def _solve(cavity: Cavity, ts: Float[Array, " times"], nodes: int, rtol: float) -> Estimate:
    valid = is_valid(cavity) & are_times(ts)
    cuts, (bound, poles) = Cuts.of(cavity, nodes), discrete(cavity)
    u = propagator(cavity, bound, poles, cuts)
    c = _driven(cavity, cuts, u)
    green = _green(cavity, u[0], c[0], ts)
    error, relative = lax.stop_gradient(_uncertainty(cavity, (poles, cuts, u, c), green))
    return judged(green, error, valid, relative <= rtol)


class Cuts(eqx.Module):
    """G and J n on lines from every edge: what stands for the branch cut of G, and of g~.

    The amplitudes are those of two rules, of all nodes and of every second one.
    """

    z: Complex[Array, "edges nodes"]
    amplitudes: Complex[Array, "2 edges nodes"]
    noise_z: Complex[Array, "edges nodes"]
    noise_amplitudes: Complex[Array, "2 edges nodes"]

    @staticmethod
    def of(cavity: Cavity, nodes: int) -> "Cuts":
        """Evaluated at so many nodes from each edge."""
        z, dz = lines(cavity, ANGLE, nodes)
        noise_z, noise_dz = lines(cavity, NOISE_ANGLE, nodes)
        rules = both_rules(nodes)
        spectrum, noise = dz[None] * _spectrum(cavity, z), noise_dz[None] * _noise(cavity, noise_z)
        return Cuts(z, rules * spectrum[None], noise_z, rules * noise[None])


def both_rules(nodes: int) -> Complex[np.ndarray, "2 1 nodes"]:
    """1 for each node, and 2 for every second one."""
    rules = np.stack([np.ones(nodes), 2.0 * (np.arange(nodes) % 2 == 0)])
    return rules.astype(complex)[:, None, :]


def _spectrum(cavity: Cavity, z: Complex[Array, "edges nodes"]) -> Complex[Array, "edges nodes"]:
    """[J_right - J_left] G_left G_right."""
    left, right = jumped(cavity.continued_density, cavity, z)
    first = first_inverse(cavity, z)
    return (right - left) / ((first + 2j * jnp.pi * left) * (first + 2j * jnp.pi * right))


def _noise(cavity: Cavity, z: Complex[Array, "edges nodes"]) -> Complex[Array, "edges nodes"]:
    """[J_right - J_left] n, summed over the reservoirs."""
    total = jnp.zeros_like(z)
    for bath in cavity.reservoirs:
        left, right = jumped(bath.spectral_density.continued, cavity, z)
        total += (right - left) * bath.occupation(z)
    return total


def jumped(
    density: Callable[[Array, Array], Array], cavity: Cavity, z: Complex[Array, "edges nodes"]
) -> tuple[Complex[Array, "edges nodes"], Complex[Array, "edges nodes"]]:
    """A density continued to lines from both sides of their edges."""
    sides = intervals(cavity)
    return continued(density, z, sides[:-1]), continued(density, z, sides[1:])


def propagator(cavity: Cavity, bound: BoundStates, poles: Poles, cuts: Cuts) -> ExponentialSum:
    """u(t), by both rules.

    With one edge only the least damped resonances oscillate for long against the cut, one more than
    there are poles of J: the others are counted to it.
    """
    count, nodes = cuts.z.shape
    own = sum(bath.spectral_density.poles[0].shape[0] for bath in cavity.reservoirs)
    rank = np.asarray([poles.sector[:k].count(m) for k, m in enumerate(poles.sector)], int)
    slow = rank < (2 + own if count <= 1 else rank.size)
    weights = jnp.broadcast_to(bound.residues.astype(complex), (2, bound.residues.shape[0]))
    found = Terms(poles.frequencies, poles.residues[None, :] * share(cavity, poles, nodes))
    known = Terms.joined(Terms(bound.placed, weights), found[np.flatnonzero(slow)])
    damped = () if slow.all() else (found[np.flatnonzero(~slow)],)
    return ExponentialSum(known, (*_by_edge(cuts.z, cuts.amplitudes), *damped))


def _by_edge(
    z: Complex[Array, "edges nodes"], amplitudes: Complex[Array, "2 edges nodes"]
) -> tuple[Terms, ...]:
    return tuple(Terms(z[m], amplitudes[:, m], m) for m in range(z.shape[0]))


def share(cavity: Cavity, poles: Poles, nodes: int) -> Complex[Array, "2 poles"]:
    """The part of the poles that the lines leave, by both rules.

    1 for those between the lines from the ends of their interval, 0 for those beyond.
    """
    return part_left(cavity, poles.frequencies, ends_of(cavity, poles.sector), ANGLE, nodes)


def part_left(
    cavity: Cavity, z: Complex[Array, " poles"], ends: Sequence[Array], angle: float, nodes: int
) -> Complex[Array, "2 poles"]:
    """The part of poles that lines from the ends of an interval leave, by both rules."""
    if not z.size:
        return jnp.zeros((2, 0), complex)
    end = jnp.stack(ends)
    there = jnp.isfinite(end)
    corner = jnp.where(there, end, z.real[None, :] - cavity.frequency).astype(complex)
    of_all = half_line_position((z[None, :] - corner) / direction(cavity, angle), LAST, 1)
    xi = np.array([nodes, nodes / 2], complex).reshape(2, 1, 1) * of_all[None]
    # e^{+-50} is as good as 0 or infinity, and has derivatives.
    xi = lax.complex(xi.real, jnp.clip(xi.imag, -8.0, 8.0))
    above = 1.0 / (1.0 - jnp.exp(2j * jnp.pi * xi))
    # All poles are above a lower end at -infinity, none above an upper one at +infinity.
    above = jnp.where(there[None], above, np.array([1.0, 0.0], complex).reshape(1, 2, 1))
    return above[:, 0] - above[:, 1]


def _driven(cavity: Cavity, cuts: Cuts, u: ExponentialSum) -> ExponentialSum:
    """g~ * u; a single uniform occupation n makes it n g * u = -n (u' + i w_s u)."""
    first, *others = (bath.occupation for bath in cavity.reservoirs)
    if isinstance(first, Uniform) and not others:
        drift = u.with_moment(cavity.frequency.astype(complex))[1]
        return drift.scaled(-first.number.astype(complex))
    return convolution(noise_kernel(cavity, cuts), u)


def noise_kernel(cavity: Cavity, cuts: Cuts) -> ExponentialSum:
    """g~(t), by both rules."""
    nodes = cuts.noise_z.shape[1]
    poles = [
        Terms(
            z,
            (masses * bath.occupation(z))[None, :] * part_left(cavity, z, ends, NOISE_ANGLE, nodes),
        )
        for bath in cavity.reservoirs
        for z, masses, *ends in [bath.spectral_density.poles]
    ]
    return ExponentialSum(Terms.joined(*poles), _by_edge(cuts.noise_z, cuts.noise_amplitudes))


def _green(
    cavity: Cavity, u: ExponentialSum, c: ExponentialSum, ts: Float[Array, " times"]
) -> GreenFunctions:
    """u, u', v, v' from u and c = g~ * u, exact at t = 0."""
    later, level = (ts > 0.0)[None, :], cavity.frequency.astype(complex)
    found = overlap(u, c, ts, level, cavity.bandwidth)
    values, drifts = jnp.where(later, found.f, np.array([[1.0], [0.0]], complex))
    noise = jnp.where(later[0], found.g, 0.0)
    number, work = jnp.where(later, found.integrals, 0.0)
    exchange = values.conj() * noise
    return GreenFunctions(
        ts,
        values,
        drifts - 1j * level * values,
        2.0 * number.real,
        2.0 * exchange.real,
        4.0 * work.imag - 2.0 * exchange.imag,
    )


def _uncertainty(
    cavity: Cavity,
    parts: tuple[Poles, Cuts, ExponentialSum, ExponentialSum],
    green: GreenFunctions,
) -> tuple[GreenFunctions, Scalar]:
    """Estimated errors, and the largest of u, u', v, v' relative to their sizes.

    Differences between the rules and rounding, what has been missed or cut off, and what fitted
    densities do not know.
    """
    poles, cuts, u, c = _constant(parts)
    cavity, green = lax.stop_gradient((cavity, green))
    missing = jnp.where(are_complete(cavity, poles), 0.0, jnp.abs(u.start[0] - 1.0))
    missing = jnp.where(missing < 1e-3, missing, jnp.inf)
    floor = (_rounding(cavity, poles, cuts, u[0], green.t), missing)
    error, relative = _error(cavity, green, Change.between(cavity, u, c, green.t[-1]), floor)
    fitted = _fitted(cavity, green)
    lost = _cut_off(cavity, c[0], green)
    total = jax.tree.map(lambda *each: sum(each[1:], each[0]), error, lost, fitted)
    return total, jnp.maximum(relative, jnp.max(fitted.u))


def _constant(tree: Any) -> Any:
    """Constant to differentiation; arrays that were one and the same remain so."""
    leaves, structure = jax.tree.flatten(tree)
    known = {id(leaf): leaf for leaf in leaves}
    stopped = dict(zip(known, lax.stop_gradient(list(known.values())), strict=True))
    return jax.tree.unflatten(structure, [stopped[id(leaf)] for leaf in leaves])


class Change(eqx.Module):
    """How much two rules for u and c differ, and the size of what they agree on.

    Of u, u' + i w_s u, v' and the integrand of the pull, at a few times up to the last one: the
    difference is of integrals over the lines, smooth in the logarithm of time.
    """

    last: Scalar
    difference: tuple[Scalar, ...]
    size: tuple[Scalar, ...]

    @staticmethod
    def between(cavity: Cavity, u: ExponentialSum, c: ExponentialSum, last: Scalar) -> "Change":
        """Of u and c by two rules, the finer one first."""
        ts = jnp.maximum(last * 2.0 ** -np.arange(0.0, 16.0, 0.25), SOON / cavity.bandwidth)
        both = u.with_moment(cavity.frequency.astype(complex))
        (value, drift), noise = together([both.parts, c.parts], ts)
        values = jnp.stack(
            [value, drift, 2.0 * (value.conj() * noise), 4.0 * (drift.conj() * noise)]
        )
        difference = jnp.max(jnp.abs(values[:, 0] - values[:, 1]), axis=-1)
        return Change(last, tuple(difference), tuple(jnp.max(jnp.abs(values[:, 0]), axis=-1)))


def _error(
    cavity: Cavity,
    green: GreenFunctions,
    change: Change,
    floor: tuple[Float[Array, " times"], Scalar],
) -> tuple[GreenFunctions, Scalar]:
    """Estimated errors, and the largest of u, u', v, v' relative to their sizes.

    The squared change from half the nodes and a floor, relative by rounding and absolute by what
    is missing. v and the pull are integrals, whose change is at most that of the integrand times
    the time.
    """
    rounding, missing = floor
    u, drift, exchange, work = change.difference
    _, largest_drift, largest_exchange, _ = change.size
    # Differences, and the sizes they are relative to.
    parts = [
        (u, jnp.ones(())),
        (drift + cavity.frequency * u, largest_drift + cavity.frequency),
        (change.last * exchange, largest_size(green.v)),
        (exchange, largest_exchange),
        (exchange + change.last * work, largest_size(green.pull) + largest_exchange),
    ]

    def relative(difference: Scalar, size: Scalar) -> Array:
        change = difference / jnp.where(size > 0.0, size, 1.0)
        return jnp.minimum(change, change**2) + rounding

    errors = [relative(*part) for part in parts]
    absolute = [error * size + missing for error, (_, size) in zip(errors, parts, strict=True)]
    largest = missing + jnp.max(jnp.stack(errors[:4]))
    return _like(green, jnp.zeros_like(green.t), *absolute), largest


def _rounding(
    cavity: Cavity, poles: Poles, cuts: Cuts, u: ExponentialSum, t: Float[Array, " times"]
) -> Float[Array, " times"]:
    """Relative errors by rounding: of sums, of phases z t, and of nodes close to a pole.

    1/G is known to 16 eps (w_s + |z|), the sum for Sigma included, and R / (z - z_p) at a distance
    from a pole therefore relative to that times R over the distance.
    """
    z, amplitudes = u.poles.frequencies, jnp.abs(u.poles.amplitudes)
    lasting = jnp.exp(jnp.minimum(z.imag, 0.0)[:, None] * t[None, :])
    turned = t * jnp.sum((amplitudes * jnp.abs(z))[:, None] * lasting, axis=0)
    distances = jnp.abs(poles.frequencies[None, :] - cuts.z.ravel()[:, None])
    nearest = jnp.min(distances, axis=0, initial=jnp.inf)
    scale = cavity.frequency + jnp.abs(poles.frequencies)
    close = jnp.sum(jnp.abs(poles.residues) ** 2 * scale / nearest)
    rounding = ROUNDING * (u.weight + 0.25 * turned + 0.25 * close)
    return rounding + BAND if edges(cavity).shape[0] > 1 else rounding


def _cut_off(cavity: Cavity, c: ExponentialSum, green: GreenFunctions) -> GreenFunctions:
    """What is lost beyond the ends of the lines.

    c(0) = 0 shows it for v. In a finite band G falls off so slowly that at the very start u is not
    better known than u(0) is.
    """
    band = edges(cavity).shape[0] > 1
    unclear = band & (green.t * cavity.bandwidth < SOON)
    start = phase_factor(-cavity.frequency * green.t)
    exchange = 2.0 * jnp.abs(c.start) * jnp.ones_like(green.t)
    return _like(
        green,
        jnp.zeros_like(green.t),
        jnp.where(unclear, jnp.abs(green.u - start), 0.0),
        jnp.where(unclear, jnp.abs(green.drift(cavity.frequency)), 0.0),
        green.t * exchange,
        exchange,
        exchange,
    )


def _fitted(cavity: Cavity, green: GreenFunctions) -> GreenFunctions:
    """What fitted densities miss: |du| <= t int |dg| ds and so on, to first order.

    With as many quanta in it as v shows, or one.
    """
    missed = sum((bath.spectral_density.uncertainty for bath in cavity.reservoirs), jnp.zeros(()))
    of_u = missed * green.t
    of_rate = missed + cavity.frequency * of_u
    quanta = 2.0 * (1.0 + largest_size(green.v))
    of_noise = (quanta * of_u, quanta * of_rate, quanta * of_rate)
    return _like(green, jnp.zeros_like(of_u), of_u, of_rate, *of_noise)


def _like(green: GreenFunctions, *values: Float[Array, "..."]) -> GreenFunctions:
    """A real number for each quantity, in their order."""
    return jax.tree.unflatten(jax.tree.structure(green), values)
