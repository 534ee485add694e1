r"""Sums of exponentials f(t) = sum_j a_j e^{-i z_j t}, Im z_j <= 0, and their convolutions.

There are two kinds of terms: a few poles, whose frequencies may be anywhere, and cuts, each of many
terms from a quadrature along a line into the lower half plane. Several sums over the same
exponentials are one object, whose amplitudes are a matrix.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array, Complex, Float

from bathax.numerics.blocks import member_by_member
from bathax.numerics.elementary import exponential, exponential_parts
from bathax.numerics.matrices import by_parts

# Poles, which move with every parameter, are at most so many; cuts have more terms. All cuts
# together are one table of exponentials, in a smaller program, for so few times.
FEW, FEW_TIMES = 63, 64


class Terms(eqx.Module):
    """Exponentials with frequencies z_j and amplitudes a_j; `branch` numbers their branch point."""

    frequencies: Complex[Array, " terms"]
    amplitudes: Complex[Array, "*sums terms"]
    branch: int = eqx.field(static=True, default=0)

    def __call__(self, ts: Float[Array, " times"]) -> Complex[Array, "*sums times"]:
        return _sum(self.frequencies, self.amplitudes, ts)

    def __getitem__(self, chosen: slice | np.ndarray) -> "Terms":
        return Terms(self.frequencies[chosen], self.amplitudes[..., chosen], self.branch)

    def with_amplitudes(self, amplitudes: Complex[Array, "*sums terms"]) -> "Terms":
        """The same frequencies with other amplitudes."""
        return Terms(self.frequencies, amplitudes, self.branch)

    @staticmethod
    def joined(*parts: "Terms") -> "Terms":
        """The sum of all parts."""
        return Terms(
            jnp.concatenate([part.frequencies for part in parts]),
            jnp.concatenate([part.amplitudes for part in parts], axis=-1),
        )


class ExponentialSum(eqx.Module):
    """A few terms that may oscillate for long, `discrete`, and the terms of `cuts`.

    A product of two cuts from one branch point decays before it oscillates.
    """

    discrete: Terms
    cuts: tuple[Terms, ...]

    def __call__(self, ts: Float[Array, " times"]) -> Complex[Array, "*sums times"]:
        return together([self.parts], ts)[0]

    def __getitem__(self, chosen: int) -> "ExponentialSum":
        """One of several sums."""
        return self._mapped(lambda part: part.amplitudes[chosen])

    @property
    def parts(self) -> tuple[Terms, ...]:
        """All terms."""
        return (self.discrete, *self.cuts)

    def with_moment(self, origin: Complex[Array, ""]) -> "ExponentialSum":
        """f, and f' + i z_0 f, with the amplitudes of f times -i (z_j - z_0)."""
        return self._mapped(
            lambda part: jnp.stack(
                [part.amplitudes, _scaled(part.amplitudes, -1j * (part.frequencies - origin))]
            )
        )

    def scaled(self, factor: Complex[Array, ""]) -> "ExponentialSum":
        """f times a number."""
        return self._mapped(lambda part: part.amplitudes * factor)

    def _mapped(self, function: Callable[[Terms], Array]) -> "ExponentialSum":
        poles, *cuts = (part.with_amplitudes(function(part)) for part in self.parts)
        return ExponentialSum(poles, tuple(cuts))

    @property
    def start(self) -> Complex[Array, "*sums"]:
        """f(0)."""
        return _total([jnp.sum(part.amplitudes, axis=-1) for part in self.parts])

    @property
    def weight(self) -> Float[Array, "*sums"]:
        """The sum of |a_j|, to which rounding errors are relative."""
        return _total([jnp.sum(jnp.abs(part.amplitudes), axis=-1) for part in self.parts])


def _total(values: list[Array]) -> Array:
    first, *others = values
    return sum(others, first)


