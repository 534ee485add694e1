r"""Sums of exponentials f(t) = sum_j a_j e^{-i z_j t}, Im z_j <= 0, and integrals of products.

A few terms, the poles, may be anywhere; many terms, a cut, come from a quadrature along a line into
the lower half plane. Several sums over the same exponentials are one object, whose amplitudes are a
matrix. Products of cuts from one branch point are integrated over time on panels that shrink
towards t = 0 by a constant factor: a function analytic in a sector about t > 0 is smooth on each.
Everything else is integrated in closed form. Frequencies of a cut and times that a batch shares are
exponentiated once for all its members, and all that is done with them are matrix products.
"""

from collections.abc import Callable
from functools import cache, partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array, Complex, Float

from bathax._checks import Scalar
from bathax.numerics.elementary import phase_factor
from bathax.numerics.quadrature import gauss_legendre

# Panels of time between 0 and the last one, the first of FIRST over the largest frequency of
# importance, and nodes on each.
PANELS, NODES, FIRST = 32, 20, 1e-6


class Terms(eqx.Module):
    """Exponentials of frequencies z_j with amplitudes a_j; `branch` tells cuts apart."""

    frequencies: Complex[Array, " terms"]
    amplitudes: Complex[Array, "*sums terms"]
    branch: int = eqx.field(static=True, default=0)

    def __call__(self, ts: Float[Array, " times"]) -> Complex[Array, "*sums times"]:
        return _sum(self.frequencies, self.amplitudes, ts)

    def __getitem__(self, chosen: slice | np.ndarray) -> "Terms":
        return Terms(self.frequencies[chosen], self.amplitudes[..., chosen], self.branch)

    def with_amplitudes(self, amplitudes: Complex[Array, "*sums terms"]) -> "Terms":
        """Other amplitudes of the same frequencies."""
        return Terms(self.frequencies, amplitudes, self.branch)

    @staticmethod
    def joined(*parts: "Terms") -> "Terms":
        """The sum of all."""
        return Terms(
            jnp.concatenate([part.frequencies for part in parts]),
            jnp.concatenate([part.amplitudes for part in parts], axis=-1),
        )


class ExponentialSum(eqx.Module):
    """A few terms that may oscillate for long, `poles`, and `cuts`.

    Each of the cuts is exponentiated by itself: one whose frequencies a batch shares, once. Those
    of one branch do not oscillate against each other for longer than they last.
    """

    poles: Terms
    cuts: tuple[Terms, ...]

    def __call__(self, ts: Float[Array, " times"]) -> Complex[Array, "*sums times"]:
        return _total([part(ts) for part in self.parts])

    def __getitem__(self, chosen: int) -> "ExponentialSum":
        """One of several sums."""
        return self._mapped(lambda part: part.amplitudes[chosen])

    @property
    def parts(self) -> tuple[Terms, ...]:
        """All terms."""
        return (self.poles, *self.cuts)

    def with_moment(self, origin: Complex[Array, ""]) -> "ExponentialSum":
        """f and f' + i z_0 f, whose amplitudes are those of f times -i (z_j - z_0)."""
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
        """The sum of |a_j|, which rounding errors are relative to."""
        return _total([jnp.sum(jnp.abs(part.amplitudes), axis=-1) for part in self.parts])


def _total(values: list[Array]) -> Array:
    first, *others = values
    return sum(others, first)


def _scaled(amplitudes: Array, factors: Complex[Array, " terms"]) -> Array:
    """Each of several sums with amplitudes times the same factors."""
    return amplitudes * jnp.broadcast_to(factors, amplitudes.shape)


@jax.jit
def phases(
    frequencies: Complex[Array, " terms"], ts: Float[Array, " times"]
) -> Complex[Array, "terms times"]:
    """e^{-i z_j t}."""
    modulus = jnp.exp(frequencies.imag[:, None] * ts[None, :])
    return modulus.astype(complex) * phase_factor(-frequencies.real[:, None] * ts[None, :])


@jax.custom_jvp
def _sum(
    frequencies: Complex[Array, " terms"],
    amplitudes: Complex[Array, "*sums terms"],
    ts: Float[Array, " times"],
) -> Complex[Array, "*sums times"]:
    """sum_j a_j e^{-i z_j t}."""
    return amplitudes @ phases(frequencies, ts)


