r"""u and v as sums of exponentials, by contour deformation (AHZ Eq. 15).

u(t) is the Fourier transform of the propagator, (i/2pi) \int dw G(w + i0) e^{-iwt}. The contour is
deformed into the lower half plane, where e^{-izt} decays. It picks up the poles of G. The branch
cut of G on the support of J becomes a line z = e + r e^{-i theta} from every edge e of the support:

u(t) = sum_b Z_b e^{-i w_b t} + sum_p R_p e^{-i z_p t}
     + sum_e \int dz [J_right - J_left](z) G_left(z) G_right(z) e^{-izt}.

b are the bound states and p the resonances on the second Riemann sheet. "Left" and "right" mean
G and J continued from the two sides of the edge. For theta -> 0 this is AHZ Eq. 15.

`cut` integrates along the lines, `ring` treats an edge with a pole of G close to it, and
`exceptional_points` two poles of G that merge. The noise kernel g~ is a sum of the same kind, with
J n on lines at another angle. v follows from integrals of products of exponentials, at a cost that
does not depend on t.
"""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from bathax._checks import Scalar, are_times, is_valid, require, require_positive, require_whole
from bathax._estimate import Estimate, judged
from bathax._programs import program
from bathax.cavity.cut import noise_exponentials, spectral_cut
from bathax.cavity.exceptional_points import merged
from bathax.cavity.green import GreenFunctions
from bathax.cavity.poles import BoundStates, Poles, discrete
from bathax.cavity.ring import Rings
from bathax.cavity.sheet import ANGLE, Sheet, require_analytic
from bathax.cavity.solvers import Solver
from bathax.cavity.uncertainty import Expansion, uncertainty
from bathax.numerics.exponential_sum import ExponentialSum, Terms, convolution
from bathax.numerics.overlap import overlap
from bathax.reservoir.tabulated import Tabulated, with_tables
from bathax.system.models import Cavity

# Sums over times that are no multiple of this take XLA ten times as long to compile.
BLOCK = 32


class Resonance(Solver):
    r"""The exact solution as a sum of exponentials, at a cost that does not depend on the times.

    It needs thermal or uniform occupations, and spectral densities that are analytic but for the
    ends of their support: all but `DiscreteModes` and `Function`. A `Tabulated` density is replaced
    by its `rational` fit, outside of `jit`. `nodes`, an even number, is how many exponentials
    represent the branch cut at each edge. `rtol` bounds the error estimate as in `Volterra`. Under
    `vmap` over couplings, temperatures or states the batch shares its exponentials, and a sweep is
    a few matrix products.

    The error estimate is the square of the relative change from half the nodes, plus rounding.
    Where the argument principle counts more resonances than were found, the deviation from
    u(0) = 1 is added. Two resonances may merge, as those of a critically damped `Lorentzian` do,
    and a pole may lie at an edge of the support. Three that merge are not resolved; the error
    estimate shows it.

    Critical damping, |u| = e^{-lam t/2} (1 + lam t/2):

    >>> J = bx.Lorentzian(gamma0=0.5, width=1.0, center=1.0)
    >>> cavity, ts = bx.Cavity(1.0, bx.Reservoir(J)), jnp.linspace(0.0, 8.0, 9)
    >>> green = bx.Resonance().green_functions(cavity, ts).value
    >>> round(float(abs(green.u[2])), 4)  # 2 / e
    0.7358
    """

    forward: ClassVar[bool] = True

    nodes: int = eqx.field(static=True, default=512)
    rtol: float = eqx.field(static=True, default=1e-9)

    def __check_init__(self) -> None:
        require_whole("nodes", self.nodes, 64)
        require("nodes", "an even number, 64 or more", self.nodes, self.nodes % 2 == 0)
        require_positive("rtol", self.rtol)

    def green_functions(
        self, cavity: Cavity, ts: Float[Array, " times"]
    ) -> Estimate[GreenFunctions]:
        cavity = with_tables(cavity, Tabulated.rational)
        require_analytic(cavity)
        require_continued(cavity)
        return _solve(cavity, ts, self.nodes, jnp.asarray(self.rtol))


