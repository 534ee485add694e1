r"""The steady state of a qubit: exact, to second order in the coupling, and to zeroth order.

In a reservoir of temperature T > 0 a qubit relaxes not to e^{-H_S/T} / Z_S but to the mean-force
Gibbs state Tr_B e^{-H/T} / Z. With b = 1/T and the coupling V, the imaginary-time expansion of
e^{-bH} to second order in V gives

rho_11 / rho_00 = [e^{-b w_s} + b^2 \int dw J (n + 1) e[-b w_s, -b w_s, -b w]]
                / [1 + b^2 \int dw J (n + 1) e[-b w, -b w, -b w_s]],

where e[x, x, y] = (e^y - e^x - (y - x) e^x) / (y - x)^2 is a divided difference of the exponential.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float, Int

from bathax._checks import (
    POSITIVE,
    RealLike,
    Scalar,
    as_float,
    holds,
    is_valid,
    require,
    require_kind,
)
from bathax._display import Record
from bathax._linalg import solve
from bathax._programs import optimised
from bathax._status import Status
from bathax.numerics.balancing import ReducedModes
from bathax.numerics.elementary import horner
from bathax.qubit.generator import generator
from bathax.qubit.hierarchy import Hierarchy, prepared
from bathax.qubit.hierarchy_size import climbed
from bathax.qubit.index_set import Size
from bathax.qubit.modes import reduced
from bathax.qubit.structure import Regression, regression
from bathax.system.models import Qubit

# w_s times the time up to which kernels are reduced to modes; nodes of the frequency integral.
HORIZON, NODES = 60.0, 1024
# Below the distance CLOSE a divided difference is a Taylor series with TERMS terms.
CLOSE, TERMS = 1.0, 18
# A dense matrix with half as many rows is solved within seconds.
MAX_SIZE = 4500


class SteadyState(Record):
    """The steady state of a qubit.

    `excited_population` is rho_11 for t -> infinity, `error` an estimate of its absolute error, and
    `status` a `Status`.

    >>> bath = bx.Reservoir(bx.Lorentzian(0.01, 0.5, 1.0), occupation=bx.Uniform(0.5))
    >>> end = bx.steady_state(bx.Qubit(1.0, bath), bx.Hierarchy(depth=5, modes=1))
    >>> end.message
    'The requested tolerance was reached.'
    """

    excited_population: Scalar
    error: Scalar
    status: Int[Array, ""]

    @property
    def message(self) -> str:
        """The status in words; for concrete values only."""
        return Status(int(self.status)).message


def steady_state(
    qubit: Qubit, solver: Hierarchy | None = None, horizon: RealLike | None = None
) -> SteadyState:
    """rho_11 at t -> infinity, from the null vector of the generator of the hierarchy."""
    return SteadyState(*stationary(qubit, _stationary, solver, horizon))


def stationary(
    qubit: Qubit,
    of: Callable[[Qubit, ReducedModes, Size], Array],
    solver: Hierarchy | None,
    horizon: RealLike | None,
) -> tuple[Array, Scalar, Int[Array, ""]]:
    """What `of` computes in the steady state, the error of all its numbers together, a `Status`.

    The error is the largest change from a smaller hierarchy, plus that of a small one from half the
    horizon. The tolerance is absolute for numbers up to 1, and relative to the largest above.
    """
    for bath in qubit.reservoirs:
        bath.require_continuous()
    solver = Hierarchy(max_size=MAX_SIZE) if solver is None else solver
    require_kind("solver", "a `Hierarchy`", solver, Hierarchy)
    until = as_float(HORIZON / qubit.frequency if horizon is None else horizon, "horizon")
    require("horizon", POSITIVE.words, until, holds(POSITIVE.holds, until))
    valid, modes, sizes = prepared(solver, qubit, until[None])

    def solve(*sizes: Size) -> tuple[Array, ...]:
        return tuple(of(qubit, modes, size) for size in sizes)

    coarse, fine = climbed(solve, sizes, _change, solver.rtol)
    _, shorter, _ = reduced(qubit, 0.5 * until[None])
    by_half, by_all = (of(qubit, each, sizes.first[-1]) for each in (shorter, modes))
    change = _change(coarse, fine) + _change(by_half, by_all)
    status = jnp.where(change <= solver.rtol, Status.SUCCESS, Status.TOLERANCE_NOT_REACHED)
    known = jnp.where(valid, 0.0, jnp.nan)
    return fine + known, change * _size(fine) + known, jnp.where(valid, status, Status.INVALID)


def _change(before: Array, after: Array) -> Scalar:
    """The largest change, relative to the largest number above 1; infinite for overflow."""
    change = jnp.max(jnp.abs(lax.stop_gradient(after - before))) / _size(after)
    return jnp.nan_to_num(change, nan=jnp.inf)


def _size(values: Array) -> Scalar:
    return jnp.maximum(jnp.max(jnp.abs(lax.stop_gradient(values))), 1.0)


@optimised
def _stationary(qubit: Qubit, modes: ReducedModes, size: Size) -> Scalar:
    """rho_11 of the null vector."""
    pattern = regression(size)
    (excited,) = pattern.structure.excited
    return null_vector(qubit.frequency, modes, pattern)[excited].real


def null_vector(
    frequency: Scalar, modes: ReducedModes, pattern: Regression
) -> Complex[Array, " elements"]:
    """The elements of charge 0 in the steady state.

    The trace replaces one of the equations, which is redundant.
    """
    (ground,), (excited,) = pattern.structure.ground, pattern.structure.excited
    matrix = generator(frequency, modes, pattern.structure)
    block = matrix.leading_block(pattern.populations)
    block = block.at[ground].set(0.0).at[ground, jnp.asarray([ground, excited])].set(1.0)
    trace = jnp.zeros(pattern.populations, complex).at[ground].set(1.0)
    return solve(block, trace)


def mean_force_population(qubit: Qubit) -> Scalar:
    """rho_11 of the mean-force Gibbs state to second order in the coupling; see this module.

    All reservoirs must have the same temperature T > 0. It differs from `steady_state` by terms of
    order eta^2 in the coupling eta.

    >>> qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.01, 5.0), temperature=1.0))
    >>> round(float(bx.mean_force_population(qubit)), 4)  # 0.2689 at weak coupling
    0.2759
    """
    temperature = _temperature(qubit)
    a = -qubit.frequency / temperature
    excited, ground = jnp.exp(a), jnp.ones(())
    for bath in qubit.reservoirs:
        nodes, masses = bath.spectral_density.measure(NODES)
        emission = masses * (bath.occupation(nodes) + 1.0) / temperature**2
        x = -nodes / temperature
        excited += emission @ _divided_difference(jnp.broadcast_to(a, x.shape), x)
        ground += emission @ _divided_difference(x, jnp.broadcast_to(a, x.shape))
    return jnp.where(is_valid(qubit), excited / (excited + ground), jnp.nan)


def boltzmann_population(qubit: Qubit) -> Scalar:
    """1 / (1 + e^{w_s / T}), the limit of weak coupling; all reservoirs at one T > 0.

    >>> qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.01, 5.0), temperature=1.0))
    >>> round(float(bx.boltzmann_population(qubit)), 4)  # 1 / (1 + e)
    0.2689
    """
    population = jax.nn.sigmoid(-qubit.frequency / _temperature(qubit))
    return jnp.where(is_valid(qubit), population, jnp.nan)


def _temperature(qubit: Qubit) -> Scalar:
    """The one temperature of all reservoirs."""
    words = "one positive temperature for all reservoirs"
    for bath in qubit.reservoirs:
        thermal = bath.occupation.temperature is not None
        require("reservoirs", words, type(bath.occupation).__name__, thermal)
    temperatures = jnp.stack([bath.temperature for bath in qubit.reservoirs])
    require("reservoirs", words, temperatures, holds(_is_equilibrium, temperatures))
    return temperatures[0]


def _is_equilibrium(temperatures: Float[Array | np.ndarray, " reservoirs"]) -> Any:
    return (temperatures == temperatures[0]).all() & (temperatures[0] > 0.0)


def _divided_difference(x: Float[Array, " n"], y: Float[Array, " n"]) -> Float[Array, " n"]:
    """e[x, x, y] of the exponential; for x, y <= 0 it never overflows."""
    d = y - x
    close = jnp.abs(d) < CLOSE
    near, far = jnp.where(close, d, 0.0), jnp.where(close, 1.0, d)
    series = jnp.exp(x) * horner([1.0 / math.factorial(k + 2) for k in range(TERMS)], near)
    return jnp.where(close, series, (jnp.exp(y) - jnp.exp(x) * (1.0 + far)) / far**2)
