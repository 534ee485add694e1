"""The minimum of a sum of squares from several starts, and what is there."""

from collections.abc import Callable, Iterable, Sequence
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

# Levenberg-Marquardt takes a dozen steps, and where it takes so many it leads nowhere; minimisers
# like those of optax creep.
STEPS, STEPS_OF_MINIMISERS = 150, 20_000
# Of r, with r^2 = z, the contribution rho(z) = |loss(r)|^2; as SciPy's `least_squares` has them.
LOSSES: dict[str, Callable[[Array], Array]] = {
    "linear": lambda r: r,
    "soft_l1": lambda r: r * jnp.sqrt(2.0 / (1.0 + jnp.sqrt(1.0 + r**2))),
    "cauchy": lambda r: r * jnp.sqrt(_log_ratio(r**2)),
}

# A step that changes no number x by more, absolutely or relatively, is the last one.
NEGLIGIBLE = 1e-9

Runs = Data | Sequence[Data]


class LevenbergMarquardt(optx.LevenbergMarquardt):
    """That of optimistix, done also before a negligible step, which rounding might never accept.

    The trust region grows after good steps, not only nearly perfect ones: half as many steps.
    """

    def __init__(self) -> None:
        super().__init__(rtol=NEGLIGIBLE, atol=NEGLIGIBLE)
        self.search = optx.ClassicalTrustRegion(
            high_cutoff=0.75, low_cutoff=0.1, high_constant=10.0, low_constant=0.1
        )

    def terminate(
        self, fn: Any, y: Any, args: Any, options: Any, state: Any, tags: Any
    ) -> tuple[Bool[Array, ""], Any]:
        done, result = super().terminate(fn, y, args, options, state, tags)
        step = jnp.abs(state.y_eval - y)
        negligible = ~state.first_step & jnp.all(step < self.atol + self.rtol * jnp.abs(y))
        return done | negligible, result


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


def search(
    problem: Problem,
    data: Runs,
    guesses: Float[Array, "starts parameters"],
    fixed: Bool[Array, " n"],
    progress: bool = False,
) -> Minimum:
    """Minimise from each of the guesses x; those of its numbers that are `fixed` stay."""
    if jax.default_backend() == "cpu":
        # A batch would be as slow as the slowest of them at every step.
        found = [descend(problem, data, x, fixed) for x in _shown(guesses, progress)]
        ends, objectives, converged, steps = map(jnp.stack, zip(*found, strict=True))
    else:
        ends, objectives, converged, steps = jax.vmap(lambda x: descend(problem, data, x, fixed))(
            guesses
        )
    best = jnp.argmin(jnp.where(converged & jnp.isfinite(objectives), objectives, jnp.inf))
    return Minimum(*evaluate(problem, data, ends[best]), objectives, converged, steps)


def _shown(guesses: Float[Array, "starts parameters"], progress: bool) -> Iterable[Vector]:
    """The guesses, with a progress bar in a terminal if wanted."""
    if not progress:
        return guesses
    from tqdm import tqdm

    return tqdm(guesses, unit=" starts", disable=None)


@eqx.filter_jit
def descend(
    problem: Problem, data: Runs, x: Vector, fixed: Bool[Array, " n"]
) -> tuple[Vector, Array, Array, Array]:
    """Where the search from x ends, what is minimised there, whether it converged, its steps."""
    parameters = problem.parameters
    residuals, _ = traced(problem.residuals, parameters.bounded(x), data)

    def terms(y: Vector) -> Float[Array, " terms"]:
        p = parameters.bounded(jnp.where(fixed, x, y))
        return jnp.concatenate([LOSSES[problem.loss](residuals(p, data)), problem.penalties(p)])

    # In units of where it starts, what a solver does with its tolerances depends on no error.
    unit = jnp.linalg.norm(terms(x))
    unit = jnp.where(unit > 0.0, unit, 1.0)
    by_squares = isinstance(problem.solver, optx.AbstractLeastSquaresSolver)
    minimised = linearised(terms) if by_squares else terms

    def objective(y: Vector, unit: Array) -> tuple[Float[Array, " terms"], Array]:
        found = minimised(y)
        return found / unit, jnp.sum(found**2)

    found = optx.least_squares(
        objective,
        problem.solver,
        x,
        args=unit,
        has_aux=True,
        max_steps=STEPS if by_squares else STEPS_OF_MINIMISERS,
        throw=False,
    )
    done = (found.result == optx.RESULTS.successful) & jnp.isfinite(found.aux)
    return jnp.where(fixed, x, found.value), found.aux, done, found.stats["num_steps"]


def linearised(function: Callable[[Vector], Array]) -> Callable[[Vector], Array]:
    """The same value and first derivative; the matrix of the latter is computed with the value."""

    def tangent_plane(y: Vector) -> Array:
        here = lax.stop_gradient(y)
        jacobian, value = jax.jacfwd(_twice(function), has_aux=True)(here)
        return value + jacobian @ (y - here)

    return tangent_plane


def _twice(function: Callable[..., Any]) -> Callable[..., tuple[Any, Any]]:
    """The value, and the value as what `has_aux` returns."""

    def twice(*arguments: Any) -> tuple[Any, Any]:
        value = function(*arguments)
        return value, value

    return twice


@eqx.filter_jit
def evaluate(problem: Problem, data: Runs, x: Vector) -> tuple[Vector, Array, Array, Array]:
    """Parameters, residuals and the Jacobians of these and of the penalties."""
    p = problem.parameters.bounded(x)
    residuals, _ = traced(problem.residuals, p, data)
    jacobian, there = jax.jacfwd(_twice(residuals), has_aux=True)(p, data)
    return p, there, jacobian, jax.jacfwd(problem.penalties)(p)