def require_continued(cavity: Cavity) -> None:
    """Refuse an occupation that is known on the real axis alone."""
    for bath in cavity.reservoirs:
        known = bath.occupation.is_analytic
        require("occupation", "thermal or uniform", f"{bath.occupation}", known)


@program
def _solve(
    cavity: Cavity, ts: Float[Array, " times"], nodes: int, rtol: Scalar
) -> Estimate[GreenFunctions]:
    valid = is_valid(cavity) & are_times(ts)
    sheet = Sheet.of(cavity)
    rings = Rings.of(sheet, ts[-1], nodes)
    bound, found = discrete(sheet)
    bound, poles = rings.without(bound, merged(sheet, found, ts[-1]))
    u = propagator(sheet, bound, poles, rings)
    c = _noise_convolution(sheet, u, nodes)
    green = _green(cavity, u[0], c[0], ts)
    expansion = Expansion(found, poles, u, c)
    error, relative = uncertainty(sheet, expansion, green, ts)
    return judged(ts, green, error, valid=valid, reached=relative <= rtol)


def propagator(sheet: Sheet, bound: BoundStates, poles: Poles, rings: Rings) -> ExponentialSum:
    """u(t), by the rule of all nodes and by that of every second node.

    Strongly damped resonances are treated like terms of the cut. If the support has at most one
    edge, only the least damped resonances count as poles, two more than J has.
    """
    cut, left = spectral_cut(sheet, rings, poles)
    count = rings.edges.shape[0]
    rank = np.asarray([poles.sector[:k].count(m) for k, m in enumerate(poles.sector)], int)
    slow = rank < (2 + sheet.density_poles.size if count <= 1 else rank.size)
    weights = jnp.broadcast_to(bound.residues.astype(complex), (2, bound.residues.shape[0]))
    tapered = poles.residues * sheet.taper(poles.frequencies, ANGLE)
    found = Terms(poles.frequencies, tapered[None, :] * left)
    known = Terms.joined(Terms(bound.placed, weights), found[np.flatnonzero(slow)])
    damped = () if slow.all() else (found[np.flatnonzero(~slow)],)
    return ExponentialSum(known, (*cut.by_edge, *damped))


def _noise_convolution(sheet: Sheet, u: ExponentialSum, nodes: int) -> ExponentialSum:
    """The convolution g~ * u; where g~ = n g it is -n (u' + i w_s u)."""
    filling = sheet.system.common_filling
    if filling is not None:
        return u.with_moment(sheet.level)[1].scaled(-filling.astype(complex))
    return convolution(noise_exponentials(sheet, nodes), u)


def _green(
    cavity: Cavity, u: ExponentialSum, c: ExponentialSum, ts: Float[Array, " times"]
) -> GreenFunctions:
    """u, u', v, v' from u and c = g~ * u, with the exact values at t = 0."""
    count = ts.shape[0]
    times = jnp.concatenate([np.zeros(1), ts, jnp.broadcast_to(ts[-1], -(count + 1) % BLOCK)])
    later, level = (times > 0.0)[None, :], cavity.frequency.astype(complex)
    found = overlap(u, c, times, level, cavity.bandwidth)
    values, drifts = jnp.where(later, found.f, np.array([[1.0], [0.0]], complex))
    noise = jnp.where(later[0], found.g, 0.0)
    number, work = jnp.where(later, found.integrals, 0.0)
    exchange = values.conj() * noise
    green = GreenFunctions(
        u=values,
        du=drifts - 1j * level * values,
        v=2.0 * number.real,
        dv=2.0 * exchange.real,
        interaction_noise=4.0 * work.imag - 2.0 * exchange.imag,
    )
    return jax.tree.map(lambda x: x[1 : count + 1], green)
