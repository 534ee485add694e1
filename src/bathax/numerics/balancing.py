r"""Balanced truncation: sums of exponentials with as few terms as an accuracy needs.

A kernel k(t) = sum_j m_j e^{-i z_j t}, Im z_j <= 0, from a quadrature rule has hundreds of terms.
Balanced truncation keeps those linear combinations of exponentials that contribute most to k,

k(t) ~ o . e^{-A t} W m,    A = W diag(i z) V,  o = 1 . V,

where W and V come from the singular vectors of the Hankel operator H(s, t) = k(s + t). The same A
and o serve several kernels with different m. Modes are ordered by their singular values, and the
leading n x n blocks are the truncations to n modes, so that n can be chosen later.

What drives the modes need not be white noise. If it responds like e^{-r t}, the singular vectors
are those of exponentials that are convolved with it, (e^{-i z t} - e^{-r t}) / (r - i z): modes far
from resonance come later.
"""

from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.linalg import block_diag
from jaxtyping import Array, Complex, Float, Inexact

from bathax import _loops
from bathax._checks import Scalar
from bathax._linalg import differentiable_one_by_one, one_by_one, orthonormal, svd
from bathax.numerics.elementary import decay
from bathax.numerics.quadrature import gauss_legendre

# Singular values below this fraction of the largest are rounding: their modes are left out.
RANK = 1e-13
# So many more random directions than modes catch all that is above rounding.
OVERSAMPLING = 16
# The number of sampling times that are added, evenly in t, where exponentials do not decay.
LINEAR = 256
# Below this |r - i z| t the convolution has lost half its digits to cancellation.
CLOSE = 1e-7


class Sampling(NamedTuple):
    """Sampling times of the Hankel operator and their spacing, in units of the horizon."""

    times: np.ndarray
    spacing: np.ndarray

    @staticmethod
    def logarithmic(count: int = 72, foldings: float = 18.0) -> "Sampling":
        """Even in log t: for kernels with one branch point."""
        times = np.exp(-foldings / count * (np.arange(count) + 0.5))
        return Sampling(times, times * foldings / count)

    @staticmethod
    def panelled(panels: int = 16, count: int = 14, first: float = 1e-7) -> "Sampling":
        """Gauss-Legendre on growing panels: also where kernels of several branch points beat.

        From so early on that currents of energy into slow tails are seen.
        """
        edges = np.concatenate([[0.0], np.geomspace(first, 1.0, panels)])
        x, weights = gauss_legendre(count)
        length = np.diff(edges)[:, None]
        return Sampling((edges[:-1, None] + length * x).ravel(), (length * weights).ravel())

    def with_even(self, count: int) -> "Sampling":
        """With so many more, evenly in t."""
        even = Sampling((np.arange(count) + 0.5) / count, np.full(count, 1.0 / count))
        return Sampling(*map(np.concatenate, zip(self, even, strict=True)))


LOGARITHMIC, PANELLED = Sampling.logarithmic(), Sampling.panelled()


class ReducedModes(eqx.Module):
    """k(t) ~ output . e^{-generator t} excited, modes by decreasing `weight`.

    There is one row of `excited` for each kernel. `reduced` is False if there were so few nodes
    that each was kept as a mode.
    """

    generator: Complex[Array, "modes modes"]
    output: Complex[Array, " modes"]
    excited: Complex[Array, "kernels modes"]
    weight: Float[Array, " modes"]
    reduced: bool = eqx.field(static=True)

    def scaled(self, factor: Scalar) -> "ReducedModes":
        """The modes of kernels that are so many times as large, output and masses alike."""
        known = lax.stop_gradient(factor)
        root = jnp.sqrt(jnp.where(known > 0.0, known, 1.0))
        return ReducedModes(
            self.generator,
            self.output * root.astype(complex),
            self.excited * (factor / root).astype(complex),
            self.weight * known,
            self.reduced,
        )

    def leading(self, count: int) -> "ReducedModes":
        """The reduction to the first `count` modes."""
        return ReducedModes(
            self.generator[:count, :count],
            self.output[:count],
            self.excited[:, :count],
            self.weight[:count],
            self.reduced,
        )


def joined(parts: list[ReducedModes]) -> ReducedModes:
    """The modes of a sum of kernels, each reduced by itself."""
    if len(parts) == 1:
        return parts[0]
    return ReducedModes(
        block_diag(*[part.generator for part in parts]),
        jnp.concatenate([part.output for part in parts]),
        jnp.concatenate([part.excited for part in parts], axis=1),
        jnp.concatenate([part.weight for part in parts]),
        True,
    )


def reduced_modes(
    nodes: Inexact[Array, " nodes"],
    masses: Inexact[Array, "kernels nodes"],
    horizon: Scalar,
    count: int,
    sampling: Sampling = LOGARITHMIC,
    response: Complex[Array, ""] | None = None,
) -> ReducedModes:
    """At most `count` modes for kernels with these nodes z_j and masses m_j, for t up to `horizon`.

    The error of a kernel is about the first neglected singular value times the rate of change; it
    is not controlled beyond the horizon. `response` is r, if modes are to be those that count for
    something that responds like e^{-r t}. W and V are constant to differentiation; derivatives act
    on the nodes in A and on the masses.
    """
    masses = masses.astype(complex)
    if nodes.shape[0] <= count:
        return _as_they_are(nodes.astype(complex), masses)
    reduction = differentiable_one_by_one(partial(_reduced, count, sampling))
    generator, output, excited, weight = reduction(nodes, masses, horizon, response)
    return ReducedModes(generator, output, excited, weight, True)


