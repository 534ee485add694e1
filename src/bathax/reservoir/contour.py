r"""Paths below the real axis for integrals \int dw J(w) n(w) e^{-iwt} of analytic J and n.

Below the real axis e^{-iwt} decays, so that few nodes serve every t. Each panel of the support of J
becomes two sides of a right triangle, down at 45 degrees from either end, or one ray if it has no
upper end. Panels end where n has poles below, at the chemical potential of fermions: the poles
mu - i pi T (2m + 1) are never crossed, at any temperature, T = 0 included.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import jax.numpy as jnp
from jaxtyping import Array, Complex

from bathax._checks import Scalar
from bathax.numerics.quadrature import half_line
from bathax.reservoir.continuation import Piece
from bathax.reservoir.rules import Measure, joined

# The nodes of a side of a triangle, even in the logarithm of the distance from the real axis, and
# the end of that range, e^3.6: 1 - e^{-r} is 1 there.
SIDE = (3.6, 256)
# The same for a ray, in units of the bandwidth.
RAY = (4.3, 352)
DOWN = 0.5 - 0.5j


def can_be_followed(pieces: Sequence[Piece] | None) -> bool:
    """Whether paths through these pieces are known: J begins somewhere and has no poles."""
    return pieces is not None and all(
        not piece.poles.size and not _is_infinite(piece.low) for piece in pieces
    )


def is_band(pieces: Sequence[Piece] | None) -> bool:
    """Whether J is known to end on both sides, and paths through it are known."""
    return can_be_followed(pieces) and not any(_is_infinite(piece.high) for piece in pieces or ())


def panelled(pieces: Iterable[Piece], breaks: Sequence[Scalar], unit: Scalar) -> Measure:
    """Nodes z and masses J(z) dz along the paths below all panels; `unit` is a length of rays."""
    return joined([rule for piece in pieces for rule in _panels(piece, breaks, unit)])


def _panels(piece: Piece, breaks: Sequence[Scalar], unit: Scalar) -> list[Measure]:
    """The rules of one piece between its ends and the breaks inside."""
    low, high = (jnp.asarray(end, float) for end in (piece.low, piece.high))
    ends = [low, *(jnp.clip(cut, low, high) for cut in breaks)]
    inner = [rule for pair in pairwise(ends) for rule in _triangle(*pair)]
    last = [_ray(ends[-1], unit)] if _is_infinite(piece.high) else _triangle(ends[-1], high)
    return [(z, piece.density(z) * dz) for z, dz in (*inner, *last)]


def _triangle(low: Scalar, high: Scalar) -> list[Measure]:
    """The two sides below a panel; a panel without length has no weight."""
    r, dr = half_line(*SIDE)
    share, weight = -jnp.expm1(-jnp.asarray(r)), jnp.asarray(dr) * jnp.exp(-jnp.asarray(r))
    length = (high - low).astype(complex)
    sides = ((low, DOWN * length), (high, -DOWN.conjugate() * length))
    falling, rising = (
        (end.astype(complex) + side * share.astype(complex), side * weight.astype(complex))
        for end, side in sides
    )
    return [falling, (rising[0], -rising[1])]


def _ray(low: Scalar, unit: Scalar) -> tuple[Complex[Array, " nodes"], Complex[Array, " nodes"]]:
    """The path from a frequency to infinity."""
    r, dr = (jnp.asarray(part, complex) for part in half_line(*RAY))
    step = unit.astype(complex) * jnp.exp(-0.25j * jnp.pi)
    return low.astype(complex) + step * r, step * dr


def _is_infinite(end: Scalar | float) -> bool:
    return isinstance(end, float) and abs(end) == float("inf")
