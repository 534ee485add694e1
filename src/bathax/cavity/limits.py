r"""The limit t -> infinity of u and v in closed form (AHZ Eqs. 17-19).

u(t) -> sum_b Z_b e^{-i w_b t} and, on the average over time,

v -> \int dw J n [|G(w)|^2 + sum_b Z_b^2 / (w - w_b)^2],

where J n is summed over the reservoirs. The contour is deformed to the lines of `resonance`, so
that a narrow peak of |G|^2 needs no fine grid.
"""

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float

from bathax._checks import Scalar, is_valid
from bathax._display import Record
from bathax._programs import program
from bathax.cavity.cut import both_rules, part_left, weights_left
from bathax.cavity.poles import BoundStates, Poles, are_complete, bound_states, discrete
from bathax.cavity.resonance import propagator, require_continued
from bathax.cavity.ring import Rings
from bathax.cavity.sheet import ANGLE, Sheet
from bathax.cavity.star import mean_noise
from bathax.reservoir.continuation import continued
from bathax.reservoir.reservoir import Reservoir
from bathax.system.models import Cavity
from bathax.system.states import State
from bathax.system.system import require_system

NODES = 512
# The sum rule |u|^2 + v = 1 for n = 1 has to hold to this accuracy.
MISSED = 1e-7


class LongTimeLimit(Record):
    """u and v for t -> infinity; with several bound states, averages over their beats.

    `transmission` is |u|^2 = sum_b Z_b^2 of the `bound_states`, `noise` is v, and `error` an
    estimate of its error; `frequency` is w_s. With one bound state |u|^2 and v are constant in the
    end; without one the initial state is forgotten.

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=20.0))
    >>> end = bx.long_time_limit(cavity)
    >>> float(end.transmission), round(float(end.energy(bx.Fock(5))), 2)
    (0.0, 39.5)
    """

    frequency: Scalar
    bound_states: BoundStates
    noise: Scalar
    error: Scalar

    @property
    def transmission(self) -> Scalar:
        """The fraction of the initial quanta that stays, sum_b Z_b^2."""
        return jnp.sum(self.bound_states.residues**2)

    def number(self, state: State) -> Scalar:
        """<a'a> for an initial state."""
        return self.transmission * state.number + self.noise

    def energy(self, state: State) -> Scalar:
        """E = w_s <a'a>."""
        return self.frequency * self.number(state)

    @program
    def entropy(self, state: State) -> Scalar:
        """S of the state with these |u|^2 and v."""
        return state.entropy(self.transmission, self.noise)

    @program
    def temperature(self, state: State) -> Scalar:
        """lim T(t) = w_s / (dS/dv), because v approaches its limit last; 0 in the vacuum.

        Without a bound state w_s / ln(1 + 1/v), for every initial state.
        """
        first, _ = state.entropy_derivatives(self.transmission[None], self.noise[None])
        slope = first[2, 0]
        silent = self.noise == 0.0
        return jnp.where(silent, 0.0, self.frequency / jnp.where(silent, 1.0, slope))

    def free_energy(self, state: State) -> Scalar:
        """F = E - T S."""
        return self.energy(state) - self.temperature(state) * self.entropy(state)


@program
def long_time_limit(cavity: Cavity) -> LongTimeLimit:
    r"""u and v for t -> infinity.

    For the reservoirs of `Resonance`, and for separate modes as an average over all times. Works
    under `jit`, `vmap` and `grad`; a bad point of a batch is NaN. The error estimate is the squared
    change from half the nodes, plus rounding and, for a uniform occupation, the quanta beyond the
    ends of the lines. It is infinite where a pole is so close to an edge that it was not found.

    At half the critical coupling and kT0 = 20 (AHZ Fig. 2b):

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=20.0))
    >>> end = bx.long_time_limit(cavity)
    >>> f"{end.noise:.2f}, {end.temperature(bx.Fock(5)):.2f}"
    '39.50, 40.00'
    """
    require_system(cavity)
    if cavity.has_modes:
        return _beating(cavity)
    sheet = Sheet.of(cavity)
    require_continued(cavity)
    bound, found = discrete(sheet)
    (fine, coarse), (filled, _) = _noise(sheet, bound, found)
    size = jnp.where(fine > 0.0, fine, 1.0)
    change = jnp.abs(fine - coarse) / size
    error = size * (jnp.minimum(change, change**2) + 1e-14) + _beyond(sheet, bound, found)
    # With n = 1 everywhere v is 1 - sum_b Z_b^2. Where that fails, as for a pole at an edge, the
    # error of v is unknown.
    missed = jnp.abs(filled + jnp.sum(bound.residues**2) - 1.0) > MISSED
    error = jnp.where(missed | ~are_complete(sheet, found), jnp.inf, error)
    valid = is_valid(cavity)
    return LongTimeLimit(
        cavity.frequency,
        bound,
        jnp.where(valid, fine, jnp.nan),
        jnp.where(valid, lax.stop_gradient(error), jnp.nan),
    )