@partial(_sum.defjvp, symbolic_zeros=True)
def _sum_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    # Sums over the same exponentials, however many directions there are.
    (z, a, t), (dz, da, dt) = primals, tangents
    exponentials = phases(z, t)
    value = a @ exponentials
    tangent = jnp.zeros_like(value)
    if not isinstance(da, SymbolicZero):
        tangent += da @ exponentials
    if not isinstance(dz, SymbolicZero):
        tangent += _scaled(_scaled(a, dz) @ exponentials, -1j * t.astype(complex))
    if not isinstance(dt, SymbolicZero):
        tangent += _scaled(_scaled(a, z) @ exponentials, -1j * dt.astype(complex))
    return value, tangent


def convolution(kernel: ExponentialSum, f: ExponentialSum) -> ExponentialSum:
    r"""\int_0^t k(t - s) f(s) ds, whose frequencies are those of both.

    No two frequencies may be equal; close ones cost digits.
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
    other_poles, *rest = map(driven, kernel.parts, of_kernel)
    return ExponentialSum(Terms.joined(poles, other_poles), (*cuts, *rest))


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


def overlap(
    f: ExponentialSum,
    g: ExponentialSum,
    ts: Float[Array, " times"],
    origin: Complex[Array, ""],
    bandwidth: Scalar,
) -> Complex[Array, "2 times"]:
    r"""\int_0^t conj(h(s)) g(s) ds at increasing times, of h = f and of h = f' + i z_0 f.

    In closed form wherever a pole takes part. Within 1e-6 / `bandwidth` of t = 0 the cuts are
    smooth.
    """
    both = f.with_moment(origin)
    total = _pole_overlap(both.poles, g.poles, ts) + _against(both.poles, g.cuts, ts)
    for cut in both.cuts:
        total += _against(cut, tuple(c for c in g.cuts if c.branch != cut.branch), ts)
    total += _against_poles(f.cuts, g.poles, ts, origin)
    for branch in {cut.branch for cut in f.cuts}:
        one, other = ([cut for cut in cuts if cut.branch == branch] for cuts in (both.cuts, g.cuts))
        if one and other:
            total += _panel_overlap(one, other, ts, bandwidth)
    return total


def _pole_overlap(f: Terms, g: Terms, ts: Float[Array, " times"]) -> Complex[Array, "2 times"]:
    """All pairs of terms."""
    left, right = phases(f.frequencies, ts).conj(), phases(g.frequencies, ts)
    gap = 1j * (f.frequencies.conj()[:, None] - g.frequencies[None, :])
    t = ts.astype(complex)
    running = _exprel(gap[:, :, None] * t[None, None, :], left[:, None, :] * right[None, :, :])
    weights = f.amplitudes.conj()[:, :, None] * g.amplitudes[None, None, :]
    pairs = gap.size
    return _scaled(weights.reshape(2, pairs) @ running.reshape(pairs, ts.size), t)


def _exprel(x: Complex[Array, "..."], power: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """(e^x - 1) / x for Re x <= 0, where e^x is known."""
    small = jnp.abs(x) < 1e-2
    series = 1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 * (1.0 + x / 6.0))))
    return jnp.where(small, series, (power - 1.0) / jnp.where(small, jnp.ones((), x.dtype), x))


def _against(
    f: Terms, cuts: tuple[Terms, ...], ts: Float[Array, " times"]
) -> Complex[Array, "2 times"]:
    r"""\int_0^t conj(f) g ds for cuts g on which no frequency is close to those of f."""
    if not cuts or not f.frequencies.size:
        return jnp.zeros((2, ts.shape[0]), complex)
    return f.amplitudes.conj() @ _integrals(f.frequencies, cuts, ts)


def _against_poles(
    cuts: tuple[Terms, ...], poles: Terms, ts: Float[Array, " times"], origin: Complex[Array, ""]
) -> Complex[Array, "2 times"]:
    """The integral of conj(f) g for cuts f and poles g, and that of conj(f' + i z_0 f) g.

    The second one by parts: with e = e^{-iwt} the integral of f' conj(e) is f conj(e) at both ends
    and that of f conj(e), times -i w*.
    """
    w = poles.frequencies
    if not cuts or not w.size:
        return jnp.zeros((2, ts.shape[0]), complex)
    of_f = _integrals(w, cuts, ts)
    at_ends = phases(w, ts).conj() * _total([cut(ts) for cut in cuts])[None, :]
    at_ends -= _total([jnp.sum(cut.amplitudes) for cut in cuts])
    of_moment = at_ends - 1j * (w.conj() - origin)[:, None] * of_f
    return (poles.amplitudes.conj() @ jnp.stack([of_f, of_moment])).conj()


def _integrals(
    w: Complex[Array, " poles"], cuts: tuple[Terms, ...], ts: Float[Array, " times"]
) -> Complex[Array, "poles times"]:
    """The integrals of conj(e^{-iwt}) g for cuts g: no differences of close numbers."""

    def quotients(cut: Terms) -> Terms:
        gap = 1j * (w.conj()[:, None] - cut.frequencies[None, :])
        return cut.with_amplitudes(cut.amplitudes[None, :] / gap)

    divided = [quotients(cut) for cut in cuts]
    start = _total([jnp.sum(cut.amplitudes, axis=-1) for cut in divided])
    return phases(w, ts).conj() * _total([cut(ts) for cut in divided]) - start[:, None]


def _panel_overlap(
    f: list[Terms], g: list[Terms], ts: Float[Array, " times"], bandwidth: Scalar
) -> Complex[Array, "2 times"]:
    """The integral of conj(f) g for cuts of one branch."""
    ends = panels(ts[-1], bandwidth)
    starts, lengths = ends[:-1], jnp.diff(ends)
    x, _ = gauss_legendre(NODES)
    nodes = (starts[:, None] + lengths[:, None] * x[None, :]).ravel()
    values = _total([cut(nodes) for cut in f]).conj() * _total([cut(nodes) for cut in g])[None, :]
    weights = _running_weights(ts, ends)
    return lax.complex(values.real @ weights, values.imag @ weights)


def panels(last: Scalar, bandwidth: Scalar) -> Float[Array, " edges"]:
    """Ends of intervals of time that grow by a constant factor."""
    last = lax.stop_gradient(jnp.where(last > 0.0, last, 1.0))
    bandwidth = lax.stop_gradient(bandwidth)
    ratio = jnp.maximum(last * bandwidth / FIRST, 1e3) ** (1.0 / (PANELS - 1))
    powers = jnp.log(ratio) * np.arange(1.0 - PANELS, 1.0)
    return jnp.concatenate([np.zeros(1), last * jnp.exp(powers)])


def _running_weights(
    ts: Float[Array, " times"], ends: Float[Array, " edges"]
) -> Float[Array, "nodes times"]:
    """Weights of the nodes of all panels in the integral from 0 to each time."""
    starts, lengths = ends[:-1], jnp.diff(ends)
    since = ts[None, :] - starts[:, None]
    whole = ts[None, :] > ends[1:, None]
    within = (since > 0.0) & ~whole
    # One panel at most is covered in part.
    part = running_rule(jnp.sum(jnp.where(within, since / lengths[:, None], 0.0), axis=0))
    _, rule = gauss_legendre(NODES)
    weights = jnp.where(
        within[:, None, :], part[None, :, :], jnp.where(whole[:, None, :], rule[None, :, None], 0.0)
    )
    return (weights * lengths[:, None, None]).reshape(PANELS * NODES, ts.shape[0])


def running_rule(y: Float[Array, " y"]) -> Float[Array, "NODES y"]:
    """Weights of the Gauss-Legendre nodes in the integral of a polynomial from 0 to y."""
    return _series(jnp.asarray(_antiderivatives()), y)


@cache
def _antiderivatives() -> np.ndarray:
    """Chebyshev series of the integrals from 0 to y of the Lagrange polynomials of the nodes."""
    x, weights = gauss_legendre(NODES)
    degrees = np.arange(NODES)[:, None]
    legendre = np.polynomial.legendre
    series = (2 * degrees + 1) * weights * legendre.legvander(2 * x - 1, NODES - 1).T
    integrals = legendre.legint(series, lbnd=-1, scl=0.5)
    angles = np.pi / (NODES + 1) * (np.arange(NODES + 1) + 0.5)
    values = legendre.legval(np.cos(angles), integrals)
    coefficients = values @ np.cos(np.outer(angles, np.arange(NODES + 1))) * (2 / (NODES + 1))
    coefficients[:, 0] *= 0.5
    return coefficients


@jax.custom_jvp
def _series(coefficients: Float[Array, "n degrees"], y: Float[Array, " y"]) -> Array:
    """Chebyshev series in 2y - 1, 0 <= y <= 1."""
    angle = jnp.arccos(jnp.clip(2.0 * y - 1.0, -1.0, 1.0))
    return coefficients @ jnp.cos(np.arange(float(coefficients.shape[1]))[:, None] * angle[None, :])


@_series.defjvp
def _series_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    (coefficients, y), (_, dy) = primals, tangents
    slope = _series(2.0 * coefficients @ _derivative(coefficients.shape[1]), y)
    return _series(coefficients, y), slope * dy[None, :]


def _derivative(count: int) -> np.ndarray:
    """The matrix that takes the coefficients of a Chebyshev series to those of its derivative."""
    return np.polynomial.chebyshev.chebder(np.eye(count), axis=1)
