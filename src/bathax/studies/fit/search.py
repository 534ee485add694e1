"""The minimum of a sum of squares from several starts, and what is there."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optimistix as optx
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from bathax.studies.fit.data import Data, together
from bathax.studies.fit.parameters import Parameters, Vector
from bathax.studies.traced import traced

# Levenberg-Marquardt takes some 20 steps, and where it takes so many it leads nowhere; minimisers
# like those of optax creep.
STEPS, STEPS_OF_MINIMISERS = 150, 20_000
# Of r, with r^2 = z, the contribution rho(z) = |loss(r)|^2; as SciPy's `least_squares` has them.
LOSSES: dict[str, Callable[[Array], Array]] = {
    "linear": lambda r: r,
    "soft_l1": lambda r: r * jnp.sqrt(2.0 / (1.0 + jnp.sqrt(1.0 + r**2))),
    "cauchy": lambda r: r * jnp.sqrt(_log_ratio(r**2)),
}

Runs = Data | Sequence[Data]


def _log_ratio(z: Array) -> Array:
    """log(1 + z) / z."""
    large = jnp.where(z > 1e-6, z, 1.0)
    return jnp.where(z > 1e-6, jnp.log1p(large) / large, 1.0 - 0.5 * z)


class Problem(eqx.Module):
    """What is minimised: the squares of the residuals, under a loss, and those of a penalty."""

    parameters: Parameters
    of: Callable[..., Any] = eqx.field(static=True)
    loss: str = eqx.field(static=True)
    penalty: Callable[..., Any] | None = eqx.field(static=True)
    solver: Any

    def residuals(self, p: Vector, data: Runs) -> Float[Array, " residuals"]:
        """(model - data) / error at the parameters p."""
        return together(data, self.of(**self.parameters.named(p)))

    def penalties(self, p: Vector) -> Float[Array, " penalties"]:
        """The penalty at the parameters p."""
        if self.penalty is None:
            return jnp.zeros(0)
        return jnp.ravel(jnp.asarray(self.penalty(**self.parameters.named(p))))


class Minimum(NamedTuple):
    """The best place found: parameters, residuals and penalties there, and their Jacobians.

    `objectives` are what each start came down to, in which `converged` says, `steps` in how many.
    """

    p: Vector
    residuals: Float[Array, " residuals"]
    jacobian: Float[Array, "residuals parameters"]
    of_penalty: Float[Array, "penalties parameters"]
    objectives: Float[Array, " starts"]
    converged: Bool[Array, " starts"]
    steps: Int[Array, " starts"]


@eqx.filter_jit
def search(
    problem: Problem,
    data: Runs,
    guesses: Float[Array, "starts parameters"],
    fixed: Bool[Array, " n"],
) -> Minimum:
    """Minimise from each of the guesses x; those of its numbers that are `fixed` stay.

    One start after the other: a batch would be as slow as the slowest of them at every step.
    """
    parameters = problem.parameters
    residuals, _ = traced(problem.residuals, parameters.bounded(guesses[0]), data)

    def objective(moved: Vector, x: Vector) -> tuple[Float[Array, " terms"], Array]:
        p = parameters.bounded(jnp.where(fixed, x, moved))
        terms = jnp.concatenate([LOSSES[problem.loss](residuals(p, data)), problem.penalties(p)])
        return terms, jnp.sum(terms**2)

    by_squares = isinstance(problem.solver, optx.AbstractLeastSquaresSolver)
    most = STEPS if by_squares else STEPS_OF_MINIMISERS

    def descend(x: Vector) -> tuple[Vector, Array, Array, Array]:
        found = optx.least_squares(
            objective, problem.solver, x, args=x, has_aux=True, max_steps=most, throw=False
        )
        value, steps = found.aux, found.stats["num_steps"]
        done = (found.result == optx.RESULTS.successful) & jnp.isfinite(value)
        return jnp.where(fixed, x, found.value), value, done, steps

    ends, objectives, converged, steps = lax.map(descend, guesses)
    best = jnp.argmin(jnp.where(converged & jnp.isfinite(objectives), objectives, jnp.inf))
    p = parameters.bounded(ends[best])

    def repeated(p: Vector) -> tuple[Array, Array]:
        found = residuals(p, data)
        return found, found

    jacobian, there = jax.jacfwd(repeated, has_aux=True)(p)
    of_penalty = jax.jacfwd(problem.penalties)(p)
    return Minimum(p, there, jacobian, of_penalty, objectives, converged, steps)