def _scaled(amplitudes: Array, factors: Complex[Array, " terms"]) -> Array:
    """Each of several sums with amplitudes times the same factors."""
    return amplitudes * jnp.broadcast_to(factors, amplitudes.shape)


def phases(
    frequencies: Complex[Array, " terms"], ts: Float[Array, " times"]
) -> Complex[Array, "terms times"]:
    """e^{-i z_j t}."""
    return exponential(_exponents(frequencies, ts))


@jax.jit
def _phase_parts(
    frequencies: Complex[Array, " terms"], ts: Float[Array, " times"]
) -> Float[Array, "2 terms times"]:
    """Real and imaginary parts of e^{-i z_j t}, which are not differentiated: see `_sum`."""
    return exponential_parts(_exponents(frequencies, ts))


def _exponents(z: Complex[Array, " terms"], t: Array) -> Complex[Array, "terms times"]:
    """-i z_j t."""
    return lax.complex(z.imag[:, None] * t[None, :], -z.real[:, None] * t[None, :])


@jax.custom_jvp
def _sum(
    frequencies: Complex[Array, " terms"],
    amplitudes: Complex[Array, "*sums terms"],
    ts: Float[Array, " times"],
) -> Complex[Array, "*sums times"]:
    """sum_j a_j e^{-i z_j t}."""
    return _over_exponentials((frequencies, ts), amplitudes)


@member_by_member
def _over_exponentials(z_and_t: tuple[Array, Array], a: Array) -> Array:
    return by_parts(a, _phase_parts(*z_and_t))


@partial(_sum.defjvp, symbolic_zeros=True)
def _sum_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    # Tangents are sums over the same exponentials, which all directions share.
    (z, a, t), (dz, da, dt) = primals, tangents
    over_exponentials = partial(by_parts, parts=_phase_parts(z, t))
    value = over_exponentials(a)
    tangent = jnp.zeros_like(value)
    if not isinstance(da, SymbolicZero):
        tangent += over_exponentials(da)
    if not isinstance(dz, SymbolicZero):
        tangent += _scaled(over_exponentials(_scaled(a, dz)), -1j * t.astype(complex))
    if not isinstance(dt, SymbolicZero):
        tangent += _scaled(over_exponentials(_scaled(a, z)), -1j * dt.astype(complex))
    return value, tangent


def convolution(kernel: ExponentialSum, f: ExponentialSum) -> ExponentialSum:
    r"""\int_0^t k(t - s) f(s) ds, whose frequencies are those of both.

    A frequency of the kernel must not equal one of f; if two are close, digits are lost.
    """
    of_f, of_kernel = ([jnp.zeros_like(part.amplitudes) for part in g.parts] for g in (f, kernel))
    for m, one in enumerate(f.parts):
        for n, other in enumerate(kernel.parts):
            if one.frequencies.size and other.frequencies.size:
                at_one, at_other = _transforms(
                    one.frequencies, one.amplitudes, other.frequencies, other.amplitudes
                )
                of_f[m] += at_one
                of_kernel[n] += at_other

    def driven(part: Terms, factors: Array) -> Terms:
        return part.with_amplitudes(part.amplitudes * factors)

    poles, *cuts = map(driven, f.parts, of_f)
    others, *rest = map(driven, kernel.parts, of_kernel)
    poles = Terms.joined(poles, others) if others.frequencies.size else poles
    return ExponentialSum(poles, (*cuts, *rest))


def transform(f: ExponentialSum, z: Complex[Array, " z"]) -> Complex[Array, "*sums z"]:
    r"""\int_0^inf f(t) e^{izt} dt = sum_j i a_j / (z - z_j), continued."""
    terms = [part.amplitudes @ (1j / (z[None, :] - part.frequencies[:, None])) for part in f.parts]
    return _total(terms)


