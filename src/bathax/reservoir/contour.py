r"""Paths below the real axis for integrals \int dw J(w) n(w) e^{-iwt} of analytic J and n.

Below the real axis e^{-iwt} decays, so that few nodes serve every t. Each panel of the support of J
becomes two sides of a right triangle, down at 45 degrees from either end, or one ray if it has no
other end. Panels end where n has poles below, at the chemical potential of fermions: the poles
mu - i pi T (2m + 1) are never crossed, at any temperature, T = 0 included.

Poles of J between the axis and a path are added with their masses. Integrals along a side are
trapezoidal sums. If xi is the complex position of a pole, counted in nodes, such a sum lacks the
fraction 1 / (1 - e^{2 pi i xi}) of it, which is 1 well above the side and 0 well below. So it does
not matter how close to a path a pole is.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex

from bathax._checks import Scalar
from bathax.numerics.elementary import logarithm
from bathax.numerics.quadrature import half_line, half_line_position
from bathax.reservoir.continuation import Piece
from bathax.reservoir.rules import Measure, joined

# The nodes of a side of a triangle, even in the logarithm of the distance from the real axis, and
# the end of that range, e^3.6: 1 - e^{-r} is 1 there.
SIDE = (3.6, 256)
# The same for a ray, in units of the bandwidth: up to e^37, where algebraic tails are negligible.
RAY = (37.0, 768)
DOWN = 0.5 - 0.5j
# Parts of poles smaller than this, e^{-2 pi 8}, are left out: n might be infinite there.
FARTHEST = 8.0

Path = tuple[Complex[Array, " nodes"], Complex[Array, " nodes"], Complex[Array, " poles"]]


def is_band(pieces: Sequence[Piece]) -> bool:
    """Whether J ends on both sides."""
    return not any(_is_infinite(end) for piece in pieces for end in (piece.low, piece.high))


def panelled(pieces: Iterable[Piece], breaks: Sequence[Scalar], unit: Scalar) -> Measure:
    """Nodes z and masses J(z) dz along the paths below all panels; `unit` is a length of rays."""
    return joined([_followed(piece, breaks, unit) for piece in pieces])


def _followed(piece: Piece, breaks: Sequence[Scalar], unit: Scalar) -> Measure:
    """The rule of one piece: its paths, and the poles between them and the axis."""
    paths = _paths(piece, breaks, unit)
    rules = [(z, piece.density(z) * dz) for z, dz, _ in paths]
    if not piece.poles.size:
        return joined(rules)
    share = sum((above for *_, above in paths), jnp.zeros_like(piece.poles))
    there = jnp.abs(share) > jnp.exp(-2.0 * jnp.pi * (FARTHEST - 1.0))
    poles = jnp.where(there, piece.poles, rules[0][0][-1])
    return joined([*rules, (poles, jnp.where(there, piece.masses * share, 0j))])


def _paths(piece: Piece, breaks: Sequence[Scalar], unit: Scalar) -> list[Path]:
    """The paths between the ends of a piece and the breaks inside."""
    low, high = (jnp.asarray(end, float) for end in (piece.low, piece.high))
    ends = [jnp.clip(cut, low, high) for cut in breaks]
    ends = ends if _is_infinite(piece.low) else [low, *ends]
    ends = ends if _is_infinite(piece.high) else [*ends, high]
    paths = [_triangle(*pair, piece.poles) for pair in pairwise(ends)]
    if _is_infinite(piece.low):
        paths.append(_ray(ends[0], -unit, piece.poles))
    if _is_infinite(piece.high):
        paths.append(_ray(ends[-1], unit, piece.poles))
    return paths


def _triangle(low: Scalar, high: Scalar, poles: Complex[Array, " poles"]) -> Path:
    """The two sides below a panel; a panel without length has no weight."""
    r, dr = (jnp.asarray(part) for part in half_line(*SIDE))
    share, weight = -jnp.expm1(-r).astype(complex), (dr * jnp.exp(-r)).astype(complex)
    length = (high - low).astype(complex)
    sides = ((low, DOWN * length), (high, -DOWN.conjugate() * length))
    (falling, down), (rising, up) = (
        (end.astype(complex) + side * share, side * weight) for end, side in sides
    )
    right_of = [
        _above(-_log(1.0 - (poles - end.astype(complex)) / _safe(side)), SIDE)
        for end, side in sides
    ]
    inside = jnp.where(high > low, right_of[0] * (1.0 - right_of[1]), jnp.zeros((), complex))
    return jnp.concatenate([falling, rising]), jnp.concatenate([down, -up]), inside


def _ray(end: Scalar, unit: Scalar, poles: Complex[Array, " poles"]) -> Path:
    """The path from a frequency to infinity, or from minus infinity if the unit is negative."""
    r, dr = (jnp.asarray(part, complex) for part in half_line(*RAY))
    step, corner = 0.5**0.5 * lax.complex(unit, -jnp.abs(unit)), end.astype(complex)
    rightwards = unit > 0.0
    above = _above((poles - corner) / step, RAY)
    inside = jnp.where(rightwards, above, 1.0 - above)
    return corner + step * r, jnp.where(rightwards, step, -step) * dr, inside


def _above(r: Complex[Array, " poles"], rule: tuple[float, int]) -> Complex[Array, " poles"]:
    """The fraction of poles at complex r that a trapezoidal sum to the right lacks."""
    xi = half_line_position(r, *rule)
    xi = lax.complex(xi.real, jnp.clip(xi.imag, -FARTHEST, FARTHEST))
    return 1.0 / (1.0 - jnp.exp(2j * jnp.pi * xi))


def _log(z: Complex[Array, " poles"]) -> Complex[Array, " poles"]:
    return logarithm(jnp.where(z == 0.0, 1e-300 + 0j, z))


def _safe(side: Complex[Array, ""]) -> Complex[Array, ""]:
    return jnp.where(side == 0.0, 1.0 + 0j, side)


def _is_infinite(end: Scalar | float) -> bool:
    return isinstance(end, float) and abs(end) == float("inf")
