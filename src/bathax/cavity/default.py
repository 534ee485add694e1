"""The solver of a cavity that is taken if none is given."""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from bathax._checks import is_concrete
from bathax._estimate import Estimate
from bathax._status import Status
from bathax.cavity.diagonalisation import Diagonalisation
from bathax.cavity.green import GreenFunctions
from bathax.cavity.resonance import Resonance
from bathax.cavity.solvers import Solver, Volterra, largest_size, points_needed
from bathax.numerics.refinement import largest
from bathax.system.models import Cavity

# For more grid points than this `Resonance`, whose cost does not depend on time, is cheaper.
MANY_POINTS = 2**15
# With at most this number of modes a diagonalisation takes less than a second.
MANY_MODES = 1024


class Automatic(Solver):
    """`Volterra`, or `Resonance` where it applies and is better.

    For up to 1,024 separate modes it is `Diagonalisation`. Where a density falls so slowly that no
    time grid resolves its kernel it is `Resonance`. Otherwise, for concrete parameters, `Volterra`
    is tried first, or `Resonance` if the time grid would have more than 32,768 points. If that
    misses its tolerance the other one is tried, and the better result is returned. Inside `jit`,
    where parameters are not known, it is `Volterra`.

    >>> cavity = bx.Cavity(1.0, bx.Reservoir(bx.Ohmic(0.1, 5.0), temperature=20.0))
    >>> ts = jnp.linspace(0.0, 40.0, 9)
    >>> sol = bx.solve(cavity, bx.Fock(5), ts, bx.Automatic())
    >>> sol.message
    'The requested tolerance was reached.'
    """

    def green_functions(
        self, cavity: Cavity, ts: Float[Array, " times"]
    ) -> Estimate[GreenFunctions]:
        if _has_few_modes(cavity):
            return Diagonalisation().green_functions(cavity, ts)
        if not all(bath.spectral_density.integrable for bath in cavity.reservoirs):
            return Resonance().green_functions(cavity, ts)
        needed = largest(lax.stop_gradient(points_needed(cavity, ts)))
        if not is_concrete(needed) or not _is_analytic(cavity):
            return Volterra().green_functions(cavity, ts)
        engines: list[Solver] = [Volterra(), Resonance()]
        if float(needed) > MANY_POINTS:
            engines.reverse()
        first = engines[0].green_functions(cavity, ts)
        if not _any(first.status == Status.TOLERANCE_NOT_REACHED):
            return first
        return _better(first, engines[1].green_functions(cavity, ts))


def default_solver(cavity: Cavity) -> Solver:
    """The solver taken if none is given: `Automatic`, or the only one that applies."""
    if _has_few_modes(cavity):
        return Diagonalisation()
    integrable = all(bath.spectral_density.integrable for bath in cavity.reservoirs)
    return Volterra() if integrable and not _is_analytic(cavity) else Automatic()


def _has_few_modes(cavity: Cavity) -> bool:
    """Whether all reservoirs are separate modes, few enough to be diagonalised at once."""
    return cavity.has_modes and cavity.modes[0].shape[0] <= MANY_MODES


def _is_analytic(cavity: Cavity) -> bool:
    """Whether `Resonance` applies to the reservoirs as they are."""
    return all(
        bath.spectral_density.is_deformable and bath.occupation.is_analytic
        for bath in cavity.reservoirs
    )


def _better(
    first: Estimate[GreenFunctions], second: Estimate[GreenFunctions]
) -> Estimate[GreenFunctions]:
    """For each member of a batch the estimate that reached its tolerance, or the smaller error."""
    takes_first = jnp.where(
        first.status == second.status,
        _relative_error(first) <= _relative_error(second),
        first.status < second.status,
    )
    if not _any(~takes_first):
        return first
    if not _any(takes_first):
        return second
    # A NaN in one of two members of a batch must not spoil the derivatives of the other.
    return jax.tree.map(lambda a, b: jnp.where(takes_first, a, b), first, second)


def _relative_error(estimate: Estimate[GreenFunctions]) -> Float[Array, ""]:
    """The largest error of u and of v, relative to the largest v."""
    number = largest_size(estimate.value.v)
    errors = [
        largest_size(estimate.error.u),
        largest_size(estimate.error.v) / jnp.where(number > 0.0, number, 1.0),
    ]
    return jnp.nan_to_num(jnp.max(jnp.stack(errors)), nan=jnp.inf)


def _any(condition: Bool[Array, ""]) -> bool:
    """Whether it holds for any member of a batch."""
    return bool(largest(lax.stop_gradient(jnp.where(condition, 1.0, 0.0))) > 0.0)
