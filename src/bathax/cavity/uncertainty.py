"""The error estimate of u and v from contour deformation.

There are four sources of error: the quadrature on the lines from the edges, estimated by its change
from half the nodes; rounding; resonances that were not found and the parts of the lines that were
cut off; and the difference between a fitted density and the one it was fitted to.
"""

import math
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float

from bathax._checks import Scalar
from bathax.cavity.green import GreenFunctions
from bathax.cavity.poles import Poles, are_complete
from bathax.cavity.ring import ORDER
from bathax.cavity.sheet import LINE_END, Sheet
from bathax.cavity.solvers import largest_size
from bathax.numerics.elementary import phase_factor
from bathax.numerics.exponential_sum import ExponentialSum, together
from bathax.numerics.quadrature import SMALLEST

# Before this time, in units of the inverse bandwidth, the ends of the lines matter.
UNRESOLVED = 1e-3
# The error of v that they cause if G falls off slowly, as for a band among other densities.
SLOW_TAIL = 1e-11
# The number of times at which two rules are compared.
SAMPLES = 64
ROUNDING = 64.0 * jnp.finfo(float).eps


class Expansion(NamedTuple):
    """The terms of u and c: poles as found, poles with pairs merged, both sums."""

    found: Poles
    poles: Poles
    u: ExponentialSum
    c: ExponentialSum


def uncertainty(
    sheet: Sheet, expansion: Expansion, green: GreenFunctions, ts: Float[Array, " times"]
) -> tuple[GreenFunctions, Scalar]:
    """Estimated errors, and the largest of u, u', v, v' relative to their sizes.

    The sum of the sources that this module names.
    """
    found, poles, u, c = _constant(expansion)
    sheet, green, ts = lax.stop_gradient((sheet, green, ts))
    change = Change.between(sheet, u, c, ts[-1])
    missing = jnp.where(are_complete(sheet, found), 0.0, jnp.abs(change.start[0] - 1.0))
    missing = jnp.where(missing < 1e-3, missing, jnp.inf)
    rounding = _rounding(sheet, poles, u[0], ts) + _close(sheet, found, poles)
    floor = (rounding, missing)
    error, relative = _error(sheet, green, change, floor)
    fitted = _fitted(sheet, green, ts)
    lost = _cut_off(sheet, _lost(c[0], change.start[1]), green, ts)
    total = jax.tree.map(lambda *each: sum(each[1:], each[0]), error, lost, fitted)
    return total, jnp.maximum(relative, jnp.max(fitted.u))


def _constant(tree: Any) -> Any:
    """The tree, constant to differentiation; arrays that were the same object remain so."""
    leaves, structure = jax.tree.flatten(tree)
    known = {id(leaf): leaf for leaf in leaves}
    stopped = dict(zip(known, lax.stop_gradient(list(known.values())), strict=True))
    return jax.tree.unflatten(structure, [stopped[id(leaf)] for leaf in leaves])


class Change(eqx.Module):
    """How much two rules for u and c differ, and the sizes of these quantities.

    For u, u' + i w_s u, v' and the integrand of the interaction noise, at a few times up to the
    last one: differences of integrals over the lines are smooth in the logarithm of time. And u and
    c at t = 0, by the finer rule.
    """

    last: Scalar
    start: tuple[Complex[Array, ""], Complex[Array, ""]]
    difference: tuple[Scalar, ...]
    size: tuple[Scalar, ...]

    @staticmethod
    def between(sheet: Sheet, u: ExponentialSum, c: ExponentialSum, last: Scalar) -> "Change":
        """The change between u and c by two rules, the finer one first."""
        later = last * 2.0 ** -np.linspace(0.0, 15.75, SAMPLES - 1)
        ts = jnp.append(jnp.maximum(later, UNRESOLVED / sheet.system.bandwidth), 0.0)
        both = u.with_moment(sheet.level)
        (value, drift), noise = together([both.parts, c.parts], ts)
        values = jnp.stack(
            [value, drift, 2.0 * (value.conj() * noise), 4.0 * (drift.conj() * noise)]
        )
        sizes = jnp.abs(jnp.stack([values[:, 0] - values[:, 1], values[:, 0]]))
        difference, size = jnp.max(jnp.where(ts > 0.0, sizes, 0.0), axis=-1)
        return Change(last, (value[0, -1], noise[0, -1]), tuple(difference), tuple(size))


