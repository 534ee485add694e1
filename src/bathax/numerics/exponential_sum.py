r"""Sums of exponentials f(t) = sum_j a_j e^{-i z_j t}, Im z_j <= 0, and integrals of products.

There are two kinds of terms: a few poles, whose frequencies may be anywhere, and cuts, each of many
terms from a quadrature along a line into the lower half plane. Several sums over the same
exponentials are one object, whose amplitudes are a matrix.

A product of two cuts from one branch point is integrated over time on panels that shrink towards
t = 0 by a constant factor, on each of which it is smooth. All other products are integrated in
closed form.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array, Complex, Float

from bathax._checks import Scalar
from bathax.numerics.elementary import exponential, exponential_parts, exprel
from bathax.numerics.matrices import by_parts
from bathax.numerics.running_integral import running_integral

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
    return by_parts(amplitudes, _phase_parts(frequencies, ts))


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


class Overlap(NamedTuple):
    r"""h = f and f' + i z_0 f at some times, g, and \int_0^t conj(h(s)) g(s) ds."""

    f: Complex[Array, "2 times"]
    g: Complex[Array, " times"]
    integrals: Complex[Array, "2 times"]


def overlap(
    f: ExponentialSum,
    g: ExponentialSum,
    ts: Float[Array, " times"],
    origin: Complex[Array, ""],
    bandwidth: Scalar,
) -> Overlap:
    """Two sums at times that increase from 0, and the integral of their product.

    Products with a pole are integrated in closed form. The cuts have to be smooth for times below
    1e-6 / `bandwidth`.
    """
    both = f.with_moment(origin)
    # By themselves, so that inside `jit` nothing else is computed for f alone.
    poles, cuts = together([[both.discrete], both.cuts], ts)
    of_f, of_g = _quotients(g.discrete, f.cuts), _quotients(f.discrete, g.cuts)
    g_poles, g_cuts, on_f, on_g = together([[g.discrete], g.cuts, of_f, of_g], ts)
    by_f, by_g = (phases(part.frequencies, ts) for part in (f.discrete, g.discrete))
    total = _pole_overlap(both.discrete, g.discrete, by_f.conj()[:, None] * by_g[None], ts)
    if g.cuts:
        total += both.discrete.amplitudes.conj() @ (by_f.conj() * on_g)
    if f.cuts:
        # By parts: with e = e^{-iwt} the integral of f' conj(e) is f conj(e) at both ends and that
        # of f conj(e), times -i w*.
        w, weights = g.discrete.frequencies.conj(), g.discrete.amplitudes.conj()
        moments = jnp.stack([weights, -1j * (w - origin) * weights]) @ (by_g.conj() * on_f)
        ends = jnp.stack([jnp.zeros_like(cuts[0]), (weights @ by_g.conj()) * cuts[0]])
        total += (moments + ends).conj()
    total += _cut_overlap(both.cuts, g.cuts, ts, bandwidth)
    # Integrals in closed form are differences of their values at t and at 0.
    return Overlap(poles + cuts, g_poles + g_cuts, total - total[:, :1])


def _quotients(poles: Terms, cuts: tuple[Terms, ...]) -> list[Terms]:
    r"""conj(e) g integrated over time, times e*: a_k / (i (w* - z_k)) e^{-i z_k t} of each pole."""
    w = poles.frequencies.conj()[:, None]
    return [
        cut.with_amplitudes(cut.amplitudes[None, :] / (1j * (w - cut.frequencies[None, :])))
        for cut in cuts
    ]


def _pole_overlap(
    f: Terms, g: Terms, products: Complex[Array, "f g times"], ts: Float[Array, " times"]
) -> Complex[Array, "2 times"]:
    """The integral for all pairs of poles, of which the products conj(e) e are known."""
    gap = 1j * (f.frequencies.conj()[:, None] - g.frequencies[None, :])
    t = ts.astype(complex)
    running = exprel(gap[:, :, None] * t[None, None, :], products)
    weights = f.amplitudes.conj()[:, :, None] * g.amplitudes[None, None, :]
    pairs = gap.size
    return weights.reshape(2, pairs) @ (t[None, None, :] * running).reshape(pairs, ts.size)


def _cut_overlap(
    f: tuple[Terms, ...], g: tuple[Terms, ...], ts: Float[Array, " times"], bandwidth: Scalar
) -> Complex[Array, "2 times"]:
    """The integral for cuts: on panels for those of one branch, others up to a constant."""
    total = jnp.zeros((2, ts.shape[0]), complex)
    for cut in f:
        others = [other for other in g if other.branch != cut.branch]
        if others:
            (running,) = together([_quotients(cut, tuple(others))], ts)
            total += cut.amplitudes.conj() @ (phases(cut.frequencies, ts).conj() * running)
    for branch in {cut.branch for cut in f} & {cut.branch for cut in g}:
        one, other = ([cut for cut in cuts if cut.branch == branch] for cuts in (f, g))
        total += _panel_overlap(one, other, ts, bandwidth)
    return total


def _panel_overlap(
    f: list[Terms], g: list[Terms], ts: Float[Array, " times"], bandwidth: Scalar
) -> Complex[Array, "2 times"]:
    """The integral of conj(f) g for cuts of one branch."""
    nodes, weights = running_integral(ts, bandwidth)
    left, right = together([f, g], nodes)
    values = left.conj() * right[None, :]
    return lax.complex(values.real @ weights, values.imag @ weights)
