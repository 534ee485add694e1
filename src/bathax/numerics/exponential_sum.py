r"""Sums of exponentials f(t) = sum_j a_j e^{-i z_j t}, Im z_j <= 0, and integrals of products.

A few terms, the poles, may be anywhere; many terms, a cut, come from a quadrature along a line into
the lower half plane. Products of cuts from one branch point are integrated over time on panels that
shrink towards t = 0 by a constant factor: a function analytic in a sector about t > 0 is smooth on
each. Everything else is integrated in closed form. Frequencies of a cut and times that a batch
shares are exponentiated once for all its members, and the sums are matrix products.
"""

from collections.abc import Callable
from functools import partial

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
    amplitudes: Complex[Array, " terms"]
    branch: int = eqx.field(static=True, default=0)

    def __call__(self, ts: Float[Array, " times"]) -> Complex[Array, " times"]:
        return _sum(self.frequencies, self.amplitudes, ts)

    def __getitem__(self, chosen: slice) -> "Terms":
        return Terms(self.frequencies[chosen], self.amplitudes[chosen], self.branch)

    def scaled(self, factors: Complex[Array, "..."]) -> "Terms":
        """The same frequencies with amplitudes times `factors`."""
        return Terms(self.frequencies, self.amplitudes * factors, self.branch)

    @staticmethod
    def joined(*parts: "Terms") -> "Terms":
        """The sum of all."""
        none = jnp.zeros(0, complex)
        return Terms(
            jnp.concatenate([none, *(part.frequencies for part in parts)]),
            jnp.concatenate([none, *(part.amplitudes for part in parts)]),
        )


class ExponentialSum(eqx.Module):
    """A few terms that may oscillate for long, `poles`, and `cuts`.

    Each of the cuts is exponentiated by itself: one whose frequencies a batch shares, once. Those
    of one branch do not oscillate against each other for longer than they last.
    """

    poles: Terms
    cuts: tuple[Terms, ...]

    def __call__(self, ts: Float[Array, " times"]) -> Complex[Array, " times"]:
        return sum((part(ts) for part in self.parts), jnp.zeros(ts.shape, complex))

    def branch(self, branch: int) -> Callable[[Float[Array, " times"]], Complex[Array, " times"]]:
        """The sum over the cuts of one branch, a function of time."""
        cuts = [cut for cut in self.cuts if cut.branch == branch]
        return lambda ts: sum((cut(ts) for cut in cuts), jnp.zeros(ts.shape, complex))

    @property
    def parts(self) -> tuple[Terms, ...]:
        """All terms."""
        return (self.poles, *self.cuts)

    def moment(self, origin: Complex[Array, ""]) -> "ExponentialSum":
        """f' + i z_0 f: amplitudes times -i (z_j - z_0)."""
        poles, *cuts = (part.scaled(-1j * (part.frequencies - origin)) for part in self.parts)
        return ExponentialSum(poles, tuple(cuts))

    def scaled(self, factor: Complex[Array, ""]) -> "ExponentialSum":
        """f times a number."""
        poles, *cuts = (part.scaled(factor) for part in self.parts)
        return ExponentialSum(poles, tuple(cuts))

    @property
    def start(self) -> Complex[Array, ""]:
        """f(0)."""
        return sum((jnp.sum(part.amplitudes) for part in self.parts), jnp.zeros((), complex))

    @property
    def weight(self) -> Float[Array, ""]:
        """The sum of |a_j|, which rounding errors are relative to."""
        return sum((jnp.sum(jnp.abs(part.amplitudes)) for part in self.parts), jnp.zeros(()))


def phases(
    frequencies: Complex[Array, " terms"], ts: Float[Array, " times"]
) -> Complex[Array, "times terms"]:
    """e^{-i z_j t}."""
    modulus = jnp.exp(jnp.outer(ts, frequencies.imag))
    return modulus.astype(complex) * phase_factor(-jnp.outer(ts, frequencies.real))


@jax.custom_jvp
def _sum(
    frequencies: Complex[Array, " terms"],
    amplitudes: Complex[Array, " terms"],
    ts: Float[Array, " times"],
) -> Complex[Array, " times"]:
    """sum_j a_j e^{-i z_j t}."""
    return phases(frequencies, ts) @ amplitudes


