r"""The mutual information of a system and its reservoirs, of which the state as a whole is known.

The entropy of the whole is conserved, so that from an uncorrelated start
I(t) = S(t) - S(0) + S_R(t) - S_R(0), with S_R of all modes of the reservoirs jointly. Both S_R are
infinite, and their difference is not. Of a boson in a phase-invariant Gaussian state
s(n) = 1 + \int_0^1 dy ln(n + y), and the covariance of the reservoirs is that of the whole without
the row and the column of the cavity, so that ratios of determinants are elements of an inverse:

S_R(t) - S_R(0) - S(0) = -1 + \int_0^1 dy ln <1/(n + y)>,
I = \int_0^1 dy ln(<n + y> <1/(n + y)>).

<f> is the mean over the modes from which a quantum in the cavity comes,
|u|^2 f(n_0) + \int dw J |U(w, t)|^2 f(n(w)), which is n of a cavity in reservoirs filled with f. I
vanishes only if all of these are filled alike.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Inexact, Int

from bathax._checks import (
    RealLike,
    Scalar,
    as_float,
    as_inexact,
    converting,
    holds,
    is_valid,
    require,
    require_kind,
    require_times,
)
from bathax._display import Course, Module
from bathax._estimate import Estimate
from bathax._programs import program
from bathax._status import Status, concluded
from bathax.cavity.default import default_solver
from bathax.cavity.green import GreenFunctions
from bathax.cavity.solvers import Solver
from bathax.linear.bound_states import bound_states
from bathax.linear.spectrum import Spectrum, require_leads
from bathax.numerics.quadrature import gauss_legendre
from bathax.qubit.entropy import entropy as qubit_entropy
from bathax.qubit.states import QubitState
from bathax.qubit.vacuum import is_in_vacuum
from bathax.reservoir.occupation import Occupation, Uniform
from bathax.reservoir.reservoir import Reservoir
from bathax.system.linear import LinearSystem
from bathax.system.models import Cavity, Qubit
from bathax.system.states import Gaussian, State

# Nodes of the integral over y = s^POWER, which makes ln y at its start smooth, and of a check.
NODES, FEWER, POWER = 32, 22, 6
ROUNDING = 1e-15
# The error of I up to which the status is 0.
TOLERANCE = 1e-7
# How far the weights of all modes may be from 1.
COMPLETE = 1e-8

Times = Float[Array, " times"]


class InformationQuantities(eqx.Module):
    """What system and reservoirs know of each other; see `ReservoirInformation`."""

    mutual_information: Float[Array, "*times"]
    reservoir_entropy: Float[Array, "*times"]


class ReservoirInformation(Course, InformationQuantities, Module):
    """The correlations of a system and its reservoirs, as `reservoir_information` finds them.

    At the times `t`: `mutual_information` I = S + S_R - S_whole, and `reservoir_entropy`
    S_R(t) - S_R(0), the change of that of all modes of all reservoirs jointly. `error` has an
    estimate of the absolute error of each, and `status` is 0 if the solver reached its tolerance
    and I is known to 1e-7.

    Half of a thermal quantum has gone to a single mode:

    >>> J = bx.DiscreteModes(frequencies=[1.0], couplings=[0.1])
    >>> cavity, ts = bx.Cavity(1.0, bx.Reservoir(J)), jnp.array([0.0, 2.5, 5.0]) * jnp.pi
    >>> found = bx.reservoir_information(cavity, bx.Thermal(1.0), ts)
    >>> [f"{I:.4f}" for I in abs(found.mutual_information)]
    ['0.0000', '0.5232', '0.0000']
    """

    t: Float[Array, " times"]
    error: InformationQuantities
    status: Int[Array, ""]


def reservoir_information(
    system: Cavity | Qubit,
    initial: State | QubitState,
    ts: RealLike,
    solver: Solver | None = None,
    *,
    throw: bool = False,
) -> ReservoirInformation:
    r"""The mutual information of a `Cavity` or a `Qubit` and its reservoirs at the times `ts`.

    Of a cavity in a `Gaussian` state without squeezing, <aa> = 0 around its displacement, at any
    temperatures, from I = \int_0^1 dy ln(<n + y> <1/(n + y)>); see this module. In empty reservoirs
    of any state of a cavity or a qubit: what has left it is in one collective mode, whose state is
    that of the system with 1 - |u|^2 for |u|^2, so that S_R(t) = S at 1 - |u|^2. Other cases are
    refused.

    `solver` is as in `solve`. With filled reservoirs it has to take those filled with 1 / (n + y),
    which are not analytic, and is called for some fifty y at once. Error estimates follow from
    those of u and v, and of the integral over y from fewer nodes. Works under `jit`, `vmap` and
    `grad`.

    A photon that is lost to an empty reservoir is shared with it in between:

    >>> J = bx.Lorentzian(gamma0=0.5, width=1.0, center=1.0)
    >>> cavity, ts = bx.Cavity(1.0, bx.Reservoir(J)), jnp.linspace(0.0, 8.0, 9)
    >>> found = bx.reservoir_information(cavity, bx.Fock(1), ts)
    >>> [round(float(I), 3) for I in found.mutual_information[jnp.array([0, 2, 8])]]
    [0.0, 1.379, 0.097]
    """
    require_kind("system", "a `Cavity` or a `Qubit`", system, (Cavity, Qubit))
    kind = State if isinstance(system, Cavity) else QubitState
    require_kind("initial", f"a state of a {type(system).__name__}", initial, kind)
    driven = isinstance(system, Cavity) and system.is_driven
    require("system", "constant in time here", "driven", not driven)
    ts = as_float(ts, "ts")
    require_times(ts)
    if isinstance(initial, Gaussian) and holds(is_unsqueezed, initial):
        return concluded(_of_gaussian(system, initial, ts, solver), throw)
    words = "empty (T = 0), or `initial` a `Gaussian` state without squeezing"
    require("reservoirs", words, "filled", holds(is_in_vacuum, system))
    return concluded(_of_loss(system, initial, ts, solver), throw)


def is_unsqueezed(state: Gaussian) -> Bool[Array, ""]:
    """Whether the state does not depend on the phase, but for its displacement."""
    return state.anomalous == 0.0


def filled(system: Cavity | Qubit, filling: Callable[[Occupation], Occupation]) -> Cavity:
    """A cavity in the same reservoirs with other occupations."""
    baths = system.reservoirs
    filled = [
        Reservoir(each.spectral_density, occupation=filling(each.occupation)) for each in baths
    ]
    return Cavity(system.frequency, filled)


def solved(cavity: Cavity, ts: Times, solver: Solver | None) -> Estimate[GreenFunctions]:
    """The Green functions by a solver, or by the one that a cavity usually takes."""
    return (default_solver(cavity) if solver is None else solver).green_functions(cavity, ts)


# --- By loss to empty reservoirs -----------------------------------------------------------------


def _of_loss(
    system: Cavity | Qubit, initial: State | QubitState, ts: Times, solver: Solver | None
) -> ReservoirInformation:
    estimate = solved(filled(system, lambda _: Uniform(0.0)), ts, solver)
    valid = is_valid((system, initial)) & is_in_vacuum(system) & estimate.valid
    return _lost(initial, estimate, valid)


@program
def _lost(
    initial: State | QubitState, estimate: Estimate[GreenFunctions], valid: Bool[Array, ""]
) -> ReservoirInformation:
    kept = jnp.minimum(estimate.value.transmission, 1.0)
    own, lost, start = (_entropy(initial, share) for share in (kept, 1.0 - kept, jnp.ones(1)))
    number = initial.number if isinstance(initial, State) else initial.populations[1]
    change = jnp.maximum(_of_transmission(estimate), ROUNDING)
    # The entropy of a small population p falls like p ln p.
    of_each = (1.0 + number) * change * (2.0 + jnp.abs(jnp.log(change)))
    value = InformationQuantities(own + lost - start, lost)
    return _marked(estimate, value, InformationQuantities(2.0 * of_each, of_each), valid)


def _entropy(
    initial: State | QubitState, share: Float[Array, " points"]
) -> Float[Array, " points"]:
    """S of the state once only a share of the quanta is left."""
    if isinstance(initial, State):
        return initial.entropy_derivatives(share, jnp.zeros_like(share))[0][0]
    p, coherence = initial.populations[1] * share, initial.rho[1, 0]
    return qubit_entropy(p * (1.0 - p) - (coherence * coherence.conj()).real * share)


# --- Of Gaussian states --------------------------------------------------------------------------


class Reciprocal(Occupation):
    """1 / (n(w) + offset) of another occupation n."""

    filling: Occupation
    offset: Scalar

    @converting(as_inexact)
    def __call__(self, w: Inexact[Array, "..."]) -> Inexact[Array, "..."]:
        return 1.0 / (self.filling(w) + self.offset.astype(w.dtype))


def _of_gaussian(
    system: Any, initial: Gaussian, ts: Times, solver: Solver | None
) -> ReservoirInformation:
    known = solved(system, ts, solver)
    ys = jnp.concatenate([_rule(count)[0] for count in (NODES, FEWER)])

    def at(y: Scalar) -> Estimate[GreenFunctions]:
        return solved(filled(system, lambda n: Reciprocal(n, y)), ts, solver)

    return _averaged(initial, known, ys, jax.vmap(at)(ys), is_valid((system, initial)))


@program
def _averaged(
    initial: Gaussian,
    known: Estimate[GreenFunctions],
    ys: Float[Array, " ys"],
    filled: Estimate[GreenFunctions],
    valid: Bool[Array, ""],
) -> ReservoirInformation:
    green, start, of_kept = known.value, initial.excess, _of_transmission(known)
    n, of_n = green.transmission * start + green.v, of_kept * start + known.error.v
    kept = green.transmission[None] / (start + ys)[:, None]
    inverse = kept + filled.value.v
    lost = filled.error.v + of_kept[None] / (start + ys)[:, None]
    errors = of_n[None] / (n[None] + ys[:, None]) + lost / inverse
    logarithm = jnp.log((n[None] + ys[:, None]) * inverse)
    weights = _rule(NODES)[1]
    value, fewer = weights @ logarithm[:NODES], _rule(FEWER)[1] @ logarithm[NODES:]
    of_value = weights @ errors[:NODES] + jnp.abs(value - fewer) + ROUNDING
    first, slopes = initial.entropy_derivatives(green.transmission, green.v)[0][::2]
    of_entropy = jnp.abs(slopes) * of_n
    value = InformationQuantities(value, value - first + initial.initial_entropy)
    error = InformationQuantities(of_value, of_value + of_entropy)
    valid &= known.valid & jnp.all(filled.valid) & is_unsqueezed(initial)
    return _marked(known, value, error, valid)


def _rule(count: int) -> tuple[Float[Array, " y"], Float[Array, " y"]]:
    """Nodes and weights of an integral over y from 0 to 1, for functions like ln y at 0."""
    s, weights = gauss_legendre(count)
    return jnp.asarray(s**POWER), jnp.asarray(POWER * s ** (POWER - 1) * weights)


def _of_transmission(estimate: Estimate[GreenFunctions]) -> Times:
    """The error of |u|^2."""
    return (2.0 * jnp.abs(estimate.value.u) + estimate.error.u) * estimate.error.u


def _marked(
    estimate: Estimate[GreenFunctions],
    value: InformationQuantities,
    error: InformationQuantities,
    valid: Bool[Array, ""],
) -> ReservoirInformation:
    value, error = jax.tree.map(lambda x: jnp.where(valid, x, jnp.nan), (value, error))
    met = (estimate.status == Status.SUCCESS) & jnp.all(error.mutual_information <= TOLERANCE)
    status = jnp.where(met, Status.SUCCESS, Status.TOLERANCE_NOT_REACHED)
    return ReservoirInformation(
        **vars(value),
        t=estimate.t,
        error=lax.stop_gradient(error),
        status=jnp.where(valid, status, Status.INVALID),
    )


# --- For t -> infinity ---------------------------------------------------------------------------


def long_time_information(cavity: Cavity) -> Scalar:
    r"""The mutual information of a cavity and its reservoirs for t -> infinity.

    The mean of `reservoir_information` is over \int dw J |G(w)|^2 f(n(w)) then, whatever the start
    of the cavity was. It vanishes if n is the same wherever J |G|^2 is not zero, as it is in the
    limit of weak coupling: only then do cavity and reservoirs factorise in the end. NaN with bound
    states, which keep a part of the start, and where the weights J |G|^2 that are found do not sum
    to 1, as at a critical coupling. Reservoirs must be continuous. Works under `jit`, `vmap` and
    `grad`.

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=20.0))
    >>> round(float(bx.long_time_information(cavity)), 4)
    0.692
    """
    require_kind("cavity", "a `Cavity`", cavity, Cavity)
    modes = cavity.as_modes
    require_leads(modes)
    return _in_the_end(modes)


@program
def _in_the_end(system: LinearSystem) -> Scalar:
    spectrum, (ys, weights) = Spectrum.of(system), _rule(NODES)
    response = jnp.abs(spectrum.columns[0]) ** 2 * spectrum.densities * spectrum.weights[:1]
    p, n = response.ravel(), spectrum.occupations.ravel()
    above = n[None] + ys[:, None]
    value = weights @ jnp.log((above @ p) * ((1.0 / above) @ p))
    decays = ~jnp.any(bound_states(system).exist) & is_valid(system)
    complete = jnp.abs(jnp.sum(p) - 1.0) <= COMPLETE
    return jnp.where(decays & complete, value, jnp.nan)