def _error(
    sheet: Sheet,
    green: GreenFunctions,
    change: Change,
    floor: tuple[Float[Array, " times"], Scalar],
) -> tuple[GreenFunctions, Scalar]:
    """Estimated errors, and the largest of u, u', v, v' relative to their sizes.

    The squared change from half the nodes, plus a `floor`: relative errors from rounding, and an
    absolute one from what is missing. v and the interaction noise are integrals; their change is at
    most that of the integrand times the time.
    """
    rounding, missing = floor
    u, drift, exchange, work = change.difference
    _, largest_drift, largest_exchange, _ = change.size
    # Differences, and the sizes they are relative to.
    parts = [
        (u, jnp.ones(())),
        (drift + sheet.frequency * u, largest_drift + sheet.frequency),
        (change.last * exchange, largest_size(green.v)),
        (exchange, largest_exchange),
        (exchange + change.last * work, largest_size(green.interaction_noise) + largest_exchange),
    ]

    def relative(difference: Scalar, size: Scalar) -> Array:
        change = difference / jnp.where(size > 0.0, size, 1.0)
        return jnp.minimum(change, change**2) + rounding

    errors = [relative(*part) for part in parts]
    absolute = [error * size + missing for error, (_, size) in zip(errors, parts, strict=True)]
    largest = missing + jnp.max(jnp.stack(errors[:4]))
    return _like(green, *absolute), largest


def _rounding(
    sheet: Sheet,
    poles: Poles,
    u: ExponentialSum,
    t: Float[Array, " times"],
) -> Float[Array, " times"]:
    """Relative errors by rounding: of sums, of phases z t, and of nodes close to a pole.

    1/G is known to 16 eps (w_s + |z|), including the sum for Sigma, so that the relative error of G
    is that times |G|. On the lines |G| is large near poles, over lengths like their distances.
    """
    z, amplitudes = u.discrete.frequencies, jnp.abs(u.discrete.amplitudes)
    lasting = jnp.exp(jnp.minimum(z.imag, 0.0)[:, None] * t[None, :])
    turned = t * jnp.sum((amplitudes * jnp.abs(z))[:, None] * lasting, axis=0)
    cuts = [cut.frequencies for cut in u.cuts[: sheet.edges.size]]
    on_lines = jnp.concatenate([jnp.zeros(0, complex), *cuts])
    away = on_lines[:, None] - poles.frequencies[None, :]
    response = jnp.abs((1.0 / away) @ poles.residues)
    away = jnp.where(poles.residues == 0.0, 1e99, jnp.abs(away))
    nearest = jnp.min(away, axis=1, initial=1e99)
    scale = sheet.frequency + jnp.abs(on_lines)
    close = jnp.max(response**2 * scale * nearest, initial=0.0)
    rounding = ROUNDING * (u.weight + 0.25 * turned + 0.25 * close + _on_rings(sheet, u))
    return rounding + SLOW_TAIL if is_cut_off(sheet) else rounding


