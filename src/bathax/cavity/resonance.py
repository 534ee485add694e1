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

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float

from bathax._checks import are_times, is_valid, require, require_positive, require_whole
from bathax._estimate import Estimate, judged
from bathax._programs import program
from bathax.cavity.green import GreenFunctions
from bathax.cavity.merging import merged
from bathax.cavity.model import Cavity
from bathax.cavity.poles import BoundStates, Poles, discrete
from bathax.cavity.ring import LOWER, ORDER, Rings
from bathax.cavity.sheet import (
    LAST,
    continued,
    direction,
    ends_of,
    first_inverse,
    intervals,
    lines,
    require_analytic,
    taper,
)
from bathax.cavity.solvers import Solver
from bathax.cavity.uncertainty import Expansion, common_filling, uncertainty
from bathax.numerics.exponential_sum import (
    ExponentialSum,
    Terms,
    convolution,
    overlap,
)
from bathax.numerics.quadrature import half_line_position
from bathax.reservoir.occupation import BoseEinstein, Uniform
from bathax.reservoir.tabulated import Tabulated

# Angles of the lines of u and of g~ below the real axis. The poles of n(w) are at pi/2.
ANGLE, NOISE_ANGLE = 0.55, 0.8


class Resonance(Solver):
    r"""The exact solution as a sum of exponentials, at a cost that does not depend on the times.

    For spectral densities that are analytic off the ends of their support (all but
    `DiscreteModes`; of `Tabulated` its `rational` fit, outside of `jit`) and thermal or uniform
    occupations. `nodes`, an even number, is how many exponentials stand for the cut of each edge.
    `rtol` bounds the error estimate as that of `Volterra`. Couplings, temperatures and states in a
    batch share their exponentials: under `vmap` over those a sweep is a few matrix products.

    The error estimate is the square of the relative change from half the nodes, plus rounding.
    Where the argument principle counts more resonances than have been found, it includes by how
    much u(0) = 1 is missed. Two resonances may merge, as those of a critically damped `Lorentzian`
    do, and a pole may be at an edge of the support; three that merge are out of reach, which shows
    there.
    """

    nodes: int = eqx.field(static=True, default=512)
    rtol: float = eqx.field(static=True, default=1e-9)

    def __check_init__(self) -> None:
        require_whole("nodes", self.nodes, 64)
        require("nodes", "an even number, 64 or more", self.nodes, self.nodes % 2 == 0)
        require_positive("rtol", self.rtol)

    def green_functions(
        self, cavity: Cavity, ts: Float[Array, " times"]
    ) -> Estimate[GreenFunctions]:
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


@program
def _solve(
    cavity: Cavity, ts: Float[Array, " times"], nodes: int, rtol: float
) -> Estimate[GreenFunctions]:
    valid = is_valid(cavity) & are_times(ts)
    rings = Rings.of(cavity, ts[-1])
    bound, found = discrete(cavity)
    bound, poles = rings.without(bound, merged(cavity, found, ts[-1]))
    cut = spectral_cut(cavity, rings, nodes)
    u = propagator(cavity, bound, poles, cut)
    c = _driven(cavity, u, nodes)
    green = _green(cavity, u[0], c[0], ts)
    expansion = Expansion(found, poles, cut.z, u, c)
    error, relative = uncertainty(cavity, expansion, green, ts)
    return judged(ts, green, error, valid=valid, reached=relative <= rtol)


class Cut(eqx.Module):
    """What stands for the branch cut of a function: exponentials that begin at every edge.

    The amplitudes are those of two rules, of all nodes and of every second one.
    """

    z: Complex[Array, "edges nodes"]
    amplitudes: Complex[Array, "2 edges nodes"]

    @property
    def by_edge(self) -> tuple[Terms, ...]:
        """The exponentials of each edge."""
        return tuple(Terms(z, self.amplitudes[:, m], m) for m, z in enumerate(self.z))


def spectral_cut(cavity: Cavity, rings: Rings, nodes: int) -> Cut:
    """The cut of G: so many nodes on a line from each edge, and the ring about it."""
    z, dz = lines(cavity, ANGLE, nodes)
    left, right = jumped(cavity.continued_density, cavity, z)
    first = first_inverse(cavity, z)
    both = (first + 2j * jnp.pi * left) * (first + 2j * jnp.pi * right)
    window = rings.window(z)
    spectrum = (
        dz[None]
        * taper(cavity, z, ANGLE)
        * window
        * (right - left)
        / jnp.where(window == 0.0, 1.0, both)
    )
    on_ring = rings.mean(_on_rings(cavity, rings, nodes))
    on_lines = jnp.asarray(both_rules(nodes)) * spectrum[None]
    return Cut(
        jnp.concatenate([rings.nodes, z], axis=1), jnp.concatenate([on_ring, on_lines], axis=2)
    )


