r"""Several emitters in one waveguide, whose light comes to the others after whole numbers of steps.

In the frame that rotates with their common frequency

u_i' = -(1/2) sum_j \sqrt{gamma_i gamma_j} e^{i phi d_ij} u_j(t - d_ij tau),    u_ij(0) = delta_ij,

with the distances d_ij = |x_i - x_j| of whole numbers x. Within a step of the length tau u is a
power series, u(k tau + s) = sum_p a_kp (s / tau)^p, in which a_k0 = sum_p a_{k-1,p} and

(p + 1) a_{k,p+1} = -(tau/2) sum_j \sqrt{gamma_i gamma_j} e^{i phi d_ij} a_{k - d_ij, p}.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from bathax import _loops
from bathax._checks import Scalar
from bathax.numerics.special import positive_root
from bathax.numerics.steps import powers

# Of each power series so many terms; they suffice for tau times all rates below 20.
ORDERS = 64
ROUNDING = np.finfo(float).eps

Times = Float[Array, " times"]


class Waveguide(NamedTuple):
    """Rates, delay and phase of a unit of length, and the places of the emitters."""

    rates: Float[Array, " emitters"]
    delay: Scalar
    phase: Scalar
    places: tuple[int, ...]

    def couplings(self) -> dict[int, Complex[Array, "n n"]]:
        """-(1/2) sqrt(gamma_i gamma_j) e^{i phi d_ij} of the pairs at each distance."""
        x = np.asarray(self.places)
        distances = np.abs(x[:, None] - x[None, :]).astype(float)
        root = positive_root(self.rates)
        strength = -0.5 * (root[:, None] * root[None, :]).astype(complex)
        turned = strength * jnp.exp(1j * (self.phase * distances).astype(complex))
        found = {0, *map(int, distances.ravel())}
        return {d: jnp.where(distances == d, turned, 0.0) for d in sorted(found)}


def emission(
    waveguide: Waveguide, ts: Times, count: int
) -> tuple[Complex[Array, "times n n"], Complex[Array, "times n n"], Times]:
    """u, u' and the error of u; after `count` steps u is 0 and its error 1."""
    by_distance = waveguide.couplings()
    delayed = waveguide.delay > 0.0
    last = jnp.where(ts[-1] > 0.0, ts[-1], 1.0)
    h = jnp.where(delayed, waveguide.delay, last / (count - 1.5))
    at_once = jnp.where(delayed, by_distance[0], sum(by_distance.values()))
    later = {d: jnp.where(delayed, B, 0.0) for d, B in by_distance.items() if d > 0}
    scale = h.astype(complex)
    series = _series(scale * at_once, {d: scale * B for d, B in later.items()}, count)
    step = jnp.floor(ts / h)
    known = step < count
    place = jnp.where(known, step, 0.0).astype(int)
    x, own = jnp.where(known, ts / h - step, 0.0), series[place]
    values = powers(x, ORDERS).astype(complex)
    slopes = values[:, :-1] * np.arange(1.0, ORDERS)[None].astype(complex)
    u = jnp.einsum("tp,tpij->tij", values, own)
    du = jnp.einsum("tp,tpij->tij", slopes, own[:, 1:]) / scale
    error = jnp.where(known, _errors(series)[place], 1.0)
    u, du = (jnp.where(known[:, None, None], one, 0.0) for one in (u, du))
    return u, du, error


def _series(
    at_once: Complex[Array, "n n"], later: dict[int, Complex[Array, "n n"]], count: int
) -> Complex[Array, "count orders n n"]:
    """a_kp of all steps; the last ones are kept as long as their light is under way."""
    reach, n = max(later, default=1), at_once.shape[0]

    def step(state: tuple[Array, Array], _: Any) -> tuple[tuple[Array, Array], Array]:
        start, past = state
        arriving = jnp.zeros_like(past[0])
        for d, B in later.items():
            arriving += B[None] @ past[d - 1]

        def term(a: Array, given: tuple[Array, Array]) -> tuple[Array, Array]:
            order, arrived = given
            return (at_once @ a + arrived) / order, a

        orders = jnp.arange(1.0, ORDERS + 1.0).astype(complex)
        _, a = _loops.scan(term, start, (orders, arriving))
        past = jnp.concatenate([a[None], past[:-1]])
        return (jnp.sum(a, axis=0), past), a

    start = jnp.eye(n, dtype=complex), jnp.zeros((reach, ORDERS, n, n), complex)
    return _loops.scan(step, start, None, length=count)[1]


def _errors(series: Complex[Array, "count orders n n"]) -> Float[Array, " count"]:
    """What is lost up to each step: the last terms and rounding, which no later step magnifies."""
    sizes = jnp.max(jnp.sum(jnp.abs(series), axis=3), axis=2)
    return jnp.cumsum(4.0 * (sizes[:, -1] + ROUNDING * jnp.sum(sizes, axis=1)))