@partial(_sum.defjvp, symbolic_zeros=True)
def _sum_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    # Sums over the same exponentials, however many directions there are.
    (z, a, t), (dz, da, dt) = primals, tangents
    exponentials = phases(z, t)
    value = exponentials @ a
    tangent = jnp.zeros_like(value)
    if not isinstance(da, SymbolicZero):
        tangent += exponentials @ da
    if not isinstance(dz, SymbolicZero):
        tangent += -1j * t.astype(complex) * (exponentials @ (a * dz))
    if not isinstance(dt, SymbolicZero):
        tangent += -1j * dt.astype(complex) * (exponentials @ (a * z))
    return value, tangent


def convolution(kernel: ExponentialSum, f: ExponentialSum) -> ExponentialSum:
    r"""\int_0^t k(t - s) f(s) ds, whose frequencies are those of both.

    No two frequencies may be equal; close ones cost digits.
    """
    of_f, of_kernel = ([jnp.zeros_like(part.frequencies) for part in g.parts] for g in (f, kernel))
    for m, one in enumerate(f.parts):
        for n, other in enumerate(kernel.parts):
            at_one, at_other = _transforms(
                one.frequencies, one.amplitudes, other.frequencies, other.amplitudes
            )
            of_f[m] += at_one
            of_kernel[n] += at_other
    poles, *cuts = map(Terms.scaled, f.parts, of_f)
    driven, *rest = map(Terms.scaled, kernel.parts, of_kernel)
    return ExponentialSum(Terms.joined(poles, driven), (*cuts, *rest))


def transform(f: ExponentialSum, z: Complex[Array, " z"]) -> Complex[Array, " z"]:
    r"""\int_0^inf f(t) e^{izt} dt = sum_j i a_j / (z - z_j), continued."""
    terms = ((1j / jnp.subtract.outer(z, part.frequencies)) @ part.amplitudes for part in f.parts)
    return sum(terms, jnp.zeros_like(z))


@jax.custom_jvp
def _transforms(
    z: Complex[Array, " one"],
    a: Complex[Array, " one"],
    w: Complex[Array, " other"],
    b: Complex[Array, " other"],
) -> tuple[Complex[Array, " one"], Complex[Array, " other"]]:
    """sum_k i b_k / (z_j - w_k), and sum_j i a_j / (w_k - z_j)."""
    inverse = 1j / jnp.subtract.outer(z, w)
    return inverse @ b, -a @ inverse


@partial(_transforms.defjvp, symbolic_zeros=True)
def _transforms_jvp(primals: tuple, tangents: tuple) -> tuple[tuple, tuple]:
    (z, a, w, b), (dz, da, dw, db) = primals, tangents
    inverse = 1j / jnp.subtract.outer(z, w)
    slopes = 1j * inverse**2
    at_z, at_w = inverse @ b, -a @ inverse
    d_at_z, d_at_w = jnp.zeros_like(at_z), jnp.zeros_like(at_w)
    if not isinstance(da, SymbolicZero):
        d_at_w -= da @ inverse
    if not isinstance(db, SymbolicZero):
        d_at_z += inverse @ db
    if not isinstance(dz, SymbolicZero):
        d_at_z += dz * (slopes @ b)
        d_at_w -= (a * dz) @ slopes
    if not isinstance(dw, SymbolicZero):
        d_at_z -= slopes @ (b * dw)
        d_at_w += dw * (a @ slopes)
    return (at_z, at_w), (d_at_z, d_at_w)


