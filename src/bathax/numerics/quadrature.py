"""Quadrature rules as pairs (nodes, weights), and Fourier sums over their nodes."""

import math
from collections.abc import Callable
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Inexact, Int

from bathax import _loops
from bathax.numerics.elementary import exponential, logarithm
from bathax.numerics.grid import TimeGrid

PANEL = 32
# The number of principal values that are computed at once.
AT_ONCE = 64
# `half_line` begins at e^-340, whose square does not underflow; nodes are even above e^EVEN_FROM.
SMALLEST, EVEN_FROM = -23.75, -18.0


@cache
def gauss_legendre(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of int_0^1 f(x) dx, exact for degree 2 count - 1."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return (nodes + 1) / 2, weights / 2


def composite(panels: int, count: int = PANEL) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre on equal panels of [0, 1].

    32 nodes on a panel integrate e^{i a x} to 1e-15 while the phase a / panels stays below 50.
    """
    x, w = gauss_legendre(count)
    nodes = (np.arange(panels)[:, None] + x[None, :]) / panels
    return nodes.ravel(), np.tile(w / panels, panels)


def on_panels(
    edges: Float[Array, " edges"], count: int
) -> tuple[Float[Array, " nodes"], Float[Array, " nodes"]]:
    """Gauss-Legendre nodes and weights on each of the panels between increasing edges."""
    x, weights = (jnp.asarray(part)[None, :] for part in gauss_legendre(count))
    width = jnp.diff(edges)[:, None]
    return (edges[:-1, None] + width * x).ravel(), (width * weights).ravel()


@cache
def half_line(last: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of int_0^inf f(r) dr for f smooth in log r, small beyond e^last.

    The trapezoidal rule in x, with r = exp(x - e^{-(x - EVEN_FROM)}). Nodes are even in log r above
    e^EVEN_FROM, and double exponential below, which serves an f as singular as r^{-1/2} at 0.
    """
    step = (last - SMALLEST) / count
    # Counted from the far end, where rounding of x matters most.
    x = last - step * np.arange(count, 0, -1)
    depth = np.exp(EVEN_FROM - x)
    r = np.exp(x - depth)
    return r, (1.0 + depth) * r * step


def half_line_position(r: Complex[Array, "..."], last: float, count: int) -> Complex[Array, "..."]:
    """The position of r among the nodes of `half_line`, continued to complex r."""
    return (_exponent(r) - SMALLEST) * (count / (last - SMALLEST))


@jax.custom_jvp
def _exponent(r: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """x of r = exp(x - e^{-(x - EVEN_FROM)})."""
    goal = logarithm(r)
    # In the double exponential part x is about EVEN_FROM - log(EVEN_FROM - log r).
    deep = goal.real < EVEN_FROM - 1.0
    start = jnp.where(deep, EVEN_FROM - logarithm(jnp.where(deep, EVEN_FROM - goal, 1.0)), goal)

    def improved(_: Int[Array, ""], x: Array) -> Array:  # by Newton's method
        depth = jnp.exp(EVEN_FROM - x)
        return x - (x - depth - goal) / (1.0 + depth)

    return _loops.fori_loop(0, 5, improved, start)


@_exponent.defjvp
def _exponent_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    (r,), (dr,) = primals, tangents
    # e^{-(x - EVEN_FROM)} is x - log r.
    x = _exponent(r)
    return x, dr / (r * (1.0 + x - logarithm(r)))


@cache
def counting_rule(exact: int, panels: int) -> tuple[np.ndarray, np.ndarray]:
    r"""Nodes n and weights of \sum_{n=0}^{N-1} f(n) with N = exact 2^panels, for smooth f.

    The first `exact` terms one by one, then panels [exact, 2 exact), [2 exact, 4 exact), ..., each
    by the 12-node Gauss rule of the discrete uniform measure. Its orthogonal polynomials are
    Gram's, with the Jacobi matrix a_k = (N-1)/2, b_k^2 = k^2 (N^2 - k^2) / (4 (4 k^2 - 1)).
    """
    nodes, weights = [np.arange(exact, dtype=float)], [np.ones(exact)]
    for panel in range(panels):
        size = float(exact * 2**panel)
        k = np.arange(1, 12)
        off_diagonal = np.sqrt(k**2 * (size**2 - k**2) / (4 * (4 * k**2 - 1)))
        jacobi = np.diag(off_diagonal, 1) + np.diag(off_diagonal, -1)
        roots, vectors = np.linalg.eigh(jacobi)
        nodes.append(size + (size - 1) / 2 + roots)
        weights.append(size * vectors[0] ** 2)
    return np.concatenate(nodes), np.concatenate(weights)


def fourier_sum(
    amplitudes: Inexact[Array, " nodes"], frequencies: Inexact[Array, " nodes"], grid: TimeGrid
) -> Complex[Array, " points"]:
    """sum_q A_q e^{-i z_q t_j} on the grid, for real z_q or z_q in the lower half plane.

    With j = a B + b the exponential factorises, e^{-i z a B h} e^{-i z b h}, and the sum is a
    matrix product with 2 sqrt(points) exponentials a node instead of `points`. Nodes are taken
    1,024 at a time, which bounds the memory at 1,024 sqrt(points) numbers.
    """
    inner = 2 ** math.ceil(math.log2(grid.points) / 2)
    outer = -(-grid.points // inner)
    coarse = grid.step * inner * jnp.arange(outer, dtype=float)
    fine = grid.step * jnp.arange(inner, dtype=float)

    def block(total: Array, chunk: tuple[Array, Array]) -> tuple[Array, None]:
        amplitude, frequency = chunk
        rows = _phases(coarse, frequency) * amplitude[None, :]
        return total + rows @ _phases(fine, frequency).T, None

    start = jnp.zeros((outer, inner), complex)
    chunks = (_chunked(amplitudes), _chunked(frequencies))
    total, _ = _loops.scan(jax.checkpoint(block), start, chunks)
    return total.ravel()[: grid.points]


def _phases(times: Float[Array, " a"], frequencies: Complex[Array, " b"]) -> Complex[Array, "a b"]:
    """e^{-i z t}."""
    return exponential(-1j * times.astype(complex)[:, None] * frequencies[None, :])


def _chunked(values: Inexact[Array, " nodes"], size: int = 1024) -> Complex[Array, "chunks size"]:
    padding = -values.shape[0] % min(size, values.shape[0])
    return jnp.pad(values.astype(complex), (0, padding)).reshape(-1, min(size, values.shape[0]))


def grid_transform(
    samples: Complex[Array, " points"], frequencies: Float[Array, " nodes"], grid: TimeGrid
) -> Complex[Array, " nodes"]:
    """sum_j f_j e^{i w_q t_j} over the grid, factorised like `fourier_sum`."""
    inner = 2 ** math.ceil(math.log2(grid.points) / 2)
    outer = -(-grid.points // inner)
    rows = jnp.pad(samples, (0, outer * inner - grid.points)).reshape(outer, inner)
    coarse = grid.step * inner * jnp.arange(outer, dtype=float)
    fine = grid.step * jnp.arange(inner, dtype=float)
    nodes = frequencies.astype(complex)
    return jnp.sum(_phases(-coarse, nodes).T * (_phases(-fine, nodes).T @ rows.T), axis=1)


def principal_value(
    function: Callable[[Array], Array],
    w: Float[Array, "..."],
    rule: tuple[Float[Array, " nodes"], Float[Array, " nodes"]],
    ends: tuple[Array, Array],
) -> Float[Array, "..."]:
    r"""P \int dx f(x) / (w - x) by a rule of nodes and lengths between two ends.

    As \int dx [f(x) - f(w)] / (w - x) + f(w) log|(w - low) / (high - w)|.
    """
    (nodes, lengths), (low, high) = rule, ends
    masses = function(nodes) * lengths

    def value(w: Float[Array, ""]) -> Float[Array, ""]:
        here, gap = function(w), w - nodes
        difference = (masses - here * lengths) / jnp.where(gap == 0.0, jnp.inf, gap)
        inside = (w > low) & (w < high)
        at = jnp.where(inside, w, 0.5 * (low + high))
        beyond = here * jnp.log((at - low) / (high - at))
        return jnp.sum(difference) + jnp.where(inside, beyond, 0.0)

    # Some at once, because all together would need memory for every pair of w and node.
    return _loops.map(value, w.ravel(), batch_size=AT_ONCE).reshape(w.shape)