@jax.custom_jvp
def _transforms(
    z: Complex[Array, " one"],
    a: Complex[Array, "*sums one"],
    w: Complex[Array, " other"],
    b: Complex[Array, "*sums other"],
) -> tuple[Complex[Array, "*sums one"], Complex[Array, "*sums other"]]:
    """sum_k i b_k / (z_j - w_k), and sum_j i a_j / (w_k - z_j)."""
    return _over_quotients((z, w), (a, b))


@member_by_member
def _over_quotients(z_and_w: tuple[Array, Array], amplitudes: tuple[Array, Array]) -> tuple:
    (z, w), (a, b) = z_and_w, amplitudes
    inverse = 1j / (z[:, None] - w[None, :])
    return b @ inverse.T, -a @ inverse


@partial(_transforms.defjvp, symbolic_zeros=True)
def _transforms_jvp(primals: tuple, tangents: tuple) -> tuple[tuple, tuple]:
    (z, a, w, b), (dz, da, dw, db) = primals, tangents
    inverse = 1j / (z[:, None] - w[None, :])
    slopes = 1j * inverse**2
    at_z, at_w = b @ inverse.T, -a @ inverse
    d_at_z, d_at_w = jnp.zeros_like(at_z), jnp.zeros_like(at_w)
    if not isinstance(da, SymbolicZero):
        d_at_w -= da @ inverse
    if not isinstance(db, SymbolicZero):
        d_at_z += db @ inverse.T
    if not isinstance(dz, SymbolicZero):
        d_at_z += _scaled(b @ slopes.T, dz)
        d_at_w -= _scaled(a, dz) @ slopes
    if not isinstance(dw, SymbolicZero):
        d_at_z -= _scaled(b, dw) @ slopes.T
        d_at_w += _scaled(a @ slopes, dw)
    return (at_z, at_w), (d_at_z, d_at_w)


def together(sums: Sequence[Sequence[Terms]], ts: Float[Array, " times"]) -> list[Any]:
    """Sums at the same times, 0.0 for one without terms.

    The exponentials of all poles, and those of each cut, are computed once, and all sums over them
    are one matrix product. A batch that shares the frequencies of cuts shares their exponentials.
    """
    totals: list[Any] = [0.0] * len(sums)
    for lists in _groups(sums, ts.shape[0]):
        chosen = [[p for p in parts if id(p.frequencies) in lists] for parts in sums]
        used = [k for k, parts in enumerate(chosen) if parts]
        rows = [_row(chosen[k], lists) for k in used]
        shapes = [row.shape[:-1] for row in rows]
        flat = jnp.concatenate([row.reshape(math.prod(row.shape[:-1]), -1) for row in rows])
        values = _sum(jnp.concatenate([*lists.values()]), flat, ts)
        ends = np.cumsum([math.prod(shape) for shape in shapes])[:-1]
        for k, piece, shape in zip(used, jnp.split(values, ends), shapes, strict=True):
            totals[k] += piece.reshape(*shape, ts.shape[0])
    return totals


def _groups(sums: Sequence[Sequence[Terms]], times: int) -> list[dict[int, Array]]:
    """Lists of frequencies: all poles together, and each cut by itself, unless times are few."""
    lists = {id(part.frequencies): part.frequencies for parts in sums for part in parts}
    few = {key: z for key, z in lists.items() if z.size <= FEW}
    many = {key: z for key, z in lists.items() if z.size > FEW}
    cuts = [many] if times <= FEW_TIMES else [{key: z} for key, z in many.items()]
    return [group for group in (few, *cuts) if group]


def _row(parts: Sequence[Terms], lists: dict[int, Array]) -> Complex[Array, "*sums terms"]:
    """The amplitudes of the parts of a sum at the frequencies of all lists."""
    sums = parts[0].amplitudes.shape[:-1]
    amplitudes = {key: jnp.zeros((*sums, z.size), complex) for key, z in lists.items()}
    for part in parts:
        amplitudes[id(part.frequencies)] += part.amplitudes
    return jnp.concatenate([*amplitudes.values()], axis=-1)