def overlap(
    f: ExponentialSum, g: ExponentialSum, ts: Float[Array, " times"], bandwidth: Scalar
) -> Complex[Array, " times"]:
    r"""\int_0^t conj(f(s)) g(s) ds at increasing times; in closed form wherever a pole takes part.

    Within 1e-6 / `bandwidth` of t = 0 the cuts are smooth.
    """
    total = _pole_overlap(f.poles, g.poles, ts)
    for cut in f.cuts:
        total += _mixed_overlap(g.poles, cut, ts).conj()
        total += sum(
            _mixed_overlap(cut, other, ts) for other in g.cuts if other.branch != cut.branch
        )
    for cut in g.cuts:
        total += _mixed_overlap(f.poles, cut, ts)
    edges = panels(ts[-1], bandwidth)
    for branch in {cut.branch for cut in f.cuts}:
        one, other = f.branch(branch), g.branch(branch)
        total += _running_integral(lambda s, f=one, g=other: f(s).conj() * g(s), ts, edges)
    return total


def panels(last: Scalar, bandwidth: Scalar) -> Float[Array, " edges"]:
    """Ends of intervals of time that grow by a constant factor."""
    last = lax.stop_gradient(jnp.where(last > 0.0, last, 1.0))
    bandwidth = lax.stop_gradient(bandwidth)
    ratio = jnp.maximum(last * bandwidth / FIRST, 1e3) ** (1.0 / (PANELS - 1))
    return jnp.concatenate([jnp.zeros(1), last * ratio ** jnp.arange(1.0 - PANELS, 1.0)])


def _pole_overlap(f: Terms, g: Terms, ts: Float[Array, " times"]) -> Complex[Array, " times"]:
    gap = 1j * jnp.subtract.outer(f.frequencies.conj(), g.frequencies).ravel()
    weights = jnp.outer(f.amplitudes.conj(), g.amplitudes).ravel()
    t = ts.astype(complex)
    return t * (weights @ _exprel(jnp.outer(gap, t)))


def _mixed_overlap(f: Terms, g: Terms, ts: Float[Array, " times"]) -> Complex[Array, " times"]:
    """Where conj(z_j) of f and z_k of g are not close: no differences of close numbers."""
    gap = 1j * jnp.subtract.outer(f.frequencies.conj(), g.frequencies)
    weights = jnp.outer(f.amplitudes.conj(), g.amplitudes) / gap
    running = weights @ phases(g.frequencies, ts).T
    return jnp.sum(phases(f.frequencies, ts).T.conj() * running, axis=0) - jnp.sum(weights)


def _exprel(x: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """(e^x - 1) / x for Re x <= 0."""
    small = jnp.abs(x) < 1e-2
    series = 1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 * (1.0 + x / 6.0))))
    safe = jnp.where(small, jnp.ones((), x.dtype), x)
    return jnp.where(small, series, (jnp.exp(safe) - 1.0) / safe)


def _running_integral(
    f: Callable[[Float[Array, " nodes"]], Complex[Array, " nodes"]],
    ts: Float[Array, " times"],
    edges: Float[Array, " edges"],
) -> Complex[Array, " times"]:
    """The integral of f from 0 to each time, for f analytic in a sector about t > 0."""
    starts, lengths = edges[:-1], jnp.diff(edges)
    x, weights = gauss_legendre(NODES)
    values = f((starts[:, None] + jnp.outer(lengths, jnp.asarray(x))).ravel())
    # On each panel f is its Legendre series, whose antiderivative is evaluated at every time.
    degrees = np.arange(NODES)[:, None]
    series = (2 * degrees + 1) * weights * np.polynomial.legendre.legvander(2 * x - 1, NODES - 1).T
    share = jnp.clip((ts[:, None] - starts[None, :]) / lengths[None, :], 0.0, 1.0)
    running = _antiderivatives(share) * lengths[None, :, None]
    return (running @ jnp.asarray(series)).reshape(ts.shape[0], -1).astype(complex) @ values


def _antiderivatives(y: Float[Array, "..."]) -> Float[Array, "... degrees"]:
    """The integrals of P_k(2x - 1) from 0 to y, k < NODES."""
    x = 2.0 * y - 1.0
    legendre = [jnp.ones_like(x), x]
    for k in range(1, NODES):
        legendre.append(((2 * k + 1) * x * legendre[k] - k * legendre[k - 1]) / (k + 1))
    rest = [(legendre[k + 1] - legendre[k - 1]) / (4 * k + 2) for k in range(1, NODES)]
    return jnp.stack([y, *rest], axis=-1)
