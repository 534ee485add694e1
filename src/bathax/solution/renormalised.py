r"""The reading of thermodynamics with a renormalised frequency (Huang and Zhang, arXiv:2205.08114).

The master equation (AHZ Eq. 13) has the frequency w^r(t) = -Im(u'/u). With it E^r = w^r n, of which
dQ = w^r dn is heat and dW = n dw^r work, and T^r = dE^r/dS at fixed w^r = (w^r / w_s) T. While one
pole of the propagator dominates u, w^r is on a plateau at its real part; later the edges of bands
take over, and w^r becomes something else.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Complex, Float

from bathax._checks import Scalar, holds, is_valid, require, require_kind
from bathax._display import Module, Table, Tabular, over_time, shown
from bathax._programs import program
from bathax.cavity.poles import discrete
from bathax.cavity.sheet import Sheet
from bathax.solution.results import DrivenSolution, Solution
from bathax.system.models import Cavity
from bathax.thermodynamics.resolution import propagated

# On the plateau all of u and u' but the pole is below this fraction.
APART = 0.05
# A pole has considerable weight with this fraction of the largest one.
HEAVY = 0.25
FEWEST = 5


class RenormalisedQuantities(eqx.Module):
    """What follows from the renormalised frequency, at each time; see `Renormalised`."""

    frequency: Float[Array, "*times"]
    energy: Float[Array, "*times"]
    temperature: Float[Array, "*times"]
    free_energy: Float[Array, "*times"]
    heat: Float[Array, "*times"]
    work: Float[Array, "*times"]


class Renormalised(Tabular, RenormalisedQuantities, Module):
    r"""The quantities of a cavity with its renormalised frequency, as `renormalised` finds them.

    At the times `t`: `frequency` w^r = -Im(u'/u), `energy` E^r = w^r n, `temperature`
    T^r = (w^r / w_s) T, `free_energy` E^r - T^r S, and since the first time the `heat`
    Q = \int w^r dn and the `work` W = \int n dw^r, which add up to the change of E^r. `error` has
    an estimate of the absolute error of each.

    w^r has no limit but a `plateau`, the real part of the least damped pole that has at least a
    quarter of the largest weight: a resonance, or a bound state, of which the plateau does not end.
    It is NaN if there is none, as at the critical coupling. `on_plateau` is False where all else in
    u, or in its rate, is more than a twentieth; there w^r says nothing of this pole.

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.02, 5.0), temperature=20.0))
    >>> sol = bx.solve(cavity, bx.Thermal(5.0), jnp.linspace(0.0, 400.0, 401), bx.Resonance())
    >>> own = bx.renormalised(cavity, sol)
    >>> f"{own.plateau:.4f}: {own.frequency[100]:.4f}, {own.frequency[400]:.4f}"
    '0.8836: 0.8838, 0.0051'
    >>> own.on_plateau[jnp.array([100, 400])].tolist()
    [True, False]
    """

    t: Float[Array, " times"]
    plateau: Scalar
    on_plateau: Bool[Array, " times"]
    error: RenormalisedQuantities

    def _table(self) -> Table:
        errors = vars(self.error)
        values = {name: getattr(self, name) for name in errors}
        note = f"plateau = {shown(self.plateau)}"
        return over_time(type(self).__name__, self.t, values, errors, note)


def renormalised(cavity: Cavity, solution: Solution) -> Renormalised:
    r"""The renormalised frequency of a cavity, and the thermodynamics with it; see `Renormalised`.

    `solution` is that of the cavity, at five times or more, and Q is a sum over these: the error
    estimate of Q and W is the change if every second one is left out. The others follow from those
    of the solution, and are infinite where u may vanish. As for `Resonance` the reservoirs must be
    analytic but for the ends of their support. Works under `jit`, `vmap` and `grad`.

    Half of the critical coupling: T is 40, the reservoir has 20, and T^r is 16.

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=20.0))
    >>> sol = bx.solve(cavity, bx.Thermal(5.0), jnp.linspace(0.0, 40.0, 401))
    >>> own = bx.renormalised(cavity, sol)
    >>> f"{own.plateau / jnp.log1p(1.0 / sol.number[-1]):.1f}"
    '16.0'
    """
    require_kind("cavity", "a `Cavity`", cavity, Cavity)
    require_kind("solution", "a `Solution` of the cavity", solution, Solution)
    driven = isinstance(solution, DrivenSolution)
    require("solution", "of a frequency that is constant in time", "driven", not driven)
    same = holds(_is_of, cavity, solution)
    require("solution", "of this `cavity`", "of one with another frequency", same)
    count = solution.t.shape[0]
    require("solution", f"at {FEWEST} times or more", f"at {count}", count >= FEWEST)
    return _renormalised(cavity, solution)


def _is_of(cavity: Cavity, solution: Solution) -> Bool[Array, ""]:
    """Whether E = w_s n, up to rounding."""
    return jnp.all(jnp.isclose(solution.energy, cavity.frequency * solution.number, atol=0.0))


@program
def _renormalised(cavity: Cavity, solution: Solution) -> Renormalised:
    z, weight = lasting_pole(cavity)
    of_pole = weight * jnp.exp(-1j * z * solution.t.astype(complex))
    most = APART * jnp.abs(solution.u)
    on_plateau = jnp.abs(solution.u - of_pole) <= most
    on_plateau &= jnp.abs(solution.du + 1j * z * of_pole) <= jnp.abs(z) * most
    value, error = _quantities(cavity.frequency, solution)
    valid = is_valid(cavity) & _is_of(cavity, solution)
    value, error, plateau = jax.tree.map(
        lambda x: jnp.where(valid, x, jnp.nan), (value, lax.stop_gradient(error), z.real)
    )
    return Renormalised(
        **vars(value), t=solution.t, plateau=plateau, on_plateau=on_plateau & valid, error=error
    )


def lasting_pole(cavity: Cavity) -> tuple[Complex[Array, ""], Complex[Array, ""]]:
    """The least damped pole of considerable weight, and its residue; NaN where there is none.

    A pole broader than the reservoirs is their own memory. Without coupling it is the mode itself.
    """
    bound, found = discrete(Sheet.of(cavity))
    densities = [bath.spectral_density for bath in cavity.reservoirs]
    width = jnp.max(jnp.stack([density.bandwidth for density in densities]))
    free = jnp.max(jnp.stack([density.weight for density in densities])) == 0.0
    z = jnp.concatenate([bound.placed, found.frequencies])
    residues = jnp.concatenate([bound.residues.astype(complex), found.residues])
    exist = jnp.concatenate([bound.exist, found.exist]) & (-z.imag <= width)
    weights = jnp.where(exist, jnp.abs(residues), 0.0)
    heavy = exist & (weights >= HEAVY * jnp.max(weights))
    lasting = jnp.argmax(jnp.where(heavy, z.imag, -jnp.inf))
    own = jnp.where(free, cavity.frequency, jnp.nan).astype(complex)
    none = jnp.where(free, 1.0, jnp.nan).astype(complex)
    some = jnp.any(exist)
    return jnp.where(some, z[lasting], own), jnp.where(some, residues[lasting], none)


def _quantities(
    frequency: Scalar, solution: Solution
) -> tuple[RenormalisedQuantities, RenormalisedQuantities]:
    """The quantities, and estimates of their errors."""
    s, error = solution, solution.error
    ratio, left = s.du / s.u, jnp.abs(s.u) - error.u
    w, known = -ratio.imag, left > 0.0
    of_u = (error.du + jnp.abs(ratio) * error.u) / jnp.where(known, left, 1.0)
    of_w = jnp.where(known, of_u, jnp.inf)
    energy, T = w * s.number, (w / frequency) * s.temperature
    of_energy = propagated(w, error.number) + propagated(s.number, of_w)
    of_T = (propagated(w, error.temperature) + propagated(s.temperature, of_w)) / frequency
    of_free = of_energy + propagated(s.entropy, of_T) + propagated(T, error.entropy)
    heat, of_heat = _heat(s.t, w * s.energy_rate / frequency)
    work, of_work = energy - energy[0] - heat, of_heat + of_energy + of_energy[0]
    return (
        RenormalisedQuantities(w, energy, T, energy - T * s.entropy, heat, work),
        RenormalisedQuantities(of_w, of_energy, of_T, of_free, of_heat, of_work),
    )


def _heat(t: Float[Array, " times"], flow: Float[Array, " times"]) -> tuple[Array, Array]:
    """The integral of the flow, and the largest change so far if every second time is left out."""
    heat = _running(t, flow)
    change = jnp.abs(_running(t[::2], flow[::2]) - heat[::2])
    # A time that is left out has the error of the next one that is not.
    error = lax.cummax(jnp.append(jnp.repeat(change, 2), change[-1])[1:])
    return heat, error[: heat.shape[0]]


def _running(t: Float[Array, " times"], f: Float[Array, " times"]) -> Float[Array, " times"]:
    """The integral from the first time, of cubics with the slopes of parabolas."""
    h = jnp.diff(t)
    secant = jnp.diff(f) / h
    inner = (h[1:] * secant[:-1] + h[:-1] * secant[1:]) / (h[1:] + h[:-1])
    first, last = 2.0 * secant[:1] - inner[:1], 2.0 * secant[-1:] - inner[-1:]
    slope = jnp.concatenate([first, inner, last])
    each = 0.5 * h * (f[1:] + f[:-1]) + h**2 * (slope[:-1] - slope[1:]) / 12.0
    return jnp.concatenate([jnp.zeros_like(f[:1]), jnp.cumsum(each)])