def _beating(cavity: Cavity) -> LongTimeLimit:
    """Averages over all times in reservoirs of separate modes, whose beats never end."""
    noise, valid = mean_noise(cavity), is_valid(cavity)
    error = lax.stop_gradient(1e-13 * noise)
    return LongTimeLimit(
        cavity.frequency,
        bound_states(cavity),
        jnp.where(valid, noise, jnp.nan),
        jnp.where(valid, error, jnp.nan),
    )


def _noise(sheet: Sheet, bound: BoundStates, found: Poles) -> Float[Array, "2 2"]:
    """v for t -> infinity, and with n = 1, by the rules of every and of every second node."""
    z, dz = sheet.lines(ANGLE, NODES)
    total = _on_lines(sheet, bound, z) @ (both_rules(NODES)[:, 0] * dz[None, :]).T
    pole, sector = jnp.where(found.exist, found.frequencies, sheet.level), found.sector
    whole = jnp.where(found.exist, sheet.continued_density(pole, sector), 1.0)
    weights = jnp.where(found.exist, found.residues / whole, 0.0)
    weights = weights_left(sheet, found, NODES) * (weights * sheet.taper(pole, ANGLE))[None, :]
    crossing = sheet.sides[np.asarray(sector, int)]
    for bath in sheet.system.reservoirs:
        at_poles = continued(bath.pieces, pole, crossing)[None] * _occupations(bath, pole)
        total += at_poles @ weights.T
        for piece in bath.pieces:
            masses = piece.masses * _bound_response(bound, piece.poles)
            left = part_left(sheet, piece.poles, (piece.low, piece.high), ANGLE, NODES)
            total += (masses[None] * _occupations(bath, piece.poles)) @ left.T
    return total.real


def _occupations(bath: Reservoir, z: Complex[Array, "..."]) -> Complex[Array, "2 ..."]:
    """n(z) and 1."""
    return jnp.stack([bath.occupation(z), jnp.ones_like(z)])


def _on_lines(
    sheet: Sheet, bound: BoundStates, z: Complex[Array, "edges nodes"]
) -> Complex[Array, "2 nodes"]:
    """The jump of J n [G G_1 + sum_b Z_b^2 / (z - w_b)^2], G_1 on the first sheet, and n = 1."""
    first, total = sheet.inverse_propagator(z), jnp.zeros((2, *z.shape), complex)
    bound_response = _bound_response(bound, z.ravel()).reshape(z.shape)
    response = [
        1.0 / ((first + 2j * jnp.pi * density) * first) + bound_response
        for density in sheet.both_sides(sheet.pieces, z)
    ]
    for bath in sheet.system.reservoirs:
        left, right = sheet.both_sides(bath.pieces, z)
        total += (right * response[1] - left * response[0])[None] * _occupations(bath, z)
    return jnp.sum(total * sheet.taper(z, ANGLE)[None], axis=1)


def _bound_response(bound: BoundStates, z: Complex[Array, " z"]) -> Complex[Array, " z"]:
    """sum_b Z_b^2 / (z - w_b)^2."""
    terms = bound.residues.astype(complex)[None, :] / (z[:, None] - bound.placed[None, :])
    return jnp.sum(terms**2, axis=1)


def _beyond(sheet: Sheet, bound: BoundStates, found: Poles) -> Float[Array, ""]:
    """Quanta of uniformly filled reservoirs beyond the ends of the lines, from u(0) = 1."""
    occupations = [bath.occupation for bath in sheet.system.reservoirs]
    filling = [n.constant for n in occupations if n.constant is not None]
    if not filling:
        return jnp.zeros(())
    rings = Rings.of(sheet, jnp.asarray(jnp.inf), NODES)
    u = propagator(sheet, *rings.without(bound, found), rings)
    return jnp.abs(u.start[0] - 1.0) * sum(filling, jnp.zeros(()))
