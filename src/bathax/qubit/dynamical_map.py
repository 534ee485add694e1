r"""The exact map of a qubit and its time-local master equation (NP).

rho_11(t) = P11 rho_11(0) + (1 - P00) rho_00(0), rho_10(t) = c rho_10(0), D = P11 + P00 - 1, and

rho' = -i w(t) [s+s-, rho] + gamma_- (s- rho s+ - {s+s-, rho}/2)
       + gamma_+ (s+ rho s- - {s-s+, rho}/2) + gamma_z (sz rho sz - rho).
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Complex, Float, Inexact, Int

from bathax._checks import (
    ComplexLike,
    RealLike,
    as_complex,
    as_float,
    holds,
    is_concrete,
    require,
    require_kind,
    require_times,
)
from bathax._display import Course
from bathax._estimate import Estimate
from bathax._late import Exported, late
from bathax._programs import program
from bathax._status import concluded
from bathax.numerics.special import positive_root
from bathax.qubit.elements import MapElements, MapQuantities, MapSolver
from bathax.qubit.exact_diagonalisation import ExactDiagonalisation
from bathax.qubit.hierarchy import Hierarchy
from bathax.qubit.rates import Rates, rates_of
from bathax.qubit.vacuum import Vacuum, is_in_vacuum
from bathax.system.models import Qubit

# A number is known when its error is below this fraction of it.
RESOLUTION = 1e-2
# Division by |D| or |c| above this does not amplify errors much.
LARGE = 0.1


class DynamicalMap(Course, Exported, MapQuantities):
    r"""The map of a qubit at the times `t`, the rates of its master equation, and their errors.

    `p11`, `p00`, `coherence` c and `determinant` D, in the laboratory frame, with time derivatives
    `dp11`, `dp00`, `dcoherence` and `ddeterminant`; then `gamma_plus`, `gamma_minus`, `gamma_z` and
    `shift` (NP),

        gamma_+ = -P00' - (D'/D)(1 - P00),       gamma_- = -P11' - (D'/D)(1 - P11),
        gamma_z = [D'/(2D) - Re(c'/c)] / 2,      shift   = -Im(c'/c),

    where the shift is the whole frequency w(t), w_s without reservoirs. The map is regular where D
    or c vanishes, but its rates diverge. `rates_resolved` tells where gamma_- and gamma_+ are
    known, `coherence_resolved` where the shift is known; gamma_z needs both. Elsewhere they are
    NaN. A rate counts as known if its divisor D or c is known to 1% and, unless that is above 0.1,
    the logarithmic derivative too.

    `error` estimates the absolute error of every quantity under the same name (the modulus for
    complex ones, infinite where a rate is NaN); constant to differentiation. `status` is a
    `Status`; where parameters were invalid all numbers are NaN.

    In the vacuum D = P11 = |c|^2, and the map is on the border of complete positivity:

    >>> mode = bx.DiscreteModes(frequencies=[1.0], couplings=[0.1])
    >>> qubit, ts = bx.Qubit(1.0, bx.Reservoir(mode)), jnp.linspace(0.0, 10.0 * jnp.pi, 9)
    >>> dmap = bx.dynamical_map(qubit, ts, bx.ExactDiagonalisation(quanta=1))
    >>> round(float(dmap.determinant[2]), 4), round(float(abs(dmap.coherence[2]) ** 2), 4)
    (0.5, 0.5)
    >>> bool(jnp.all(abs(dmap.complete_positivity_margin) < 1e-12))
    True
    """

    t: Float[Array, "*times"]
    error: MapQuantities
    rates_resolved: Bool[Array, "*times"]
    coherence_resolved: Bool[Array, "*times"]
    status: Int[Array, "*batch"]

    @property
    def complete_positivity_margin(self) -> Float[Array, "*times"]:
        r"""The smallest eigenvalue of the Choi matrix: the map is completely positive iff >= 0.

        The smallest of 1 - P00, 1 - P11 and (P00 + P11)/2 - \sqrt{(P00 - P11)^2/4 + |c|^2}; the
        last is non-negative if |c|^2 <= P00 P11. For a map in the vacuum the margin is exactly 0.
        """
        gap = 0.5 * (self.p00 - self.p11)
        middle = 0.5 * (self.p00 + self.p11) - positive_root(gap**2 + _square(self.coherence))
        return jnp.minimum(middle, 1.0 - jnp.maximum(self.p00, self.p11))

    def choi(self) -> Complex[Array, "*times 4 4"]:
        """sum_ij |i><j| (x) map(|i><j|), of trace 2; row 2i + a for input i and output a."""
        c = self.coherence.astype(complex)
        parts = (self.p00, 1.0 - self.p00, 1.0 - self.p11, self.p11)
        diagonal = jnp.stack([part.astype(complex) for part in parts], axis=-1)
        choi = jnp.zeros((*self.t.shape, 4, 4), complex)
        choi = choi.at[..., jnp.arange(4), jnp.arange(4)].set(diagonal)
        return choi.at[..., 3, 0].set(c).at[..., 0, 3].set(c.conj())

    def kraus(self) -> Complex[Array, "*times 4 2 2"]:
        r"""Operators K_k with map(rho) = sum_k K_k rho K_k', sum_k K_k' K_k = 1.

        diag(\sqrt{P00}, c/\sqrt{P00}), diag(0, \sqrt{P11 - |c|^2/P00}), \sqrt{1 - P11} s- and
        \sqrt{1 - P00} s+. Differentiable where all four are non-zero; an operator that vanishes
        counts as constant, because the root has no derivative there. Negative weights, which are
        errors of the map, are set to 0.
        """
        empty = self.p00 <= 0.0
        p00 = jnp.where(empty, 1.0, self.p00)
        c = jnp.where(empty, 0.0, self.coherence.astype(complex))
        rest = self.p11 - _square(c) / p00
        operators = jnp.zeros((*self.t.shape, 4, 2, 2), complex)
        for place, value in {
            (0, 0, 0): positive_root(self.p00).astype(complex),
            (0, 1, 1): c / jnp.sqrt(p00).astype(complex),
            (1, 1, 1): positive_root(rest).astype(complex),
            (2, 0, 1): positive_root(1.0 - self.p11).astype(complex),
            (3, 1, 0): positive_root(1.0 - self.p00).astype(complex),
        }.items():
            operators = operators.at[(..., *place)].set(value)
        return operators

    def rates(self, tolerance: float = 1e-8) -> Rates:
        """The rates as functions of time, for any solver of master equations.

        Between the times of the map they are splines. D and c that follow from them have a relative
        error below `tolerance`; `ValueError` if the times are too far apart for that, or where a
        rate is not known. For concrete values only.
        """
        return rates_of(np.asarray(self.t), self, tolerance)

    def to_qutip(self) -> list[Any]:
        """The map at each time as a superoperator, a `qutip.Qobj`, in the basis of quanta."""
        return late("interchange.qutip", "superoperators")(self)

    def apply(self, rho: ComplexLike) -> Complex[Array, "*times 2 2"]:
        """The image at every time of any 2 x 2 matrix; index 1 is the excited state."""
        rho = as_complex(rho, "rho")
        require("rho", "a 2 x 2 matrix", f"of shape {rho.shape}", rho.shape == (2, 2))
        p00, p11 = self.p00.astype(complex), self.p11.astype(complex)
        c = self.coherence.astype(complex)
        ground = p00 * rho[0, 0] + (1.0 - p11) * rho[1, 1]
        excited = p11 * rho[1, 1] + (1.0 - p00) * rho[0, 0]
        rows = [[ground, c.conj() * rho[0, 1]], [c * rho[1, 0], excited]]
        return jnp.stack([jnp.stack(row, axis=-1) for row in rows], axis=-2)


def dynamical_map(
    qubit: Qubit, ts: RealLike, solver: MapSolver | None = None, *, throw: bool = False
) -> DynamicalMap:
    """The map of a qubit from t = 0 to each of the increasing times `ts` >= 0, and its rates.

    If `solver` is left out it is `Vacuum()` for empty reservoirs, `ExactDiagonalisation()` for a
    few modes with few quanta, and otherwise `Hierarchy()`. Works under `jit`, `vmap` and `grad`
    with respect to every parameter of the qubit and the times. Bad input raises `ValueError`;
    inside `jit` or `vmap` a bad point is NaN, with its status. A tolerance that is not reached
    gives a `ToleranceWarning` outside of `jit`, or with `throw` a `ToleranceError`.

    >>> qubit = bx.Qubit(1.0, bx.Reservoir(bx.Ohmic(0.01, 5.0), temperature=1.0))
    >>> dmap = bx.dynamical_map(qubit, jnp.linspace(0.0, 40.0, 9), bx.VanHove())
    >>> round(float(jnp.log(dmap.gamma_minus[-1] / dmap.gamma_plus[-1])), 4)  # w_s / T
    1.0
    """
    ts = as_float(ts, "ts")
    require_times(ts)
    solver = chosen_solver(qubit, solver)
    return concluded(_assembled(solver.map_elements(qubit, ts)), throw)


def chosen_solver(qubit: Any, solver: Any) -> MapSolver:
    """The solver, or the default one; refuses what is not a qubit or not a solver of one."""
    require_kind("qubit", "a `Qubit`", qubit, Qubit)
    if solver is None:
        return default_solver(qubit)
    words = "a solver of a qubit, like `Hierarchy()`, which is exact"
    require_kind("solver", words, solver, MapSolver)
    return solver


def default_solver(qubit: Qubit) -> MapSolver:
    """`Vacuum()` where all reservoirs are known to be empty, otherwise `Hierarchy()`.

    `ExactDiagonalisation()` where reservoirs are known to be a few modes with few quanta.
    """
    if is_concrete(*(bath.occupation for bath in qubit.reservoirs)) and holds(is_in_vacuum, qubit):
        return Vacuum()
    if is_concrete(qubit) and ExactDiagonalisation().is_cheap(qubit):
        return ExactDiagonalisation()
    return Hierarchy()


def _assembled(estimate: Estimate[MapElements]) -> DynamicalMap:
    values, errors, resolved = _derived(estimate)
    return DynamicalMap(
        **_named(estimate.value),
        **values,
        t=estimate.t,
        error=MapQuantities(**_named(estimate.error), **errors),
        **resolved,
        status=estimate.status,
    )


def _named(elements: MapElements) -> dict[str, Array]:
    return {
        "p11": elements.p11,
        "p00": elements.p00,
        "coherence": elements.c,
        "dp11": elements.dp11,
        "dp00": elements.dp00,
        "dcoherence": elements.dc,
    }


@program
def _derived(estimate: Estimate[MapElements]) -> tuple[dict[str, Array], ...]:
    """The quantities that follow from the elements, their errors, and where rates are known."""
    elements, error = estimate.value, lax.stop_gradient(estimate.error)
    # In this order no digits are lost where P00 is exactly 1.
    values = {
        "determinant": elements.p11 - (1.0 - elements.p00),
        "ddeterminant": elements.dp11 + elements.dp00,
    }
    errors = {"determinant": error.p11 + error.p00, "ddeterminant": error.dp11 + error.dp00}
    populations = _log_derivative(*values.values(), *errors.values())
    # Only the real part of c'/c has to be known to 1%: the imaginary part is always about w_s.
    coherences = _log_derivative(elements.c, elements.dc, error.c, error.dc)
    rates, rate_errors = _rates(elements, error, populations, coherences)
    known = jax.tree.map(
        lambda x: jnp.where(estimate.valid, x, jnp.nan), lax.stop_gradient(rate_errors)
    )
    resolved = {
        "rates_resolved": populations.resolved,
        "coherence_resolved": coherences.resolved,
    }
    return values | rates, errors | known, resolved


class _LogDerivative(eqx.Module):
    """x'/x, a bound on its error, and whether it is known; 0 if it is not."""

    value: Inexact[Array, " times"]
    error: Float[Array, " times"]
    resolved: Bool[Array, " times"]


def _log_derivative(x: Array, dx: Array, error: Array, derror: Array) -> _LogDerivative:
    size = jnp.abs(lax.stop_gradient(x))
    known = error < RESOLUTION * size
    safe = jnp.where(known, x, jnp.ones((), x.dtype))
    ratio = jnp.where(known, dx, jnp.zeros((), dx.dtype)) / safe
    fixed = lax.stop_gradient(ratio)
    spread = (derror + jnp.abs(fixed) * error) / jnp.where(known, size, 1.0)
    sharp = spread < RESOLUTION * jnp.abs(fixed.real)
    resolved = known & ((size > LARGE) | sharp)
    return _LogDerivative(ratio, spread, resolved)


def _rates(
    elements: MapElements,
    error: MapElements,
    populations: _LogDerivative,
    coherences: _LogDerivative,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """gamma_-, gamma_+, gamma_z and the shift, with first-order bounds on their errors."""

    def feeding(p: Array, dp: Array) -> Array:
        return -dp - populations.value * (1.0 - p)

    def feeding_error(p: Array, p_error: Array, dp_error: Array) -> Array:
        slope = jnp.abs(populations.value)
        return dp_error + populations.error * jnp.abs(1.0 - p) + slope * p_error

    values = {
        "gamma_minus": feeding(elements.p11, elements.dp11),
        "gamma_plus": feeding(elements.p00, elements.dp00),
        "gamma_z": 0.25 * populations.value - 0.5 * coherences.value.real,
        "shift": -coherences.value.imag,
    }
    errors = {
        "gamma_minus": feeding_error(elements.p11, error.p11, error.dp11),
        "gamma_plus": feeding_error(elements.p00, error.p00, error.dp00),
        "gamma_z": 0.25 * populations.error + 0.5 * coherences.error,
        "shift": coherences.error,
    }
    both = populations.resolved & coherences.resolved
    masks = dict.fromkeys(("gamma_minus", "gamma_plus"), populations.resolved)
    masks |= {"gamma_z": both, "shift": coherences.resolved}
    return (
        {name: jnp.where(masks[name], value, jnp.nan) for name, value in values.items()},
        {name: jnp.where(masks[name], value, jnp.inf) for name, value in errors.items()},
    )


def _square(z: Inexact[Array, "..."]) -> Float[Array, "..."]:
    return z.real**2 + z.imag**2
