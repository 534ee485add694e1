r"""The thermal state of several modes that has a given energy and number of particles.

With the energies e_k of the modes and f_k = 1 / (e^{(e_k - mu)/T} -+ 1), T and mu are where
E = sum_k e_k f_k and N = sum_k f_k. They are the minimum of the convex ln Z + E/T - (mu/T) N.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from bathax import _loops
from bathax._checks import RealLike, as_float, is_valid, require_kind
from bathax._display import Record
from bathax._linalg import eigh
from bathax._programs import program
from bathax.system.linear import LinearSystem

# Newton steps; each is the best of so many, of which each is half as long as the one before.
STEPS, HALVINGS = 60, 24
# A state is found if E and N are met to this, relative to the scale of each.
FOUND = 1e-8
# Energies that differ by less than this, relative to the largest, are equal.
EQUAL = 1e-12


class GibbsState(Record):
    """A thermal state of modes, as `gibbs_state` finds it.

    `temperature` T and `chemical_potential` mu, the `entropy` S, `free_energy` F = E - T S and
    `grand_potential` F - mu N = -T ln Z.

    Modes of equal energy have no chemical potential:

    >>> bath = bx.Reservoir(bx.Ohmic(0.1, 2.0), temperature=1.0)
    >>> mode = bx.LinearSystem([[1.0]], bx.Channel(bath, [1.0]))
    >>> state = bx.gibbs_state(mode, energy=1.0, number=1.0)
    >>> f"{state.temperature:.4f}, {state.entropy:.4f}"  # 1 / ln 2, 2 ln 2
    '1.4427, 1.3863'
    """

    temperature: Float[Array, "..."]
    chemical_potential: Float[Array, "..."]
    entropy: Float[Array, "..."]
    free_energy: Float[Array, "..."]
    grand_potential: Float[Array, "..."]


@program
def gibbs_state(system: LinearSystem, energy: RealLike, number: RealLike) -> GibbsState:
    r"""The thermal state of the modes with this energy tr(h n) and number tr n.

    Among all states of equal E and N it has the largest entropy; T = dE/dS at constant N and
    mu = dE/dN at constant S are true partial derivatives, dE = T dS + mu dN. Beside them the slopes
    along a trajectory, E'/S' and E'/N' (AHZ Eq. 10), are another reading of T and mu: T is the same
    if the modes pass through thermal states and mu N' = 0.

    `energy` and `number` may be arrays. T is negative where high modes have more quanta than low
    ones. Modes of equal energy have no mu; theirs is 0. Where no thermal state has this E and N,
    for an empty or a pure state, all numbers are NaN. Works under `jit`, `vmap` and `grad`.

    >>> J = bx.FlatBand(gamma=0.02, low=-5.0, high=5.0)
    >>> lead = bx.Reservoir(J, temperature=0.5, chemical_potential=0.2)
    >>> h = [[0.0, 0.3], [0.3, 0.5]]
    >>> dots = bx.LinearSystem(h, bx.Channel(lead, [1.0, 0.0]), "fermion")
    >>> end = bx.steady_state(dots)
    >>> state = bx.gibbs_state(dots, end.energy, end.number)
    >>> f"{state.temperature:.2f}, {state.chemical_potential:.2f}"
    '0.50, 0.20'
    """
    require_kind("system", "a `LinearSystem`", system, LinearSystem)
    system.require_static()
    e, valid = _energies(system), is_valid(system)
    E, N = jnp.broadcast_arrays(as_float(energy, "energy"), as_float(number, "number"))
    sign = -1.0 if system.statistics == "boson" else 1.0
    found = jax.vmap(lambda E, N: _state(e, E, N, sign))(E.ravel(), N.ravel())
    return jax.tree.map(lambda x: jnp.where(valid, x, jnp.nan).reshape(E.shape), found)


def _energies(system: LinearSystem) -> Float[Array, " n"]:
    """Eigenvalues of h, with their derivatives by h."""
    vectors = eigh(system.h)[1]
    return jnp.sum(vectors.conj() * (system.h @ vectors), axis=0).real


def _state(
    e: Float[Array, " n"], E: Float[Array, ""], N: Float[Array, ""], sign: float
) -> GibbsState:
    mean = jnp.mean(e)
    spread = jnp.max(jnp.abs(e - mean))
    equal = lax.stop_gradient(spread <= EQUAL * jnp.max(jnp.abs(e)))
    width = jnp.where(equal, 1.0, spread)
    x = (e - mean) / width
    # Parameters (1/T, -mu/T) in these units, and what they have to give.
    wanted = jnp.stack([(E - mean * N) / width, N])

    def unmet(parameters: Float[Array, "2"]) -> Float[Array, "2"]:
        f = _occupied(parameters[0] * x + parameters[1], sign)
        return jnp.stack([x @ f, jnp.sum(f)]) - wanted

    p = _newton(x, wanted, unmet, sign)
    scale = jnp.stack([jnp.abs(wanted[0]) + N, N])
    known = jnp.all(jnp.abs(unmet(p)) <= FOUND * scale) & (N > 0.0)
    single = _logit(N / e.size, sign)
    temperature = jnp.where(equal, mean / single, width / p[0])
    potential = jnp.where(equal, 0.0, mean - p[1] * temperature)
    exponents = jnp.where(equal, single, p[0] * x + p[1])
    grand = -temperature * jnp.sum(_logarithms(exponents, sign))
    free = grand + potential * N
    state = (temperature, potential, (E - free) / temperature, free, grand)
    return GibbsState(*(jnp.where(known | equal, each, jnp.nan) for each in state))


def _occupied(y: Float[Array, "..."], sign: float) -> Float[Array, "..."]:
    """1 / (e^y + sign)."""
    return jnp.exp(-y) / (1.0 + sign * jnp.exp(-y))


def _logit(f: Float[Array, ""], sign: float) -> Float[Array, ""]:
    """The y of this occupation."""
    return jnp.log((1.0 - sign * f) / f)


def _logarithms(y: Float[Array, "..."], sign: float) -> Float[Array, "..."]:
    """The terms of ln Z."""
    return sign * jnp.log1p(sign * jnp.exp(-y))


def _newton(
    x: Float[Array, " n"],
    wanted: Float[Array, "2"],
    unmet: Callable[[Float[Array, "2"]], Float[Array, "2"]],
    sign: float,
) -> Float[Array, "2"]:
    """The minimum of ln Z + p wanted; a last step carries the derivatives."""
    fixed_x, fixed = lax.stop_gradient((x, wanted))

    def convex(p: Float[Array, "2"]) -> Float[Array, ""]:
        y = p[0] * fixed_x + p[1]
        inside = jnp.all(y > 0.0) | (sign > 0.0)
        value = jnp.sum(_logarithms(jnp.where(inside, y, 1.0), sign)) + p @ fixed
        return jnp.where(inside, value, jnp.inf)

    def step(p: Float[Array, "2"], short: Float[Array, "2"]) -> Float[Array, "2"]:
        f = _occupied(p[0] * fixed_x + p[1], sign)
        weights = f * (1.0 - sign * f)
        (a, b), d = (jnp.sum(weights * fixed_x**power) for power in (2, 1)), jnp.sum(weights)
        return jnp.stack([d * short[0] - b * short[1], a * short[1] - b * short[0]]) / (
            a * d - b * b
        )

    def better(_: Array, p: Float[Array, "2"]) -> Float[Array, "2"]:
        move = step(p, lax.stop_gradient(unmet(p)))
        tried = p[None] + 0.5 ** jnp.arange(float(HALVINGS))[:, None] * move[None]
        return tried[jnp.argmin(jax.vmap(convex)(tried))]

    start = jnp.stack([jnp.zeros(()), _logit(fixed[1] / x.size, sign)])
    found = lax.stop_gradient(_loops.fori_loop(0, STEPS, better, start))
    return found + step(found, unmet(found))
