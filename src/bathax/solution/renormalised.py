r"""The reading of thermodynamics with a renormalised frequency (Huang and Zhang, arXiv:2205.08114).

The master equation (AHZ Eq. 13) has the frequency w^r(t) = -Im(u'/u). With it E^r = w^r n, of which
dQ = w^r dn is heat and dW = n dw^r work, and T^r = dE^r/dS at fixed w^r = (w^r / w_s) T. While one
pole of the propagator dominates u, w^r is on a plateau at its real part; later the edges of bands
take over, and w^r becomes something else.

The plateau that is meant is that of the least damped pole which has at least a quarter of the
largest weight: a resonance, or a bound state, of which the plateau does not end. At the critical
coupling there is none. The reading is masked where all else in u, or in its rate, is more than a
twentieth.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Complex, Float

from bathax._checks import Scalar, is_valid, require, shown
from bathax._programs import program
from bathax.cavity.poles import discrete
from bathax.cavity.sheet import Sheet
from bathax.qubit.dynamical_map import dynamical_map
from bathax.qubit.vacuum import Vacuum
from bathax.solution.results import DrivenSolution, LinearSolution, QubitSolution, Solution
from bathax.system.models import Cavity
from bathax.thermodynamics.reading import Reading, ReadingQuantities, heat_capacity
from bathax.thermodynamics.resolution import Rate, propagated

# On the plateau all of u and u' but the pole is below this fraction.
APART = 0.05
# A pole has considerable weight with this fraction of the largest one.
HEAVY = 0.25
FEWEST = 5


def renormalised(system: Any, solution: Any) -> Reading:
    """The reading of a solution of a cavity or an atom, at five times or more; see `reading`."""
    words = "of a `Cavity` or a `Qubit` for the renormalised reading"
    single = isinstance(solution, Solution | QubitSolution)
    require("solution", words, shown(solution), single)
    driven = isinstance(solution, DrivenSolution)
    require("solution", "of a frequency that is constant in time", "driven", not driven)
    count = solution.t.shape[0]
    require("solution", f"at {FEWEST} times or more", f"at {count}", count >= FEWEST)
    if isinstance(solution, Solution):
        s, error = solution, solution.error
        return _renormalised(system, solution, Rate(s.u, error.u), Rate(s.du, error.du))
    own = dynamical_map(system, solution.t, Vacuum())
    c = Rate(own.coherence, own.error.coherence)
    dc = Rate(own.dcoherence, own.error.dcoherence)
    return _renormalised(Cavity(system.frequency, system.reservoirs), solution, c, dc)


@program
def _renormalised(cavity: Cavity, solution: Any, u: Rate, du: Rate) -> Reading:
    z, weight = lasting_pole(cavity)
    of_pole = weight * jnp.exp(-1j * z * solution.t.astype(complex))
    most = APART * jnp.abs(u.value)
    meant = jnp.abs(u.value - of_pole) <= most
    meant &= jnp.abs(du.value + 1j * z * of_pole) <= jnp.abs(z) * most
    meant &= is_valid(cavity)
    value, error = _quantities(cavity.frequency, solution, _frequency(u, du))
    value, error = _masked(value, meant, jnp.nan), _masked(error, meant, jnp.inf)
    return Reading(
        **vars(value),
        t=solution.t,
        plateau=jnp.where(is_valid(cavity), z.real, jnp.nan),
        on_plateau=meant,
        error=lax.stop_gradient(error),
        status=solution.status,
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


def _masked(of: ReadingQuantities, meant: Bool[Array, " times"], gone: float) -> ReadingQuantities:
    """All but the frequency, where it is that of the pole."""
    masked = jax.tree.map(lambda x: jnp.where(meant, x, gone), of)
    return eqx.tree_at(lambda one: one.frequency, masked, of.frequency)


def _frequency(u: Rate, du: Rate) -> Rate:
    """w^r = -Im(u'/u)."""
    ratio, left = du.value / u.value, jnp.abs(u.value) - u.error
    known = left > 0.0
    error = (du.error + jnp.abs(ratio) * u.error) / jnp.where(known, left, 1.0)
    return Rate(-ratio.imag, jnp.where(known, error, jnp.inf))


def _quantities(
    frequency: Scalar, solution: Any, renormalised: Rate
) -> tuple[ReadingQuantities, ReadingQuantities]:
    """The quantities, and estimates of their errors."""
    (w, of_w), s, error = renormalised, solution, solution.error
    energy, T = w * s.number, (w / frequency) * s.temperature
    of_energy = propagated(w, error.number) + propagated(s.number, of_w)
    of_T = (propagated(w, error.temperature) + propagated(s.temperature, of_w)) / frequency
    of_free = of_energy + propagated(s.entropy, of_T) + propagated(T, error.entropy)
    heat, of_heat = _heat(s.t, w * s.energy_rate / frequency)
    work, of_work = energy - energy[0] - heat, of_heat + of_energy + of_energy[0]
    capacity, of_capacity = thermal_heat_capacity(solution)
    return (
        ReadingQuantities(w, energy, s.entropy, T, energy - T * s.entropy, heat, work, capacity),
        ReadingQuantities(
            of_w, of_energy, error.entropy, of_T, of_free, of_heat, of_work, of_capacity
        ),
    )


def thermal_heat_capacity(solution: Any) -> tuple[Array, Array]:
    """That of the thermal state of each number, and its error; not known of several modes."""
    if isinstance(solution, LinearSolution):
        return jnp.full(solution.t.shape, jnp.nan), jnp.full(solution.t.shape, jnp.inf)
    sign = 1.0 if isinstance(solution, Solution) else -1.0
    return heat_capacity(solution.number, solution.error.number, sign)


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