def _on_rings(sheet: Sheet, u: ExponentialSum) -> Scalar:
    """Relative errors by rounding of 1/G on rings, where it is small: each amplitude times w_s G.

    The amplitudes on a ring are rho G / m.
    """
    total = jnp.zeros(())
    for cut in u.cuts[: sheet.edges.size]:
        radius = 0.5 * jnp.abs(cut.frequencies[0] - cut.frequencies[ORDER // 2])
        total += jnp.sum(jnp.abs(cut.amplitudes[:ORDER]) ** 2) * ORDER * sheet.frequency / radius
    return total


def _close(sheet: Sheet, found: Poles, poles: Poles) -> Scalar:
    """Relative errors by rounding of poles that are close to each other but not merged.

    1/G is known to eps w_s, a pole therefore to eps w_s |R|, and its residue to the ratio of that
    to the distance of the next pole.
    """
    count = found.frequencies.shape[0]
    alone = found.exist & (poles.frequencies[:count] == found.frequencies)
    same = np.asarray(found.sector)[:, None] == np.asarray(found.sector)[None, :]
    others = same & ~np.eye(count, dtype=bool) & alone[None, :]
    distances = jnp.abs(found.frequencies[:, None] - found.frequencies[None, :])
    nearest = jnp.min(jnp.where(others, distances, jnp.inf), axis=1, initial=jnp.inf)
    scale = sheet.frequency + jnp.abs(found.frequencies)
    spread = jnp.abs(found.residues) ** 2 * scale / nearest
    return jnp.finfo(float).eps * jnp.sum(jnp.where(alone, spread, 0.0))


def is_cut_off(sheet: Sheet) -> bool:
    """Whether G may fall off slowly along lines without a taper, as for a band among others."""
    return sheet.edges.size > 1 and not sheet.is_finite


def _lost(c: ExponentialSum, start: Complex[Array, ""]) -> Scalar:
    """The error of v' from cutting the lines off: c(0), which is 0, and the last nodes of c."""
    # Beyond its last node a cut falls like 1 / r: its sum is the last amplitude over the step.
    ends = sum((jnp.abs(cut.amplitudes[-1]) for cut in c.cuts), jnp.zeros(()))
    nodes = max((cut.amplitudes.shape[-1] for cut in c.cuts), default=1)
    return 2.0 * (jnp.abs(start) + ends * nodes / (LINE_END - SMALLEST))


def _cut_off(
    sheet: Sheet, lost: Scalar, green: GreenFunctions, t: Float[Array, " times"]
) -> GreenFunctions:
    """The error from cutting the lines off, of v' at most `lost`.

    If c has no lines of its own, it ends when the exponentials beyond the ends have decayed. In a
    band without a taper G falls off so slowly that at first u is known only as well as u(0) = 1.
    """
    soon = t * sheet.system.bandwidth < UNRESOLVED
    unclear = is_cut_off(sheet) & soon
    start = phase_factor(-sheet.frequency * t)
    exchange, lasting = lost * jnp.ones_like(t), t
    if sheet.system.common_filling is not None:
        exchange = jnp.where(soon, exchange, 0.0)
        lasting = jnp.minimum(t, math.exp(-LINE_END) / sheet.system.bandwidth)
    return _like(
        green,
        jnp.where(unclear, jnp.abs(green.u - start), 0.0),
        jnp.where(unclear, jnp.abs(green.drift(sheet.frequency)), 0.0),
        lasting * lost,
        exchange,
        exchange,
    )


def _fitted(sheet: Sheet, green: GreenFunctions, t: Float[Array, " times"]) -> GreenFunctions:
    """The error from fitted densities: |du| <= t int |dg| ds and so on, to first order.

    Errors of the noise have the number of quanta as a factor, 1 plus the largest v.
    """
    missed = sum((piece.missed for piece in sheet.pieces), jnp.zeros(()))
    of_u = missed * t
    of_rate = missed + sheet.frequency * of_u
    quanta = 2.0 * (1.0 + largest_size(green.v))
    of_noise = (quanta * of_u, quanta * of_rate, quanta * of_rate)
    return _like(green, of_u, of_rate, *of_noise)


def _like(green: GreenFunctions, *values: Float[Array, "..."]) -> GreenFunctions:
    """Real numbers for the quantities, in their order."""
    return jax.tree.unflatten(jax.tree.structure(green), values)