def noise_cut(cavity: Cavity, nodes: int) -> Cut:
    """The cut of g~: J n on lines."""
    z, dz = lines(cavity, NOISE_ANGLE, nodes)
    noise = dz[None] * taper(cavity, z, NOISE_ANGLE) * _noise(cavity, z)
    return Cut(z, jnp.asarray(both_rules(nodes)) * noise[None])


def both_rules(nodes: int) -> Complex[np.ndarray, "2 1 nodes"]:
    """1 for each node, and 2 for every second one."""
    rules = np.stack([np.ones(nodes), 2.0 * (np.arange(nodes) % 2 == 0)])
    return rules.astype(complex)[:, None, :]


def _on_rings(cavity: Cavity, rings: Rings, nodes: int) -> Complex[Array, "2 edges ring"]:
    """G on the rings: on the first sheet above the real axis, what the lines leave below it."""
    z, total = rings.below, jnp.zeros((2, *rings.below.shape), complex)
    for sector, side in enumerate(intervals(cavity)):
        ends = ends_of(cavity, np.full(z.size, sector))
        left = part_left(cavity, z.ravel(), ends, ANGLE, nodes).reshape(total.shape)
        density = continued(cavity.continued_density, z, jnp.full(z.shape[:1], side))
        total += left / (rings.inverse + 2j * jnp.pi * density)[None]
    return jnp.where(LOWER, total, (1.0 / rings.inverse).conj()[None])


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


def propagator(cavity: Cavity, bound: BoundStates, poles: Poles, cut: Cut) -> ExponentialSum:
    """u(t), by both rules.

    With one edge only the least damped resonances oscillate for long against the cut, one more than
    there are poles of J: the others are counted to it.
    """
    count, nodes = cut.z.shape[0], cut.z.shape[1] - ORDER
    own = sum(bath.spectral_density.poles[0].shape[0] for bath in cavity.reservoirs)
    rank = np.asarray([poles.sector[:k].count(m) for k, m in enumerate(poles.sector)], int)
    slow = rank < (2 + own if count <= 1 else rank.size)
    weights = jnp.broadcast_to(bound.residues.astype(complex), (2, bound.residues.shape[0]))
    left = share(cavity, poles, nodes) * taper(cavity, poles.frequencies[None, :], ANGLE)
    found = Terms(poles.frequencies, poles.residues[None, :] * left)
    known = Terms.joined(Terms(bound.placed, weights), found[np.flatnonzero(slow)])
    damped = () if slow.all() else (found[np.flatnonzero(~slow)],)
    return ExponentialSum(known, (*cut.by_edge, *damped))


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
    xi = jnp.array([nodes, nodes / 2], complex).reshape(2, 1, 1) * of_all[None]
    # e^{+-50} is as good as 0 or infinity, and has derivatives.
    xi = lax.complex(xi.real, jnp.clip(xi.imag, -8.0, 8.0))
    above = 1.0 / (1.0 - jnp.exp(2j * jnp.pi * xi))
    # All poles are above a lower end at -infinity, none above an upper one at +infinity.
    above = jnp.where(there[None], above, np.array([1.0, 0.0], complex).reshape(1, 2, 1))
    return above[:, 0] - above[:, 1]


def _driven(cavity: Cavity, u: ExponentialSum, nodes: int) -> ExponentialSum:
    """g~ * u, which is n g * u = -n (u' + i w_s u) where g~ is proportional to g."""
    filling = common_filling(cavity)
    if filling is not None:
        drift = u.with_moment(cavity.frequency.astype(complex))[1]
        return drift.scaled(-filling.astype(complex))
    return convolution(noise_kernel(cavity, nodes), u)


def noise_kernel(cavity: Cavity, nodes: int) -> ExponentialSum:
    """g~(t), by both rules."""
    poles = [
        Terms(
            z,
            (masses * bath.occupation(z))[None, :] * part_left(cavity, z, ends, NOISE_ANGLE, nodes),
        )
        for bath in cavity.reservoirs
        for z, masses, *ends in [bath.spectral_density.poles]
    ]
    return ExponentialSum(Terms.joined(*poles), noise_cut(cavity, nodes).by_edge)


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
        u=values,
        du=drifts - 1j * level * values,
        v=2.0 * number.real,
        dv=2.0 * exchange.real,
        pull=4.0 * work.imag - 2.0 * exchange.imag,
    )
