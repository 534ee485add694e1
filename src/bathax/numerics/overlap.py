r"""Integrals over time of products of two sums of exponentials.

A product of two cuts from one branch point is integrated on panels that shrink towards t = 0 by a
constant factor, on each of which it is smooth. All other products are integrated in closed form.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex, Float

from bathax._checks import Scalar
from bathax.numerics.elementary import exprel
from bathax.numerics.exponential_sum import ExponentialSum, Terms, phases, together
from bathax.numerics.running_integral import running_integral


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