def _reduced(
    count: int,
    sampling: Sampling,
    nodes: Inexact[Array, " nodes"],
    masses: Complex[Array, "kernels nodes"],
    horizon: Scalar,
    response: Complex[Array, ""] | None,
) -> tuple[Array, Array, Array, Array]:
    """A, o, W m for each kernel, and the singular values."""
    projections = one_by_one(partial(_projections, count, sampling))
    projection, lift, weight = projections(nodes, masses, horizon, response)
    # A and `excited` in one product.
    rates = 1j * nodes.astype(complex)
    columns = jnp.concatenate([rates[None, :] * lift, masses])
    product = _inner(_parts(projection), _parts(columns))
    # There are at most as many modes as singular values.
    modes = weight.shape[0]
    return product[:, :modes], jnp.sum(lift, axis=1), product[:, modes:].T, weight


def _projections(
    count: int,
    sampling: Sampling,
    nodes: Inexact[Array, " nodes"],
    masses: Complex[Array, "kernels nodes"],
    horizon: Scalar,
    response: Complex[Array, ""] | None,
) -> tuple[Array, Array, Array]:
    """W, the transpose of V, and the singular values, from the Hankel operator at some times."""
    samples = _samples(nodes, horizon, sampling, response)
    observed = _parts(samples)
    excited = _parts(jnp.concatenate([samples * mass[None, :] for mass in masses]))
    operator = _inner(observed, excited)
    # The operator acts on few directions only, which it makes of random ones.
    basis = orthonormal(operator @ _random(operator.shape[1], count + OVERSAMPLING))
    u, weight, vh = svd(basis.conj().T @ operator)
    u, vh, weight = basis @ u[:, :count], vh[:count], weight[:count]
    kept = weight > RANK * weight[0]
    scale = jnp.where(kept, 1.0 / jnp.sqrt(jnp.where(kept, weight, 1.0)), 0.0).astype(complex)
    projection = _product(scale[:, None] * u.conj().T, observed)
    return projection, _product(scale[:, None] * vh.conj(), excited), weight


def _parts(a: Complex[Array, "n m"]) -> Float[Array, "2*n m"]:
    """The real part above the imaginary one.

    XLA multiplies the parts of complex matrices in less than half the time of the matrices.
    """
    return jnp.concatenate([a.real, a.imag])


def _inner(a: Float[Array, "rows m"], b: Float[Array, "columns m"]) -> Complex[Array, "n k"]:
    """A matrix times the transpose of another, both given by their parts."""
    (rr, ri), (ir, ii) = (jnp.split(half, 2, axis=1) for half in jnp.split(a @ b.T, 2))
    return lax.complex(rr - ii, ri + ir)


def _product(a: Complex[Array, "n m"], b: Float[Array, "2*m k"]) -> Complex[Array, "n k"]:
    """A matrix times one that is given by its parts."""
    rows = [[a.real, -a.imag], [a.imag, a.real]]
    blocks = jnp.concatenate([jnp.concatenate(row, axis=1) for row in rows])
    return lax.complex(*jnp.split(blocks @ b, 2))


def _random(rows: int, columns: int) -> Complex[np.ndarray, "rows columns"]:
    """Gaussian numbers, always the same."""
    return np.random.default_rng(0).normal(size=(rows, columns)).astype(complex)


def _samples(
    nodes: Inexact[Array, " nodes"],
    horizon: Scalar,
    sampling: Sampling,
    response: Complex[Array, ""] | None,
) -> Complex[Array, "times nodes"]:
    """e^{-i z t}, or what it is convolved to, at sampling times, weighted by a spacing.

    A slow decay e^{-t / horizon} bounds the operator for kernels that fall off like a power of t.
    """
    if not jnp.iscomplexobj(nodes):
        sampling = sampling.with_even(LINEAR)
    t, spacing = (horizon * jnp.asarray(part) for part in sampling)
    weights = jnp.sqrt(spacing) * jnp.exp(-t / horizon)
    rates = 1j * nodes.astype(complex)

    def at(which: tuple[Scalar, Scalar]) -> Complex[Array, " nodes"]:
        t, weight = (part.astype(complex) for part in which)
        if response is None:
            return weight * decay(rates * t)
        gap = response.astype(complex) - rates
        close = jnp.abs(gap * t) < CLOSE
        convolved = (decay(rates * t) - decay(response * t)) / jnp.where(close, 1.0, gap)
        return weight * jnp.where(close, t * decay(rates * t), convolved)

    # A loop, because XLA would compute exponentials anew for every use of their parts.
    return _loops.map(at, (t, weights))


def _as_they_are(
    nodes: Complex[Array, " nodes"], masses: Complex[Array, "kernels nodes"]
) -> ReducedModes:
    """One mode for each node, scaled so that output and masses have equal size."""
    weight = lax.stop_gradient(jnp.max(jnp.abs(masses), axis=0))
    order = jnp.argsort(-weight)
    nodes, weight, masses = nodes[order], weight[order], masses[:, order]
    output = jnp.sqrt(jnp.where(weight > 0.0, weight, 1.0)).astype(complex)
    return ReducedModes(jnp.diag(1j * nodes), output, masses / output[None, :], weight, False)
